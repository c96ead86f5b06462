"""Weights of 0 that are left out: bits, words and operations, worked out by hand from the clause
[W27] of docs/machine.md.
"""

import numpy as np
import pytest

from simulator import Chip, Workload, run
from simulator.describe.connections import DENSE, SPARSE, Connection
from simulator.describe.network import Layer, Neuron, chain, fed
from simulator.errors import DescriptionError
from simulator.mapping import zeros

# three sources to twelve currents: one weight at the far end; two beside each other; nothing
WEIGHT = np.zeros((3, 12), np.int32)
WEIGHT[0, 11], WEIGHT[1, 2:4] = 7, (-3, 5)
DENSE_ROWS = Connection(DENSE, WEIGHT, 8, (3,), (12,))
WAYS = ("index", "bitmap", "run_length")


def chip(way: str, *changes: str) -> Chip:
    """Indices of 8 bits, runs of 2: at most three zeros before a weight; three accumulators of 21
    bits to a word of 64.
    """
    skips = (f"core.synapse.zero_weight_skip={way}", "core.synapse.run=2 bit")
    return Chip.load("generic-22nm", (*skips, *changes))


# way -> bits of each row: weights of 8 bits, and what says where they belong
BITS = {
    "index": [1 * (8 + 8), 2 * (8 + 8), 0],
    "bitmap": [12 + 8, 12 + 2 * 8, 0],
    # eleven zeros take two weights of 0, each after three more, and leave three
    "run_length": [(1 + 2) * (8 + 2), 2 * (8 + 2), 0],
}


@pytest.mark.parametrize("way", WAYS)
def test_rows_without_zeros(way: str) -> None:
    left = zeros.kept(chip(way), DENSE_ROWS, np.zeros(12, np.int64), 1)
    assert [1, 2, 0] == left.count[:, 0].tolist()
    assert BITS[way] == left.bits[:, 0].tolist()
    assert [1, 2, 0] == left.words[:, 0].tolist()  # currents 2 and 3 lie in two words of three


def test_every_slice_has_its_own_part_of_a_row() -> None:
    halves = np.repeat([0, 1], 6)
    left = zeros.kept(chip("bitmap"), DENSE_ROWS, halves, 2)
    assert [[0, 1], [2, 0], [0, 0]] == left.count.tolist()
    assert [[0, 6 + 8], [6 + 16, 0], [0, 0]] == left.bits.tolist()


def test_synapses_of_weight_0_are_taken_out_of_sparse_rows() -> None:
    sparse = Connection(
        SPARSE,
        np.array([1, 0, 2, 0], np.int32),
        8,
        (2,),
        (4,),
        start=np.array([0, 3, 4]),
        index=np.array([0, 1, 3, 2]),
        delay=np.array([0, 5, 1, 2]),
    )
    left = zeros.pruned(sparse)
    assert ([1, 2], [0, 3], [0, 1]) == tuple(
        column.tolist() for column in (left.weight, left.index, left.delay)
    )
    assert [0, 2, 2] == left.start.tolist()


def workload() -> Workload:
    """All three sources fire in both timesteps at twelve neurons on one core."""
    nothing = np.zeros(12, np.int64)
    layer = Layer("out", (12,), DENSE_ROWS, Neuron("if", nothing + 100, nothing, nothing))
    stimulus = fed("raster", np.ones((1, 2, 3), np.int32), 1)
    return Workload("zeros", chain((3,), (layer,)), stimulus, 2, placement={"out": [0]})


@pytest.mark.parametrize("engine", ["reference", "compiled"])
@pytest.mark.parametrize("way", WAYS)
def test_a_run_neither_stores_nor_reads_nor_serves_them(way: str, engine: str) -> None:
    whole = run(workload(), "generic-22nm", engine=engine)
    less = run(workload(), chip(way), engine=engine)
    assert whole.raster.outputs.tolist() == less.raster.outputs.tolist()
    assert [3 * 12 * 8, sum(BITS[way])] == [
        int(one.mapping.synapse_bits.sum()) for one in (whole, less)
    ]
    assert [2 * 36, 2 * 3] == [one.count("accumulates") for one in (whole, less)]
    # words of 64 bits: two a row, or one where there is anything
    assert [2 * 3 * 2, 2 * 2] == [one.count("weight_read_words") for one in (whole, less)]
    assert [2 * 3 * 4, 2 * 3] == [one.count("accumulator_words") for one in (whole, less)]


def test_a_source_without_weights_sends_nothing() -> None:
    result = run(workload(), chip("bitmap"))
    assert 2 * 2 == result.record.counters[result.plan.n_cores :, 0].sum()  # packets of the port


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            ("core.synapse.zero_weight_skip=run_length",),
            "core.synapse: must say its 'run' with zero_weight_skip: run_length",
        ),
        (
            ("core.synapse.zero_weight_skip=index", "core.synapse.packed=true"),
            "core.synapse.packed: must be false with zero_weight_skip, not true",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(changes, message: str) -> None:
    with pytest.raises(DescriptionError, match=message):
        Chip.load("generic-22nm", changes)


@pytest.mark.parametrize("way", WAYS)
def test_the_digits_compute_the_same_and_cost_no_more_operations(way: str) -> None:
    whole, less = (
        run("digits-mlp", one, limit=2) for one in (Chip.load("generic-22nm"), chip(way))
    )
    assert (whole.raster.predictions == less.raster.predictions).all()
    assert less.count("accumulates") <= whole.count("accumulates")
