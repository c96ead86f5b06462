"""Random machines and random work: every rule of docs/machine.md is drawn, every draw comes to an
end.
"""

from __future__ import annotations

import numpy as np

from simulator.mapping.plan import (
    ACCUMULATE,
    BARRIER,
    COUNT,
    LOCAL,
    MULTIPLY_ACCUMULATE,
    OUTPUT,
    PLANES,
    TOKENS,
    WORK_COUNTERS,
    Activity,
    Plan,
)
from simulator.mapping.routes import table, xy_tree
from simulator.mapping.tokens import with_tokens
from simulator.timing.record import GATED, IDLE, OFF

#: trees run along XY; only these tables allow every turn of theirs, so no circle can close between
#: the two
TREE_ROUTING = ("xy", "west-first")
#: pairs of operand widths
N_OPERANDS = 3
ROUTING = ("xy", "yx", "west-first", "negative-first")


def random_plan(rng: np.random.Generator, **fixed: object) -> Plan:
    """Return a random machine; `fixed` fields replace what was drawn."""

    def draw(*choices: int) -> int:
        return int(rng.choice(choices))

    width, height = int(rng.integers(1, 6)), int(rng.integers(1, 5))
    local_ports = draw(1, 1, 2, 3, 4)
    places = [
        (router, LOCAL + local) for router in range(width * height) for local in range(local_ports)
    ]
    rng.shuffle(places)
    places = places[: max(1, int(len(places) * rng.uniform(0.5, 1.0)))][:40]
    n_ports = int(rng.integers(1, max(2, len(places) // 3 + 1)))
    n_cores = len(places) - n_ports
    virtual_channels = draw(1, 2, 3, 4, 8)
    first, channels = [0, 0], [virtual_channels] * 2
    if virtual_channels > 1 and rng.random() < 0.5:
        split = int(rng.integers(1, virtual_channels))
        first, channels = [0, split], [split, virtual_channels - split]
    gate_after = draw(-1, 0, 0, 1, 2, 5, 20)
    off_after = -1 if rng.random() < 0.5 else max(gate_after, 0) + draw(0, 1, 3, 15)
    values: dict = dict(
        width=width,
        height=height,
        local_ports=local_ports,
        n_cores=n_cores,
        endpoint_router=np.array([router for router, _ in places], np.int32),
        endpoint_local=np.array([port for _, port in places], np.int32),
        pipeline=draw(0, 1),
        virtual_channels=virtual_channels,
        buffer=draw(1, 2, 3, 4, 8, 16),
        atomic=bool(rng.random() < 0.3),
        link_latency=rng.integers(1, 6, 2),
        link_interval=rng.choice([1, 1, 1, 2, 3, 5], 2).astype(np.int64),
        class_first=np.array(first, np.int64),
        class_channels=np.array(channels, np.int64),
        allowed=table(str(rng.choice(ROUTING))),
        input_queue=draw(1, 2, 4, 8),
        spike_queue=draw(1, 2, 4, 8),
        output_queue=draw(1, 2, 4, 8),
        soma_cycles=draw(1, 1, 2, 5),
        soma_spike_cycles=draw(0, 0, 1, 4),
        axon_cycles=draw(1, 1, 2, 4),
        event_group=draw(1, 1, 4, 16),
        barrier_cycles=draw(1, 2, 7, 30),
        synchronisation=BARRIER,
        planes=PLANES,
        gate_after=gate_after,
        off_after=off_after,
        gate_wake=draw(0, 1, 2, 6),
        off_wake=draw(0, 1, 5, 12),
        reload_cycles=rng.integers(0, 20, n_cores) * draw(0, 1),
        router_gate_after=draw(-1, -1, 0, 1, 4),
        router_wake=draw(0, 1, 2, 5),
    )
    apart = np.random.default_rng([width, height, n_cores, virtual_channels, gate_after + 1])
    values["step_tick"] = int(apart.choice([0, 0, 0, 1, 7, 50, 400]))
    if apart.random() < 0.3:
        values["unused"] = apart.choice([-1, -1, -1, IDLE, GATED, OFF], n_cores).astype(np.int8)
    if apart.random() < 0.35:
        values |= {"synchronisation": TOKENS, "planes": int(apart.choice([2, 2, 3, 5]))}
        values["step_tick"] = 0
    values |= _synapse_unit(apart)
    values.update(fixed)
    return Plan(**values)


def _synapse_unit(rng: np.random.Generator) -> dict:
    """Return random lanes and banks, and the cycles of a lane."""
    adds = rng.choice([1, 1, 2, 4], 2)
    return {
        "lanes": int(rng.choice([1, 8, 64, 64])),
        "banks": int(rng.choice([1, 2, 3, 4, 8])),
        "add_cycles": adds.astype(np.int64),
        "shared_cycles": int(rng.integers(0, adds.min())),
    }


class _Rows:
    """Rows as they are drawn: a list of packets each, or one packet along a tree."""

    def __init__(self, rng: np.random.Generator, plan: Plan) -> None:
        self.rng, self.plan = rng, plan
        # what is only counted is drawn apart, so that it leaves every other draw as it was
        self.counted = np.random.default_rng(plan.n_endpoints)
        self.start = [0]
        self.tree: list[int] = []
        self.entry: list[tuple[int, ...]] = []
        self.trees: list[dict[int, int]] = []
        self.endpoint = np.flatnonzero(
            np.append(plan.works, np.ones(plan.n_endpoints - plan.n_cores, bool))
        )
        self.allows_trees = any(np.array_equal(plan.allowed, table(name)) for name in TREE_ROUTING)

    def add(self, source: int) -> int:
        """Return the number of a new row that `source` may send."""
        rng, plan = self.rng, self.plan
        is_tree = self.allows_trees and rng.random() < 0.3
        traffic_class = int(rng.integers(0, 2))
        count = (
            int(min(len(self.endpoint), rng.integers(1, 7))) if is_tree else int(rng.integers(1, 4))
        )
        targets = rng.choice(self.endpoint, count, replace=not is_tree)
        first = len(self.entry)
        for target in targets:
            self.entry.append(self._entry(int(target), is_tree, traffic_class))
        if is_tree:  # copies are as long as what every queue and buffer on the way can hold
            most = min(5, plan.buffer, plan.input_queue)
            flits = int(self.counted.choice([1, 1, min(2, most), most]))
            self.entry[first:] = [(one[0], flits, *one[2:]) for one in self.entry[first:]]
        self.start.append(len(self.entry))
        self.tree.append(len(self.trees) if is_tree else -1)
        if is_tree:
            places = [(int(plan.endpoint_router[e]), int(plan.endpoint_local[e])) for e in targets]
            self.trees.append(
                xy_tree(plan.width, plan.height, int(plan.endpoint_router[source]), places)
            )
        return len(self.tree) - 1

    def _entry(self, target: int, is_tree: bool, traffic_class: int) -> tuple[int, ...]:
        rng, plan = self.rng, self.plan
        is_core = target < plan.n_cores
        # a packet larger than the queue of its core could never be taken whole
        most = 1 if is_tree else min(5, plan.input_queue) if is_core else 5
        flits = int(rng.choice([1, 1, min(2, most), most]))
        if not is_tree:
            traffic_class = int(rng.integers(0, 2))
        kind = int(rng.choice([ACCUMULATE, MULTIPLY_ACCUMULATE])) if is_core else OUTPUT
        if is_core and self.counted.random() < 0.2:
            kind = COUNT
        operations = int(rng.integers(0, 50)) if is_core else 0
        cycles = int(rng.choice([1, 1, 2, 3, 9]))
        if plan.event_group > 1:  # so slow that others come meanwhile
            cycles *= 8
        events = int(rng.integers(1, 4))
        bits = self.counted.integers(0, 40, 3).tolist()
        operands, touched = int(self.counted.integers(0, N_OPERANDS)), self.counted.integers(0, 50)
        group = int(self.counted.choice([-1, 0, 0, 0, 0, 1])) if is_core else -1
        words = operations // 4
        if group >= 0:  # rows of one length, with as many synapses each
            operations, words = operations // events * events, words // events * events
        lookup = int(self.counted.integers(0, cycles + 1))
        conflict = int(self.counted.choice([0, 0, 3])) * (group >= 0)
        of_packet = (target, flits, traffic_class, cycles, operations, kind, words, events)
        return (*of_packet, *bits, operands, int(touched), group, lookup, conflict)


def random_activity(rng: np.random.Generator, plan: Plan, load: float = 1.0) -> Activity:
    """Return one to four steps of random work for the machine; `load` scales how many spikes and
    packets there are.
    """
    rows = _Rows(rng, plan)
    n_steps = 1 if plan.barrier_cycles == 0 else int(rng.integers(1, 5))
    own_rows: dict[int, list[int]] = {}
    work_start, work_message, inject_start = [0], [0], [0]
    work: list[tuple[int, int]] = []
    messages: list[tuple[int, int]] = []
    injections: list[tuple[int, int, int]] = []

    def row_of(source: int) -> int:
        own = own_rows.setdefault(source, [])
        if not own or rng.random() < 0.5:
            own.append(rows.add(source))
        return int(rng.choice(own))

    for _ in range(n_steps):
        is_silent = rng.random() < 0.1
        busy_cores = [core for core in range(plan.n_cores) if rng.random() < 0.6 and not is_silent]
        busy_cores = [core for core in busy_cores if plan.works[core]]
        rng.shuffle(busy_cores)
        for core in busy_cores:
            visits = int(rng.integers(1, 2 + int(16 * load)))
            for position in np.flatnonzero(rng.random(visits) < rng.choice([0.0, 0.2, 1.0])):
                messages.append((int(position), -1 if rng.random() < 0.2 else row_of(core)))
            work.append((core, visits))
            work_message.append(len(messages))
        work_start.append(len(work))
        step_injections = []
        for port in range(plan.n_cores, plan.n_endpoints):
            if rng.random() < 0.7 and not is_silent:
                span = int(rng.choice([1, 10, 60]))
                for offset in np.sort(
                    rng.integers(0, span, int(rng.integers(1, 2 + int(8 * load))))
                ):
                    step_injections.append((port, int(offset), row_of(port)))
        step_injections.sort(key=lambda injection: injection[1])
        injections += step_injections
        inject_start.append(len(injections))

    made = _activity(rows, work_start, work, work_message, messages, inject_start, injections)
    if plan.synchronisation == BARRIER:
        return made
    # partners that send each other nothing but tokens
    n = int(rows.counted.integers(0, 4)) * plan.works.any()
    pairs = rows.counted.choice(rows.endpoint, (n, 2))
    pairs[:, 1] = rows.counted.choice(np.flatnonzero(plan.works), n) if n else 0
    return with_tokens(plan, made, pairs, header_bits=int(rows.counted.integers(0, 30)))


def _activity(
    rows: _Rows, work_start, work, work_message, messages, inject_start, injections
) -> Activity:
    def column(table: list, number: int, dtype: type) -> np.ndarray:
        return np.array([row[number] for row in table], dtype)

    nodes = [node for tree in rows.trees for node in tree.items()]
    events = column(rows.entry, 7, np.int64)
    return Activity(
        work_start=np.array(work_start, np.int64),
        work_core=column(work, 0, np.int32),
        work_visits=column(work, 1, np.int64),
        work_message=np.array(work_message, np.int64),
        message_position=column(messages, 0, np.int32),
        message_row=column(messages, 1, np.int32),
        inject_start=np.array(inject_start, np.int64),
        inject_port=column(injections, 0, np.int32),
        inject_offset=column(injections, 1, np.int64),
        inject_row=column(injections, 2, np.int32),
        row_start=np.array(rows.start, np.int64),
        row_tree=np.array(rows.tree, np.int32),
        entry_endpoint=column(rows.entry, 0, np.int32),
        entry_flits=column(rows.entry, 1, np.int32),
        entry_class=column(rows.entry, 2, np.uint8),
        entry_cycles=column(rows.entry, 3, np.int64),
        entry_operations=column(rows.entry, 4, np.int64),
        entry_kind=column(rows.entry, 5, np.uint8),
        entry_words=column(rows.entry, 6, np.int64),
        entry_events=column(rows.entry, 7, np.int64),
        tree_start=np.cumsum([0] + [len(tree) for tree in rows.trees], dtype=np.int64),
        tree_router=column(nodes, 0, np.int32),
        tree_mask=column(nodes, 1, np.uint32),
        entry_payload_bits=column(rows.entry, 8, np.int32),
        entry_header_bits=column(rows.entry, 9, np.int32),
        entry_stream_bits=column(rows.entry, 10, np.int32),
        entry_operands=column(rows.entry, 11, np.int32),
        entry_accumulator_words=column(rows.entry, 12, np.int64),
        entry_group=column(rows.entry, 13, np.int32),
        entry_lookup_cycles=column(rows.entry, 14, np.int64),
        entry_conflict_cycles=column(rows.entry, 15, np.int64),
        entry_first_event=np.cumsum(events) - events,
        event_address=rows.counted.integers(0, 100, int(events.sum())),
        work_counts=rows.counted.integers(0, 20, (len(work), len(WORK_COUNTERS))),
        work_clear=rows.counted.choice([0, 0, 1, 30], len(work)),
        step_begins=rows.counted.integers(0, 2, len(work_start) - 1).astype(np.uint8),
        operand_bits=np.array([[8, bits] for bits in range(1, N_OPERANDS + 1)], np.int64),
    )
