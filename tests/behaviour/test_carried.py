"""Where state is carried, n inferences of T timesteps are one inference of n · T timesteps."""

from dataclasses import replace

import numpy as np
import pytest
from definitions import streamed, unpacked
from hypothesis import given, settings
from random_networks import networks

from simulator.behaviour import raster as behaviour
from simulator.behaviour.raster import run
from simulator.describe.connections import Connection
from simulator.describe.network import (
    Feed,
    Network,
    Neuron,
    Population,
    Projection,
    Stimulus,
    fed,
)
from simulator.errors import InputError


def without_counts(network: Network, stimulus: Stimulus) -> Network:
    """The network with all that begins anew in each inference taken out."""
    held = {n for n, feed in zip(network.inputs, stimulus.feeds) if feed.kind == "current"}
    populations = tuple(
        one
        if one.neuron is None
        else replace(
            one,
            neuron=replace(
                one.neuron,
                compare=">=" if one.neuron.compare in ("even", "odd") else one.neuron.compare,
                limit=None,
                read="last",
            ),
        )
        for one in network.populations
    )
    projections = tuple(
        replace(one, delay=0, connection=replace(one.connection, delay=None))
        if one.source in held
        else one
        for one in network.projections
    )
    return Network(populations, projections, network.outputs)


def lengthened(network: Network, stimulus: Stimulus, timesteps: int) -> tuple[Network, Stimulus]:
    """The same as one inference that lasts as long as all of them."""
    n = stimulus.n_inferences
    projections = tuple(
        replace(
            one,
            connection=replace(one.connection, weight=np.concatenate([one.connection.weight] * n)),
        )
        if one.connection.per_timestep
        else one
        for one in network.projections
    )
    feeds = []
    for feed in stimulus.feeds:
        values = feed.values
        if feed.kind == "current":
            values = np.repeat(values[:, None], timesteps, axis=1)
        values = values.reshape(1, n * timesteps, -1)
        feeds.append(Feed("raster" if feed.kind == "raster" else "graded", values, 4))
    return Network(network.populations, projections, network.outputs), Stimulus(tuple(feeds))


@given(networks())
@settings(max_examples=200, deadline=None)
def test_inferences_are_one_long_inference(drawn) -> None:
    network, stimulus, timesteps = drawn
    network = without_counts(network, stimulus)
    found = run(network, replace(stimulus, carries=True), "snn", timesteps, potentials=True)
    n = stimulus.n_inferences
    spikes, left, _, overflows = streamed(*lengthened(network, stimulus, timesteps), n * timesteps)
    for number in network.computed:
        mine = unpacked(found.traces[number], timesteps)
        assert np.array_equal(spikes[number].reshape(mine.shape), mine)
        assert np.array_equal(left[number][0], found.potentials[number][-1])
    assert overflows == found.overflows and found.carries


def listener(n: int) -> tuple[Network, Stimulus]:
    rng = np.random.default_rng(5)
    zero = np.zeros(6, np.int64)
    cell = Neuron("lif", zero + 40, zero, zero, decay=300)
    ways = [Connection("dense", rng.integers(-12, 25, (k, 6)), 8, (k,), (6,)) for k in (3, 6)]
    network = Network(
        (Population("input", (3,)), Population("cells", (6,), cell)),
        (Projection(0, 1, ways[0]), Projection(1, 1, ways[1], delay=3)),
        (1,),
    )
    return network, fed("raster", rng.integers(0, 2, (n, 1, 3)), 1)


def spikes_in_numpy(network: Network, stimulus: Stimulus) -> np.ndarray:
    """One leaky layer that feeds itself three frames later, as anybody would write it."""
    first, again = (one.connection.weight.astype(int) for one in network.projections)
    potential, sent = np.zeros(6, int), [np.zeros(6, int)] * 3
    for frame in stimulus.feeds[0].values[:, 0]:
        potential = np.sign(potential) * (abs(potential) * (4096 - 300) // 4096)
        potential = potential + frame @ first + sent[-3] @ again
        fired = potential >= 40
        potential = potential - 40 * fired
        sent.append(fired.astype(int))
    return np.array(sent[3:])


def test_frames_of_one_timestep_are_those_of_plain_numpy() -> None:
    network, stimulus = listener(200)
    expected = spikes_in_numpy(network, stimulus)
    assert 200 < expected.sum() < 1100
    found = run(network, replace(stimulus, carries=True), "snn", 1)
    assert np.array_equal(expected, unpacked(found.traces[1], 1)[:, 0])
    anew = run(network, stimulus, "snn", 1)
    assert not np.array_equal(expected, unpacked(anew.traces[1], 1)[:, 0])


def test_small_buffers_carry_too(monkeypatch: pytest.MonkeyPatch) -> None:
    network, stimulus = listener(40)
    stimulus = replace(stimulus, carries=True)
    chain = Network(network.populations, network.projections[:1], network.outputs)
    for one in (network, chain):
        whole = run(one, stimulus, "snn", 1)
        monkeypatch.setattr(behaviour, "_BUFFER", 30)
        cut = run(one, stimulus, "snn", 1)
        monkeypatch.undo()
        assert np.array_equal(unpacked(whole.traces[1], 1), unpacked(cut.traces[1], 1))


ASKS = "stimulus.state: must be 'reset', not 'carried': "
# what is changed: neuron, kind of input, its delay; twin, firing; why it is refused
REFUSED = [
    ({}, "raster", 0, "qnn", "streaming", "the quantised twin has no state to carry"),
    ({}, "raster", 0, "snn", "accumulate", "firing 'accumulate' has no state to carry"),
    ({"compare": "even"}, "raster", 0, "snn", "streaming",
     "cells begins anew with a count of its spikes"),
    ({"model": "readout", "read": "sum"}, "raster", 0, "snn", "streaming",
     "cells begins anew with read: sum"),
    ({}, "current", 1, "snn", "streaming",
     "input -> cells delays a current that enters once"),
]  # fmt: skip


@pytest.mark.parametrize("cell, kind, delay, mode, firing, why", REFUSED)
def test_what_says_nothing_is_refused(cell, kind, delay, mode, firing, why) -> None:
    one = np.ones(1, np.int64)
    neuron = replace(Neuron("if", one, 0 * one, 0 * one), **cell)
    joined = Connection("dense", np.ones((1, 1), np.int8), 4, (1,), (1,))
    network = Network(
        (Population("input", (1,)), Population("cells", (1,), neuron)),
        (Projection(0, 1, joined, delay=delay),),
        (1,),
    )
    values = np.ones((2, 1) if kind == "current" else (2, 3, 1), np.int32)
    stimulus = replace(fed(kind, values, 1), carries=True)
    with pytest.raises(InputError) as error:
        run(network, stimulus, mode, 3, firing)
    assert ASKS + why == str(error.value)
