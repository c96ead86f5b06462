"""Recorded inputs and activity: arrays per timestep, or events that are binned into timesteps.

Read are npz and npy files (no Python objects), CSV and NIR data files; which input an array or an
event belongs to is fitted when the network is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Protocol

import numpy as np

from simulator import memory
from simulator.describe.messages import alternatives, near_miss, shown_value
from simulator.errors import InputError
from simulator.importers import apart, event_files
from simulator.importers.event_files import Found, Listed
from simulator.importers.formats import FORMATS, require
from simulator.importers.imported import Stated

#: timesteps of one inference
MOST_STEPS = 4096
#: suffixes of NIR data files
NIR_DATA = (".nir", ".h5", ".hdf5")
#: names that stand for the one input of a network
PLAIN = ("values", "stimulus", "spikes", "images", "data", "x", "input")


@dataclass(frozen=True, eq=False)
class Recorded:
    """Values of every input: (inferences, timesteps, lines), or (inferences, lines) of what enters
    once; labels: (inferences,).
    """

    values: dict[str, np.ndarray]
    labels: np.ndarray | None = None
    stated: tuple[Stated, ...] = ()


def _nir_data(path: Path) -> Found:
    """Read a NIR data file (NIRGraphData): the observables of each node by the node's name."""
    require(FORMATS[".nir"])
    return Found(apart.read(path, "simulator.importers.nir_data", "opened"))


def _fitting(where: str, n: int, length: int, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return (inferences, timesteps, lines); raises InputError where memory would not do."""
    lines = prod(shape)
    memory.need(f"{where}{n:,} x {length:,} timesteps of {lines:,} lines", 16 * n * length * lines)
    return n, length, lines


class Stimuli(Protocol):
    """Whatever can be fitted to the inputs of a network."""

    def fitted(
        self,
        inputs: list[tuple[str, tuple[int, ...]]],
        dt: float | None,
        timesteps: int | None = None,
        limit: int | None = None,
    ) -> Recorded:
        """Return the values of every input of that name and shape."""


@dataclass(frozen=True, eq=False)
class Recording:
    """What a file holds, before it is known whose it is."""

    path: Path
    found: Found
    stated: list[Stated] = field(default_factory=list)

    @classmethod
    def load(cls, path: str | Path) -> Recording:
        """Return what an npz, npy, CSV or NIR data file holds; raises InputError."""
        path = Path(path)
        return cls(path, event_files.read(path, dict.fromkeys(NIR_DATA, _nir_data)))

    def fitted(
        self,
        inputs: list[tuple[str, tuple[int, ...]]],
        dt: float | None,
        timesteps: int | None = None,
        limit: int | None = None,
    ) -> Recorded:
        """Return the values of every input of that name and shape; events are binned by `dt`
        seconds.

        timesteps: of an inference, as many as are recorded where None.  limit: only the first
        inferences.  Raises InputError for what does not fit.
        """
        stated: list[Stated] = []
        values = {}
        for name, shape in inputs:
            held = self._of(name, len(inputs) == 1)
            array = (
                self._binned(name, held, shape, dt, timesteps, limit, stated)
                if isinstance(held, Listed)
                else self._shaped(name, held, shape)
            )
            if limit is not None:
                array = array[:limit]
            if timesteps is not None and array.ndim == 3:
                if array.shape[1] < timesteps:
                    raise InputError(
                        f"{self.path.name}: must have {timesteps} timesteps, not {array.shape[1]}"
                    )
                array = array[:, :timesteps]
            if array.ndim == 3 and not 1 <= array.shape[1] <= MOST_STEPS:
                raise InputError(
                    f"{self.path.name}: must have 1 to {MOST_STEPS} timesteps, not {array.shape[1]}"
                )
            if not np.isfinite(array).all():
                raise InputError(f"{self.path.name}: must be finite")
            values[name] = array
        counts = {len(array) for array in values.values()}
        if len(counts) > 1 or not min(counts):
            raise InputError(
                f"{self.path.name}: must have as many inferences for every input, at least one"
            )
        return Recorded(values, self._labels(counts.pop(), limit), tuple(stated))

    def _of(self, name: str, is_only: bool) -> np.ndarray | Listed:
        held = self.found.arrays
        if name in held:
            return held[name]
        if is_only:
            for plain in PLAIN:
                if plain in held:
                    return held[plain]
            if len(held) == 1:
                return next(iter(held.values()))
        names = alternatives(name[:40] for name in tuple(held)[:9]) if held else "nothing"
        raise InputError(
            f"{self.path.name}: must have values for the input {shown_value(name)}, not only "
            f"{names}{near_miss(name, held)}"
        )

    def _shaped(self, name: str, array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Return an array as (inferences, timesteps, lines) or (inferences, lines)."""
        n = prod(shape)
        if array.dtype.kind not in "fiub":
            raise InputError(f"{self.path.name}: {name}: must hold numbers, not {array.dtype}")
        for tail in range(1, array.ndim + 1):
            if prod(array.shape[array.ndim - tail :]) == n:
                lead = array.shape[: array.ndim - tail]
                if tail < array.ndim and prod(array.shape[array.ndim - tail - 1 :]) == n:
                    continue  # sizes of 1 in front belong to the shape
                break
        else:
            raise InputError(
                f"{self.path.name}: {name}: must have {n} values a timestep (shape "
                f"{list(shape)}), not shape {list(array.shape)}"
            )
        while len(lead) > 2 and 1 in lead:
            at = lead.index(1)
            lead = lead[:at] + lead[at + 1 :]
        if len(lead) == 1 and self.found.is_table:
            lead = (1, *lead)
        if not 1 <= len(lead) <= 2:
            raise InputError(
                f"{self.path.name}: {name}: must have shape (inferences, timesteps, {n}) or "
                f"(inferences, {n}), not {list(array.shape)}"
            )
        return array.reshape(*lead, n)

    def _binned(
        self,
        name: str,
        listed: Listed,
        shape: tuple[int, ...],
        dt: float | None,
        timesteps: int | None,
        limit: int | None,
        stated: list[Stated],
    ) -> np.ndarray:
        """Return events as counts per timestep, (inferences, timesteps, lines)."""
        where = f"{self.path.name}: {name}"
        line = listed.lines(shape, where)
        step, why = listed.steps(dt, where)
        if len(line) and (line.min() < 0 or line.max() >= prod(shape)):
            raise InputError(
                f"{where}: must name neurons 0..{prod(shape) - 1}, not {line.min()}..{line.max()}"
            )
        if len(step) and (step.min() < 0 or not listed.inference.min() >= 0):
            raise InputError(f"{where}: must have times of 0 s or later")
        length = int(step.max(initial=0)) + 1 if timesteps is None else timesteps
        if timesteps is None and listed.lasts and dt is not None:
            length = max(length, round(min(listed.lasts / dt, 2.0**40)))
        count = int(listed.inference.max(initial=0)) + 1
        if not 1 <= length <= MOST_STEPS:
            raise InputError(
                f"{where}: must last 1 to {MOST_STEPS} timesteps, not {length}; a larger dt or "
                f"fewer timesteps would do"
            )
        n = count if limit is None else min(count, limit)
        binned = np.zeros(_fitting(f"{where}: ", n, length, shape))
        kept = (step < length) & (listed.inference < n)
        np.add.at(binned, (listed.inference[kept], step[kept], line[kept]), listed.value[kept])
        stated.append(
            Stated(f"events of {name}", f"{int(kept.sum()):,} in {length} timesteps", why)
        )
        if binned.max(initial=0) > 1:
            most = f"up to {binned.max():g} of a line in one timestep"
            stated.append(Stated(f"events of {name}", "counted", most))
        return binned

    def _labels(self, n: int, limit: int | None) -> np.ndarray | None:
        labels = self.found.labels
        if labels is None:
            return None
        labels = labels.reshape(-1)[:limit]
        if len(labels) != n or labels.dtype.kind not in "iub":
            raise InputError(
                f"{self.path.name}: labels: must be {n} whole numbers, one per inference, not "
                f"{len(labels)} of {labels.dtype}"
            )
        return labels.astype(np.int64)


@dataclass(frozen=True)
class Drawn:
    """Spikes drawn at random where nothing was recorded: each line with probability `rate` in every
    timestep.
    """

    rate: float
    inferences: int
    timesteps: int
    seed: int = 0

    def fitted(
        self,
        inputs: list[tuple[str, tuple[int, ...]]],
        dt: float | None,
        timesteps: int | None = None,
        limit: int | None = None,
    ) -> Recorded:
        """Return drawn spikes for every input."""
        length = self.timesteps if timesteps is None else timesteps
        n = self.inferences if limit is None else min(self.inferences, limit)
        rng = np.random.default_rng(self.seed)
        values = {}
        for name, shape in inputs:
            size = _fitting("", n, length, shape)
            values[name] = (rng.random(size) < self.rate).astype(np.float64)
        said = f"each line spikes with probability {self.rate:g} in every timestep"
        because = f"drawn with seed {self.seed}: no stimulus was given"
        return Recorded(values, None, (Stated("input", said, because),))
