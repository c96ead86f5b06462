"""Arrays in temporary files: tables with a row per step of a run, which grow with the run's length.

A file has no name, so nothing is left of it however the process ends.  It lies where `tempfile`
puts it: in the folder TMPDIR names, else in /tmp.  Its arrays are mapped into memory and read as
any others; what was read of them stays in memory until `give_back` is called, or until the system
needs the room.
"""

from __future__ import annotations

import errno
import math
import mmap
import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property

import numpy as np
import numpy.typing as npt

from simulator import memory
from simulator.errors import InputError

#: bytes of arrays that are held in memory, without a file
MOST_IN_MEMORY = 1 << 20
#: what a file system answers that cannot reserve room
_CANNOT_RESERVE = (errno.EINVAL, errno.EOPNOTSUPP)
Shape = tuple[int, ...]


class Scratch:
    """Arrays that are written part by part, in any order, and read when they are done."""

    def __init__(self, arrays: Mapping[str, tuple[npt.DTypeLike, Shape]]) -> None:
        """Take the room of arrays of these types and shapes, all zero; raises InputError where the
        folder of temporary files has less.
        """
        self.shape = {name: (np.dtype(kind), shape) for name, (kind, shape) in arrays.items()}
        self.offset: dict[str, int] = {}
        at = 0
        for name, (dtype, shape) in self.shape.items():
            self.offset[name] = at
            at += -(-dtype.itemsize * math.prod(shape) // mmap.PAGESIZE) * mmap.PAGESIZE
        self.size = max(at, 1)
        self._held = bytearray(self.size if self.size <= MOST_IN_MEMORY else 0)
        if not self._held:
            with self._refusing():
                self._file = tempfile.TemporaryFile()
                self._close = weakref.finalize(self, self._file.close)
                self._reserve()

    def _reserve(self) -> None:
        """Let the file have its size, on the disk too where the file system can."""
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(self._file.fileno(), 0, self.size)
                return
        except OSError as error:
            if error.errno not in _CANNOT_RESERVE:
                raise
        self._file.truncate(self.size)

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Turn what the system refuses into a line that says what is needed."""
        try:
            yield
        except OSError as error:
            raise InputError(
                f"temporary files: must be in a folder that has room for "
                f"{memory.shown(self.size)}, not in {tempfile.tempdir or 'any that was tried'}: "
                f"{error.strerror}; TMPDIR names another folder"
            ) from error

    def put(self, name: str, first: int, values: np.ndarray) -> None:
        """Write values, in C order, from the entry with the number `first` of an array on."""
        dtype, shape = self.shape[name]
        if first + values.size > math.prod(shape):
            raise ValueError(f"{name}: {first} + {values.size} entries are more than {shape}")
        data = np.ascontiguousarray(values, dtype).reshape(-1).view(np.uint8).data
        place = self.offset[name] + first * dtype.itemsize
        if self._held:
            self._held[place : place + len(data)] = data
            return
        with self._refusing():
            while data:
                written = os.pwrite(self._file.fileno(), data, place)
                data, place = data[written:], place + written

    @cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays, which nobody writes to from now on."""
        held: bytearray | mmap.mmap = self._held
        if not self._held:
            with self._refusing():
                held = mmap.mmap(self._file.fileno(), self.size, access=mmap.ACCESS_READ)
            self._close()  # the mapping keeps what it maps
        found = {}
        for name, (dtype, shape) in self.shape.items():
            flat = np.frombuffer(held, dtype, math.prod(shape), self.offset[name])
            flat.setflags(write=False)
            found[name] = flat.reshape(shape)
        return found


def filled(shape: tuple[int, int], blocks: Iterable[tuple[int, np.ndarray]]) -> np.ndarray:
    """Return an array of float64 made of blocks of its columns, each with the number of its first
    column.
    """
    scratch = Scratch({"filled": (np.float64, shape)})
    for first, block in blocks:
        for row, values in enumerate(block):
            scratch.put("filled", row * shape[1] + first, values)
    return scratch.arrays["filled"]


def give_back(*arrays: np.ndarray) -> None:
    """Let go of the memory that reading arrays of a temporary file took; others are left alone."""
    for array in arrays:
        base: object = array
        while isinstance(base, np.ndarray):
            base = base.base
        if isinstance(base, memoryview):
            base = base.obj
        if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            base.madvise(mmap.MADV_DONTNEED)
