"""The long sweeps: `make test-slow N=10000` draws N random machines and as many of everything else
as that is worth.
"""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from engines import ENGINES, simulate_with
from run_golden import cases, compare
from test_agreement import BLOCK, case, stretched
from test_event_order import ShuffledEnvironment
from test_mutation import MUTATIONS, mutants_noticed_by_interpreter

from simulator.timing.record import first_divergence

pytestmark = pytest.mark.slow

N = int(os.environ.get("SPIKEMESH_SWEEP", "2000"))
#: the quick tests draw the machines before this one
FIRST = 100_000
GOLDEN = Path(__file__).parent / "golden"


def blocks(n: int) -> range:
    """Return the first seed of each block of a sweep of n machines."""
    return range(FIRST, FIRST + n, BLOCK)


def difference(plan, activity) -> str | None:
    """Return where the two engines first differ."""
    slow, fast = (simulate_with(engine)(plan, activity, events=True) for engine in ENGINES)
    return first_divergence(slow, fast, plan)


@pytest.mark.parametrize("first", blocks(N))
def test_both_engines_agree_on_random_machines(first) -> None:
    found = {seed: difference(*case(seed)) for seed in range(first, min(first + BLOCK, FIRST + N))}
    assert {} == {seed: text for seed, text in found.items() if text is not None}


@pytest.mark.parametrize("first", blocks(N // 50))
def test_both_engines_agree_on_delays_beyond_every_wheel(first) -> None:
    seeds = range(first, min(first + BLOCK, FIRST + N // 50))
    found = {seed: difference(*stretched(seed)) for seed in seeds}
    assert {} == {seed: text for seed, text in found.items() if text is not None}


@pytest.mark.parametrize("first", blocks(N // 10))
def test_both_engines_hold_back_the_same_steps(first) -> None:
    found = {}
    for seed in range(first, min(first + BLOCK, FIRST + N // 10)):
        plan, activity = case(seed)
        gaps = np.random.default_rng(seed).choice([0, 1, 40, 300, 10**6], activity.n_steps + 1)
        found[seed] = difference(plan, replace(activity, step_release=np.cumsum(gaps)))
    assert {} == {seed: text for seed, text in found.items() if text is not None}


@pytest.mark.parametrize("first", blocks(N // 20))
def test_the_order_inside_a_cycle_does_not_matter(first) -> None:
    specification = simulate_with("reference")
    for seed in range(first, min(first + BLOCK, FIRST + N // 20)):
        plan, activity = case(seed)
        shuffled = specification(plan, activity, events=True, environment=ShuffledEnvironment(seed))
        assert first_divergence(specification(plan, activity, events=True), shuffled) is None, seed


@pytest.mark.parametrize("engine", ENGINES)
def test_every_recorded_run_of_a_router_is_met(engine) -> None:
    runs = cases(GOLDEN)
    assert len(runs) == 55
    found = {run: compare(GOLDEN, *run, simulate_with(engine)) for run in runs}
    assert {} == {run: text for run, text in found.items() if text is not None}


def test_every_mutation_of_a_kernel_is_noticed() -> None:
    noticed = mutants_noticed_by_interpreter(tuple(range(40)))
    assert set(MUTATIONS) == set(noticed)
    assert [] == [name for name, text in noticed.items() if text is None]
