"""A packet of one flit that finds a router empty and its way free: in the next evaluation it is
certain to win every arbitration, so none is held, and no FIFO is touched.

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
    if dx == 0 and dy == 0:
        return np.int64(1) << packet.local
    sign_x = np.int64(dx > 0) - np.int64(dx < 0) + 1
    sign_y = np.int64(dy > 0) - np.int64(dy < 0) + 1
    came_by = min(port.index, 4)
    return np.int64(state.allowed[((came_by * 2 + (router.x & 1)) * 3 + sign_x) * 3 + sign_y])


@kernel(inline=True)
def go_alone(state: State, channel_number: int, token: int, now: int) -> bool:
    """Let a packet of one flit that arrives at an empty router go alone if its way, the only one it
    has, is free in this cycle; return whether it is.
    """
    chip = state.chip[0]
    port_number = channel_number >> chip.channel_shift
    number = state.port[port_number].router
    router = state.router[number]
    packet = state.packet[token >> 2]
    if chip.plain == 0 or packet.tree >= 0 or router.ready > now:
        return False
    outputs = outputs_to(state, port_number, packet)
    o = lowest(outputs)
    out = state.port[router.first_port + o]
    vcs = out.free & out.credited & chip.class_mask[packet.traffic_class]
    if (outputs & (outputs - 1)) != 0 or vcs == 0 or out.free_at > now:
        return False
    router.lone = channel_number
    router.lone_token = token
    router.lone_output = o
    router.awake = 1
    state.awake_router[chip.n_awake_routers] = number
    chip.n_awake_routers += 1
    return True


@kernel(inline=True)
def pass_alone(state: State, number: int, now: int) -> None:
    """Grant its output to the packet that goes alone [A6] [A7]; its credits and pointers are those
    of any other [R5] [A2] [A3].
    """
    chip = state.chip[0]
    router = state.router[number]
    base = router.first_port
    channel_number = np.int64(router.lone)
    token = np.int64(router.lone_token)
    o = np.int64(router.lone_output)
    router.lone = -1
    router.awake = 0
    port_number = channel_number >> chip.channel_shift
    vc = channel_number & chip.channel_mask
    port = state.port[port_number]
    out = state.port[base + o]
    packet = state.packet[token >> 2]
    vcs = np.int64(out.free & out.credited & chip.class_mask[packet.traffic_class])
    out_vc = turn(vcs, out.free_pointer)
    if chip.events:
        log_grant(chip, state.grant_log, port, vc, o, out_vc, packet.name, np.int64(0))
    port.in_pointer = o + 1
    port.vc_pointer = vc + 1
    out.free_pointer = out_vc + 1
    out.out_pointer = port.index + 1
    out.flits += 1
    out.free_at = now + out.interval  # [B3]
    if not use_credit(state, ((base + o) << chip.channel_shift) | out_vc, now):
        out.credited &= ~(np.int64(1) << out_vc)
    send_flit(state, out.downstream | out_vc, token, now + out.flit_delay)
    send_credit(state, port.upstream | vc, 1, now + port.credit_delay)
    router.flit_cycles += now + 1
    rest(state.power[chip.n_cores + number], now + 1)
