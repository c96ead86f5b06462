"""Packets in flight: a pool with a free list, the source queues they wait in, what is logged of
them, and the count of what a step still owes.
"""

from __future__ import annotations

import numpy as np

from simulator.jit import kernel
from simulator.timing.engine.layout import (
    FLIT_HOPS_EAST_WEST,
    FLIT_HOPS_NORTH_SOUTH,
    FLITS_SENT,
    HEADER_BIT_HOPS,
    LOCAL_WIRE,
    PACKETS_SENT,
    PAYLOAD_BIT_HOPS,
    ROUTER_GRANTS,
    ROUTER_TRAVERSALS,
    STREAM_BIT_HOPS,
    TOKENS_SENT,
    WHOLE,
    State,
)
from simulator.timing.engine.steps import call_next_step
from simulator.timing.engine.wheel import send_flit, turn, use_credit


@kernel(inline=True)
def finish_one(state: State, now: int) -> None:
    """Note that a work item, message or packet is done; the last one of a step makes it quiet
    [S2].
    """
    chip = state.chip[0]
    chip.outstanding -= 1
    if chip.outstanding == 0:
        call_next_step(state, now)


@kernel(inline=True)
def wake_interface(state: State, number: int) -> None:
    """Put a network interface on the list of those that may send in this cycle."""
    interface = state.interface[number]
    if interface.awake == 0:
        chip = state.chip[0]
        interface.awake = 1
        state.awake_interface[chip.n_awake_interfaces] = number
        chip.n_awake_interfaces += 1


@kernel(inline=True)
def list_core(state: State, number: int, cycle: int) -> None:
    """Let a core be looked at in `cycle`, which is this one or the next."""
    chip = state.chip[0]
    core = state.core[number]
    if core.scheduled != cycle:
        core.scheduled = cycle
        which = chip.core_list if cycle == chip.now else 1 - chip.core_list
        state.listed_core[which, chip.n_listed[which]] = number
        chip.n_listed[which] += 1


@kernel(inline=True)
def book_sent(state: State, source: int, packet) -> None:  # type: ignore[no-untyped-def]
    """Book what a packet will cost the network on its sender; routing is minimal, so that is
    known.
    """
    counter = state.counter[source]
    flits = packet.flits
    counter[PACKETS_SENT] += 1
    counter[FLITS_SENT] += flits
    counter[TOKENS_SENT] += state.entry[packet.entry].token > 0  # [K20]
    if packet.tree >= 0:
        tree = state.tree[packet.tree]
        routers, outputs = tree.routers, tree.outputs
        east_west, north_south = tree.east_west, tree.north_south
    else:
        router = state.router[state.interface[source].router]
        east_west = np.int64(abs(packet.x - router.x))
        north_south = np.int64(abs(packet.y - router.y))
        routers = outputs = east_west + north_south + 1
    # [K3]
    counter[ROUTER_TRAVERSALS] += flits * routers
    counter[ROUTER_GRANTS] += flits * outputs
    counter[FLIT_HOPS_EAST_WEST] += flits * east_west
    counter[FLIT_HOPS_NORTH_SOUTH] += flits * north_south
    entry = state.entry[packet.entry]
    links = east_west + north_south
    counter[PAYLOAD_BIT_HOPS] += entry.payload_bits * links
    counter[HEADER_BIT_HOPS] += entry.header_bits * links
    counter[STREAM_BIT_HOPS] += entry.stream_bits * links


@kernel(inline=True)
def await_packet(state: State, packet, row: int, entry_number: int) -> None:  # type: ignore[no-untyped-def]
    """Note that a packet was put in its sender's step [Q4], and count what the cores it goes to
    have to integrate.
    """
    chip = state.chip[0]
    packet.step = state.own[packet.source].started - 1
    packet.slot = packet.step % chip.slots
    last = state.row[row + 1].start if packet.tree >= 0 else np.int64(entry_number + 1)
    for entry in range(entry_number, last):
        endpoint = state.entry[entry].endpoint
        if endpoint < chip.n_cores and state.entry[entry].token == 0:
            state.pending[endpoint, packet.slot] += 1


@kernel(inline=True)
def put_packet(state: State, source: int, row: int, entry_number: int, now: int) -> None:
    """Make a packet of an entry, or of a whole multicast row, and put it into its class's queue at
    `source` [N3]; class and size are those of the first entry [F4].
    """
    chip = state.chip[0]
    number = chip.free_packet
    packet = state.packet[number]
    chip.free_packet = packet.next
    chip.n_free -= 1
    entry = state.entry[entry_number]
    interface = state.interface[source]
    target = state.interface[entry.endpoint]
    packet.x = state.router[target.router].x
    packet.y = state.router[target.router].y
    packet.local = target.local
    packet.traffic_class = entry.traffic_class
    packet.tree = state.row[row].tree
    packet.flits = entry.flits
    packet.copies = state.row[row + 1].start - state.row[row].start if packet.tree >= 0 else 1
    packet.next = -1
    packet.source = source
    packet.entry = entry_number
    packet.row = row
    packet.step = chip.step - 1
    packet.slot = 0
    if chip.tokens:
        await_packet(state, packet, row, entry_number)
    packet.name = interface.next_name
    packet.inject = now
    interface.next_name += 1
    chip.outstanding += packet.copies
    book_sent(state, source, packet)
    if not send_ahead(state, source, number, now):
        join_queue(state, source, number)


@kernel(inline=True)
def join_queue(state: State, source: int, number: int) -> None:
    """Let a packet wait in the queue of its class for its interface to send it."""
    interface = state.interface[source]
    k = np.int64(state.packet[number].traffic_class)
    if interface.first[k] < 0:
        interface.first[k] = number
    else:
        state.packet[interface.last[k]].next = number
    interface.last[k] = number
    interface.waiting[k] += 1
    wake_interface(state, source)


@kernel(inline=True)
def send_ahead(state: State, source: int, number: int, now: int) -> bool:
    """Send a packet of one flit that a core puts into empty queues, if it is certain already that
    and how its interface sends it in the next cycle [N4] [C9]; return whether it is.

    Then it has left when the queue is looked at again; with room for one packet alone that would
    be seen too early.
    """
    chip = state.chip[0]
    interface = state.interface[source]
    packet = state.packet[number]
    k = np.int64(packet.traffic_class)
    vcs = np.int64(chip.class_mask[k])
    is_idle = (interface.first[0] & interface.first[1]) == -1
    is_idle = is_idle and (interface.sending[0] & interface.sending[1]) == -1
    if not is_idle or source >= chip.n_cores or packet.flits > 1 or chip.plain == 0:
        return False
    if (interface.credited & vcs) != vcs or chip.output_queue == 1:
        return False
    vc = turn(vcs, interface.vc_pointer[k])
    packet.head_entry = now + 1
    interface.vc_pointer[k] = vc + 1
    interface.class_pointer = 1 - k
    interface.peak = max(interface.peak, 1)
    if not use_credit(state, interface.own_channels | vc, now + 1):
        interface.credited &= ~(np.int64(1) << vc)
    send_flit(state, interface.channels | vc, number << 2 | WHOLE, now + 1 + LOCAL_WIRE)
    return True


@kernel(inline=False)
def find_copy(entry: np.ndarray, order: np.ndarray, low: int, high: int, endpoint: int) -> int:
    """Return which of the entries order[low] .. order[high - 1], sorted by endpoint, names
    `endpoint`.
    """
    while low < high:
        middle = (low + high) >> 1
        if entry[order[middle]].endpoint < endpoint:
            low = middle + 1
        else:
            high = middle
    return order[low]


@kernel(inline=True)
def entry_at(state: State, packet, endpoint: int) -> int:  # type: ignore[no-untyped-def]
    """Return the entry a packet, or the copy of a multicast packet that comes to `endpoint`, was
    made of.
    """
    if packet.tree < 0:
        return packet.entry
    row = packet.row
    return find_copy(
        state.entry, state.copy_order, state.row[row].start, state.row[row + 1].start, endpoint
    )


@kernel(inline=False)
def log_grant(
    chip, log: np.ndarray, port, vc: int, o: int, out_vc: int, name: int, flit: int
) -> None:  # type: ignore[no-untyped-def]
    """Note one grant of the switch: of output `o` to a VC of an input port, for a flit of a
    packet.
    """
    line = log[chip.n_grants]
    line.cycle = chip.now  # [K8]
    line.router = port.router
    line.in_port = port.index
    line.in_vc = vc
    line.out_port = o
    line.out_vc = out_vc
    line.packet = name
    line.flit = flit
    chip.n_grants += 1


@kernel(inline=True)
def log_packet(state: State, number: int, endpoint: int, vc: int, now: int) -> None:
    """Note a packet, or one copy of it, whose tail arrives on a VC in this cycle."""
    chip = state.chip[0]
    packet = state.packet[number]
    source = state.router[state.interface[packet.source].router]
    target = state.router[state.interface[endpoint].router]
    line = state.packet_log[chip.n_packets]
    line.packet = packet.name  # [K10]
    line.source = packet.source
    line.destination = endpoint
    line.size = packet.flits
    line.traffic_class = packet.traffic_class
    line.inject_cycle = packet.inject
    line.head_entry_cycle = packet.head_entry
    line.head_arrive_cycle = state.interface[endpoint].head_arrive[vc]
    line.tail_arrive_cycle = now
    line.hops = abs(target.x - source.x) + abs(target.y - source.y) + 1
    chip.n_packets += 1


@kernel(inline=True)
def release_copy(state: State, number: int) -> None:
    """Let go of a packet that arrived; the last copy gives its place back to the pool."""
    packet = state.packet[number]
    packet.copies -= 1
    if packet.copies == 0:
        chip = state.chip[0]
        packet.next = chip.free_packet
        chip.free_packet = number
        chip.n_free += 1
