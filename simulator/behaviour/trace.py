"""What a population sends, as events in the order of time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Trace:
    """What one population sends: events start[k] .. start[k + 1] - 1 belong to step k = inference *
    window + timestep.

    A readout sends nothing: `fires` is False and there are no events.
    """

    n_neurons: int
    fires: bool
    start: np.ndarray  # (n_inferences * window + 1,) int64
    neuron: np.ndarray  # (n_events,) int32, rising within a step
    value: np.ndarray  # (n_events,) int32: 1 for a spike, else the activation or the input's value

    def first(self, steps: int) -> Trace:
        """Return the first `steps` steps alone."""
        last = int(self.start[steps])
        return replace(
            self, start=self.start[: steps + 1], neuron=self.neuron[:last], value=self.value[:last]
        )

    def unpacked(self, window: int) -> np.ndarray:
        """Return the values of every step, (n_inferences, window, n_neurons) int64."""
        steps = len(self.start) - 1
        full = np.zeros((steps, self.n_neurons), np.int64)
        full[np.repeat(np.arange(steps), np.diff(self.start)), self.neuron] = self.value
        return full.reshape(-1, window, self.n_neurons)

    def totals(self, inference: int, window: int) -> np.ndarray:
        """Return the sum of values of each neuron over one inference, (n_neurons,) int64."""
        return self.all_totals(inference, inference + 1, window)[0]

    def all_totals(self, begin: int, end: int, window: int) -> np.ndarray:
        """Return the sums of values of each neuron over inferences begin .. end - 1, (end - begin,
        n_neurons) int64.
        """
        start = self.start[begin * window : end * window + 1 : window]
        total = np.zeros((end - begin) * self.n_neurons, np.int64)
        first = np.arange(end - begin) * self.n_neurons
        at = np.repeat(first, np.diff(start)) + self.neuron[start[0] : start[-1]]
        np.add.at(total, at, self.value[start[0] : start[-1]].astype(np.int64))
        return total.reshape(end - begin, self.n_neurons)


@dataclass(frozen=True)
class Source:
    """What drives a part from a population."""

    largest: int  # magnitude of a value in one timestep
    is_held: bool  # it enters once and drives every timestep
