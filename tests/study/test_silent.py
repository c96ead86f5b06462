"""Dead neurons: found, left out with the same outputs, and what that saves."""

from dataclasses import replace

import numpy as np
import pytest

from simulator import Chip, Workload, run
from simulator.describe.connections import Connection
from simulator.describe.network import Layer, Neuron, chain, fed
from simulator.study import silent
from simulator.study.pipeline import compute


def half_dead(bias: int = 0) -> Workload:
    """Eight hidden neurons of which the last four have a threshold nothing reaches."""
    ones = np.ones(8, np.int64)
    threshold = np.where(np.arange(8) < 4, 1, 10_000)
    hidden = Neuron("if", threshold, 0 * ones, bias * (np.arange(8) >= 4))
    dense = Connection("dense", np.ones((4, 8), np.int32), 8, (4,), (8,))
    out = Connection("dense", np.ones((8, 2), np.int32), 8, (8,), (2,))
    read = Neuron("readout", ones[:2], 0 * ones[:2], 0 * ones[:2])
    network = chain((4,), [Layer("hidden", (8,), dense, hidden), Layer("out", (2,), out, read)])
    return Workload("half-dead", network, fed("raster", np.ones((2, 3, 4), np.int32), 1), 3)


def test_silent_neurons_are_found_by_number():
    workload = half_dead()
    (found,) = silent.find(workload.network, compute(workload, "snn").raster)
    assert ("hidden", 8, [4, 5, 6, 7]) == (found.name, found.neurons, found.silent.tolist())


@pytest.mark.parametrize("name", ["digits-mlp", "digits-recurrent"])
def test_a_shipped_network_reads_the_same_without_its_silent_neurons(name):
    workload = Workload.load(name)
    raster = compute(workload, "snn", limit=5).raster
    rest = silent.without(workload, raster)
    dead = sum(len(each.silent) for each in silent.find(workload.network, raster))
    before, after = (
        sum(one.n_neurons for one in each.network.populations) for each in (workload, rest)
    )
    assert dead > 0 and before - dead == after


@pytest.mark.parametrize("update", ["all", "touched"])
def test_what_leaving_them_out_saves(update):
    """Visits with `all`; with `touched`, no bias and no leak, none but those their inputs cause:
    the events that reach the others, and all they send, stay what they were.
    """
    workload = half_dead()
    chip = Chip.load("generic-22nm", (f"core.soma.update={update}",))
    raster = compute(workload, "snn").raster
    rest = silent.without(workload, raster)
    whole, less = run(workload, chip), run(rest, chip)
    assert np.array_equal(whole.raster.outputs, less.raster.outputs)
    for counter in ("packets_sent", "events_generated", "spikes"):
        assert whole.count(counter) == less.count(counter)
    assert whole.count("accumulates") - less.count("accumulates") == 2 * 3 * 4 * 4
    assert whole.count("neuron_updates") - less.count("neuron_updates") == 2 * 3 * 4


def test_a_silent_neuron_nothing_reaches_costs_nothing_where_touched_ones_are_visited():
    """With `update: touched`, no bias and no leak, leaving it out saves no dynamic energy."""
    workload = half_dead()
    weight = np.ones((4, 8), np.int32)
    start, index = np.arange(5) * 4, np.tile(np.arange(4), 4)
    sparse = Connection(
        "sparse", weight[:, :4].reshape(-1), 8, (4,), (8,), start=start, index=index
    )
    first, second = workload.network.projections
    network = replace(workload.network, projections=(replace(first, connection=sparse), second))
    workload = replace(workload, network=network)
    rest = silent.without(workload, compute(workload, "snn").raster)
    for update, saved in (("touched", 0), ("all", 2 * 3 * 4)):
        chip = Chip.load("generic-22nm", (f"core.soma.update={update}",))
        whole, less = run(workload, chip), run(rest, chip)
        assert saved == whole.count("neuron_updates") - less.count("neuron_updates")
        for counter in ("accumulates", "packets_sent", "membrane_reads", "weight_read_words"):
            if update == "touched":
                assert whole.count(counter) == less.count(counter)
