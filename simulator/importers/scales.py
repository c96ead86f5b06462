"""The scale of a population's weights: the real that a step of one stands for, per neuron or
channel where asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

import numpy as np

from simulator.importers.choices import Choices
from simulator.importers.imported import Rounded
from simulator.importers.joining import Joined

#: how far from whole numbers values may be that are taken for whole ones
_WHOLE = 1e-5


@dataclass(eq=False)
class Scale:
    """step: (n_neurons,) of each neuron's current.  bits: of the weights."""

    step: np.ndarray
    shape: tuple[int, ...]
    bits: int
    is_exact: bool = False
    weights: int = 0
    zeroed: int = 0
    wrong: float = 0.0
    energy: float = 0.0
    _seen: list[int] = field(default_factory=list)

    def integers(self, joined: Joined, weight: np.ndarray) -> np.ndarray:
        """Return real weights as integers, what rounding changed noted."""
        step = _along(joined, self.step, self.shape)
        most = (1 << (self.bits - 1)) - 1
        whole = np.clip(np.rint(weight / step), -most, most)
        self.weights += weight.size
        self.zeroed += int(((whole == 0) & (weight != 0)).sum())
        self.wrong += float(((whole * step - weight) ** 2).sum())
        self.energy += float((weight**2).sum())
        return whole.astype(np.int64)

    def report(self, name: str) -> Rounded:
        """Return what became of the weights."""
        error = (self.wrong / self.energy) ** 0.5 if self.energy else 0.0
        low, high = float(self.step.min()), float(self.step.max())
        return Rounded(name, self.weights, self.bits, low, high, error, self.zeroed)


def _along(joined: Joined, step: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the neurons' steps as they lie along a connection's weights."""
    if joined.kind == "convolution":
        return step.reshape(shape[0], -1)[:, 0].reshape(-1, 1, 1, 1)
    return step[joined.index] if joined.index is not None else step


def scale_of(
    weights: list[tuple[Joined, np.ndarray]],
    shape: tuple[int, ...],
    choices: Choices,
    exact: list[np.ndarray | None] | None,
) -> Scale:
    """Return the scale of all weights into one population.

    exact: beside the weights, what must be whole too for a scale that keeps everything as it is;
    None where nothing can.
    """
    n, bits = prod(shape), choices.weight_bits
    if exact is not None:
        step = _grid(weights, exact, (1 << (bits - 1)) - 1)
        if step is not None:
            return Scale(np.full(n, step), shape, bits, is_exact=True)
    reach = np.zeros(n)
    shared = any(joined.kind == "convolution" for joined, _ in weights)
    for joined, weight in weights:
        reach = np.maximum(reach, _reach(joined, np.abs(weight), shape, choices.percentile))
    if shared:
        by_channel = reach.reshape(shape[0], -1).max(axis=1)
        reach = np.repeat(by_channel, n // shape[0])
    if not choices.per_channel:
        reach[:] = reach.max(initial=0)
    largest = reach.max(initial=0)
    # what no weight leads to, or next to none, is counted as its population is
    reach = np.where(reach > largest * 1e-9, reach, largest) if largest > 0 else np.ones(n)
    return Scale(reach / ((1 << (bits - 1)) - 1), shape, bits)


def _reach(
    joined: Joined, size: np.ndarray, shape: tuple[int, ...], percentile: float
) -> np.ndarray:
    """Return the magnitude that the largest integer stands for, per neuron."""
    n = prod(shape)
    if joined.kind == "convolution":
        flat = size.reshape(len(size), -1)
        return np.repeat(np.percentile(flat, percentile, axis=1), n // shape[0])
    if joined.kind == "dense":
        return np.percentile(size, percentile, axis=0)
    if joined.kind == "one-to-one" or joined.index is None:
        return size
    reach = np.zeros(n)
    np.maximum.at(reach, joined.index, size)
    return reach


def _grid(
    weights: list[tuple[Joined, np.ndarray]], beside: list[np.ndarray | None], most: int
) -> float | None:
    """Return a step of which all values are whole multiples already; None where there is none."""
    values = [np.unique(np.abs(weight)) for _, weight in weights]
    sizes = np.unique(np.concatenate([np.zeros(1), *values]))
    # what reals rounded apart is one value
    sizes = sizes[np.concatenate([[True], np.diff(sizes) > 1e-7 * sizes.max(initial=0)])]
    if len(sizes) < 2 or len(sizes) > most + 1:
        return None
    others = [np.unique(held) for held in beside if held is not None]
    for step in (1.0, float(np.diff(sizes).min())):
        if sizes.max() / step > most + 0.5:
            continue
        if all(_is_whole(held / step) for held in (sizes, *others)):
            return step
    return None


def _is_whole(values: np.ndarray) -> bool:
    return bool((np.abs(values - np.rint(values)) <= _WHOLE * np.maximum(1, np.abs(values))).all())
