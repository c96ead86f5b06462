"""What a report is made of: titles, paragraphs, tables, facts and verdicts, before anybody decides
how they look.

A view of `report/` returns blocks; `terminal.py` and `html.py` render them.  All text in a block is
shown letter by letter: names that users chose are never read as markup.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Tone = Literal["", "total", "good", "warning", "bad", "faint"]


@dataclass(frozen=True)
class Title:
    """What the report is about, and a line of detail behind it."""

    text: str
    detail: str = ""


@dataclass(frozen=True)
class Paragraph:
    """Whole sentences, after a lead of a word or two if there is one."""

    text: str
    lead: str = ""
    tone: Tone = ""


@dataclass(frozen=True)
class Verdict:
    """The answer of the study in whole sentences."""

    text: str
    lead: str = "Verdict"


def _written(value: Any) -> str:
    return "" if value is None else str(value)


@dataclass(frozen=True)
class Column:
    """One column of a table: its heading, the unit of its numbers, how they are aligned and
    written.

    short: a heading for narrow pages.  wraps: whether the cells are words that may go over several
    lines; numbers and what else is not to be torn apart do not.
    """

    heading: str
    unit: str = ""
    align: Literal["left", "right"] = "right"
    form: Callable[[Any], str] = _written
    short: str = ""
    wraps: bool = False

    def title(self, is_short: bool = False) -> str:
        """Return the heading with its unit."""
        name = self.short if is_short and self.short else self.heading
        return f"{name} ({self.unit})" if self.unit else name


def words(heading: str, *, wraps: bool = False) -> Column:
    """Return a column of words, on the left."""
    return Column(heading, align="left", wraps=wraps)


@dataclass(frozen=True)
class Table:
    """Rows of values under typed columns.

    tones: one for each row, or none at all.  keys: how many columns at the left name a row; a table
    that is wider than its page is cut into parts, and each part has them.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    title: str = ""
    tones: tuple[Tone, ...] = ()
    keys: int = 1

    def __post_init__(self) -> None:
        """Refuse a row or tones that do not fit the columns: a mistake in a view."""
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"{self.title or 'table'}: a row must have a value for each column")
        if self.tones and len(self.tones) != len(self.rows):
            raise ValueError(f"{self.title or 'table'}: there must be a tone for each row")

    def tone(self, row: int) -> Tone:
        """Return the tone of a row."""
        return self.tones[row] if self.tones else ""

    def cells(self) -> list[list[str]]:
        """Return the rows as text."""
        return [
            [column.form(value) for column, value in zip(self.columns, row)] for row in self.rows
        ]


@dataclass(frozen=True)
class Facts:
    """Names and what is known of each."""

    rows: tuple[tuple[str, str], ...]
    title: str = ""


Block = Title | Paragraph | Verdict | Table | Facts


def table(
    columns: Sequence[Column | str],
    rows: Sequence[Sequence[Any]],
    title: str = "",
    *,
    tones: Sequence[Tone] = (),
    keys: int = 1,
) -> Table:
    """Return a table; a bare text is the first column's heading in words, and any other's in
    numbers.
    """
    typed = (
        column if isinstance(column, Column) else words(column) if number == 0 else Column(column)
        for number, column in enumerate(columns)
    )
    return Table(tuple(typed), tuple(tuple(row) for row in rows), title, tuple(tones), keys)


def with_total(
    columns: Sequence[Column | str], rows: Sequence[Sequence[Any]], title: str, *, keys: int = 1
) -> Table:
    """Return a table whose last row is the sum of those above it."""
    tones: list[Tone] = [""] * len(rows)
    tones[-1] = "total"
    return table(columns, rows, title, tones=tones, keys=keys)


def plain(text: str) -> str:
    """Return a text without letters that move a cursor, ring a bell or turn the line around: those
    are written as escapes.
    """
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def texts(block: Block) -> Iterator[str]:
    """Yield everything a block says, in its order, as it will be read."""
    if isinstance(block, Title):
        yield from (block.text, block.detail)
    elif isinstance(block, (Paragraph, Verdict)):
        yield from (block.lead, block.text)
    elif isinstance(block, Facts):
        yield block.title
        for row in block.rows:
            yield from row
    else:
        yield block.title
        yield from (column.title() for column in block.columns)
        for cells in block.cells():
            yield from cells
