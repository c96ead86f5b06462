"""Packets built from fields: sizes worked out by hand, and every encoding carries the same
events.
"""

import numpy as np
import pytest

from simulator.behaviour import raster as behaviour
from simulator.describe.chip import Chip
from simulator.describe.connections import DENSE, Connection
from simulator.describe.workload import Workload
from simulator.errors import MappingError
from simulator.mapping import encodings, sending
from simulator.mapping.activity import compile_activity
from simulator.mapping.encodings import Grouping
from simulator.mapping.fan_out import FanOut
from simulator.mapping.machine import compile_plan
from simulator.mapping.partition import partition
from simulator.mapping.plan import ACCUMULATE


def reach(targets: list[list[int]]) -> encodings.Reach:
    matrix = np.array(targets, np.int64)
    return encodings.Reach(
        np.arange(matrix.shape[1], dtype=np.int32),
        np.arange(len(matrix)),
        matrix,
        2 * matrix,
        matrix,
        3 * matrix,
        ACCUMULATE,
    )


# generic-22nm: 12 bits destination, 12 bits axon, 32-bit flits, at most 8 of them, lookup 2 cycles
# encoding, payload, neurons covered, events -> bits, flits, busy cycles (3 per synapse, one each)
FIELDS = [
    ("events", 0, 1, 1, 12 + 12, 1, 2 + 3),
    ("events", 3, 1, 1, 12 + 12 + 3, 1, 2 + 3),
    ("events", 9, 1, 1, 12 + 12 + 9, 2, 2 + 3),
    ("events", 3, 1, 4, 12 + 4 * (12 + 3), 3, 4 * (2 + 3)),
    ("bitmap", 0, 40, 4, 12 + 12 + 40, 2, 2 + 4 * 3),
    ("bitmap", 3, 40, 4, 12 + 12 + 40 + 4 * 3, 3, 2 + 4 * 3),
    ("dense", 3, 40, 4, 12 + 12 + 40 * 3, 5, 2 + 4 * 3 + 36),
]


@pytest.mark.parametrize(
    ("encoding", "payload", "neurons", "events", "bits", "flits", "cycles"), FIELDS
)
def test_a_packet_is_as_long_as_its_fields(
    encoding, payload, neurons, events, bits, flits, cycles
) -> None:
    groups = Grouping(
        np.arange(events), np.array([0, events]), encoding == "dense", np.array([neurons])
    )
    rows = encodings.rows(
        Chip.load("generic-22nm"), reach([[1]] * events), groups, encoding, payload
    )
    payload_bits = (rows.stream_bits if encoding != "events" else rows.payload_bits).tolist()
    assert rows.payload_bits.sum() + rows.stream_bits.sum() == sum(payload_bits)
    whole = (rows.header_bits + payload_bits).tolist()
    assert (whole, rows.flits.tolist(), rows.cycles.tolist()) == (
        [bits],
        [flits],
        [cycles],
    )
    assert rows.events.tolist() == [events]


def test_a_packet_goes_only_where_its_events_have_synapses() -> None:
    chip = Chip.load("generic-22nm")
    targets = reach([[1, 0, 2], [1, 0, 0]])
    group = Grouping(np.arange(2), np.array([0, 2]), False, np.array([2]))
    rows = encodings.rows(chip, targets, group, "events", 0)
    assert rows.endpoint.tolist() == [0, 2]
    assert rows.events.tolist() == [2, 1]
    assert rows.operations.tolist() == [2, 2]
    stream = encodings.rows(
        chip, targets, Grouping(np.arange(2), np.array([0, 2]), True, np.array([2])), "dense", 3
    )
    assert stream.endpoint.tolist() == [0, 1, 2]  # a stream goes everywhere, zeros and all


# encoding of the quantised twin, events per packet
WAYS = [("events", 1), ("events", 3), ("bitmap", 1), ("dense", 1)]


@pytest.mark.parametrize("workload", ["digits-mlp", "digits-cnn"])
@pytest.mark.parametrize("mode", ["snn", "qnn"])
def test_every_encoding_asks_for_the_same_synaptic_operations(workload: str, mode: str) -> None:
    loaded = Workload.load(workload)
    raster = behaviour.run(loaded.network, loaded.stimulus, mode, 4, "streaming", 3)
    expected = None
    for encoding, together in WAYS:
        if mode == "snn" and encoding == "dense":
            continue
        key = "packet.activations" if mode == "qnn" else "packet.spikes"
        chip = Chip.load(
            "generic-22nm", (f"{key}={encoding}", f"packet.events_per_packet={together}")
        )
        mapping = partition(loaded, chip)
        activity = compile_activity(
            loaded, chip, mapping, compile_plan(chip, mapping), raster
        ).activity
        asked = np.zeros((3, chip.n_cores + 1), np.int64)
        rows = [(int(row), 1) for row in activity.message_row if row >= 0] + [
            (int(row), 1) for row in activity.inject_row
        ]
        for row, _ in rows:
            for entry in range(activity.row_start[row], activity.row_start[row + 1]):
                place = activity.entry_endpoint[entry]
                asked[0, place] += activity.entry_operations[entry]
                asked[1, place] += activity.entry_words[entry]
                asked[2, place] += activity.entry_events[entry]
        if expected is None:
            expected = asked
        assert np.array_equal(asked[:2], expected[:2]), encoding
        assert np.array_equal(asked[2], expected[2]), encoding


def test_without_zero_skip_a_stream_multiplies_every_zero() -> None:
    loaded = Workload.load("digits-mlp")
    raster = behaviour.run(loaded.network, loaded.stimulus, "qnn", 4, "streaming", 2)
    macs = []
    for skip in ("true", "false"):
        chip = Chip.load(
            "generic-22nm", ("packet.activations=dense", f"core.synapse.zero_skip={skip}")
        )
        mapping = partition(loaded, chip)
        activity = compile_activity(
            loaded, chip, mapping, compile_plan(chip, mapping), raster
        ).activity
        per_row = np.add.reduceat(activity.entry_operations, activity.row_start[:-1])
        macs.append(int(per_row[activity.message_row].sum()))
    fan_out = 128 * 64 + 64 * 10  # hidden1 -> hidden2 -> output, all activations of two inferences
    active = len(raster.traces[1].neuron) * 64 + len(raster.traces[2].neuron) * 10
    assert macs == [active, 2 * fan_out]


def test_messages_lie_within_their_visit_and_rise() -> None:
    loaded = Workload.load("digits-cnn")
    touched, bitmap = "core.soma.update=touched", "packet.spikes=bitmap"
    for changes in ((), (touched,), (bitmap,), (touched, bitmap)):
        chip = Chip.load("generic-22nm", changes)
        mapping = partition(loaded, chip)
        raster = behaviour.run(loaded.network, loaded.stimulus, "snn", 4, "streaming", 3)
        activity = compile_activity(
            loaded, chip, mapping, compile_plan(chip, mapping), raster
        ).activity
        assert activity.work_message[0] == 0 and activity.work_message[-1] == len(
            activity.message_row
        )
        for item, visits in enumerate(activity.work_visits):
            positions = activity.message_position[
                activity.work_message[item] : activity.work_message[item + 1]
            ]
            assert (np.diff(positions) > 0).all()
            assert not len(positions) or (positions[0] >= 0 and positions[-1] < visits)


def test_an_event_longer_than_the_input_queue_is_refused() -> None:
    chip = Chip.load("generic-22nm", ("core.input_queue=1 flit", "packet.maximum=1 flit"))
    with pytest.raises(MappingError) as error:
        encodings.table(chip, reach([[1]]), 9)
    assert str(error.value) == (
        "chip generic-22nm: core.input_queue must hold the longest packet, 2 flits for 33 bits, "
        "not only 1 flits: "
        "a core takes whole packets"
    )


def grouped(group: int, kind: str) -> encodings.Reach:
    """Return the reach of two sources to 16 targets: two groups of lanes, four cycles each, two
    of them shared; six words of accumulators.
    """
    changes = (
        f"core.synapse.group={group}",
        "core.synapse.accumulate=4 cycles",
        "core.synapse.multiply_accumulate=4 cycles",
        "core.synapse.shared=2 cycles",
    )
    return encodings.reach(
        Chip.load("generic-22nm", changes),
        Connection(kind, np.zeros((2, 16), np.int32), 8, (2,), (16,)),
        FanOut(np.zeros(2, np.int64), np.full((1, 1), 16)),
        np.arange(2),
        np.zeros(1, np.int64),
        False,
    )


# [W24]: group, events in a packet -> cycles without lookups of 2, words of accumulators, and where
# rows begin that may join others': source k's two words from 2 k on
GROUPED = [
    (1, 1, 8, 6, []),
    (8, 1, 8, 6, [0]),
    (8, 5, 8 + 4 * 4, 6, [0, 2, 0, 2, 0]),  # four of the five find the accumulators open
    (2, 5, 3 * 8 + 2 * 4, 3 * 6, []),  # two, two and one: no room for others
]


@pytest.mark.parametrize(("group", "events", "cycles", "words", "addresses"), GROUPED)
def test_events_of_a_packet_share_the_accumulators_they_add_to(
    group, events, cycles, words, addresses
) -> None:
    chip = Chip.load("generic-22nm", (f"core.synapse.group={group}",))
    members = Grouping(np.arange(events) % 2, np.array([0, events]), False, np.array([events]))
    rows = encodings.rows(chip, grouped(group, DENSE), members, "events", 0)
    assert [cycles + 2 * events, words, 2 * events, 0] == [
        int(column[0])
        for column in (
            rows.cycles,
            rows.accumulator_words,
            rows.lookup_cycles,
            rows.conflict_cycles,
        )
    ]
    assert addresses == rows.address.tolist()
    assert [group > 1] == rows.is_grouped.tolist()


# [W24]: the sources whose spikes share a packet, each with one word of weights: those whose numbers
# are equal modulo the 4 banks wait for each other, unless the lanes are as slow
# sources, lanes -> busy cycles without lookups of 2, in bank conflict
IN_BANKS = [
    ([0, 1, 2, 3], 32, 1, 0),
    ([0, 4, 8, 12], 32, 1, 3),
    ([0, 4, 8, 12], 8, 4, 0),
    ([0, 4, 1, 2], 32, 1, 1),
    ([3, 7, 2, 6, 11, 5], 32, 2, 1),  # 8 at once at the most: three of the six in bank 3
    ([0, 1, 2, 3, 4, 5, 6, 7, 8, 12], 32, 2 + 1, 1),  # eight without, and two with a conflict
]


@pytest.mark.parametrize("sources, lanes, cycles, waits", IN_BANKS)
def test_rows_that_begin_in_one_bank_are_read_one_after_the_other(
    sources, lanes, cycles, waits
) -> None:
    changes = {"core.synapse.group": 8, "core.synapse.banks": 4, "core.synapse.lanes": lanes}
    chip = Chip.load("generic-22nm", changes)
    to = encodings.reach(
        chip,
        Connection(DENSE, np.zeros((16, 8), np.int32), 8, (16,), (8,)),
        FanOut(np.zeros(16, np.int64), np.full((1, 1), 8)),
        np.arange(16)[::-1],  # the last source sits first: its row lies where its number says
        np.zeros(1, np.int64),
        False,
    )
    seats = 15 - np.array(sources)
    together = Grouping(seats, np.array([0, len(seats)]), False, np.array([len(seats)]))
    rows = encodings.rows(chip, to, together, "events", 0)
    assert ([cycles + 2 * len(seats)], [waits]) == (
        rows.cycles.tolist(),
        rows.conflict_cycles.tolist(),
    )
    assert rows.address.tolist() == (sources if len(sources) < 8 else [])


# rows, columns, below which the numbers are; the last one outgrows one number for a row
DRAWN = [(500, 3, 5), (1000, 2, 300), (7, 1, 3), (0, 2, 4), (400, 6, 2**40)]


@pytest.mark.parametrize("rows, columns, high", DRAWN)
def test_distinct_rows_are_those_numpy_finds(rows, columns, high):
    rng = np.random.default_rng(rows)
    drawn = rng.integers(-1, high, (rows, columns))[rng.integers(0, max(rows, 1), rows)]
    expected, which = np.unique(drawn, axis=0, return_inverse=True)
    found = sending._distinct(drawn)
    assert (expected == found[0]).all() and (which.reshape(-1) == found[1]).all()
