"""The event loop: one cycle after another while anything moves, else a jump to the next cycle in
which something can.
"""

from __future__ import annotations

import numpy as np

from simulator.jit import entry_point, kernel
from simulator.timing.engine.arrivals import deliver
from simulator.timing.engine.books import end_step, take_totals
from simulator.timing.engine.core import step_core, wake_core
from simulator.timing.engine.interface import evaluate_interface
from simulator.timing.engine.layout import (
    DEADLOCK,
    DONE,
    LOG_FULL,
    NEVER,
    PENDING,
    POOL_FULL,
    SOMA,
    TIMER_SLOTS,
    UNIT_ROWS,
    UNTIL,
    State,
)
from simulator.timing.engine.packets import finish_one, list_core, put_packet
from simulator.timing.engine.power import log_rest
from simulator.timing.engine.router import evaluate_router, start_all
from simulator.timing.engine.sleep import wake_router
from simulator.timing.engine.starting import (
    inject_own,
    is_new_step,
    list_everyone,
    start_own_step,
)
from simulator.timing.engine.steps import call_next_step
from simulator.timing.engine.tokens import wait_for
from simulator.timing.engine.wheel import next_arrival, next_timer, pop_heap

#: in place of a cycle, for the one kernel to close the books: a second one would take in, and
#: compile, half of the first again
CLOSE = -1


@kernel(inline=False)
def begin_step(state: State, now: int) -> None:
    """Start the work items of the next step on their somas, and its injections [S1]."""
    chip = state.chip[0]
    if chip.step > 0:
        take_totals(state, chip.step, now)
    step = state.step[chip.step]
    after = state.step[chip.step + 1]
    chip.step += 1
    chip.next_start = NEVER
    step.start = now
    if step.begins:
        chip.inference_start = now
    chip.injection = step.injection
    chip.injection_end = after.injection
    chip.outstanding = after.work - step.work + after.injection - step.injection
    for work in range(step.work, after.work):
        number = state.work[work].core
        core = state.core[number]
        core.work = work
        core.state[SOMA] = PENDING
        wake_core(state, number, now)
        if core.ready <= now:
            list_core(state, number, now)
    find_injection(state, now)
    if chip.outstanding == 0:
        call_next_step(state, now)


@kernel(inline=True)
def injection_number(state: State) -> int:
    """Return the injection that comes next, in the order of their cycles."""
    number = state.chip[0].injection
    return state.injection_order[number] if len(state.injection_order) > 0 else number


@kernel(inline=True)
def find_injection(state: State, now: int) -> None:
    """Find out when the next injection of the step is due."""
    chip = state.chip[0]
    chip.next_injection = NEVER
    if chip.injection < chip.injection_end:
        chip.next_injection = (
            state.step[chip.step - 1].start + state.inject_offset[injection_number(state)]
        )


@kernel(inline=True)
def inject(state: State, now: int) -> bool:
    """Put the packets due into the source queues of their ports; return False when the pool is
    short (call again).
    """
    chip = state.chip[0]
    while chip.next_injection == now:
        number = injection_number(state)
        row = np.int64(state.inject_row[number])
        first = state.row[row].start
        last = state.row[row + 1].start
        n_packets = 1 if state.row[row].tree >= 0 else last - first
        if chip.n_free < n_packets + chip.n_cores:
            return False
        for entry in range(first, first + n_packets):
            put_packet(state, np.int64(state.inject_port[number]), row, entry, now)
        finish_one(state, now)
        chip.injection += 1
        find_injection(state, now)
    return True


@kernel(inline=True)
def fire(state: State, number: int, now: int) -> None:
    """Look at the core or router a timer belongs to."""
    chip = state.chip[0]
    owner = np.int64(state.timer[number].owner)
    if number < 4 * chip.n_cores:
        list_core(state, owner, now)
    elif number >= chip.first_own:
        if state.own[owner].is_called:
            state.starting[chip.n_starting] = owner
            chip.n_starting += 1
    else:
        start_all(state, owner, now)
        wake_router(state, owner, now)


@kernel(inline=True)
def fire_timers(state: State, now: int) -> None:
    """Fire the timers due in this cycle."""
    chip = state.chip[0]
    while chip.n_heap > 0 and state.heap[0].due == now:
        number = state.heap[0].timer
        pop_heap(state.heap, chip.n_heap)
        chip.n_heap -= 1
        fire(state, number, now)
    index = now & (TIMER_SLOTS - 1)
    number = np.int64(state.timer_slot[index])
    if number >= 0:
        state.timer_slot[index] = -1
        state.timer_bits[index >> 6] &= ~(np.int64(1) << (index & 63))
        if state.timer_bits[index >> 6] == 0:
            chip.timer_words &= ~(np.int64(1) << (index >> 6))
        while number >= 0:
            chip.n_timers -= 1
            fire(state, number, now)
            number = np.int64(state.timer[number].next)
    chip.next_timer = next_timer(state, now)


@kernel(inline=False)
def start_own_steps(state: State, now: int) -> None:
    """Start the steps of all who are due in this cycle; the first ones begin the chip's step
    [Q9].
    """
    chip = state.chip[0]
    if is_new_step(state):
        if chip.step > 0:
            take_totals(state, chip.step, now)
        state.step[chip.step].start = now
        if state.step[chip.step].begins:
            chip.inference_start = now
        chip.step += 1
    for k in range(chip.n_starting):
        start_own_step(state, state.starting[k], now)
    chip.n_starting = 0


@kernel(inline=True)
def step_cores(state: State, now: int) -> None:
    """Look at every core listed for this cycle; they list themselves for the next."""
    chip = state.chip[0]
    which = chip.core_list
    for k in range(chip.n_listed[which]):
        step_core(state, state.listed_core[which, k], now)
    chip.n_listed[which] = 0


@kernel(inline=True)
def step_interfaces(state: State, now: int) -> None:
    """Let every awake network interface send, and keep those that go on."""
    chip = state.chip[0]
    kept = np.int64(0)
    for k in range(chip.n_awake_interfaces):
        number = np.int64(state.awake_interface[k])
        if evaluate_interface(state, number, now):
            state.awake_interface[kept] = number
            kept += 1
    chip.n_awake_interfaces = kept


@kernel(inline=True)
def step_routers(state: State, now: int) -> None:
    """Evaluate every awake router, and keep those that go on."""
    chip = state.chip[0]
    kept = np.int64(0)
    for k in range(chip.n_awake_routers):
        number = np.int64(state.awake_router[k])
        if evaluate_router(state, number, now):
            state.awake_router[kept] = number
            kept += 1
    chip.n_awake_routers = kept


@kernel(inline=True)
def next_due(state: State) -> int:
    """Return the next cycle in which a step starts, an injection is due or a timer fires."""
    chip = state.chip[0]
    start, injection, timer = chip.next_start, chip.next_injection, chip.next_timer
    due = start if start < injection else injection
    return due if due < timer else timer


@kernel(inline=True)
def next_cycle(state: State, now: int, due: int) -> int:
    """Return the next cycle in which anything can happen, NEVER if nothing can."""
    chip = state.chip[0]
    if chip.next_start == now:  # quiet in this cycle, and no barrier after it
        return now
    if chip.n_awake_routers + chip.n_awake_interfaces + chip.n_listed[chip.core_list] > 0:
        return now + 1
    if chip.in_flight == 0:
        return due
    arrival = next_arrival(state, now)
    return arrival if arrival < due else due


@kernel(inline=True)
def has_log_space(state: State) -> bool:
    """Return whether the logs hold whatever one cycle can add."""
    chip = state.chip[0]
    changes = 5 * (chip.n_cores + chip.n_routers)
    return (
        chip.n_grants + chip.n_routers * chip.ports <= len(state.grant_log)
        and chip.n_states + changes <= len(state.state_log)
        and chip.n_packets + chip.n_endpoints <= len(state.packet_log)
        and chip.n_units + chip.n_cores * (UNIT_ROWS + chip.event_group) <= len(state.unit_log)
    )


@kernel(inline=False)
def see_credits_come(state: State) -> None:
    """Go to the cycle in which the last credit comes that nobody waits for."""
    chip = state.chip[0]
    mask = state.returned.shape[0] - 1
    for number in range(len(state.sender)):
        sender = state.sender[number]
        if sender.n_returned > 0:
            last = (sender.first_returned + sender.n_returned - 1) & mask
            chip.now = max(chip.now, state.returned[last, number].due)


@entry_point
def advance(state: State, until: int, budget: int) -> int:
    """Run the cycles before `until`, until those in which something happens and the flits that
    arrive in them are `budget` together; return what stopped it, a deadlock [D1] when nothing can
    ever happen again.  With CLOSE for `until`, `finish` instead.
    """
    if until == CLOSE:
        close(state)
        return DONE
    return run(state, until, budget)


@kernel(inline=True)
def begin(state: State, now: int) -> int:
    """Begin the step, the injections and the own steps that are due in a cycle, and fire its
    timers; return what stops the run before it goes on, -1 if nothing does.
    """
    chip = state.chip[0]
    if chip.next_start == now and chip.tokens:
        if chip.step > 0:
            return DONE
        list_everyone(state)
    elif chip.next_start == now:
        if chip.step > 0:
            end_step(state, now)
        if chip.step == chip.last_step:
            return DONE
        begin_step(state, now)
    if chip.next_injection == now and not inject(state, now):
        return POOL_FULL
    if chip.next_timer == now:
        fire_timers(state, now)
    if chip.tokens:
        start_own_steps(state, now)
        if not inject_own(state, now):
            return POOL_FULL
    return -1


@kernel(inline=False)
def run(state: State, until: int, budget: int) -> int:
    """Do what `advance` says."""
    chip = state.chip[0]
    due = np.int64(chip.now)  # whatever begins in this cycle is looked for
    while chip.now < until and budget > 0:
        now = np.int64(chip.now)
        if chip.events and not has_log_space(state):
            return LOG_FULL
        if now >= due or chip.tokens:
            stopped = begin(state, now)
            if stopped >= 0:
                return stopped
        if chip.n_listed[chip.core_list] > 0:
            if chip.n_free < chip.n_cores:
                return POOL_FULL
            step_cores(state, now)
        budget -= 1 + deliver(state, now)
        if chip.n_awake_interfaces > 0:
            step_interfaces(state, now)
        if chip.n_awake_routers > 0:
            step_routers(state, now)
        chip.core_list = 1 - chip.core_list
        due = next_due(state)
        cycle = next_cycle(state, now, due)
        if cycle == NEVER:
            see_credits_come(state)
            return DEADLOCK
        chip.now = cycle if cycle < until else until
    return UNTIL


def finish(state: State) -> None:
    """Close the books at the run's end: the last step's totals and the states of what rests.  Like
    `advance` it is given a handle of the state.
    """
    advance(state, CLOSE, 0)


@kernel(inline=False)
def close(state: State) -> None:
    """Do what `finish` says."""
    chip = state.chip[0]
    for number in range(chip.n_cores):
        if chip.tokens and state.own[number].takes_part:
            wait_for(state, number, 0, chip.now)
    take_totals(state, chip.step, chip.now)
    if chip.events:
        for number in range(chip.n_cores + chip.n_routers):
            if state.power[number].works == 0:
                log_rest(chip, state.power[number], state.state_log, chip.now)
