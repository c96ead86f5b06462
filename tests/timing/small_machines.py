"""Machines small enough to work out by hand: a core and a port at one router, and work written as a
table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from simulator.mapping.plan import ACCUMULATE, LOCAL, OUTPUT, Activity, Plan, uncounted
from simulator.mapping.traffic import noc_plan

CORE, PORT = 0, 1


def core_and_port(**changes: Any) -> Plan:
    """Return one router with core 0 and port 1, all queues long, every stage one cycle, never
    gated.
    """
    plan = noc_plan(1, 1, buffer=8)
    values: dict[str, Any] = dict(
        local_ports=2,
        n_cores=1,
        endpoint_router=np.zeros(2, np.int32),
        endpoint_local=np.array([LOCAL, LOCAL + 1], np.int32),
        input_queue=8,
        spike_queue=8,
        output_queue=8,
        barrier_cycles=2,
        reload_cycles=np.zeros(1, np.int64),
    )
    return replace(plan, **(values | changes))


@dataclass(frozen=True)
class Step:
    """One step: neurons the core visits, (position, row) of those that fire, and (offset, row) of
    what the port injects.
    """

    visits: int = 0
    fires: Sequence[tuple[int, int]] = ()
    injects: Sequence[tuple[int, int]] = ()
    core: int = CORE
    port: int = PORT


@dataclass(frozen=True)
class Row:
    """The packets of a message, each (destination, flits, entry cycles, class), or the copies along
    a tree.
    """

    packets: Sequence[tuple[int, int, int, int]]
    tree: dict[int, int] = field(default_factory=dict)


def work(plan: Plan, rows: Sequence[Row], steps: Sequence[Step]) -> Activity:
    """Return the steps as an Activity."""
    working = [step for step in steps if step.visits]
    entries = [entry for row in rows for entry in row.packets]
    trees = [row.tree for row in rows if row.tree]
    nodes = [node for tree in trees for node in tree.items()]
    kind = [ACCUMULATE if entry[0] < plan.n_cores else OUTPUT for entry in entries]
    injections = [(step.port, *injection) for step in steps for injection in step.injects]
    messages = [message for step in working for message in step.fires]

    def total(counts: Sequence[int]) -> np.ndarray:
        return np.cumsum([0, *counts], dtype=np.int64)

    return Activity(
        work_start=total([bool(step.visits) for step in steps]),
        work_core=np.array([step.core for step in working], np.int32),
        work_visits=np.array([step.visits for step in working], np.int64),
        work_message=total([len(step.fires) for step in working]),
        message_position=np.array([position for position, _ in messages], np.int32),
        message_row=np.array([row for _, row in messages], np.int32),
        inject_start=total([len(step.injects) for step in steps]),
        inject_port=np.array([port for port, _, _ in injections], np.int32),
        inject_offset=np.array([offset for _, offset, _ in injections], np.int64),
        inject_row=np.array([row for _, _, row in injections], np.int32),
        row_start=total([len(row.packets) for row in rows]),
        row_tree=np.array(
            [sum(bool(r.tree) for r in rows[:n]) if row.tree else -1 for n, row in enumerate(rows)],
            np.int32,
        ),
        entry_endpoint=np.array([entry[0] for entry in entries], np.int32),
        entry_flits=np.array([entry[1] for entry in entries], np.int32),
        entry_class=np.array([entry[3] for entry in entries], np.uint8),
        entry_cycles=np.array([entry[2] for entry in entries], np.int64),
        entry_operations=np.full(len(entries), 10, np.int64),
        entry_kind=np.array(kind, np.uint8),
        entry_words=np.full(len(entries), 3, np.int64),
        entry_events=np.ones(len(entries), np.int64),
        tree_start=total([len(tree) for tree in trees]),
        tree_router=np.array([router for router, _ in nodes], np.int32),
        tree_mask=np.array([mask for _, mask in nodes], np.uint32),
        **uncounted(len(working), len(entries)),
    )
