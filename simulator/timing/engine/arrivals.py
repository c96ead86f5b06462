"""What arrives in a cycle: credits and the ends of intervals first, then flits."""

from __future__ import annotations

import numpy as np

from simulator.jit import kernel
from simulator.timing.engine.interface import accept_injection_credit, eject_flit
from simulator.timing.engine.layout import State
from simulator.timing.engine.router import accept_credit, accept_flit
from simulator.timing.engine.sleep import answer_call

#: routers for each flit that arrives in a cycle from which on it is likely to be alone in its own
SPARSE = 2


@kernel(inline=False)
def count_arrivals(state: State, index: int) -> None:
    """Let every router know how many flits arrive at it in the cycle of a slot."""
    chip = state.chip[0]
    for k in range(state.slot[index].flits):
        channel = state.flit_wheel[k, index].channel
        if channel < chip.n_channels:
            state.router[state.port[channel >> chip.channel_shift].router].arriving += 1


@kernel(inline=False)
def deliver_credits(state: State, index: int, now: int) -> None:
    """Hand over the credits of a slot of the wheel, and answer its calls."""
    chip = state.chip[0]
    slot = state.slot[index]
    for k in range(slot.credits):
        credit = state.credit_wheel[k, index]
        if credit.channel < chip.n_channels:
            accept_credit(state, credit.channel, credit.count, now)
        else:
            channel = credit.channel - chip.n_channels
            accept_injection_credit(
                state, channel >> chip.channel_shift, channel & chip.channel_mask, credit.count
            )
    for k in range(slot.calls):
        output = np.int64(state.call_wheel[k, index])
        state.port[output].called = 0
        answer_call(state, output, now)


@kernel(inline=True)
def deliver(state: State, now: int) -> int:
    """Hand over the flits and credits that arrive in this cycle; return how many flits did."""
    chip = state.chip[0]
    index = now & chip.wheel_mask
    slot = state.slot[index]
    n_flits = np.int64(slot.flits)
    n_others = np.int64(slot.credits + slot.calls)
    if n_flits + n_others == 0:
        return n_flits
    if n_others > 0:
        deliver_credits(state, index, now)
    is_sparse = True
    if n_flits > 1:
        is_sparse = SPARSE * n_flits <= chip.n_routers + SPARSE
        if is_sparse:
            count_arrivals(state, index)
    for k in range(n_flits):
        flit = state.flit_wheel[k, index]
        if flit.channel < chip.n_channels:
            accept_flit(state, flit.channel, flit.token, is_sparse, now)
        else:
            channel = flit.channel - chip.n_channels
            eject_flit(
                state, channel >> chip.channel_shift, channel & chip.channel_mask, flit.token, now
            )
    chip.in_flight -= n_flits + n_others
    slot.flits = 0
    slot.credits = 0
    slot.calls = 0
    state.slot_bits[index >> 5] &= ~(np.int64(1) << (index & 31))
    return n_flits
