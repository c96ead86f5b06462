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


def two_cores(planes: int):
    """Return two cores at one router, with two planes or more."""
    return core_and_port(
        n_cores=2,
        endpoint_router=np.zeros(3, np.int32),
        endpoint_local=np.array([LOCAL, LOCAL + 1, LOCAL + 2], np.int32),
        local_ports=3,
        reload_cycles=np.zeros(2, np.int64),
        synchronisation=TOKENS,
        planes=planes,
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
    plan = two_cores(2)
    steps = [Step(visits=1, fires=[(0, 0)]), Step(visits=1)]
    activity = with_tokens(plan, work(plan, [Row([(1, 1, cycles, 0)])], steps), NOTHING)
    activity = replace(  # core 1 visits a neuron in both steps too
        activity,
        work_start=np.array([0, 2, 4]),
        work_core=np.array([0, 1, 0, 1], np.int32),
        work_visits=np.ones(4, np.int64),
        work_message=np.array([0, 1, 1, 1, 1]),
        work_counts=np.zeros((4, activity.work_counts.shape[1]), np.int64),
    )
    record = simulate_with(engine)(plan, activity, events=True)
    assert [0, start] == record.step_start.tolist()
    # what core 1 waits in step 0: from 3 until packet and token are known
    known = 10 + cycles + 1
    waited = spent(record, 1, 1)["waiting for tokens"]
    second = record.packets["tail_arrive_cycle"][record.packets["destination"] == 1].max() + 2
    assert known - 3 + max(0, second - (known + 1 + 3)) == waited


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
