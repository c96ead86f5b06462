"""What is booked when a step ends: totals so far, and how long cores wait at the barrier."""

from __future__ import annotations

import numpy as np

from simulator.jit import kernel
from simulator.timing.engine.layout import GATE_WAKES, OFF_WAKES, RELOAD_CYCLES, State
from simulator.timing.engine.power import idle_part, settle
from simulator.timing.engine.steps import overrun
from simulator.timing.record import ACTIVE, IDLE


@kernel(inline=False)
def take_totals(state: State, step: int, now: int) -> None:
    """Book everything up to `now` and keep the totals a step starts from; the first step starts
    from nothing, so what passed before it is its own [S6].
    """
    chip = state.chip[0]
    for number in range(chip.n_cores):  # [K5]
        power = state.power[number]
        settle(power, now)
        state.counter[number, GATE_WAKES] = power.gate_wakes
        state.counter[number, OFF_WAKES] = power.off_wakes
        state.counter[number, RELOAD_CYCLES] = power.off_wakes * state.core[number].reload
    for number in range(chip.n_cores, chip.n_cores + chip.n_routers):
        power = state.power[number]
        settle(power, now)
        router = state.router[number - chip.n_cores]
        power.cycles[ACTIVE] += router.passed
        power.cycles[IDLE] -= router.passed
        router.passed = 0
        state.step_router_wakes[step] += power.gate_wakes
    add_power(state.step_power[step, 0], state.power[: chip.n_cores])
    add_power(state.step_power[step, 1], state.power[chip.n_cores :])
    # [K6]
    add_rows(state.step_counter[step, 0], state.counter[: chip.n_cores])
    add_rows(state.step_counter[step, 1], state.counter[chip.n_cores :])


@kernel(inline=False)
def add_power(total: np.ndarray, power: np.ndarray) -> None:
    """Add the cycles some cores or routers spent in each state to `total`."""
    for number in range(len(power)):
        for k in range(len(total)):
            total[k] += power[number].cycles[k]


@kernel(inline=False, simd=True)
def add_rows(total: np.ndarray, rows: np.ndarray) -> None:
    """Add every row to `total`."""
    for number in range(rows.shape[0]):
        for k in range(rows.shape[1]):
            total[k] += rows[number, k]


@kernel(inline=False)
def end_step(state: State, now: int) -> None:
    """Note when the step was quiet, and how long each clocked core waits at the barrier after
    it [S5].
    """
    chip = state.chip[0]
    step = state.step[chip.step - 1]
    step.quiet = chip.quiet
    step.overrun = overrun(state, chip.step - 1, now)
    for number in range(chip.n_cores):
        power = state.power[number]
        clocked = idle_part(now - power.since, power.gate_after, power.off_after, IDLE)
        clocked -= idle_part(chip.quiet - power.since, power.gate_after, power.off_after, IDLE)
        state.core[number].barrier += clocked
