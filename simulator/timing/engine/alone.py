"""A packet of one flit that finds a router empty and its way free: it is certain to win every
arbitration of the cycle, so none is held, and no FIFO is touched.

Pointers, credits and counters move exactly as they would by way of the FIFO.
"""

from __future__ import annotations

import numpy as np

from simulator.jit import kernel, lowest
from simulator.timing.engine.layout import State
from simulator.timing.engine.packets import log_grant
from simulator.timing.engine.power import rest
from simulator.timing.engine.wheel import send_credit, send_flit, turn, use_credit


@kernel(inline=True)
def outputs_to(state: State, port_number: int, packet) -> int:  # type: ignore[no-untyped-def]
    """Return the outputs a unicast packet may take at the router of an input, by the table [F1] or
    to its endpoint [F2].
    """
    port = state.port[port_number]
    router = state.router[port.router]
    dx = packet.x - router.x
    dy = packet.y - router.y
    sign_x = np.int64(dx > 0) - np.int64(dx < 0)
    sign_y = np.int64(dy > 0) - np.int64(dy < 0)
    there = np.int64(state.allowed[port.table + 3 * sign_x + sign_y])
    return np.int64(1) << packet.local if (dx | dy) == 0 else there


@kernel(inline=True)
def pass_alone(state: State, channel_number: int, token: int, now: int) -> bool:
    """Let a packet of one flit that arrives at an empty router, and no other flit in this cycle, go
    on at once if its way, the only one it has, is free; return whether it is.

    Its output VC is one of those a head asks for [A6] [A7]; its credits and pointers move as those
    of any other do [R5] [A2] [A3].
    """
    chip = state.chip[0]
    port_number = channel_number >> chip.channel_shift
    port = state.port[port_number]
    number = port.router
    router = state.router[number]
    packet = state.packet[token >> 2]
    if chip.plain == 0 or packet.tree >= 0 or router.ready > now:
        return False
    outputs = outputs_to(state, port_number, packet)
    if outputs == 0:  # a routing table without a way here: the packet waits, for ever
        return False
    o = lowest(outputs)
    output = router.first_port + o
    out = state.port[output]
    vcs = np.int64(out.free & out.credited & chip.class_mask[packet.traffic_class])
    if (outputs & (outputs - 1)) != 0 or vcs == 0 or out.free_at > now:
        return False
    vc = channel_number & chip.channel_mask
    out_vc = turn(vcs, out.free_pointer)
    sent_to, arrives = np.int64(out.downstream | out_vc), np.int64(now + out.flit_delay)
    back_to, is_back = np.int64(port.upstream | vc), np.int64(now + port.credit_delay)
    if chip.events:
        log_grant(chip, state.grant_log, port, vc, o, out_vc, packet.name, np.int64(0))
    port.in_pointer = o + 1
    port.vc_pointer = vc + 1
    out.free_pointer = out_vc + 1
    out.out_pointer = port.index + 1
    out.flits += 1
    out.free_at = now + out.interval  # [B3]
    if not use_credit(state, (output << chip.channel_shift) | out_vc, now):
        out.credited &= ~(np.int64(1) << out_vc)
    send_flit(state, sent_to, token, arrives)
    send_credit(state, back_to, 1, is_back)
    router.flit_cycles += 1
    if chip.ungated:
        router.passed += 1
    else:
        rest(state.power[chip.n_cores + number], now + 1)
    return True
