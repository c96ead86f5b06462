"""Parts of a chip priced by the tables: a memory, a router, a queue, a link.

A part never lies beyond its table: a size outside is taken at the table's end, and a `Note` says
so.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from simulator.describe.components.tables import Reading, Table, table
from simulator.errors import InputError

#: called with (what, the value asked for, the value priced instead)
Note = Callable[[str, float, float], None]
#: a memory wider than this is several side by side, and so is a router, a queue or a link
WIDEST_WORD, WIDEST_FLIT = 256, 128
#: an axis as people say it
SAID = {
    "size_bytes": "bytes of a memory",
    "word_bits": "bits of a memory's word",
    "width_bits": "bits of a flit",
    "ports": "ports of a router",
    "virtual_channels": "VCs of a router",
    "buffers_per_vc": "flits of a VC",
    "entries": "entries of a queue",
    "length_mm": "mm of a link",
}
#: repeaters of links are sized for this delay, in ns
DELAY_TARGET = "1.0"


class NoNode(InputError):
    """A technology node that a table has no rows for."""


def node_of(name: str, node: float) -> str:
    """Return a table's label of a technology node; raises InputError where it has none."""
    known = table(name).nodes()
    for label in known:
        if float(label) == node:
            return label
    raise NoNode(f"must be {', '.join(known)} nm for the {name} table, not {node:g} nm")


def held(
    found: Table, labels: tuple[str, ...], place: list[float], note: Note
) -> tuple[float, ...]:
    """Return a place with every axis moved to the end of the table it lies beyond."""
    moved = []
    for axis, values, at in zip(found.rule.axes, found.values[labels], place):
        inside = min(max(at, values[0]), values[-1])
        if inside != at:
            note(SAID[axis], at, inside)
        moved.append(inside)
    return tuple(moved)


@dataclass(frozen=True)
class Memory:
    """A memory of `banks` equal RAMs of one port."""

    node: float
    cell: str  # lstp, lop, hp
    bits: int  # of all banks
    word: int
    banks: int = 1

    def _place(self, note: Note) -> tuple[tuple[str, str], tuple[float, ...], int]:
        found = table("sram")
        labels = (node_of("sram", self.node), f"itrs-{self.cell}")
        if labels not in found.rows:
            raise InputError(f"must be a cell of the sram table at {self.node:g} nm")
        parts = math.ceil(self.word / WIDEST_WORD)
        asked = self.bits / 8 / self.banks / parts
        least, most = found.values[labels][0][0], found.values[labels][0][-1]
        inside, word = held(found, labels, [min(max(asked, least), most), self.word / parts], note)
        while not found.has(labels, (inside, word)):  # too few rows for so wide a word
            inside = next(at for at in found.values[labels][0] if at > inside)
        if inside != asked:
            note(SAID["size_bytes"], asked, inside)
        return labels, (inside, word), parts

    def read(self, column: str, note: Note) -> Reading:
        """Return a column for one access of one bank, or for one bank: energies, leakage, area."""
        labels, place, parts = self._place(note)
        return table("sram").read(labels, place, column).times(parts)

    def whole(self, column: str, note: Note) -> Reading:
        """Return leakage or area of all banks."""
        return self.read(column, note).times(self.banks)

    def access(self, note: Note) -> float:
        """Return the access time in ns: never less than that of a smaller memory."""
        labels, (size, word), _ = self._place(note)
        found = table("sram")
        smaller = [
            at for at in found.values[labels][0] if at <= size and found.has(labels, (at, word))
        ]
        return max(found.read(labels, (at, word), "access_ns").value for at in (*smaller, size))

    @property
    def voltage(self) -> float:
        """The supply the table holds for."""
        return table("sram").voltage((node_of("sram", self.node), f"itrs-{self.cell}"))


@dataclass(frozen=True)
class Router:
    """An input-queued router."""

    node: float
    width: int
    ports: int
    channels: int
    depth: int

    def read(self, column: str, note: Note) -> Reading:
        """Return a column; buffers are read by their slots, the channels' flits together."""
        slices = math.ceil(self.width / WIDEST_FLIT)
        read = self._slice(column, self.width / slices, note)
        is_once = column in ("switch_allocation_pJ", "critical_path_ns")
        return read if is_once else read.times(slices)

    def _slice(self, column: str, bits: float, note: Note) -> Reading:
        """Return a column of a router of so many bits."""
        found, labels = table("router"), (node_of("router", self.node),)
        width, ports, channels, depth = held(
            found, labels, [bits, self.ports, self.channels, self.depth], note
        )
        if not column.startswith("buffer_"):
            return found.read(labels, (width, ports, channels, depth), column)
        slots = channels * depth
        low = 2 ** math.floor(math.log2(slots))
        below = found.read(labels, (width, ports, *_arranged(low)), column)
        if slots == low:
            return below
        above = found.read(labels, (width, ports, *_arranged(2 * low)), column)
        queue, part = table("fifo"), column.removeprefix("buffer_")
        line = _between(
            queue.read(labels, (low, width), part).value,
            queue.read(labels, (2 * low, width), part).value,
            slots / low,
        )
        step = queue.read(labels, (slots, width), part).value / line
        error = found.rule.columns[column].left_out["virtual_channels"]
        return Reading(
            _between(below.value, above.value, slots / low) * step,
            (1 + error) * (1 + max(below.error, above.error)) - 1,
        )

    @property
    def voltage(self) -> float:
        """The supply the table holds for."""
        return table("router").voltage((node_of("router", self.node),))


def _arranged(slots: int) -> tuple[float, float]:
    """Return channels and depth of the table with so many slots, a power of two."""
    return (1.0, float(slots)) if slots <= 16 else (slots / 16, 16.0)


def _between(low: float, high: float, ratio: float) -> float:
    return float(low * (high / low) ** math.log2(ratio))


@dataclass(frozen=True)
class Queue:
    """A queue of flip-flops."""

    node: float
    entries: int
    width: int

    def read(self, column: str, note: Note) -> Reading:
        """Return a column of the queue."""
        found, labels = table("fifo"), (node_of("fifo", self.node),)
        slices = math.ceil(self.width / WIDEST_FLIT)
        place = held(found, labels, [self.entries, self.width / slices], note)
        return found.read(labels, place, column).times(slices)

    @property
    def voltage(self) -> float:
        """The supply the table holds for."""
        return table("fifo").voltage((node_of("fifo", self.node),))


@dataclass(frozen=True)
class Wire:
    """A link over a length in metres."""

    node: float
    width: int
    length: float

    def read(self, column: str, note: Note) -> Reading:
        """Return a column; repeaters come in steps, so that their area is that of the next longer
        row.
        """
        found, labels = table("link"), (node_of("link", self.node), DELAY_TARGET)
        slices = math.ceil(self.width / WIDEST_FLIT)
        width, length = held(found, labels, [self.width / slices, self.length * 1e3], note)
        if column == "area_active_mm2":
            length = next(at for at in found.values[labels][1] if at >= length)
        return found.read(labels, (width, length), column).times(slices)

    @property
    def voltage(self) -> float:
        """The supply the table holds for."""
        return table("link").voltage((node_of("link", self.node), DELAY_TARGET))
