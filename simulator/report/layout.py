"""How a table fits a page: nothing is ever cut off.

A table as wide as the page or narrower is drawn as it is.  A wider one gets headings and words over
several lines, then the headings' short forms, then columns closer to each other, and in the end is
cut into parts below each other, each with the columns that name the rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells, set_cell_size

from simulator.report.blocks import Column, Table, plain

#: blanks between columns, and where it is a matter of a few cells
GAP, CLOSE_GAP = 2, 1
#: a row's name longer than this share of the page goes over several lines; names in several
#: columns share the second
NAME_SHARE, NAMES_SHARE = 0.4, 0.6
#: words over several lines are read with ease from this many cells on
COMFORT = 20
_UNIT = (
    r"(?:[fpnµmkMGT]?(?:J|s|W|Hz|m|bit|Wh|V)|uW|uJ|[KMG]iB|%|cycles?|bits?|flits?|VCs?|timesteps?|hours|days|"
    r"points|inferences)"
)
#: blanks at which no line ends: '5 pJ', 'T = 4'
_GLUE = re.compile(rf"(?<=\d) (?={_UNIT}(?![A-Za-z]))|(?<=\w) (?==)|(?<==) (?=\S)")
#: stands between a number and its unit while lines are broken; never in a text: it is not printable
_BLANK = "\x00"


def wrapped(text: str, width: int) -> list[str]:
    """Return a text in lines of at most `width` cells; a number keeps its unit, only a word that is
    longer than the line is broken, and all lines are indented like the first.
    """
    if cell_len(text) <= width:
        return [text]
    indent = min(len(text) - len(text.lstrip(" ")), width // 4)
    lines, room = [""], width - indent
    for word in _GLUE.sub(_BLANK, text.strip(" ")).split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if _length(longer) <= room:
            lines[-1] = longer
            continue
        pieces = [word] if _length(word) <= room else _pieces(word, room)
        lines = (lines if lines[-1] else lines[:-1]) + pieces
    return [" " * indent + line.replace(_BLANK, " ").rstrip() for line in lines]


def _pieces(word: str, width: int) -> list[str]:
    """Return a word that is longer than a line in pieces, between number and unit where there is
    one.
    """
    return [
        piece
        for part in word.split(_BLANK)
        for piece in (chop_cells(part, width) if cell_len(part) > width else [part])
    ]


def _length(text: str) -> int:
    return cell_len(text.replace(_BLANK, " "))


def longest_word(text: str) -> int:
    """Return the cells of the widest piece of a text that is not to be broken."""
    return max(_length(word) for word in _GLUE.sub(_BLANK, text).split(" "))


@dataclass(frozen=True)
class Part:
    """A part of a table as wide as the page: the columns' numbers, their widths, and their
    headings.
    """

    columns: tuple[int, ...]
    widths: tuple[int, ...]
    headings: tuple[str, ...]
    gap: int = GAP


def parts(table: Table, width: int) -> list[Part]:
    """Return the parts a table is drawn in on a page of `width` cells, one where it fits."""
    everything = tuple(range(len(table.columns)))
    measures = [_measure(table, width, is_short) for is_short in (False, True)]
    for measure, gap in ((measures[0], GAP), (measures[1], GAP), (measures[1], CLOSE_GAP)):
        if _sum([each.least for each in measure], gap) <= width:
            return [_part(table, everything, measure, width, gap)]
    measure, keys = measures[0], everything[: table.keys]
    groups: list[list[int]] = [[]]
    for number in everything[table.keys :]:
        tried = (*keys, *groups[-1], number)
        if groups[-1] and _sum([measure[each].least for each in tried], GAP) > width:
            groups.append([])
        groups[-1].append(number)
    says = [any(column) for column in zip(*table.cells())]
    return [
        _part(table, (*keys, *group), measure, width, GAP)
        for number, group in enumerate(groups)
        if not number or any(says[column] for column in group)
    ]


def _sum(widths: Sequence[int], gap: int) -> int:
    return sum(widths) + gap * (len(widths) - 1)


@dataclass(frozen=True)
class Measure:
    """What a column needs: its heading, the cells it must have, and those it would like."""

    heading: str
    least: int
    natural: int


def _measure(table: Table, width: int, is_short: bool) -> list[Measure]:
    """Return what each column needs on a page of `width` cells."""
    rows = [[plain(cell) for cell in row] for row in table.cells()]
    share = NAME_SHARE if table.keys == 1 else NAMES_SHARE / table.keys
    most, room = max(int(width * share), 8), width
    found: list[Measure] = []
    for number, column in enumerate(table.columns):
        heading = plain(column.title(is_short))
        cells = [row[number] for row in rows]
        natural = max([cell_len(cell) for cell in cells] + [cell_len(heading)])
        if column.wraps:
            least = max([COMFORT] + [longest_word(cell) for cell in (*cells, heading)])
        else:
            least = max([cell_len(cell) for cell in cells] + [longest_word(heading)])
        # a row's name may be broken where numbers may not
        limit = most if number < table.keys else room
        if column.wraps:
            limit = min(limit, max(int(width * NAME_SHARE), COMFORT))
        found.append(Measure(heading, min(least, limit, natural), natural))
        if number < table.keys:
            room -= found[-1].least + GAP
    return found


def _part(
    table: Table, columns: tuple[int, ...], measure: list[Measure], width: int, gap: int
) -> Part:
    """Return a part with what is left of the page given to the columns that want it, evenly."""
    widths = {number: measure[number].least for number in columns}
    left = width - _sum(list(widths.values()), gap)
    wanting = [number for number in columns if widths[number] < measure[number].natural]
    while left > 0 and wanting:
        for number in wanting[:left]:
            widths[number] += 1
            left -= 1
        wanting = [number for number in wanting if widths[number] < measure[number].natural]
    rows = table.cells()
    headings = {number: measure[number].heading for number in columns}
    used = tuple(
        max(
            cell_len(line)
            for cell in (headings[number], *(plain(row[number]) for row in rows))
            for line in wrapped(cell, most)
        )
        for number, most in widths.items()
    )
    return Part(columns, used, tuple(headings.values()), gap)


def drawn(table: Table, part: Part) -> list[tuple[int | None, str]]:
    """Return the lines of a part, each with the number of its row, None for the headings."""
    columns = [table.columns[number] for number in part.columns]
    lines: list[tuple[int | None, str]] = []
    if any(part.headings):
        heads = [wrapped(heading, width) for heading, width in zip(part.headings, part.widths)]
        tallest = max(map(len, heads))
        below = [[""] * (tallest - len(head)) + head for head in heads]
        lines += [(None, _line(columns, part, row)) for row in zip(*below)]
    for number, row in enumerate(table.cells()):
        own = part.columns[table.keys :]
        # below the first part, a row that says nothing is left out
        if table.keys not in own and own and not any(row[k] for k in own):
            continue
        folded = [wrapped(plain(row[k]), width) for k, width in zip(part.columns, part.widths)]
        tallest = max(map(len, folded))
        above = [cell + [""] * (tallest - len(cell)) for cell in folded]
        lines += [(number, _line(columns, part, pieces)) for pieces in zip(*above)]
    return lines


def _line(columns: list[Column], part: Part, pieces: Sequence[str]) -> str:
    cells = (
        set_cell_size(piece, width)
        if column.align == "left"
        else " " * (width - cell_len(piece)) + piece
        for column, piece, width in zip(columns, pieces, part.widths)
    )
    return (" " * part.gap).join(cells).rstrip()
