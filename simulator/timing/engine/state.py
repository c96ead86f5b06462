"""The chip as arrays: built from a Plan and an Activity, read and written by the kernels, grown and
read out by Python.
"""

from __future__ import annotations

import numpy as np

from simulator import memory
from simulator.errors import InputError
from simulator.mapping.plan import (
    CANONICAL,
    COUNT,
    LOCAL,
    LOOKAHEAD,
    MAX_PORTS,
    MULTIPLY_ACCUMULATE,
    OUTPUT,
    Activity,
    Plan,
)
from simulator.timing.engine import layout
from simulator.timing.engine.layout import LOCAL_WIRE, NEVER, SWITCH, TIMER_SLOTS, WIRE, State
from simulator.timing.record import COUNTERS, GRANT, PACKET, PACKET_SHIFT, POWER_STATES, STATE

#: rows a log holds at least, and packets the pool of packets in flight begins with
LOG_ROWS, POOL = 1 << 16, 64
#: bytes of an endpoint and of a step outside the state: counters once more in the record, and a
#: ledger of some sixty numbers
ENDPOINT_BYTES, STEP_BYTES = 1600, 1600
#: packets in flight one flit event can name, see layout.HEAD
MAX_PACKETS = 1 << 29


def _power_of_two(least: int) -> int:
    return 1 << max(0, int(least) - 1).bit_length()


def _records(length: int, dtype: np.dtype) -> np.ndarray:
    """Return zeroed records whose fields are attributes, with compilation and without."""
    line, size = layout.CACHE_LINE, length * dtype.itemsize
    memory = np.zeros(size + line, np.uint8)
    start = -memory.ctypes.data % line
    return memory[start : start + size].view(dtype).view(np.recarray)


def _columns(length: int, dtype: np.dtype, **columns: object) -> np.ndarray:
    records = _records(length, dtype)
    for name, column in columns.items():
        rows = len(column) if isinstance(column, np.ndarray) else length
        records[name][:rows] = column
    return records


def _chip(plan: Plan, activity: Activity, events: bool, wheel_slots: int) -> np.ndarray:
    chip = _records(1, layout.CHIP)
    one = chip[0]
    one.next_injection = NEVER
    one.next_start = activity.release[0]
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
    one.event_group = plan.event_group
    one.wheel_mask = wheel_slots - 1
    one.events = events
    one.free_packet = -1
    return chip


def _ports(plan: Plan, channel_shift: int, n_channels: int) -> np.ndarray:
    """Return every router port, joined to its neighbour's [M1] or to the interface of its endpoint
    [M2], with its latencies [B2] and the buffer behind it [B4].
    """
    port = _records(plan.n_routers * plan.ports, layout.PORT)
    number = np.arange(len(port))
    router, index = number // plan.ports, number % plan.ports
    x, y = router % plan.width, router // plan.width
    port["router"], port["index"] = router, index
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


def _interfaces(plan: Plan, channel_shift: int) -> np.ndarray:
    interface = _records(plan.n_endpoints, layout.INTERFACE)
    endpoint = np.arange(plan.n_endpoints)
    interface["router"], interface["local"] = plan.endpoint_router, plan.endpoint_local
    interface["is_core"] = endpoint < plan.n_cores
    interface["channels"] = (
        plan.endpoint_router.astype(np.int64) * plan.ports + plan.endpoint_local
    ) << channel_shift
    interface["first"] = interface["last"] = interface["sending"] = -1
    interface["vc_pointer"] = plan.class_first
    interface["credited"] = (1 << plan.virtual_channels) - 1
    interface["credit"] = plan.buffer
    interface["next_name"] = endpoint << PACKET_SHIFT
    return interface


def _power(plan: Plan) -> np.ndarray:
    """Return cores and routers clocked, without work since cycle 0 [P1]."""
    power = _records(plan.n_cores + plan.n_routers, layout.POWER)
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
    router["gate_after"], router["off_after"], router["gate_wake"] = (
        plan.router_gate_after,
        -1,
        plan.router_wake,
    )
    return power


def _injection_order(activity: Activity) -> np.ndarray:
    """Return the injections of each step by offset, ports in their given order; empty where they
    already are.
    """
    start, offset = activity.inject_start, activity.inject_offset
    if len(offset) == 0:
        return np.zeros(0, np.int64)
    falls = np.diff(offset) < 0
    falls[start[(start > 0) & (start < len(offset))] - 1] = False
    if not falls.any():
        return np.zeros(0, np.int64)
    step = np.repeat(np.arange(activity.n_steps), np.diff(start))
    return np.lexsort((offset, step)).astype(np.int64)


def _trees(plan: Plan, activity: Activity) -> tuple[np.ndarray, np.ndarray]:
    mask = activity.tree_mask.astype(np.int64)
    port = mask[:, None] >> np.arange(MAX_PORTS) & 1
    totals = np.zeros((4, len(mask) + 1), np.int64)
    totals[0, 1:] = np.arange(1, len(mask) + 1)
    totals[1, 1:] = np.cumsum(port.sum(axis=1))
    totals[2, 1:] = np.cumsum(port[:, 0] + port[:, 1])
    totals[3, 1:] = np.cumsum(port[:, 2] + port[:, 3])
    routers, outputs, east_west, north_south = np.diff(totals[:, activity.tree_start], axis=1)
    tree = _columns(
        len(activity.tree_start),
        layout.TREE,
        start=activity.tree_start,
        routers=routers,
        outputs=outputs,
        east_west=east_west,
        north_south=north_south,
    )
    return tree, _columns(len(mask), layout.BRANCH, router=activity.tree_router, mask=mask)


def _column(activity: Activity) -> np.ndarray:
    """Return the column in which each entry's operations are booked [K7] [K30], -1 at ports."""
    widths = len(COUNTERS) + activity.entry_operands
    kind = activity.entry_kind
    added = np.where(kind == COUNT, layout.COUNT_ACCUMULATES, layout.ACCUMULATES)
    at_core = np.where(kind == MULTIPLY_ACCUMULATE, widths, added)
    return np.where(kind == OUTPUT, -1, at_core)


def _work(plan: Plan, activity: Activity) -> dict[str, np.ndarray]:
    """Return the fields of State that hold the work of the run."""
    n_entries = len(activity.entry_endpoint)
    n_rows, n_work = len(activity.row_tree), len(activity.work_core)
    copy_order = np.zeros(0, np.int64)
    tree, branch = _trees(plan, activity)
    if np.any(activity.row_tree >= 0):
        row_of_entry = np.repeat(np.arange(n_rows), np.diff(activity.row_start))
        copy_order = np.lexsort((activity.entry_endpoint, row_of_entry)).astype(np.int64)
    return {
        "step": _columns(
            activity.n_steps + 1,
            layout.STEP,
            release=activity.release,
            work=activity.work_start,
            injection=activity.inject_start,
            begins=activity.begins,
        ),
        "work": _columns(
            n_work + 1,
            layout.WORK,
            core=activity.work_core,
            visits=activity.work_visits,
            message=activity.work_message,
        ),
        "work_count": np.ascontiguousarray(activity.work_counts, np.int64),
        "message": _columns(
            len(activity.message_row),
            layout.MESSAGE,
            position=activity.message_position,
            row=activity.message_row,
        ),
        "injection_order": _injection_order(activity),
        "inject_port": np.array(activity.inject_port, np.int32),
        "inject_offset": np.array(activity.inject_offset, np.int64),
        "inject_row": np.array(activity.inject_row, np.int32),
        "row": _columns(n_rows + 1, layout.ROW, start=activity.row_start, tree=activity.row_tree),
        "entry": _columns(
            n_entries,
            layout.ENTRY,
            endpoint=activity.entry_endpoint,
            flits=activity.entry_flits,
            traffic_class=activity.entry_class,
            column=_column(activity),
            cycles=activity.entry_cycles,
            shared_cycles=activity.entry_shared_cycles,
            group=activity.entry_group,
            operations=activity.entry_operations,
            words=activity.entry_words,
            accumulator_words=activity.entry_accumulator_words,
            events=activity.entry_events,
            payload_bits=activity.entry_payload_bits,
            header_bits=activity.entry_header_bits,
            stream_bits=activity.entry_stream_bits,
        ),
        "copy_order": copy_order,
        "tree": tree,
        "branch": branch,
    }


def _events_per_cycle(plan: Plan) -> int:
    by_groups = plan.n_cores * min(plan.event_group, plan.virtual_channels)
    return 4 * plan.n_routers + 2 * plan.n_endpoints + by_groups


def _log_rows(plan: Plan) -> int:
    """Return the rows every log holds at least, which is what one cycle can add."""
    return max(LOG_ROWS, plan.n_routers * plan.ports, 5 * (plan.n_cores + plan.n_routers))


def estimate(plan: Plan, activity: Activity, slots: int, log: int) -> list[tuple[str, int]]:
    """Return what a state, its record and the ledger of both take, in bytes, each part together
    with all before it and the words for what drives it.
    """
    channels = plan.n_routers * plan.ports * _power_of_two(plan.virtual_channels)
    events = layout.FLIT_EVENT.itemsize + layout.CREDIT_EVENT.itemsize
    wheels = slots * (_events_per_cycle(plan) * events + 16 * plan.n_routers)
    channel = layout.CHANNEL.itemsize + 4 * _power_of_two(plan.buffer)
    queues = 8 * plan.n_cores * _power_of_two(plan.virtual_channels) * plan.input_queue
    machine = channels * channel + plan.n_routers * (
        plan.ports * layout.PORT.itemsize + layout.ROUTER.itemsize + layout.POWER.itemsize
    )
    machine += plan.n_cores * (layout.CORE.itemsize + layout.POWER.itemsize)
    counted = 32 * len(activity.operand_bits)  # the counters that are kept by layer
    machine += plan.n_endpoints * (layout.INTERFACE.itemsize + ENDPOINT_BYTES + counted)
    logs = log * (GRANT.itemsize + STATE.itemsize + PACKET.itemsize)
    steps = activity.n_steps * (layout.STEP.itemsize + STEP_BYTES + counted)
    work = len(activity.work_core) * layout.WORK.itemsize + 8 * len(activity.inject_row)
    work += activity.work_counts.nbytes
    work += len(activity.message_row) * layout.MESSAGE.itemsize
    work += len(activity.entry_endpoint) * layout.ENTRY.itemsize
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
    n_counters = len(COUNTERS) + len(activity.operand_bits)
    per_cycle = _events_per_cycle(plan)
    log = _log_rows(plan) if events else 0
    for what, size in estimate(plan, activity, slots, log):
        memory.need(what, size)
    router_number = np.arange(n_routers)
    port = _ports(plan, channel_shift, n_channels)
    n_timers = 4 * n_cores + n_routers
    owner = np.concatenate([np.repeat(np.arange(n_cores), 3), np.arange(n_cores), router_number])
    has_trees = bool(np.any(activity.row_tree >= 0))
    state = State(
        chip=chip,
        router=_columns(
            n_routers,
            layout.ROUTER,
            x=router_number % plan.width,
            y=router_number // plan.width,
            first_port=router_number * plan.ports,
        ),
        port=port,
        channel=_columns(
            n_channels,
            layout.CHANNEL,
            credit=np.repeat(port["depth"], 1 << channel_shift),
            asker=np.full(n_channels, -1),
        ),
        fifo=np.zeros((n_channels, _power_of_two(plan.buffer)), np.int32),
        allowed=np.ascontiguousarray(plan.allowed, np.int32).reshape(-1),
        interface=_interfaces(plan, channel_shift),
        core=_columns(
            n_cores, layout.CORE, scheduled=np.full(n_cores, -1), reload=plan.reload_cycles
        ),
        input_ring=np.zeros((n_cores << channel_shift, max(1, plan.input_queue)), np.int64),
        power=_power(plan),
        packet=_records(0, layout.PACKET_IN_FLIGHT),
        counter=np.zeros((n_endpoints, n_counters), np.int64),
        flit_wheel=np.zeros((slots, per_cycle), layout.FLIT_EVENT).view(np.recarray),
        credit_wheel=np.zeros((slots, per_cycle), layout.CREDIT_EVENT).view(np.recarray),
        call_wheel=np.zeros((slots, 4 * n_routers), np.int32),
        slot=_records(slots, layout.SLOT),
        timer=_columns(n_timers, layout.TIMER, owner=owner),
        timer_slot=np.full(TIMER_SLOTS, -1, np.int32),
        timer_bits=np.zeros(TIMER_SLOTS // 32, np.int64),
        heap=_records(n_timers + 1, layout.HEAP),
        awake_router=np.zeros(n_routers, np.int32),
        awake_interface=np.zeros(n_endpoints, np.int32),
        listed_core=np.zeros((2, max(1, n_cores)), np.int32),
        branch_vc=np.zeros((n_channels, plan.ports) if has_trees else (1, 1), np.int8),
        branch_sent=np.zeros((n_channels, plan.ports) if has_trees else (1, 1), np.int32),
        step_counter=np.zeros((activity.n_steps + 1, 2, n_counters), np.int64),
        step_router_wakes=np.zeros(activity.n_steps + 1, np.int64),
        step_power=np.zeros((activity.n_steps + 1, 2, len(POWER_STATES)), np.int64),
        grant_log=_records(log, GRANT),
        state_log=_records(log, STATE),
        packet_log=_records(log, PACKET),
        **_work(plan, activity),
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
    packet = _records(before + n, layout.PACKET_IN_FLIGHT)
    packet[:before] = state.packet
    packet["next"][before:] = np.arange(before + 1, before + n + 1)
    packet["next"][-1] = chip.free_packet
    chip.free_packet = before
    chip.n_free += n
    return state._replace(packet=packet)
