"""The report of the closed-form model: both twins' energy by part, and published numbers beside
computed ones.
"""

from __future__ import annotations

from collections.abc import Mapping

from simulator.analytic.constants import ModelConstant
from simulator.analytic.kinds import counted
from simulator.analytic.model import Energy
from simulator.analytic.published import Published
from simulator.report.blocks import Block, Column, Facts, Paragraph, Tone, table, with_total, words

#: part of the ledger -> the words of the report
PART = {
    "accumulate": "accumulate",
    "multiply": "multiply-accumulate",
    "compare": "threshold tests",
    "clamp": "clamps",
    "reset": "resets",
    "membrane": "membrane access",
    "weight_read": "weight reads",
    "transfer": "transfers",
}
TONE: dict[str, Tone] = {
    "met": "good",
    "beyond its printed digit": "bad",
    "not reproducible": "warning",
}


def energy_view(snn: Energy, qnn: Energy, facts: Mapping[str, str]) -> list[Block]:
    """Return both twins' energy by part, per output neuron and inference, with each part's share of
    its total, and what else is known of the operation.
    """
    both, rows = (snn, qnn), []
    for part, name in PART.items():
        if any(part in energy.part for energy in both):
            rows.append([name, *(cell for energy in both for cell in _part(energy, part))])
    rows += [
        ["compute", *(cell for energy in both for cell in (float(energy.compute), None))],
        [
            "data movement",
            *(cell for energy in both for cell in (float(energy.data), _way(energy))),
        ],
        ["total", *(cell for energy in both for cell in (float(energy.total), None))],
    ]
    columns = [
        words("part"),
        *(
            column
            for twin in ("SNN", "QNN")
            for column in (Column(twin, "pJ", form=_joules), Column("share"))
        ),
    ]
    return [
        with_total(columns, rows, "Energy per output neuron and inference"),
        Facts((("SNN / QNN", f"{float(snn.total / qnn.total):.4f}"), *facts.items())),
    ]


def _part(energy: Energy, part: str) -> tuple[float | None, str]:
    if part not in energy.part:
        return None, ""
    joules, total = float(energy.part[part]), float(energy.total)
    return joules, f"{100 * joules / total:.1f} %" if total else ""


def _joules(value: float | None) -> str:
    """Return an energy in picojoules, the paper's unit and digits."""
    return "" if value is None else f"{value * 1e12:,.2f}"


def _way(energy: Energy) -> str:
    return "dense" if bool(energy.is_dense) else "sparse"


def published_view(rows: list[Published]) -> list[Block]:
    """Return every published number beside the computed one, their difference, the printed digit
    and the verdict, and the count of the verdicts.
    """
    columns = (
        words("what", wraps=True),
        Column("published"),
        Column("computed"),
        Column("difference"),
        Column("printed digit"),
        words("unit"),
        words("kind"),
        words("verdict", wraps=True),
    )
    cells = []
    for row in rows:
        verdict = f"{row.verdict}: {row.reason}" if row.reason else row.verdict
        if row.uses_extrapolated:
            verdict += " (with an extrapolated constant)"
        difference = "" if row.difference is None else f"{row.difference:+.2g}"
        digit = "" if row.difference is None else row.printed_digit
        shown = (row.what, row.printed, _computed(row), difference, digit, row.unit)
        cells.append((*shown, row.kind or "-", verdict))
    tones = [TONE[row.verdict] for row in rows]
    title = "Published numbers of the closed-form model"
    return [table(columns, cells, title, tones=tones), Paragraph(summary(rows))]


def _computed(row: Published) -> str:
    """Return the computed number with two digits more than were printed."""
    if row.computed is None or isinstance(row.computed, str):
        return row.computed or "-"
    digits = len(row.printed.partition(".")[2])
    return f"{row.computed:.{digits + 2}f}"


def summary(rows: list[Published]) -> str:
    """Return one sentence that counts the verdicts, and what the numbers met are worth."""
    count = {verdict: sum(row.verdict == verdict for row in rows) for verdict in TONE}
    met = counted(row.kind for row in rows if row.verdict == "met" and row.kind is not None)
    return (
        f"{count['met']} of {len(rows)} published numbers met to the printed digit ({met}), "
        f"{count['beyond its printed digit']} beyond it, {count['not reproducible']} not "
        f"reproducible by formula"
    )


def constants_view(rows: list[ModelConstant]) -> list[Block]:
    """Return the constants with value, band, how each is known and its source."""
    columns = (
        words("symbol"),
        words("what", wraps=True),
        Column("value"),
        words("known"),
        words("source", wraps=True),
    )
    cells = []
    for row in rows:
        band = "" if row.band == "0 pJ" else f" ± {row.band}"
        cells.append((row.symbol, row.what, row.written + band, row.known, row.source))
    return [table(columns, cells, "Constants", keys=2)]
