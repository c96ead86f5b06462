"""What an endpoint knows of the others' steps, and when it may start its own next one
(docs/machine.md, Tokens).

Whether all announced packets are integrated is counted once a core and step: packets put for the
core less those integrated.  With all forward tokens known nothing more can be put, so that zero
means what the tokens would say.
"""

from __future__ import annotations

from simulator.jit import kernel
from simulator.timing.engine.layout import (
    AXON_OUT,
    BUSY_UNIT,
    FOR_A_PLANE,
    FOR_THE_START,
    FOR_TOKENS,
    SOMA,
    SYNAPSE,
    State,
)
from simulator.timing.engine.packets import finish_one
from simulator.timing.engine.power import settle
from simulator.timing.engine.unit_log import log_unit
from simulator.timing.engine.wheel import set_timer
from simulator.timing.record import (
    ACTIVE,
    BARRIER,
    IDLE,
    WAITING_FOR_A_PLANE,
    WAITING_FOR_TOKENS,
)

#: the unit state of FOR_TOKENS, FOR_A_PLANE and FOR_THE_START
WAITS = (WAITING_FOR_TOKENS, WAITING_FOR_A_PLANE, BARRIER)


@kernel(inline=True)
def waits_for(state: State, number: int) -> int:
    """Return what an endpoint waits for between its steps: the present one complete [Q6], or a
    plane for the next [Q7]; 0 within a step [Q10].
    """
    chip = state.chip[0]
    own = state.own[number]
    if own.is_done == 0 or own.started == 0:
        return 0
    slot = (own.started - 1) % chip.slots
    if state.token_count[number, slot] < own.n_sources or state.pending[number, slot] != 0:
        return FOR_TOKENS
    visited = own.started + 1 - chip.planes
    if visited >= 0 and state.freed[number, visited % chip.slots] < own.n_destinations:
        return FOR_A_PLANE
    return FOR_THE_START


@kernel(inline=False)
def wait_for(state: State, number: int, what: int, now: int) -> None:
    """Book how long a core's units have waited, clocked and not busy, and let them wait for
    something else, or for nothing [K71].
    """
    own = state.own[number]
    core = state.core[number]
    power = state.power[number]
    settle(power, now)
    clocked = power.cycles[ACTIVE] + power.cycles[IDLE]
    busy = core.busy[SYNAPSE]
    if core.state[SYNAPSE] == BUSY_UNIT:
        busy -= max(0, core.until[SYNAPSE] - now)
    if own.wait > 0:
        spent = clocked - own.clocked
        core.waited[own.wait - 1, SYNAPSE] += spent - (busy - own.busy)
        core.waited[own.wait - 1, SOMA] += spent
        core.waited[own.wait - 1, AXON_OUT] += spent
        if state.chip[0].events and now > own.since:
            cycles = now - own.since
            what_for = WAITS[own.wait - 1]
            log_unit(state.chip[0], state.unit_log, number, -1, what_for, own.since, cycles, -1)
    own.wait = what
    own.since = now
    own.clocked = clocked
    own.busy = busy


@kernel(inline=False)
def look_ahead(state: State, number: int, now: int) -> None:
    """See to the next start where everything for it has come by this cycle [Q8]."""
    chip = state.chip[0]
    own = state.own[number]
    what = waits_for(state, number)
    if number < chip.n_cores and what != own.wait:
        wait_for(state, number, what, now)
    if what == FOR_THE_START and own.is_called == 0 and own.started < chip.last_step:
        own.is_called = 1
        due = max(now + 1, state.step[own.started].release)
        set_timer(state, chip.first_own + number, due)


@kernel(inline=True)
def learn(state: State, number: int, token: int, slot: int, now: int) -> None:
    """Learn what a token says, or count a packet as integrated [Q5]."""
    if token == 0:
        state.pending[number, slot] -= 1
    elif token == 1:
        state.token_count[number, slot] += 1
    else:
        state.freed[number, slot] += 1
    if state.own[number].takes_part:
        look_ahead(state, number, now)


@kernel(inline=False)
def end_own_step(state: State, number: int, now: int) -> None:
    """Note that an endpoint's own step is done [Q3]."""
    own = state.own[number]
    own.is_done = 1
    state.step[own.started - 1].quiet = now
    look_ahead(state, number, now)
    if own.started >= state.chip[0].last_step:
        finish_one(state, now)
