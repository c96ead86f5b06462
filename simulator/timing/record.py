"""What a run leaves behind: counters, instants and, when asked for, every event.  Both engines
write the same one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from simulator.mapping.plan import WORK_COUNTERS, Plan

#: counters of each endpoint (cores, then ports to the outside)
COUNTERS = (
    "packets_sent",  # packets put into an output queue (a multicast packet is one)
    "flits_sent",
    "tokens_sent",  # packets among them that tell of a step
    # flits x routers visited, booked on the sender (multicast: routers of the tree)
    "router_traversals",
    "router_grants",  # flits x outputs granted: one per router (multicast: one per branch)
    "flit_hops_east_west",  # flits x mesh links, booked on the sender
    "flit_hops_north_south",
    "payload_bit_hops",  # bits x mesh links, booked on the sender: payload of events
    "header_bit_hops",
    "stream_bit_hops",  # payload of bitmaps and dense streams
    "packets_received",  # consumed by a port or taken by a synapse unit
    "flits_received",
    "events_received",  # spikes or activations in them
    "accumulates",  # synapses served by adding
    "macs",  # synapses served by multiplying and adding
    "count_accumulates",  # synapses served by adding a count of spikes times the weight
    "weight_read_words",
    "accumulator_words",  # read and written back
    "bank_conflicts",  # cycles in which synapse units waited for a bank
    "neuron_updates",  # visits of the soma
    "spikes",  # visits with a message, sent or not
    *WORK_COUNTERS,
    "gate_wakes",
    "off_wakes",
    "state_losses",  # wakes from off of a core that had worked in the same inference
    "reload_cycles",  # plan.reload_cycles of the core, once per wake from off
)
#: what synapse units do with synapses
OPERATIONS = ("accumulates", "macs", "count_accumulates")
COUNTER = {name: number for number, name in enumerate(COUNTERS)}
#: high-water marks of each core's queues: flits over all VCs, messages, packets over both classes
QUEUES = ("input_queue", "spike_queue", "output_queue")
UNITS = ("synapse", "soma", "axon_out")
UNIT_STATES = (
    "busy",
    "starved",
    "blocked",
    "waking",
    "barrier",
    "gated",
    "off",
    "waiting for tokens",
    "waiting for a plane",
    "bank conflict",
)
POWER_STATES = ("active", "idle", "gated", "off", "waking")
(
    BUSY,
    STARVED,
    BLOCKED,
    UNIT_WAKING,
    BARRIER,
    UNIT_GATED,
    UNIT_OFF,
    WAITING_FOR_TOKENS,
    WAITING_FOR_A_PLANE,
    BANK_CONFLICT,
) = range(len(UNIT_STATES))
ACTIVE, IDLE, GATED, OFF, WAKING = range(5)

#: a packet's name: source endpoint * 2**36 + its number at that source, in the order they were put
PACKET_SHIFT = 36

GRANT = np.dtype(
    [
        ("cycle", "i8"),
        ("router", "i4"),
        ("in_port", "i1"),
        ("in_vc", "i1"),
        ("out_port", "i1"),
        ("out_vc", "i1"),
        ("packet", "i8"),
        ("flit", "i4"),
    ]
)
#: unit: -1 where a core waits between its steps, with tokens; vc: of the packet a synapse unit
#: took, else -1
UNIT = np.dtype(
    [
        ("cycle", "i8"),
        ("core", "i4"),
        ("unit", "i1"),
        ("state", "i1"),
        ("cycles", "i8"),
        ("vc", "i1"),
    ]
)
STATE = np.dtype([("cycle", "i8"), ("is_router", "i1"), ("index", "i4"), ("state", "i1")])
PACKET = np.dtype(
    [
        ("packet", "i8"),
        ("source", "i4"),
        ("destination", "i4"),
        ("size", "i4"),
        ("traffic_class", "i1"),
        ("inject_cycle", "i8"),
        ("head_entry_cycle", "i8"),
        ("head_arrive_cycle", "i8"),
        ("tail_arrive_cycle", "i8"),
        ("hops", "i4"),
    ]
)


@dataclass(frozen=True)
class Record:
    """Everything a run counted; int64 unless said otherwise; cycles are absolute.

    inject_cycle of a packet: the cycle it was put into its output or source queue; hops: routers
    visited (Manhattan distance + 1: routing is minimal); a multicast packet leaves one row per
    copy.  State changes: the state from that cycle on, one row per change, the state in cycle 0
    included.
    """

    cycles: int
    step_start: np.ndarray  # (n_steps,)
    step_quiet: np.ndarray  # (n_steps,)
    step_last_output: np.ndarray  # (n_steps,) last cycle a port consumed a flit; -1: none
    # (n_steps,) cycles after its due tick in which what follows a step begins; 0 without ticks
    step_overrun: np.ndarray
    counters: np.ndarray  # (n_endpoints, len(COUNTERS))
    step_counters: np.ndarray  # (n_steps, len(COUNTERS)): the same, by step
    step_port_counters: np.ndarray  # (n_steps, len(COUNTERS)): of the ports to the outside alone
    operand_bits: np.ndarray  # (n_operands, 2) of the work: bits of a weight, bits of a value
    operand_macs: np.ndarray  # (n_endpoints, n_operands): macs by the width of their operands
    step_operand_macs: np.ndarray  # (n_steps, n_operands)
    queue_peak: np.ndarray  # (n_cores, len(QUEUES))
    unit_cycles: np.ndarray  # (n_cores, len(UNITS), len(UNIT_STATES))
    state_cycles: np.ndarray  # (n_cores, len(POWER_STATES))
    # (n_steps, len(POWER_STATES)) over cores, from a step's start to the next
    step_state_cycles: np.ndarray
    link_flits: np.ndarray  # (n_routers, ports) flits granted to each output
    link_blocked: np.ndarray  # (n_routers, ports)
    router_flit_cycles: np.ndarray  # (n_routers,) sum over flits of leave - arrive + 1
    router_wakes: np.ndarray  # (n_routers,)
    router_state_cycles: np.ndarray  # (n_routers, len(POWER_STATES)); never OFF
    step_router_state_cycles: np.ndarray  # (n_steps, len(POWER_STATES))
    # (n_steps,)
    step_router_wakes: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    complete: bool = True  # False: stopped by the user after the last whole step
    # events, sorted (grants: cycle, router, in_port; states: cycle, is_router, index; packets:
    # packet, destination; units: cycle, core, unit)
    grants: np.ndarray = field(default_factory=lambda: np.zeros(0, GRANT))
    states: np.ndarray = field(default_factory=lambda: np.zeros(0, STATE))
    packets: np.ndarray = field(default_factory=lambda: np.zeros(0, PACKET))
    units: np.ndarray = field(default_factory=lambda: np.zeros(0, UNIT))


def sort_events(
    grants: np.ndarray, states: np.ndarray, packets: np.ndarray, units: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the four event logs in the order a Record keeps them."""
    return (
        np.sort(grants, order=["cycle", "router", "in_port", "in_vc", "out_port"]),
        np.sort(states, order=["cycle", "is_router", "index"]),
        np.sort(packets, order=["packet", "destination"]),
        np.sort(units, order=["cycle", "core", "unit", "cycles", "vc", "state"]),
    )


def _first_row(name: str, a: np.ndarray, b: np.ndarray) -> str | None:
    shared = min(len(a), len(b))
    differs = np.flatnonzero(a[:shared] != b[:shared])
    if len(differs):
        row = int(differs[0])
        return f"{name}[{row}]: {_row(a, row)} against {_row(b, row)}"
    if len(a) != len(b):
        longer = a if len(a) > len(b) else b
        return f"{name}: {len(a)} rows against {len(b)}; the first more is {_row(longer, shared)}"
    return None


def _row(log: np.ndarray, row: int) -> str:
    return ", ".join(f"{key} {log[row][key]}" for key in log.dtype.names or ())


def first_divergence(a: Record, b: Record, plan: Plan | None = None) -> str | None:
    """Return None when two records are equal to the bit, else one line that names the earliest
    difference and its place.

    Steps are compared first, then grants, states and packets by cycle, then every counter; `plan`
    is not needed and only adds the router's coordinates to the line.
    """
    earliest: tuple[int, str] | None = None
    for name in ("step_start", "step_quiet"):
        x, y = getattr(a, name), getattr(b, name)
        n = min(len(x), len(y))
        differs = np.flatnonzero(x[:n] != y[:n])
        if len(differs):
            step = int(differs[0])
            cycle = int(min(x[step], y[step]))
            if earliest is None or cycle < earliest[0]:
                earliest = (
                    cycle,
                    f"cycle {cycle}: {name} of step {step}: {x[step]} against {y[step]}",
                )
    for name in ("grants", "states"):
        x, y = getattr(a, name), getattr(b, name)
        line = _first_row(name, x, y)
        if line is not None:
            n = min(len(x), len(y))
            differs = np.flatnonzero(x[:n] != y[:n])
            row = int(differs[0]) if len(differs) else n
            cycle = int(min(log[row]["cycle"] for log in (x, y) if row < len(log)))
            if earliest is None or cycle < earliest[0]:
                place = ""
                if plan is not None:
                    log = x if row < len(x) else y
                    router = int(log[row]["router"] if name == "grants" else log[row]["index"])
                    if name == "grants" or log[row]["is_router"]:
                        place = f" (router at {router % plan.width},{router // plan.width})"
                earliest = (cycle, f"cycle {cycle}: {line}{place}")
    if earliest is not None:
        return earliest[1]
    for name in ("packets", "units"):
        line = _first_row(name, getattr(a, name), getattr(b, name))
        if line is not None:
            return line
    for name in a.__dataclass_fields__:
        x, y = getattr(a, name), getattr(b, name)
        if isinstance(x, np.ndarray):
            if x.shape != y.shape:
                return f"{name}: shape {x.shape} against {y.shape}"
            if x.dtype.names is None and not np.array_equal(x, y):
                at = tuple(int(i) for i in np.argwhere(x != y)[0])
                label = f", {COUNTERS[at[-1]]}" if "counters" in name else ""
                return f"{name}{list(at)}{label}: {x[at]} against {y[at]}"
        elif x != y:
            return f"{name}: {x} against {y}"
    return None
