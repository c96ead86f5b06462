"""The npz file beside a workload: integer arrays by name, every damage a fault of the line that
names it.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from simulator.describe.documents import Document
from simulator.describe.messages import Key, near_miss, shown_value


class Arrays:
    """The arrays of an npz file by name; faults are noted in the document."""

    def __init__(self, document: Document, name: str) -> None:
        """Read the file `name` beside the document; raises DescriptionError when it is no npz
        file.
        """
        self.document = document
        self.path = document.path.parent / name
        self.content: dict[str, np.ndarray] = {}
        self.damaged: set[str] = set()
        if Path(name).name != name or "\0" in name:
            self._refuse(f"must be the name of a file in the same folder, not {shown_value(name)}")
        if not self.path.is_file():
            self._refuse(f"must be an npz file beside this one; there is no {shown_value(name)}")
        if not zipfile.is_zipfile(self.path):
            self._refuse(f"must be an npz file, and {shown_value(name)} is none")
        try:
            with open(self.path, "rb") as file, np.load(file, allow_pickle=False) as archive:
                for array in archive.files:
                    self._take(archive, array)
        except Exception as error:  # a damaged zip raises a dozen kinds
            self._refuse(
                f"must be a readable npz file; {shown_value(name)} is damaged: {_reason(error)}"
            )

    def _take(self, archive: np.lib.npyio.NpzFile, name: str) -> None:
        try:
            content = archive[name]
        except (
            Exception
        ) as error:  # so do a damaged array, an array of objects and one too large for the memory
            self.damaged.add(name)
            if "pickle" in str(error):
                reason = "it holds Python objects"
            else:
                reason = f"it is damaged: {_reason(error)}"
            self.document.fault(
                ("arrays",),
                f"must hold plain arrays of numbers; {shown_value(name)} cannot be read: {reason}",
            )
            return
        if isinstance(content, np.ndarray):
            self.content[name] = content

    def _refuse(self, message: str) -> None:
        self.document.fault(("arrays",), message)
        self.document.refuse()

    def get(self, key: Key, name: str) -> np.ndarray | None:
        """Return the named integer array, or None after noting what is wrong with it."""
        if name in self.damaged:
            return None
        if name not in self.content:
            file, miss = self.path.name, near_miss(name, self.content)
            self.document.fault(key, f"must name an array of {file}, not {shown_value(name)}{miss}")
            return None
        array = self.content[name]
        if array.dtype.kind not in "iub":
            self.document.fault(
                key, f"must name an array of integers, not {shown_value(name)} of {array.dtype}"
            )
            return None
        if array.dtype == np.uint64 and array.size and int(array.max()) >= 2**63:
            self.document.fault(key, f"must hold integers below 2**63, not {array.max()}")
            return None
        return array


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:80] or type(error).__name__


def extent(array: np.ndarray) -> str:
    """Return the range of an array's values as messages show it."""
    return f"{array.min()}..{array.max()}"


def frozen(array: np.ndarray) -> np.ndarray:
    """Return the array itself, not to be written to any more."""
    array.setflags(write=False)
    return array
