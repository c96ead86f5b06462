"""Crossovers on the terminal and on disk: the spike rate at which the twins cost the same, beside
the closed form's.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simulator.report.blocks import Block, Column, Paragraph, table, words
from simulator.report.files import write_atomically, write_json
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
            *(finding.crossing[metric].show() for metric in METRICS),
            finding.crossing["energy"].ratio_at_zero,
            "/".join(finding.encoding.values()),
            finding.active,
            finding.hops,
            finding.formula,
            finding.formula_hops,
        ]
        for finding in findings
    ]
    note = (
        f"Spike rates, each by bisection to {resolution:g}; both twins simulated at every one. "
        "'Silent' is the ratio of energies where nothing spikes. The formula is the closed form, "
        "typical hardware."
    )
    return [table(columns, rows, about, keys=2 + len(settings)), Paragraph(note, tone="faint")]


def write_crossover(folder: str | Path, findings: Sequence[Finding], about: dict[str, Any]) -> None:
    """Write crossover.csv, one row per finding, and crossover.json with what was asked."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    rows = [finding.flat() for finding in findings]
    text = io.StringIO()
    writer = csv.DictWriter(
        text, list(dict.fromkeys(key for row in rows for key in row)), lineterminator="\n"
    )
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(place / "crossover.csv", lambda handle: handle.write(text.getvalue().encode()))
    write_json(place / "crossover.json", {"schema_version": 1, **about, "findings": rows})
