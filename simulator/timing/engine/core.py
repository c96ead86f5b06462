"""The three units of a core, each looked at once in a cycle and on the state the cycle began with
(docs/machine.md, Core).
"""

from __future__ import annotations

import numpy as np

from simulator.jit import kernel
from simulator.timing.engine.groups import front_packet, take_front, take_group
from simulator.timing.engine.layout import (
    ACCUMULATOR_WORDS,
    AXON_OUT,
    BANK_CONFLICTS,
    BLOCKED_UNIT,
    BUSY_UNIT,
    FIRST_OF_WORK,
    FREE,
    LOCAL_WIRE,
    NEURON_UPDATES,
    PENDING,
    SLOT_BITS,
    SOMA,
    SPIKES,
    SYNAPSE,
    State,
)
from simulator.timing.engine.packets import finish_one, list_core, put_packet
from simulator.timing.engine.power import demand, rest
from simulator.timing.engine.tokens import end_own_step, learn
from simulator.timing.engine.unit_log import log_unit
from simulator.timing.engine.wheel import send_credit, set_timer, turn
from simulator.timing.record import BANK_CONFLICT, BLOCKED, BUSY


@kernel(inline=True)
def wake_core(state: State, number: int, now: int) -> None:
    """Note that a core has work from this cycle on [P2]; a gated one wakes."""
    if state.power[number].works == 0:
        core = state.core[number]
        core.ready = demand(state, number, now)
        if core.ready > now:
            set_timer(state, 3 * state.chip[0].n_cores + number, core.ready)


@kernel(inline=True)
def occupy(state: State, number: int, unit: int, cycles: int, now: int) -> None:
    """Keep a unit busy for `cycles` from now on."""
    core = state.core[number]
    if state.chip[0].events and unit != SYNAPSE:
        log_unit(state.chip[0], state.unit_log, number, unit, BUSY, now, cycles, -1)
    core.state[unit] = BUSY_UNIT
    core.until[unit] = now + cycles
    core.busy[unit] += cycles
    set_timer(state, 3 * number + unit, now + cycles)


@kernel(inline=True)
def block(state: State, number: int, unit: int, now: int) -> None:
    """Let a unit wait for room in the queue behind it; it is looked at again when room was made."""
    core = state.core[number]
    if core.state[unit] != BLOCKED_UNIT:
        core.state[unit] = BLOCKED_UNIT
        core.until[unit] = now


@kernel(inline=True)
def unblock(state: State, number: int, unit: int, now: int) -> None:
    """Book the cycles a unit has waited for room."""
    core = state.core[number]
    if core.state[unit] == BLOCKED_UNIT:
        waited = now - core.until[unit]
        core.blocked[unit] += waited
        if state.chip[0].events:
            log = state.unit_log
            log_unit(state.chip[0], log, number, unit, BLOCKED, core.until[unit], waited, -1)
    core.state[unit] = FREE


@kernel(inline=True)
def receive_packet(state: State, number: int, vc: int, entry: int, now: int) -> None:
    """Note that a packet is complete in its VC of the input queue: the synapse unit may take it
    from the next cycle on [C1].
    """
    core = state.core[number]
    chip = state.chip[0]
    place = core.ring_first[vc] + core.n_complete[vc]
    if place >= chip.input_queue:
        place -= chip.input_queue
    state.input_ring[(number << chip.channel_shift) | vc, place] = entry
    core.n_complete[vc] += 1
    core.complete |= np.int64(1) << vc
    if core.ready <= now + 1 and core.state[SYNAPSE] != BUSY_UNIT:
        list_core(state, number, now + 1)


@kernel(inline=True)
def return_credits(state: State, number: int, now: int) -> None:
    """Give back the room of the packets taken in this cycle, VC by VC."""
    core = state.core[number]
    for vc in range(state.chip[0].virtual_channels):
        if core.freed[vc] != 0:
            channel = state.interface[number].channels | vc
            send_credit(state, channel, core.freed[vc], now + LOCAL_WIRE)
            core.freed[vc] = 0


@kernel(inline=True)
def take_packet(state: State, number: int, now: int) -> None:
    """Let the synapse unit take the next complete packet, round-robin over VCs [C2], and those that
    join it [C11]; their flits' credits go back [C3].
    """
    core = state.core[number]
    vc = turn(np.int64(core.complete), core.vc_pointer)
    core.taken = front_packet(state, number, vc)
    entry = state.entry[core.taken >> SLOT_BITS]
    cycles = np.int64(entry.cycles)
    take_front(state, number, vc, entry)
    state.counter[number, ACCUMULATOR_WORDS] += entry.accumulator_words
    core.n_taken = 1
    core.waits = entry.conflict_cycles  # [C23]
    if state.chip[0].event_group > 1 and entry.group >= 0:
        cycles = take_group(state, number, now)
    return_credits(state, number, now)
    core.conflicts += core.waits
    state.counter[number, BANK_CONFLICTS] += core.waits  # [K50]
    if state.chip[0].events:
        log = state.unit_log
        log_unit(state.chip[0], log, number, SYNAPSE, BUSY, now, cycles, vc)
        if core.waits > 0:
            begins = now + cycles
            log_unit(state.chip[0], log, number, SYNAPSE, BANK_CONFLICT, begins, core.waits, -1)
    occupy(state, number, SYNAPSE, cycles + core.waits, now)


@kernel(inline=True)
def step_synapse(state: State, number: int, now: int) -> None:
    """Finish the packet in work when its time has come, and take the next."""
    core = state.core[number]
    if core.state[SYNAPSE] == BUSY_UNIT and core.until[SYNAPSE] == now:
        core.state[SYNAPSE] = FREE
        if state.chip[0].tokens:
            slot = core.taken & ((1 << SLOT_BITS) - 1)
            token = state.entry[core.taken >> SLOT_BITS].token
            for _ in range(core.n_taken):
                learn(state, number, token, slot, now)
        for _ in range(core.n_taken):
            finish_one(state, now)
    if core.state[SYNAPSE] == FREE and core.complete != 0:
        take_packet(state, number, now)


@kernel(inline=True)
def put_next_packet(state: State, number: int, now: int) -> None:
    """Put the packet axon-out has made into its output queue if there is room, and go on with the
    row [C8].
    """
    core = state.core[number]
    k = np.int64(state.entry[core.entry].traffic_class)
    if state.interface[number].waiting[k] >= state.chip[0].output_queue:
        block(state, number, AXON_OUT, now)
        return
    unblock(state, number, AXON_OUT, now)
    put_packet(state, number, core.row, core.entry, now)
    core.entry = core.entry_end if core.is_tree else core.entry + 1
    if core.entry < core.entry_end:
        occupy(state, number, AXON_OUT, state.chip[0].axon_cycles, now)
    elif core.is_token:
        core.is_token = 0
        end_own_step(state, number, now)
    else:
        finish_one(state, now)


@kernel(inline=True)
def begin_tokens(state: State, number: int, now: int) -> None:
    """Let axon-out take the row of tokens, after every message; without one the own step is done
    [Q3].
    """
    core = state.core[number]
    core.tokens_from = -1
    core.row = state.own[number].row
    if core.row < 0:
        end_own_step(state, number, now)
        return
    core.entry = state.row[core.row].start
    core.entry_end = state.row[core.row + 1].start
    core.is_tree = 0
    core.is_token = 1
    occupy(state, number, AXON_OUT, state.chip[0].axon_cycles, now)


@kernel(inline=True)
def step_axon(state: State, number: int, has_message: bool, now: int) -> None:
    """Put what is done, then take the next message that could be seen when the cycle began
    [C7].
    """
    core = state.core[number]
    if core.state[AXON_OUT] == BLOCKED_UNIT or (
        core.state[AXON_OUT] == BUSY_UNIT and core.until[AXON_OUT] == now
    ):
        put_next_packet(state, number, now)
    if core.state[AXON_OUT] == FREE and has_message:
        message = core.next_spike
        while state.message[message].row < 0:
            message += 1
        core.next_spike = message + 1
        core.spikes -= 1
        row = np.int64(state.message[message].row)
        core.row = row
        core.entry = state.row[row].start
        core.entry_end = state.row[row + 1].start
        core.is_tree = 1 if state.row[row].tree >= 0 else 0
        occupy(state, number, AXON_OUT, state.chip[0].axon_cycles, now)
    elif core.state[AXON_OUT] == FREE and 0 <= core.tokens_from <= now:
        begin_tokens(state, number, now)


@kernel(inline=True)
def end_visits(state: State, number: int, now: int) -> None:
    """Note that the soma is done with its step; its row of tokens can be taken a cycle later."""
    core = state.core[number]
    core.state[SOMA] = FREE
    if state.chip[0].tokens:
        core.tokens_from = now + 1
        list_core(state, number, now + 1)
    if core.work >= 0:
        finish_one(state, now)


@kernel(inline=True)
def visit_neurons(state: State, number: int, cleared: int, now: int) -> None:
    """Let the soma go on to its next message [C4], passing those without a row [C6], or to the end
    of its work item; at its beginning it has `cleared` cycles of clearing before it [S9].
    """
    chip = state.chip[0]
    core = state.core[number]
    end = state.work[core.work + 1].message
    cycles = np.int64(cleared)
    while core.message < end:
        message = state.message[core.message]
        cycles += (message.position + 1 - core.position) * chip.soma_cycles + chip.soma_spike_cycles
        core.position = message.position + 1
        core.message += 1
        if message.row >= 0:
            core.has_message = 1
            occupy(state, number, SOMA, cycles, now)
            return
    core.has_message = 0
    cycles += (state.work[core.work].visits - core.position) * chip.soma_cycles
    if cycles > 0:
        occupy(state, number, SOMA, cycles, now)
    else:
        end_visits(state, number, now)


@kernel(inline=True)
def step_soma(state: State, number: int, has_room: bool, now: int) -> None:
    """Begin a work item, put a message into the spike queue if there was room when the cycle began
    [C5], or finish.
    """
    core = state.core[number]
    if core.state[SOMA] == PENDING and core.work < 0:
        end_visits(state, number, now)
    elif core.state[SOMA] == PENDING:
        work = state.work[core.work]
        core.position = 0
        core.message = work.message
        core.next_spike = work.message
        counter = state.counter[number]
        counter[NEURON_UPDATES] += work.visits
        counter[SPIKES] += state.work[core.work + 1].message - work.message
        for k in range(state.work_count.shape[1]):  # [K4]
            counter[FIRST_OF_WORK + k] += state.work_count[core.work, k]
        visit_neurons(state, number, np.int64(work.clear), now)
    elif core.state[SOMA] == BLOCKED_UNIT or (
        core.state[SOMA] == BUSY_UNIT and core.until[SOMA] == now
    ):
        if core.has_message == 0:
            end_visits(state, number, now)
        elif has_room:
            unblock(state, number, SOMA, now)
            core.spikes += 1
            state.chip[0].outstanding += 1
            if core.state[AXON_OUT] == FREE:
                list_core(state, number, now + 1)
            visit_neurons(state, number, np.int64(0), now)
        else:
            block(state, number, SOMA, now)
            if core.spikes < state.chip[0].spike_queue:  # axon-out made room in this cycle
                list_core(state, number, now + 1)


@kernel(inline=True)
def step_core(state: State, number: int, now: int) -> None:
    """Look at a core in one cycle, before anything else of the cycle happens to it [T3]."""
    core = state.core[number]
    if core.ready > now:
        return
    has_room = core.spikes < state.chip[0].spike_queue
    has_message = core.spikes > 0
    step_synapse(state, number, now)
    step_axon(state, number, has_message, now)
    step_soma(state, number, has_room, now)
    core.spike_peak = max(core.spike_peak, core.spikes)  # [K2]
    is_free = (
        core.state[SYNAPSE] == FREE and core.state[SOMA] == FREE and core.state[AXON_OUT] == FREE
    )
    is_free = is_free and core.spikes == 0 and core.input_flits == 0 and core.tokens_from < 0
    if is_free and state.power[number].works:
        rest(state.power[number], now)
