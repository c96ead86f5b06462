"""A loaded chip with its components priced, its highest clock found, and its constants at its
voltage.
"""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

from simulator import units
from simulator.describe import corners
from simulator.describe.components.parts import NoNode, Router
from simulator.describe.components.pricing import PRICED, Pricer, constant
from simulator.describe.components.request import Component, Slowest
from simulator.describe.documents import Document
from simulator.describe.messages import alternatives
from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.describe.chip import Chip

#: the router whose clock a chip states: bits, ports, VCs, flits per VC
REFERENCE = (32, 5, 4, 8)


def priced(document: Document, chip: Chip, base: float) -> Chip | None:
    """Return the chip with numbers for its components, at its voltage; faults what has no price.

    base: the voltage, in volts, that the chip's constants hold for.
    """
    before = len(document.faults)
    pricer = Pricer(chip, base)
    for table, entries in PRICED.items():
        for name, (kind, price) in entries.items():
            request = getattr(getattr(pricer.chip, table), name)
            if not isinstance(request, Component):
                continue
            if request.component != kind:
                document.fault(
                    (table, name, "component"),
                    f"must be {alternatives([kind])}, not {request.component!r}",
                )
                continue
            try:
                found = price(pricer, request)
            except NoNode as error:
                document.fault(("technology", "node"), str(error))
                return None
            except InputError as error:
                document.fault((table, name), str(error))
                continue
            _put(pricer, table, name, constant(_kind(pricer.chip, table, name), found, request))
        if len(document.faults) > before:
            return None
    clock = _clock(document, pricer)
    if len(document.faults) > before:
        return None
    found_chip = pricer.chip.model_copy(update={"maximum_frequency": clock})
    found_chip._outside = (*chip._outside, *_beyond(pricer))
    try:
        return corners.follow(found_chip, base)
    except InputError as error:
        document.fault(("technology", "voltage"), str(error))
        return None


def _kind(chip: Chip, table: str, name: str) -> Any:
    return type(getattr(chip, table)).model_fields[name].annotation


def _put(pricer: Pricer, table: str, name: str, value: Any) -> None:
    entries = getattr(pricer.chip, table).model_copy(update={name: value})
    pricer.chip = pricer.chip.model_copy(update={table: entries})


def _clock(document: Document, pricer: Pricer) -> float | None:
    """Return the highest clock at the base voltage: that of the slowest part."""
    asked: Any = pricer.chip.maximum_frequency
    if not isinstance(asked, Slowest):
        return asked  # type: ignore[no-any-return]
    try:
        found = limits(pricer, asked)
    except InputError as error:
        document.fault(("maximum_frequency",), str(error))
        return None
    return min(found.values())


def limits(pricer: Pricer, asked: Slowest) -> dict[str, float]:
    """Return the highest clock of each part in Hz, at the pricer's voltage."""
    sizes = pricer.sizes
    found = {"logic": asked.logic}
    for name in ("weights", "neurons", "axons"):
        memory = getattr(sizes, name)(asked.cell)
        rate = 1e9 / memory.access(pricer.note)
        if memory.voltage != pricer.voltage:
            rule = pricer.chip.technology.rule
            if rule is None:
                raise InputError(
                    f"must have technology.rule at {pricer.voltage:g} V, for the sram table holds "
                    f"at {memory.voltage:g} V"
                )
            rate *= rule.speed(pricer.voltage, memory.voltage)
        found[name] = rate
    path = sizes.router().read("critical_path_ns", pricer.note).value
    reference = Router(pricer.node, *REFERENCE).read("critical_path_ns", pricer.note).value
    found["router"] = asked.router * reference / path
    return found


def _beyond(pricer: Pricer) -> list[str]:
    return [
        f"{asked:g} {what} lie beyond the table: costs are those of {priced:g}"
        for what, asked, priced in pricer.beyond
    ]


def base_voltage(tree: dict[str, Any], before: dict[str, Any]) -> float | None:
    """Return the voltage a chip's constants hold for: as `stated_for` says, else as the file does,
    before any change.
    """
    stated = tree.get("stated_for")
    written = stated.get("technology.voltage") if isinstance(stated, dict) else None
    technology = before.get("technology")
    if written is None and isinstance(technology, dict):
        written = technology.get("voltage")
    try:
        return units.quantity(written, "voltage")
    except units.UnitError:
        return None


#: a period as short as the chip allows, and what it is rounded up to
FASTEST, GRID = "fastest", 1e-12


def settle(document: Document, model: type[Chip], base: float | None) -> None:
    """Write the shortest period a chip allows where its file says `fastest`."""
    if document.tree.get("period") != FASTEST:
        return
    trial = copy.deepcopy(document)
    trial.tree["period"] = document.tree["period"] = "1 s"  # of a chip whose faults come first
    loaded = trial.validate(model, {"period": None})
    found = priced(trial, loaded, base or loaded.technology.voltage) if loaded else None
    if found is None:
        return
    if found.maximum_frequency is None:
        document.fault(("period",), f"must be a time, not {FASTEST!r}: the chip has no clock")
    else:
        picoseconds = math.ceil(1 / found.maximum_frequency / GRID - 1e-6)
        document.tree["period"] = f"{picoseconds} ps"


def number_instead(document: Document) -> None:
    """Turn a component whose value was changed from outside the file into that number."""
    for table in PRICED:
        entries = document.tree.get(table)
        if not isinstance(entries, dict):
            continue
        for name, entry in entries.items():
            changed = (table, name, "value") in document.places
            if isinstance(entry, dict) and "component" in entry and changed:
                entries[name] = {
                    "value": entry["value"],
                    "band": entry.get("band"),
                    "source": "set from outside the file, instead of a component",
                    "evidence": "assumed",
                    "scope": "marginal",
                }
