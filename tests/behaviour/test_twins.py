"""The equality laws between the twins, exact in integers, and the difference where no law holds.

IF neurons, reset by subtraction, at most one spike per timestep, 0 <= V0 < threshold; n spikes of
T; currents I_t.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from definitions import unpacked
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import networks

from simulator.behaviour.raster import run
from simulator.behaviour.twins import compare, require_equal
from simulator.describe.connections import Connection
from simulator.describe.network import (
    Feed,
    Layer,
    Network,
    Neuron,
    Population,
    Projection,
    Stimulus,
    chain,
    fed,
)
from simulator.errors import CheckError, InputError

INTEGERS = st.integers(0, 2**32)


def population(rng, n, initial=None):
    threshold = rng.integers(1, 60, n)
    start = rng.integers(0, threshold) if initial is None else np.full(n, initial)
    return Neuron("if", threshold, start, np.zeros(n, np.int64))


def one_layer(neuron, currents, kind):
    """A network that hands the given currents to its neurons one to one."""
    n = len(neuron.initial)
    joined = Connection("dense", np.eye(n, dtype=np.int32), 2, (n,), (n,))
    return chain((n,), (Layer("layer", (n,), joined, neuron),)), fed(kind, currents[None], 8)


def stream(neuron, currents):
    """Spikes (T, n) and potentials (T, n) after each timestep."""
    network, stimulus = one_layer(neuron, currents, "graded")
    potentials = []
    for timesteps in range(1, len(currents) + 1):
        raster = run(network, stimulus, "snn", timesteps, potentials=True)
        assert raster.overflows == 0
        potentials.append(raster.potentials[1][0])
    return unpacked(raster.traces[1], len(currents))[0], np.array(potentials)


@given(INTEGERS, st.integers(1, 15))
@settings(deadline=None)
def test_spikes_and_residual_add_up_to_what_came_in(seed, timesteps):
    rng = np.random.default_rng(seed)
    neuron, currents = population(rng, 30), rng.integers(-50, 60, (timesteps, 30))
    spikes, potentials = stream(neuron, currents)
    count, total = spikes.sum(0), neuron.initial + currents.sum(0)
    assert np.array_equal(neuron.threshold * count + potentials[-1], total)
    assert np.array_equal(count - total // neuron.threshold, -(potentials[-1] // neuron.threshold))


@given(INTEGERS, st.integers(1, 15))
@settings(deadline=None)
def test_currents_below_the_threshold_are_counted_exactly(seed, timesteps):
    rng = np.random.default_rng(seed)
    neuron = population(rng, 30)
    currents = rng.integers(0, neuron.threshold, (timesteps, 30))
    spikes, potentials = stream(neuron, currents)
    assert ((potentials >= 0) & (potentials < neuron.threshold)).all()
    assert np.array_equal(spikes.sum(0), (neuron.initial + currents.sum(0)) // neuron.threshold)
    twins = (
        run(*one_layer(neuron, currents, "graded"), mode, timesteps) for mode in ("snn", "qnn")
    )
    require_equal(*twins)


@given(INTEGERS, st.integers(1, 15), st.sampled_from([0, None]))
@settings(deadline=None)
def test_a_constant_current_of_any_sign_is_counted_exactly(seed, timesteps, initial):
    """The law is stated for V0 = 0; it also holds for every 0 <= V0 < threshold."""
    rng = np.random.default_rng(seed)
    neuron, current = population(rng, 30, initial), rng.integers(-80, 90, 30)
    network, stimulus = one_layer(neuron, current, "current")
    snn, qnn = (run(network, stimulus, mode, timesteps) for mode in ("snn", "qnn"))
    expected = np.clip((neuron.initial + timesteps * current) // neuron.threshold, 0, timesteps)
    assert np.array_equal(expected, snn.outputs[0])
    assert np.array_equal(expected, qnn.outputs[0])


@given(INTEGERS, st.integers(1, 15), st.sampled_from([">=", ">"]))
@settings(deadline=None)
def test_gathering_first_is_exact_for_every_sign_and_order(seed, timesteps, how):
    rng = np.random.default_rng(seed)
    neuron, currents = (
        replace(population(rng, 30), compare=how),
        rng.integers(-50, 60, (timesteps, 30)),
    )
    snn = run(*one_layer(neuron, currents, "graded"), "snn", timesteps, "accumulate")
    total = neuron.initial + currents.sum(0) - (how == ">")
    assert np.array_equal(np.clip(total // neuron.threshold, 0, timesteps), snn.outputs[0])
    shuffled = run(
        *one_layer(neuron, rng.permutation(currents), "graded"), "snn", timesteps, "accumulate"
    )
    assert np.array_equal(snn.traces[1].neuron, shuffled.traces[1].neuron)
    require_equal(snn, run(*one_layer(neuron, currents, "graded"), "qnn", timesteps))


@given(networks(exact=True, kinds=("raster", "graded", "current")))
@settings(deadline=None)
def test_whole_networks_that_gather_first_equal_their_quantised_twin(drawn):
    """Max pooling takes the maximum timestep by timestep in one twin and of the sums in the other,
    so it is left out.
    """
    network, stimulus, timesteps = drawn
    if any(path.pool is not None and path.pool.kind == "max" for path in network.projections):
        return
    require_equal(
        run(network, stimulus, "snn", timesteps, "accumulate"),
        run(network, stimulus, "qnn", timesteps, "accumulate"),
    )


def residual(rng, delay=0):
    """Three inputs that meet in a sum of two projections, and a sum of three behind it."""
    shape, paths = (6,), []
    populations = [Population(name, shape) for name in "ab"]
    populations += [Population(name, shape, population(rng, 6)) for name in "cd"]
    for source, target in ((0, 2), (1, 2), (2, 3), (0, 3), (1, 3)):
        joined = Connection("dense", rng.integers(-9, 10, (6, 6)), 8, shape, shape)
        late = delay if (source, target) == (0, 2) else 0
        paths.append(Projection(source, target, joined, delay=late, bias=rng.integers(-3, 4, 6)))
    return Network(tuple(populations), tuple(paths), (3, 2))


@given(INTEGERS, st.integers(1, 9))
@settings(deadline=None)
def test_laws_hold_for_sums_of_projections(seed, timesteps):
    """Gathered first: all counts are activations, whatever the delays. Streaming: what constant
    currents drive without delay, and everything at T = 1.
    """
    rng = np.random.default_rng(seed)
    network = residual(rng, delay=2)
    feeds = tuple(Feed("raster", rng.integers(0, 2, (2, timesteps, 6)), 1) for _ in "ab")
    run_as = partial(run, network, Stimulus(feeds))
    require_equal(run_as("snn", timesteps, "accumulate"), run_as("qnn", timesteps))
    network = residual(rng)
    held = Stimulus(tuple(Feed("current", rng.integers(-9, 9, (2, 6)), 5) for _ in "ab"))
    twins = [run(network, held, mode, timesteps) for mode in ("snn", "qnn")]
    assert compare(*twins).populations[0].differing == 0
    require_equal(*(run(network, Stimulus(feeds), mode, 1) for mode in ("snn", "qnn")))


def test_a_delay_loses_the_last_spikes_while_streaming():
    """Weight 10 at threshold 10: every spike is answered, but the last two come too late."""
    one = np.ones(1, np.int64)
    joined = Connection("one-to-one", 10 * one, 8, (1,), (1,))
    cell = Population("out", (1,), Neuron("if", 10 * one, 0 * one, 0 * one))
    network = Network((Population("in", (1,)), cell), (Projection(0, 1, joined, delay=2),), (1,))
    stimulus = fed("raster", np.ones((1, 5, 1), int), 1)
    assert [[3]] == run(network, stimulus, "snn", 5).outputs.tolist()
    assert [[5]] == run(network, stimulus, "qnn", 5).outputs.tolist()
    assert [[5]] == run(network, stimulus, "snn", 5, "accumulate").outputs.tolist()


def random_layer(timesteps):
    """576 inputs that each spike with probability 0.1, signed uniform weights, 256 neurons, 60
    inferences.
    """
    rng = np.random.default_rng(576)
    joined = Connection(
        "dense", rng.integers(-127, 128, (576, 256)).astype(np.int32), 8, (576,), (256,)
    )
    zero = np.zeros(256, np.int64)
    layer = Layer("layer", (256,), joined, Neuron("if", zero + 1000, zero, zero))
    return chain((576,), (layer,)), fed(
        "raster", (rng.random((60, timesteps, 576)) < 0.1).astype(np.int64), 1
    )


# Streaming with signed weights is not exact: 0, 3.8, 13 and 24 % of the neurons differ, with 14 to
# 24 % more spikes. T, neurons that differ (of 60 x 256), spikes, activations: measured with the
# seed above
STREAMING = [
    (1, 0, 574, 574),
    (3, 577, 3681, 3241),
    (7, 2023, 9951, 8026),
    (15, 3688, 21064, 16937),
]


@pytest.mark.parametrize("timesteps, differing, spikes, activations", STREAMING)
def test_streaming_with_signed_weights_differs_more_in_longer_windows(
    timesteps, differing, spikes, activations
):
    network, stimulus = random_layer(timesteps)
    snn, qnn = (run(network, stimulus, mode, timesteps) for mode in ("snn", "qnn"))
    (layer,) = compare(snn, qnn).populations
    assert (15360, differing, spikes, activations) == (
        layer.compared,
        layer.differing,
        layer.spikes,
        layer.activations,
    )
    require_equal(run(network, stimulus, "snn", timesteps, "accumulate"), qnn)


def test_a_difference_is_counted_and_named():
    """Currents +10, -10 at threshold 10: the streaming neuron fires and cannot take it back; -10,
    +10: neither fires.
    """
    one = np.ones(1, np.int64)
    network, _ = one_layer(Neuron("if", 10 * one, 0 * one, 0 * one), one, "graded")
    stimulus = fed("graded", np.array([[[-10], [10]], [[10], [-10]]]), 8, np.array([0, 0]))
    snn, qnn = (run(network, stimulus, mode, 2) for mode in ("snn", "qnn"))
    difference = compare(snn, qnn)
    (layer,) = difference.populations
    assert (1, 2, 1, 1, 1, 0) == (
        layer.population,
        layer.compared,
        layer.differing,
        layer.more,
        layer.spikes,
        layer.activations,
    )
    assert (0.5, float("inf")) == (layer.share_differing, layer.more_spikes)
    assert (2, 1.0) == (difference.agreeing, difference.agreement)
    with pytest.raises(
        CheckError, match="^twins: population 1, inference 1, neuron 0: 1 spikes, activation 0$"
    ):
        require_equal(snn, qnn)


def test_only_twins_are_compared():
    one = np.ones(1, np.int64)
    network, stimulus = one_layer(Neuron("if", one, one, one), np.ones(1, np.int64), "current")
    snn, qnn = (run(network, stimulus, mode, 2) for mode in ("snn", "qnn"))
    with pytest.raises(
        InputError, match="^twins: must be compared as 'snn' with 'qnn', not 'qnn' with 'snn'$"
    ):
        compare(qnn, snn)
    with pytest.raises(
        InputError, match="^twins: must be rasters of the same network and the same inferences$"
    ):
        compare(snn, run(network, fed("current", np.ones((2, 1), np.int64), 8), "qnn", 2))
