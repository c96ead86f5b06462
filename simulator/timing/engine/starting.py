"""Own steps begin: work items on their somas, injections of ports, and the chip's step with the
first of them (docs/machine.md, Tokens).
"""

from __future__ import annotations

import numpy as np

from simulator.jit import kernel
from simulator.timing.engine.core import wake_core
from simulator.timing.engine.layout import NEVER, PENDING, SOMA, State
from simulator.timing.engine.packets import finish_one, list_core, put_packet
from simulator.timing.engine.tokens import end_own_step, wait_for
from simulator.timing.engine.wheel import set_timer


@kernel(inline=False)
def list_everyone(state: State) -> None:
    """Let all who take part start their first step in this cycle, and owe the end of their last
    one.
    """
    chip = state.chip[0]
    chip.next_start = NEVER
    for number in range(chip.n_endpoints):
        if state.own[number].takes_part:
            state.starting[chip.n_starting] = number
            chip.n_starting += 1
    chip.outstanding = chip.n_starting


@kernel(inline=True)
def is_new_step(state: State) -> bool:
    """Return whether somebody starts a step that has not begun for the chip [Q9]."""
    chip = state.chip[0]
    for k in range(chip.n_starting):
        if state.own[state.starting[k]].started == chip.step and chip.step < chip.last_step:
            return True
    return False


@kernel(inline=False)
def start_own_step(state: State, number: int, now: int) -> None:
    """Start an endpoint's next step [Q2]."""
    chip = state.chip[0]
    own = state.own[number]
    if own.started >= chip.last_step:  # the run was stopped meanwhile
        finish_one(state, now)
        return
    if own.started > 0:
        state.token_count[number, (own.started - 1) % chip.slots] = 0
        visited = own.started + 1 - chip.planes
        if visited >= 0:
            state.freed[number, visited % chip.slots] = 0
    step = own.started
    own.started += 1
    own.is_done = 0
    own.is_called = 0
    if number >= chip.n_cores:
        own.begun = now
        own.due = -1
        own.last = own.cursor
        while own.last < own.end and state.inject_step[state.port_order[own.last]] == step:
            own.last += 1
        chip.outstanding += own.last - own.cursor
        return
    wait_for(state, number, 0, now)
    core = state.core[number]
    core.work = -1
    if own.cursor < own.end and state.work[state.work_order[own.cursor]].step == step:
        core.work = state.work_order[own.cursor]
        own.cursor += 1
        chip.outstanding += 1
    core.state[SOMA] = PENDING
    wake_core(state, number, now)
    if core.ready <= now:
        list_core(state, number, now)


@kernel(inline=False)
def inject_own(state: State, now: int) -> bool:
    """Put the packets due into the source queues of their ports, and their tokens behind the last
    of a step [Q3]; return False when the pool is short (call again).
    """
    chip = state.chip[0]
    for port in range(chip.n_cores, chip.n_endpoints):
        own = state.own[port]
        if own.takes_part == 0 or own.is_done or own.started == 0:
            continue
        while True:
            due = now
            row = int(own.row)
            if own.cursor < own.last:
                number = state.port_order[own.cursor]
                due = own.begun + state.inject_offset[number]
                row = int(state.inject_row[number])
            if due > now:
                if own.due != due:
                    own.due = due
                    set_timer(state, chip.first_own + port, due)
                break
            first = state.row[row].start if row >= 0 else np.int64(0)
            last = state.row[row + 1].start if row >= 0 else np.int64(0)
            if row >= 0 and state.row[row].tree >= 0:
                last = first + 1
            if chip.n_free < last - first + chip.n_cores:
                return False
            for entry in range(first, last):
                put_packet(state, port, row, entry, now)
            if own.cursor == own.last:
                end_own_step(state, port, now)
                break
            own.cursor += 1
            finish_one(state, now)
    return chip.n_free >= chip.n_cores
