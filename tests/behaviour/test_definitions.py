"""Every spike and every activation equals the one the definitions give, on random networks of all
kinds.
"""

from dataclasses import replace

import numpy as np
import pytest
from definitions import accumulated, quantised, streamed, unpacked
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import networks

from simulator.behaviour.raster import run
from simulator.describe.connections import Connection
from simulator.describe.network import Layer, Neuron, chain, fed
from simulator.errors import InputError


def assert_spiking(network, stimulus, timesteps, firing):
    """Spikes, potentials, outputs and overflows are those of the definitions."""
    defined = streamed if firing == "streaming" else accumulated
    expected, potentials, outputs, overflows = defined(network, stimulus, timesteps)
    raster = run(network, stimulus, "snn", timesteps, firing, potentials=True)
    assert (raster.timesteps, raster.bits, raster.firing) == (timesteps, 1, firing)
    for number in network.computed:
        assert np.array_equal(expected[number], unpacked(raster.traces[number], timesteps))
        assert np.array_equal(potentials[number], raster.potentials[number])
    assert np.array_equal(outputs, raster.outputs)
    first = outputs[:, : network.populations[network.outputs[0]].n_neurons].argmax(1)
    assert np.array_equal(first, raster.predictions)
    assert overflows == raster.overflows
    if stimulus.labels is not None:
        assert raster.accuracy == (first == stimulus.labels).mean()
    return raster


@given(networks())
@settings(max_examples=300, deadline=None)
def test_streaming_spikes_are_those_of_the_definitions(drawn):
    network, stimulus, timesteps = drawn
    raster = assert_spiking(network, stimulus, timesteps, "streaming")
    for number, feed in zip(network.inputs, stimulus.feeds):
        entering = unpacked(raster.traces[number], timesteps)
        if feed.kind == "current":
            assert np.array_equal(entering[:, 0], feed.values) and not entering[:, 1:].any()
        else:
            assert np.array_equal(entering, feed.values)


@given(networks(exact=True))
@settings(max_examples=100, deadline=None)
def test_accumulated_spikes_are_those_of_the_definitions(drawn):
    assert_spiking(*drawn, "accumulate")


@given(networks(exact=True))
@settings(max_examples=100, deadline=None)
def test_activations_are_those_of_the_definitions(drawn):
    network, stimulus, timesteps = drawn
    expected, _, outputs = quantised(network, stimulus, timesteps)
    raster = run(network, stimulus, "qnn", timesteps)
    assert (raster.timesteps, raster.bits) == (1, int(np.ceil(np.log2(timesteps + 1))))
    for number in network.computed:
        assert np.array_equal(expected[number], unpacked(raster.traces[number], 1)[:, 0])
    assert np.array_equal(outputs, raster.outputs)
    for number, feed in zip(network.inputs, stimulus.feeds):
        values = feed.values if feed.kind == "current" else feed.values.sum(1)
        assert np.array_equal(values, unpacked(raster.traces[number], 1)[:, 0])


def wide(weight, value, threshold=1 << 40):
    """One dense layer of `weight` on one input of `value`."""
    weight = np.array(weight, np.int64)
    one = np.ones(weight.shape[1], np.int64)
    neuron = Neuron("if", one * threshold, one * 0, one * 0, potential_bits=48)
    joined = Connection("dense", weight, 32, (weight.shape[0],), (weight.shape[1],))
    values = np.full((1, 2, weight.shape[0]), value)
    return chain(joined.input_shape, (Layer("wide", joined.output_shape, joined, neuron),)), fed(
        "graded", values, 31
    )


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
    first = stimulus.chosen(np.arange(limit))
    calls = []
    a = run(
        network, stimulus, "snn", timesteps, limit=limit, progress=lambda *call: calls.append(call)
    )
    b = run(network, first, "snn", timesteps)
    assert np.array_equal(a.outputs, b.outputs) and a.accuracy == b.accuracy
    for x, y in zip(a.traces, b.traces, strict=True):
        assert np.array_equal(x.start, y.start) and np.array_equal(x.neuron, y.neuron)
    assert calls[-1] == (limit * len(network.computed),) * 2


@given(networks())
@settings(max_examples=40, deadline=None)
def test_small_buffers_change_nothing(monkeypatch_module, drawn):
    network, stimulus, timesteps = drawn
    whole = run(network, stimulus, "snn", timesteps)
    monkeypatch_module.setattr("simulator.behaviour.raster._BUFFER", 9)
    parts = run(network, stimulus, "snn", timesteps)
    monkeypatch_module.undo()
    for x, y in zip(whole.traces, parts.traces, strict=True):
        assert np.array_equal(x.start, y.start)
        assert np.array_equal(x.neuron, y.neuron) and np.array_equal(x.value, y.value)


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


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
        "wide: model: must be one of if, lif, cuba-lif, readout, cuba-readout, not 'izhikevich'",
    ),
    ({"limit": 0}, ("snn", 2), "wide: limit: must be from 1 to 4096, not 0"),
    (
        {"limit": 3, "reset": "zero"},
        ("snn", 2),
        "wide: limit: needs spikes, reset 'subtract' and reset_at 'same'",
    ),
    (
        {"compare": "even", "graded_bits": 2},
        ("snn", 2),
        "wide: compare 'even': needs spikes, reset 'subtract' and reset_at 'same'",
    ),
    ({"gain": np.array([1, 2])}, ("snn", 2), r"wide: gain: must have shape \(1,\)"),
    ({"compare": ">>"}, ("snn", 2), "wide: compare: must be one of >=, >, even, odd, not '>>'"),
    (
        {"model": "lif", "decay": 4097},
        ("snn", 2),
        "wide: decay: must be between 0 and 4096, not 4097",
    ),
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
    population = network.populations[1]
    population = replace(population, neuron=replace(population.neuron, **changed))
    network = replace(network, populations=(network.populations[0], population))
    with pytest.raises(InputError, match=f"^{text}$"):
        run(network, stimulus, *how)


def test_nothing_starts_from_a_readout():
    network, stimulus = wide([[1]], 1)
    read = replace(
        network.populations[1], neuron=replace(network.populations[1].neuron, model="readout")
    )
    after = replace(network.projections[0], source=1, target=2)
    longer = replace(
        network,
        populations=(network.populations[0], read, replace(read, name="after")),
        projections=(*network.projections, after),
    )
    with pytest.raises(
        InputError, match="^wide -> after: must not leave a readout: it never fires$"
    ):
        run(longer, stimulus, "snn", 2)
