"""The router: input-queued, wormhole, virtual channels, two pipelines (docs/machine.md, Router and
network interface).
"""

from __future__ import annotations

import numpy as np

from simulator.jit import kernel, lowest
from simulator.timing.engine.allocate import apply_vc_allocation, choose_vcs
from simulator.timing.engine.alone import outputs_to, pass_alone
from simulator.timing.engine.branches import count_branch, tree_mask
from simulator.timing.engine.layout import TAIL, WHOLE, State
from simulator.timing.engine.packets import log_grant
from simulator.timing.engine.power import demand, rest
from simulator.timing.engine.sleep import (
    answer_call,
    ask_at_front,
    fall_asleep,
    wake_router,
    want_all,
    wanted_outputs,
)
from simulator.timing.engine.switch import choose_outputs, represent
from simulator.timing.engine.wheel import send_credit, send_flit, set_timer, turn, use_credit


@kernel(inline=True)
def start_packet(state: State, port_number: int, vc: int) -> None:
    """Route the head at the front of an idle VC [R2], by the table [F1] or to its endpoint [F2]: it
    is looked at from the next evaluation on.
    """
    chip = state.chip[0]
    port = state.port[port_number]
    channel_number = (port_number << chip.channel_shift) | vc
    channel = state.channel[channel_number]
    channel.packet = state.fifo[channel_number, channel.front] >> 2
    packet = state.packet[channel.packet]
    channel.traffic_class = packet.traffic_class
    channel.flit = 0
    if packet.tree >= 0:
        channel.is_tree = 1
        channel.held = 0
        channel.route = tree_mask(
            state.branch,
            state.tree[packet.tree].start,
            state.tree[packet.tree + 1].start,
            port.router,
        )
        branches = np.int64(channel.route)
        while branches != 0:
            state.branch_sent[channel_number, lowest(branches)] = 0
            branches &= branches - 1
    else:
        channel.is_tree = 0
        channel.route = outputs_to(state, port_number, packet)
    if chip.canonical:
        port.routing |= np.int64(1) << vc
    else:
        port.waiting |= np.int64(1) << vc


@kernel(inline=False)
def start_all(state: State, number: int, now: int) -> None:
    """Start every head that arrived while the router woke, which did nothing until now [P7]: nor
    did it count as blocked [L2].
    """
    router = state.router[number]
    chip = state.chip[0]
    router.wanted = 0
    router.slept = now
    for p in range(chip.ports):
        port = state.port[router.first_port + p]
        idle = port.occupied & ~(port.active | port.waiting | port.routing)
        for vc in range(chip.virtual_channels):
            if (idle >> vc) & 1:
                start_packet(state, router.first_port + p, vc)
        port.wanted = wanted_outputs(state, router.first_port + p)
        router.wanted |= port.wanted


@kernel(inline=True)
def append_flit(state: State, channel_number: int, token: int, now: int) -> None:
    """Append a flit to its VC's FIFO [R1]; a head at the front of an idle VC starts."""
    chip = state.chip[0]
    port_number = channel_number >> chip.channel_shift
    vc = channel_number & chip.channel_mask
    bit = np.int64(1) << vc
    channel = state.channel[channel_number]
    port = state.port[port_number]
    router = state.router[port.router]
    state.fifo[channel_number, (channel.front + channel.count) & chip.buffer_mask] = token
    channel.count += 1
    port.occupied |= bit
    router.inputs |= np.int64(1) << port.index
    if router.ready <= now:
        if ((port.active | port.waiting | port.routing) & bit) == 0:
            start_packet(state, port_number, vc)
        if chip.canonical:
            wake_router(state, port.router, now)
        elif channel.count == 1 or channel.is_tree:
            ask_at_front(state, port_number, vc, now)


@kernel(inline=True)
def begin_work(state: State, number: int, now: int) -> None:
    """Note that an empty router has work from this cycle on [P6]; a gated one wakes."""
    chip = state.chip[0]
    router = state.router[number]
    if state.power[chip.n_cores + number].works == 0:
        router.ready = demand(state, chip.n_cores + number, now)
        if router.ready > now:
            set_timer(state, 4 * chip.n_cores + number, router.ready)


@kernel(inline=True)
def accept_flit(state: State, channel_number: int, token: int, is_sparse: bool, now: int) -> None:
    """Take in an arriving flit [R1]; the first one is work [P6].  Where traffic is so sparse that
    arrivals are counted, one that is alone may pass at once.
    """
    chip = state.chip[0]
    number = np.int64(state.port[channel_number >> chip.channel_shift].router)
    router = state.router[number]
    arriving = np.int64(router.arriving)
    is_alone = is_sparse and arriving <= 1 and token & WHOLE == WHOLE
    if arriving > 0:
        router.arriving = arriving - 1
    if router.inputs == 0:
        if not (is_alone and chip.ungated):
            begin_work(state, number, now)
        if is_alone and pass_alone(state, channel_number, token, now):
            return
        if is_alone and chip.ungated:
            begin_work(state, number, now)
    router.flit_cycles -= now
    append_flit(state, channel_number, token, now)


@kernel(inline=True)
def accept_credit(state: State, channel_number: int, count: int, now: int) -> None:
    """Apply credits to an output VC [R1]; with `atomic` the last one frees it [R8]."""
    chip = state.chip[0]
    port = state.port[channel_number >> chip.channel_shift]
    bit = np.int64(1) << (channel_number & chip.channel_mask)
    sender = state.sender[channel_number]
    sender.credit += count
    is_new = (port.credited & bit) == 0
    port.credited |= bit
    if (port.draining & bit) != 0 and sender.credit == port.depth:
        port.draining &= ~bit
        port.free |= bit
        is_new = True
    if chip.canonical:
        if state.router[port.router].inputs != 0:
            wake_router(state, port.router, now)
    elif is_new:
        answer_call(state, channel_number >> chip.channel_shift, now)


@kernel(inline=True)
def take_output_vc(state: State, base: int, channel_number: int, o: int, is_active: bool) -> int:
    """Return the output VC of a winner; a head that had none takes the next free one of its class
    with a credit [A7].
    """
    chip = state.chip[0]
    channel = state.channel[channel_number]
    out = state.port[base + o]
    if is_active:
        return np.int64(state.branch_vc[channel_number, o] if channel.is_tree else channel.held_vc)
    vc = turn(
        np.int64(out.free & out.credited & chip.class_mask[channel.traffic_class]), out.free_pointer
    )
    out.free_pointer = vc + 1
    if channel.is_tree:
        state.branch_vc[channel_number, o] = vc
        channel.route &= ~(np.int64(1) << o)
        channel.held |= np.int64(1) << o
    else:
        channel.route = 0
        channel.held = np.int64(1) << o
        channel.held_vc = vc
    return vc


@kernel(inline=True)
def use_output_vc(state: State, channel_number: int, is_tail: bool, now: int) -> None:
    """Consume a credit of an output VC and hold it, or let go of it behind a tail [R6] [R8]."""
    chip = state.chip[0]
    out = state.port[channel_number >> chip.channel_shift]
    bit = np.int64(1) << (channel_number & chip.channel_mask)
    if not use_credit(state, channel_number, now):
        out.credited &= ~bit
    if is_tail and chip.atomic == 0:
        out.free |= bit
    else:
        out.free &= ~bit
        if is_tail:
            out.draining |= bit


@kernel(inline=True)
def pop_flit(state: State, number: int, port_number: int, vc: int, is_tail: bool, now: int) -> None:
    """Take a flit off its FIFO, return its credit [R5], and start the next packet behind a tail
    [R7].
    """
    chip = state.chip[0]
    router = state.router[number]
    port = state.port[port_number]
    channel = state.channel[(port_number << chip.channel_shift) | vc]
    bit = np.int64(1) << vc
    channel.front = (channel.front + 1) & chip.buffer_mask
    channel.count -= 1
    channel.flit += 1
    router.flit_cycles += now + 1
    send_credit(state, port.upstream | vc, 1, now + port.credit_delay)
    if is_tail:
        port.active &= ~bit
        port.waiting &= ~bit
    else:
        port.waiting &= ~bit
        port.active |= bit
    if channel.count == 0:
        port.occupied &= ~bit
        if port.occupied == 0:
            router.inputs &= ~(np.int64(1) << port.index)
    elif is_tail:
        start_packet(state, port_number, vc)


@kernel(inline=True)
def grant(state: State, number: int, o: int, now: int) -> None:
    """Let one of the inputs that chose output `o` send a flit through it."""
    chip = state.chip[0]
    base = state.router[number].first_port
    out = state.port[base + o]
    is_first = out.ask_first != 0
    p = turn(np.int64(out.ask_first if is_first else out.ask_last), out.out_pointer)
    out.ask_first = 0
    out.ask_last = 0
    port = state.port[base + p]
    vc = represent(state, base, p, o, now, is_first)
    channel_number = ((base + p) << chip.channel_shift) | vc
    channel = state.channel[channel_number]
    is_active = (port.active >> vc) & (channel.held >> o) & 1 != 0
    ahead = np.int64(0)  # flits a branch is before the slowest
    if channel.is_tree:
        ahead += state.branch_sent[channel_number, o] - channel.flit
    token = np.int64(state.fifo[channel_number, (channel.front + ahead) & chip.buffer_mask])
    is_tail = (token & TAIL) != 0
    out_vc = take_output_vc(state, base, channel_number, o, is_active)
    if chip.events:
        name, flit = state.packet[token >> 2].name, channel.flit + ahead
        log_grant(chip, state.grant_log, port, vc, o, out_vc, name, flit)
    port.in_pointer = o + 1
    port.vc_pointer = vc + 1
    out.out_pointer = p + 1
    out.flits += 1
    out.free_at = now + out.interval  # [B3]
    use_output_vc(state, ((base + o) << chip.channel_shift) | out_vc, is_tail, now)
    send_flit(state, out.downstream | out_vc, token, now + out.flit_delay)
    if channel.is_tree == 0 or count_branch(state, base + p, channel_number, o, is_tail):
        pop_flit(state, number, base + p, vc, is_tail, now)
    port.wanted = wanted_outputs(state, base + p)


@kernel(inline=True)
def evaluate_router(state: State, number: int, now: int) -> bool:
    """Evaluate [R3] and update one router; return whether it must be looked at in the next cycle
    too.  Outputs wanted and not chosen are blocked [L1], those a granted head did not take too
    [L3].
    """
    chip = state.chip[0]
    router = state.router[number]
    base = router.first_port
    moved = False
    if chip.canonical:
        for p in range(chip.ports):
            state.port[base + p].wanted = wanted_outputs(state, base + p)
        want_all(state, number)
        moved = choose_vcs(state, number)
    chosen = choose_outputs(state, number, now)
    blocked = np.int64(router.wanted) & ~chosen
    moved |= chosen != 0
    while chosen != 0:
        grant(state, number, lowest(chosen), now)
        chosen &= chosen - 1
    if chip.canonical:
        apply_vc_allocation(state, number)
    cycle = now
    if moved:
        while blocked != 0:
            state.port[base + lowest(blocked)].blocked += 1
            blocked &= blocked - 1
        if router.inputs == 0:
            router.wanted = 0
            router.awake = 0
            rest(state.power[chip.n_cores + number], now + 1)
            return False
        if chip.canonical:
            return True
        want_all(state, number)
        cycle = now + 1
    return not fall_asleep(state, number, cycle, not moved)
