"""Both engines leave the same Record, to the last bit, on random machines with random work.

test_sweeps.py draws more of them.
"""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from random_machines import random_activity, random_plan

from simulator.timing.engine import simulate
from simulator.timing.record import COUNTERS, POWER_STATES, UNIT_STATES, Record, first_divergence
from simulator.timing.reference import simulate as specification

CASES = 240
BLOCK = 20
#: cases small enough for kernels that are not compiled
FEW = range(6)


def case(seed: int):
    """Return the machine and the work of a seed."""
    rng = np.random.default_rng(seed)
    plan = random_plan(rng)
    return plan, random_activity(rng, plan)


@pytest.mark.parametrize("first", range(0, CASES, BLOCK))
def test_the_engine_does_what_the_specification_says(first) -> None:
    for seed in range(first, min(first + BLOCK, CASES)):
        plan, activity = case(seed)
        difference = first_divergence(
            simulate(plan, activity, events=True), specification(plan, activity, events=True), plan
        )
        assert difference is None, f"seed {seed}: {difference}"


def stretched(seed: int):
    """Return the machine and the work of a seed with delays no wheel of the engine holds."""
    plan, activity = case(seed)
    plan = replace(
        plan,
        link_latency=plan.link_latency * 31,
        link_interval=plan.link_interval * 7,
        soma_cycles=plan.soma_cycles * 97,
        axon_cycles=plan.axon_cycles * 301,
        gate_wake=plan.gate_wake * 211,
        router_wake=plan.router_wake * 151,
        reload_cycles=plan.reload_cycles * 1009,
    )
    return plan, replace(activity, entry_cycles=activity.entry_cycles * 257)


@pytest.mark.parametrize("seed", range(CASES // 24))
def test_delays_beyond_every_wheel_are_kept_as_exactly(seed) -> None:
    """More of them in `make test-slow`: the specification looks at every cycle of a long wait."""
    plan, activity = stretched(seed)
    fast, slow = (run(plan, activity, events=True) for run in (simulate, specification))
    assert first_divergence(fast, slow, plan) is None


@pytest.mark.parametrize("seed", range(4))
def test_without_events_only_the_events_are_missing(seed) -> None:
    plan, activity = case(seed)
    difference = first_divergence(simulate(plan, activity), specification(plan, activity), plan)
    assert difference is None


def test_the_engine_counts_the_same_without_events() -> None:
    for seed in range(CASES):
        plan, activity = case(seed)
        bare, told = simulate(plan, activity), simulate(plan, activity, events=True)
        events = {name: getattr(bare, name) for name in ("grants", "states", "packets", "units")}
        difference = first_divergence(bare, replace(told, **events), plan)
        assert difference is None, f"seed {seed}: {difference}"


def test_the_random_cases_reach_every_counter_and_every_state() -> None:
    total = {
        name: 0
        for name in ("counters", "unit_cycles", "state_cycles", "router_state_cycles", "queue_peak")
    }
    for seed in range(120):
        record = simulate(*case(seed))
        for name in total:
            table = getattr(record, name)
            total[name] = total[name] + table.reshape(-1, table.shape[-1]).sum(axis=0)
    assert [] == [name for name, n in zip(COUNTERS, total["counters"]) if n == 0]
    assert [] == [name for name, n in zip(UNIT_STATES, total["unit_cycles"]) if n == 0]
    assert [] == [name for name, n in zip(POWER_STATES, total["state_cycles"]) if n == 0]
    assert ["off"] == [
        name for name, n in zip(POWER_STATES, total["router_state_cycles"]) if n == 0
    ]
    assert total["queue_peak"].all()


def digest(record: Record) -> str:
    """Return a name of everything in a record."""
    whole = hashlib.sha256()
    for name in record.__dataclass_fields__:
        value = getattr(record, name)
        whole.update(
            name.encode()
            + (value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode())
        )
    return whole.hexdigest()


@cache
def digests() -> str:
    """Return the names of the first few records, as the compiled engine leaves them."""
    return "".join(digest(simulate(*case(seed), events=True)) for seed in FEW)


@pytest.mark.parametrize("setting", ["NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK"])
def test_interpreted_and_with_checked_bounds_it_is_the_same(setting) -> None:
    here = Path(__file__).parent
    script = "import test_agreement; print(test_agreement.digests())"
    environment = os.environ | {setting: "1", "PYTHONPATH": str(here)}
    run = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, cwd=here
    )
    assert run.stdout.strip() == digests(), run.stderr
