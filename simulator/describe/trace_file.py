"""A trace of packets on disk: a CSV of `cycle,src,dst,size[,class]`, read window by window, every
fault with its line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from simulator.errors import InputError
from simulator.jit import kernel

COLUMNS = ("cycle", "src", "dst", "size", "class")
HEADER = "cycle,src,dst,size[,class]"
#: packets of a window, and bytes read at once: any valid line is shorter
WINDOW = 1 << 16
BLOCK = 1 << 20
#: faults listed; the others are counted
FAULTS_LISTED = 20
#: cycles and sizes beyond these are slips of the pen
MOST_CYCLES, MOST_FLITS = 10**15, 10**6
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")
COMMA, NEWLINE, ZERO, NINE = 44, 10, 48, 57
SHOWN = 40


@kernel
def parse_lines(text, position, n_columns, lowest, highest, rows, n_rows):  # type: ignore[no-untyped-def]
    """Read plain, sound lines into `rows` from n_rows on; return the position of the first line
    that is not, and the rows.

    text: uint8; a line is n_columns numbers of at most 18 digits between commas.  lowest, highest
    (n_columns,) int64: what a column allows; lowest[0] is the cycle before, and is raised.  Stops
    when `rows` is full.
    """
    while position < len(text) and n_rows < len(rows):
        cursor = position
        column = 0
        while column < n_columns:
            number = np.int64(0)
            first = cursor
            while cursor < len(text) and ZERO <= text[cursor] <= NINE and cursor - first < 18:
                number = number * 10 + (np.int64(text[cursor]) - ZERO)
                cursor += 1
            end = NEWLINE if column == n_columns - 1 else COMMA
            if cursor == first or cursor == len(text) or text[cursor] != end:
                return position, n_rows
            if number < lowest[column] or number > highest[column]:
                return position, n_rows
            rows[n_rows, column] = number
            cursor += 1
            column += 1
        lowest[0] = rows[n_rows, 0]
        n_rows += 1
        position = cursor
    return position, n_rows


class TraceFile:
    """The packets of a file for a mesh; `windows` may be asked for as often as the file can be
    read.
    """

    def __init__(self, path: str | Path, width: int, height: int) -> None:
        """Name the file and the mesh; nothing is read yet."""
        self.path, self.width, self.height = Path(path), width, height
        self.n_packets = self.n_flits = 0
        self.last_cycle = 0

    def check(self) -> None:
        """Read the whole file once and raise InputError with its faults; note how many packets it
        has and how long it is.
        """
        self.n_packets = self.n_flits = 0
        for window in self.windows():
            self.n_packets += len(window)
            self.n_flits += int(window[:, 3].sum())

    def windows(self) -> Iterator[np.ndarray]:
        """Yield (n, 5) int64 packets (cycle, source, destination, flits, class).

        Raises InputError with all faults behind the last line; nothing is yielded after the first
        of them.
        """
        with _Lines(self.path) as file:
            yield from _Reader(self, file).windows()


class _Lines:
    """A file that is read, and whose every failure names it."""

    def __init__(self, path: Path) -> None:
        """Open the file; raises InputError."""
        self.path = path
        self.file: BinaryIO = self._tried(lambda: open(path, "rb"))

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def readline(self, most: int = -1) -> bytes:
        """Return a line, or its first `most` bytes; raises InputError."""
        return self._tried(lambda: self.file.readline(most))

    def read(self, most: int = -1) -> bytes:
        """Return at most so many bytes, none at the end; raises InputError."""
        return self._tried(lambda: self.file.read(most))

    def _tried(self, what: Callable[[], Any]) -> Any:
        try:
            return what()
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read: {error.strerror}") from error


class _Reader:
    """One pass through the file."""

    def __init__(self, trace: TraceFile, file: _Lines) -> None:
        """Read the header, which says which columns there are."""
        self.trace, self.file = trace, file
        self.faults: list[str] = []
        self.n_faults = 0
        self.columns = self._header()
        nodes = trace.width * trace.height - 1
        limit = {
            "cycle": (0, MOST_CYCLES),
            "src": (0, nodes),
            "dst": (0, nodes),
            "size": (1, MOST_FLITS),
            "class": (0, 1),
        }
        self.lowest, self.highest = np.array(
            [limit[name] for name in self.columns], np.int64
        ).T.copy()
        self.line = 2

    def _header(self) -> list[str]:
        text = self.file.readline(BLOCK)
        if not text:
            raise InputError(f"{self.trace.path}: is empty: must begin with the header {HEADER}")
        names = [name.strip() for name in text.decode("utf-8-sig", "replace").split(",")]
        missing = [name for name in COLUMNS[:4] if name not in names]
        if names not in (list(COLUMNS[:4]), list(COLUMNS)):
            what = f"column {missing[0]} is missing; " if 0 < len(missing) < 4 else ""
            raise InputError(
                f"{self.trace.path}:1: header: {what}must be {HEADER}, not "
                f"{_shown(','.join(names))}"
            )
        return names

    def windows(self) -> Iterator[np.ndarray]:
        """Yield the packets while there is no fault, then raise with all faults there are."""
        rows, n_rows = np.zeros((WINDOW, len(self.columns)), np.int64), 0
        for text, position in self._blocks():
            while position < len(text):
                before = n_rows
                position, n_rows = parse_lines(
                    text, position, len(self.columns), self.lowest, self.highest, rows, n_rows
                )
                self.line += n_rows - before
                if n_rows < WINDOW and position < len(text):
                    position, numbers = self._odd_line(text, position)
                    if numbers:
                        rows[n_rows] = numbers
                        n_rows += 1
                if n_rows == WINDOW:
                    if not self.n_faults:
                        yield self._packets(rows)
                    n_rows = 0
        if self.n_faults:
            more = self.n_faults - len(self.faults)
            raise InputError(
                "\n".join(self.faults + ([f"{self.trace.path}: and {more:,} more"] if more else []))
            )
        if n_rows:
            yield self._packets(rows[:n_rows])

    def _blocks(self) -> Iterator[tuple[np.ndarray, int]]:
        """Yield whole lines, as bytes and the position to begin at; the last one may lack its
        end.
        """
        rest = b""
        while block := self.file.read(BLOCK):
            end = block.rfind(b"\n") + 1
            if end:
                yield np.frombuffer(rest + block[:end], np.uint8), 0
                rest = b""
            rest += block[end:]
            if len(rest) > BLOCK:
                self._fault("line", f"is longer than {BLOCK:,} bytes: this is no trace")
                return
        if rest:
            yield np.frombuffer(rest + b"\n", np.uint8), 0

    def _packets(self, rows: np.ndarray) -> np.ndarray:
        """Return a copy of the rows as packets, class 0 where the file names none."""
        packets = np.zeros((len(rows), len(COLUMNS)), np.int64)
        packets[:, : len(self.columns)] = rows
        self.trace.last_cycle = int(packets[-1, 0])
        return packets

    def _odd_line(self, text: np.ndarray, position: int) -> tuple[int, list[int]]:
        """Read a line that is not plain; return the position behind it and its numbers, none if it
        is blank or has a fault.
        """
        end = position
        step = 256
        while not (found := np.flatnonzero(text[end : end + step] == NEWLINE)).size:
            end += step
        end += int(found[0])
        line = text[position:end].tobytes().decode("latin-1")
        numbers = self._numbers(line) if line.strip() else []
        self.line += 1
        return end + 1, numbers

    def _numbers(self, line: str) -> list[int]:
        fields = [field.strip() for field in line.split(",")]
        if len(fields) != len(self.columns):
            self._fault(
                "line",
                f"must be {len(self.columns)} numbers ({','.join(self.columns)}), not "
                f"{_shown(line.strip())}",
            )
            return []
        before = self.n_faults
        numbers = []
        for column, (name, field) in enumerate(zip(self.columns, fields)):
            if not _NUMBER.fullmatch(field):
                self._fault(name, f"must be a whole number, not {_shown(field)}")
                continue
            number = int(field)
            numbers.append(number)
            low, high = int(self.lowest[column]), int(self.highest[column])
            if name == "cycle" and 0 <= number < low:
                self._fault(name, f"must not fall: {number} comes after {low}")
            elif name in ("src", "dst") and not low <= number <= high:
                mesh = f"{self.trace.width}x{self.trace.height} mesh"
                self._fault(name, f"must be a node of the {mesh}, 0 to {high}, not {number}")
            elif number < low if name != "cycle" else number < 0:
                self._fault(name, f"must be at least {0 if name == 'cycle' else low}, not {number}")
            elif number > high:
                self._fault(name, f"must be at most {high}, not {number}")
        if self.n_faults > before:
            return []
        self.lowest[0] = numbers[0]
        return numbers

    def _fault(self, what: str, text: str) -> None:
        self.n_faults += 1
        if len(self.faults) < FAULTS_LISTED:
            self.faults.append(f"{self.trace.path}:{self.line}: {what}: {text}")


def _shown(text: str) -> str:
    return ascii(text) if len(text) <= SHOWN else ascii(text[:SHOWN]) + "..."
