"""The npz file beside a workload: integer arrays by name, every damage a fault of the line that
names it.
"""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import IO

import numpy as np

from simulator import memory
from simulator.describe.documents import Document
from simulator.describe.drawn import DrawnArray
from simulator.describe.messages import Key, near_miss, shown_value


class Arrays:
    """The arrays of an npz file by name; faults are noted in the document.

    Only what a document names is ever unpacked, after its header has said how large it is: 3 MB of
    zeros on disk can be 3 GB in memory.
    """

    def __init__(
        self, document: Document, name: str | None, drawn: dict[str, DrawnArray] | None = None
    ) -> None:
        """Look into the file `name` beside the document, and at the arrays it draws instead; raises
        DescriptionError when it is no npz file.
        """
        self.document = document
        self.content: dict[str, np.ndarray | None] = {}
        self.members: set[str] = set()
        self.drawn = {} if drawn is None else drawn
        for array, one in self.drawn.items():
            if message := one.fault():
                document.fault(("drawn", array), message)
        self.path = document.path
        if name is None:
            if not self.drawn:
                document.fault((), "missing key: arrays, the npz file, or drawn, its arrays")
                document.refuse()
            return
        self.path = document.path.parent / name
        if Path(name).name != name or "\0" in name:
            self._refuse(f"must be the name of a file in the same folder, not {shown_value(name)}")
        try:
            if not self.path.is_file():
                self._refuse(
                    f"must be an npz file beside this one; there is no {shown_value(name)}"
                )
            with open(self.path, "rb") as file:
                if not zipfile.is_zipfile(file):
                    self._refuse(f"must be an npz file, and {shown_value(name)} is none")
                with zipfile.ZipFile(file) as archive:
                    self.members = {
                        member.removesuffix(".npy")
                        for member in archive.namelist()
                        if member.endswith(".npy")
                    }
        except OSError as error:
            self._refuse(f"must be readable, and {shown_value(name)} is not: {error.strerror}")
        except (zipfile.BadZipFile, ValueError, EOFError, RuntimeError) as error:
            self._refuse(
                f"must be a readable npz file; {shown_value(name)} is damaged: {_reason(error)}"
            )

    def _read(self, name: str) -> np.ndarray | None:
        """Return one array, or None after noting why it cannot be read or is too large."""
        try:
            with open(self.path, "rb") as file, zipfile.ZipFile(file) as archive:
                with archive.open(f"{name}.npy") as member:
                    shape, dtype = _header(member)
                    size = math.prod(shape) * dtype.itemsize
                    words = " x ".join(map(str, shape)) or "1"
                    memory.need(f"array {shown_value(name)} of {words} {dtype}", size)
                with archive.open(f"{name}.npy") as member:
                    return np.lib.format.read_array(member, allow_pickle=False)
        except memory.MemoryLimitError as error:
            self._note(f"must hold arrays that fit in memory: {str(error).split(': ', 1)[1]}")
        except (
            Exception
        ) as error:  # a damaged member raises a dozen kinds, an array of objects another
            if "pickle" in str(error):
                reason = "it holds Python objects"
            else:
                reason = f"it is damaged: {_reason(error)}"
            self._note(
                f"must hold plain arrays of numbers; {shown_value(name)} cannot be read: {reason}"
            )
        return None

    def _note(self, message: str) -> None:
        self.document.fault(("arrays",), message)

    def _refuse(self, message: str) -> None:
        self.document.fault(("arrays",), message)
        self.document.refuse()

    def get(self, key: Key, name: str) -> np.ndarray | None:
        """Return the named integer array, or None after noting what is wrong with it."""
        if name in self.drawn and name not in self.content:
            self.content[name] = self.drawn[name].array(name)
        if name not in self.members and name not in self.drawn:
            file, miss = self.path.name, near_miss(name, self.members | set(self.drawn))
            self.document.fault(key, f"must name an array of {file}, not {shown_value(name)}{miss}")
            return None
        if name not in self.content:
            self.content[name] = self._read(name)
        array = self.content[name]
        if array is None:
            return None
        if array.dtype.kind not in "iub":
            self.document.fault(
                key, f"must name an array of integers, not {shown_value(name)} of {array.dtype}"
            )
            return None
        if array.dtype == np.uint64 and array.size and int(array.max()) >= 2**63:
            self.document.fault(key, f"must hold integers below 2**63, not {array.max()}")
            return None
        return array


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Return shape and type of the array a file begins with, without reading it."""
    version = np.lib.format.read_magic(member)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read is None:
        raise ValueError(f"its format {version} is unknown")
    shape, _, dtype = read(member)
    return shape, dtype


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:80] or type(error).__name__


def extent(array: np.ndarray) -> str:
    """Return the range of an array's values as messages show it."""
    return f"{array.min()}..{array.max()}"


def frozen(array: np.ndarray) -> np.ndarray:
    """Return the array itself, not to be written to any more."""
    array.setflags(write=False)
    return array
