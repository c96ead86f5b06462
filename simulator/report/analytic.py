"""The closed-form model on the terminal: both twins' energy by part, and published numbers beside
computed ones.
"""

from __future__ import annotations

from rich.table import Table

from simulator.analytic.constants import Constant
from simulator.analytic.model import Energy
from simulator.analytic.published import Published

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
STYLE = {"met": "green", "beyond its printed digit": "bold red", "not reproducible": "yellow"}


def energy_table(snn: Energy, qnn: Energy) -> Table:
    """Return both twins' energy by part, per output neuron and inference, with each part's share of
    its total.
    """
    table = Table(title="energy per output neuron and inference", caption_justify="left")
    table.add_column("part")
    for twin in ("SNN", "QNN"):
        table.add_column(f"{twin} (pJ)", justify="right")
        table.add_column("share", justify="right")
    for part, words in PART.items():
        cells = [_share(energy, part) for energy in (snn, qnn)]
        if any(energy is not None for energy, _ in cells):
            table.add_row(
                words, *(text for energy, share in cells for text in (_joules(energy), share))
            )
    table.add_section()
    table.add_row("compute", _joules(float(snn.compute)), "", _joules(float(qnn.compute)), "")
    table.add_row(
        "data movement", _joules(float(snn.data)), _way(snn), _joules(float(qnn.data)), _way(qnn)
    )
    table.add_row(
        "total", _joules(float(snn.total)), "", _joules(float(qnn.total)), "", style="bold"
    )
    table.caption = f"SNN / QNN = {float(snn.total / qnn.total):.4f}"
    return table


def _share(energy: Energy, part: str) -> tuple[float | None, str]:
    if part not in energy.part:
        return None, ""
    joules, total = float(energy.part[part]), float(energy.total)
    return joules, f"{100 * joules / total:.1f} %" if total else ""


def _joules(value: float | None) -> str:
    """Return an energy in picojoules, the paper's unit and digits."""
    return "" if value is None else f"{value * 1e12:,.2f}"


def _way(energy: Energy) -> str:
    return "dense" if bool(energy.is_dense) else "sparse"


def published_view(rows: list[Published]) -> Table:
    """Return every published number beside the computed one, their difference, the printed digit
    and the verdict.
    """
    table = Table(title="published numbers of the closed-form model")
    for name in ("what", "published", "computed", "difference", "printed digit", "unit", "verdict"):
        is_number = name in ("published", "computed", "difference", "printed digit")
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        verdict = f"{row.verdict}: {row.reason}" if row.reason else row.verdict
        if row.uses_extrapolated:
            verdict += " (with an extrapolated constant)"
        difference = "" if row.difference is None else f"{row.difference:+.2g}"
        digit = "" if row.difference is None else row.printed_digit
        table.add_row(
            row.what,
            row.printed,
            _computed(row),
            difference,
            digit,
            row.unit,
            verdict,
            style=STYLE[row.verdict],
        )
    return table


def _computed(row: Published) -> str:
    """Return the computed number with two digits more than were printed."""
    if row.computed is None or isinstance(row.computed, str):
        return row.computed or "-"
    digits = len(row.printed.partition(".")[2])
    return f"{row.computed:.{digits + 2}f}"


def summary(rows: list[Published]) -> str:
    """Return one sentence that counts the verdicts."""
    count = {verdict: sum(row.verdict == verdict for row in rows) for verdict in STYLE}
    return (
        f"{count['met']} of {len(rows)} published numbers met to the printed digit, "
        f"{count['beyond its printed digit']} beyond it, {count['not reproducible']} not "
        f"reproducible by formula"
    )


def constants_view(rows: list[Constant]) -> Table:
    """Return the constants with value, band, how each is known and its source."""
    table = Table(title="constants")
    for name in ("symbol", "what", "value", "known", "source"):
        table.add_column(name, justify="right" if name == "value" else "left")
    for row in rows:
        band = "" if row.band == "0 pJ" else f" ± {row.band}"
        table.add_row(row.symbol, row.what, row.written + band, row.known, row.source)
    return table
