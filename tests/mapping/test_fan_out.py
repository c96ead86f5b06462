"""Synapses of each source on each slice, counted by walking every weight."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.describe.chip import Chip
from simulator.describe.connections import CONVOLUTION, DENSE, ONE_TO_ONE, SPARSE, Connection
from simulator.describe.network import Layer, Neuron, Pool, Projection, chain
from simulator.mapping import fan_out


def neuron(n: int) -> Neuron:
    ones = np.ones(n, np.int64)
    return Neuron("if", ones, 0 * ones, 0 * ones)


def convolution(shape, channels, kernel, stride, padding, dilation=(1, 1), groups=1, pool=None):
    """Return a layer of a convolution; sizes are (vertical, horizontal)."""
    sides = [
        (side + 2 * pad - step * (size - 1) - 1) // move + 1
        for side, size, move, pad, step in zip(shape[1:], kernel, stride, padding, dilation)
    ]
    weight = np.ones((channels, shape[0] // groups, *kernel), np.int32)
    connection = Connection(
        CONVOLUTION, weight, 8, shape, (channels, *sides), stride, padding,
        dilation=dilation, groups=groups,
    )  # fmt: skip
    after = (channels, *(side // (pool or 1) for side in sides))
    cells = neuron(int(np.prod(after)))
    return Layer("conv", after, connection, cells, None if pool is None else Pool("max", pool))


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
    if connection.kind == ONE_TO_ONE:
        return [(i, i) for i in range(connection.n_in)]
    (c_in, high, wide), (c_out, out_high, out_wide) = (
        connection.input_shape,
        connection.output_shape,
    )
    size, groups = 1 if layer.pool is None else layer.pool.size, connection.groups
    (sy, sx), (py, px), (dy, dx) = connection.stride, connection.padding, connection.dilation
    for co, ci in product(range(c_out), range(c_in)):
        if co * groups // c_out != ci * groups // c_in:
            continue
        for oy, ox, ky, kx in np.ndindex(out_high, out_wide, *connection.weight.shape[2:]):
            target = (co * layer.shape[1] + oy // size) * layer.shape[2] + ox // size
            y, x = oy * sy + ky * dy - py, ox * sx + kx * dx - px
            if 0 <= y < high and 0 <= x < wide:
                pairs.append(((ci * high + y) * wide + x, target))
    return pairs


@st.composite
def layers(draw) -> Layer:
    kind = draw(st.sampled_from([DENSE, SPARSE, CONVOLUTION, ONE_TO_ONE, "pooled"]))
    if kind == "pooled":
        side, c_in, c_out = (draw(st.sampled_from(sizes)) for sizes in ((4, 6), (1, 2), (1, 3)))
        return convolution((c_in, side, side), c_out, (3, 3), (1, 1), (1, 1), pool=2)
    if kind == CONVOLUTION:
        groups = draw(st.integers(1, 2))
        shape = (groups * draw(st.integers(1, 2)), draw(st.integers(3, 6)), draw(st.integers(3, 6)))
        sizes = [(draw(st.integers(low, 2)), draw(st.integers(low, 2))) for low in (1, 1, 0, 1)]
        return convolution(shape, groups * draw(st.integers(1, 2)), *sizes, groups)
    n_in, n_out = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    more = {}
    if kind == DENSE:
        weight = np.ones((n_in, n_out), np.int32)
    elif kind == ONE_TO_ONE:
        weight, n_out = np.ones(n_in, np.int32), n_in
    else:
        rows = [sorted(draw(st.sets(st.integers(0, n_out - 1)))) for _ in range(n_in)]
        more["start"] = np.cumsum([0] + [len(row) for row in rows])
        more["index"] = np.array([target for row in rows for target in row], np.int64)
        weight = np.ones(len(more["index"]), np.int32)
    connection = Connection(kind, weight, 8, (n_in,), (n_out,), **more)
    return Layer("layer", (n_out,), connection, neuron(n_out))


def cut(layer: Layer, bounds: list[int]) -> list[int]:
    """Return the slice of each neuron of a layer cut before the neurons `bounds`."""
    return np.searchsorted(bounds, np.arange(layer.n_neurons), side="right").tolist()


def path(layer: Layer) -> Projection:
    """Return the projection into a layer."""
    return chain(layer.connection.input_shape, [layer]).projections[0]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(layers(), st.data())
def test_targets_are_the_synapses_one_by_one(layer: Layer, data) -> None:
    cuts = data.draw(st.sets(st.integers(1, max(layer.n_neurons - 1, 1)), max_size=4)) - {
        layer.n_neurons
    }
    slice_of = data.draw(st.permutations(cut(layer, sorted(cuts))))
    expected = np.zeros((layer.connection.n_in, len(cuts) + 1), np.int64)
    for source, target in walk(layer):
        expected[source, slice_of[target]] += 1
    found = fan_out.targets(path(layer), np.array(slice_of), len(cuts) + 1)
    assert np.array_equal(found.of(np.arange(layer.connection.n_in)), expected)
    assert np.array_equal(found.synapses, expected.sum(axis=1))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(layers(), st.data())
def test_touched_neurons_are_those_with_a_synapse_from_a_source(layer: Layer, data) -> None:
    sources = np.array(
        sorted(data.draw(st.sets(st.integers(0, layer.connection.n_in - 1)))), np.int64
    )
    expected = np.zeros(layer.n_neurons, bool)
    for source, target in walk(layer):
        expected[target] |= source in sources
    assert np.array_equal(fan_out.touched(path(layer), sources), expected)


PLAIN = convolution((2, 4, 4), 3, (3, 3), (1, 1), (1, 1))
GROUPED = convolution((2, 4, 4), 4, (3, 3), (1, 1), (1, 1), groups=2)
ONES = Connection(ONE_TO_ONE, np.ones(6, np.int32), 8, (6,), (6,))
TERNARY = Connection(DENSE, np.ones((7, 6), np.int32), 2, (7,), (6,))
LATE = Connection(
    SPARSE, np.ones(4, np.int32), 8, (2,), (6,),
    start=np.array([0, 2, 4]), index=np.array([0, 3, 3, 5]), delay=np.array([0, 5, 1, 2]),
)  # fmt: skip
PLANES = Connection(ONE_TO_ONE, np.ones((3, 6), np.int32), 8, (6,), (6,), per_timestep=True)


def plain(connection: Connection) -> Layer:
    return Layer("layer", (6,), connection, neuron(6))


# bits of weights       layer, bounds of slices, packed, bits of each slice, by hand
MEMORY = [
    (PLAIN, [0, 16, 48], False, [1 * 2 * 9 * 8, 2 * 2 * 9 * 8]),  # whole channels
    (PLAIN, [0, 24, 48], False, [2 * 2 * 9 * 8, 2 * 2 * 9 * 8]),  # channel 1 is stored twice
    (convolution((1, 4, 4), 2, (3, 3), (1, 1), (1, 1), pool=2), [0, 4, 8], False, [72, 72]),
    (GROUPED, [0, 16, 64], False, [1 * 1 * 9 * 8, 3 * 1 * 9 * 8]),  # half the channels in
    (plain(ONES), [0, 2, 6], False, [2 * 8, 4 * 8]),
    (plain(TERNARY), [0, 2, 6], False, [14 * 2, 28 * 2]),
    (plain(TERNARY), [0, 2, 6], True, [7 * 8, 7 * 8]),  # five of a row in eight bits
    (plain(LATE), [0, 3, 6], False, [8 + 3 + 4, 3 * (8 + 3 + 4)]),  # a delay up to 5, an index
    (plain(PLANES), [0, 2, 6], False, [3 * 2 * 8, 3 * 4 * 8]),  # stored three times
]


@pytest.mark.parametrize(("layer", "bounds", "packed", "expected"), MEMORY)
def test_each_slice_stores_its_weights(
    layer: Layer, bounds: list[int], packed: bool, expected: list[int]
) -> None:
    changes = ("core.synapse.index=4 bit", f"core.synapse.packed={str(packed).lower()}")
    chip, network = Chip.load("generic-22nm", changes), chain(layer.connection.input_shape, [layer])
    slice_of = np.array(cut(layer, bounds[1:-1]))
    assert expected == fan_out.synapse_bits(chip, network, 1, slice_of, len(expected)).tolist()
