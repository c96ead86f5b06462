"""What a comparison shows: what was asked differently, and what came out differently."""

from __future__ import annotations

from typing import Any

from simulator.report.blocks import Block, Column, Paragraph, Title, Verdict, table, words
from simulator.study.compare import Comparison, Difference
from simulator.study.table import shown, unit_of

#: differences shown; the JSON has them all
MOST = 20


def compare_view(found: Comparison) -> list[Block]:
    """Return the comparison for a terminal."""
    blocks: list[Block] = [Title(f"{found.a} against {found.b}")]
    for title, rows in (("What was asked", found.inputs), ("What came out", found.outputs)):
        if rows:
            blocks.append(_table(title, rows[:MOST]))
        if len(rows) > MOST:
            blocks.append(Paragraph(f"and {len(rows) - MOST} more, which --json has", tone="faint"))
    blocks.append(Verdict(found.sentence(), "Difference"))
    return blocks


def _table(title: str, rows: tuple[Difference, ...]) -> Any:
    def cell(name: str, value: Any) -> str:
        if value is None:
            return "-"
        if isinstance(value, (list, tuple)):
            return ", ".join(map(str, value)) or "none"
        text = (
            shown(name, value) if unit_of(name) or not isinstance(value, float) else f"{value:.6g}"
        )
        return text if len(text) <= 40 else f"{text[:16]}..."

    return table(
        [words("name", wraps=True), Column("A"), Column("B"), Column("B / A")],
        [
            (
                each.name,
                cell(each.name, each.a),
                cell(each.name, each.b),
                "" if each.ratio is None else f"{each.ratio:.4g}",
            )
            for each in rows
        ],
        title,
    )
