"""What happens later [T2]: flits and credits on their way, the ends of intervals, and the timers
of units.

Links are short, so their events lie in a wheel of a few cycles, one bucket per cycle.  Timers are
one per unit: a wheel of linked lists for the near future and a heap for delays beyond it.
"""

from __future__ import annotations

import numpy as np

from simulator.jit import kernel, lowest
from simulator.timing.engine.layout import NEVER, TIMER_SLOTS, State

_MASK = TIMER_SLOTS - 1


@kernel(inline=True)
def turn(mask: int, pointer: int) -> int:
    """Return the set bit of `mask` that comes first, counted from `pointer` upwards and round
    [A1].
    """
    upper = mask >> pointer
    return pointer + lowest(upper) if upper else lowest(mask)


@kernel(inline=True)
def note_slot(state: State, index: int) -> None:
    """Mark a slot of the wheel of links as in use: it may be already, but to look would be a
    guess.
    """
    state.slot_bits[index >> 5] |= np.int64(1) << (index & 31)


@kernel(inline=True)
def send_flit(state: State, channel: int, token: int, cycle: int) -> None:
    """Let a flit be usable at `channel` in `cycle`, its wire's latency from now [B1]."""
    chip = state.chip[0]
    index = cycle & chip.wheel_mask
    slot = state.slot[index]
    event = state.flit_wheel[slot.flits, index]
    event.channel = channel
    event.token = token
    slot.flits += 1
    note_slot(state, index)
    chip.in_flight += 1


@kernel(inline=True)
def send_credit(state: State, number: int, count: int, cycle: int) -> None:
    """Let `count` credits be usable at a channel in `cycle`: while it has others nobody waits for
    them, so that they are noted only, behind those that have not come yet.
    """
    chip = state.chip[0]
    sender = state.sender[number]
    if chip.plain and sender.credit > 0:
        mask = state.returned.shape[0] - 1
        first = np.int64(sender.first_returned)
        n = np.int64(sender.n_returned)
        note = state.returned[first, number]
        has_come = np.int64((n > 0) & (note.due <= chip.now))  # no branch: it would be a guess
        sender.credit += note.count * has_come
        n -= has_come
        first = (first + has_come) & mask if n > 0 else np.int64(0)
        sender.first_returned = first
        note = state.returned[(first + n) & mask, number]
        note.due = cycle
        note.count = count
        sender.n_returned = n + 1
    else:
        hurry_credit(state, number, count, cycle)


@kernel(inline=True)
def use_credit(state: State, number: int, now: int) -> bool:
    """Consume a credit of a channel in cycle `now`; return whether it has another one then."""
    sender = state.sender[number]
    sender.credit -= 1
    if sender.credit == 0:
        mask = state.returned.shape[0] - 1
        while sender.n_returned > 0:
            note = state.returned[sender.first_returned, number]
            if note.due <= now:
                sender.credit += note.count
            else:
                hurry_credit(state, number, note.count, note.due)
            sender.first_returned = (sender.first_returned + 1) & mask
            sender.n_returned -= 1
    return sender.credit > 0


@kernel(inline=True)
def hurry_credit(state: State, channel: int, count: int, cycle: int) -> None:
    """Let credits come to a channel that has none: somebody may wait for them."""
    chip = state.chip[0]
    index = cycle & chip.wheel_mask
    slot = state.slot[index]
    event = state.credit_wheel[slot.credits, index]
    event.channel = channel
    event.count = count
    slot.credits += 1
    note_slot(state, index)
    chip.in_flight += 1


@kernel(inline=True)
def call_back(state: State, output: int, cycle: int) -> None:
    """Let the call of an output's router be answered in `cycle`."""
    chip = state.chip[0]
    index = cycle & chip.wheel_mask
    slot = state.slot[index]
    state.call_wheel[slot.calls, index] = output
    slot.calls += 1
    note_slot(state, index)
    chip.in_flight += 1


@kernel(inline=False)
def push_heap(heap: np.ndarray, size: int, due: int, timer: int) -> None:
    """Add a far timer to a heap of `size` ordered by the cycle it is due."""
    child = size
    while child > 0:
        parent = (child - 1) >> 1
        if heap[parent].due <= due:
            break
        heap[child].due = heap[parent].due
        heap[child].timer = heap[parent].timer
        child = parent
    heap[child].due = due
    heap[child].timer = timer


@kernel(inline=False)
def pop_heap(heap: np.ndarray, size: int) -> None:
    """Remove the first of a heap of `size` timers."""
    last = size - 1
    due = heap[last].due
    timer = heap[last].timer
    hole = 0
    while True:
        child = 2 * hole + 1
        if child >= last:
            break
        if child + 1 < last and heap[child + 1].due < heap[child].due:
            child += 1
        if heap[child].due >= due:
            break
        heap[hole].due = heap[child].due
        heap[hole].timer = heap[child].timer
        hole = child
    heap[hole].due = due
    heap[hole].timer = timer


@kernel(inline=True)
def set_timer(state: State, number: int, due: int) -> None:
    """Let timer `number`, which must not be running, fire in cycle `due`, now or later."""
    chip = state.chip[0]
    chip.next_timer = min(chip.next_timer, due)
    if due - chip.now >= TIMER_SLOTS:
        push_heap(state.heap, chip.n_heap, due, number)
        chip.n_heap += 1
        return
    index = due & _MASK
    timer = state.timer[number]
    timer.next = state.timer_slot[index]
    state.timer_slot[index] = number
    state.timer_bits[index >> 6] |= np.int64(1) << (index & 63)
    chip.timer_words |= np.int64(1) << (index >> 6)
    chip.n_timers += 1


@kernel(inline=True)
def next_timer(state: State, now: int) -> int:
    """Return the cycle after `now` in which the next timer fires, NEVER if none runs."""
    chip = state.chip[0]
    cycle = NEVER
    if chip.n_heap > 0:
        cycle = state.heap[0].due
    if chip.n_timers > 0:
        first = (now + 1) & _MASK
        word = first >> 6
        bits = state.timer_bits[word] >> (first & 63)  # copies of the sign are never the lowest
        if bits != 0:
            return min(cycle, now + 1 + lowest(bits))
        later = np.int64(chip.timer_words) & (np.int64(-2) << word)
        other = lowest(later if later != 0 else np.int64(chip.timer_words))
        index = (other << 6) + lowest(np.int64(state.timer_bits[other]))
        return min(cycle, now + 1 + ((index - first) & _MASK))
    return cycle


@kernel(inline=True)
def next_arrival(state: State, now: int) -> int:
    """Return the cycle after `now` in which the next flit, credit or call arrives, of those on
    their way.
    """
    chip = state.chip[0]
    first = (now + 1) & chip.wheel_mask
    word = first >> 5
    last = len(state.slot_bits) - 1
    bits = state.slot_bits[word] >> (first & 31)
    if bits != 0:
        return now + 1 + lowest(bits)
    while True:
        word = word + 1 if word < last else 0
        if state.slot_bits[word] != 0:
            index = (word << 5) + lowest(np.int64(state.slot_bits[word]))
            return now + 1 + ((index - first) & chip.wheel_mask)
