"""The chip as arrays: built from a Plan and an Activity, read and written by the kernels, grown and
read out by Python.
"""

from __future__ import annotations

import numpy as np

from simulator import memory
from simulator.errors import InputError
from simulator.mapping.plan import (
    CANONICAL,
    LOCAL,
    LOOKAHEAD,
    Activity,
    Plan,
)
from simulator.timing.engine import endpoint_layout, layout, work_layout
from simulator.timing.engine.layout import (
    LOCAL_WIRE,
    NEVER,
    SWITCH,
    TIMER_SLOTS,
    UNIT_ROWS,
    WIRE,
    State,
)
from simulator.timing.engine.work import columns, own_steps, records, work
from simulator.timing.record import (
    COUNTERS,
    GATED,
    GRANT,
    IDLE,
    OFF,
    PACKET,
    PACKET_SHIFT,
    POWER_STATES,
    STATE,
    UNIT,
)

#: rows a log holds at least, and packets the pool of packets in flight begins with
LOG_ROWS, POOL = 1 << 16, 64
#: bytes of an endpoint outside the state: counters once more in the record, and a ledger of some
#: sixty numbers; of a step its counters, in the state and in the record while that is made
ENDPOINT_BYTES, STEP_BYTES = 1600, 2000
#: packets in flight one flit event can name, see layout.HEAD
MAX_PACKETS = 1 << 29


def _power_of_two(least: int) -> int:
    return 1 << max(0, int(least) - 1).bit_length()


def _chip(plan: Plan, activity: Activity, events: bool, wheel_slots: int) -> np.ndarray:
    chip = records(1, layout.CHIP)
    one = chip[0]
    one.next_injection = one.next_timer = NEVER
    one.tick = plan.step_tick
    one.next_start = activity.release[0]
    if plan.step_tick:  # [S7]
        one.next_start += -activity.release[0] % plan.step_tick
    one.quiet = 0
    one.n_steps = one.last_step = activity.n_steps
    one.width, one.ports, one.virtual_channels = plan.width, plan.ports, plan.virtual_channels
    one.channel_shift = _power_of_two(plan.virtual_channels).bit_length() - 1
    one.channel_mask = (1 << one.channel_shift) - 1
    one.n_channels = plan.n_routers * plan.ports << one.channel_shift
    one.buffer, one.buffer_mask = plan.buffer, _power_of_two(plan.buffer) - 1
    one.canonical, one.atomic = plan.pipeline == CANONICAL, plan.atomic
    for k in range(2):
        one.class_mask[k] = (1 << int(plan.class_channels[k])) - 1 << int(plan.class_first[k])
    one.plain = plan.pipeline == LOOKAHEAD and not plan.atomic
    one.ungated = plan.router_gate_after < 0 and not events
    is_apart = (one.class_mask[0] & one.class_mask[1]) == 0
    one.urgent = (
        one.class_mask[0] if is_apart and plan.pipeline == LOOKAHEAD else 0
    )  # VCs whose heads need no gap [A8]
    one.n_cores, one.n_routers, one.n_endpoints = plan.n_cores, plan.n_routers, plan.n_endpoints
    one.input_queue, one.spike_queue = plan.input_queue, plan.spike_queue
    one.output_queue = plan.output_queue
    one.soma_cycles, one.soma_spike_cycles = plan.soma_cycles, plan.soma_spike_cycles
    one.axon_cycles = plan.axon_cycles
    one.barrier_cycles = plan.barrier_cycles
    one.event_group, one.lanes, one.banks = plan.event_group, plan.lanes, plan.banks
    one.add_cycles, one.shared_cycles = plan.add_cycles, plan.shared_cycles
    one.wheel_mask = wheel_slots - 1
    one.events = events
    one.free_packet = -1
    return chip


def _ports(plan: Plan, channel_shift: int, n_channels: int) -> np.ndarray:
    """Return every router port, joined to its neighbour's [M1] or to the interface of its endpoint
    [M2], with its latencies [B2] and the buffer behind it [B4].
    """
    port = records(plan.n_routers * plan.ports, layout.PORT)
    number = np.arange(len(port))
    router, index = number // plan.ports, number % plan.ports
    x, y = router % plan.width, router // plan.width
    port["router"], port["index"] = router, index
    port["table"] = 9 * (2 * np.minimum(index, LOCAL) + (x & 1)) + 4  # its row, without a way to go
    port["downstream"] = port["upstream"] = -1
    port["interval"] = 1
    for p, (dx, dy) in enumerate(((1, 0), (-1, 0), (0, 1), (0, -1))):
        joined = (
            (index == p)
            & (x + dx >= 0)
            & (x + dx < plan.width)
            & (y + dy >= 0)
            & (y + dy < plan.height)
        )
        neighbour = (router + dx + dy * plan.width) * plan.ports + (p ^ 1)
        port["downstream"][joined] = port["upstream"][joined] = neighbour[joined] << channel_shift
        port["flit_delay"][index == p] = plan.link_latency[p // 2] + WIRE + SWITCH
        port["credit_delay"][index == p] = plan.link_latency[p // 2] + WIRE
        port["interval"][index == p] = plan.link_interval[p // 2]
    port["flit_delay"][index >= LOCAL] = LOCAL_WIRE + SWITCH
    port["credit_delay"][index >= LOCAL] = LOCAL_WIRE
    port["depth"] = plan.buffer
    endpoint = np.arange(plan.n_endpoints)
    local = plan.endpoint_router * plan.ports + plan.endpoint_local
    port["downstream"][local] = port["upstream"][local] = n_channels + (endpoint << channel_shift)
    port["depth"][local[: plan.n_cores]] = plan.input_queue
    exists = port["downstream"] >= 0
    port["free"] = port["credited"] = np.where(exists, (1 << plan.virtual_channels) - 1, 0)
    port["free_pointer"] = plan.virtual_channels - 1  # [A7]
    return port


def _interfaces(plan: Plan, channel_shift: int, n_channels: int) -> np.ndarray:
    interface = records(plan.n_endpoints, endpoint_layout.INTERFACE)
    endpoint = np.arange(plan.n_endpoints)
    interface["router"], interface["local"] = plan.endpoint_router, plan.endpoint_local
    interface["is_core"] = endpoint < plan.n_cores
    interface["channels"] = (
        plan.endpoint_router.astype(np.int64) * plan.ports + plan.endpoint_local
    ) << channel_shift
    interface["first"] = interface["last"] = interface["sending"] = -1
    interface["vc_pointer"] = plan.class_first
    interface["credited"] = (1 << plan.virtual_channels) - 1
    interface["own_channels"] = n_channels + (endpoint << channel_shift)
    interface["next_name"] = endpoint << PACKET_SHIFT
    return interface


def _power(plan: Plan) -> np.ndarray:
    """Return cores and routers clocked, without work since cycle 0 [P1]."""
    power = records(plan.n_cores + plan.n_routers, layout.POWER)
    power["logged"] = -1
    core, router = power[: plan.n_cores], power[plan.n_cores :]
    router["is_router"] = 1
    core["index"], router["index"] = np.arange(plan.n_cores), np.arange(plan.n_routers)
    core["gate_after"], core["off_after"], core["gate_wake"] = (
        plan.gate_after,
        plan.off_after,
        plan.gate_wake,
    )
    core["off_wake"] = plan.off_wake + plan.reload_cycles
    for rest, after in ((GATED, (0, -1)), (OFF, (-1, 0)), (IDLE, (-1, -1))):  # [P8]
        asleep = np.flatnonzero(plan.unused == rest)
        core["gate_after"][asleep], core["off_after"][asleep] = after
    router["gate_after"], router["off_after"], router["gate_wake"] = (
        plan.router_gate_after,
        -1,
        plan.router_wake,
    )
    return power


def _events_per_cycle(plan: Plan) -> int:
    by_groups = plan.n_cores * min(plan.event_group, plan.virtual_channels)
    return 4 * plan.n_routers + 2 * plan.n_endpoints + by_groups


def _group_events(plan: Plan, activity: Activity) -> int:
    """Return the most events a group of several packets can have [C11]; 1 where there is none."""
    joins = (activity.entry_group >= 0) & (activity.entry_events < plan.event_group)
    most = int(activity.entry_events[joins].max(initial=1))
    return min(plan.event_group, most * plan.virtual_channels * plan.input_queue)


def _log_rows(plan: Plan) -> int:
    """Return the rows every log holds at least, which is what one cycle can add."""
    units = plan.n_cores * (UNIT_ROWS + plan.event_group)
    return max(LOG_ROWS, plan.n_routers * plan.ports, 5 * (plan.n_cores + plan.n_routers), units)


def estimate(plan: Plan, activity: Activity, slots: int, log: int) -> list[tuple[str, int]]:
    """Return what a state, its record and the ledger of both take, in bytes, each part together
    with all before it and the words for what drives it.
    """
    channels = plan.n_routers * plan.ports * _power_of_two(plan.virtual_channels)
    events = work_layout.FLIT_EVENT.itemsize + work_layout.CREDIT_EVENT.itemsize
    wheels = slots * (_events_per_cycle(plan) * events + 16 * plan.n_routers)
    returned = work_layout.RETURNED.itemsize * _power_of_two(max(plan.buffer, plan.input_queue))
    returned += layout.SENDER.itemsize
    channel = layout.CHANNEL.itemsize + 4 * _power_of_two(plan.buffer) + returned
    queues = 8 * plan.n_cores * _power_of_two(plan.virtual_channels) * plan.input_queue
    machine = channels * channel + plan.n_routers * (
        plan.ports * layout.PORT.itemsize + layout.ROUTER.itemsize + layout.POWER.itemsize
    )
    machine += plan.n_cores * (endpoint_layout.CORE.itemsize + layout.POWER.itemsize)
    queues += 16 * plan.n_cores * _group_events(plan, activity)
    counted = 32 * len(activity.operand_bits)  # the counters that are kept by layer
    machine += plan.n_endpoints * (endpoint_layout.INTERFACE.itemsize + ENDPOINT_BYTES + counted)
    machine += plan.n_endpoints * returned * _power_of_two(plan.virtual_channels)
    logs = log * (GRANT.itemsize + STATE.itemsize + PACKET.itemsize + UNIT.itemsize)
    steps = activity.n_steps * (work_layout.STEP.itemsize + STEP_BYTES + counted)
    work = len(activity.work_core) * work_layout.WORK.itemsize + 8 * len(activity.inject_row)
    work += activity.work_counts.nbytes
    work += len(activity.message_row) * work_layout.MESSAGE.itemsize
    work += len(activity.entry_endpoint) * work_layout.ENTRY.itemsize
    work += activity.event_address.nbytes
    latency = max(int(plan.link_latency.max()), int(plan.link_interval.max()))
    size = f"{plan.n_routers:,} routers"
    parts = [
        (f"links of {latency:,} cycles on {size}", wheels),
        (f"{size} with {plan.n_cores:,} cores", machine),
        (f"{plan.n_cores:,} cores with input queues of {plan.input_queue:,} flits", queues),
        (f"the event logs of {size}", logs),
        (f"{activity.n_steps:,} steps with {len(activity.message_row):,} messages", steps + work),
    ]
    total, found = 0, []
    for what, part in sorted(parts, key=lambda one: one[1]):
        total += part
        found.append((what, total))
    return found


def build(plan: Plan, activity: Activity, events: bool) -> State:
    """Return the chip at its start, cycle 0 [S20], with the run's work before it."""
    activity.refuse_misfit(plan)
    farthest = max(layout.LOCAL_LATENCY, int(plan.link_latency.max())) + WIRE + SWITCH
    longest = max(farthest, int(plan.link_interval.max()))
    slots = _power_of_two(longest + 1)
    chip = _chip(plan, activity, events, slots)
    channel_shift, n_channels = int(chip[0].channel_shift), int(chip[0].n_channels)
    n_routers, n_cores, n_endpoints = plan.n_routers, plan.n_cores, plan.n_endpoints
    n_vcs = 1 << channel_shift
    n_senders = n_channels + n_endpoints * n_vcs
    deepest = _power_of_two(max(plan.buffer, plan.input_queue))
    n_counters = len(COUNTERS) + len(activity.operand_bits)
    per_cycle = _events_per_cycle(plan)
    log = _log_rows(plan) if events else 0
    for what, size in estimate(plan, activity, slots, log):
        memory.need(what, size)
    router_number = np.arange(n_routers)
    port = _ports(plan, channel_shift, n_channels)
    own = own_steps(plan, activity)
    chip[0].first_own = 4 * n_cores + n_routers
    if own["own"]["takes_part"].any():  # [Q1]
        chip[0].tokens, chip[0].planes, chip[0].slots = 1, plan.planes, plan.planes + 1
    owner = np.concatenate(
        [
            np.repeat(np.arange(n_cores), 3),
            np.arange(n_cores),
            router_number,
            np.arange(n_endpoints if chip[0].tokens else 0),
        ]
    )
    n_timers = len(owner)
    has_trees = bool(np.any(activity.row_tree >= 0))
    state = State(
        chip=chip,
        router=columns(
            n_routers,
            layout.ROUTER,
            x=router_number % plan.width,
            y=router_number // plan.width,
            first_port=router_number * plan.ports,
        ),
        port=port,
        channel=columns(n_channels, layout.CHANNEL, asker=np.full(n_channels, -1)),
        sender=columns(
            n_senders,
            layout.SENDER,
            credit=np.repeat(np.append(port["depth"], [plan.buffer] * n_endpoints), n_vcs),
        ),
        returned=np.zeros((deepest, n_senders), work_layout.RETURNED).view(np.recarray),
        fifo=np.zeros((n_channels, _power_of_two(plan.buffer)), np.int32),
        allowed=np.ascontiguousarray(plan.allowed, np.int32).reshape(-1),
        interface=_interfaces(plan, channel_shift, n_channels),
        core=columns(
            n_cores,
            endpoint_layout.CORE,
            scheduled=np.full(n_cores, -1),
            reload=plan.reload_cycles,
            tokens_from=np.full(n_cores, -1),
        ),
        input_ring=np.zeros((n_cores << channel_shift, max(1, plan.input_queue)), np.int64),
        asked=np.zeros((max(1, n_cores), _group_events(plan, activity), 2), np.int64),
        power=_power(plan),
        packet=records(0, layout.PACKET_IN_FLIGHT),
        counter=np.zeros((n_endpoints, n_counters), np.int64),
        flit_wheel=np.zeros((per_cycle, slots), work_layout.FLIT_EVENT).view(np.recarray),
        credit_wheel=np.zeros((per_cycle, slots), work_layout.CREDIT_EVENT).view(np.recarray),
        call_wheel=np.zeros((4 * n_routers, slots), np.int32),
        slot=records(slots, work_layout.SLOT),
        slot_bits=np.zeros(-(-slots // 32), np.int64),
        timer=columns(n_timers, work_layout.TIMER, owner=owner),
        timer_slot=np.full(TIMER_SLOTS, -1, np.int32),
        timer_bits=np.zeros(TIMER_SLOTS // 64, np.int64),
        heap=records(n_timers + 1, work_layout.HEAP),
        awake_router=np.zeros(n_routers, np.int32),
        awake_interface=np.zeros(n_endpoints, np.int32),
        listed_core=np.zeros((2, max(1, n_cores)), np.int32),
        branch_vc=np.zeros((n_channels, plan.ports) if has_trees else (1, 1), np.int8),
        branch_sent=np.zeros((n_channels, plan.ports) if has_trees else (1, 1), np.int32),
        step_counter=np.zeros((activity.n_steps + 1, 2, n_counters), np.int64),
        step_router_wakes=np.zeros(activity.n_steps + 1, np.int64),
        step_power=np.zeros((activity.n_steps + 1, 2, len(POWER_STATES)), np.int64),
        grant_log=records(log, GRANT),
        state_log=records(log, STATE),
        packet_log=records(log, PACKET),
        unit_log=records(log, UNIT),
        **work(activity),
        **own,
    )
    return grow_pool(state, max(POOL, n_cores))


def grow_pool(state: State, n: int) -> State:
    """Return the state with room for at least n more packets in flight."""
    chip = state.chip[0]
    before = len(state.packet)
    n = max(n, before)
    if before + n > MAX_PACKETS:
        raise InputError(f"packets: must be at most {MAX_PACKETS} in flight")
    size = (before + n) * layout.PACKET_IN_FLIGHT.itemsize
    memory.need(f"{before + n:,} packets under way at once", size)
    packet = records(before + n, layout.PACKET_IN_FLIGHT)
    packet[:before] = state.packet
    packet["next"][before:] = np.arange(before + 1, before + n + 1)
    packet["next"][-1] = chip.free_packet
    chip.free_packet = before
    chip.n_free += n
    return state._replace(packet=packet)
