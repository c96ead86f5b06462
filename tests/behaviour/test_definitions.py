"""Every spike and every activation equals the one the definitions give, on random networks of all
kinds.
"""

from dataclasses import replace

import numpy as np
import pytest
from definitions import quantised, spiking, unpacked
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import networks

from simulator.behaviour.raster import run
from simulator.describe.network import Connection, Layer, Network, Neuron, Stimulus
from simulator.errors import InputError


def assert_spiking(network, stimulus, timesteps, firing, limit=None):
    expected, potential, overflows = spiking(network, stimulus, timesteps, firing)
    raster = run(network, stimulus, "snn", timesteps, firing, limit)
    assert (raster.timesteps, raster.bits, raster.firing) == (timesteps, 1, firing)
    for spikes, trace in zip(expected, raster.layers[1:], strict=True):
        assert np.array_equal(spikes, unpacked(trace, timesteps))
    last = expected[-1].sum(1) if network.layers[-1].neuron.model != "readout" else potential
    assert np.array_equal(last, raster.outputs)
    assert np.array_equal(last.argmax(1), raster.predictions)
    assert overflows == raster.overflows
    if stimulus.labels is not None:
        assert raster.accuracy == (last.argmax(1) == stimulus.labels).mean()
    return raster


@given(networks())
@settings(max_examples=150, deadline=None)
def test_streaming_spikes_are_those_of_the_definitions(drawn):
    network, stimulus, timesteps = drawn
    raster = assert_spiking(network, stimulus, timesteps, "streaming")
    entering = unpacked(raster.layers[0], timesteps)
    if stimulus.kind == "current":
        assert np.array_equal(entering[:, 0], stimulus.values) and not entering[:, 1:].any()
    else:
        assert np.array_equal(entering, stimulus.values)


@given(networks(exact=True))
@settings(max_examples=80, deadline=None)
def test_accumulated_spikes_are_those_of_the_definitions(drawn):
    assert_spiking(*drawn, "accumulate")


@given(networks(exact=True))
@settings(max_examples=100, deadline=None)
def test_activations_are_those_of_the_definitions(drawn):
    network, stimulus, timesteps = drawn
    expected, total = quantised(network, stimulus, timesteps)
    raster = run(network, stimulus, "qnn", timesteps)
    assert (raster.timesteps, raster.bits) == (1, int(np.ceil(np.log2(timesteps + 1))))
    for activations, trace in zip(expected, raster.layers[1:], strict=True):
        assert np.array_equal(activations, unpacked(trace, 1)[:, 0])
    last = expected[-1] if network.layers[-1].neuron.model != "readout" else total
    assert np.array_equal(last, raster.outputs)
    values = stimulus.values if stimulus.kind == "current" else stimulus.values.sum(1)
    assert np.array_equal(values, unpacked(raster.layers[0], 1)[:, 0])


def wide(weight, value, threshold=1 << 40):
    """One dense layer of `weight` on one input of `value`."""
    weight = np.array(weight, np.int64)
    one = np.ones(weight.shape[1], np.int64)
    neuron = Neuron("if", one * threshold, one * 0, one * 0, potential_bits=48)
    joined = Connection("dense", weight, 32, (weight.shape[0],), (weight.shape[1],))
    values = np.full((1, 2, weight.shape[0]), value)
    return Network(
        joined.input_shape, (Layer("wide", joined.output_shape, joined, neuron),)
    ), Stimulus("graded", values, 31)


# weights, value: what int8 rows or int32 currents would not hold
WIDE = [
    ([[128, -129]], 1),
    ([[32768, -32769]], 1),
    ([[2**31 - 1, -(2**31)]], 2**20),
    ([[127, -128]] * 3, 2**24),
]


@pytest.mark.parametrize("weight, value", WIDE)
def test_no_sum_overflows_silently(weight, value):
    network, stimulus = wide(weight, value, threshold=abs(np.array(weight)).max() * value)
    assert_spiking(network, stimulus, 2, "streaming")


def test_a_sum_beyond_62_bits_is_refused():
    network, stimulus = wide([[2**31 - 1]] * 3, 2**30)
    with pytest.raises(
        InputError,
        match="^wide: a current can reach 6917529024419856384, which needs more than 62 bits$",
    ):
        run(network, stimulus, "snn", 2)


@given(networks(kinds=("raster",)), st.data())
@settings(max_examples=20, deadline=None)
def test_inferences_are_independent_and_a_limit_is_a_prefix(drawn, data):
    network, stimulus, timesteps = drawn
    limit = data.draw(st.integers(1, stimulus.n_inferences))
    first = replace(stimulus, values=stimulus.values[:limit], labels=stimulus.labels[:limit])
    calls = []
    a = run(
        network, stimulus, "snn", timesteps, limit=limit, progress=lambda *call: calls.append(call)
    )
    b = run(network, first, "snn", timesteps)
    assert np.array_equal(a.outputs, b.outputs) and a.accuracy == b.accuracy
    for x, y in zip(a.layers, b.layers, strict=True):
        assert np.array_equal(x.start, y.start) and np.array_equal(x.neuron, y.neuron)
    assert calls[-1] == (limit * len(network.layers),) * 2


def test_small_buffers_change_nothing(monkeypatch):
    network, stimulus = wide([[128, -129], [3, 200]], 5, threshold=700)
    stimulus = replace(stimulus, values=np.arange(28).reshape(7, 2, 2))
    whole = run(network, stimulus, "snn", 2)
    monkeypatch.setattr("simulator.behaviour.raster._BUFFER", 9)
    parts = run(network, stimulus, "snn", 2)
    assert np.array_equal(whole.layers[1].start, parts.layers[1].start) and len(
        whole.layers[1].neuron
    )
    assert np.array_equal(whole.layers[1].neuron, parts.layers[1].neuron)


# what is changed, how it is run, the text
REFUSED = [
    (
        {"model": "lif"},
        ("qnn", 2),
        "wide: the quantised twin needs neurons without leak, model 'if', not 'lif'",
    ),
    ({"reset": "zero"}, ("qnn", 2), "wide: the quantised twin needs reset 'subtract', not 'zero'"),
    (
        {"model": "lif"},
        ("snn", 2, "accumulate"),
        "wide: firing 'accumulate' needs neurons without leak, model 'if', not 'lif'",
    ),
    (
        {"reset": "zero"},
        ("snn", 2, "accumulate"),
        "wide: firing 'accumulate' needs reset 'subtract', not 'zero'",
    ),
    (
        {"model": "izhikevich"},
        ("snn", 2),
        "wide: model: must be one of if, lif, readout, not 'izhikevich'",
    ),
    ({"compare": ">>"}, ("snn", 2), "wide: compare: must be one of >=, >, not '>>'"),
    ({"decay": 4097}, ("snn", 2), "wide: decay: must be between 0 and 4096, not 4097"),
    ({"potential_bits": 49}, ("snn", 2), "wide: potential_bits: must be between 2 and 48, not 49"),
    (
        {"potential_bits": 4, "initial": np.array([8])},
        ("snn", 2),
        "wide: initial: must fit in 4 bits, -8 to 7",
    ),
    ({"threshold": np.array([0])}, ("snn", 2), "wide: threshold: must be at least 1, not 0"),
    ({"bias": np.zeros(2, int)}, ("snn", 2), r"wide: bias: must have shape \(1,\)"),
    ({}, ("snn", 3), "timesteps: must be at most the stimulus's 2, not 3"),
    ({}, ("snn", 0), "timesteps: must be at least 1, not 0"),
    ({}, ("ann", 2), "mode: must be 'snn' or 'qnn', not 'ann'"),
    ({}, ("snn", 2, "burst"), "firing: must be 'streaming' or 'accumulate', not 'burst'"),
]


@pytest.mark.parametrize("changed, how, text", REFUSED)
def test_what_is_refused_and_in_which_words(changed, how, text):
    network, stimulus = wide([[1]], 1)
    layer = replace(network.layers[0], neuron=replace(network.layers[0].neuron, **changed))
    with pytest.raises(InputError, match=f"^{text}$"):
        run(replace(network, layers=(layer,)), stimulus, *how)


def test_a_readout_is_the_last_layer():
    network, stimulus = wide([[1]], 1)
    layer = replace(network.layers[0], neuron=replace(network.layers[0].neuron, model="readout"))
    with pytest.raises(
        InputError, match="^wide: a readout never fires, so it must be the last layer$"
    ):
        run(replace(network, layers=(layer, layer)), stimulus, "snn", 2)
