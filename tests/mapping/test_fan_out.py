"""Synapses of each source on each slice, counted by walking every weight."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.describe.chip import Chip
from simulator.describe.network import CONVOLUTION, DENSE, SPARSE, Connection, Layer, Neuron, Pool
from simulator.mapping import fan_out


def neuron(n: int) -> Neuron:
    ones = np.ones(n, np.int64)
    return Neuron("if", ones, 0 * ones, 0 * ones)


def convolution(channels_in, high, wide, channels, kernel, stride, padding, pool=None) -> Layer:
    out = (
        channels,
        (high + 2 * padding - kernel) // stride + 1,
        (wide + 2 * padding - kernel) // stride + 1,
    )
    shape = out if pool is None else (out[0], out[1] // pool, out[2] // pool)
    weight = np.ones((channels, channels_in, kernel, kernel), np.int32)
    connection = Connection(CONVOLUTION, weight, 8, (channels_in, high, wide), out, stride, padding)
    return Layer(
        "conv",
        shape,
        connection,
        neuron(int(np.prod(shape))),
        None if pool is None else Pool("max", pool),
    )


def walk(layer: Layer) -> list[tuple[int, int]]:
    """Return every (source, neuron) pair of a layer, one per synapse, straight from the
    definition.
    """
    connection, pairs = layer.connection, []
    if connection.kind == DENSE:
        return [(i, j) for i in range(connection.n_in) for j in range(connection.n_out)]
    if connection.kind == SPARSE:
        return [
            (i, int(connection.index[k]))
            for i in range(connection.n_in)
            for k in range(connection.start[i], connection.start[i + 1])
        ]
    (c_in, high, wide), (c_out, out_high, out_wide) = (
        connection.input_shape,
        connection.output_shape,
    )
    size = 1 if layer.pool is None else layer.pool.size
    for co in range(c_out):
        for oy in range(out_high):
            for ox in range(out_wide):
                target = (co * layer.shape[1] + oy // size) * layer.shape[2] + ox // size
                for ci in range(c_in):
                    for ky in range(connection.weight.shape[2]):
                        for kx in range(connection.weight.shape[3]):
                            y = oy * connection.stride + ky - connection.padding
                            x = ox * connection.stride + kx - connection.padding
                            if 0 <= y < high and 0 <= x < wide:
                                pairs.append(((ci * high + y) * wide + x, target))
    return pairs


@st.composite
def layers(draw) -> Layer:
    kind = draw(st.sampled_from([DENSE, SPARSE, CONVOLUTION, "pooled"]))
    if kind in (CONVOLUTION, "pooled"):
        pool = 2 if kind == "pooled" else None
        side = draw(st.sampled_from([4, 6])) if pool else draw(st.integers(3, 6))
        kernel, padding = (3, 1) if pool else (draw(st.integers(1, 3)), draw(st.integers(0, 2)))
        stride = 1 if pool else draw(st.integers(1, 2))
        return convolution(
            draw(st.integers(1, 3)),
            side,
            side,
            draw(st.integers(1, 3)),
            kernel,
            stride,
            padding,
            pool,
        )
    n_in, n_out = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    if kind == DENSE:
        return Layer(
            "d",
            (n_out,),
            Connection(DENSE, np.ones((n_in, n_out), np.int32), 8, (n_in,), (n_out,)),
            neuron(n_out),
        )
    rows = [sorted(draw(st.sets(st.integers(0, n_out - 1)))) for _ in range(n_in)]
    start = np.cumsum([0] + [len(row) for row in rows])
    index = np.array([target for row in rows for target in row], np.int64)
    connection = Connection(
        SPARSE, np.ones(len(index), np.int32), 8, (n_in,), (n_out,), start=start, index=index
    )
    return Layer("s", (n_out,), connection, neuron(n_out))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(layers(), st.data())
def test_targets_are_the_synapses_one_by_one(layer: Layer, data) -> None:
    cuts = data.draw(st.sets(st.integers(1, max(layer.n_neurons - 1, 1)), max_size=4)) - {
        layer.n_neurons
    }
    bounds = np.array([0, *sorted(cuts), layer.n_neurons])
    expected = np.zeros((layer.connection.n_in, len(bounds) - 1), np.int64)
    for source, target in walk(layer):
        expected[source, np.searchsorted(bounds, target, side="right") - 1] += 1
    assert np.array_equal(fan_out.targets(layer, bounds), expected)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(layers(), st.data())
def test_touched_neurons_are_those_with_a_synapse_from_a_source(layer: Layer, data) -> None:
    sources = np.array(
        sorted(data.draw(st.sets(st.integers(0, layer.connection.n_in - 1)))), np.int64
    )
    expected = np.zeros(layer.n_neurons, bool)
    for source, target in walk(layer):
        expected[target] |= source in sources
    assert np.array_equal(fan_out.touched(layer, sources), expected)


# bits of weights       layer                                    bounds         of each slice, by
# hand
MEMORY = [
    (
        convolution(2, 4, 4, 3, 3, 1, 1),
        [0, 16, 48],
        [1 * 2 * 9 * 8, 2 * 2 * 9 * 8],
    ),  # whole channels
    (
        convolution(2, 4, 4, 3, 3, 1, 1),
        [0, 24, 48],
        [2 * 2 * 9 * 8, 2 * 2 * 9 * 8],
    ),  # channel 1 is stored twice
    (convolution(1, 4, 4, 2, 3, 1, 1, 2), [0, 4, 8], [9 * 8, 9 * 8]),  # pooled: 4 neurons a channel
]


@pytest.mark.parametrize(("layer", "bounds", "expected"), MEMORY)
def test_a_shared_kernel_is_stored_once_per_channel(
    layer: Layer, bounds: list[int], expected: list[int]
) -> None:
    chip = Chip.load("generic-22nm")
    assert fan_out.synapse_bits(chip, layer, np.array(bounds)).tolist() == expected
