"""What flows along the edges of an ONNX graph: constants, whole numbers, the reals they stand for,
and sums that were not made whole yet.

Shapes leave out the first side, of the inferences; an image of one line is (channels, 1, length).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, prod

import numpy as np

from simulator.describe.connections import Connection
from simulator.describe.network import Pool
from simulator.errors import InputError
from simulator.importers.onnx_file import Node

Shape = tuple[int, ...]
#: neurons of one tensor
MOST_NEURONS = 1 << 24


@dataclass(frozen=True, eq=False)
class Constant:
    """A constant; where it was quantised, also its whole numbers and the step of each:
    value = codes * step.
    """

    value: np.ndarray
    kind: str = "float"  # the type it has in the file
    codes: np.ndarray | None = None
    step: np.ndarray | None = None
    bits: int = 0  # of the codes, as the file states them


@dataclass(frozen=True)
class Fed:
    """An input of the graph."""

    name: str
    shape: Shape
    kind: str


@dataclass(frozen=True, eq=False)
class Codes:
    """Whole numbers of a tensor: clip(round(reals / step + shift), least, most).

    step, shift: a number, or one for each neuron.  rounding: 'even' to the nearest, halves to the
    even one; 'floor' down.
    """

    name: str
    source: Sum | Fed
    step: np.ndarray
    shift: np.ndarray
    least: int
    most: int
    rounding: str = "even"
    view: Shape | None = None

    @property
    def neurons(self) -> Shape:
        """Return the shape of the population that sends them."""
        return self.source.neurons if isinstance(self.source, Sum) else self.source.shape

    @property
    def shape(self) -> Shape:
        """Return the shape they are seen in."""
        return self.source.shape if self.view is None else self.view

    @property
    def key(self) -> tuple[object, ...]:
        """Return what two that are the same numbers have in common."""
        steps = self.step.tobytes(), self.shift.tobytes()
        return id(self.source), *steps, self.least, self.most, self.rounding

    @property
    def levels(self) -> int:
        """Return how often a neuron may count up from the least."""
        return self.most - self.least

    def clipped(self, least: float, most: float) -> Codes:
        """Return the codes held within other limits too."""
        low = self.least if least == -inf else max(self.least, int(np.ceil(least)))
        high = self.most if most == inf else min(self.most, int(np.floor(most)))
        if high <= low:
            raise InputError(f"{self.name}: must keep two values or more when clipped to {low}")
        return (
            self if (low, high) == (self.least, self.most) else replace(self, least=low, most=high)
        )


@dataclass(frozen=True, eq=False)
class Reals:
    """Codes as the reals they stand for: scale * (code - zero); `shape` may be another view."""

    codes: Codes
    scale: float
    zero: float
    shape: Shape


@dataclass(frozen=True, eq=False)
class Term:
    """What codes bring: factor * (weights @ (codes - zero)), a factor for each current.

    is_free: whether its weights are ones that may be others, as long as their factor follows.
    """

    codes: Codes
    zero: float
    connection: Connection
    factor: np.ndarray
    is_free: bool = False


@dataclass(frozen=True, eq=False)
class Sum:
    """A sum of terms and a bias, (currents,) reals each, perhaps pooled and then clipped."""

    terms: tuple[Term, ...]
    bias: np.ndarray
    currents: Shape  # before pooling
    pool: Pool | None = None
    low: float = -inf
    high: float = inf
    view: Shape | None = None

    @property
    def neurons(self) -> Shape:
        """Return the shape of the population that holds it."""
        if self.pool is None:
            return self.currents
        channels, height, width = self.currents
        return channels, height // self.pool.size, width // self.pool.size

    @property
    def shape(self) -> Shape:
        """Return the shape it is seen in."""
        return self.neurons if self.view is None else self.view

    @property
    def is_plain(self) -> bool:
        """Whether nothing was done to it yet that is no sum."""
        return self.pool is None and self.low == -inf and self.high == inf

    def affine(self, factor: np.ndarray, offset: np.ndarray) -> Sum:
        """Return factor * sum + offset, (currents,) each."""
        terms = tuple(replace(term, factor=term.factor * factor) for term in self.terms)
        return replace(self, terms=terms, bias=self.bias * factor + offset)


Value = Constant | Fed | Codes | Reals | Sum
Inputs = list[Value | None]


def neurons_of(name: str, shape: Shape) -> int:
    """Return the neurons of a shape; raises InputError for more than anything here may have."""
    n = prod(shape)
    if n > MOST_NEURONS or min(shape, default=1) < 1:
        raise InputError(f"{name}: must have 1 to {MOST_NEURONS:,} neurons, not {list(shape)}")
    return n


def as_sum(reals: Reals) -> Sum:
    """Return what codes stand for as a sum of one term, neuron by neuron."""
    shape = reals.codes.neurons
    n = neurons_of(reals.codes.name, shape)
    one = Connection("one-to-one", np.ones(n, np.int8), 2, shape, shape)
    term = Term(reals.codes, reals.zero, one, np.full(n, reals.scale), is_free=True)
    view = None if reals.shape == shape else reals.shape
    return Sum((term,), np.zeros(n), shape, view=view)


def per_current(name: str, value: np.ndarray, shape: Shape) -> np.ndarray:
    """Return a constant that is broadcast over (1, *shape) as one number for each current."""
    n = neurons_of(name, shape)
    given = value.astype(np.float64)
    if not np.isfinite(given).all():
        raise InputError(f"{name}: must be finite")
    target = (1, *shape)
    if len(shape) == 3 and shape[1] == 1 and given.ndim == 3:  # (1, channels, length)
        given = given[:, :, None, :]
    try:
        return np.broadcast_to(given, target).reshape(n).copy()
    except ValueError as error:
        raise InputError(
            f"{name}: must be a number, or one for each channel or neuron of {list(shape)}, not "
            f"of shape {list(value.shape)}"
        ) from error


def pair(sides: int | tuple[int, int]) -> tuple[int, int]:
    """Return a stride, a padding or a dilation as (vertical, horizontal)."""
    return (sides, sides) if isinstance(sides, int) else sides


def row_sums(connection: Connection, absolute: bool = False) -> np.ndarray:
    """Return the sum of the weights that lead to each current, (n_out,) float64."""
    weight = connection.weight.astype(np.float64)
    weight = abs(weight) if absolute else weight
    if connection.kind == "dense":
        return weight.sum(0)
    if connection.kind == "one-to-one":
        return weight.reshape(-1)
    (_, high, wide), (channels, rows, columns) = connection.input_shape, connection.output_shape
    found = np.zeros((channels, rows, columns))
    at = [
        np.arange(side) * step - pad
        for side, step, pad in zip(
            (rows, columns), pair(connection.stride), pair(connection.padding)
        )
    ]
    inner = weight.sum(1)
    for ky, kx in np.ndindex(inner.shape[1:]):
        down, across = pair(connection.dilation)
        y, x = at[0] + ky * down, at[1] + kx * across
        inside = ((y >= 0) & (y < high))[:, None] & ((x >= 0) & (x < wide))[None, :]
        found += inner[:, ky, kx, None, None] * inside
    return found.reshape(-1)


def reach(given: Sum) -> tuple[float, float]:
    """Return the least and the largest that a sum may be, whatever its codes are."""
    low = high = given.bias
    for term in given.terms:
        largest, total = row_sums(term.connection, absolute=True), row_sums(term.connection)
        rising, falling = (largest + total) / 2, (largest - total) / 2
        least, most = term.codes.least - term.zero, term.codes.most - term.zero
        ends = rising * least - falling * most, rising * most - falling * least
        brought = np.sort([term.factor * end for end in ends], axis=0)
        low, high = low + brought[0], high + brought[1]
    times = given.pool.area if given.pool is not None and given.pool.kind == "sum" else 1
    bounds = np.clip([low.min() * times, high.max() * times], given.low, given.high)
    return float(bounds[0]), float(bounds[1])


def reals_of(node: Node, given: Value | None, what: str = "its input") -> Reals:
    """Return quantised reals; raises InputError that says what else was given."""
    if isinstance(given, Reals):
        return given
    why = {
        Sum: "a sum that was not quantised",
        Fed: "an input that was not quantised",
        Codes: "whole numbers that were not dequantised",
    }.get(type(given), "a constant or nothing")
    raise InputError(f"{node.name}: {what} must be quantised reals, not {why}")
