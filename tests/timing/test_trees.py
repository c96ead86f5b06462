"""Packets of several flits over trees: when each branch moves, worked out by hand, and random
meshes in which trees, streams and events meet.

A flit injected in t is at its router in t + 2, and three cycles after a grant at the next router or
endpoint.
"""

from dataclasses import replace

import numpy as np
import pytest
from engines import ENGINES, simulate_with
from random_machines import random_activity

from simulator.errors import InputError
from simulator.mapping.plan import CANONICAL, LOOKAHEAD
from simulator.mapping.traffic import multicast_activity, noc_plan
from simulator.timing.engine import simulate
from simulator.timing.record import COUNTER, first_divergence
from simulator.timing.reference import simulate as specification

EAST, WEST, HERE = 0, 1, 4

# three routers in a row; the port of the middle one sends three flits to both ends [F3] [F6]
# pipeline -> grants of the middle router (cycle, output, flit), tails at router 0 and router 2
BRANCHES = {
    # the branch that has its VC goes first [A6]; the other begins when that has let go
    LOOKAHEAD: (
        [(2, EAST, 0), (3, EAST, 1), (4, EAST, 2), (5, WEST, 0), (6, WEST, 1), (7, WEST, 2)],
        [13, 10],
    ),
    # VCs are given in 3 and 4, the switch from 4 on, in turns
    CANONICAL: (
        [(4, EAST, 0), (5, WEST, 0), (6, EAST, 1), (7, WEST, 1), (8, EAST, 2), (9, WEST, 2)],
        [15, 14],
    ),
}


def both_ends(plan, flits: int):
    """The middle of three routers sends one packet to both ends."""
    packets, groups = np.array([[0, 1, 0, flits, 1]]), np.array([[0, 2]])
    activity = multicast_activity(plan, packets, groups, as_trees=True)
    return replace(activity, entry_flits=np.full(2, flits, np.int32))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("pipeline", BRANCHES)
def test_each_branch_goes_its_own_way(engine: str, pipeline: int) -> None:
    grants, tails = BRANCHES[pipeline]
    plan = noc_plan(3, 1, pipeline=pipeline)
    record = simulate_with(engine)(plan, both_ends(plan, 3), events=True)
    middle = record.grants[record.grants["router"] == 1]
    found = zip(middle["cycle"].tolist(), middle["out_port"].tolist(), middle["flit"].tolist())
    assert grants == list(found)
    assert tails == record.packets["tail_arrive_cycle"].tolist()
    # flits leave when the slower branch has sent them: three flits, in at 2, 3 and 4
    out = [5, 6, 7] if pipeline == LOOKAHEAD else [5, 7, 9]
    assert sum(out) - (2 + 3 + 4) + 3 == record.router_flit_cycles[1]
    assert 3 * 2 == record.counters[1, COUNTER["flit_hops_east_west"]]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_branch_that_is_blocked_holds_up_no_other(engine: str) -> None:
    # [F6]: the east link takes a flit every nine cycles, and the packet fits in the buffer: west
    # goes on while east waits
    plan = noc_plan(3, 2, buffer=4, link_interval=np.array([9, 1]))
    packets, groups = np.array([[0, 1, 0, 4, 1]]), np.array([[2, 4]])
    activity = multicast_activity(plan, packets, groups, as_trees=True)
    record = simulate_with(engine)(
        plan, replace(activity, entry_flits=np.full(2, 4, np.int32)), events=True
    )
    mine = record.grants[record.grants["router"] == 1]
    # east in 2, 11, 20, 29; north takes its turn from the cycle after the first on
    assert [2, 11, 20, 29] == mine["cycle"][mine["out_port"] == EAST].tolist()
    assert [3, 4, 5, 6] == mine["cycle"][mine["out_port"] == 2].tolist()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_buffer_that_holds_less_than_the_packet_is_refused(engine: str) -> None:  # [W26]
    plan = noc_plan(3, 1, buffer=2)
    with pytest.raises(InputError) as caught:
        simulate_with(engine)(plan, both_ends(plan, 3))
    assert (
        "activity: a multicast packet must fit in a router's buffer of 2 flits, not take 3"
        == str(caught.value)
    )


def mixed(seed: int):
    """A mesh, and a step of packets of one to five flits of both classes, a third over trees."""
    rng = np.random.default_rng(seed)
    virtual_channels = int(rng.choice([1, 2, 4]))
    plan = noc_plan(
        int(rng.integers(2, 6)),
        int(rng.integers(1, 5)),
        pipeline=int(rng.integers(0, 2)),
        virtual_channels=virtual_channels,
        buffer=int(rng.choice([1, 2, 5, 8])),
        atomic=bool(rng.random() < 0.3),
        routing=str(rng.choice(["xy", "west-first"])),
        link_latency=rng.integers(1, 4, 2),
        link_interval=rng.choice([1, 1, 2], 2).astype(np.int64),
        input_queue=8,
    )
    if virtual_channels > 1 and rng.random() < 0.5:
        plan = replace(
            plan, class_first=np.array([0, 1]), class_channels=np.array([1, virtual_channels - 1])
        )
    return plan, random_activity(rng, plan, load=3.0)


def edges(activity) -> np.ndarray:
    """Mesh links of every tree, counted in its masks."""
    links = np.array([int(mask & 15).bit_count() for mask in activity.tree_mask.tolist()], int)
    return np.add.reduceat(links, activity.tree_start[:-1]) if len(links) else links


@pytest.mark.parametrize("first", range(0, 120, 40))
def test_trees_streams_and_events_all_arrive_over_the_links_of_their_trees(first: int) -> None:
    several = 0
    for seed in range(first, first + 40):
        plan, activity = mixed(seed)
        record = simulate(plan, activity, events=True)
        sent = activity.inject_row
        tree = activity.row_tree[sent]
        entries = np.diff(activity.row_start)[sent]
        assert entries.sum() == len(record.packets)
        flits = activity.entry_flits[activity.row_start[sent]]
        of_trees = int((flits * edges(activity)[tree])[tree >= 0].sum()) if (tree >= 0).any() else 0
        several += int((flits[tree >= 0] > 1).sum())
        along = 0
        for row, port in zip(sent[tree < 0], activity.inject_port[tree < 0]):
            for entry in range(activity.row_start[row], activity.row_start[row + 1]):
                a, b = int(port), int(activity.entry_endpoint[entry])
                away = abs(a % plan.width - b % plan.width) + abs(a // plan.width - b // plan.width)
                along += away * int(activity.entry_flits[entry])
        assert of_trees + along == int(record.link_flits[:, :4].sum())
        booked = record.counters[:, [COUNTER["flit_hops_east_west"]]].sum()
        booked += record.counters[:, [COUNTER["flit_hops_north_south"]]].sum()
        assert of_trees + along == booked
    assert several > 20


@pytest.mark.parametrize("first", range(0, 20, 10))
def test_and_the_engine_does_with_them_what_the_specification_says(first: int) -> None:
    for seed in range(first, first + 10):
        plan, activity = mixed(seed)
        assert None is first_divergence(
            simulate(plan, activity, events=True), specification(plan, activity, events=True), plan
        ), seed
