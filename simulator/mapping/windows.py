"""Whole windows in one event: spike counts and spike trains, and what the units do for them
(docs/machine.md, Work).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from simulator.behaviour.raster import Raster
from simulator.behaviour.trace import Trace
from simulator.describe.chip import Chip
from simulator.describe.words import ACCUMULATING, SNN
from simulator.errors import MappingError

COUNTS, TRAIN = "counts", "train"


@dataclass(frozen=True)
class Window:
    """How the spikes of a window travel in one event [W20]."""

    timesteps: int  # T
    encoding: str  # COUNTS or TRAIN

    @property
    def bits(self) -> int:
        """Of the event's value: ceil(log2(T + 1)) of a count, T of a train."""
        return self.timesteps.bit_length() if self.encoding == COUNTS else self.timesteps


def window(chip: Chip, raster: Raster) -> Window | None:
    """Return how a run's windows travel in one event, None where every spike travels by itself.

    Raises MappingError for a chip that packs or reuses windows a run does not gather [W23].
    """
    packs, reuses = (
        chip.packet.spikes in (COUNTS, TRAIN),
        chip.core.synapse.reuse == "window",
    )
    if raster.mode != SNN or not (packs or reuses):
        return None
    asks = "packet.spikes" if packs else "core.synapse.reuse"
    given = chip.packet.spikes if packs else chip.core.synapse.reuse
    if raster.firing != ACCUMULATING:
        raise MappingError(
            f"chip {chip.name}: {asks}: {given} must come with firing 'accumulate', which gathers "
            f"whole windows, not {raster.firing!r}"
        )
    if not packs:
        raise MappingError(
            f"chip {chip.name}: core.synapse.reuse: window must come with packet.spikes counts or "
            f"train, which bring a window at once, not {chip.packet.spikes}"
        )
    return Window(raster.timesteps, chip.packet.spikes)


def gathered(raster: Raster) -> Raster:
    """Return a run in which every source sends the sum of its window in one event."""
    traces = tuple(_summed(trace, raster.timesteps) for trace in raster.traces)
    return replace(raster, timesteps=1, traces=traces)


def _summed(trace: Trace, timesteps: int) -> Trace:
    """Return one event per source and window, with the sum of its values."""
    n_windows = (len(trace.start) - 1) // timesteps
    edges = trace.start[::timesteps]
    number = np.repeat(np.arange(n_windows), np.diff(edges)) * trace.n_neurons + trace.neuron
    found, place = np.unique(number, return_inverse=True)
    value = np.zeros(len(found), np.int64)
    np.add.at(value, place.reshape(-1), trace.value)
    start = np.searchsorted(found, np.arange(n_windows + 1) * trace.n_neurons)
    return Trace(
        trace.n_neurons,
        trace.fires,
        start.astype(np.int64),
        (found % max(trace.n_neurons, 1)).astype(np.int32),
        value.astype(np.int32),
    )
