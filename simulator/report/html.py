"""Reports as HTML: the same blocks as elements, without a style of their own."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from simulator.report.blocks import Block, Facts, Paragraph, Table, Title, Verdict, plain


def html(blocks: Iterable[Block]) -> str:
    """Return the blocks as HTML to be put into a page's body; every text is escaped."""
    return "\n".join(_element(block) for block in blocks) + "\n"


def _element(block: Block) -> str:
    if isinstance(block, Title):
        detail = f"\n<p>{_safe(block.detail)}</p>" if block.detail else ""
        return f"<h1>{_safe(block.text)}</h1>{detail}"
    if isinstance(block, Paragraph):
        return f"<p{_class(block.tone)}>{_lead(block.lead)}{_safe(block.text)}</p>"
    if isinstance(block, Verdict):
        return f'<p class="verdict">{_lead(block.lead)}{_safe(block.text)}</p>'
    if isinstance(block, Facts):
        rows = "\n".join(
            f"<dt>{_safe(name)}</dt><dd>{_safe(value)}</dd>" for name, value in block.rows
        )
        return f"{_heading(block.title)}<dl>\n{rows}\n</dl>"
    return _heading(block.title) + _table(block)


def _safe(text: str) -> str:
    return escape(plain(text))


def _lead(text: str) -> str:
    return f"<strong>{_safe(text)}</strong> " if text else ""


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""


def _heading(title: str) -> str:
    return f"<h2>{_safe(title)}</h2>\n" if title else ""


def _table(table: Table) -> str:
    kinds = [_class("number" if column.align == "right" else "") for column in table.columns]

    def row(element: str, cells: Iterable[str], tone: str = "") -> str:
        inner = (f"<{element}{kind}>{_safe(cell)}</{element}>" for kind, cell in zip(kinds, cells))
        return f"<tr{_class(tone)}>{''.join(inner)}</tr>"

    head = row("th", (column.title() for column in table.columns))
    body = "\n".join(row("td", cells, table.tone(n)) for n, cells in enumerate(table.cells()))
    return f"<table>\n<thead>{head}</thead>\n<tbody>\n{body}\n</tbody>\n</table>"
