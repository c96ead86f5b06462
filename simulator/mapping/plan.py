"""The frozen chip and the frozen work, as arrays: all an engine ever sees (docs/machine.md).

A `Plan` is the machine: integers and small tables.  An `Activity` is what it has to do, step by
step: which core visits how many neurons, which of them send a message, where every message goes and
what it costs there. No YAML, no strings, no units, no defaults reach an engine.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from simulator.describe import routing
from simulator.errors import InputError
from simulator.values import Value

#: router ports 0..3; local ports follow
EAST, WEST, NORTH, SOUTH, LOCAL = routing.PORTS
LOOKAHEAD, CANONICAL = 0, 1
BARRIER, TOKENS = 0, 1
#: what an entry's operations are; COUNT: a count of spikes times a weight; the last two are tokens
#: [Q1]
ACCUMULATE, MULTIPLY_ACCUMULATE, OUTPUT, COUNT, FORWARD, BACK = range(6)
#: accumulators per current that a machine has at least, and at most
PLANES, MAX_PLANES = 2, 32
#: what a work item counts beside its visits and messages, booked when its soma begins it
WORK_COUNTERS = (
    "membrane_reads",
    "membrane_writes",
    "threshold_tests",
    "clamps",
    "requantisations",
    "resets",  # spikes that subtract the threshold or clear the potential
    "events_generated",  # spikes, activations or potentials handed to axon-out
    "state_clears",  # words of neuron memory written before an inference begins
)
MAX_VIRTUAL_CHANNELS = 8
MAX_BUFFER = 64
#: masks of ports are signed 32-bit words
MAX_PORTS = 31


@dataclass(frozen=True, eq=False)
class Plan(Value):
    """One machine: every rule of docs/machine.md as a number.  Durations are in cycles, sizes in
    flits or entries.  Raises InputError for a machine that no engine can be.
    """

    # geometry
    width: int
    height: int
    local_ports: int  # per router
    n_cores: int  # endpoints 0 .. n_cores - 1; the other endpoints are ports to the outside
    endpoint_router: np.ndarray  # (n_endpoints,) int32
    endpoint_local: np.ndarray  # (n_endpoints,) int32, the router port: 4, 5, ...
    # router
    pipeline: int  # LOOKAHEAD or CANONICAL
    virtual_channels: int  # 1 .. 8
    buffer: int  # flits per VC, 1 .. 64
    atomic: bool
    link_latency: np.ndarray  # (2,) int64: east-west, north-south; >= 1
    link_interval: np.ndarray  # (2,) int64: east-west, north-south; >= 1
    class_first: np.ndarray  # (2,) int64: the first VC of a traffic class
    class_channels: (
        np.ndarray
    )  # (2,) int64: how many VCs the class has; ranges may overlap or be equal
    allowed: np.ndarray  # (5, 2, 3, 3) uint8: routing table, bits of ports 0..3
    # core
    input_queue: int  # flits per VC
    spike_queue: int  # messages
    output_queue: int  # packets per class
    soma_cycles: int  # per visit, >= 1
    soma_spike_cycles: int  # more for a visit whose neuron sends, >= 0
    axon_cycles: int  # per packet, >= 1
    event_group: int  # events the synapse unit serves together, >= 1
    lanes: int  # synapses it adds at once, >= 1
    banks: int  # of its memory, each of which reads a word in a cycle, >= 1
    add_cycles: np.ndarray  # (2,) int64: of a lane for an accumulate, a multiply-accumulate; >= 1
    shared_cycles: int  # of them, what accumulators take once in a group; less than both
    # synchronisation: cycles from quiet to the next start (>= 1 when there is more than one step)
    barrier_cycles: int
    step_tick: int  # steps start at its whole multiples; 0: at any cycle
    synchronisation: int  # BARRIER or TOKENS
    planes: int  # of accumulators, >= 2
    # power; -1: never
    gate_after: int
    off_after: int
    gate_wake: int
    off_wake: int
    reload_cycles: np.ndarray  # (n_cores,) int64, added to off_wake; zeros with retention
    router_gate_after: int
    router_wake: int
    # (n_cores,) int8: the power state a core without work stays in all through a run, -1: it works;
    # empty: all work
    unused: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int8))

    def __post_init__(self) -> None:
        """Refuse what is beyond the machine's limits, and freeze the arrays."""
        super().__post_init__()
        limits = (
            ("virtual_channels", self.virtual_channels, 1, MAX_VIRTUAL_CHANNELS),
            ("buffer", self.buffer, 1, MAX_BUFFER),
            ("ports", self.ports, 1, MAX_PORTS),
            ("link_latency", int(self.link_latency.min()), 1, None),
            ("link_interval", int(self.link_interval.min()), 1, None),
            ("soma_cycles", self.soma_cycles, 1, None),
            ("axon_cycles", self.axon_cycles, 1, None),
            ("event_group", self.event_group, 1, None),
            ("lanes", self.lanes, 1, None),
            ("banks", self.banks, 1, None),
            ("add_cycles", int(self.add_cycles.min()), 1, None),
            ("shared_cycles", self.shared_cycles, 0, int(self.add_cycles.min()) - 1),
            ("barrier_cycles", self.barrier_cycles, 0, None),
            ("step_tick", self.step_tick, 0, None if self.synchronisation == BARRIER else 0),
            ("synchronisation", self.synchronisation, BARRIER, TOKENS),
            ("planes", self.planes, PLANES, MAX_PLANES),
        )
        for name, value, least, most in limits:
            if value < least or (most is not None and value > most):
                bound = f"at least {least}" if most is None else f"{least} to {most}"
                raise InputError(f"plan: {name}: must be {bound}, not {value}")

    @property
    def n_routers(self) -> int:
        """Routers in the mesh."""
        return self.width * self.height

    @property
    def ports(self) -> int:
        """Ports of each router: four mesh directions and the local ones."""
        return 4 + self.local_ports

    @property
    def works(self) -> np.ndarray:
        """Which cores may work, (n_cores,) bool."""
        return self.unused < 0 if len(self.unused) else np.ones(self.n_cores, bool)

    @property
    def n_endpoints(self) -> int:
        """Cores and ports to the outside."""
        return len(self.endpoint_router)


@dataclass(frozen=True, eq=False)
class Activity(Value):
    """The work of a run, step by step.

    A *row* is the list of packets one message becomes: entries row_start[r] .. row_start[r + 1] -
    1, in order.  With row_tree[r] >= 0 the row is one multicast packet instead: its entries are the
    copies, one per destination.
    """

    # steps: CSR over steps, one work item per core that visits neurons in that step
    work_start: np.ndarray  # (n_steps + 1,) int64
    work_core: np.ndarray  # (n_work,) int32
    work_visits: np.ndarray  # (n_work,) int64, neurons visited, >= 1
    work_message: np.ndarray  # (n_work + 1,) int64: CSR into messages, which are sorted by position
    message_position: (
        np.ndarray
    )  # (n_messages,) int32, 0 .. visits - 1, strictly rising within a work item
    message_row: np.ndarray  # (n_messages,) int32; -1: the neuron fires, but nothing is sent
    # what ports put into the mesh: CSR over steps, offsets not falling within one step and port
    inject_start: np.ndarray  # (n_steps + 1,) int64
    inject_port: np.ndarray  # (n_injections,) int32, an endpoint >= n_cores
    inject_offset: np.ndarray  # (n_injections,) int64, cycles after the step's start
    inject_row: np.ndarray  # (n_injections,) int32
    # rows and their entries
    row_start: np.ndarray  # (n_rows + 1,) int64
    row_tree: np.ndarray  # (n_rows,) int32; -1: unicast
    entry_endpoint: np.ndarray  # (n_entries,) int32, destination
    entry_flits: np.ndarray  # (n_entries,) int32, >= 1
    entry_class: np.ndarray  # (n_entries,) uint8, traffic class 0 or 1
    entry_cycles: (
        np.ndarray
    )  # (n_entries,) int64, the synapse unit's busy time, >= 1 (unused at ports)
    entry_operations: np.ndarray  # (n_entries,) int64, synapses served
    entry_kind: (
        np.ndarray
    )  # (n_entries,) uint8: ACCUMULATE, MULTIPLY_ACCUMULATE, COUNT, OUTPUT (to a port)
    entry_words: np.ndarray  # (n_entries,) int64, weight words read
    # (n_entries,) int64, words of accumulators read and written
    entry_accumulator_words: np.ndarray
    entry_events: np.ndarray  # (n_entries,) int64, spikes or activations carried
    # what else is counted: of a packet, bits per mesh link; of a work item, WORK_COUNTERS
    entry_payload_bits: np.ndarray  # (n_entries,) int32, of events
    entry_header_bits: np.ndarray  # (n_entries,) int32
    entry_stream_bits: np.ndarray  # (n_entries,) int32, payload of bitmaps and dense streams
    entry_operands: np.ndarray  # (n_entries,) int32, a row of operand_bits (for macs)
    work_counts: np.ndarray  # (n_work, len(WORK_COUNTERS)) int64
    operand_bits: np.ndarray  # (n_operands, 2) int64: bits of a weight, bits of a value
    # multicast trees: CSR over trees of (router, mask of output ports), routers rising
    tree_start: np.ndarray  # (n_trees + 1,) int64
    tree_router: np.ndarray  # int32
    tree_mask: np.ndarray  # uint32, bits of router ports, local ones included
    # (n_entries,) int32: packets of one number at a core add to the same accumulators; -1: alone;
    # empty: all alone
    entry_group: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    # (n_entries,) int64, empty: none: of entry_cycles, what a packet takes in a group as well; and
    # beside them, what its own events wait for each other's banks
    entry_lookup_cycles: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    entry_conflict_cycles: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    # (n_entries,) int64: where the events of a packet that may join others begin in event_address
    entry_first_event: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    # (n,) int64: the word of synapse memory in which the row of an event begins
    event_address: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    # (n_work,) int64: cycles in which the soma clears state before its visits; empty: none
    work_clear: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    # (n_endpoints,) int32: the row of an endpoint's tokens, -1: none; empty: nobody has one
    token_row: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    # (n_steps,) uint8: 1 where an inference begins and no other is under way, with new state;
    # empty: in the first step alone
    step_begins: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint8))
    # (n_steps + 1,) int64: step s starts, and the run ends, no earlier than that cycle; empty:
    # nothing is held back
    step_release: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        """Refuse what cannot be followed, and freeze the arrays."""
        n_entries = len(self.entry_endpoint)
        if not len(self.entry_group):
            object.__setattr__(self, "entry_group", np.full(n_entries, -1, np.int32))
        for name in ("lookup_cycles", "conflict_cycles", "first_event"):
            if not len(getattr(self, f"entry_{name}")):
                object.__setattr__(self, f"entry_{name}", np.zeros(n_entries, np.int64))
        super().__post_init__()
        self._refuse_uneven_groups()
        empty = np.flatnonzero(np.diff(self.row_start) < 1)
        if len(empty):
            raise InputError(f"activity: row {empty[0]}: must have at least one entry")
        if len(self.work_clear) and self.work_clear.min() < 0:
            raise InputError(f"work_clear: must be 0 or more, not {self.work_clear.min()}")
        release = self.step_release
        if len(release) and len(release) != self.n_steps + 1:
            raise InputError(
                f"step_release: must have {self.n_steps + 1} entries, not {len(release)}"
            )
        if len(release) and release.min() < 0:
            raise InputError(f"step_release: must be 0 or more, not {release.min()}")

    def _refuse_uneven_groups(self) -> None:
        grouped = np.flatnonzero(self.entry_group >= 0)
        events = self.entry_events[grouped]
        uneven = events < 1
        for counted in (self.entry_words, self.entry_operations):
            uneven |= counted[grouped] % np.maximum(events, 1) != 0
        if uneven.any():
            raise InputError(
                f"activity: entry {grouped[uneven][0]}: a packet of a group must have events, and "
                f"as many words and operations for each"
            )

    def refuse_misfit(self, plan: Plan) -> None:
        """Raise InputError where this work cannot be done on that machine."""
        joins = (self.entry_group >= 0) & (self.entry_events < plan.event_group)
        ends = (self.entry_first_event + self.entry_events)[joins]
        if ends.max(initial=0) > len(self.event_address):
            raise InputError(
                f"activity: event_address: must have at least {ends.max()} entries, not "
                f"{len(self.event_address)}"
            )
        if self.n_steps > 1 and plan.barrier_cycles < 1:
            raise InputError(
                f"plan: barrier_cycles: must be at least 1 with more than one step, not "
                f"{plan.barrier_cycles}"
            )
        asleep = np.flatnonzero(plan.unused >= 0)
        busy = np.intersect1d(asleep, np.concatenate([self.work_core, self.entry_endpoint]))
        if len(busy):
            raise InputError(f"plan: unused: core {busy[0]} must work, not stay asleep")
        tree = np.flatnonzero(self.row_tree >= 0)
        if not len(tree):
            return
        first = self.entry_flits[self.row_start[tree]]
        last = np.maximum.reduceat(self.entry_flits, self.row_start[:-1])[tree]
        if (longest := int(last.max())) > plan.buffer:
            raise InputError(
                f"activity: a multicast packet must fit in a router's buffer of {plan.buffer} "
                f"flits, not take {longest}"
            )
        if (uneven := tree[first != last]).size:
            raise InputError(f"activity: row {uneven[0]}: all copies must have as many flits")

    @property
    def begins(self) -> np.ndarray:
        """Return step_begins with the first step written out, (n_steps,) uint8."""
        if len(self.step_begins):
            return self.step_begins
        return (np.arange(self.n_steps) == 0).astype(np.uint8)

    @property
    def clear(self) -> np.ndarray:
        """Return work_clear with zeros written out, (n_work,) int64."""
        if not len(self.work_clear):
            return np.zeros(len(self.work_core), np.int64)
        return self.work_clear

    @property
    def release(self) -> np.ndarray:
        """Return step_release with zeros written out, (n_steps + 1,) int64."""
        if not len(self.step_release):
            return np.zeros(self.n_steps + 1, np.int64)
        return self.step_release.astype(np.int64)

    @property
    def n_steps(self) -> int:
        """Chip steps in the run."""
        return len(self.work_start) - 1


def uncounted(n_work: int, n_entries: int) -> dict[str, np.ndarray]:
    """Return the fields of an Activity that only counters need, for work of which nothing more is
    counted.
    """
    nothing = np.broadcast_to(np.int32(0), n_entries)
    names = ("payload_bits", "header_bits", "stream_bits", "operands")
    return {f"entry_{name}": nothing for name in names} | {
        "entry_accumulator_words": nothing.astype(np.int64),
        "work_counts": np.zeros((n_work, len(WORK_COUNTERS)), np.int64),
        "operand_bits": np.ones((1, 2), np.int64),
    }


NO_TREES: dict[str, np.ndarray] = {
    "tree_start": np.zeros(1, np.int64),
    "tree_router": np.zeros(0, np.int32),
    "tree_mask": np.zeros(0, np.uint32),
}
