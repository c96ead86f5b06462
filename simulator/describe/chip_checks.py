"""What a chip file must fulfil as a whole: clock and period, places and sizes, a source for every
number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator import units
from simulator.describe import ports
from simulator.describe.corners import PERIOD_DIGITS
from simulator.describe.documents import Document
from simulator.describe.energy import EVIDENCE
from simulator.describe.messages import Key, dotted, near_miss

if TYPE_CHECKING:
    from simulator.describe.chip import Chip


def check_clock(document: Document, chip: Chip) -> None:
    """Fault a period shorter than the chip's highest clock allows."""
    most = chip.maximum_frequency
    if most is not None and 1 / chip.period > most * (1 + PERIOD_DIGITS):
        document.fault(
            ("period",),
            f"must be at least {units.show(1 / most, 's')} (maximum_frequency is "
            f"{units.show(most, 'Hz')}), not {units.show(chip.period, 's')}",
        )


def check_corners(document: Document, chip: Chip) -> None:
    """Fault an operating point that leaves to a rule what the chip has no rule for."""
    for name, corner in chip.corners.items():
        for key in ("leakage", "maximum_frequency"):
            if chip.technology.rule is None and getattr(corner, key) is None:
                document.fault(
                    ("corners", name, key), "missing key: it must be given without technology.rule"
                )


def check_tokens(document: Document, chip: Chip) -> None:
    """Fault tokens on a chip whose file prices them at nothing because they never happen there."""
    token = chip.energy.token
    is_free = not token.value and token.source.startswith("never happens")
    if is_free and chip.step.synchronisation == "tokens":
        document.fault(
            ("step", "synchronisation"),
            "must be 'barrier', not 'tokens', while energy.token is 0 pJ because it never happens "
            "on this chip: give it the energy of a token",
        )


def check_places(document: Document, chip: Chip) -> None:
    """Fault ports off the mesh, channels that do not exist, packets that do not fit."""
    ports.check(document, chip.ports, chip.mesh.width, chip.mesh.height)
    for key in ("spike_channels", "stream_channels"):
        channels = getattr(chip.router, key)
        if channels is not None:
            last = chip.router.virtual_channels - 1
            if not channels[0] <= channels[1] <= last:
                document.fault(
                    ("router", key),
                    f"must be [first, last] channel within 0..{last}, not {channels}",
                )
    if chip.packet.maximum > chip.core.input_queue:
        document.fault(
            ("packet", "maximum"),
            f"must be at most core.input_queue ({chip.core.input_queue} flits), not "
            f"{chip.packet.maximum}: "
            "a core takes whole packets",
        )
    synapse = chip.core.synapse
    if synapse.zero_weight_skip == "run_length" and synapse.run is None:
        document.fault(("core", "synapse"), "must say its 'run' with zero_weight_skip: run_length")
    if synapse.zero_weight_skip != "none" and synapse.packed:
        document.fault(
            ("core", "synapse", "packed"), "must be false with zero_weight_skip, not true"
        )
    most = min(synapse.accumulate, synapse.multiply_accumulate)
    if synapse.shared >= most:
        document.fault(
            ("core", "synapse", "shared"),
            f"must be less than an operation, {most} cycles, not {synapse.shared} cycles",
        )
    head = chip.packet.destination + chip.packet.axon
    room = chip.packet.maximum * chip.link.flit
    if head >= room:
        document.fault(
            ("packet",), f"must leave room for data: the fields take {head} of {room} bits"
        )


def numbers(tree: Any, key: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the keys of every written number or choice below `tree` that must have a source."""
    if isinstance(tree, dict):
        return [leaf for name, value in tree.items() for leaf in numbers(value, (*key, name))]
    if isinstance(tree, list):
        return [key]
    return [key]


UNSOURCED = (
    "schema_version",
    "name",
    "about",
    "energy",
    "power",
    "area",
    "sources",
    "notes",
    "published",
    "stated_for",
)


def check_sources(
    document: Document, chip: Chip, leaves: dict[str, Key], overridden: set[str]
) -> None:
    """Fault a number without a source, and a source that names nothing."""
    used: set[str] = set()
    for name, key in leaves.items():
        cover = next(
            (c for c in (dotted(key[:n]) for n in range(len(key), 0, -1)) if c in chip.sources),
            None,
        )
        if cover is not None:
            used.add(cover)
        elif name not in overridden:
            document.fault(
                key, f"must have its source under 'sources', such as '{name}: \"assumed: why\"'"
            )
    for name, text in chip.sources.items():
        evidence = text.partition(":")[0].strip()
        if evidence not in EVIDENCE or not text.partition(":")[2].strip():
            allowed = ", ".join(EVIDENCE)
            document.fault(
                ("sources", name),
                f"must be '<evidence>: <source>' with one of {allowed}, not "
                f"{units.shown_value(text)}",
            )
        if name not in used and not any(
            leaf == name or leaf.startswith(name + ".") for leaf in leaves
        ):
            document.fault(
                ("sources", name), "must name a key of this file" + near_miss(name, leaves)
            )
