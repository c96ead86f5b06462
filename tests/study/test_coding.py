"""The study of codings: what the three codings have in common, and in what they differ."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_workloads import dense, raster, workload

from simulator import Chip, Workload
from simulator.behaviour import raster as behaviour
from simulator.describe.connections import Connection
from simulator.describe.network import Layer, Neuron, chain, fed
from simulator.errors import InputError
from simulator.report.coding import coding_view
from simulator.study.coding import CODINGS, compare, encoded, ratio


def readout(weight) -> Layer:
    weight = np.array(weight, np.int32)
    n = weight.shape[1]
    joined = Connection("dense", weight, 8, (len(weight),), (n,))
    zero = np.zeros(n, np.int64)
    return Layer("out", (n,), joined, Neuron("readout", zero + 1, zero, zero))


# value of 0..8, T    spikes of n = round(T * value / 8), as rate, first-spike and burst
SPIKES = [
    (8, 4, "1111", "1000", "1111"),
    (6, 4, "0111", "0100", "1110"),
    (4, 4, "0101", "0010", "1100"),
    (2, 4, "0001", "0001", "1000"),
    (1, 4, "0001", "0001", "1000"),  # half a spike is one
    (0, 4, "0000", "0000", "0000"),
    (5, 8, "01011011", "00010000", "11111000"),
]


@pytest.mark.parametrize(("value", "timesteps", "rate", "first", "burst"), SPIKES)
def test_a_value_is_coded_as(value, timesteps, rate, first, burst):
    given_values = fed("current", np.array([[value, 8]]), 4)
    plain = workload(chain((2,), (readout([[1], [1]]),)), given_values, timesteps)
    for expected, coding in ((rate, "rate"), (first, "first-spike"), (burst, "burst")):
        sent = encoded(plain, coding, timesteps).stimulus.feeds[0].values[0, :, 0]
        assert expected == "".join(str(bit) for bit in sent)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_all_codings_bring_the_same_sum(seed, timesteps):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 9, (3, 5))
    values[0, 0] = 8  # the largest: one spike in every timestep
    weight = rng.integers(-128, 128, (5, 4))
    plain = workload(chain((5,), (readout(weight),)), fed("current", values, 4), timesteps)
    spikes = np.floor(timesteps * values / 8 + 0.5).astype(int)
    for coding in CODINGS:
        mine = encoded(plain, coding, timesteps)
        found = behaviour.run(mine.network, mine.stimulus, "snn", timesteps)
        assert (spikes @ weight).tolist() == found.outputs.tolist()
        assert found.overflows == 0


def test_first_spikes_are_first():
    mine = encoded(Workload.load("digits-mlp"), "first-spike", 16, limit=40)
    found = behaviour.run(mine.network, mine.stimulus, "snn", 16)
    for number in (0, 1, 2):
        for inference in range(40):
            assert found.traces[number].totals(inference, 16).max() == 1
    assert found.overflows == 0


def test_the_ratio_is_measured_and_shown_beside_the_published_one():
    found = compare(Workload.load("digits-mlp"), Chip.load("generic-22nm"), 8, limit=10)
    operations = {one.coding: one.point.operations for one in found}
    assert operations["rate"] / operations["first-spike"] == ratio(found)
    verdict = coding_view(found, "")[-1].text
    assert f"{ratio(found):.2f} times" in verdict and "the published 3 to 5" in verdict


def test_what_cannot_be_coded_is_refused_by_name():
    cells = workload(
        chain((2,), (dense([[1], [2]], 3),)), fed("current", np.array([[-1, 2]]), 4), 2
    )
    with pytest.raises(InputError, match="input: a study of codings needs inputs of 0 or more"):
        encoded(cells, "rate", 2)
    with pytest.raises(InputError, match="hidden: .* neurons without leak"):
        encoded(Workload.load("digits-recurrent"), "rate", 16)
    spikes = workload(chain((2,), (dense([[1], [2]], 3),)), raster([[[0, 1], [1, 1]]]), 2)
    with pytest.raises(InputError, match="coding: must be one of rate, first-spike, burst"):
        encoded(spikes, "phase", 2)


def test_spikes_of_a_raster_are_counted_and_coded_again():
    spikes = workload(chain((2,), (readout([[1], [2]]),)), raster([[[0, 1], [1, 1]]]), 2)
    sent = encoded(spikes, "first-spike", 2).stimulus.feeds[0].values
    assert [[[0, 1], [1, 0]]] == sent.tolist()
