"""Ways to cut a population into tiles, one slice each: consecutive neurons, channels, or spatial
tiles; and what each source has on each tile, in closed form where a convolution leads there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import prod

import numpy as np

from simulator.describe.chip import Chip
from simulator.describe.connections import CONVOLUTION, DENSE
from simulator.describe.convolution import pair
from simulator.describe.network import Network, Projection
from simulator.mapping import fan_out, zeros
from simulator.mapping.fan_out import FanOut
from simulator.mapping.memories import Size
from simulator.mapping.stages import row_bits

#: tiles along a side that are tried
SIDES = 16


@dataclass(frozen=True)
class Cut:
    """A shape (channels, height, width) in tiles (c, h, w) of it, as equal as can be along each
    side, the larger ones first; tiles are numbered channel-major, as neurons are.
    """

    shape: tuple[int, int, int]
    tiles: tuple[int, int, int]

    @property
    def n_tiles(self) -> int:
        """Tiles in all."""
        return prod(self.tiles)

    @property
    def is_row(self) -> bool:
        """Whether it cuts consecutive neurons, whatever their channels."""
        return self.shape[1:] == (1, 1)

    @property
    def largest(self) -> tuple[int, int, int]:
        """The shape of the first tile, which is the largest."""
        return tuple(-(-size // count) for size, count in zip(self.shape, self.tiles))  # type: ignore[return-value]

    def parts(self, axis: int) -> np.ndarray:
        """Return how many places each tile has along one side."""
        each, more = divmod(self.shape[axis], self.tiles[axis])
        return each + (np.arange(self.tiles[axis]) < more)

    def along(self, axis: int) -> np.ndarray:
        """Return the tile of each place along one side."""
        return np.repeat(np.arange(self.tiles[axis]), self.parts(axis))

    @property
    def slice_of(self) -> np.ndarray:
        """The tile of each neuron, (n_neurons,) int64."""
        c, y, x = (self.along(axis) for axis in range(3))
        of_channel = c[:, None, None] * self.tiles[1] + y[None, :, None]
        return (of_channel * self.tiles[2] + x[None, None, :]).reshape(-1)

    @property
    def sizes(self) -> np.ndarray:
        """Neurons of each tile, (n_tiles,) int64."""
        c, y, x = (self.parts(axis) for axis in range(3))
        return (c[:, None, None] * y[None, :, None] * x[None, None, :]).reshape(-1)

    def __str__(self) -> str:
        """Return the cut in words: '2x4x4 tiles of 32x8x8'."""
        if self.is_row:
            return f"{self.tiles[0]} of {-(-self.shape[0] // self.tiles[0])}"
        tile = "x".join(str(-(-size // count)) for size, count in zip(self.shape, self.tiles))
        return f"{'x'.join(map(str, self.tiles))} tiles of {tile}"


def shape_of(network: Network, number: int) -> tuple[int, int, int]:
    """Return a population's shape as (channels, height, width); one that no convolution concerns is
    a row.
    """
    shape = network.populations[number].shape
    paths = [network.projections[k] for k in (*network.incoming[number], *network.outgoing[number])]
    if len(shape) == 3 and any(path.connection.kind == CONVOLUTION for path in paths):
        return shape[0], shape[1], shape[2]
    return prod(shape), 1, 1


def candidates(network: Network, number: int, least: int, most: int) -> Iterator[Cut]:
    """Yield the cuts of a population into `least` to `most` tiles, each size of tile once."""
    shape = shape_of(network, number)
    sides = [_counts(size) for size in shape[1:]]
    for high in sides[0]:
        for wide in sides[1]:
            for deep in _counts(shape[0], -(-least // (high * wide)), most // (high * wide)):
                yield Cut(shape, (deep, high, wide))


def _counts(size: int, least: int = 1, most: int = SIDES) -> list[int]:
    """Return the least count of parts for each size of part."""
    parts = {-(-size // count) for count in range(max(1, least), min(size, most) + 1)}
    return sorted(count for count in {-(-size // part) for part in parts} if count >= least)


def reached(projection: Projection, cut: Cut, chip: Chip | None = None) -> FanOut:
    """Return the synapses of each source on each tile of the target, as `fan_out.targets` has
    them; of a convolution as the product of its rows, its columns and the tiles' channels.
    """
    joined = projection.connection
    is_skipped = chip is not None and zeros.is_skipped(chip, joined)
    if joined.kind != CONVOLUTION or cut.is_row or is_skipped:
        return fan_out.targets(projection, cut.slice_of, cut.n_tiles, chip)
    size = 1 if projection.pool is None else projection.pool.size
    rows, columns = (_along(joined, axis, size, cut) for axis in (0, 1))
    groups, channels = joined.groups, joined.output_shape[0]
    deep = np.zeros((groups, cut.tiles[0]), np.int64)
    np.add.at(deep, (np.arange(channels) * groups // channels, cut.along(0)), 1)
    count = np.einsum("gc,yh,xw->gyxchw", deep, rows, columns).reshape(-1, cut.n_tiles)
    pixels, n_in = prod(joined.input_shape[1:]), joined.n_in
    kind = np.arange(n_in) // (n_in // groups) * pixels + np.arange(n_in) % pixels
    return FanOut(kind, count)


def _along(joined, axis: int, pool: int, cut: Cut) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Return how often each row of sources meets the rows of each tile, along one axis."""
    side, out = joined.input_shape[1 + axis], joined.output_shape[1 + axis]
    stride, padding, dilation = (
        pair(size)[axis] for size in (joined.stride, joined.padding, joined.dilation)
    )
    at = np.arange(out)
    met = np.zeros((side, cut.tiles[1 + axis]), np.int64)
    tile = cut.along(1 + axis)[at // pool]
    for place in range(joined.plane_shape[2 + axis]):
        source = at * stride + place * dilation - padding
        inside = (source >= 0) & (source < side)
        np.add.at(met, (source[inside], tile[inside]), 1)
    return met


def synapse_bits(size: Size, cut: Cut) -> np.ndarray:
    """Return the weight memory of each tile, (n_tiles,) int64 bits, as `Size.synapse_bits`."""
    total = np.zeros(cut.n_tiles, np.int64)
    for path, _ in size.network.drives(size.number):
        joined = path.connection
        if zeros.is_skipped(size.chip, joined):
            return size.synapse_bits(cut.slice_of, cut.n_tiles)
        bits = partial(row_bits, size.chip, joined)
        if joined.kind == CONVOLUTION and not cut.is_row:
            kernel = bits(np.array(prod(joined.plane_shape[1:]), np.int64)) * joined.planes
            deep = cut.parts(0) * kernel
            total += np.repeat(deep, cut.tiles[1] * cut.tiles[2])
        elif joined.kind == DENSE:
            total += joined.n_in * bits(cut.sizes) * joined.planes
        else:
            slice_of = cut.slice_of[path.neuron_of_current]
            total += joined.stored(slice_of, cut.n_tiles, bits)
    return total


def fullest(size: Size, cut: Cut) -> int:
    """Return the most of `synapse_bits`: those of the first tile, where each is as large as what
    leads to it is.
    """
    most = 0
    for path, _ in size.network.drives(size.number):
        joined = path.connection
        is_plane = joined.kind == CONVOLUTION and not cut.is_row
        if zeros.is_skipped(size.chip, joined) or not (is_plane or joined.kind == DENSE):
            return int(synapse_bits(size, cut).max())
        row = prod(joined.plane_shape[1:]) if is_plane else prod(cut.largest)
        rows = cut.largest[0] if is_plane else joined.n_in
        most += int(row_bits(size.chip, joined, np.array(row, np.int64))) * rows * joined.planes
    return most


def fits(size: Size, cut: Cut, neurons_per_core: int | None) -> bool:
    """Return whether each tile fits a core by its neurons and weights."""
    room, most = size.chip.core.memory, prod(cut.largest)
    if most * size.state > room.neurons or (neurons_per_core and most > neurons_per_core):
        return False
    return fullest(size, cut) <= room.synapses
