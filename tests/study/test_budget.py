"""The study of bit budgets: what a way to spend one keeps, and what the yardsticks count."""

import numpy as np
import pytest
from small_workloads import dense, raster, workload

from simulator import Chip, Workload
from simulator.behaviour import raster as behaviour
from simulator.describe.network import chain, fed
from simulator.errors import InputError
from simulator.report.budget import verdict
from simulator.study.budget import spent, sweep, ways


@pytest.fixture(scope="module")
def spends():
    few = [(8, 1, 4), (4, 2, 4), (1, 1, 32)]
    return sweep(Workload.load("digits-mlp"), Chip.load("generic-22nm"), few, limit=5)


def test_the_product_of_every_way_is_the_budget():
    found, left = ways(Workload.load("digits-mlp"), 24, (1, 5, 8), (1, 2))
    assert [(1, 1, 24), (1, 2, 12), (8, 1, 3)] == found
    assert ["5 x 1 bits: no whole T", "5 x 2 bits: no whole T", "8 x 2 bits: no whole T"] == left


def test_a_window_is_no_longer_than_the_stimulus():
    short = workload(chain((2,), (dense([[1], [2]], 3),)), raster([[[0, 1], [1, 1]]]), 2)
    assert ([(4, 1, 2)], ["1 x 1 bits: T = 8 of at most 2"]) == ways(short, 8, (1, 4), (1,))
    with pytest.raises(InputError, match="budget: must be a multiple of .* not 7"):
        ways(short, 7, (1, 2), (1,))


def test_s_ace_is_the_same_for_every_way_and_ns_ace_counts_operations(spends):
    macs = 64 * 128 + 128 * 64 + 64 * 10
    for one in spends:
        assert macs * 32 == one.effort
        bits = one.weight_bits * one.spike_bits
        assert bits * one.point.operations == pytest.approx(one.sparse_effort)


def test_the_verdict_names_the_cheapest_by_energy(spends):
    cheapest = min(spends, key=lambda one: one.point.energy)
    assert f"{cheapest.weight_bits}-bit weights" in verdict(spends).split(" cost ")[0]


def test_weights_no_wider_than_asked_stay_as_they_are():
    given = Workload.load("digits-mlp")
    mine = spent(given, 8, 1, 4)
    assert [p.digest() for p in given.network.projections] == [
        p.digest() for p in mine.network.projections
    ]
    before, after = (
        behaviour.run(one.network, given.stimulus, "snn", 4, limit=9) for one in (given, mine)
    )
    assert before.outputs.tolist() == after.outputs.tolist()


@pytest.mark.parametrize("bits", range(1, 8))
def test_rounded_weights_fit_their_bits(bits):
    for projection in spent(Workload.load("digits-cnn"), bits, 1, 1).network.projections:
        weight = projection.connection.weight
        largest = 2 ** (bits - 1) - 1 if bits > 1 else 1
        assert abs(weight).max() <= largest and projection.connection.weight_bits == bits


# spike bits, current of every timestep, threshold 30, T -> values sent
VALUES = [
    (1, 20, 3, [0, 1, 1]),
    (2, 20, 3, [2, 2, 2]),  # thirds of a spike: 20 of 10 each
    (2, 50, 2, [3, 3]),  # at most 3
    (4, 3, 2, [1, 2]),  # fifteenths: 2 each
]


@pytest.mark.parametrize(("bits", "current", "timesteps", "expected"), VALUES)
def test_a_value_counts_parts_of_a_spike(bits, current, timesteps, expected):
    plain = workload(
        chain((1,), (dense([[current]], 30),)), fed("current", np.array([[1]]), 1), timesteps
    )
    mine = spent(plain, 8, bits, timesteps)
    trace = behaviour.run(mine.network, mine.stimulus, "snn", timesteps).traces[1]
    assert expected == [trace.totals(t, 1)[0] for t in range(timesteps)]


def test_sources_that_count_differently_are_refused():
    with pytest.raises(InputError, match="hidden: a study of budgets needs sources that are all"):
        spent(Workload.load("digits-recurrent"), 8, 2, 4)
    assert np.array_equal(
        spent(Workload.load("digits-recurrent"), 8, 1, 4).network.populations[1].neuron.threshold,
        Workload.load("digits-recurrent").network.populations[1].neuron.threshold,
    )
