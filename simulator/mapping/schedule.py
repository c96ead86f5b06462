"""A run as an engine and its readers see it: the Activity, and which step is whose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.describe.network import Network
from simulator.describe.offsets import Offsets
from simulator.describe.words import Mode
from simulator.mapping.plan import Activity


@dataclass(frozen=True)
class Schedule:
    """The Activity of a run, and what it takes to read its Record by population and inference."""

    activity: Activity
    mode: Mode
    window: int  # timesteps a population works on an inference: T, or 1 for the quantised twin
    when: Offsets  # within an inference: timestep t of population p in its step interval·t + offset
    steps_per_inference: int
    first_step: np.ndarray  # (n_inferences,) int64: the step in which each inference enters
    encoding: tuple[str, ...]  # per population, of what it sends to cores
    # per projection: bits of its weights and of the values that reach them
    operand_bits: tuple[tuple[int, int], ...]

    @property
    def steps_together(self) -> int:
        """Steps from one inference's entry to the next one's: a run stops between two entries."""
        return int(np.diff(self.first_step).min(initial=self.steps_per_inference))

    @property
    def overlaps(self) -> bool:
        """Whether an inference enters before the one before it is done."""
        return self.steps_together < self.steps_per_inference

    def finished(self, steps: int) -> int:
        """Return how many inferences are done after so many steps."""
        return int((self.first_step + self.steps_per_inference <= steps).sum())

    def output_steps(self, network: Network) -> np.ndarray:
        """Return the steps in which what is read of each inference leaves, (n_inferences, n)."""
        moments = self.when.interval * np.arange(self.window)
        offset = np.array([self.when.offset[number] for number in network.outputs])
        return self.first_step[:, None] + np.unique(offset[:, None] + moments)
