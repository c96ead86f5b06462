"""Reports on a terminal, or in a file that its output is sent to."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.text import Text

from simulator.report.blocks import (
    Block,
    Facts,
    Paragraph,
    Table,
    Title,
    Tone,
    Verdict,
    plain,
    words,
)
from simulator.report.blocks import table as table_of
from simulator.report.layout import drawn, parts, wrapped

#: columns of a page where there is no terminal, and the fewest a page has
DOCUMENT, NARROWEST = 140, 40
STYLE: dict[Tone, str] = {
    "": "",
    "total": "bold",
    "good": "green",
    "warning": "yellow",
    "bad": "bold red",
    "faint": "dim",
}


def show(blocks: Iterable[Block]) -> None:
    """Print a report on stdout, as wide as the terminal, or as COLUMNS says, or DOCUMENT columns
    wide where there is neither.
    """
    console = Console(highlight=False, markup=False, emoji=False)
    for line in lines(list(blocks), page_width(console)):
        console.print(line, soft_wrap=True)


def page_width(console: Console) -> int:
    """Return the columns of a page."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and 0 < len(asked) < 5 and int(asked):
        return max(int(asked), NARROWEST)
    return max(console.width, NARROWEST) if console.is_terminal else DOCUMENT


def text(blocks: Sequence[Block], width: int = DOCUMENT) -> str:
    """Return a report as plain text, its lines at most `width` cells long."""
    return "".join(f"{line.plain}\n" for line in lines(blocks, width))


def lines(blocks: Sequence[Block], width: int) -> Iterator[Text]:
    """Yield the lines of a report, at most `width` cells long."""
    before: Block | None = None
    for block in blocks:
        if before is not None and _is_apart(before, block):
            yield Text()
        yield from _rendered(block, width)
        before = block


def _is_apart(before: Block, block: Block) -> bool:
    """Return whether a blank line stands between two blocks."""
    if isinstance(before, Title):
        return isinstance(block, (Table, Facts)) and bool(block.title)
    return not (isinstance(before, Paragraph) and isinstance(block, Paragraph))


def _rendered(block: Block, width: int) -> Iterator[Text]:
    if isinstance(block, Title):
        yield from _prose(block.text, block.detail, "", width)
    elif isinstance(block, Paragraph):
        yield from _prose(block.lead, block.text, STYLE[block.tone], width)
    elif isinstance(block, Verdict):
        yield from _prose(block.lead, block.text, "", width)
    else:
        if block.title:
            yield from _prose(block.title, "", "", width)
        yield from _table(block if isinstance(block, Table) else _facts(block), width)


def _prose(lead: str, rest: str, style: str, width: int) -> Iterator[Text]:
    """Yield lines that begin with a bold lead."""
    bold = plain(lead)
    first = bold + "  " if bold and rest else bold
    room = len(bold)
    for line in wrapped(first + plain(rest), width):
        shown = Text(line, style)
        shown.stylize("bold", 0, min(room, len(line)))
        room = max(room - len(line) - 1, 0)
        yield shown


def _facts(facts: Facts) -> Table:
    return table_of([words("", wraps=True), words("", wraps=True)], facts.rows)


def _table(table: Table, width: int) -> Iterator[Text]:
    for number, part in enumerate(parts(table, width)):
        if number:
            yield Text()
        for row, line in drawn(table, part):
            yield Text(line, "bold" if row is None else STYLE[table.tone(row)])
