"""Whole windows in one event: what is sent, what a core does for it, and what is refused; worked
out by hand from the clauses [W20] to [W23] of docs/machine.md.
"""

import numpy as np
import pytest

from simulator import Chip, Workload, run
from simulator.behaviour import raster as behaviour
from simulator.describe.connections import DENSE, Connection
from simulator.describe.network import Layer, Neuron, chain, fed
from simulator.errors import MappingError
from simulator.mapping import encodings, windows
from simulator.mapping.fan_out import FanOut

T = 5
#: spikes of three inputs in two windows of five timesteps
SPIKES = [[3, 0, 5], [1, 2, 0]]


def workload(firing: str = "accumulate") -> Workload:
    """Three inputs to ten neurons that pass on their windows, and those to one more; ten weights of
    8 bits take two words of 64.
    """
    values = np.array([[[n > t for n in row] for t in range(T)] for row in SPIKES], np.int32)
    layers = []
    for name, n_in, n, weight in (("ten", 3, 10, 1), ("one", 10, 1, 1)):
        connection = Connection(DENSE, np.full((n_in, n), weight, np.int32), 8, (n_in,), (n,))
        zeros = np.zeros(n, np.int64)
        layers.append(Layer(name, (n,), connection, Neuron("if", zeros + 4, zeros, zeros)))
    placement = {"ten": [0], "one": [9]}
    stimulus = fed("raster", values, 1)
    return Workload("small", chain((3,), layers), stimulus, T, firing=firing, placement=placement)


def chip(*changes: str) -> Chip:
    """Eight lanes, words of 64 bits, a lookup of two cycles; an addition takes one cycle, a product
    three; three accumulators share a word.
    """
    return Chip.load("generic-22nm", ("core.synapse.multiply_accumulate=3 cycles", *changes))


def test_a_window_becomes_one_event_with_its_sum() -> None:  # [W20]
    loaded = workload()
    raster = behaviour.run(loaded.network, loaded.stimulus, "snn", T, "accumulate")
    found = windows.gathered(raster).traces[0]
    assert [0, 2, 4] == found.start.tolist()
    assert [0, 2, 0, 1] == found.neuron.tolist()
    assert [3, 5, 1, 2] == found.value.tolist()


# timesteps -> bits of a count, bits of a train
@pytest.mark.parametrize(("timesteps", "count", "train"), [(1, 1, 1), (4, 3, 4), (7, 3, 7)])
def test_a_count_takes_a_logarithm_and_a_train_a_bit_per_timestep(timesteps, count, train):
    assert count == windows.Window(timesteps, "counts").bits
    assert train == windows.Window(timesteps, "train").bits


# an event of 3 spikes that reaches 10 synapses: two words, two groups of lanes [W22]
# changes -> operations, words, words of accumulators, cycles with the lookup
SERVED = [
    (("core.synapse.reuse=none",), "accumulate", 30, 6, 12, 2 + 3 * 2),
    (("core.synapse.reuse=window",), "accumulate", 30, 2, 4, 2 + T * 2),
    (
        ("core.synapse.reuse=window", "core.synapse.counts=multiply"),
        "count_accumulate",
        10,
        2,
        4,
        2 + 2 * 3,
    ),
]


@pytest.mark.parametrize("encoding", ["counts", "train"])
@pytest.mark.parametrize(("changes", "kind", "operations", "words", "sums", "cycles"), SERVED)
def test_what_a_core_does_for_the_spikes_of_a_window(
    encoding, changes, kind, operations, words, sums, cycles
) -> None:
    described = chip(f"packet.spikes={encoding}", *changes)
    connection = workload().network.projections[0].connection
    reach = encodings.reach(
        described,
        connection,
        FanOut(np.zeros(3, np.int64), np.full((1, 1), 10)),
        np.arange(3),
        np.zeros(1, np.int64),
        False,
        windows.Window(T, encoding),
    )
    rows = encodings.table(described, reach, 3, np.array([3, 1, 1]))
    assert [operations, words, sums, cycles] == [
        int(column[0])
        for column in (rows.operations, rows.words, rows.accumulator_words, rows.cycles)
    ]
    assert {"accumulate": 0, "count_accumulate": 3}[kind] == rows.kind[0]
    assert [1, 1, 1] == rows.events.tolist()


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_the_words_read_fall_by_the_spikes_per_active_source(engine: str) -> None:
    def read(*changes: str) -> int:
        return run(workload(), chip(*changes), "snn", engine=engine).count("weight_read_words")

    # inputs: 11 spikes of 4 active windows at two words each; what the ten neurons get is 8 and 3,
    # of which they send 2 and 0: ten active windows with 20 spikes at one word each
    assert 11 * 2 + 20 == read()
    assert 11 * 2 + 20 == read("packet.spikes=counts")
    assert 4 * 2 + 10 == read("packet.spikes=counts", "core.synapse.reuse=window")
    assert 4 * 2 + 10 == read("packet.spikes=train", "core.synapse.reuse=window")


@pytest.mark.parametrize("spikes", ["counts", "train"])
def test_a_soma_answers_for_a_whole_window(spikes: str) -> None:
    # [W21]: eleven neurons, two windows; both populations need a step and the input one
    apart, whole = (run(workload(), chip(*change)) for change in ((), (f"packet.spikes={spikes}",)))
    assert [11 * 2 * T] * 2 == [one.count("neuron_updates") for one in (apart, whole)]
    assert [11 * 2 * T] * 2 == [one.count("threshold_tests") for one in (apart, whole)]
    words = 2  # state of 32 bits and an accumulator of 21 in words of 32
    assert 11 * 2 * T * words == apart.count("membrane_reads")
    assert 11 * 2 * words == whole.count("membrane_reads") == whole.count("membrane_writes")
    assert apart.count("resets") == whole.count("resets")
    assert [3, 3 * T] == [one.schedule.steps_per_inference for one in (whole, apart)]
    assert apart.raster.outputs.tolist() == whole.raster.outputs.tolist()


def test_values_are_summed_and_multiplied_as_they_are() -> None:
    loaded = workload()
    graded = fed("graded", loaded.stimulus.feeds[0].values * 2, 2)
    loaded = Workload("graded", loaded.network, graded, T, firing="accumulate")
    result = run(loaded, chip("packet.spikes=counts", "core.synapse.reuse=window"))
    assert 4 * 10 == result.count("macs")  # four active windows to ten neurons
    assert (8, 2 + 3) == result.schedule.operand_bits[0]


REFUSED = [
    (
        "streaming",
        ("packet.spikes=counts",),
        "chip generic-22nm: packet.spikes: counts must come with firing 'accumulate', which "
        "gathers whole windows, not 'streaming'",
    ),
    (
        "streaming",
        ("core.synapse.reuse=window",),
        "chip generic-22nm: core.synapse.reuse: window must come with firing 'accumulate', which "
        "gathers whole windows, not 'streaming'",
    ),
    (
        "accumulate",
        ("core.synapse.reuse=window",),
        "chip generic-22nm: core.synapse.reuse: window must come with packet.spikes counts or "
        "train, which bring a window at once, not events",
    ),
]


@pytest.mark.parametrize(("firing", "changes", "message"), REFUSED)
def test_windows_that_nobody_gathers_are_refused(firing, changes, message) -> None:  # [W23]
    with pytest.raises(MappingError) as caught:
        run(workload(firing), chip(*changes), "snn")
    assert message == str(caught.value)
    run(workload(firing), chip(*changes), "qnn")  # its activations are whole windows already
