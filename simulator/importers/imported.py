"""What an importer returns: an integer network, how reals become its inputs, and everything that
had to be decided to get there.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from simulator.describe.network import Network, Stimulus
from simulator.describe.words import CURRENT, RASTER, StimulusKind
from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.importers.events import Recorded
    from simulator.importers.floating import Floating


@dataclass(frozen=True)
class Stated:
    """One thing the file does not say: what was taken for it, and from what that follows."""

    what: str
    value: str
    because: str


@dataclass(frozen=True)
class Entering:
    """How the real values of one input become integers: round(value / scale) + zero_point.

    kind: what the stimulus is by its nature: 'current' values enter once (inferences, inputs),
    'raster' spikes or 'graded' values every timestep (inferences, timesteps, inputs).
    """

    name: str
    kind: StimulusKind
    scale: float = 1.0
    zero_point: int = 0
    bits: int = 1
    signed: bool = False
    least: int | None = None  # where values are held closer than the width holds them
    most: int | None = None

    def words(self) -> str:
        """Return in words what enters."""
        if self.kind == RASTER:
            return "spikes, timestep by timestep"
        when = "once, for all timesteps" if self.kind == CURRENT else "timestep by timestep"
        sign = " and a sign" if self.signed else ""
        whole = self.scale == 1 and not self.zero_point
        scale = "" if whole else f", one for {self.scale:.4g}"
        return f"whole numbers of {self.bits - self.signed} bits{sign}{scale}, {when}"

    def integers(self, values: np.ndarray) -> np.ndarray:
        """Return real values as the integers that enter, held to the width."""
        lowest = -(1 << (self.bits - 1)) if self.signed else 0
        least = lowest if self.least is None else self.least
        most = lowest + (1 << self.bits) - 1 if self.most is None else self.most
        whole = np.rint(np.asarray(values, np.float64) / self.scale) + self.zero_point
        return np.clip(whole, least, most).astype(np.int64)


@dataclass(frozen=True)
class Rounded:
    """What became of the weights into one population.

    scale_low, scale_high: the smallest and the largest step between two integers.  error: root mean
    square of what rounding changed, over that of the weights.  zeroed: weights that became 0 and
    were not.
    """

    population: str
    weights: int
    bits: int
    scale_low: float
    scale_high: float
    error: float
    zeroed: int


@dataclass(frozen=True)
class Meaning:
    """What the numbers of a population are in the file it came from.

    tensor: its name there.  An activation is the tensor's whole number less `least`.  Of a readout,
    a potential times `unit` is the real number, held to low..high, and
    clip(round(real / step + shift), least, most) the whole one, where the file makes one.
    """

    population: str
    tensor: str
    least: int | None = None
    most: int | None = None
    unit: float | None = None
    step: float | None = None
    shift: float | None = None
    low: float = -inf
    high: float = inf

    def integers(self, numbers: np.ndarray) -> np.ndarray:
        """Return activations or potentials as the whole numbers of the tensor."""
        if self.unit is None:
            return numbers + (self.least or 0)
        if self.step is None or self.shift is None:
            raise InputError(f"{self.population}: must be quantised in the file to be read so")
        whole = np.rint(self.reals(numbers) / self.step) + self.shift
        return np.clip(whole, self.least, self.most).astype(np.int64)

    def reals(self, potentials: np.ndarray) -> np.ndarray:
        """Return the potentials of a readout as the real numbers of the tensor."""
        if self.unit is None:
            raise InputError(f"{self.population}: must be a readout to be read in reals")
        return np.clip(potentials * self.unit, self.low, self.high)


@dataclass(frozen=True, eq=False)
class Imported:
    """A network of another tool, in integers."""

    path: Path
    format: str  # as people call it: NIR, ONNX
    network: Network
    entering: tuple[Entering, ...]  # of each input, in the network's order
    stated: tuple[Stated, ...] = ()
    warnings: tuple[str, ...] = ()
    rounded: tuple[Rounded, ...] = ()
    timesteps: int | None = None  # where the file or the user says; None: those of the stimulus
    meaning: tuple[Meaning, ...] = ()  # of populations, where the file has integers of its own
    floating: Floating | None = None  # the network in reals, where the file holds reals
    recorded: Recorded | None = None  # the stimulus as it was given
    stimulus: Stimulus | None = None  # and in integers

    @property
    def name(self) -> str:
        """Of the workload: that of the file."""
        return self.path.stem

    def input_named(self, name: str) -> Entering:
        """Return one input; raises InputError for a name none has."""
        for each in self.entering:
            if each.name == name:
                return each
        names = ", ".join(each.name for each in self.entering)
        raise InputError(f"{self.path.name}: must have an input {name!r}; it has {names}")
