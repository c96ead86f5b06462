"""Laws of every run, over random machines and random work (random_machines.py), on both engines."""

from collections import Counter
from dataclasses import fields, replace

import numpy as np
import pytest
from engines import ENGINES, simulate_with
from hypothesis import given, settings
from hypothesis import strategies as st
from random_machines import random_activity, random_plan
from small_machines import Step, work

from simulator.mapping.plan import (
    ACCUMULATE,
    BARRIER,
    COUNT,
    MULTIPLY_ACCUMULATE,
    WORK_COUNTERS,
    Activity,
)
from simulator.mapping.routes import distance
from simulator.timing.record import COUNTER, GATED, IDLE, OFF, UNIT_STATES, UNITS

pytestmark = pytest.mark.parametrize("engine", ENGINES)
seeds = given(seed=st.integers(0, 2**32 - 1))
often = settings(derandomize=True, deadline=None, max_examples=40, database=None)
#: what a core counts of an entry's kind
OPERATION = {ACCUMULATE: "accumulates", MULTIPLY_ACCUMULATE: "macs", COUNT: "count_accumulates"}
#: when a core sleeps depends on timing, what it computes does not
WAKES = ("gate_wakes", "off_wakes", "state_losses", "reload_cycles")
#: the next laws'
HOPS = (
    "router_traversals",
    "router_grants",
    "flit_hops_east_west",
    "flit_hops_north_south",
    "payload_bit_hops",
    "header_bit_hops",
    "stream_bit_hops",
)


def drawn(seed):
    """Return a machine with barriers, whose packets are those it is given; what tokens add has laws
    of its own (test_tokens.py).
    """
    rng = np.random.default_rng(seed)
    plan = random_plan(rng, synchronisation=BARRIER)
    return plan, random_activity(rng, plan)


def sources(activity: Activity):
    """(source, row) of every message and injection that sends something."""
    items = np.repeat(activity.work_core, np.diff(activity.work_message))
    sent = [(int(core), int(row)) for core, row in zip(items, activity.message_row) if row >= 0]
    return sent + [
        (int(port), int(row)) for port, row in zip(activity.inject_port, activity.inject_row)
    ]


def copies(activity: Activity):
    """(source, entry) of everything that has to be delivered, as often as it is sent."""
    for source, row in sources(activity):
        for entry in range(activity.row_start[row], activity.row_start[row + 1]):
            yield source, entry


@often
@seeds
def test_every_entry_is_delivered_exactly_once(engine, seed):
    plan, activity = drawn(seed)
    record = simulate_with(engine)(plan, activity, events=True)
    expected = Counter(
        (
            source,
            int(activity.entry_endpoint[e]),
            int(activity.entry_flits[e]),
            int(activity.entry_class[e]),
        )
        for source, e in copies(activity)
    )
    keys = ("source", "destination", "size", "traffic_class")
    assert expected == Counter(tuple(int(row[key]) for key in keys) for row in record.packets)


@often
@seeds
def test_the_work_done_is_the_work_given(engine, seed):  # [K1] [K4] [K6]
    plan, activity = drawn(seed)
    record = simulate_with(engine)(plan, activity)
    expected = np.zeros_like(record.counters)
    for source, row in sources(activity):
        is_tree = activity.row_tree[row] >= 0
        first, last = activity.row_start[row], activity.row_start[row + 1]
        expected[source, COUNTER["packets_sent"]] += 1 if is_tree else last - first
        expected[source, COUNTER["flits_sent"]] += (
            activity.entry_flits[first] if is_tree else activity.entry_flits[first:last].sum()
        )
    for _, entry in copies(activity):
        to = activity.entry_endpoint[entry]
        expected[to, COUNTER["packets_received"]] += 1
        expected[to, COUNTER["flits_received"]] += activity.entry_flits[entry]
        expected[to, COUNTER["events_received"]] += activity.entry_events[entry]
        if to < plan.n_cores:
            expected[to, COUNTER[OPERATION[activity.entry_kind[entry]]]] += (
                activity.entry_operations[entry]
            )
            expected[to, COUNTER["weight_read_words"]] += activity.entry_words[entry]
            words = activity.entry_accumulator_words[entry]
            expected[to, COUNTER["accumulator_words"]] += words
    np.add.at(expected[:, COUNTER["neuron_updates"]], activity.work_core, activity.work_visits)
    np.add.at(expected[:, COUNTER["spikes"]], activity.work_core, np.diff(activity.work_message))
    for column, name in enumerate(WORK_COUNTERS):
        counts = activity.work_counts[:, column]
        np.add.at(expected[:, COUNTER[name]], activity.work_core, counts)
    # [C22] [K50]: which events meet is a matter of time; what is counted is where the time went
    conflicts = record.counters[:, COUNTER["bank_conflicts"]]
    where = record.unit_cycles[:, :, UNIT_STATES.index("bank conflict")]
    assert conflicts[: plan.n_cores].tolist() == where[:, UNITS.index("synapse")].tolist()
    assert where.sum() == conflicts.sum()
    expected[:, COUNTER["bank_conflicts"]] = conflicts
    if plan.event_group > 1:  # what joins a group reads no accumulators [K31]: at most the words
        words = COUNTER["accumulator_words"]
        assert (record.counters[:, words] <= expected[:, words]).all()
        expected[:, words] = record.counters[:, words]
    for name in (*HOPS, *WAKES):
        expected[:, COUNTER[name]] = record.counters[:, COUNTER[name]]
    assert expected.tolist() == record.counters.tolist()
    ports = record.counters[plan.n_cores :].sum(axis=0)
    assert ports.tolist() == record.step_port_counters.sum(axis=0).tolist()
    assert record.counters.sum(axis=0).tolist() == record.step_counters.sum(axis=0).tolist()


@often
@seeds
def test_bits_travel_as_far_as_their_packets(engine, seed):  # [K3]
    plan, activity = drawn(seed)
    record = simulate_with(engine)(plan, activity)
    expected = dict.fromkeys(("payload", "header", "stream"), 0)
    for source, row in sources(activity):
        first, last = activity.row_start[row], activity.row_start[row + 1]
        tree = activity.row_tree[row]
        if tree >= 0:
            nodes = slice(activity.tree_start[tree], activity.tree_start[tree + 1])
            links = sum(int(mask & 15).bit_count() for mask in activity.tree_mask[nodes])
            packets = [(first, links)]
        else:
            here = plan.endpoint_router[source]
            there = plan.endpoint_router[activity.entry_endpoint[first:last]]
            packets = [(first + k, distance(plan.width, here, to)) for k, to in enumerate(there)]
        for entry, links in packets:
            for kind in expected:
                expected[kind] += int(getattr(activity, f"entry_{kind}_bits")[entry]) * links
    found = record.counters.sum(axis=0)
    assert expected == {kind: found[COUNTER[f"{kind}_bit_hops"]] for kind in expected}


@often
@seeds
def test_macs_are_booked_by_the_widths_of_their_operands(engine, seed):  # [K7]
    plan, activity = drawn(seed)
    record = simulate_with(engine)(plan, activity)
    expected = np.zeros((plan.n_endpoints, len(activity.operand_bits)), np.int64)
    for _, entry in copies(activity):
        if activity.entry_kind[entry] == MULTIPLY_ACCUMULATE:
            place = activity.entry_endpoint[entry], activity.entry_operands[entry]
            expected[place] += activity.entry_operations[entry]
    assert expected.tolist() == record.operand_macs.tolist()
    assert expected.sum(axis=0).tolist() == record.step_operand_macs.sum(axis=0).tolist()
    assert expected.sum() == record.counters[:, COUNTER["macs"]].sum()


@often
@seeds
def test_flits_and_hops_are_the_grants_of_the_links(engine, seed):  # [K8]
    plan, activity = drawn(seed)
    record = simulate_with(engine)(plan, activity, events=True)
    total = dict(zip(COUNTER, record.counters.sum(axis=0).tolist()))
    assert total["flit_hops_east_west"] == record.link_flits[:, :2].sum()
    assert total["flit_hops_north_south"] == record.link_flits[:, 2:4].sum()
    assert total["flits_received"] == record.link_flits[:, 4:].sum()
    assert (
        total["router_grants"] == record.link_flits.sum()
    )  # of trees too: every branch is granted
    if not (activity.row_tree >= 0).any():
        assert total["flits_sent"] == total["flits_received"]
        assert total["router_traversals"] == record.link_flits.sum()
    granted = np.zeros_like(record.link_flits)
    np.add.at(granted, (record.grants["router"], record.grants["out_port"]), 1)
    assert granted.tolist() == record.link_flits.tolist()
    blocked = granted + record.link_blocked
    assert blocked.max(initial=0) <= record.cycles  # a link is granted or blocked once a cycle


@often
@seeds
def test_hops_are_the_distance_and_instants_are_in_order(engine, seed):  # [M1] [M2] [K10]
    plan, activity = drawn(seed)
    for row in simulate_with(engine)(plan, activity, events=True).packets:
        ends = plan.endpoint_router[[row["source"], row["destination"]]]
        assert distance(plan.width, *ends) + 1 == row["hops"]
        assert row["inject_cycle"] <= row["head_entry_cycle"]
        assert row["head_entry_cycle"] + 2 + 3 * row["hops"] <= row["head_arrive_cycle"]
        assert row["head_arrive_cycle"] + row["size"] - 1 <= row["tail_arrive_cycle"]


@often
@seeds
def test_cycles_add_up_to_the_run(engine, seed):  # [U1]
    plan, activity = drawn(seed)
    record = simulate_with(engine)(plan, activity)
    for parts in (record.unit_cycles, record.state_cycles, record.router_state_cycles):
        assert (parts >= 0).all() and (parts.sum(axis=-1) == record.cycles).all()
    assert 0 == record.router_state_cycles[:, OFF].sum()
    starts = np.append(record.step_start, record.cycles)
    assert (plan.n_cores * np.diff(starts)).tolist() == record.step_state_cycles.sum(
        axis=1
    ).tolist()
    assert (plan.n_routers * np.diff(starts)).tolist() == record.step_router_state_cycles.sum(
        axis=1
    ).tolist()
    ready = record.step_quiet + plan.barrier_cycles
    tick = max(plan.step_tick, 1)
    assert starts[1:].tolist() == (-(-ready // tick) * tick).tolist()  # [S3] [S7]
    assert record.state_cycles.sum(axis=0).tolist() == record.step_state_cycles.sum(axis=0).tolist()
    assert (
        record.router_state_cycles.sum(axis=0).tolist()
        == record.step_router_state_cycles.sum(axis=0).tolist()
    )
    # a unit is gated, off or waking exactly when its core is
    for unit_state, core_state in ((5, 2), (6, 3), (3, 4)):
        assert (
            record.unit_cycles[:, :, unit_state] == record.state_cycles[:, None, core_state]
        ).all()


@often
@seeds
def test_endpoint_totals_are_step_totals_and_queues_hold_what_they_can(engine, seed):
    plan, activity = drawn(seed)
    record = simulate_with(engine)(plan, activity)
    assert record.counters.sum(axis=0).tolist() == record.step_counters.sum(axis=0).tolist()
    depth = [plan.virtual_channels * plan.input_queue, plan.spike_queue, 2 * plan.output_queue]
    assert (record.queue_peak <= depth).all()


@often
@seeds
def test_a_state_log_is_the_time_in_each_state(engine, seed):  # [K9]
    plan, activity = drawn(seed)
    record = simulate_with(engine)(plan, activity, events=True)
    for is_router, expected in ((0, record.state_cycles), (1, record.router_state_cycles)):
        cycles = np.zeros_like(expected)
        log = record.states[record.states["is_router"] == is_router]
        for index in range(len(expected)):
            own = log[log["index"] == index]
            np.add.at(cycles[index], own["state"], np.diff(np.append(own["cycle"], record.cycles)))
            assert (np.diff(own["state"]) != 0).all()
        assert expected.tolist() == cycles.tolist()


@often
@seeds
def test_events_do_not_change_the_counts(engine, seed):
    plan, activity = drawn(seed)
    simulate = simulate_with(engine)
    with_events, without = simulate(plan, activity, events=True), simulate(plan, activity)
    assert [0] * len(LOGS) == [len(getattr(without, name)) for name in LOGS]
    for of in fields(without):
        if of.name not in LOGS:
            assert np.array_equal(getattr(with_events, of.name), getattr(without, of.name)), of.name


#: what the logs of events are called in a Record
LOGS = ("grants", "states", "packets", "units")

DEEPER = {
    "buffer": 16,
    "input_queue": 16,
    "spike_queue": 16,
    "output_queue": 16,
    "link_interval": np.ones(2, np.int64),
    "atomic": False,
}


@often
@given(seed=st.integers(0, 2**32 - 1), what=st.sampled_from([*DEEPER, "virtual_channels"]))
def test_more_room_never_changes_the_work_done(engine, seed, what):
    plan, activity = drawn(seed)
    change = {what: DEEPER.get(what)}
    if what == "virtual_channels":
        change = {
            what: 8,
            "class_first": np.zeros(2, np.int64),
            "class_channels": np.full(2, 8, np.int64),
        }
    before, after = (simulate_with(engine)(p, activity) for p in (plan, replace(plan, **change)))
    # which packets meet in a group is a matter of time [C11]
    grouped = ["accumulator_words", "bank_conflicts"] if plan.event_group > 1 else []
    for counts in ("counters", "step_counters"):
        a, b = (
            np.delete(
                getattr(record, counts), [COUNTER[name] for name in (*WAKES, *grouped)], axis=1
            )
            for record in (before, after)
        )
        assert a.tolist() == b.tolist()
    assert before.link_flits[:, 4:].tolist() == after.link_flits[:, 4:].tolist()


@often
@given(seed=st.integers(0, 2**32 - 1), n_steps=st.integers(1, 5))
def test_an_idle_chip_does_nothing(engine, seed, n_steps):
    plan, _ = drawn(seed)
    record = simulate_with(engine)(plan, work(plan, [], [Step()] * n_steps), events=True)
    each = plan.barrier_cycles + -plan.barrier_cycles % max(plan.step_tick, 1)
    assert n_steps * each == record.cycles
    assert record.step_start.tolist() == record.step_quiet.tolist()
    nothing = (
        record.counters,
        record.link_flits,
        record.link_blocked,
        record.router_wakes,
        record.queue_peak,
    )
    assert not any(counts.any() for counts in nothing)
    assert record.state_cycles.sum() == record.state_cycles[:, [IDLE, GATED, OFF]].sum()
    assert (0, 0) == (len(record.grants), len(record.packets))
