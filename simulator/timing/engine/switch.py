"""Who asks for the switch of a router, and which output each input chooses: the first half of a
separable input-first allocator (docs/machine.md, Who wins).
"""

from __future__ import annotations

import numpy as np

from simulator.jit import kernel, lowest
from simulator.timing.engine.branches import branch_requests
from simulator.timing.engine.layout import State
from simulator.timing.engine.wheel import turn

#: where the outputs asked for at the lower priority begin in a mask
LOWER = 32


@kernel(inline=True)
def asking_vcs(state: State, port_number: int, is_first: bool) -> int:
    """Return the VCs of an input that ask at the higher priority (ACTIVE, urgent heads [A8]), or at
    the lower one (other heads).
    """
    port = state.port[port_number]
    urgent = state.chip[0].urgent
    return np.int64(
        port.occupied
        & (port.active | (port.waiting & urgent) if is_first else port.waiting & ~urgent)
    )


@kernel(inline=True)
def usable_outputs(state: State, number: int, now: int) -> tuple[int, int, int]:
    """Return the outputs wanted by any input that may send in this cycle on some VC, and those of
    them with a VC that a head of either class could take [A6].
    """
    chip = state.chip[0]
    router = state.router[number]
    usable = np.int64(0)
    low, high = np.int64(0), np.int64(0)
    wanted = np.int64(router.wanted)
    while wanted != 0:
        bit = wanted & -wanted
        out = state.port[router.first_port + lowest(wanted)]
        if out.credited != 0 and out.free_at <= now:
            free = np.int64(out.free & out.credited)
            usable |= bit
            low |= bit if (free & chip.class_mask[0]) != 0 else np.int64(0)
            high |= bit if (free & chip.class_mask[1]) != 0 else np.int64(0)
        wanted ^= bit
    return usable, low, high


@kernel(inline=True)
def requests(state: State, base: int, p: int, usable: int, low: int, high: int, now: int) -> int:
    """Return the outputs, of those that are usable, that an input asks for at the higher priority
    [A5] [A8], and those at the lower one [A6] above bit LOWER.  Heads may ask for `low` or `high`,
    by their class.
    """
    chip = state.chip[0]
    port = state.port[base + p]
    asked = np.int64(0)
    heads = np.int64(port.waiting if chip.canonical == 0 else 0)
    vcs = np.int64(port.occupied & (port.active | heads))
    while vcs != 0:
        vc = lowest(vcs)
        vcs &= vcs - 1
        channel_number = ((base + p) << chip.channel_shift) | vc
        channel = state.channel[channel_number]
        asks = np.int64(channel.route) & (low if channel.traffic_class == 0 else high)
        asks = asks if (heads >> vc) & 1 else np.int64(0)
        asked |= asks if (chip.urgent >> vc) & 1 else asks << LOWER
        if (port.active >> vc) & 1:
            if channel.is_tree:
                asked |= branch_requests(state, base, channel_number, now)
            elif (channel.held & usable) != 0:
                out = state.port[base + lowest(np.int64(channel.held))]
                if (out.credited >> channel.held_vc) & 1:
                    asks |= channel.held
                    asked |= channel.held
        channel.asks = asks
    return asked


@kernel(inline=False)
def tree_requests(state: State, base: int, p: int, vc: int, now: int, is_first: bool) -> int:
    """Return the outputs a multicast packet asks for at a priority: those of the branches that hold
    one, with a credit [A5], and for its head those with a free VC of its class [A6].
    """
    chip = state.chip[0]
    port = state.port[base + p]
    channel_number = ((base + p) << chip.channel_shift) | vc
    channel = state.channel[channel_number]
    asked = np.int64(0)
    if is_first and (port.active >> vc) & 1:
        asked |= branch_requests(state, base, channel_number, now)
    if (port.waiting >> vc) & 1 and ((chip.urgent >> vc) & 1 != 0) == is_first:
        outputs = np.int64(channel.route)
        while outputs != 0:
            o = lowest(outputs)
            outputs &= outputs - 1
            out = state.port[base + o]
            usable = out.free & out.credited & chip.class_mask[channel.traffic_class]
            if usable != 0 and out.free_at <= now:
                asked |= np.int64(1) << o
    return asked


@kernel(inline=True)
def represent(state: State, base: int, p: int, o: int, now: int, is_first: bool) -> int:
    """Return the VC that asks for output `o` in the name of its input, round-robin [A3]."""
    vcs = asking_vcs(state, base + p, is_first)
    if (vcs & (vcs - 1)) == 0:
        return lowest(vcs)
    asking = np.int64(0)
    while vcs != 0:
        vc = lowest(vcs)
        vcs &= vcs - 1
        channel = state.channel[((base + p) << state.chip[0].channel_shift) | vc]
        asks = np.int64(channel.asks)
        if channel.is_tree:
            asks = tree_requests(state, base, p, vc, now, is_first)
        if (asks >> o) & 1:
            asking |= np.int64(1) << vc
    return turn(asking, state.port[base + p].vc_pointer)


@kernel(inline=True)
def choose_outputs(state: State, number: int, now: int) -> int:
    """Let each input choose an output it asks for [A2]; return the mask of outputs that were chosen
    by some input.
    """
    router = state.router[number]
    base = router.first_port
    chosen = np.int64(0)
    usable, low, high = usable_outputs(state, number, now)
    inputs = np.int64(router.inputs) if usable != 0 else np.int64(0)
    while inputs != 0:
        p = lowest(inputs)
        inputs &= inputs - 1
        port = state.port[base + p]
        if (port.wanted & usable) == 0:
            continue
        asked = requests(state, base, p, usable, low, high, now)
        first = asked & ((np.int64(1) << LOWER) - 1)
        if asked != 0:
            o = turn(first if first != 0 else asked >> LOWER, port.in_pointer)
            chosen |= np.int64(1) << o
            if first != 0:
                state.port[base + o].ask_first |= np.int64(1) << p
            else:
                state.port[base + o].ask_last |= np.int64(1) << p
    return chosen
