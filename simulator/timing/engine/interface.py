"""The network interface of an endpoint: source queues, injection, ejection (docs/machine.md, steps
1 to 4).
"""

from __future__ import annotations

import numpy as np

from simulator.jit import kernel
from simulator.timing.engine.core import receive_packet, wake_core
from simulator.timing.engine.layout import (
    AXON_OUT,
    BLOCKED_UNIT,
    EVENTS_RECEIVED,
    FLITS_RECEIVED,
    HEAD,
    LOCAL_WIRE,
    PACKETS_RECEIVED,
    SLOT_BITS,
    TAIL,
    State,
)
from simulator.timing.engine.packets import (
    entry_at,
    finish_one,
    list_core,
    log_packet,
    release_copy,
    wake_interface,
)
from simulator.timing.engine.tokens import learn
from simulator.timing.engine.wheel import send_credit, send_flit, turn, use_credit


@kernel(inline=True)
def usable_vcs(state: State, interface, k: int, now: int) -> int:  # type: ignore[no-untyped-def]
    """Return the VCs the next flit of class k can take in this cycle: of its packet in progress, or
    of the next head [N4], which a core put a cycle ago at least [C9].
    """
    if interface.sending[k] >= 0:
        return interface.credited & (np.int64(1) << interface.sending_vc[k])
    number = interface.first[k]
    if number < 0 or (interface.is_core and state.packet[number].inject == now):
        return np.int64(0)
    return state.chip[0].class_mask[k] & interface.credited & ~interface.in_use


@kernel(inline=True)
def begin_packet(state: State, number: int, k: int, vcs: int, now: int) -> None:
    """Take the first packet of a class off its queue and give it the next of the VCs it can use."""
    interface = state.interface[number]
    vc = turn(vcs, interface.vc_pointer[k])
    packet_number = np.int64(interface.first[k])
    packet = state.packet[packet_number]
    packet.head_entry = now
    interface.first[k] = packet.next
    interface.waiting[k] -= 1
    interface.sending[k] = packet_number
    interface.sent[k] = 0
    interface.sending_vc[k] = vc
    interface.vc_pointer[k] = vc + 1
    interface.in_use |= np.int64(1) << vc
    if interface.is_core and state.core[number].state[AXON_OUT] == BLOCKED_UNIT:
        list_core(state, number, now + 1)


@kernel(inline=True)
def send_next(state: State, number: int, k: int, now: int) -> None:
    """Send the next flit of the packet of class k in progress."""
    chip = state.chip[0]
    interface = state.interface[number]
    vc = np.int64(interface.sending_vc[k])
    bit = np.int64(1) << vc
    packet_number = np.int64(interface.sending[k])
    token = packet_number << 2
    if interface.sent[k] == 0:
        token |= HEAD
    interface.sent[k] += 1
    if interface.sent[k] == state.packet[packet_number].flits:
        token |= TAIL
        interface.sending[k] = -1
        if chip.atomic:
            interface.draining |= bit
        else:
            interface.in_use &= ~bit
    if not use_credit(state, interface.own_channels | vc, now):
        interface.credited &= ~bit
    interface.class_pointer = 1 - k
    send_flit(state, interface.channels | vc, token, now + LOCAL_WIRE)


@kernel(inline=True)
def evaluate_interface(state: State, number: int, now: int) -> bool:
    """Send at most one flit [N5]; return whether this endpoint must be looked at in the next cycle
    too.
    """
    interface = state.interface[number]
    k = np.int64(interface.class_pointer)
    vcs = np.int64(usable_vcs(state, interface, k, now))
    if vcs == 0:
        k = 1 - k
        vcs = np.int64(usable_vcs(state, interface, k, now))
    if vcs != 0:
        if interface.sending[k] < 0:
            begin_packet(state, number, k, vcs, now)
        send_next(state, number, k, now)
    stays = False
    if interface.is_core:
        interface.peak = max(interface.peak, interface.waiting[0] + interface.waiting[1])
        for k in range(2):  # what was put in this cycle can be sent in the next
            if interface.first[k] >= 0 and state.packet[interface.first[k]].inject == now:
                stays = True
    if vcs != 0:
        for k in range(2):
            if interface.first[k] >= 0 or interface.sending[k] >= 0:
                stays = True
    if not stays:
        interface.awake = 0
    return stays


@kernel(inline=True)
def accept_injection_credit(state: State, number: int, vc: int, count: int) -> None:
    """Apply credits of the router's local input [N2]; with `atomic` the last one frees the VC
    [R8].
    """
    interface = state.interface[number]
    bit = np.int64(1) << vc
    sender = state.sender[interface.own_channels | vc]
    sender.credit += count
    interface.credited |= bit
    if (interface.draining & bit) != 0 and sender.credit == state.chip[0].buffer:
        interface.draining &= ~bit
        interface.in_use &= ~bit
    if (
        interface.first[0] >= 0
        or interface.first[1] >= 0
        or interface.sending[0] >= 0
        or interface.sending[1] >= 0
    ):
        wake_interface(state, number)


@kernel(inline=True)
def consume_at_port(
    state: State, number: int, vc: int, packet_number: int, is_tail: bool, now: int
) -> None:
    """Take a flit out of the mesh at a port to the outside, which gives its credit back at once
    [C10].
    """
    interface = state.interface[number]
    counter = state.counter[number]
    packet = state.packet[packet_number]
    token = state.entry[packet.entry].token
    if token == 0:
        state.step[packet.step].last_output = now
    send_credit(state, interface.channels | vc, 1, now + LOCAL_WIRE)
    if is_tail:
        entry = entry_at(state, packet, number)
        counter[PACKETS_RECEIVED] += 1
        counter[FLITS_RECEIVED] += packet.flits  # [K1]
        counter[EVENTS_RECEIVED] += state.entry[entry].events
        if token > 0:
            learn(state, number, token, packet.slot, now)
        finish_one(state, now)


@kernel(inline=True)
def eject_flit(state: State, number: int, vc: int, token: int, now: int) -> None:
    """Consume a flit that arrives at an endpoint [N1]."""
    packet_number = token >> 2
    is_tail = (token & TAIL) != 0
    if (token & HEAD) != 0:
        state.interface[number].head_arrive[vc] = now
    if state.interface[number].is_core:
        wake_core(state, number, now)
        core = state.core[number]
        core.input_flits += 1
        core.input_peak = max(core.input_peak, core.input_flits)
        if is_tail:
            packet = state.packet[packet_number]
            entry = entry_at(state, packet, number)
            receive_packet(state, number, vc, entry << SLOT_BITS | packet.slot, now)
    else:
        consume_at_port(state, number, vc, packet_number, is_tail, now)
    if is_tail:
        if state.chip[0].events:
            log_packet(state, packet_number, number, vc, now)
        release_copy(state, packet_number)
