"""When inferences enter a chip: one after another, or while others are under way."""

from __future__ import annotations

import numpy as np

from simulator.behaviour.raster import Raster
from simulator.describe.offsets import Offsets


def entries(when: Offsets, raster: Raster, gaps: np.ndarray | None) -> np.ndarray:
    """Return the step in which each inference enters, (n_inferences,) int64; see
    `activity.compile_activity`.
    """
    steps, n = when.steps(raster.timesteps), len(raster.outputs)
    least = min(when.interval * raster.timesteps, steps)
    gap = np.full(max(n - 1, 0), steps) if gaps is None else np.clip(gaps, least, steps)
    return np.concatenate([[0], np.cumsum(gap)]).astype(np.int64)[:n]


def begins(first_step: np.ndarray, steps: int, carries: bool) -> np.ndarray:
    """Return in which steps an inference begins with new state and no other is under way,
    (n_steps,) uint8: where state is carried only the run's first [W30].
    """
    begins = np.zeros(int(first_step[-1]) + steps if len(first_step) else 0, np.uint8)
    alone = np.diff(first_step, prepend=-steps) >= steps
    begins[first_step[alone][: 1 if carries else None]] = 1
    return begins
