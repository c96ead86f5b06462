"""The study of bit budgets on the terminal and on disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simulator.report.blocks import Block, Column, Paragraph, Verdict, table
from simulator.report.writing import Folder
from simulator.study.budget import Spent
from simulator.units import show

TABLE = "budget.csv"
COLUMNS = (
    Column("weight bits"),
    Column("spike bits"),
    Column("T"),
    Column("accuracy", form=lambda share: "-" if share is None else f"{share:.2%}"),
    Column("operations"),
    Column("S-ACE"),
    Column("NS-ACE"),
    Column("energy"),
    Column("latency"),
)


def budget_view(spends: Sequence[Spent], about: str, left: Sequence[str]) -> list[Block]:
    """Return one row per way to spend the budget, and whether the yardstick finds the cheapest."""
    rows = [
        [
            one.weight_bits,
            one.spike_bits,
            one.timesteps,
            one.point.accuracy,
            f"{one.point.operations:,.0f}",
            _count(one.effort),
            _count(one.sparse_effort),
            show(one.point.energy, "J"),
            show(one.point.latency, "s"),
        ]
        for one in spends
    ]
    note = (
        "Per inference, the spiking twin; weights rounded, not trained again. S-ACE and NS-ACE "
        "count bit operations: all of them, and those that a spike asks for."
    )
    blocks: list[Block] = [table(COLUMNS, rows, about, keys=3), Paragraph(note, tone="faint")]
    if left:
        blocks.append(Paragraph("; ".join(left), "Left out", "faint"))
    if len(spends) > 1:
        blocks.append(Verdict(verdict(spends)))
    lost = sum(one.point.overflows for one in spends)
    if lost:
        text = f"{lost:,} potentials or currents left their widths"
        blocks.append(Paragraph(text, "Overflows", "warning"))
    return blocks


def verdict(spends: Sequence[Spent]) -> str:
    """Return in a sentence how far the yardstick and the simulated energy agree."""
    efforts = [one.sparse_effort for one in spends]
    energies = [one.point.energy for one in spends]
    cheapest = spends[energies.index(min(energies))]
    least = spends[efforts.index(min(efforts))]
    spread = [max(values) / min(values) if min(values) else 0.0 for values in (efforts, energies)]
    same = "which is also" if cheapest is least else f"while {_named(least)} have"
    return (
        f"at this budget {_named(cheapest)} cost the least energy, {same} the smallest NS-ACE; "
        f"from the smallest to the largest, NS-ACE grows {spread[0]:.2f} times and the simulated "
        f"energy {spread[1]:.2f} times"
    )


def _named(one: Spent) -> str:
    return f"{one.weight_bits}-bit weights, {one.spike_bits}-bit spikes and T = {one.timesteps}"


def _count(operations: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if operations >= size:
            return f"{operations / size:.4g} {letter}"
    return f"{operations:.4g}"


def put_budget(
    folder: Folder, spends: Sequence[Spent], left: Sequence[str], about: dict[str, Any]
) -> None:
    """Write budget.csv, one row per way, and summary.json."""
    rows = [
        {
            "weight_bits": one.weight_bits,
            "spike_bits": one.spike_bits,
            "timesteps": one.timesteps,
            "inferences": one.point.inferences,
            "accuracy": one.point.accuracy,
            "synaptic_operations_per_inference": one.point.operations,
            "macs_per_inference": one.macs,
            "s_ace": one.effort,
            "ns_ace": one.sparse_effort,
            "energy_per_inference_j": one.point.energy,
            "latency_mean_s": one.point.latency,
            "throughput_per_s": one.point.throughput,
            "overflows": one.point.overflows,
        }
        for one in spends
    ]
    folder.table(TABLE, tuple(rows[0]), [list(row.values()) for row in rows])
    folder.json("summary.json", {"schema_version": 1, **about, "left_out": left, "ways": rows})
