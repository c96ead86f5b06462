"""The log of units and what is read from it: stretch by stretch it is the unit table, and the
queues rise to their high-water marks [K70] [K71].
"""

from __future__ import annotations

import numpy as np
import pytest
from engines import ENGINES, simulate_with
from small_machines import Row, Step, core_and_port, work
from test_agreement import case

from simulator.mapping.plan import TOKENS
from simulator.mapping.tokens import with_tokens
from simulator.timing.history import History
from simulator.timing.record import (
    BARRIER,
    BUSY,
    COUNTER,
    QUEUES,
    UNIT_STATES,
    UNITS,
    WAITING_FOR_TOKENS,
)

SYNAPSE, SOMA, AXON_OUT = range(len(UNITS))
BLOCK = 12


def history(seed: int) -> History:
    """Return a random machine's run."""
    plan, activity = case(seed)
    return History(plan, activity, simulate_with("reference")(plan, activity, events=True))


@pytest.mark.parametrize("first", range(0, 24, BLOCK))
def test_slices_are_the_unit_table_and_depths_the_marks(first: int) -> None:
    for seed in range(first, first + BLOCK):
        run = history(seed)
        record, plan = run.record, run.plan
        for core in range(plan.n_cores):
            found = np.zeros((len(UNITS), len(UNIT_STATES)), np.int64)
            for unit, slices in enumerate(run.units(core)):
                assert [0, *(end for _, end, _ in slices)] == [
                    *(start for start, _, _ in slices),
                    record.cycles,
                ]
                for start, end, state in slices:
                    found[unit, state] += end - start
            assert record.unit_cycles[core].tolist() == found.tolist(), f"seed {seed}, core {core}"
            marks = [highest(run.depths(core)[name]) for name in QUEUES]
            assert record.queue_peak[core].tolist() == marks, f"seed {seed}, core {core}"


def highest(changes: list[tuple[int, int]]) -> int:
    """Return the most a queue held with everything of a cycle done; in the end it is empty."""
    cycles, change = np.array([*changes, (0, 0)], np.int64).T
    at = np.unique(cycles)
    level = np.cumsum([change[cycles == cycle].sum() for cycle in at])
    assert 0 == level[-1] and level.min() >= 0
    return int(level.max())


@pytest.mark.parametrize("seed", range(20))
def test_each_packet_is_taken_once_and_after_it_came(seed: int) -> None:
    run = history(seed)
    taken, record = run.taken(), run.record
    to_cores = record.packets[record.packets["destination"] < run.plan.n_cores]
    assert len(to_cores) == len(taken)
    received = record.counters[: run.plan.n_cores, COUNTER["packets_received"]]
    assert received.sum() == len(taken)
    waits = [
        taken[int(row["packet"]), int(row["destination"])] - int(row["tail_arrive_cycle"])
        for row in to_cores
    ]
    assert min(waits, default=1) >= 1  # [C1]


# A core visits 3 neurons (1 cycle each); the second sends a packet to the core itself, which takes
# 4 cycles there. worked out by hand: put into the spike queue in 2, axon-out is busy in 3, the
# packet is in the output queue in 4, sent in 5, granted in 7, comes in 10 and is taken in 11.
@pytest.mark.parametrize("engine", ENGINES)
def test_one_message_by_hand(engine: str) -> None:
    plan = core_and_port()
    activity = work(plan, [Row([(0, 1, 4, 0)])], [Step(visits=3, fires=[(1, 0)])])
    record = simulate_with(engine)(plan, activity, events=True)
    assert [
        (0, 0, SOMA, BUSY, 2, -1),
        (2, 0, SOMA, BUSY, 1, -1),
        (3, 0, AXON_OUT, BUSY, 1, -1),
        (11, 0, SYNAPSE, BUSY, 4, 0),
    ] == record.units.tolist()
    run = History(plan, activity, record)
    assert [[(10, 1), (11, -1)], [(2, 1), (3, -1)], [(4, 1), (5, -1)]] == [
        run.depths(0)[name] for name in QUEUES
    ]
    (packet,) = record.packets["packet"].tolist()
    assert {(packet, 0): 11} == run.taken()


# The port and the core of test_tokens.py, two planes: the core's own step is done in 3, complete
# in 7, the next starts in 8.
@pytest.mark.parametrize("engine", ENGINES)
def test_waits_between_steps_by_hand(engine: str) -> None:
    plan = core_and_port(synchronisation=TOKENS)
    activity = with_tokens(plan, work(plan, [], [Step(visits=1)] * 3), np.array([[1, 0]]))
    record = simulate_with(engine)(plan, activity, events=True)
    rows = record.units[record.units["unit"] == -1]
    assert [
        (3, 0, -1, WAITING_FOR_TOKENS, 4, -1),
        (7, 0, -1, BARRIER, 1, -1),
        (11, 0, -1, WAITING_FOR_TOKENS, 6, -1),
        (17, 0, -1, BARRIER, 1, -1),
        (21, 0, -1, WAITING_FOR_TOKENS, 4, -1),
        (25, 0, -1, BARRIER, 3, -1),
    ] == rows.tolist()
