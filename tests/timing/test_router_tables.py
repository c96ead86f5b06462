"""When packets arrive, worked out by hand from docs/machine.md: granted in t, a flit is at the next
router in t + 3.
"""

import numpy as np
import pytest
from engines import ENGINES, simulate_with
from small_machines import Row, Step, work

from simulator.mapping.plan import CANONICAL, EAST, LOCAL, LOOKAHEAD, NORTH, WEST
from simulator.mapping.routes import xy_tree
from simulator.mapping.traffic import noc_plan, trace_activity
from simulator.timing.record import COUNTER

pytestmark = pytest.mark.parametrize("engine", ENGINES)


def arrivals(engine, plan, packets):
    """The cycle each packet's tail is consumed in, in the order of the trace."""
    record = simulate_with(engine)(plan, trace_activity(plan, packets), events=True)
    by_source = {}
    for row in record.packets:  # sorted by source, then by number at the source
        by_source.setdefault(int(row["source"]), []).append(int(row["tail_arrive_cycle"]))
    order = sorted(range(len(packets)), key=lambda n: packets[n][0])
    found = dict(zip(order, (by_source[packets[n][1]].pop(0) for n in order)))
    return [found[n] for n in range(len(packets))], record


# what ALONE and TOGETHER hold: wires [B1] [B2], buffers [B4], the interface [N1] [N2] [N4], the
# stages of both pipelines [R1] [R2] [R3] [R4] [R5] [R6] [R7] [A4] [A5] [A6] and turns [A1] [A2]
L, C = LOOKAHEAD, CANONICAL
FOUR = [(0, 0, 2, 1), (1, 0, 2, 1), (3, 1, 2, 1), (4, 1, 2, 1)]
# pipeline, width, buffer, packets (cycle, from, to, flits), arrivals
ALONE = [
    (L, 4, 8, [(0, 0, 3, 1)], [14]),  # 3 hops of 3, 5 more at the ends
    (C, 4, 8, [(0, 0, 3, 1)], [22]),  # 3 hops of 5, 7 more
    (L, 1, 8, [(7, 0, 0, 1)], [12]),  # to itself, through its router [F2]
    (C, 1, 8, [(7, 0, 0, 1)], [14]),
    (L, 2, 8, [(0, 0, 1, 4)], [11]),  # the tail 3 cycles after the head
    (L, 2, 1, [(0, 0, 1, 3)], [18]),  # one flit of buffer: a round trip of 5 for each
    (L, 2, 2, [(0, 0, 1, 4)], [14]),  # two: one wait of 5 - 2
    (L, 4, 8, [(0, 3, 0, 1)], [14]),
]
# pipeline, width, buffer, packets, arrivals
TOGETHER = [
    # east of router 1 is asked for in 5 by its west input (1) and its local one (4): 1, then 4 has
    # the turn, then 1, 4
    (L, 3, 8, FOUR, [11, 13, 12, 14]),
    # one VC, heads routed one after the other: route, VC and switch take three cycles of each
    (C, 2, 8, [(0, 0, 1, 1)] * 3, [12, 15, 18]),
    # one flit of buffer: the next grant waits for the credit, sent as the flit leaves and usable
    # two cycles later
    (L, 2, 1, [(0, 0, 1, 1)] * 3, [8, 13, 18]),
    # one packet at a time: the second packet follows the tail of the first
    (L, 1, 8, [(0, 0, 0, 2), (0, 0, 0, 2)], [6, 8]),
]


@pytest.mark.parametrize("pipeline, width, buffer, packets, expected", ALONE + TOGETHER)
def test_packets_arrive_when_worked_out(engine, pipeline, width, buffer, packets, expected):
    plan = noc_plan(width, 1, pipeline=pipeline, buffer=buffer)
    assert expected == arrivals(engine, plan, packets)[0]


@pytest.mark.parametrize("pipeline", [LOOKAHEAD, CANONICAL])
@pytest.mark.parametrize("buffer", [1, 2, 5, 8])
@pytest.mark.parametrize("size", [1, 2, 7])
@pytest.mark.parametrize("hops", [0, 1, 3])
def test_zero_load_latency_is_the_formula(engine, pipeline, buffer, size, hops):
    p = {LOOKAHEAD: 2, CANONICAL: 4}[pipeline]
    expected = hops * (p + 1) + p + 3 + (size - 1) + (size - 1) // buffer * max(0, 5 - buffer)
    plan = noc_plan(4, 1, pipeline=pipeline, buffer=buffer)
    assert [expected] == arrivals(engine, plan, [(0, 0, hops, size)])[0]


# [B3]: width, height, latency (east-west, north-south), interval, arrivals of three packets to the
# neighbour, blocked cycles
LINKS = [
    (2, 1, (1, 1), (1, 1), [8, 9, 10], 0),
    (2, 1, (1, 1), (3, 1), [8, 11, 14], 4),  # granted in 2, 5, 8; blocked in 3, 4, 6, 7
    (1, 2, (1, 1), (3, 1), [8, 9, 10], 0),  # the other direction's interval
    (1, 2, (1, 1), (1, 2), [8, 10, 12], 2),
    (2, 1, (4, 1), (1, 1), [11, 12, 13], 0),
    (1, 2, (4, 2), (1, 1), [9, 10, 11], 0),
]


@pytest.mark.parametrize("width, height, latency, interval, expected, blocked", LINKS)
def test_a_link_has_a_latency_and_an_interval(
    engine, width, height, latency, interval, expected, blocked
):
    plan = noc_plan(width, height, link_latency=np.array(latency), link_interval=np.array(interval))
    got, record = arrivals(engine, plan, [(0, 0, 1, 1)] * 3)
    assert (expected, blocked) == (got, record.link_blocked[0].sum())
    assert [3, 3] == [record.link_flits[0].sum(), record.link_flits[1, LOCAL]]


# latency, arrivals, blocked cycles of the link, cycles the three flits spend in router 0; one flit
# of buffer [L1] [R5]
WAITING = [
    (1, [8, 13, 18], 2, 5),  # there in 2, 6, 11; granted in 2, 7, 12
    (4, [11, 22, 33], 14, 17),  # there in 2, 6, 17; granted in 2, 13, 24
]


@pytest.mark.parametrize("latency, expected, blocked, stay", WAITING)
def test_a_flit_that_waits_for_a_credit_is_blocked(engine, latency, expected, blocked, stay):
    plan = noc_plan(2, 1, buffer=1, link_latency=np.array([latency, 1]))
    got, record = arrivals(engine, plan, [(0, 0, 1, 1)] * 3)
    assert expected == got
    assert (blocked, 0) == (record.link_blocked[0, EAST], record.link_blocked[1, LOCAL])
    assert [stay, 3] == record.router_flit_cycles.tolist()


@pytest.mark.parametrize("atomic, expected", [(False, [8, 9]), (True, [8, 13])])
def test_an_atomic_vc_is_free_when_its_credits_are_back(engine, atomic, expected):
    # atomic [R8]: the interface sends in 0 and 4, router 0 grants in 2 and 7, router 1 in 5 and 10
    assert expected == arrivals(engine, noc_plan(2, 1, atomic=atomic), [(0, 0, 1, 1)] * 2)[0]


# class of the second packet, arrivals of two packets of two flits [N4] [N5]
CLASSES = [
    (0, [6, 8]),  # flits go in 0 1 | 2 3
    (1, [7, 8]),  # the classes take turns: 0 2 | 1 3
]


@pytest.mark.parametrize("second, expected", CLASSES)
def test_classes_take_turns_at_the_interface(engine, second, expected):
    plan = noc_plan(
        1, 1, virtual_channels=2, class_first=np.array([0, 1]), class_channels=np.array([1, 1])
    )
    record = simulate_with(engine)(
        plan, trace_activity(plan, [(0, 0, 0, 2, 0), (0, 0, 0, 2, second)]), events=True
    )
    assert expected == record.packets["tail_arrive_cycle"].tolist()
    assert (
        {0, second} == set(record.grants["in_vc"].tolist()) == set(record.grants["out_vc"].tolist())
    )


# VCs of class 0 and of class 1, when a packet of 16 flits in class 1 and a spike that meets it at
# router 1 in cycle 7 arrive
MEETING = [
    ([0, 0], [2, 2], [26, 27]),  # the spike waits until the link is free, granted in 21 [A6]
    ([0, 1], [1, 1], [27, 13]),  # nothing in common: it waits for its turn only, granted in 7 [A8]
]


@pytest.mark.parametrize("first, channels, expected", MEETING)
def test_a_spike_waits_for_its_turn_where_the_classes_are_apart(engine, first, channels, expected):
    plan = noc_plan(
        3,
        1,
        virtual_channels=2,
        class_first=np.array(first),
        class_channels=np.array(channels),
    )
    assert expected == arrivals(engine, plan, [(0, 0, 2, 16, 1), (5, 1, 2, 1, 0)])[0]


def test_an_adaptive_head_takes_the_port_whose_turn_it_is(engine):
    # router 0: east in 2 (pointer 0), north in 3 (pointer 1); in 4 east is closed for 5 cycles, so
    # north again. The third then waits at router 2 for its east link, granted in 6, until 11.
    # What a head could have taken and did not is blocked: north in 2, east in 3 and 4 [F1] [L3]
    plan = noc_plan(2, 2, routing="west-first", link_interval=np.array([5, 1]))
    got, record = arrivals(engine, plan, [(0, 0, 3, 1)] * 3)
    assert [11, 12, 17] == got
    assert (1, 2) == (record.link_flits[0, EAST], record.link_flits[0, NORTH])
    assert (2, 1) == (record.link_blocked[0, EAST], record.link_blocked[0, NORTH])


# pipeline, buffer, arrivals at 0 and at 2 of two copies each from router 1 of three [F3] [F5]
FORKS = [
    # east in 2, west in 3: the pointer is at 2, and east comes before west again
    (L, 8, [9, 11], [8, 10]),
    (L, 1, [9, 14], [8, 13]),  # the one credit goes back with the second copy, in 3
    # VCs for east in 3 and for west in 4, when east asks for the switch already; the second flit is
    # routed in 6, the cycle after the first one's second copy left
    (C, 8, [13, 17], [12, 16]),
]


@pytest.mark.parametrize("pipeline, buffer, at_0, at_2", FORKS)
def test_a_multicast_flit_leaves_branch_by_branch(engine, pipeline, buffer, at_0, at_2):
    plan = noc_plan(3, 1, pipeline=pipeline, buffer=buffer)
    tree = xy_tree(3, 1, 1, [(0, LOCAL), (2, LOCAL)])
    assert {0: 1 << LOCAL, 1: 1 << EAST | 1 << WEST, 2: 1 << LOCAL} == tree
    row = Row([(0, 1, 1, 0), (2, 1, 1, 0)], tree)
    record = simulate_with(engine)(
        plan, work(plan, [row], [Step(injects=[(0, 0), (0, 0)])]), events=True
    )
    for end, expected in ((0, at_0), (2, at_2)):
        assert (
            expected
            == record.packets["tail_arrive_cycle"][record.packets["destination"] == end].tolist()
        )
    names = ("router_traversals", "router_grants", "flit_hops_east_west")
    counted = [int(record.counters[1, COUNTER[name]]) for name in names]
    assert [4, [3 * 2, 4 * 2, 2 * 2]] == [record.link_flits[:, :4].sum(), counted]


@pytest.mark.parametrize("pipeline", [LOOKAHEAD, CANONICAL])
@pytest.mark.parametrize("destination", [0, 5, 11])
def test_a_multicast_to_one_destination_is_the_unicast(engine, pipeline, destination):  # [F4]
    plan = noc_plan(4, 3, pipeline=pipeline, virtual_channels=2, buffer=2)
    steps = [Step(injects=[(0, 0)] * 5, port=5)]
    copies = [(destination, 1, 1, 0)]
    tree = xy_tree(4, 3, 5, [(destination, LOCAL)])
    one, other = (
        simulate_with(engine)(plan, work(plan, [Row(copies, way)], steps), events=True)
        for way in (tree, {})
    )
    assert one.packets.tolist() == other.packets.tolist()
    assert one.grants.tolist() == other.grants.tolist()


# router_gate_after, wake, arrival, states (from cycle, state) of the one router; its flit is there
# in 2 [P1] [P6] [P7]
GATING = [
    (-1, 3, 5, [(0, "idle"), (2, "active"), (3, "idle")]),
    (
        2,
        3,
        5,
        [(0, "idle"), (2, "active"), (3, "idle"), (5, "gated")],
    ),  # in the very cycle: it stays awake
    (1, 3, 8, [(0, "idle"), (1, "gated"), (2, "waking"), (5, "active"), (6, "idle"), (7, "gated")]),
    (0, 3, 8, [(0, "gated"), (2, "waking"), (5, "active"), (6, "gated")]),
    (0, 0, 5, [(0, "gated"), (2, "active"), (3, "gated")]),
]


@pytest.mark.parametrize("gate_after, wake, arrival, states", GATING)
def test_a_gated_router_wakes_before_it_grants(engine, gate_after, wake, arrival, states):
    plan = noc_plan(1, 1, router_gate_after=gate_after, router_wake=wake, barrier_cycles=10)
    got, record = arrivals(engine, plan, [(0, 0, 0, 1)])
    assert [arrival] == got
    assert states == [
        (row["cycle"], ("active", "idle", "gated", "off", "waking")[row["state"]])
        for row in record.states
    ]
    assert int(gate_after in (0, 1)) == record.router_wakes[0]
    assert arrival - 3 - 2 + 1 == record.router_flit_cycles[0]
    assert 0 == record.link_blocked.sum()  # waking is not blocked [L2]
