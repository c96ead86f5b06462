"""The quantised twin of an ONNX file is the file's own arithmetic: every whole number is the one
that onnx's reference evaluator gives.
"""

import numpy as np
import onnx
import pytest
from onnx_models import MODELS, Model
from onnx_oracle import computed

from simulator.behaviour.raster import run
from simulator.describe.network import Feed, Stimulus
from simulator.errors import SpikemeshError
from simulator.importers.choices import Choices
from simulator.importers.formats import import_file


@pytest.fixture
def imported(tmp_path):
    def read(proto, name="model"):
        path = tmp_path / f"{name}.onnx"
        onnx.save(proto, path)
        return import_file(path, Choices())

    return read


SHAPES = {"residual": (2, 8, 8), "halves": (12,), "averaged": (1, 7, 6)}


@pytest.mark.parametrize("name", MODELS)
def test_whole_numbers_are_those_of_the_reference_evaluator(name, imported):
    model, proto = MODELS[name]()
    x = np.random.default_rng(5).uniform(-1.6, 1.8, (10, *SHAPES[name])).astype(np.float32)
    expected = model.evaluated(proto, x)
    codes, reals = computed(imported(proto), x)
    assert codes
    for tensor, found in codes.items():
        assert np.array_equal(expected[tensor].reshape(10, -1), found), tensor
    if name == "residual":  # its output is whole, too: the test below
        return
    (output,) = reals.values()
    wanted = expected[proto.graph.output[0].name]
    assert np.abs(wanted - output).max() <= 1e-4 * np.abs(wanted).max()


def test_halves_are_there_and_go_to_the_even_number(imported):
    """The model of halves would not be met by rounding halves up."""
    _, proto = MODELS["halves"]()
    found = imported(proto)
    compares = [one.neuron.compare for one in found.network.populations if not one.is_input]
    assert ["even", "odd", ">="] == compares
    assert "exact" in [one.value for one in found.stated if one.what == "requantisation"]


def test_output_codes_are_those_of_the_file(imported):
    model, proto = MODELS["residual"]()
    x = np.random.default_rng(6).uniform(-1.6, 1.8, (10, 2, 8, 8)).astype(np.float32)
    found = imported(proto)
    feed = Feed("current", found.entering[0].integers(x.reshape(10, -1)), found.entering[0].bits)
    raster = run(found.network, Stimulus((feed,)), "qnn", found.timesteps)
    expected = model.evaluated(proto, x)[model.whole[-1][0]]
    assert np.array_equal(expected, found.meaning[-1].integers(raster.outputs))


def test_kernels_give_the_activations_of_the_definitions(imported):
    _, proto = MODELS["averaged"]()
    x = np.random.default_rng(7).uniform(-1.6, 1.8, (6, 1, 7, 6)).astype(np.float32)
    found = imported(proto)
    feed = Feed("current", found.entering[0].integers(x.reshape(6, -1)), found.entering[0].bits)
    stimulus = Stimulus((feed,))
    quantised = run(found.network, stimulus, "qnn", found.timesteps)
    gathered = run(found.network, stimulus, "snn", found.timesteps, "accumulate")
    codes, _ = computed(found, x)
    number = {one.name: k for k, one in enumerate(found.network.populations)}
    for one in found.meaning[:-1]:
        trace, spikes = quantised.traces[number[one.population]], gathered.traces
        for k in range(6):
            activations = one.integers(trace.totals(k, 1))
            assert np.array_equal(codes[one.tensor][k], activations)
            counts = spikes[number[one.population]].totals(k, found.timesteps)
            assert np.array_equal(activations, one.integers(counts))
    assert [127, 255] == sorted({one.most - one.least for one in found.meaning if one.unit is None})
    assert "127, 255 levels" in found.warnings[0]


QONNX = "qonnx.custom_op.general"


def test_quantisers_of_qonnx_are_read(imported):
    """Quant of weights, of inputs and of sums; BipolarQuant; MultiThreshold; Trunc."""
    m = Model(3)

    def quant(x, scale, zero, bits, **how):
        numbers = [m.constant(np.float32(value)) for value in (scale, zero, bits)]
        return m.node("Quant", x, *numbers, domain=QONNX, **how)

    def number(value):
        return m.constant(np.float32(value))

    weight = m.rng.normal(0, 0.3, (8, 6)).astype(np.float32)
    x = quant("x", 0.1, 0, 4, signed=1, narrow=1)
    x = m.node("MatMul", x, quant(m.constant(weight), 0.05, 0, 4, signed=1, narrow=1))
    x = quant(x, 0.07, 0, 3, signed=0, rounding_mode="FLOOR")
    signs = m.rng.normal(0, 1, (6, 5)).astype(np.float32)
    x = m.node("MatMul", x, m.node("BipolarQuant", m.constant(signs), number(0.5), domain=QONNX))
    table = (np.array([[-1.0]] * 5) + 0.4 * np.arange(7)).astype(np.float32)
    x = m.node("MultiThreshold", x, m.constant(table), domain=QONNX, out_scale=0.4, out_bias=-1.0)
    other = m.rng.normal(0, 0.3, (5, 3)).astype(np.float32)
    x = m.node("MatMul", x, quant(m.constant(other), 0.05, 0, 4, signed=1, narrow=0))
    given = np.random.default_rng(8).uniform(-1, 1, (40, 8)).astype(np.float32)

    step = np.float64(np.float32(0.1))
    codes = np.clip(np.rint(given / step), -7, 7)
    first = codes @ np.clip(np.rint(weight / np.float64(np.float32(0.05))), -7, 7)
    unit = step * np.float64(np.float32(0.05)) / np.float64(np.float32(0.07))
    second = np.clip(np.floor(first * unit), 0, 7)
    sums = second * np.float64(np.float32(0.07)) @ (np.where(signs >= 0, 1, -1) * 0.5)
    third = (sums[:, :, None] >= table.astype(np.float64)).sum(2)
    found, reals = computed(imported(m.proto((8,), x)), given)
    assert [second.astype(int).tolist(), third.tolist()] == [one.tolist() for one in found.values()]
    rounded = np.clip(np.rint(other / np.float64(np.float32(0.05))), -8, 7) * np.float32(0.05)
    expected = (third * np.float64(np.float32(0.4)) - 1.0) @ rounded
    (output,) = reals.values()
    assert np.abs(expected - output).max() < 1e-4


# a sum of two numbers, and what is left of it without its two lower bits, worked out by hand
TRUNCATED = [
    (-16, -4), (-15, -4), (-13, -4), (-12, -3), (-9, -3), (-8, -2), (-5, -2), (-4, -1), (-1, -1),
    (0, 0), (1, 0), (3, 0), (4, 1), (7, 1), (8, 2), (11, 2), (12, 3), (14, 3),
]  # fmt: skip


def truncating(m, wide=5.0, scale=0.5):
    """Two inputs of 4 bits in steps of 0.5, added, two bits dropped, and read."""

    def number(value):
        return m.constant(np.float32(value))

    def quant(x, step, bits):
        numbers = [number(value) for value in (step, 0, bits)]
        return m.node("Quant", x, *numbers, domain=QONNX, signed=1, narrow=0)

    x = m.node("MatMul", quant("x", 0.5, 4), quant(m.constant(np.ones((2, 1), np.float32)), 1, 2))
    numbers = [number(value) for value in (scale, 0, wide, 3)]
    x = m.node("Trunc", x, *numbers, domain=QONNX, rounding_mode="FLOOR")
    return m.node("MatMul", x, quant(m.constant(np.ones((1, 2), np.float32)), 1, 2))


def test_trunc_drops_the_lower_bits_of_a_sum_as_worked_out_by_hand(imported):
    m = Model(1)
    sums = np.array([total for total, _ in TRUNCATED])
    first = sums // 2
    given = np.stack([first, sums - first], axis=1) * 0.5
    found, reals = computed(imported(m.proto((2,), truncating(m))), given.astype(np.float32))
    (codes,) = found.values()
    assert [left for _, left in TRUNCATED] == codes[:, 0].tolist()
    (output,) = reals.values()
    assert np.allclose([[0.5 * left] * 2 for _, left in TRUNCATED], output, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    "wide, scale, why",
    [
        (5.0, 0.3, "must drop bits of a sum in whole steps of its scale"),
        (2.0, 0.5, "must drop bits by FLOOR about a zero point of 0, with one scale"),
    ],
)
def test_what_trunc_cannot_drop_is_refused(wide, scale, why, imported):
    m = Model(1)
    with pytest.raises(SpikemeshError, match=why):
        imported(m.proto((2,), truncating(m, wide, scale)))
