"""Packets a synapse unit takes, alone or together with others, and what those served together wait
for at the banks of its memory (docs/machine.md, Core).
"""

from __future__ import annotations

import numpy as np

from simulator.jit import kernel
from simulator.timing.engine.layout import (
    EVENTS_RECEIVED,
    FLITS_RECEIVED,
    N_COUNTERS,
    PACKETS_RECEIVED,
    SLOT_BITS,
    SYNAPSE,
    WEIGHT_READ_WORDS,
    State,
)
from simulator.timing.engine.unit_log import log_unit
from simulator.timing.engine.wheel import turn
from simulator.timing.record import BUSY


@kernel(inline=True)
def front_packet(state: State, number: int, vc: int) -> int:
    """Return the entry of the first complete packet of a VC, with the slot of its step."""
    first = state.core[number].ring_first[vc]
    return np.int64(state.input_ring[(number << state.chip[0].channel_shift) | vc, first])


@kernel(inline=True)
def take_front(state: State, number: int, vc: int, entry) -> None:  # type: ignore[no-untyped-def]
    """Remove the first complete packet of a VC, made of `entry`.  Operations and weight words are
    booked here only [K1]; accumulators are not, for a group shares them [K31].
    """
    core = state.core[number]
    first = core.ring_first[vc]
    core.vc_pointer = vc + 1
    core.ring_first[vc] = first + 1 if first + 1 < state.chip[0].input_queue else 0
    core.n_complete[vc] -= 1
    if core.n_complete[vc] == 0:
        core.complete &= ~(np.int64(1) << vc)
    core.input_flits -= entry.flits
    core.freed[vc] += entry.flits
    counter = state.counter[number]
    counter[PACKETS_RECEIVED] += 1
    counter[FLITS_RECEIVED] += entry.flits
    counter[EVENTS_RECEIVED] += entry.events
    counter[WEIGHT_READ_WORDS] += entry.words
    if entry.column >= 0:
        counter[entry.column] += entry.operations


@kernel(inline=True)
def ask_banks(state: State, number: int, entry, events: int) -> None:  # type: ignore[no-untyped-def]
    """Note the banks that an entry's rows ask, behind those of `events` others [C20]."""
    banks = state.chip[0].banks
    words = entry.words // entry.events
    for k in range(entry.events):
        address = state.event_address[entry.first_event + k]
        state.asked[number, events + k, 0] = address % banks
        state.asked[number, events + k, 1] = words % banks


@kernel(inline=False)
def most_asked(asked: np.ndarray, events: int, banks: int) -> int:
    """Return the most rows that want one bank once more than they want all banks: where the most
    meet, one of them begins.
    """
    most = 0
    for one in range(events):
        meet = 0
        for other in range(events):
            if (asked[one, 0] - asked[other, 0]) % banks < asked[other, 1]:
                meet += 1
        most = max(most, meet)
    return most


@kernel(inline=False)
def take_group(state: State, number: int, now: int) -> int:
    """Take the packets that follow the one taken on the same accumulators while the group has room
    [C11]; return the cycles all of them take [C21], and keep those they wait for banks [C22].
    """
    core, chip = state.core[number], state.chip[0]
    first = state.entry[core.taken >> SLOT_BITS]
    events, words, operations = first.events, first.words, first.operations
    lookup, rounds = first.lookup_cycles, first.words // first.events // chip.banks * first.events
    while core.complete != 0:
        vc = turn(np.int64(core.complete), core.vc_pointer)
        front = front_packet(state, number, vc)
        entry = state.entry[front >> SLOT_BITS]
        if entry.group != first.group or events + entry.events > chip.event_group:
            break
        if (front ^ core.taken) & ((1 << SLOT_BITS) - 1):  # of another step [Q12]
            break
        take_front(state, number, vc, entry)
        if core.n_taken == 1:
            ask_banks(state, number, first, 0)
        ask_banks(state, number, entry, events)
        if chip.events:
            log_unit(chip, state.unit_log, number, SYNAPSE, BUSY, now, 0, vc)
        core.n_taken += 1
        events += entry.events
        words += entry.words
        operations += entry.operations
        lookup += entry.lookup_cycles
        rounds += entry.words // entry.events // chip.banks * entry.events
    if core.n_taken == 1:
        return np.int64(first.cycles)
    each = chip.add_cycles[1] if first.column >= N_COUNTERS else chip.add_cycles[0]
    adding = -(-operations // chip.lanes) * (each - chip.shared_cycles)
    adding += -(-first.operations // (first.events * chip.lanes)) * chip.shared_cycles
    free = max(-(-words // chip.banks), adding)
    reading = rounds + most_asked(state.asked[number], events, chip.banks)
    core.waits = max(reading, adding) - free
    return max(lookup + free, 1)
