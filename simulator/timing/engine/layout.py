"""The records the kernels work on.  Durations and instants are int64 cycles [T1]; masks and
indices int32.

A *channel* is a virtual channel of one router port, numbered
(router · ports + port) << channel_shift | vc, so that no division is needed to find the port again;
the channels of the network interfaces follow, endpoint << channel_shift | vc.  The same number
names the input FIFO behind a port and the credits of the output before it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.mapping.plan import WORK_COUNTERS
from simulator.timing.engine.work_layout import in_lines, record
from simulator.timing.record import COUNTERS

NEVER = 1 << 62
#: what stopped the kernel
UNTIL, DONE, LOG_FULL, POOL_FULL, DEADLOCK = range(5)
#: cycles the timer wheel sees ahead; longer delays wait in a heap
TIMER_SLOTS = 4096
#: cycles from sending to use over a wire of no latency [B1]; a router's switch takes one more [B2]
WIRE, SWITCH = 1, 1
#: and over the wires between an interface and its router, flits and credits alike [B1]
LOCAL_LATENCY = 1
LOCAL_WIRE = LOCAL_LATENCY + WIRE
#: bits of a slot beside an entry in the ring of complete packets
SLOT_BITS = 6
#: what idle units wait for: tokens, a plane, the start [Q10]
FOR_TOKENS, FOR_A_PLANE, FOR_THE_START = 1, 2, 3
#: a flit on its way: packet << 2 | is tail << 1 | is head
HEAD, TAIL, WHOLE = 1, 2, 3
#: states of a core's unit
FREE, BUSY_UNIT, BLOCKED_UNIT, PENDING = range(4)
SYNAPSE, SOMA, AXON_OUT = range(3)
#: rows of the log of units one core can add in a cycle, without what joins a group
UNIT_ROWS = 7
#: columns of the counters, in the order of record.COUNTERS; those of WORK_COUNTERS are together
FIRST_OF_WORK, N_COUNTERS = COUNTERS.index(WORK_COUNTERS[0]), len(COUNTERS)
(
    PACKETS_SENT,
    FLITS_SENT,
    TOKENS_SENT,
    ROUTER_TRAVERSALS,
    ROUTER_GRANTS,
    FLIT_HOPS_EAST_WEST,
    FLIT_HOPS_NORTH_SOUTH,
    PAYLOAD_BIT_HOPS,
    HEADER_BIT_HOPS,
    STREAM_BIT_HOPS,
    PACKETS_RECEIVED,
    FLITS_RECEIVED,
    EVENTS_RECEIVED,
    ACCUMULATES,
    MACS,
    COUNT_ACCUMULATES,
    WEIGHT_READ_WORDS,
    ACCUMULATOR_WORDS,
    BANK_CONFLICTS,
    NEURON_UPDATES,
    SPIKES,
) = range(FIRST_OF_WORK)
GATE_WAKES, OFF_WAKES, STATE_LOSSES, RELOAD_CYCLES = range(
    FIRST_OF_WORK + len(WORK_COUNTERS), len(COUNTERS)
)


CHIP = record(
    # where the run is
    now="i8",
    step="i8",
    last_step="i8",
    outstanding="i8",
    next_start="i8",
    inference_start="i8",
    quiet="i8",
    injection="i8",
    injection_end="i8",
    next_injection="i8",
    # the machine
    n_steps="i8",
    width="i4",
    ports="i4",
    virtual_channels="i4",
    channel_shift="i4",
    channel_mask="i4",
    n_channels="i4",
    buffer="i4",
    buffer_mask="i4",
    canonical="i4",
    atomic="i4",
    class_mask=("i4", (2,)),
    urgent="i4",
    plain="i4",  # lookahead, and not atomic: credits are noted, packets of one flit pass alone
    ungated="i4",  # routers have no gating and no log, so that what they do is booked later
    n_cores="i4",
    n_routers="i4",
    n_endpoints="i4",
    input_queue="i4",
    spike_queue="i8",
    output_queue="i8",
    soma_cycles="i8",
    soma_spike_cycles="i8",
    axon_cycles="i8",
    event_group="i8",
    lanes="i8",
    banks="i8",
    add_cycles=("i8", (2,)),
    shared_cycles="i8",
    barrier_cycles="i8",
    tick="i8",
    # tokens [Q1]: planes of accumulators, slots for what is known of steps near the own one, the
    # first timer of own steps, endpoints that start one in this cycle
    tokens="i4",
    planes="i4",
    slots="i4",
    first_own="i4",
    n_starting="i8",
    wheel_mask="i8",
    timer_words="i8",  # words of timer_bits that are not zero
    # lists and pools
    n_awake_routers="i8",
    n_awake_interfaces="i8",
    core_list="i8",
    n_listed=("i8", (2,)),
    in_flight="i8",
    free_packet="i8",
    n_free="i8",
    n_heap="i8",
    n_timers="i8",
    next_timer="i8",  # the cycle in which the next one fires, NEVER if none runs
    # logs
    events="i4",
    n_grants="i8",
    n_states="i8",
    n_packets="i8",
    n_units="i8",
)

ROUTER = in_lines(
    x="i4",
    y="i4",
    first_port="i4",
    inputs="i4",
    awake="i4",
    wanted="i4",
    slept="i8",
    ready="i8",
    flit_cycles="i8",
    arriving="i4",  # flits that arrive in this cycle, counted where traffic is sparse
    passed="i8",  # packets that passed alone, a cycle of work each
)

PORT = in_lines(
    # as an input, one cache line: masks over VCs; the outputs its front flits could go to
    occupied="i4",
    active="i4",
    waiting="i4",
    routing="i2",
    asking="i2",
    won="i2",
    routed="i2",
    wanted="i4",
    vc_pointer="i4",
    in_pointer="i4",
    upstream="i4",
    credit_delay="i4",
    router="i4",
    index="i4",
    table="i4",  # where it finds in `allowed` the outputs for a packet that is where it goes
    blocked="i8",
    # as an output, one cache line: masks over VCs, then over the inputs that chose it
    free="i4",
    credited="i4",
    draining="i4",
    out_pointer="i4",
    free_pointer="i4",
    ask_first="i4",
    ask_last="i4",
    downstream="i4",
    flit_delay="i4",
    interval="i4",
    depth="i4",
    called="i4",
    free_at="i8",
    flits="i8",
)

CHANNEL = in_lines(
    # as an input FIFO
    front="i4",
    count="i4",
    packet="i4",
    route="i4",
    held="i4",
    held_vc="i4",
    traffic_class="i1",
    is_tree="i1",
    flit="i4",
    asks="i4",  # outputs asked for in this cycle; not kept for trees
    # VC allocation: the output channel asked for, and as an output channel the best asker
    asked="i4",
    asker="i4",
    input_pointer="i4",
    output_pointer="i4",
)

#: what is left of the buffer behind a channel for its sender, and the credits on their way that
#: nobody waits for, which are noted in state.returned
SENDER = record(credit="i4", first_returned="i4", n_returned="i4")

POWER = in_lines(
    is_router="i4",
    index="i4",
    works="i4",
    logged="i4",
    since="i8",
    counted="i8",
    ready="i8",
    cycles=("i8", (5,)),
    gate_wakes="i8",
    off_wakes="i8",
    gate_after="i8",
    off_after="i8",
    gate_wake="i8",
    off_wake="i8",
)

PACKET_IN_FLIGHT = in_lines(
    x="i4",
    y="i4",
    local="i4",
    traffic_class="i4",
    tree="i4",
    flits="i4",
    copies="i4",
    slot="i4",
    step="i8",
    next="i4",
    source="i4",
    entry="i8",
    row="i8",
    name="i8",
    inject="i8",
    head_entry="i8",
)


class State(NamedTuple):
    """Everything the kernels read and write; a one-element array is a group of scalars."""

    chip: np.ndarray  # (1,) CHIP
    router: np.ndarray  # (n_routers,) ROUTER
    port: np.ndarray  # (n_routers * ports,) PORT
    channel: np.ndarray  # (n_channels,) CHANNEL
    # (n_channels + n_endpoints << channel_shift,) SENDER: of routers' channels, then of interfaces'
    sender: np.ndarray
    # (the deepest buffer rounded up to a power of two, as many) RETURNED
    returned: np.ndarray
    fifo: np.ndarray  # (n_channels, buffer rounded up to a power of two) int32 flits
    allowed: np.ndarray  # (90,) int32, the routing table
    interface: np.ndarray  # (n_endpoints,) INTERFACE
    core: np.ndarray  # (n_cores,) CORE
    # (n_cores << channel_shift, input_queue) int64: entry << SLOT_BITS | slot of complete packets
    input_ring: np.ndarray
    # (n_cores, events, 2) int64: the bank in which the row of each event of a group begins, and the
    # words it takes beyond whole rounds of the banks; (1, 1, 2) without groups
    asked: np.ndarray
    # tokens; without them one row each
    own: np.ndarray  # (n_endpoints,) OWN
    token_count: np.ndarray  # (n_endpoints, slots) int64: forward tokens known of a step
    pending: np.ndarray  # (n_endpoints, slots) int64: packets put for a core, not yet integrated
    freed: np.ndarray  # (n_endpoints, slots) int64: tokens back known of a step
    starting: np.ndarray  # (n_endpoints,) int64
    work_order: np.ndarray  # (n_work,) int64, by core and step
    port_order: np.ndarray  # (n_injections,) int64, by port, step and offset
    inject_step: np.ndarray  # (n_injections,) int64
    power: np.ndarray  # (n_cores + n_routers,) POWER
    packet: np.ndarray  # (n,) PACKET_IN_FLIGHT, grown when short
    # (n_endpoints, len(COUNTERS) + n_operands) int64: the macs of each pair of widths stand behind
    # the counters
    counter: np.ndarray
    # what happens later
    flit_wheel: np.ndarray  # (n_routers * ports, slots) FLIT_EVENT: the first of all slots together
    credit_wheel: np.ndarray  # (n_routers * ports, slots) CREDIT_EVENT
    # (4 * n_routers, slots) int32, outputs somebody waits for, when their interval is over
    call_wheel: np.ndarray
    slot: np.ndarray  # (slots,) SLOT, how full they are
    slot_bits: np.ndarray  # (slots / 32,) int64, slots in use
    timer: np.ndarray  # (4 * n_cores + n_routers,) TIMER
    timer_slot: np.ndarray  # (TIMER_SLOTS,) int32, the first timer of a cycle, -1: none
    timer_bits: np.ndarray  # (TIMER_SLOTS / 64,) int64, slots in use
    heap: np.ndarray  # (n_timers,) HEAP
    # who has something to do
    awake_router: np.ndarray  # (n_routers,) int32
    awake_interface: np.ndarray  # (n_endpoints,) int32
    listed_core: np.ndarray  # (2, n_cores) int32, this cycle's and the next one's
    # the work
    step: np.ndarray  # (n_steps + 1,) STEP
    work: np.ndarray  # (n_work + 1,) WORK
    work_count: np.ndarray  # (n_work, len(WORK_COUNTERS)) int64
    message: np.ndarray  # (n_messages,) MESSAGE
    injection_order: np.ndarray  # (n_injections,) int64, or (0,): already in order
    inject_port: np.ndarray  # (n_injections,) int32, endpoints
    inject_offset: np.ndarray  # (n_injections,) int64, cycles from the step's start
    inject_row: np.ndarray  # (n_injections,) int32
    row: np.ndarray  # (n_rows + 1,) ROW
    entry: np.ndarray  # (n_entries,) ENTRY
    event_address: np.ndarray  # (n + 1,) int64, the word in which an event's row begins
    copy_order: np.ndarray  # (n_entries,) int64: a tree row's entries by endpoint, or (0,)
    tree: np.ndarray  # (n_trees + 1,) TREE
    branch: np.ndarray  # (n,) BRANCH
    # (n_channels, ports) int8, or (1, 1): output VC of each branch of a multicast packet
    branch_vc: np.ndarray
    # (n_channels, ports) int32, or (1, 1): flits of it that went to each branch
    branch_sent: np.ndarray
    # what is left behind
    # (n_steps + 1, 2, columns of counter) int64, totals at each start: of the cores, of the ports
    step_counter: np.ndarray
    step_router_wakes: np.ndarray  # (n_steps + 1,) int64, likewise
    step_power: np.ndarray  # (n_steps + 1, 2, 5) int64, the same for cores and routers
    grant_log: np.ndarray  # (n,) GRANT
    state_log: np.ndarray  # (n,) STATE
    packet_log: np.ndarray  # (n,) PACKET
    unit_log: np.ndarray  # (n,) UNIT
