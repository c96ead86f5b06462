"""VC allocation of the canonical pipeline [A4]: a separable input-first allocator over all VCs of
a router.
"""

from __future__ import annotations

import numpy as np

from simulator.jit import kernel, lowest
from simulator.timing.engine.layout import State


@kernel(inline=True)
def distance(index: int, pointer: int, n: int) -> int:
    """Return how far `index` lies behind `pointer`, round n."""
    away = index - pointer
    return away + n if away < 0 else away


@kernel(inline=False)
def choose_vc(state: State, base: int, p: int, vc: int) -> bool:
    """Let one input VC ask for an output VC: a free one of its class at an output it still needs
    one for [F5].
    """
    chip = state.chip[0]
    n_vcs = chip.virtual_channels
    channel = state.channel[((base + p) << chip.channel_shift) | vc]
    channel.asked = -1
    nearest = np.int64(chip.ports * n_vcs)
    n = nearest
    outputs = np.int64(channel.route)
    while outputs != 0:
        o = lowest(outputs)
        outputs &= outputs - 1
        free = np.int64(state.port[base + o].free & chip.class_mask[channel.traffic_class])
        while free != 0:
            out_vc = lowest(free)
            free &= free - 1
            away = distance(o * n_vcs + out_vc, channel.input_pointer, n)
            if away < nearest:
                nearest = away
                channel.asked = ((base + o) << chip.channel_shift) | out_vc
    if channel.asked < 0:
        return False
    asked = state.channel[channel.asked]
    index = p * n_vcs + vc
    if asked.asker < 0 or distance(index, asked.output_pointer, n) < distance(
        asked.asker, asked.output_pointer, n
    ):
        asked.asker = index
    return True


@kernel(inline=False)
def choose_vcs(state: State, number: int) -> bool:
    """Match VCs that wait with free output VCs, on the state of this cycle [R3]; return whether
    anything will move.

    Leaves in each port what `apply_vc_allocation` does once the switch has been allocated on the
    same state.
    """
    base = state.router[number].first_port
    moved = False
    for matching in (False, True):
        inputs = np.int64(state.router[number].inputs)
        while inputs != 0:
            p = lowest(inputs)
            inputs &= inputs - 1
            port = state.port[base + p]
            if not matching:
                port.asking = port.waiting
                port.routed = port.routing
                moved |= port.routing != 0
            vcs = np.int64(port.waiting)
            while vcs != 0:
                vc = lowest(vcs)
                vcs &= vcs - 1
                if not matching:
                    moved |= choose_vc(state, base, p, vc)
                elif is_matched(state, base, p, vc):
                    port.won |= np.int64(1) << vc
    return moved


@kernel(inline=True)
def is_matched(state: State, base: int, p: int, vc: int) -> bool:
    """Return whether the output VC that an input VC asked for chose it."""
    chip = state.chip[0]
    channel = state.channel[((base + p) << chip.channel_shift) | vc]
    return (
        channel.asked >= 0 and state.channel[channel.asked].asker == p * chip.virtual_channels + vc
    )


@kernel(inline=False)
def take_vc(state: State, base: int, p: int, vc: int) -> None:
    """Give an input VC the output VC it won: it may ask for the switch from the next cycle on."""
    chip = state.chip[0]
    n_vcs = chip.virtual_channels
    n = chip.ports * n_vcs
    bit = np.int64(1) << vc
    channel_number = ((base + p) << chip.channel_shift) | vc
    channel = state.channel[channel_number]
    o = (channel.asked >> chip.channel_shift) - base
    out_vc = channel.asked & chip.channel_mask
    port = state.port[base + p]
    state.port[base + o].free &= ~(np.int64(1) << out_vc)
    channel.input_pointer = (o * n_vcs + out_vc + 1) % n
    state.channel[channel.asked].output_pointer = (p * n_vcs + vc + 1) % n
    port.active |= bit
    if channel.is_tree:
        state.branch_vc[channel_number, o] = out_vc
        channel.held |= np.int64(1) << o
        channel.route &= ~(np.int64(1) << o)
    else:
        channel.held = np.int64(1) << o
        channel.held_vc = out_vc
        channel.route = 0
    if channel.route == 0:
        port.waiting &= ~bit


@kernel(inline=False)
def apply_vc_allocation(state: State, number: int) -> None:
    """Give output VCs to the winners and let routed heads wait for one; both count from the next
    cycle [R4].
    """
    chip = state.chip[0]
    base = state.router[number].first_port
    for p in range(chip.ports):
        port = state.port[base + p]
        waiting = np.int64(port.asking)
        port.asking = 0
        while waiting != 0:
            vc = lowest(waiting)
            waiting &= waiting - 1
            channel = state.channel[((base + p) << chip.channel_shift) | vc]
            if channel.asked >= 0:
                state.channel[channel.asked].asker = -1
            if (port.won >> vc) & 1:
                take_vc(state, base, p, vc)
        port.won = 0
        port.waiting |= port.routed
        port.routing &= ~port.routed
        port.routed = 0
