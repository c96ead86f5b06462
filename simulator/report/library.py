"""Lists of chips and workloads, and the outcome of a comparison of both engines."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.account.area import WEIGHT_BITS, chip_area, core_area, floor
from simulator.describe.chip import Chip
from simulator.describe.workload import Workload
from simulator.report.blocks import Block, Column, Facts, Paragraph, Title, table, words
from simulator.study.agree import Comparison
from simulator.units import show, show_area


def chips_view(chips: Sequence[Chip]) -> list[Block]:
    """Return the chips by name, with what they are."""
    rows = []
    for chip in chips:
        size = f"{_size(chip)}, {show(1 / chip.period, 'Hz')}"
        rows.append((chip.name, f"{size}: {' '.join(chip.about.split())}"))
    return [Facts(tuple(rows))]


def _size(chip: Chip) -> str:
    cores = f"{chip.n_cores:,} core{'' if chip.n_cores == 1 else 's'}"
    return f"{chip.mesh.width}x{chip.mesh.height} tiles, {cores}"


def _kib(bits: int) -> str:
    kib = bits / 8192
    return f"{kib:,.0f} KiB" if kib >= 100 else f"{kib:.4g} KiB"


#: unit of a rate of synaptic operations
OPERATIONS = "SOP/s"


def chip_view(chip: Chip) -> list[Block]:
    """Return the floor of one chip: area and leakage by part, what it can do at most, what that
    costs.
    """
    lowest, core, whole = floor(chip), core_area(chip), chip_area(chip)
    total = sum(whole.values())
    size = _size(chip)
    where = f"{chip.technology.node}, {show(chip.technology.voltage, 'V')}"
    clock = (
        "no clock"
        if chip.maximum_frequency is None
        else f"{show(1 / chip.period, 'Hz')} of at most {show(chip.maximum_frequency, 'Hz')}"
    )
    blocks: list[Block] = [Title(chip.name, f"{where}, {size}, {clock}")]
    each = lowest.memory // chip.n_cores
    facts = [
        ("memory", f"{_kib(lowest.memory)}, {_kib(each)} a core"),
        ("leakage", f"{show(lowest.leakage, 'W')}; idle and clocked {show(lowest.idle, 'W')}"),
        ("peak", f"{show(lowest.operations, OPERATIONS)} with weights of {WEIGHT_BITS} bits"),
        ("an operation more", show(lowest.marginal, "J")),
        ("each at the peak", f"{show(lowest.all_in, 'J')}, leakage and clocks shared"),
    ]
    if total:
        density = lowest.operations / (total * 1e6)
        facts.insert(2, ("area", f"{show_area(total)}, a core {show_area(sum(core.values()))}"))
        facts.append(("peak per mm²", show(density, OPERATIONS)))
    blocks.append(Facts(tuple(facts)))
    if total:
        rows = [
            (part, show_area(core[part]) if part in core else "-", show_area(area), area / total)
            for part, area in whole.items()
            if area
        ]
        blocks.append(table(AREA_COLUMNS, rows, "Area by part"))
    blocks += [Paragraph(line, "Constants", "warning") for line in chip.outside_statement]
    return blocks


AREA_COLUMNS = (
    words("part"),
    Column("a core"),
    Column("chip"),
    Column("share", form=lambda share: f"{share:.1%}"),
)


#: populations whose sizes are listed one by one
MOST_SIZES = 8


def workloads_view(workloads: Sequence[Workload]) -> list[Block]:
    """Return the workloads by name, with what they are."""
    rows = []
    for workload in workloads:
        sizes = [str(one.n_neurons) for one in workload.network.populations]
        shown = "-".join(sizes)
        if len(sizes) > MOST_SIZES:
            shown = f"{'-'.join(sizes[:2])} to {'-'.join(sizes[-2:])}, {len(sizes)} populations"
        size = f"{shown}, {workload.stimulus.n_inferences:,} inputs"
        rows.append((workload.name, f"{size}: {' '.join(workload.about.split())}"))
    return [Facts(tuple(rows))]


COMPARED = (
    words("twin"),
    Column("seed"),
    *(Column(name, form=lambda n: f"{n:,}") for name in ("cycles", "grants")),
    *(Column(name, form=lambda n: f"{n:,}") for name in ("state changes", "packets")),
    words("", wraps=True),
)


def agree_view(outcomes: Sequence[Comparison]) -> list[Block]:
    """Return each comparison of the engines, with the first difference where there is one."""
    rows = [
        (
            outcome.mode,
            outcome.seed,
            outcome.cycles,
            outcome.grants,
            outcome.states,
            outcome.packets,
            "agree" if outcome.difference is None else f"differ: {outcome.difference}",
        )
        for outcome in outcomes
    ]
    compared = table(COMPARED, rows, keys=2)
    if any(outcome.difference is not None for outcome in outcomes):
        return [compared]
    return [compared, Paragraph(f"both engines agree on all {len(outcomes)} runs")]
