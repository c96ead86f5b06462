"""Connections: integer weights between two populations, and all that is particular to their kinds.

A kind is one class in KINDS: which keys and shapes it has, what it stores, what a source reaches,
and in which of three layouts its rows lie for the kernels of behaviour/synapses.py. Targets are
*currents*, before pooling; neurons of shape (C, H, W) are numbered c·H·W + y·W + x.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import numpy as np

from simulator.describe import convolution
from simulator.describe.convolution import pair
from simulator.describe.layout import DENSE_ROWS, RUNS, SPARSE_ROWS, Layout
from simulator.describe.narrow import integers, narrow, narrow_index
from simulator.values import Value

DENSE, SPARSE, CONVOLUTION, ONE_TO_ONE = "dense", "sparse", "convolution", "one-to-one"
#: synapses looked at in one go
_STRETCH = 1 << 20


@dataclass(frozen=True, eq=False)
class Connection(Value):
    """Integer weights from every source to the currents of a population.

    dense: weight (n_in, n_out).  sparse: weight (n_synapses,), index (n_synapses,) targets, start
    (n_in + 1,) of each source's row, and perhaps delay (n_synapses,), the timesteps each synapse
    takes.  convolution: weight (channels out, channels in / groups, height, width), the
    cross-correlation of frameworks, with `stride`, zero `padding`, `dilation` (vertical,
    horizontal; one number stands for both) and `groups`.  one-to-one: weight (n_in,).

    `per_timestep`: weight has one axis more, in front: a plane for each timestep in which a source
    may fire.  weight_bits is the width a chip stores; weights are as narrow as their values allow,
    so int8 stays int8 from file to kernel.
    """

    kind: str
    weight: np.ndarray
    weight_bits: int
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]  # before pooling
    stride: int | tuple[int, int] = 1
    padding: int | tuple[int, int] = 0
    start: np.ndarray | None = None
    index: np.ndarray | None = None
    delay: np.ndarray | None = None
    dilation: int | tuple[int, int] = 1
    groups: int = 1
    per_timestep: bool = False

    def __post_init__(self) -> None:
        """Hold sizes as pairs and every array in its one form: as narrow as can be, frozen."""
        for name in ("stride", "padding", "dilation"):
            object.__setattr__(self, name, pair(getattr(self, name)))
        object.__setattr__(self, "weight", narrow(integers("weight", self.weight)))
        if self.start is not None:
            object.__setattr__(self, "start", integers("start", self.start).astype(np.int64))
        if self.index is not None and integers("index", self.index).size:
            if 0 <= int(self.index.min()) <= int(self.index.max()) < self.n_out:
                object.__setattr__(self, "index", narrow_index(self.index, self.n_out))
        if self.delay is not None:
            object.__setattr__(self, "delay", narrow(integers("delay", self.delay)))
        super().__post_init__()

    @property
    def n_in(self) -> int:
        """Source neurons."""
        return prod(self.input_shape)

    @property
    def n_out(self) -> int:
        """Currents: targets before pooling."""
        return prod(self.output_shape)

    @property
    def planes(self) -> int:
        """Sets of weights: one, or one per timestep."""
        return self.weight.shape[0] if self.per_timestep else 1

    @property
    def plane_shape(self) -> tuple[int, ...]:
        """Return the shape of one set of weights."""
        return self.weight.shape[1:] if self.per_timestep else self.weight.shape

    @property
    def delay_bits(self) -> int:
        """Bits a synapse takes for a delay of its own."""
        if self.delay is None or not self.delay.size:
            return 0
        return int(self.delay.max()).bit_length()

    @cached_property
    def largest_weight(self) -> int:
        """The largest magnitude of a weight; 0 where there is none."""
        weight = self.weight
        return max(-int(weight.min(initial=0)), int(weight.max(initial=0)))

    @property
    def is_ternary(self) -> bool:
        """Weights of two bits that are all -1, 0 or 1."""
        weight = self.weight
        is_small = weight.min(initial=0) >= -1 and weight.max(initial=0) <= 1
        return self.weight_bits == 2 and bool(is_small)

    @property
    def of_kind(self) -> Kind:
        """What is particular to the connection's kind."""
        return KINDS[self.kind]

    def row_bits(self, synapses: np.ndarray, index_bits: int, packed: bool) -> np.ndarray:
        """Return the bits that so many synapses of one row take in a chip's memory.

        index_bits: of each synapse of sparse rows.  packed: ternary weights five in eight bits (3^5
        = 243).
        """
        is_packed = packed and self.is_ternary
        weights = 8 * -(-synapses // 5) if is_packed else synapses * self.weight_bits
        beside = self.delay_bits + (index_bits if self.of_kind.stores_index else 0)
        return weights + synapses * beside

    def by_delay(self) -> list[tuple[int, Connection]]:
        """Return the synapses of each delay of their own, and the delay; all of them and 0 where
        they have none.
        """
        if self.delay is None:
            return [(0, self)]
        assert self.start is not None and self.index is not None
        row = np.repeat(np.arange(self.n_in), np.diff(self.start))
        parts = []
        for delay in np.unique(self.delay):
            chosen = self.delay == delay
            count = np.bincount(row[chosen], minlength=self.n_in)
            start = np.concatenate([[0], np.cumsum(count)])
            weight, index = self.weight[..., chosen], self.index[chosen]
            part = replace(self, weight=weight, index=index, start=start, delay=None)
            parts.append((int(delay), part))
        return parts

    def count(self, slice_of: np.ndarray, slices: int) -> Counted:
        """Return the synapses of sources on slices; slice_of: (n_out,) of every current."""
        return self.of_kind.count(self, slice_of, slices)

    def stored(self, slice_of: np.ndarray, slices: int, bits: RowBits) -> np.ndarray:
        """Return the bits of weight memory each slice needs, (slices,) int64; a shared kernel is
        stored once.  bits: of rows of so many synapses.
        """
        return self.of_kind.stored(self, slice_of, slices, bits) * self.planes

    def reached(self, sources: np.ndarray) -> np.ndarray:
        """Return which currents get at least one synapse from `sources`, (n_out,) bool."""
        if not len(sources):
            return np.zeros(self.n_out, bool)
        return self.of_kind.reached(self, sources)


_NOTHING = np.zeros(0, np.int64)
#: synapses of rows -> the bits they take
RowBits = Callable[[np.ndarray], np.ndarray]
#: the kind of each source, (n_in,), and the synapses of each kind on each slice, (kinds, slices)
Counted = tuple[np.ndarray, np.ndarray]


class Kind(ABC):
    """One kind of connection: the methods below are all that is particular to it."""

    keys: tuple[str, ...] = ()  # of a workload file, beside weight, weight_bits and per_timestep
    stores_index = False  # each synapse has an index of `core.synapse.index` bits

    @abstractmethod
    def weight_shape(self, connection: Connection) -> tuple[int, ...]:
        """Return the shape its weights must have."""

    @abstractmethod
    def largest_fan_in(self, connection: Connection) -> int:
        """Return a bound on the synapses that end at one current."""

    @abstractmethod
    def count(self, connection: Connection, slice_of: np.ndarray, slices: int) -> Counted:
        """Return the synapses of sources, by their kinds, on each slice."""

    @abstractmethod
    def stored(
        self, connection: Connection, slice_of: np.ndarray, slices: int, bits: RowBits
    ) -> np.ndarray:
        """Return the bits of one plane each slice stores, (slices,) int64."""

    @abstractmethod
    def reached(self, connection: Connection, sources: np.ndarray) -> np.ndarray:
        """Return which currents get a synapse from at least one of the sources, (n_out,) bool."""

    @abstractmethod
    def layout(self, connection: Connection) -> Layout:
        """Return its rows for the kernels."""


class Dense(Kind):
    """Every source leads to every current."""

    def weight_shape(self, connection: Connection) -> tuple[int, ...]:
        """Return (sources, currents)."""
        return connection.n_in, connection.n_out

    def largest_fan_in(self, connection: Connection) -> int:
        """Return the sources."""
        return connection.n_in

    def count(self, connection: Connection, slice_of: np.ndarray, slices: int) -> Counted:
        """Return the currents of each slice for the one kind of source."""
        size = np.bincount(slice_of, minlength=slices).astype(np.int64)
        return np.zeros(connection.n_in, np.int64), size[None, :]

    def stored(
        self, connection: Connection, slice_of: np.ndarray, slices: int, bits: RowBits
    ) -> np.ndarray:
        """Return a row per source."""
        return connection.n_in * bits(np.bincount(slice_of, minlength=slices).astype(np.int64))

    def reached(self, connection: Connection, sources: np.ndarray) -> np.ndarray:
        """Return everything."""
        return np.ones(connection.n_out, bool)

    def layout(self, connection: Connection) -> Layout:
        """Return the rows as they are."""
        return Layout(DENSE_ROWS, connection.weight, _NOTHING, _NOTHING, {})


class Sparse(Kind):
    """Each source has a row of synapses, each with its target and perhaps a delay of its own."""

    keys = ("start", "index", "delay")
    stores_index = True

    def weight_shape(self, connection: Connection) -> tuple[int, ...]:
        """Return (synapses,)."""
        assert connection.index is not None
        return (len(connection.index),)

    def fan_in(self, connection: Connection) -> np.ndarray:
        """Return the synapses that end at each current, (n_out,) int64, counted in stretches."""
        assert connection.index is not None
        count = np.zeros(connection.n_out, np.int64)
        for first in range(0, len(connection.index), _STRETCH):
            part = connection.index[first : first + _STRETCH]
            count += np.bincount(part, minlength=connection.n_out)
        return count

    def largest_fan_in(self, connection: Connection) -> int:
        """Return that of the current with most synapses."""
        return int(self.fan_in(connection).max(initial=0))

    def count(self, connection: Connection, slice_of: np.ndarray, slices: int) -> Counted:
        """Return the synapses of each row by the slice of their targets; each row is a kind."""
        start, index, n_in = connection.start, connection.index, connection.n_in
        assert start is not None and index is not None
        count = np.zeros((n_in, slices), np.int64)
        many = max(1, _STRETCH * n_in // max(1, len(index)))
        for first in range(0, n_in, many):
            edge = start[first : first + many + 1]
            row = np.repeat(np.arange(len(edge) - 1), np.diff(edge)) * slices
            row += slice_of[index[edge[0] : edge[-1]]]
            found = np.bincount(row, minlength=(len(edge) - 1) * slices)
            count[first : first + many] = found.reshape(-1, slices)
        return np.arange(n_in), count

    def stored(
        self, connection: Connection, slice_of: np.ndarray, slices: int, bits: RowBits
    ) -> np.ndarray:
        """Return the synapses that end on each slice, row by row where rows are packed."""
        if connection.is_ternary:
            return bits(self.count(connection, slice_of, slices)[1]).sum(axis=0)
        total = np.zeros(slices, np.int64)
        np.add.at(total, slice_of, self.fan_in(connection))
        return bits(total)

    def reached(self, connection: Connection, sources: np.ndarray) -> np.ndarray:
        """Return the targets of the sources' rows."""
        start, index = connection.start, connection.index
        assert start is not None and index is not None
        hit = np.zeros(connection.n_out, bool)
        for source in sources:
            hit[index[start[source] : start[source + 1]]] = True
        return hit

    def layout(self, connection: Connection) -> Layout:
        """Return the rows as they are."""
        start, index = connection.start, connection.index
        assert start is not None and index is not None
        target = narrow_index(index.view(), connection.n_out)
        return Layout(SPARSE_ROWS, connection.weight, np.asarray(start, np.int64), target, {})


class OneToOne(Kind):
    """Source i leads to current i alone: a sparse row of one synapse that needs no index."""

    def weight_shape(self, connection: Connection) -> tuple[int, ...]:
        """Return (sources,)."""
        return (connection.n_in,)

    def largest_fan_in(self, connection: Connection) -> int:
        """Return 1."""
        return 1

    def count(self, connection: Connection, slice_of: np.ndarray, slices: int) -> Counted:
        """Return a kind for each slice: source and current have the same number."""
        return slice_of.astype(np.int64), np.eye(slices, dtype=np.int64)

    def stored(
        self, connection: Connection, slice_of: np.ndarray, slices: int, bits: RowBits
    ) -> np.ndarray:
        """Return one weight per current, side by side."""
        return bits(np.bincount(slice_of, minlength=slices).astype(np.int64))

    def reached(self, connection: Connection, sources: np.ndarray) -> np.ndarray:
        """Return the sources' own numbers."""
        hit = np.zeros(connection.n_out, bool)
        hit[sources] = True
        return hit

    def layout(self, connection: Connection) -> Layout:
        """Return rows of one synapse."""
        number = np.arange(connection.n_in + 1)
        target = narrow_index(number[:-1], connection.n_out)
        return Layout(SPARSE_ROWS, connection.weight, number, target, {})


class Convolution(Kind):
    """One kernel slides over all pixels; its channels may be split into groups that do not meet."""

    keys = ("stride", "padding", "dilation", "groups")

    def weight_shape(self, connection: Connection) -> tuple[int, ...]:
        """Return (channels out, channels in / groups, height, width)."""
        shape, groups = connection.input_shape, connection.groups
        return (connection.output_shape[0], shape[0] // groups, *connection.plane_shape[2:])

    def largest_fan_in(self, connection: Connection) -> int:
        """Return the weights of one channel's kernel."""
        return prod(connection.plane_shape[1:])

    def count(self, connection: Connection, slice_of: np.ndarray, slices: int) -> Counted:
        """Return how often the sources of a pixel and a group meet currents of each slice."""
        pixels, groups, n_in = prod(connection.input_shape[1:]), connection.groups, connection.n_in
        source, target, _ = convolution.pixels(connection)
        count = np.zeros((groups, pixels * slices), np.int64)
        by_group = slice_of.reshape(groups, -1, prod(connection.output_shape[1:]))
        for here, channels in zip(count, by_group):
            first = np.flatnonzero([True, *(channels[1:] != channels[:-1]).any(axis=1)])
            for channel, times in zip(channels[first], np.diff(first, append=len(channels))):
                met = source * slices + channel[target]
                here += times * np.bincount(met, minlength=pixels * slices)
        kind = np.arange(n_in) // (n_in // groups) * pixels + np.arange(n_in) % pixels
        return kind, count.reshape(-1, slices)

    def stored(
        self, connection: Connection, slice_of: np.ndarray, slices: int, bits: RowBits
    ) -> np.ndarray:
        """Return the kernels of the channels each slice holds a current of."""
        channels = connection.output_shape[0]
        channel = np.repeat(np.arange(channels), prod(connection.output_shape[1:]))
        held = np.unique(slice_of.astype(np.int64) * channels + channel) // channels
        kernel = np.array(prod(connection.plane_shape[1:]), np.int64)
        return np.bincount(held, minlength=slices) * bits(kernel)

    def reached(self, connection: Connection, sources: np.ndarray) -> np.ndarray:
        """Return the pixels the kernel leads to, in all channels of the sources' groups."""
        pixels, groups = prod(connection.input_shape[1:]), connection.groups
        source, target, _ = convolution.pixels(connection)
        plane = np.zeros((groups, prod(connection.output_shape[1:])), bool)
        group = sources // pixels // (connection.input_shape[0] // groups)
        for number in range(groups):
            lit = np.zeros(pixels, bool)
            lit[sources[group == number] % pixels] = True
            plane[number, target[lit[source]]] = True
        return np.repeat(plane, connection.output_shape[0] // groups, axis=0).reshape(-1)

    def layout(self, connection: Connection) -> Layout:
        """Return kernels as (plane, group, channel in, row, columns by phase, channel out)."""
        order, start = convolution.phases(connection)
        groups, per_group = connection.groups, connection.plane_shape[1]
        shape = (-1, groups, connection.output_shape[0] // groups, *connection.plane_shape[1:])
        by_phase = connection.weight.reshape(shape).transpose(0, 1, 3, 4, 5, 2)[..., order, :]
        _, dilation = pair(connection.dilation)
        geometry = convolution.geometry(connection) | {"channels_in": per_group}
        return Layout(RUNS, by_phase, start, order * dilation, geometry)


#: written name -> the kind
KINDS: dict[str, Kind] = {
    DENSE: Dense(),
    SPARSE: Sparse(),
    CONVOLUTION: Convolution(),
    ONE_TO_ONE: OneToOne(),
}
