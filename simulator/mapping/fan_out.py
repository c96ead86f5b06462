"""Which synapses each source neuron has on each slice of the next layer, and what storing them
takes.
"""

from __future__ import annotations

import numpy as np

from simulator.describe.chip import Chip
from simulator.describe.network import CONVOLUTION, DENSE, Connection, Layer
from simulator.mapping import stages

#: synapses of sparse rows looked at in one go, about
_STRETCH = 1 << 20


#: the synapse unit adds to one accumulator while the soma reads and clears the other: what comes in
#: a step is integrated for the next [W7]
PLANES = 2


def currents(layer: Layer) -> int:
    """Return the accumulators a neuron's currents take: 1, which also takes a sum, or size² where
    the largest of them counts.
    """
    return layer.pool.size**2 if layer.pool is not None and layer.pool.kind == "max" else 1


def neuron_bits(chip: Chip, layer: Layer) -> int:
    """Return the neuron memory one neuron needs: its state and its accumulators."""
    accumulators = PLANES * currents(layer)
    return chip.core.soma.state + accumulators * chip.core.synapse.accumulator


def neuron_of_accumulator(layer: Layer) -> np.ndarray:
    """Return the neuron each of the connection's targets belongs to, (connection.n_out,) int64."""
    if layer.pool is None:
        return np.arange(layer.connection.n_out)
    channels, high, wide = layer.connection.output_shape
    size = layer.pool.size
    neuron = np.arange(layer.n_neurons).reshape(layer.shape)
    return neuron.repeat(size, axis=1).repeat(size, axis=2).reshape(-1)


def output_rows(connection: Connection) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for a convolution all (source pixel, target pixel) pairs of its kernel positions, and
    the position.

    Pixels are y·W + x without the channel; pairs are the same for every pair of channels.
    """
    assert connection.kind == CONVOLUTION
    _, high, wide = connection.input_shape
    _, out_high, out_wide = connection.output_shape
    _, _, kernel_high, kernel_wide = connection.weight.shape
    oy, ox, ky, kx = np.meshgrid(
        np.arange(out_high),
        np.arange(out_wide),
        np.arange(kernel_high),
        np.arange(kernel_wide),
        indexing="ij",
    )
    y = oy * connection.stride + ky - connection.padding
    x = ox * connection.stride + kx - connection.padding
    inside = (y >= 0) & (y < high) & (x >= 0) & (x < wide)
    position = ky * kernel_wide + kx
    return (y * wide + x)[inside], (oy * out_wide + ox)[inside], position[inside]


def targets(layer: Layer, bounds: np.ndarray) -> np.ndarray:
    """Return the synapses of each source neuron on each slice, (n_in, n_slices) int64.

    bounds: (n_slices + 1,) first neuron of each slice, and the layer's size.
    """
    connection = layer.connection
    slices = len(bounds) - 1
    if connection.kind == DENSE:
        return np.broadcast_to(
            np.diff(bounds).astype(np.int64), (connection.n_in, slices)
        )  # stored once
    slice_of = np.searchsorted(bounds, neuron_of_accumulator(layer), side="right") - 1
    if connection.kind == CONVOLUTION:
        pixels = connection.input_shape[1] * connection.input_shape[2]
        out_pixels = connection.output_shape[1] * connection.output_shape[2]
        source, target, _ = output_rows(connection)
        count = np.zeros((pixels, slices), np.int64)
        for channel_slices in slice_of.reshape(-1, out_pixels):
            np.add.at(count, (source, channel_slices[target]), 1)
        return np.tile(count, (connection.input_shape[0], 1))
    assert connection.start is not None and connection.index is not None
    count = np.zeros((connection.n_in, slices), np.int64)
    many = max(1, _STRETCH * connection.n_in // max(1, len(connection.index)))
    for first in range(0, connection.n_in, many):
        start = connection.start[first : first + many + 1]
        row = np.repeat(np.arange(len(start) - 1), np.diff(start)) * slices
        row += slice_of[connection.index[start[0] : start[-1]]]
        count[first : first + many] = np.bincount(row, minlength=(len(start) - 1) * slices).reshape(
            -1, slices
        )
    return count


def synapse_bits(chip: Chip, layer: Layer, bounds: np.ndarray) -> np.ndarray:
    """Return the weight memory each slice needs, (n_slices,) int64 bits; a shared kernel is stored
    once per channel.
    """
    connection = layer.connection
    if connection.kind == DENSE:
        return connection.n_in * stages.weight_bits(chip, connection, np.diff(bounds))
    if connection.kind == CONVOLUTION:
        area = layer.n_neurons // layer.shape[0]
        channels = (bounds[1:] - 1) // area - bounds[:-1] // area + 1
        kernel = np.array(np.prod(connection.weight.shape[1:]), np.int64)
        return channels * stages.weight_bits(chip, connection, kernel)
    assert connection.index is not None
    if chip.core.synapse.packed:  # rows begin at whole bytes
        return stages.row_bits(chip, connection, targets(layer, bounds)).sum(axis=0)
    total = np.concatenate([[0], np.cumsum(connection.fan_in)])
    return np.diff(total[bounds]) * (connection.weight_bits + chip.core.synapse.index)


def touched(layer: Layer, sources: np.ndarray) -> np.ndarray:
    """Return which neurons of the layer get at least one synapse from `sources`, (n_neurons,)
    bool.
    """
    connection = layer.connection
    hit = np.zeros(connection.n_out, bool)
    if not len(sources):
        return np.zeros(layer.n_neurons, bool)
    if connection.kind == DENSE:
        hit[:] = True
    elif connection.kind == CONVOLUTION:
        pixels = connection.input_shape[1] * connection.input_shape[2]
        lit = np.zeros(pixels, bool)
        lit[sources % pixels] = True
        source, target, _ = output_rows(connection)
        plane = np.zeros(connection.output_shape[1] * connection.output_shape[2], bool)
        plane[target[lit[source]]] = True
        hit = np.tile(plane, connection.output_shape[0])
    else:
        assert connection.start is not None and connection.index is not None
        for source in sources:
            hit[connection.index[connection.start[source] : connection.start[source + 1]]] = True
    found = np.zeros(layer.n_neurons, bool)
    found[neuron_of_accumulator(layer)[hit]] = True
    return found
