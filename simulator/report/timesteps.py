"""The timestep study on the terminal, on disk and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO

from simulator.report.blocks import Block, Column, Paragraph, table, words
from simulator.report.landscape import QUANTISED_COLOUR, SPIKING_COLOUR, figure_class
from simulator.report.writing import Folder
from simulator.study.timesteps import Point
from simulator.units import show

TWIN = {"snn": "spiking", "qnn": "quantised"}
TABLE, PICTURE = "timesteps.csv", "timesteps.png"
COLUMNS = (
    Column("T"),
    words("twin"),
    Column("accuracy", form=lambda share: "-" if share is None else f"{share:.2%}"),
    Column("events"),
    Column("score"),
    Column("operations"),
    Column("energy"),
    Column("latency"),
    Column("throughput"),
)
#: column of the table on disk -> what it holds of a point; SI units
FIELDS = {
    "timesteps": "timesteps",
    "mode": "mode",
    "activation_bits": "activation_bits",
    "inferences": "inferences",
    "accuracy": "accuracy",
    "events_per_inference": "events",
    "efficiency_score": "efficiency",
    "synaptic_operations_per_inference": "operations",
    "energy_per_inference_j": "energy",
    "latency_mean_s": "latency",
    "throughput_per_s": "throughput",
    "overflows": "overflows",
}


def timesteps_view(points: Sequence[Point], about: str, alone: str | None) -> list[Block]:
    """Return one row per T and twin; alone: why there is no quantised twin."""
    rows = [
        [
            point.timesteps,
            TWIN[point.mode],
            point.accuracy,
            f"{point.events:,.1f}",
            "-" if point.efficiency is None else f"{point.efficiency:.4g}",
            f"{point.operations:,.0f}",
            show(point.energy, "J"),
            show(point.latency, "s"),
            f"{point.throughput:,.0f}/s",
        ]
        for point in points
    ]
    note = (
        "Per inference, both twins simulated at every T. Events are spikes, or activations other "
        "than 0, of all neurons; the score is the accuracy in percent per event."
    )
    blocks: list[Block] = [table(COLUMNS, rows, about, keys=2), Paragraph(note, tone="faint")]
    if alone is not None:
        blocks.append(Paragraph(alone, "Spiking alone", "warning"))
    lost = sum(point.overflows for point in points)
    if lost:
        text = f"{lost:,} potentials or currents left their widths: the twins are not comparable"
        blocks.append(Paragraph(text, "Overflows", "warning"))
    return blocks


def rows_of(points: Sequence[Point]) -> list[dict[str, Any]]:
    """Return the points as rows of the table on disk."""
    return [{name: getattr(point, key) for name, key in FIELDS.items()} for point in points]


def put_timesteps(folder: Folder, points: Sequence[Point], about: dict[str, Any]) -> None:
    """Write timesteps.csv, one row per point, and summary.json with what was asked."""
    rows = rows_of(points)
    folder.table(TABLE, tuple(FIELDS), [list(row.values()) for row in rows])
    folder.json("summary.json", {"schema_version": 1, **about, "points": rows})


def draw(points: Sequence[Point], title: str, file: BinaryIO) -> None:
    """Draw accuracy, events, energy and latency against T, a line for each twin, as PNG."""
    figure = figure_class()(figsize=(8.4, 5.6), layout="constrained")
    panels = figure.subplots(2, 2, sharex=True)
    shown = (
        ("accuracy", "accuracy (%)", 100.0, False),
        ("events", "spikes or activations per inference", 1.0, True),
        ("energy", "energy per inference (nJ)", 1e9, True),
        ("latency", "mean latency (µs)", 1e6, True),
    )
    for axes, (name, label, factor, is_logarithmic) in zip(panels.flat, shown):
        for mode, colour in (("snn", SPIKING_COLOUR), ("qnn", QUANTISED_COLOUR)):
            mine = [(p.timesteps, getattr(p, name)) for p in points if p.mode == mode]
            mine = [(t, factor * value) for t, value in mine if value is not None]
            if mine:
                axes.plot(*zip(*mine), "o-", color=colour, label=TWIN[mode], markersize=4)
        axes.set_xscale("log", base=2)
        windows = sorted({point.timesteps for point in points})
        axes.set_xticks(windows, labels=[str(window) for window in windows])
        axes.minorticks_off()
        if is_logarithmic and all(getattr(point, name) for point in points):
            axes.set_yscale("log")
        axes.set_ylabel(label, fontsize=9)
        axes.grid(True, which="major", color="#dddddd", linewidth=0.6)
    for axes in panels[-1]:
        axes.set_xlabel("timesteps T")
    panels[0, 1].legend(frameon=False, fontsize=9)
    figure.suptitle(title, fontsize=11)
    figure.savefig(file, dpi=160, format="png")
