"""Power states, accounted when they change: a million gated cycles cost what ten cost."""

from __future__ import annotations

import numpy as np

from simulator.jit import kernel
from simulator.timing.engine.layout import STATE_LOSSES, State
from simulator.timing.record import ACTIVE, GATED, IDLE, OFF, WAKING


@kernel(inline=True)
def idle_part(elapsed: int, gate_after: int, off_after: int, which: int) -> int:
    """Return how many of the `elapsed` cycles since the last work are spent IDLE, GATED or OFF
    [P3].
    """
    off = elapsed - off_after if 0 <= off_after < elapsed else 0
    clocked = elapsed - off
    idle = gate_after if 0 <= gate_after < clocked else clocked
    if which == IDLE:
        return idle
    return off if which == OFF else clocked - idle


@kernel(inline=False)
def settle(power, until: int) -> None:  # type: ignore[no-untyped-def]
    """Book the cycles before `until` that are not booked yet to the states they were spent in."""
    counted = power.counted
    if until <= counted:
        return
    if power.works:
        waking = min(until, power.ready) - counted
        waking = max(waking, 0)
        power.cycles[WAKING] += waking
        power.cycles[ACTIVE] += until - counted - waking
    elif power.gate_after < 0 and power.off_after < 0:
        power.cycles[IDLE] += until - counted
    else:
        for which in (IDLE, GATED, OFF):
            power.cycles[which] += idle_part(
                until - power.since, power.gate_after, power.off_after, which
            )
            power.cycles[which] -= idle_part(
                counted - power.since, power.gate_after, power.off_after, which
            )
    power.counted = until


@kernel(inline=False)
def log_state(chip, power, log: np.ndarray, to: int, cycle: int) -> None:  # type: ignore[no-untyped-def]
    """Note that a core or router is in state `to` from `cycle` on."""
    if power.logged == to:
        return
    power.logged = to  # [K9]
    line = log[chip.n_states]
    line.cycle = cycle
    line.is_router = power.is_router
    line.index = power.index
    line.state = to
    chip.n_states += 1


@kernel(inline=False)
def log_rest(chip, power, log: np.ndarray, until: int) -> None:  # type: ignore[no-untyped-def]
    """Note the states passed since the last work and before `until`."""
    elapsed = until - power.since
    idle = idle_part(elapsed, power.gate_after, power.off_after, IDLE)
    gated = idle_part(elapsed, power.gate_after, power.off_after, GATED)
    if idle > 0:
        log_state(chip, power, log, IDLE, power.since)
    if gated > 0:
        log_state(chip, power, log, GATED, power.since + idle)
    if idle + gated < elapsed:
        log_state(chip, power, log, OFF, power.since + idle + gated)


@kernel(inline=False)
def log_demand(chip, power, log: np.ndarray, now: int, ready: int) -> None:  # type: ignore[no-untyped-def]
    """Note the states up to the return of work, the waking and what follows."""
    log_rest(chip, power, log, now)
    if ready > now:
        log_state(chip, power, log, WAKING, now)
    log_state(chip, power, log, ACTIVE, ready)


@kernel(inline=True)
def demand(state: State, number: int, now: int) -> int:
    """Note that work came in cycle `now` to one that had none; return the cycle from which it may
    act [P4].  Only whole cycles passed without work gate: work in the very cycle does not wake
    [P5].
    """
    power = state.power[number]
    ready = now
    if power.gate_after < 0 and power.off_after < 0:
        power.cycles[IDLE] += now - power.counted
        power.counted = now
    else:
        settle(power, now)
        elapsed = now - power.since
        if 0 <= power.off_after < elapsed:
            power.off_wakes += 1  # [K5]
            if power.since > state.chip[0].inference_start:
                state.counter[number, STATE_LOSSES] += 1
            ready += power.off_wake
        elif 0 <= power.gate_after < elapsed:
            power.gate_wakes += 1
            ready += power.gate_wake
    if state.chip[0].events:
        log_demand(state.chip[0], power, state.state_log, now, ready)
    power.works = 1
    power.ready = ready
    return ready


@kernel(inline=True)
def rest(power, since: int) -> None:  # type: ignore[no-untyped-def]
    """Note that there is no work from cycle `since` on."""
    if power.ready <= power.counted:
        power.cycles[ACTIVE] += since - power.counted
        power.counted = since
    else:
        settle(power, since)
    power.works = 0
    power.since = since
