"""Ticks, and cores that hold nothing: on both engines, on tables worked out by hand and as laws of
random machines.
"""

from dataclasses import replace

import numpy as np
import pytest
from engines import ENGINES, simulate_with
from small_machines import Row, Step, core_and_port, work
from test_agreement import case

from simulator.errors import InputError
from simulator.timing.record import GATED, IDLE, OFF, UNIT_STATES

# [S7] [S8]: a step takes `visits` cycles and a barrier of 2; it starts at multiples of the tick
TICKS = [
    # tick, visits, release          starts        end   overrun
    (0,     3,      [],              [0, 5, 10],   15,   [0, 0, 0]),
    (1,     3,      [],              [0, 5, 10],   15,   [4, 4, 4]),
    (5,     3,      [],              [0, 5, 10],   15,   [0, 0, 0]),
    (8,     3,      [],              [0, 8, 16],   24,   [0, 0, 0]),
    (4,     3,      [],              [0, 8, 16],   24,   [4, 4, 4]),
    (4,     11,     [],              [0, 16, 32],  48,   [12, 12, 12]),
    (8,     3,      [3, 0, 17, 0],   [8, 16, 24],  32,   [0, 0, 0]),
    (8,     11,     [0, 9, 100, 0],  [0, 16, 104], 120,  [0, 0, 8]),
]  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("tick, visits, release, starts, end, overrun", TICKS)
def test_a_step_starts_at_a_tick_and_counts_how_late(
    engine, tick, visits, release, starts, end, overrun
) -> None:
    plan = core_and_port(step_tick=tick)
    activity = work(plan, [], [Step(visits=visits)] * 3)
    activity = replace(activity, step_release=np.array(release, np.int64))
    record = simulate_with(engine)(plan, activity)
    assert starts == record.step_start.tolist()
    assert end == record.cycles
    assert overrun == record.step_overrun.tolist()
    assert [[end] * 3] == record.unit_cycles.sum(axis=2).tolist()


# cycles of clearing, visits [S9] -> the end of the visits, and how long the soma is busy
CLEARED = [(0, 3, 3), (4, 3, 7), (4, 1, 5), (900, 2, 902)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("cleared, visits, end", CLEARED)
def test_a_soma_clears_before_it_visits(engine, cleared, visits, end) -> None:
    plan = core_and_port()
    activity = work(plan, [Row([(1, 1, 1, 0)])], [Step(visits=visits, fires=[(visits - 1, 0)])])
    activity = replace(activity, work_clear=np.array([cleared]))
    record = simulate_with(engine)(plan, activity, events=True)
    assert end == record.unit_cycles[0, 1, 0]
    # the message of the last visit is taken a cycle later, and its packet put after one more
    assert [end + 2] == record.packets["inject_cycle"].tolist()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("state, name", [(IDLE, "barrier"), (GATED, "gated"), (OFF, "off")])
def test_a_core_that_holds_nothing_stays_as_it_is(engine, state, name) -> None:  # [P8]
    plan = core_and_port(unused=np.array([state], np.int8), gate_after=3, off_after=5, step_tick=9)
    record = simulate_with(engine)(plan, work(plan, [], [Step(), Step()]), events=True)
    assert 18 == record.cycles == record.state_cycles[0, state]
    assert 18 == record.unit_cycles[0, 0, UNIT_STATES.index(name)] + record.unit_cycles[0, 0, 1]
    assert [state] == record.states["state"][record.states["is_router"] == 0].tolist()


def test_work_for_a_core_that_holds_nothing_is_refused() -> None:
    plan = core_and_port(unused=np.array([GATED], np.int8))
    with pytest.raises(InputError, match="plan: unused: core 0 must work, not stay asleep"):
        work(plan, [], [Step(visits=1)]).refuse_misfit(plan)


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_random_machines_start_every_step_at_a_tick(first) -> None:
    for seed in range(first, first + 20):
        plan, activity = case(seed)
        record = simulate_with("compiled")(plan, activity)
        k = max(plan.step_tick, 1)
        starts = np.append(record.step_start, record.cycles)
        assert not (starts % k).any()
        assert (record.step_overrun % k == 0).all() and (record.step_overrun >= 0).all()
        late = starts[1:] - record.step_start - record.step_overrun
        assert not plan.step_tick or (late == k).all()  # nothing is released here
        if len(plan.unused):
            resting = np.flatnonzero(plan.unused >= 0)
            assert (record.state_cycles[resting, plan.unused[resting]] == record.cycles).all()
