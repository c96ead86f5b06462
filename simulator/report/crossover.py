"""Crossovers on the terminal and on disk: the spike rate at which the twins cost the same, beside
the closed form's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simulator.report.blocks import Block, Column, Paragraph, table, words
from simulator.report.writing import Folder
from simulator.study.crossover import METRICS, Finding

#: heading of what is known of a crossing, and whether it is a number
SHARED = (
    words("sent as"),
    Column("d", form=lambda share: f"{share:.3f}"),
    Column("H", form=lambda hops: f"{hops:.2f}"),
    Column("formula, H = 1", align="left", wraps=True),
    Column("formula, H measured", align="left", wraps=True),
)


def crossover_view(findings: Sequence[Finding], about: str, resolution: float) -> list[Block]:
    """Return one row per machine and window."""
    settings = list(dict.fromkeys(key for finding in findings for key in finding.setting))
    columns = [
        Column("T"),
        Column("b"),
        *(Column(key) for key in settings),
        *(words(metric, wraps=True) for metric in METRICS),
        Column("silent SNN/QNN", form=lambda ratio: f"{ratio:.3f}"),
        *SHARED,
    ]
    rows = [
        [
            finding.timesteps,
            finding.bits,
            *(finding.setting.get(key) for key in settings),
            *(finding.show(metric) for metric in METRICS),
            finding.crossing["energy"].ratio_at_zero,
            "/".join(finding.encoding.values()),
            finding.active,
            finding.hops,
            finding.formula.show(),
            finding.formula_hops.show(),
        ]
        for finding in findings
    ]
    note = (
        f"Spike rates, each by bisection to {resolution:g}; both twins simulated at every one. "
        "'Silent' is the ratio of energies where nothing spikes. The formula is the closed form, "
        "typical hardware."
    )
    if all(finding.seeds == 1 for finding in findings):
        note += " Activity is drawn with one seed, so how far the rates move with it is not known."
    return [table(columns, rows, about, keys=2 + len(settings)), Paragraph(note, tone="faint")]


def put_crossover(folder: Folder, findings: Sequence[Finding], about: dict[str, Any]) -> None:
    """Write crossover.csv, one row per finding, and summary.json with what was asked."""
    rows = [finding.flat() for finding in findings]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [[row.get(column) for column in columns] for row in rows]
    folder.table("crossover.csv", columns, cells)
    folder.json("summary.json", {"schema_version": 1, **about, "findings": rows})
