"""Runs one after the other as one Record [S20]: worked out by hand, and what must add up."""

from dataclasses import fields

import numpy as np
import pytest
from engines import ENGINES, simulate_with
from small_machines import CORE, Row, Step, core_and_port, work
from test_agreement import case

from simulator.timing.chunks import LOGS, STEPS, SUMS, joined
from simulator.timing.record import COUNTER, Record, first_divergence

NAMES = 1 << 36
PORT = 1


@pytest.mark.parametrize("engine", ENGINES)
def test_a_chunk_begins_with_pointers_at_their_start_where_another_ended(engine) -> None:
    """A packet a step, as in test_core_tables: granted in 2, there in 5, taken in 6, done at 10;
    the next step starts in 12. A router's pointer tries VC 1 first [A7], then VC 0.
    """
    plan = core_and_port(virtual_channels=2, class_channels=np.array([2, 2]))
    row, step = [Row([(CORE, 1, 4, 0)])], Step(injects=[(0, 0)])
    simulate = simulate_with(engine)
    once = simulate(plan, work(plan, row, [step]), events=True)
    at_once = simulate(plan, work(plan, row, [step, step]), events=True)
    chunks = joined([once, once])
    for record in (at_once, chunks):
        assert ([0, 12], [10, 22], 24) == (
            record.step_start.tolist(),
            record.step_quiet.tolist(),
            record.cycles,
        )
        assert [2, 14] == record.grants["cycle"].tolist()
        assert [PORT * NAMES, PORT * NAMES + 1] == record.packets["packet"].tolist()
        assert [0, 12] == record.packets["inject_cycle"].tolist()
        assert [5, 17] == record.packets["tail_arrive_cycle"].tolist()
        assert [PORT * NAMES, PORT * NAMES + 1] == record.grants["packet"].tolist()
        assert 20 == record.counters[CORE, COUNTER["accumulates"]]
    assert [1, 0] == at_once.grants["out_vc"].tolist()
    assert [1, 1] == chunks.grants["out_vc"].tolist()


def test_a_chunk_s_gates_begin_anew() -> None:
    """[P1]: a core that was gated at the end of one chunk begins the next one clocked."""
    plan = core_and_port(gate_after=3, barrier_cycles=10)
    once = simulate_with("reference")(plan, work(plan, [], [Step(visits=1)]), events=True)
    mine = joined([once, once]).states
    core = mine[(mine["is_router"] == 0) & (mine["index"] == CORE)]
    assert [(0, 0), (1, 1), (4, 2), (11, 0), (12, 1), (15, 2)] == [
        (int(row["cycle"]), int(row["state"])) for row in core
    ]


@pytest.mark.parametrize("seed", range(8))
def test_everything_counted_adds_up(seed) -> None:
    plan, activity = case(seed)
    one = simulate_with("compiled")(plan, activity, events=True)
    three = joined([one, one, one])
    assert 3 * one.cycles == three.cycles
    for name in SUMS:
        assert np.array_equal(3 * getattr(one, name), getattr(three, name)), name
    for name in (*STEPS, *LOGS):
        assert 3 * len(getattr(one, name)) == len(getattr(three, name)), name
    assert np.array_equal(one.queue_peak, three.queue_peak)
    assert {3 * one.cycles} >= set(three.unit_cycles.sum(axis=2).ravel().tolist())
    copies = list(zip(three.packets["packet"].tolist(), three.packets["destination"].tolist()))
    assert len(copies) == len(set(copies)) and copies == sorted(copies)
    assert three.grants["cycle"].tolist() == sorted(three.grants["cycle"].tolist())


def test_both_engines_leave_the_same_chunks() -> None:
    for first in range(0, 12, 2):
        plan, activity = case(first)
        one, other = (
            joined([simulate_with(engine)(plan, activity, events=True)] * 2) for engine in ENGINES
        )
        assert first_divergence(one, other, plan) is None


def test_every_field_of_a_record_is_joined() -> None:
    known = {*SUMS, *STEPS, *LOGS, "cycles", "step_start", "step_quiet", "step_last_output"}
    same = {"operand_bits"}
    assert {one.name for one in fields(Record)} == known | same | {"queue_peak", "complete"}
