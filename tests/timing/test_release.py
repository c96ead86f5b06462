"""Steps that are held back: on both engines, on tables worked out by hand and on random
machines.
"""

from dataclasses import replace

import numpy as np
import pytest
from engines import ENGINES, simulate_with
from random_machines import random_activity, random_plan
from small_machines import Step, core_and_port, work

from simulator.errors import InputError
from simulator.timing.record import COUNTER, GATED, IDLE, STARVED, UNITS, first_divergence

SOMA = UNITS.index("soma")

# [S4] [S5]: three visits a step, barrier 2: unheld, step s starts at 5·s and the run ends at 5·n
TABLE = [
    # release of steps and of the end     starts        end
    ([],                                  [0, 5, 10],   15),
    ([0, 0, 0, 0],                        [0, 5, 10],   15),
    ([0, 5, 10, 15],                      [0, 5, 10],   15),
    ([0, 6, 0, 0],                        [0, 6, 11],   16),
    ([0, 100, 101, 0],                    [0, 100, 105], 110),
    ([40, 0, 0, 0],                       [40, 45, 50], 55),
    ([0, 0, 0, 1000],                     [0, 5, 10],   1000),
    ([0, 10**12, 0, 3 * 10**12],          [0, 10**12, 10**12 + 5], 3 * 10**12),
]  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("release, starts, end", TABLE)
def test_a_step_starts_when_the_chip_is_ready_and_not_before_its_release(
    engine, release, starts, end
) -> None:
    plan = core_and_port()
    activity = replace(
        work(plan, [], [Step(visits=3)] * 3), step_release=np.array(release, np.int64)
    )
    record = simulate_with(engine)(plan, activity)
    assert starts == record.step_start.tolist()
    assert end == record.cycles
    assert [start + 3 for start in starts] == record.step_quiet.tolist()
    assert record.unit_cycles.sum(axis=2).tolist() == [[end] * 3]
    assert [starts[1], starts[2] - starts[1], end - starts[2]] == record.step_state_cycles.sum(
        axis=1
    ).tolist()
    before = release[0] if len(release) else 0  # nothing comes before the first step [S6]
    assert before + 3 - 3 == record.unit_cycles[0, SOMA, STARVED]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_held_core_is_gated_after_its_hold_and_wakes_for_the_release(engine) -> None:
    plan = core_and_port(gate_after=4, gate_wake=7)
    activity = replace(
        work(plan, [], [Step(visits=3)] * 2), step_release=np.array([0, 10**9, 2 * 10**9])
    )
    record = simulate_with(engine)(plan, activity)
    assert 1 == record.counters[0, COUNTER["gate_wakes"]]
    assert 8 == record.state_cycles[0, IDLE]
    assert 2 * 10**9 - 8 - 7 - 6 == record.state_cycles[0, GATED]
    assert 10**9 + 7 + 3 == record.step_quiet[1]


@pytest.mark.parametrize(
    "release, why",
    [([0, 1], "must have 4 entries, not 2"), ([0, -4, 5, 6], "must be 0 or more, not -4")],
)
def test_a_release_that_cannot_be_followed_is_refused(release, why) -> None:
    activity = work(core_and_port(), [], [Step(visits=3)] * 3)
    with pytest.raises(InputError, match=why):
        replace(activity, step_release=np.array(release))


@pytest.mark.parametrize("seed", range(30))
def test_both_engines_hold_back_the_same_steps(seed: int) -> None:
    rng = np.random.default_rng(9000 + seed)
    plan = random_plan(rng)
    activity = random_activity(rng, plan)
    gaps = rng.choice([0, 1, 40, 300, 10**6], activity.n_steps + 1)
    activity = replace(activity, step_release=np.cumsum(gaps))
    a, b = (simulate_with(name)(plan, activity, events=True) for name in ENGINES)
    assert first_divergence(a, b, plan) is None
    for cycles, by_step in (
        (a.state_cycles, a.step_state_cycles),
        (a.router_state_cycles, a.step_router_state_cycles),
    ):
        assert cycles.sum(axis=0).tolist() == by_step.sum(axis=0).tolist()
    assert (a.step_start >= activity.release[:-1]).all() and a.cycles >= activity.release[-1]
