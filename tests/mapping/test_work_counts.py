"""What a row of synapses and a visit of the soma touch, and what a work item counts: worked out by
hand from the clauses [W7], [W8] and [W9] of docs/machine.md.
"""

from dataclasses import replace

import numpy as np
import pytest

from simulator import Chip, Workload, run
from simulator.describe.connections import CONVOLUTION, DENSE, SPARSE, Connection
from simulator.describe.network import Layer, Neuron, Pool, chain, fed
from simulator.errors import MappingError
from simulator.mapping import fan_out, stages
from simulator.mapping.memories import size_of
from simulator.mapping.partition import partition

CHIP = (
    "generic-22nm"  # accumulators of 21 bits, three to a word of 64; words of 32 bits in the soma
)


def chip(*changes: str) -> Chip:
    return Chip.load(CHIP, changes)


# accumulator, word, kind, synapses of a row, words it touches
ROWS = [
    (21, 64, DENSE, [0, 1, 3, 4, 128], [0, 1, 1, 2, 43]),
    (21, 64, CONVOLUTION, [0, 1, 3, 4, 128], [0, 1, 1, 2, 43]),
    (21, 64, SPARSE, [0, 1, 3, 4, 128], [0, 1, 3, 4, 128]),
    (16, 64, DENSE, [4, 5], [1, 2]),
    (32, 16, DENSE, [1, 5], [2, 10]),
    (32, 16, SPARSE, [1, 5], [2, 10]),
]


@pytest.mark.parametrize(("width", "word", "kind", "targets", "words"), ROWS)
def test_neighbouring_targets_share_words_of_accumulators(width, word, kind, targets, words):
    described = chip(
        f"core.synapse.accumulator={width} bit", f"core.synapse.accumulator_word={word} bit"
    )
    weight = np.zeros((1, 1, 1, 1) if kind == CONVOLUTION else (1, 1), np.int32)
    connection = Connection(kind, weight, 8, (1,), (1,))
    found = stages.accumulator_words(described, connection, np.array(targets))
    assert words == found.tolist()


# currents per neuron, words of 32 bits: state of 32 and accumulators of 21 bits, or these alone
@pytest.mark.parametrize(("currents", "spiking", "quantised"), [(1, 2, 1), (4, 4, 3), (9, 7, 6)])
def test_a_visit_touches_the_words_that_hold_the_neuron(currents, spiking, quantised):
    assert spiking == stages.visit_words(chip(), currents, True)
    assert quantised == stages.visit_words(chip(), currents, False)


def pooled(kind: str | None, model: str = "if") -> Workload:
    """One input pixel of weight 3 over 4 x 4 currents, pooled to 2 x 2 neurons; or one each."""
    size = 4 if kind is None else 2
    pool = None if kind is None else Pool(kind, 2)
    values = np.ones((1, 2, 16), np.int32)
    connection = Connection(
        CONVOLUTION, np.full((1, 1, 1, 1), 3, np.int32), 8, (1, 4, 4), (1, 4, 4), 1, 0
    )
    n = size * size
    zeros = np.zeros(n, np.int64)
    layer = Layer("pooled", (1, size, size), connection, Neuron(model, zeros + 2, zeros, zeros))
    network = chain((1, 4, 4), (replace(layer, pool=pool),))
    return Workload("pooled", network, fed("raster", values, 1), 2)


# packed, bits of a weight, values of three weights, synapses of a row, bits they take
TERNARY = [
    (True, 2, [-1, 0, 1], [0, 1, 5, 6, 128], [0, 8, 8, 16, 208]),
    (False, 2, [-1, 0, 1], [1, 5, 128], [2, 10, 256]),
    (True, 2, [-2, 0, 1], [1, 5, 128], [2, 10, 256]),  # four values take two bits
    (True, 8, [-1, 0, 1], [5], [40]),
]


@pytest.mark.parametrize(("packed", "bits", "values", "targets", "taken"), TERNARY)
def test_ternary_weights_take_two_bits_or_a_fifth_of_eight(packed, bits, values, targets, taken):
    described = chip(f"core.synapse.packed={str(packed).lower()}")
    weight = np.array([values], np.int32)
    dense = Connection(DENSE, weight, bits, (1,), (3,))
    assert taken == stages.row_bits(described, dense, np.array(targets)).tolist()
    layer = Layer("ternary", (3,), dense, pooled(None).network.populations[1].neuron)
    row, network = stages.row_bits(described, dense, np.array([2, 1])), chain((1,), [layer])
    two = np.array([0, 0, 1])
    assert row.tolist() == fan_out.synapse_bits(described, network, 1, two, 2).tolist()
    start, index = np.array([0, 3]), np.arange(3)
    sparse = Connection(SPARSE, weight[0], bits, (1,), (3,), start=start, index=index)
    network = chain((1,), [replace(layer, connection=sparse)])
    whole = fan_out.synapse_bits(described, network, 1, 0 * two, 1)
    assert whole.tolist() == [int(stages.row_bits(described, sparse, np.array(3)))]


# pool, model; per neuron: visits, comparisons spiking, comparisons quantised; bits of memory
POOLED = [
    (None, "if", 1, 1, 2, 32 + 2 * 21),
    ("sum", "if", 1, 1, 2, 32 + 2 * 21),
    ("max", "if", 4, 4, 5, 32 + 8 * 21),
    (None, "readout", 1, 0, 0, 32 + 2 * 21),
    ("sum", "readout", 1, 0, 0, 32 + 2 * 21),
    ("max", "readout", 4, 3, 3, 32 + 8 * 21),
]


@pytest.mark.parametrize("mode", ["snn", "qnn"])
@pytest.mark.parametrize(("kind", "model", "visits", "tests", "clamps", "bits"), POOLED)
def test_a_sum_takes_one_accumulator_and_a_readout_never_compares(
    kind, model, visits, tests, clamps, bits, mode
):
    workload = pooled(kind, model)
    network, n = workload.network, workload.network.populations[1].n_neurons
    assert bits == size_of(workload, chip(), 1).state
    assert n * bits == partition(workload, chip()).neuron_bits.sum()
    result = run(workload, chip(), mode)
    times = 2 * n if mode == "snn" else n
    spiking = mode == "snn"
    assert times * visits == result.count("neuron_updates")
    assert times * tests * spiking == result.ledger.counts["threshold_test"]
    assert times * clamps * (not spiking) == result.ledger.counts["clamp"]
    fires = model != "readout"
    assert times * fires * (not spiking) == result.ledger.counts["requantise"]
    words = times * stages.visit_words(chip(), fan_out.currents(network, 1), spiking)
    assert words == result.ledger.counts["membrane_read"]
    assert words == result.ledger.counts["membrane_write"]
    rows = 32 if spiking else 16  # events; each adds to one accumulator, which shares no word
    assert rows == result.ledger.counts["accumulator"]


def test_currents_beyond_the_accumulators_are_refused_by_name() -> None:
    narrow = chip("core.synapse.accumulator=12 bit")
    with pytest.raises(MappingError) as error:
        run("digits-mlp", narrow, "snn", timesteps=4, limit=20)
    assert str(error.value) == (
        "'hidden1' does not fit: its largest current in this run, -6127, needs accumulators "
        "of 14 bits, core.synapse.accumulator of generic-22nm is 12 bits"
    )


# pool, currents of 3 and their sums of 12, gathered over two timesteps or not; signed bits
@pytest.mark.parametrize(
    ("kind", "firing", "bits"),
    [
        (None, "streaming", 3),
        ("max", "streaming", 3),
        ("sum", "streaming", 5),
        (None, "accumulate", 4),
        ("sum", "accumulate", 6),
    ],
)
def test_an_accumulator_must_hold_what_it_gathers(kind, firing, bits):
    workload = replace(pooled(kind), firing=firing)
    run(workload, chip(f"core.synapse.accumulator={bits} bit"), "snn")
    with pytest.raises(MappingError, match=f"accumulators of {bits} bits"):
        run(workload, chip(f"core.synapse.accumulator={bits - 1} bit"), "snn")
