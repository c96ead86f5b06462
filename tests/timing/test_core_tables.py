"""When a core does what, worked out by hand from docs/machine.md, and where each cycle of its units
goes.

One router, so a flit sent in t is at the router in t + 2 and, unless it waits there, at its
destination in t + 5.
"""

from dataclasses import replace

import numpy as np
import pytest
from engines import ENGINES, simulate_with
from small_machines import CORE, PORT, Row, Step, core_and_port, work

from simulator.timing.record import COUNTER, POWER_STATES, UNIT_STATES

pytestmark = pytest.mark.parametrize("engine", ENGINES)


def run(engine, plan, rows, steps):
    return simulate_with(engine)(plan, work(plan, rows, steps), events=True)


def spent(record, unit):
    """The cycles of a unit of core 0 by state, without the states it was never in."""
    return {name: int(n) for name, n in zip(UNIT_STATES, record.unit_cycles[CORE, unit]) if n}


def states(record, index=CORE):
    rows = record.states[(record.states["is_router"] == 0) & (record.states["index"] == index)]
    return [(int(row["cycle"]), POWER_STATES[row["state"]]) for row in rows]


# flits, entry cycles, input queue, packets, quiet cycle, busy and starved cycles of the synapse
# unit [C1] [C3]
SYNAPSE = [
    (1, 4, 8, 1, 10, 4, 6),  # there in 5, taken in 6, done at 10
    (1, 4, 8, 2, 14, 8, 6),  # the second waits in the queue and is taken in 10
    (2, 1, 8, 1, 8, 1, 7),  # tail in 6, taken in 7
    (
        1,
        1,
        1,
        2,
        13,
        2,
        11,
    ),  # room for one: taken in 6, its credit is at the router in 8, the next is there in 11
    (1, 4, 1, 2, 16, 8, 8),
    (1, 1, 1, 3, 19, 3, 16),  # and again six cycles later
    (
        2,
        1,
        2,
        2,
        15,
        2,
        13,
    ),  # both credits go back when the packet is taken, in 7: flits leave in 9 and 10, tail in 13
]


@pytest.mark.parametrize("flits, cycles, queue, packets, quiet, busy, starved", SYNAPSE)
def test_a_synapse_unit_takes_whole_packets(
    engine, flits, cycles, queue, packets, quiet, busy, starved
):
    plan = core_and_port(input_queue=queue)
    record = run(
        engine, plan, [Row([(CORE, flits, cycles, 0)])], [Step(injects=[(0, 0)] * packets)]
    )
    assert [quiet] == record.step_quiet.tolist()
    assert {"busy": busy, "starved": starved, "barrier": 2} == spent(record, 0)
    assert [packets, packets * flits] == record.counters[
        CORE, [COUNTER["packets_received"], COUNTER["flits_received"]]
    ].tolist()
    assert [10 * packets, 3 * packets] == record.counters[
        CORE, [COUNTER["accumulates"], COUNTER["weight_read_words"]]
    ].tolist()


# group of each packet, events served together, quiet cycle, words of accumulators
# packets arrive in 5, 6, ... 10, take 4 cycles alone and 3 where they join [C11] [K31]
GROUPS = [
    ([-1] * 6, 4, 6 + 6 * 4, 6 * 2),
    ([0] * 6, 1, 6 + 6 * 4, 6 * 2),
    ([0] * 6, 2, 6 + 4 + 2 * (4 + 3) + 4, 4 * 2),  # the first alone, two pairs, the last alone
    ([0] * 6, 4, 6 + 4 + (4 + 3 * 3) + 4, 3 * 2),  # four wait in 10
    ([0] * 6, 8, 6 + 4 + (4 + 3 * 3) + 4, 3 * 2),  # the last comes in 10 and is seen in 11
    ([0, 1, 0, 1, 0, 1], 8, 6 + 6 * 4, 6 * 2),
    ([0, 1, 1, 0, 0, 0], 8, 6 + 4 + (4 + 3) + (4 + 2 * 3), 3 * 2),
]


@pytest.mark.parametrize("group, together, quiet, words", GROUPS)
def test_a_group_visits_its_accumulators_once(engine, group, together, quiet, words):
    # 3 words lie in 3 banks, 10 synapses in 10 lanes for 4 cycles, of which a group shares 1
    unit = {"lanes": 10, "banks": 3, "add_cycles": np.array([4, 4]), "shared_cycles": 1}
    plan = core_and_port(event_group=together, **unit)
    rows = [Row([(CORE, 1, 4, 0)]) for _ in group]
    activity = work(plan, rows, [Step(injects=[(0, row) for row in range(6)])])
    activity = replace(
        activity,
        entry_group=np.array(group, np.int32),
        entry_first_event=np.arange(6),
        event_address=np.arange(0, 18, 3),
        entry_accumulator_words=np.full(6, 2, np.int64),
    )
    record = simulate_with(engine)(plan, activity, events=True)
    assert [quiet] == record.step_quiet.tolist()
    counted = ("accumulator_words", "packets_received", "weight_read_words", "accumulates")
    assert [words, 6, 18, 60] == record.counters[CORE, [COUNTER[name] for name in counted]].tolist()


def test_operations_are_booked_by_their_kind(engine):  # [K30]
    activity = work(core_and_port(), [Row([(CORE, 1, 4, 0)])], [Step(injects=[(0, 0)] * 3)])
    names = ("accumulates", "macs", "count_accumulates")
    for kind, booked in ((0, [30, 0, 0]), (1, [0, 30, 0]), (3, [0, 0, 30])):
        counted = replace(activity, entry_kind=np.full_like(activity.entry_kind, kind))
        record = simulate_with(engine)(core_and_port(), counted, events=True)
        assert booked == record.counters[CORE, [COUNTER[name] for name in names]].tolist()


def test_a_synapse_unit_goes_round_the_vcs(engine):
    # [C2]: room for one flit in each of two VCs, ten cycles a packet: VC 1 is granted first
    # [A7], in 2. Taken in 6 (VC 1), 16 (0), 26 (1, though VC 0 has a packet
    # too), 36 (0), 46 (1); each take lets one more in, in + 2
    plan = core_and_port(virtual_channels=2, class_channels=np.array([2, 2]), input_queue=1)
    record = run(engine, plan, [Row([(CORE, 1, 10, 0)])], [Step(injects=[(0, 0)] * 5)])
    assert [2, 3, 8, 18, 28] == record.grants["cycle"].tolist()
    assert [1, 0, 1, 0, 1] == record.grants["out_vc"].tolist()
    assert ([56], 2) == (record.step_quiet.tolist(), record.queue_peak[CORE, 0])


def test_the_mark_of_the_input_queue_is_what_it_holds_with_everything_of_a_cycle_done(engine):
    # [K2]: packets come in 5, 6, 7, 8; the first is taken in 6, in which the second comes: one flit
    # is held then
    plan = core_and_port()
    for packets, peak in ((2, 1), (3, 2), (4, 3)):
        record = run(engine, plan, [Row([(CORE, 1, 4, 0)])], [Step(injects=[(0, 0)] * packets)])
        assert peak == record.queue_peak[CORE, 0]


# soma cycles, spike cycles, axon cycles; the message is put at, sent in, arrives in; soma busy [T1]
# [C4] [C7] [C9]
SOMA = [
    (
        1,
        0,
        1,
        3 + 1,
        5,
        10,
        3,
    ),  # neuron 1 done at 2, message taken in 3, packet put at 4, sent in 5
    (2, 3, 2, 10, 11, 16, 9),  # neuron 1 done at 7, taken in 8
    (1, 5, 4, 12, 13, 18, 8),
]


@pytest.mark.parametrize("soma, spike, axon, put, sent, arrives, busy", SOMA)
def test_a_message_goes_from_soma_to_port(engine, soma, spike, axon, put, sent, arrives, busy):
    plan = core_and_port(soma_cycles=soma, soma_spike_cycles=spike, axon_cycles=axon)
    record = run(engine, plan, [Row([(PORT, 1, 1, 0)])], [Step(visits=3, fires=[(1, 0)])])
    (packet,) = record.packets
    assert (put, sent, arrives, arrives) == packet.item()[5:9]
    assert ([arrives], [arrives]) == (record.step_quiet.tolist(), record.step_last_output.tolist())
    assert {"busy": busy, "starved": arrives - busy, "barrier": 2} == spent(record, 1)
    assert {"busy": axon, "starved": arrives - axon, "barrier": 2} == spent(record, 2)
    assert [3, 1] == record.counters[CORE, [COUNTER["neuron_updates"], COUNTER["spikes"]]].tolist()


def test_a_message_without_a_row_costs_its_cycles_and_sends_nothing(engine):  # [C6]
    record = run(engine, core_and_port(soma_spike_cycles=4), [], [Step(visits=2, fires=[(0, -1)])])
    assert ([6], 0, 1) == (
        record.step_quiet.tolist(),
        len(record.packets),
        record.counters[CORE, COUNTER["spikes"]],
    )


def test_a_full_spike_queue_blocks_the_soma(engine):
    # [C5]: put at 1; taken in 2, so there is room from 3: neuron 1 (done at 2) is put at 3; taken
    # in 5, room from 6: neuron 2
    plan = core_and_port(spike_queue=1, axon_cycles=3)
    record = run(
        engine, plan, [Row([(PORT, 1, 1, 0)])], [Step(visits=3, fires=[(0, 0), (1, 0), (2, 0)])]
    )
    assert [5, 8, 11] == record.packets["inject_cycle"].tolist()
    assert [11, 14, 17] == record.packets["tail_arrive_cycle"].tolist()
    assert {"busy": 3, "blocked": 3, "starved": 11, "barrier": 2} == spent(
        record, 1
    )  # blocked in 2, 4, 5
    assert {"busy": 9, "starved": 8, "barrier": 2} == spent(record, 2)
    assert [0, 1, 1] == record.queue_peak[CORE].tolist()


def test_a_full_output_queue_blocks_axon_out(engine):
    # [C8]: heads leave in 4, 7, 10, 13: room is seen in 5, 8, 11
    plan = core_and_port(output_queue=1)
    record = run(engine, plan, [Row([(PORT, 3, 1, 0)] * 4)], [Step(visits=1, fires=[(0, 0)])])
    assert [3, 5, 8, 11] == record.packets["inject_cycle"].tolist()
    assert [4, 7, 10, 13] == record.packets["head_entry_cycle"].tolist()
    assert [20] == record.step_quiet.tolist()
    assert {"busy": 4, "blocked": 5, "starved": 11, "barrier": 2} == spent(
        record, 2
    )  # blocked in 4, 6, 7, 9, 10


def test_the_next_step_starts_a_barrier_after_quiet(engine):  # [S1] [S2] [S3]
    plan = core_and_port(barrier_cycles=3)
    steps = [Step(injects=[(0, 0)]), Step(visits=1), Step(), Step(visits=2)]
    record = run(engine, plan, [Row([(CORE, 1, 4, 0)])], steps)
    assert [0, 13, 17, 20] == record.step_start.tolist()
    assert [10, 14, 17, 22] == record.step_quiet.tolist()
    assert 25 == record.cycles
    assert {"busy": 3, "starved": 10, "barrier": 12} == spent(record, 1)
    assert [13, 4, 3, 5] == record.step_state_cycles.sum(axis=1).tolist()


def test_a_port_injects_in_its_cycle(engine):  # [C10], and a row in its order [N3]
    rows = [Row([(PORT, 1, 1, 0)]), Row([(PORT, 2, 1, 0), (PORT, 1, 1, 0)])]
    record = run(engine, core_and_port(), rows, [Step(injects=[(3, 0), (9, 1)])])
    assert [3, 9, 9] == record.packets["inject_cycle"].tolist()
    assert [3, 9, 11] == record.packets["head_entry_cycle"].tolist()
    assert [8, 15, 16] == record.packets["tail_arrive_cycle"].tolist()


# gate after, off after, gate wake, off wake, reload, states of the core with a barrier of 4; a flit
# comes in 5 [P3] [P4] [P5]
POWER = [
    (-1, -1, 3, 9, 0, [(0, "idle"), (5, "active"), (7, "idle")]),  # taken in 6, done at 7
    (
        2,
        -1,
        3,
        9,
        0,
        [(0, "idle"), (2, "gated"), (5, "waking"), (8, "active"), (9, "idle"), (11, "gated")],
    ),
    (2, -1, 0, 9, 0, [(0, "idle"), (2, "gated"), (5, "active"), (7, "idle"), (9, "gated")]),
    (0, -1, 1, 9, 0, [(0, "gated"), (5, "waking"), (6, "active"), (7, "gated")]),
    (4, -1, 1, 9, 0, [(0, "idle"), (4, "gated"), (5, "waking"), (6, "active"), (7, "idle")]),
    (5, -1, 3, 9, 0, [(0, "idle"), (5, "active"), (7, "idle")]),  # in the very cycle: never gated
    (
        2,
        5,
        1,
        9,
        0,
        [(0, "idle"), (2, "gated"), (5, "waking"), (6, "active"), (7, "idle"), (9, "gated")],
    ),  # nor off
    (
        2,
        4,
        1,
        4,
        0,
        [
            (0, "idle"),
            (2, "gated"),
            (4, "off"),
            (5, "waking"),
            (9, "active"),
            (10, "idle"),
            (12, "gated"),
        ],
    ),
    (0, 0, 1, 2, 6, [(0, "off"), (5, "waking"), (13, "active"), (14, "off")]),  # 2 and the reload
    (-1, 3, 1, 0, 0, [(0, "idle"), (3, "off"), (5, "active"), (7, "idle"), (10, "off")]),
]


@pytest.mark.parametrize("gate_after, off_after, gate_wake, off_wake, reload, expected", POWER)
def test_a_sleeping_core_wakes_when_a_flit_comes(
    engine, gate_after, off_after, gate_wake, off_wake, reload, expected
):
    plan = core_and_port(
        gate_after=gate_after,
        off_after=off_after,
        gate_wake=gate_wake,
        off_wake=off_wake,
        reload_cycles=np.array([reload]),
        barrier_cycles=4,
    )
    record = run(engine, plan, [Row([(CORE, 1, 1, 0)])], [Step(injects=[(0, 0)])])
    assert expected == states(record)
    before = {cycle: state for (_, state), (cycle, _) in zip(expected, expected[1:])}[5]
    wakes = record.counters[CORE, [COUNTER["gate_wakes"], COUNTER["off_wakes"]]].tolist()  # [K5]
    assert [int(before == "gated"), int(before == "off")] == wakes
    ends = [*[cycle for cycle, _ in expected[1:]], record.cycles]
    for number, name in enumerate(POWER_STATES):
        total = sum(end - cycle for (cycle, state), end in zip(expected, ends) if state == name)
        assert total == record.state_cycles[CORE, number] == record.step_state_cycles[0, number]
    for unit in range(3):
        asleep = {
            name: n for name, n in spent(record, unit).items() if name in ("gated", "off", "waking")
        }
        assert {
            name: int(record.state_cycles[CORE, POWER_STATES.index(name)]) for name in asleep
        } == asleep


# what step 1 starts with after step 0 (quiet at 1, barrier 10): wake latency, first cycle of the
# soma's work
@pytest.mark.parametrize(
    "gate_after, gate_wake, quiet", [(0, 0, 12), (0, 5, 17), (20, 5, 12), (10, 5, 12), (9, 5, 17)]
)
def test_a_step_wakes_the_cores_it_needs(engine, gate_after, gate_wake, quiet):
    plan = core_and_port(gate_after=gate_after, gate_wake=gate_wake, barrier_cycles=10)
    record = run(engine, plan, [], [Step(visits=1), Step(visits=1)])
    assert ([0, 11], [1, quiet]) == (record.step_start.tolist(), record.step_quiet.tolist())
    assert int(quiet - 12) == spent(record, 1).get("waking", 0)


# where inferences begin: in which steps, how often the core lost what it had gathered
@pytest.mark.parametrize(
    "begins, losses", [([1, 0, 0], 2), ([1, 1, 0], 1), ([1, 0, 1], 1), ([1, 1, 1], 0)]
)
def test_a_core_that_is_off_within_an_inference_loses_its_state(engine, begins, losses):  # [K5]
    plan = core_and_port(off_after=0, barrier_cycles=4)
    steps = [Step(visits=1), Step(visits=1), Step(visits=1)]
    activity = replace(work(plan, [], steps), step_begins=np.array(begins, np.uint8))
    record = simulate_with(engine)(plan, activity)
    counted = record.counters[CORE, [COUNTER["off_wakes"], COUNTER["state_losses"]]]
    assert [2, losses] == counted.tolist()


def test_an_axon_unit_that_is_blocked_keeps_its_core_awake(engine):  # [P2]
    plan = core_and_port(output_queue=1, gate_after=0, gate_wake=1)
    record = run(engine, plan, [Row([(PORT, 3, 1, 0)] * 4)], [Step(visits=1, fires=[(0, 0)])])
    assert [(0, "active"), (11, "gated")] == states(
        record
    )  # the last packet is put at 11; the interface needs no clock
    assert {"busy": 4, "blocked": 5, "starved": 2, "gated": 11} == spent(record, 2)
