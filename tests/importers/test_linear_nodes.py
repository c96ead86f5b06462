"""Linear nodes of all shapes: what arrives is what loops over the definition give, to the bit."""

from itertools import product

import numpy as np
import pytest
from nir_writer import chain, conv, integrator, pool, write

from simulator.behaviour import raster
from simulator.describe.network import fed
from simulator.importers.choices import Choices
from simulator.importers.formats import import_file

RNG = np.random.default_rng(3)
CHOICES = Choices(tool="nir", dt=1.0)
STEPS = 3


def whole(*shape: int) -> np.ndarray:
    return RNG.integers(-3, 4, shape).astype(np.float32)


def pair(value) -> tuple[int, int]:
    return (value, value) if np.ndim(value) == 0 else tuple(value)


def slid(x, weight, stride, before, behind, dilation, groups):
    """Cross-correlation of one image by loops over its definition."""
    x = np.pad(x, ((0, 0), *zip(before, behind)))
    reach = [gap * (size - 1) for gap, size in zip(dilation, weight.shape[2:])]
    high, wide = ((side - r - 1) // s + 1 for side, r, s in zip(x.shape[1:], reach, stride))
    y = np.zeros((len(weight), high, wide))
    per_out, per_in = len(weight) // groups, weight.shape[1]
    for o, i, ky, kx in np.ndindex(weight.shape):
        for oy, ox in product(range(high), range(wide)):
            row, column = oy * stride[0] + ky * dilation[0], ox * stride[1] + kx * dilation[1]
            y[o, oy, ox] += weight[o, i, ky, kx] * x[o // per_out * per_in + i, row, column]
    return y


def summed(x, kernel, stride, padding):
    each = np.ones((len(x), 1, *kernel))
    return slid(x, each, stride, padding, padding, (1, 1), len(x))


def arrived(path, shape, timesteps: int = STEPS):
    """Random spikes, and what an imported network reads of them."""
    spikes = RNG.integers(0, 2, (2, timesteps, int(np.prod(shape))))
    imported = import_file(path, CHOICES)
    found = raster.run(imported.network, fed("raster", spikes, 1), "snn", timesteps)
    return spikes.reshape(2, timesteps, *shape), found.outputs, imported


#       shape        weights         stride   padding  dilation groups
CONVOLUTIONS = [
    ((2, 7, 6), (4, 2, 3, 3), 1, 0, 1, 1),
    ((2, 7, 6), (4, 2, 3, 2), (2, 1), (1, 0), 1, 1),  # no square
    ((2, 9, 5), (3, 2, 1, 4), (1, 2), (0, 2), 1, 1),
    ((4, 6, 8), (6, 2, 3, 3), 1, 1, 1, 2),  # groups
    ((4, 6, 8), (8, 1, 3, 2), (2, 3), (1, 1), (1, 2), 4),
    ((1, 9, 9), (2, 1, 3, 3), 1, 2, 2, 1),  # dilated
    ((3, 5, 5), (2, 3, 1, 1), 2, 0, 1, 1),
    ((2, 4, 4), (2, 2, 2, 2), 1, 2, 1, 1),  # more zeros than the kernel covers
]


@pytest.mark.parametrize(("shape", "size", "stride", "padding", "dilation", "groups"), CONVOLUTIONS)
def test_a_convolution(shape, size, stride, padding, dilation, groups, tmp_path) -> None:
    weight, bias = whole(*size), whole(size[0])
    node = conv(weight, bias, stride, padding, dilation, groups)
    path = chain(tmp_path / "n.nir", shape, node, integrator())
    spikes, outputs, _ = arrived(path, shape)
    zeros = pair(padding)
    for x, read in zip(spikes, outputs):
        each = [
            slid(image, weight, pair(stride), zeros, zeros, pair(dilation), groups)
            + bias[:, None, None]
            for image in x
        ]
        assert (sum(each).reshape(-1) == read).all()


@pytest.mark.parametrize(
    ("side", "kernel", "stride"), list(product((5, 6, 7), (2, 3, 4), (1, 2, 3)))
)
def test_same_padding_gives_a_pixel_per_stride(side, kernel, stride, tmp_path) -> None:
    weight = whole(2, 1, kernel, 3)
    path = chain(
        tmp_path / "n.nir", (1, side, 6), conv(weight, None, (stride, 1), "same"), integrator()
    )
    spikes, outputs, _ = arrived(path, (1, side, 6))
    total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    before, behind = (total // 2, 1), (total - total // 2, 1)
    for x, read in zip(spikes, outputs):
        each = [slid(image, weight, (stride, 1), before, behind, (1, 1), 1) for image in x]
        assert (2, -(-side // stride), 6) == each[0].shape
        assert (sum(each).reshape(-1) == read).all()


@pytest.mark.parametrize(("stride", "padding", "dilation"), [(1, 0, 1), (2, 3, 1), (1, 2, 2)])
def test_a_convolution_of_one_dimension(stride, padding, dilation, tmp_path) -> None:
    weight, bias = whole(3, 2, 4), whole(3)
    node = conv(weight, bias, stride, padding, dilation)
    path = chain(tmp_path / "n.nir", (2, 12), node, integrator())
    spikes, outputs, _ = arrived(path, (2, 12))
    for x, read in zip(spikes, outputs):
        each = [
            slid(line[:, None], weight[:, :, None], (1, stride), (0, padding), (0, padding),
                 (1, dilation), 1) + bias[:, None, None]
            for line in x
        ]  # fmt: skip
        assert (sum(each).reshape(-1) == read).all()


#        shape      kernel  stride  padding
POOLS = [
    ((2, 6, 6), 2, 2, 0),
    ((2, 7, 6), (3, 2), (3, 2), 0),  # a row is left over
    ((3, 6, 8), (2, 4), (1, 2), (1, 2)),
    ((2, 5, 5), 3, 2, 1),
]
#         before the pool, behind it
AROUND = ["alone", "conv before", "conv behind", "dense behind", "scale behind"]


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize(("shape", "kernel", "stride", "padding"), POOLS)
@pytest.mark.parametrize("kind", ["SumPool2d", "AvgPool2d"])
def test_a_pool(kind, shape, kernel, stride, padding, around, tmp_path) -> None:
    """Averages are read times the area of a field, which keeps them whole."""
    k, s, p = pair(kernel), pair(stride), pair(padding)
    weight = whole(3, shape[0], 3, 3)
    steps = [lambda x: summed(x, k, s, p)]
    nodes = [pool(kind, kernel, stride, padding)]
    if around == "conv before":
        steps.insert(0, lambda x: slid(x, weight, (1, 1), (1, 1), (1, 1), (1, 1), 1))
        nodes.insert(0, conv(weight, None, 1, 1))
    elif around == "conv behind":
        steps.append(lambda x: slid(x, weight, (1, 1), (1, 1), (1, 1), (1, 1), 1))
        nodes.append(conv(weight, None, 1, 1))
    elif around == "dense behind":
        many = steps[0](np.zeros(shape)).size
        dense = whole(4, many)
        steps.append(lambda x: dense @ x.reshape(-1))
        flat = {"type": "Flatten", "start_dim": np.array(0), "end_dim": np.array(-1)}
        nodes += [flat, {"type": "Linear", "weight": dense}]
    elif around == "scale behind":
        steps.append(lambda x: 2 * x)
        nodes.append({"type": "Scale", "scale": np.array([2.0])})
    area = k[0] * k[1] if kind == "AvgPool2d" else 1
    path = chain(tmp_path / "n.nir", shape, *nodes, {"type": "I", "r": np.array([float(area)])})
    spikes, outputs, imported = arrived(path, shape)
    assert imported.floating is not None
    entering = {0: spikes.reshape(2, STEPS, -1).astype(float)}
    reals = imported.floating.outcome(imported.floating.run(entering))
    for x, read, real in zip(spikes, outputs, reals):
        expected = []
        for y in x:
            for step in steps:
                y = step(y)
            expected.append(y)
        assert np.allclose(sum(expected).reshape(-1), real, rtol=1e-12, atol=1e-9)
        unit = imported.rounded[0].scale_low * area
        assert np.allclose(sum(expected).reshape(-1), read * unit, rtol=1e-9, atol=1e-6)


def test_edges_into_a_node_add_and_biases_count_once(tmp_path) -> None:
    """Two ways to one linear node, and a bias before and behind it."""
    one, two, last = whole(3, 4), whole(3, 4), whole(2, 3)
    b_one, b_last = whole(3), whole(2)
    nodes = {
        "input": {"type": "Input", "shape": np.array([4])},
        "one": {"type": "Affine", "weight": one, "bias": b_one},
        "two": {"type": "Linear", "weight": two},
        "last": {"type": "Affine", "weight": last, "bias": b_last},
        "sum": integrator(),
        "output": {"type": "Output", "shape": np.array([2])},
    }
    edges = [
        ("input", "one"), ("input", "two"), ("one", "last"), ("two", "last"), ("last", "sum"),
        ("sum", "output"),
    ]  # fmt: skip
    spikes, outputs, _ = arrived(write(tmp_path / "n.nir", nodes, edges), (4,))
    for x, read in zip(spikes, outputs):
        each = [last @ (one @ y + b_one + two @ y) + b_last for y in x]
        assert (sum(each) == read).all()


def test_delays_are_whole_timesteps_of_sources_or_targets(tmp_path) -> None:
    weight = whole(3, 4)
    late = {"type": "Delay", "delay": np.array([0.0, 1.0, 2.0, 1.0])}
    linear = {"type": "Linear", "weight": weight}
    later = {"type": "Delay", "delay": np.array([2.0, 0.0, 1.0])}
    all_late = {"type": "Delay", "delay": np.array(1.0)}
    cases = [
        ((late, linear), lambda s, o: s),
        ((linear, later), lambda s, o: o),
        ((all_late, linear, all_late), lambda s, o: 2),
    ]
    steps, own = np.array([0, 1, 2, 1]), np.array([2, 0, 1])
    for nodes, delay in cases:
        path = chain(tmp_path / "n.nir", (4,), *nodes, integrator())
        spikes, outputs, _ = arrived(path, (4,), 6)
        for x, read in zip(spikes, outputs):
            total = np.zeros(3)
            for t, source, target in np.ndindex(6, 4, 3):
                if t + delay(steps[source], own[target]) < 6:
                    total[target] += weight[target, source] * x[t, source]
            assert (total == read).all()
        path.unlink()
