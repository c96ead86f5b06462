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
_WORDS = TIMER_SLOTS // 32


@kernel(inline=True)
def turn(mask: int, pointer: int) -> int:
    """Return the set bit of `mask` that comes first, counted from `pointer` upwards and round
    [A1].
    """
    upper = mask >> pointer
    return pointer + lowest(upper) if upper else lowest(mask)


@kernel(inline=True)
def send_flit(state: State, channel: int, token: int, cycle: int) -> None:
    """Let a flit be usable at `channel` in `cycle`, its wire's latency from now [B1]."""
    chip = state.chip[0]
    index = cycle & chip.wheel_mask
    slot = state.slot[index]
    event = state.flit_wheel[index, slot.flits]
    event.channel = channel
    event.token = token
    slot.flits += 1
    chip.in_flight += 1


@kernel(inline=True)
def send_credit(state: State, channel: int, count: int, cycle: int) -> None:
    """Let `count` credits be usable at `channel` in `cycle`."""
    chip = state.chip[0]
    index = cycle & chip.wheel_mask
    slot = state.slot[index]
    event = state.credit_wheel[index, slot.credits]
    event.channel = channel
    event.count = count
    slot.credits += 1
    chip.in_flight += 1


@kernel(inline=True)
def call_back(state: State, output: int, cycle: int) -> None:
    """Let the call of an output's router be answered in `cycle`."""
    chip = state.chip[0]
    index = cycle & chip.wheel_mask
    slot = state.slot[index]
    state.call_wheel[index, slot.calls] = output
    slot.calls += 1
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
    if due - chip.now >= TIMER_SLOTS:
        push_heap(state.heap, chip.n_heap, due, number)
        chip.n_heap += 1
        return
    index = due & _MASK
    timer = state.timer[number]
    timer.next = state.timer_slot[index]
    state.timer_slot[index] = number
    state.timer_bits[index >> 5] |= np.int64(1) << (index & 31)
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
        bits = state.timer_bits[first >> 5] >> (first & 31)
        if bits != 0:
            return min(cycle, now + 1 + lowest(bits))
        ahead = 32 - (first & 31)
        for k in range(1, _WORDS + 1):
            bits = state.timer_bits[((first >> 5) + k) & (_WORDS - 1)]
            if bits != 0:
                return min(cycle, now + 1 + ahead + lowest(bits))
            ahead += 32
    return cycle


@kernel(inline=True)
def next_arrival(state: State, now: int) -> int:
    """Return the cycle after `now` in which the next flit or credit arrives, NEVER if none is on
    its way.
    """
    chip = state.chip[0]
    if chip.in_flight > 0:
        for k in range(1, chip.wheel_mask + 2):
            slot = state.slot[(now + k) & chip.wheel_mask]
            if slot.flits + slot.credits + slot.calls > 0:
                return now + k
    return NEVER
