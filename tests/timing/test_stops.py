"""Stopping the compiled kernel, for whatever reason, changes nothing."""

import numpy as np
import pytest
import simpy
from engines import ENGINES, simulate_with
from test_agreement import case

from simulator.errors import Interrupted
from simulator.timing.engine import fabric as fabric_module
from simulator.timing.engine import simulate
from simulator.timing.engine import state as chip_state
from simulator.timing.engine.fabric import Fabric
from simulator.timing.record import first_divergence

SEEDS = range(20, 32)


def stopping(plan, activity, every: int):
    """Return the record of a run whose kernel returns every so many cycles."""
    environment = simpy.Environment()
    chip = Fabric(environment, plan, activity, events=True, stop_every=every)
    environment.run(until=chip.done)
    return chip.record()


@pytest.mark.parametrize("stop_every", [1, 2, 3, 7, 50, 1000])
def test_a_stop_every_k_cycles_changes_nothing(stop_every) -> None:
    for seed in SEEDS:
        plan, activity = case(seed)
        stopped = stopping(plan, activity, stop_every)
        assert first_divergence(simulate(plan, activity, events=True), stopped, plan) is None


def test_full_logs_and_a_short_pool_of_packets_change_nothing(monkeypatch) -> None:
    expected = {seed: simulate(*case(seed), events=True) for seed in SEEDS}
    monkeypatch.setattr(chip_state, "LOG_ROWS", 1)
    monkeypatch.setattr(chip_state, "POOL", 1)
    monkeypatch.setattr(fabric_module, "SLICE", 5)
    for seed in SEEDS:
        assert first_divergence(expected[seed], simulate(*case(seed), events=True)) is None


@pytest.mark.parametrize("seed", SEEDS)
def test_a_probe_sees_the_chip_at_its_own_cycle(seed) -> None:
    plan, activity = case(seed)
    environment = simpy.Environment()
    chip = Fabric(environment, plan, activity, events=True)
    rng, seen = np.random.default_rng(seed), []

    def probe():
        while not chip.done.triggered:
            yield environment.timeout(int(rng.integers(1, 9)))
            seen.append((environment.now, chip.now))

    environment.process(probe())
    environment.run(until=chip.done)
    assert seen and all(
        now == cycle for now, cycle in seen if not chip.done.triggered or now <= chip.now
    )
    assert first_divergence(simulate(plan, activity, events=True), chip.record(), plan) is None


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("steps_together", "ends"), [(1, (1, 2)), (2, (2,)), (3, (3,)), (8, (4,))])
def test_a_run_stopped_while_telling_ends_with_its_group_of_steps(
    monkeypatch, engine, steps_together, ends
) -> None:
    monkeypatch.setattr(fabric_module, "SLICE", 1)
    seed = next(seed for seed in range(100) if case(seed)[1].n_steps == 4)
    plan, activity = case(seed)
    whole = simulate(plan, activity)

    def interrupt(done: int, steps: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    how = {"progress": interrupt, "steps_together": steps_together}
    with pytest.raises(Interrupted) as stop:
        simulate_with(engine)(plan, activity, **how)
    record = stop.value.record
    n_steps = len(record.step_start)
    assert n_steps in ends and record.complete == (n_steps == 4)
    if record.complete:  # the group reaches to the last step: stopped, and whole
        assert first_divergence(record, whole) is None
        return
    assert np.array_equal(record.step_quiet, whole.step_quiet[:n_steps])
    assert np.array_equal(record.step_counters, whole.step_counters[:n_steps])
    assert np.array_equal(record.counters.sum(axis=0), whole.step_counters[:n_steps].sum(axis=0))
    assert record.cycles == whole.step_start[n_steps]


def test_a_stopped_run_cannot_be_taken_for_a_failed_one() -> None:
    assert not issubclass(Interrupted, Exception)
    assert issubclass(Interrupted, KeyboardInterrupt)
