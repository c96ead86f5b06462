"""Crossovers on the terminal and on disk: the spike rate at which the twins cost the same, beside
the closed form's.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulator.report.files import write_atomically, write_json
from simulator.study.crossover import METRICS, Finding


def crossover_view(findings: Sequence[Finding], about: str, resolution: float) -> RenderableType:
    """Return one row per machine and window."""
    settings = list(dict.fromkeys(key for finding in findings for key in finding.setting))
    table = Table(
        title=f"\n{about}",
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    for name in ("T", "b", *settings):
        table.add_column(name, justify="right", no_wrap=True)
    for name in (
        *METRICS,
        "silent SNN/QNN",
        "sent as",
        "d",
        "H",
        "formula, H = 1",
        "formula, H measured",
    ):
        table.add_column(name)
    for finding in findings:
        table.add_row(
            str(finding.timesteps),
            str(finding.bits),
            *(finding.setting.get(key, "") for key in settings),
            *(finding.crossing[metric].show() for metric in METRICS),
            f"{finding.crossing['energy'].ratio_at_zero:.3f}",
            "/".join(finding.encoding.values()),
            f"{finding.active:.3f}",
            f"{finding.hops:.2f}",
            finding.formula,
            finding.formula_hops,
        )
    note = (
        f"Spike rates, each by bisection to {resolution:g}; both twins simulated at every one. "
        f"'silent': the ratio of energies "
        "where nothing spikes. Formula: the closed form, typical hardware.\n"
    )
    return Group(table, Text(note))


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
