"""What is booked when a step ends: totals so far, and how long cores wait at the barrier."""

from __future__ import annotations

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
    for number in range(chip.n_cores + chip.n_routers):
        kind = 1 if number >= chip.n_cores else 0
        for k in range(5):
            state.step_power[step, kind, k] += state.power[number].cycles[k]
    for number in range(chip.n_endpoints):
        kind = 1 if number >= chip.n_cores else 0
        for k in range(state.counter.shape[1]):
            # [K6]
            state.step_counter[step, kind, k] += state.counter[number, k]


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
