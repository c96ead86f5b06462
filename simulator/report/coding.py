"""The study of codings on the terminal and on disk, beside the published ratio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simulator.report.blocks import Block, Column, Paragraph, Verdict, table
from simulator.report.timesteps import FIELDS
from simulator.report.writing import Folder
from simulator.study.coding import FIRST_SPIKE, PUBLISHED_RATIO, RATE, Coded, ratio
from simulator.units import show

TABLE = "coding.csv"
COLUMNS = (
    "inputs as",
    Column("accuracy", form=lambda share: "-" if share is None else f"{share:.2%}"),
    Column("input spikes"),
    Column("other spikes"),
    Column("operations"),
    Column("packets"),
    Column("energy"),
    Column("latency"),
)


def coding_view(found: Sequence[Coded], about: str) -> list[Block]:
    """Return one row per coding, and the measured ratio beside the published one."""
    rows = [
        [
            one.coding,
            one.point.accuracy,
            f"{one.input_events:,.1f}",
            f"{one.point.events:,.1f}",
            f"{one.point.operations:,.0f}",
            f"{one.packets:,.0f}",
            show(one.point.energy, "J"),
            show(one.point.latency, "s"),
        ]
        for one in found
    ]
    note = (
        "Per inference. Every input value is a number of spikes in a window of T timesteps: evenly "
        "spread, one after the other, or one spike alone, the earlier the larger. The network is "
        "not trained again for any of them."
    )
    blocks: list[Block] = [table(COLUMNS, rows, about), Paragraph(note, tone="faint")]
    measured, energy = ratio(found), _energies(found)
    if measured is not None and energy is not None:
        low, high = PUBLISHED_RATIO
        inside = "inside" if low <= measured <= high else "outside"
        blocks.append(
            Verdict(
                f"rate coding takes {measured:.2f} times the synaptic operations of first spikes, "
                f"{inside} the published {low:g} to {high:g}, and {energy:.2f} times the energy"
            )
        )
    lost = sum(one.point.overflows for one in found)
    if lost:
        text = f"{lost:,} potentials or currents left their widths"
        blocks.append(Paragraph(text, "Overflows", "warning"))
    return blocks


def _energies(found: Sequence[Coded]) -> float | None:
    energy = {one.coding: one.point.energy for one in found}
    if not energy.get(FIRST_SPIKE) or RATE not in energy:
        return None
    return energy[RATE] / energy[FIRST_SPIKE]


def put_coding(folder: Folder, found: Sequence[Coded], about: dict[str, Any]) -> None:
    """Write coding.csv, one row per coding, and summary.json with the ratios."""
    rows = [
        {"coding": one.coding}
        | {name: getattr(one.point, key) for name, key in FIELDS.items() if key not in UNUSED}
        | {"input_spikes_per_inference": one.input_events, "packets_per_inference": one.packets}
        for one in found
    ]
    folder.table(TABLE, tuple(rows[0]), [list(row.values()) for row in rows])
    ratios = {
        "operations_rate_over_first_spike": ratio(found),
        "published_operations_rate_over_first_spike": list(PUBLISHED_RATIO),
        "energy_rate_over_first_spike": _energies(found),
    }
    folder.json("summary.json", {"schema_version": 1, **about, **ratios, "codings": rows})


#: of a point of the timestep study, what says nothing here
UNUSED = ("mode", "activation_bits")
