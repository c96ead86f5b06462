"""A multicast packet in a router: which outputs its tree takes there, and how far each branch is.

Branches do not wait for each other: each has an output VC of its own and a place of its own in the
FIFO, which holds the whole packet (docs/machine.md, Where to).
"""

from __future__ import annotations

import numpy as np

from simulator.jit import kernel, lowest
from simulator.timing.engine.layout import State


@kernel(inline=False)
def tree_mask(branch: np.ndarray, low: int, high: int, router: int) -> int:
    """Return the outputs a multicast packet takes at a router [F3]: its tree is branch[low] ..
    branch[high - 1].
    """
    while low < high:
        middle = (low + high) >> 1
        if branch[middle].router < router:
            low = middle + 1
        else:
            high = middle
    return np.int64(branch[low].mask)


@kernel(inline=False)
def ready_branches(state: State, channel_number: int) -> int:
    """Return the outputs held by a multicast packet for which its next flit is in the FIFO: a
    branch may be as many flits ahead of the slowest as wait behind the front [F6].
    """
    channel = state.channel[channel_number]
    ready = np.int64(0)
    outputs = np.int64(channel.held)
    while outputs != 0:
        o = lowest(outputs)
        outputs &= outputs - 1
        if state.branch_sent[channel_number, o] - channel.flit < channel.count:
            ready |= np.int64(1) << o
    return ready


@kernel(inline=False)
def branch_requests(state: State, base: int, channel_number: int, now: int) -> int:
    """Return the outputs held by a multicast packet whose next flit can go, with a credit [A5]."""
    asked = np.int64(0)
    outputs = np.int64(ready_branches(state, channel_number))
    while outputs != 0:
        o = lowest(outputs)
        outputs &= outputs - 1
        out = state.port[base + o]
        vc = np.int64(state.branch_vc[channel_number, o])
        if (out.credited >> vc) & 1 != 0 and out.free_at <= now:
            asked |= np.int64(1) << o
    return asked


@kernel(inline=True)
def held_outputs(state: State, channel_number: int) -> int:
    """Return the outputs held by the packet of a VC that its next flits could go to now."""
    if state.channel[channel_number].is_tree:
        return ready_branches(state, channel_number)
    return np.int64(state.channel[channel_number].held)


@kernel(inline=True)
def count_branch(
    state: State, port_number: int, channel_number: int, o: int, is_tail: bool
) -> bool:
    """Note a flit of a multicast packet that went to a branch, which lets go of its output VC
    behind the tail; return whether the front flit has now gone to all branches [F3].
    """
    channel = state.channel[channel_number]
    port = state.port[port_number]
    bit = np.int64(1) << (channel_number & state.chip[0].channel_mask)
    state.branch_sent[channel_number, o] += 1
    if is_tail:
        channel.held &= ~(np.int64(1) << o)
    port.active = port.active | bit if channel.held != 0 else port.active & ~bit
    if channel.route != 0:  # a head that has not left
        return False
    port.waiting &= ~bit
    branches = np.int64(channel.held)
    while branches != 0:
        if state.branch_sent[channel_number, lowest(branches)] == channel.flit:
            return False
        branches &= branches - 1
    return True
