"""Files of recordings as arrays and lists of events; every size is checked before it is made."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from simulator import memory
from simulator.describe.messages import shown_value
from simulator.errors import InputError, SpikemeshError

LABELS = ("labels", "label", "targets", "target", "y_true")
#: rows of a CSV, and bytes of it
MOST_ROWS = 20_000_000
_TIMES = ("t", "time", "timestamp", "timestamps", "ts", "t_us", "t_s", "step", "timestep")
_NAMES = {
    "neuron": ("neuron", "neurons", "idx", "index", "address", "addr", "unit"),
    "x": ("x",),
    "y": ("y",),
    "p": ("p", "pol", "polarity"),
    "inference": ("inference", "sample", "trial"),
    "value": ("value", "count"),
}
MICROSECOND = 1e-6


@dataclass(frozen=True, eq=False)
class Listed:
    """Events one by one: time in `unit` seconds (0: in timesteps), whose, in which inference."""

    time: np.ndarray
    unit: float
    unit_from: str
    neuron: np.ndarray | None
    x: np.ndarray | None
    y: np.ndarray | None
    p: np.ndarray | None
    inference: np.ndarray
    value: np.ndarray
    ends: bool = False  # times are those of the end of a timestep, not in it
    lasts: float = 0.0  # seconds that were recorded, where that is known

    def lines(self, shape: tuple[int, ...], where: str) -> np.ndarray:
        """Return the line of each event; pixels are p · H · W + y · W + x."""
        if self.neuron is not None:
            return self.neuron
        if self.x is None:
            raise InputError(f"{where}: must have neurons, or x and y, beside the times of events")
        *channels, high, wide = (
            (1, *shape) if len(shape) == 2 else shape if len(shape) > 2 else (1, 1, *shape)
        )
        y = np.zeros_like(self.x) if self.y is None else self.y
        p = np.zeros_like(self.x) if self.p is None or channels == [1] else self.p
        for key, values, most in (("x", self.x, wide), ("y", y, high), ("p", p, prod(channels))):
            if len(values) and not (values.min() >= 0 and values.max() < most):
                raise InputError(
                    f"{where}: {key}: must lie within 0..{most - 1}, not "
                    f"{values.min()}..{values.max()}"
                )
        return (p * high + y) * wide + self.x

    def steps(self, dt: float | None, where: str) -> tuple[np.ndarray, str]:
        """Return the timestep of each event, and how it was told."""
        if not self.unit:
            return self.time.astype(np.int64), self.unit_from
        if dt is None:
            raise InputError(f"dt: must be given in seconds to bin the events of {where}")
        # an event on the edge of two timesteps belongs to the later one, whatever the rounding
        at = self.time * (self.unit / dt)
        step = np.ceil(at - 1e-6) - 1 if self.ends else np.floor(at + 1e-6)
        if len(step) and abs(step).max() > 2**40:
            raise InputError(f"{where}: must have times below {2**40} timesteps of {dt:g} s")
        return step.astype(np.int64), f"{self.unit_from}, binned by dt = {dt:g} s"


@dataclass(eq=False)
class Found:
    """Arrays and lists of events by name; is_table: rows of numbers, one a timestep."""

    arrays: dict[str, np.ndarray | Listed] = field(default_factory=dict)
    labels: np.ndarray | None = None
    is_table: bool = False


Reader = Callable[[Path], Found]


def read(path: Path, others: dict[str, Reader]) -> Found:
    """Return what a file holds, told by its suffix; others: readers of other suffixes than npz,
    npy and csv.  Raises InputError.
    """
    readers: dict[str, Reader] = {".npz": _npz, ".npy": _npy, ".csv": _csv, **others}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"{path}: must end in {', '.join(readers)}, not {shown_value(path.suffix)}"
        )
    try:
        if not path.is_file():
            raise InputError(f"{path}: must be a file; there is none")
        found = reader(path)
    except SpikemeshError:
        raise
    except Exception as error:  # damage raises a dozen kinds
        why = " ".join(str(error).split())[:120] or type(error).__name__
        if "pickle" in why:
            why = "it holds Python objects"
        raise InputError(f"{path.name}: cannot be read: {why}") from error
    if not found.arrays:
        raise InputError(f"{path.name}: must hold arrays or events, not nothing")
    return found


def _array(where: str, opened: Callable[[], Any]) -> np.ndarray:
    """Return the array of a file, whose size is checked before it is made."""
    with opened() as file:
        shape, dtype = _header(file)
    memory.need(where, 2 * prod(shape) * dtype.itemsize)
    with opened() as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _header(member: Any) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(member)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(member)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(member)
    return shape, dtype


def _npz(path: Path) -> Found:
    found, raw = Found(), dict[str, np.ndarray]()
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            if not member.endswith(".npy"):
                continue
            where = f"{path.name}: {member}"
            raw[member.removesuffix(".npy")] = _array(where, partial(archive.open, member))
    for name in LABELS:
        if name in raw and found.labels is None:
            found.labels = raw.pop(name)
    if any(name in raw for name in _TIMES) and _all_flat(raw):
        found.arrays["events"] = _listed(path.name, raw)
        return found
    for name, array in raw.items():
        found.arrays[name] = _structured(path.name, array) if array.dtype.names else array
    return found


def _all_flat(raw: dict[str, np.ndarray]) -> bool:
    known = {name for names in _NAMES.values() for name in names} | set(_TIMES)
    mine = [array for name, array in raw.items() if name in known]
    return all(array.ndim == 1 for array in mine) and len({len(array) for array in mine}) == 1


def _npy(path: Path) -> Found:
    array = _array(path.name, partial(open, path, "rb"))
    return Found({"values": _structured(path.name, array) if array.dtype.names else array})


def _structured(where: str, array: np.ndarray) -> Listed:
    flat = array.reshape(-1)
    return _listed(where, {name: flat[name] for name in array.dtype.names or ()})


def _listed(where: str, columns: dict[str, np.ndarray]) -> Listed:
    """Return events from columns by name: t in seconds where it is real, in microseconds where it
    is whole, as event cameras write it; t_us, t_s and step say it themselves.
    """
    name = next((name for name in _TIMES if name in columns), None)
    if name is None:
        raise InputError(f"{where}: must have times of events: t, t_us, t_s or step")
    time = columns[name]
    if time.dtype.kind not in "fiu" or not np.isfinite(time).all():
        raise InputError(f"{where}: {name}: must be finite numbers")
    if name in ("step", "timestep"):
        unit, why = 0.0, "timesteps are written"
    elif name == "t_us" or (name != "t_s" and time.dtype.kind in "iu"):
        unit, why = MICROSECOND, f"{name} is in microseconds"
    else:
        unit, why = 1.0, f"{name} is in seconds"
    found: dict[str, np.ndarray | None] = {}
    for key, names in _NAMES.items():
        at = next((other for other in names if other in columns), None)
        found[key] = None if at is None else _column(where, at, columns[at], len(time), key)
    zeros, ones = np.zeros(len(time), np.int64), np.ones(len(time))
    inference = zeros if found["inference"] is None else found["inference"]
    value = ones if found["value"] is None else found["value"]
    neuron, x, y, p = (found[key] for key in ("neuron", "x", "y", "p"))
    return Listed(time.astype(np.float64), unit, why, neuron, x, y, p, inference, value)


def _column(where: str, name: str, values: np.ndarray, n: int, key: str) -> np.ndarray:
    if values.dtype.kind not in "fiub" or values.shape != (n,):
        raise InputError(f"{where}: {name}: must be {n} numbers")
    if key == "value":
        return values.astype(np.float64)
    whole = values.astype(np.float64)
    if not (np.isfinite(whole).all() and (whole % 1 == 0).all() and (abs(whole) < 2**40).all()):
        raise InputError(f"{where}: {name}: must be whole numbers")
    return values.astype(np.int64)


def _csv(path: Path) -> Found:
    """Read a table: with a line of names it is events, without one a row of numbers per
    timestep.
    """
    size = path.stat().st_size
    memory.need(f"{path.name}", 20 * size)
    with open(path, newline="", encoding="utf-8") as file:
        rows = [row for _, row in zip(range(MOST_ROWS), csv.reader(file)) if row]
    if not rows:
        raise InputError(f"{path.name}: must have lines")
    names = [cell.strip().lower() for cell in rows[0]]
    is_named = not all(_is_number(cell) for cell in names)
    numbers = rows[1:] if is_named else rows
    for at, row in enumerate(numbers, start=1 + is_named):
        if len(row) != len(rows[0]) or not all(_is_number(cell) for cell in row):
            raise InputError(f"{path.name}:{at}: must be {len(rows[0])} numbers")
    table = np.array(numbers, np.float64).reshape(len(numbers), len(names))
    if not is_named:
        return Found({"values": table}, is_table=True)
    columns = {name: table[:, at] for at, name in enumerate(names)}
    return Found({"events": _listed(path.name, columns)})


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
