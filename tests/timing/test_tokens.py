"""Tokens in place of barriers: on both engines, on tables worked out by hand and as laws of random
machines; and machines that the proof against deadlock refuses.
"""

from dataclasses import replace

import numpy as np
import pytest
from engines import ENGINES, simulate_with
from random_machines import random_activity, random_plan
from small_machines import Row, Step, core_and_port, work

from simulator.errors import InputError
from simulator.mapping.plan import BACK, FORWARD, LOCAL, TOKENS
from simulator.mapping.routes import table
from simulator.mapping.tokens import refuse_deadlock, takes_part, tokens_of, with_tokens
from simulator.timing.record import COUNTER, UNIT_STATES, first_divergence

NOTHING = np.zeros((0, 2), np.int64)
PORT = 1


def spent(record, core: int, unit: int) -> dict[str, int]:
    """The cycles of a unit by state, without the states it was never in."""
    return {name: int(n) for name, n in zip(UNIT_STATES, record.unit_cycles[core, unit]) if n}


# A port and a core at one router, three steps of one visit; the port tells the core of each of its
# steps, and the core tells the port when it has visited. A flit sent in t is there in t + 5, the
# synapse unit takes it in t + 6 and knows in t + 7; what a core puts in t is sent in t + 1.
# With two planes: port and core start at 0. The port's token is sent in 0 and known in 7; the core
# visits until 1, makes its token in 2, puts it in 3, and the port knows in 9. So the core starts
# step 1 in 8, the port in 10. The core's token back of step 1 is put in 11, that of the port sent
# in 10 and known in 17: both start step 2 in 18. The core's last token is put in 21, sent in 22,
# known in 27. With three planes the port need not wait for step 1, only in 10 for step 2.
TWO = [
    # planes, starts, quiet, end
    (2, [0, 8, 18], [3, 11, 21], 28),
    (3, [0, 1, 10], [3, 11, 15], 22),
    (4, [0, 1, 2], [3, 11, 15], 22),
]


# [Q1] [Q2] [Q3] [Q4] [Q5] [Q6] [Q7] [Q8] [Q9] [Q11], and the tokens are counted [K20]
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("planes, starts, quiet, end", TWO)
def test_a_port_and_a_core_wait_for_each_other(engine, planes, starts, quiet, end) -> None:
    plan = core_and_port(synchronisation=TOKENS, planes=planes)
    activity = with_tokens(plan, work(plan, [], [Step(visits=1)] * 3), np.array([[PORT, 0]]))
    record = simulate_with(engine)(plan, activity, events=True)
    assert starts == record.step_start.tolist()
    assert quiet == record.step_quiet.tolist()
    assert end == record.cycles
    assert [3, 3] == record.counters[:, COUNTER["tokens_sent"]].tolist()
    assert [[end] * 3] == record.unit_cycles.sum(axis=2).tolist()


@pytest.mark.parametrize("engine", ENGINES)
def test_each_cycle_of_waiting_is_one_for_tokens_or_the_start(engine) -> None:
    plan = core_and_port(synchronisation=TOKENS)  # [Q10]
    activity = with_tokens(plan, work(plan, [], [Step(visits=1)] * 3), np.array([[PORT, 0]]))
    record = simulate_with(engine)(plan, activity)
    # done in 3, 11 and 21, complete in 7, 17 and 25; starts in 8 and 18, the end in 28
    waits = {"waiting for tokens": 4 + 6 + 4, "barrier": 1 + 1 + 3}
    assert {"busy": 3, "starved": 6} | waits == spent(record, 0, 1)
    # the synapse unit is busy in 6, 16 and 24, of the cycles in which the others wait
    synapse = {"waiting for tokens": 11, "barrier": 5, "busy": 3, "starved": 9}
    assert synapse == spent(record, 0, 0)


def at_one_router(n: int, planes: int):
    """Return n cores and a port at one router, with two planes or more."""
    return core_and_port(
        n_cores=n,
        endpoint_router=np.zeros(n + 1, np.int32),
        endpoint_local=LOCAL + np.arange(n + 1, dtype=np.int32),
        local_ports=n + 1,
        reload_cycles=np.zeros(n, np.int64),
        synchronisation=TOKENS,
        planes=planes,
    )


def all_visit(plan, steps: int, rows=(), fires=()):
    """Return steps in each of which every core visits a neuron; core 0 fires in step 0."""
    first = Step(visits=1, fires=fires)
    activity = work(plan, rows, [first] + [Step(visits=1)] * (steps * plan.n_cores - 1))
    return replace(
        activity,
        work_start=np.arange(steps + 1) * plan.n_cores,
        work_core=np.tile(np.arange(plan.n_cores, dtype=np.int32), steps),
        inject_start=np.zeros(steps + 1, np.int64),
    )


# Core 0 fires in step 0 at core 1, which takes `cycles` to serve the packet. Core 0: visit until 1,
# message in 1, taken in 2, packet put in 3, token put in 4; they are sent in 4 and 5, there in 9
# and 10. Core 1 takes the packet in 10, is done with it in 10 + cycles, and a cycle later with the
# token: its step 0 is complete. It has told core 0 of its visits of step 0 by a token put in 3,
# sent in 4, there in 9 and known in 11: core 0 starts step 1 in 12.
THREE = [
    # cycles, starts of step 1 (the first of both)
    (1, 12),
    (3, 12),
    (9, 12),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("cycles, start", THREE)
def test_a_step_is_complete_when_what_was_announced_is_integrated(engine, cycles, start) -> None:
    plan = at_one_router(2, planes=2)
    rows = [Row([(1, 1, cycles, 0)])]
    activity = with_tokens(plan, all_visit(plan, 2, rows, fires=[(0, 0)]), NOTHING)
    record = simulate_with(engine)(plan, activity, events=True)
    assert [0, start] == record.step_start.tolist()
    # what core 1 waits in step 0: from 3 until packet and token are known
    known = 10 + cycles + 1
    waited = spent(record, 1, 1)["waiting for tokens"]
    second = record.packets["tail_arrive_cycle"][record.packets["destination"] == 1].max() + 2
    assert known - 3 + max(0, second - (known + 1 + 3)) == waited


# Three cores at one router, each tells the next of its steps; every core visits a neuron in every
# step. With two planes all start at 0, visit until 1 and take their row in 2. Core 0 puts its token
# in 3, core 1 tells core 0 in 3 that it has visited and core 2 in 4 of its packets, core 2 tells
# core 1 in 3. At core 1 two tokens wait for one link: core 0's is there in 9 and known in 11, core
# 2's in 10 and 12. Core 0 knows in 11, core 2 in 12: they start step 1 in 12, 13 and 13. Its tokens
# are put in 15, 16 and 17, and 16; core 0 knows in 24, core 1 in 23 and 24, core 2 in 25: step 2
# starts in 25, 25 and 26. Its tokens are put in 28, 28 and 29, and 29; the last is known in 37.
# With three planes core 0 need not wait for a plane: it starts step 1 in 4 and, as it knows in 11
# that core 1 has visited, step 2 in 12. Core 1 starts step 1 in 12, told by core 0 in 11, and step
# 2 in 17, after its own put in 16; core 2, told in 12 and 24, starts in 13 and 25. Its last token
# is put in 28, sent in 29 and known in 36.
THREE_CORES = [
    # planes, starts of the first of the three, last own step done, end
    (2, [0, 12, 25], [4, 17, 29], 38),
    (3, [0, 4, 12], [4, 16, 28], 37),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("planes, starts, quiet, end", THREE_CORES)
def test_three_cores_wait_for_their_neighbours_alone(engine, planes, starts, quiet, end) -> None:
    plan = at_one_router(3, planes)
    activity = with_tokens(plan, all_visit(plan, 3), np.array([[0, 1], [1, 2]]))
    record = simulate_with(engine)(plan, activity)
    assert starts == record.step_start.tolist()
    assert quiet == record.step_quiet.tolist()
    assert end == record.cycles
    assert [3, 6, 3, 0] == record.counters[:, COUNTER["tokens_sent"]].tolist()


def test_both_engines_agree_where_tokens_overtake_packets() -> None:  # and groups form [Q12]
    for seed in range(40):
        rng = np.random.default_rng(77_000 + seed)
        plan = random_plan(rng, synchronisation=TOKENS, step_tick=0, planes=2 + seed % 3)
        activity = random_activity(rng, plan)
        refuse_deadlock(plan, activity)
        records = [simulate_with(name)(plan, activity, events=True) for name in ENGINES]
        assert first_divergence(*records, plan) is None, seed
        entries = np.append(np.diff(activity.row_start), 0)
        rows = tokens_of(plan, activity)
        expected = np.where(rows >= 0, entries[rows], 0) * activity.n_steps
        assert expected.tolist() == records[0].counters[:, COUNTER["tokens_sent"]].tolist()
        assert takes_part(plan, activity).any() or not expected.any()


def test_what_a_machine_counts_is_the_same_with_tokens_and_barriers() -> None:
    for seed in range(30):
        rng = np.random.default_rng(78_000 + seed)
        plan = random_plan(rng, synchronisation=TOKENS, step_tick=0, gate_after=-1, off_after=-1)
        activity = random_activity(rng, plan)
        tokens = simulate_with("compiled")(plan, activity)
        barrier = simulate_with("compiled")(replace(plan, synchronisation=0), activity)
        for name in ("neuron_updates", "spikes", "accumulates", "macs", "events_received"):
            column = COUNTER[name]
            assert tokens.counters[:, column].tolist() == barrier.counters[:, column].tolist()


def changed(activity, column: str, at: int, value: int):
    """Return the work with one number changed."""
    table_ = getattr(activity, column).copy()
    table_[at] = value
    return replace(activity, **{column: table_})


def test_a_machine_without_the_proof_is_refused() -> None:
    plan = core_and_port(synchronisation=TOKENS)
    sends = work(plan, [Row([(0, 1, 1, 0)])], [Step(injects=[(0, 0)])])
    good = with_tokens(plan, sends, NOTHING)
    refuse_deadlock(plan, good)
    kinds = good.entry_kind.tolist()
    refused = [
        (changed(good, "entry_kind", kinds.index(BACK), FORWARD), "must send tokens both ways"),
        (changed(good, "entry_flits", kinds.index(BACK), 2), "must be a token of one flit"),
        (replace(good, token_row=np.full(2, -1, np.int32)), "port|must send core 0 tokens"),
    ]
    for activity, why in refused:
        with pytest.raises(InputError, match=why):
            refuse_deadlock(plan, activity)
    everywhere = np.full_like(table("xy"), 15)
    with pytest.raises(InputError, match="the routing must be free of deadlock"):
        refuse_deadlock(replace(plan, allowed=everywhere), good)
    with pytest.raises(InputError, match="plan: planes: must be 2 to 32, not 1"):
        replace(plan, planes=1)
