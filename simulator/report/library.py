"""Lists of chips and workloads, and the outcome of a comparison of both engines."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.describe.chip import Chip
from simulator.describe.workload import Workload
from simulator.report.blocks import Block, Column, Facts, Paragraph, table, words
from simulator.study.agree import Comparison
from simulator.units import show


def chips_view(chips: Sequence[Chip]) -> list[Block]:
    """Return the chips by name, with what they are."""
    rows = []
    for chip in chips:
        cores = f"{chip.n_cores:,} core{'' if chip.n_cores == 1 else 's'}"
        size = f"{chip.mesh.width}x{chip.mesh.height} tiles, {cores}, {show(1 / chip.period, 'Hz')}"
        rows.append((chip.name, f"{size}: {' '.join(chip.about.split())}"))
    return [Facts(tuple(rows))]


def workloads_view(workloads: Sequence[Workload]) -> list[Block]:
    """Return the workloads by name, with what they are."""
    rows = []
    for workload in workloads:
        sizes = "-".join(str(one.n_neurons) for one in workload.network.populations)
        size = f"{sizes}, {workload.stimulus.n_inferences:,} inputs"
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
