"""The committed workloads that are no chains: every spike against the definitions, and what the
script that made them prints.
"""

import numpy as np
import pytest
from definitions import quantised, streamed, unpacked

from simulator.behaviour.raster import run
from simulator.describe.network import fed
from simulator.describe.workload import Workload

# workload, twin: right answers, spikes or activations of the hidden populations
LINES = [
    ("digits-residual", "snn", 95, 197956),
    ("digits-residual", "qnn", 97, 94208),
    ("digits-recurrent", "snn", 55, 10538),
    ("keyword-stream", "snn", 2085, 19780),  # of 2,400 frames
]


@pytest.mark.parametrize("name, mode, right, events", LINES)
def test_what_is_read_right(name, mode, right, events):
    workload = Workload.load(name)
    raster = run(workload.network, workload.stimulus, mode, workload.timesteps)
    hidden = sum(len(raster.traces[number].neuron) for number in raster.hidden)
    found = int((raster.predictions == workload.stimulus.labels).sum())
    assert (right, events, 0) == (found, hidden, raster.overflows)


@pytest.mark.parametrize("name", ["digits-residual", "digits-recurrent", "fanout"])
def test_every_spike_is_that_of_the_definitions(name):
    workload = Workload.load(name)
    network, few, steps = workload.network, np.arange(3), workload.timesteps
    stimulus = workload.stimulus.chosen(few)
    spikes, _, outputs, _ = streamed(network, stimulus, steps)
    raster = run(network, stimulus, "snn", steps)
    for number in network.computed:
        assert np.array_equal(spikes[number], unpacked(raster.traces[number], steps))
    assert np.array_equal(outputs, raster.outputs)


def test_the_stream_is_one_long_inference_of_the_definitions():
    workload, frames = Workload.load("keyword-stream"), 240
    network = workload.network
    values = workload.stimulus.feeds[0].values[:frames].reshape(1, frames, -1)
    spikes, _, outputs, _ = streamed(network, fed("raster", values, 1), frames)
    raster = run(network, workload.stimulus, "snn", 1, limit=frames)
    for number in network.computed:
        mine = unpacked(raster.traces[number], 1)
        assert np.array_equal(spikes[number].reshape(mine.shape), mine)
    assert np.array_equal(outputs[0], raster.outputs[-1])


def test_every_activation_is_that_of_the_definitions():
    workload = Workload.load("digits-residual")
    network, steps = workload.network, workload.timesteps
    stimulus = workload.stimulus.chosen(np.arange(3))
    activations, _, outputs = quantised(network, stimulus, steps)
    raster = run(network, stimulus, "qnn", steps)
    for number in network.computed:
        assert np.array_equal(activations[number], unpacked(raster.traces[number], 1)[:, 0])
    assert np.array_equal(outputs, raster.outputs)
