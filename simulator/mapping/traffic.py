"""A bare network and its traffic: every tile is one port to the outside, a trace of packets is the
only work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from simulator.errors import InputError
from simulator.mapping.plan import (
    BARRIER,
    LOCAL,
    LOOKAHEAD,
    OUTPUT,
    PLANES,
    Activity,
    Plan,
    uncounted,
)
from simulator.mapping.routes import table, xy_tree


def noc_plan(
    width: int,
    height: int,
    *,
    pipeline: int = LOOKAHEAD,
    virtual_channels: int = 1,
    buffer: int = 8,
    atomic: bool = False,
    routing: str = "xy",
    **changes: Any,
) -> Plan:
    """Return a mesh without cores, one port to the outside per router; `changes` replace fields of
    the Plan.
    """
    n_routers = width * height
    plan = Plan(
        width=width,
        height=height,
        local_ports=1,
        n_cores=0,
        endpoint_router=np.arange(n_routers, dtype=np.int32),
        endpoint_local=np.full(n_routers, LOCAL, np.int32),
        pipeline=pipeline,
        virtual_channels=virtual_channels,
        buffer=buffer,
        atomic=atomic,
        link_latency=np.ones(2, np.int64),
        link_interval=np.ones(2, np.int64),
        class_first=np.zeros(2, np.int64),
        class_channels=np.full(2, virtual_channels, np.int64),
        allowed=table(routing),
        input_queue=buffer,
        spike_queue=1,
        output_queue=1,
        soma_cycles=1,
        soma_spike_cycles=0,
        axon_cycles=1,
        event_group=1,
        lanes=1,
        banks=1,
        add_cycles=np.ones(2, np.int64),
        shared_cycles=0,
        barrier_cycles=0,
        step_tick=0,
        synchronisation=BARRIER,
        planes=PLANES,
        gate_after=-1,
        off_after=-1,
        gate_wake=0,
        off_wake=0,
        reload_cycles=np.zeros(0, np.int64),
        router_gate_after=-1,
        router_wake=0,
    )
    return replace(plan, **changes)


def trace_activity(plan: Plan, packets: Sequence[Sequence[int]] | np.ndarray) -> Activity:
    """Return one step in which ports inject the packets (cycle, source, destination, flits[,
    class]) at their cycles.

    Packets of one source and cycle keep their order, so a source's k-th packet is its k-th in
    (cycle, position).
    """
    trace = np.asarray(packets, np.int64)
    if trace.size == 0:
        trace = trace.reshape(0, 5)
    if trace.ndim != 2 or trace.shape[1] not in (4, 5):
        numbers = f"{trace.shape[-1]} numbers"
        raise InputError(
            f"trace: a packet must be (cycle, source, destination, flits[, class]), not {numbers}"
        )
    if trace.shape[1] == 4:
        trace = np.column_stack([trace, np.zeros(len(trace), np.int64)])
    _check(plan, trace)
    trace = trace[np.argsort(trace[:, 0], kind="stable")]
    n = len(trace)
    number = np.arange(n + 1, dtype=np.int64)
    return Activity(
        work_start=np.zeros(2, np.int64),
        work_core=np.zeros(0, np.int32),
        work_visits=np.zeros(0, np.int64),
        work_message=np.zeros(1, np.int64),
        message_position=np.zeros(0, np.int32),
        message_row=np.zeros(0, np.int32),
        inject_start=np.array([0, n], np.int64),
        inject_port=trace[:, 1].astype(np.int32),
        inject_offset=trace[:, 0].copy(),
        inject_row=number[:-1].astype(np.int32),
        row_start=number,
        row_tree=np.full(n, -1, np.int32),
        entry_endpoint=trace[:, 2].astype(np.int32),
        entry_flits=trace[:, 3].astype(np.int32),
        entry_class=trace[:, 4].astype(np.uint8),
        entry_cycles=np.ones(n, np.int64),
        entry_operations=np.zeros(n, np.int64),
        entry_kind=np.full(n, OUTPUT, np.uint8),
        entry_words=np.zeros(n, np.int64),
        entry_events=np.ones(n, np.int64),
        tree_start=np.zeros(1, np.int64),
        tree_router=np.zeros(0, np.int32),
        tree_mask=np.zeros(0, np.uint32),
        **uncounted(0, n),
    )


def multicast_activity(
    plan: Plan, packets: np.ndarray, groups: np.ndarray, *, as_trees: bool
) -> Activity:
    """Return one step in which each packet (cycle, source, ...) goes to all endpoints of its row of
    groups, rising, in one flit.

    groups: (n, k) endpoints.  as_trees: one multicast packet along the XY tree, else k packets in
    the order of the group.
    """
    n, k = groups.shape
    copies = np.repeat(packets, k, axis=0)
    copies[:, 2], copies[:, 3] = groups.reshape(-1), 1
    activity = trace_activity(plan, copies)
    rows = {
        "inject_start": np.array([0, n], np.int64),
        "inject_port": packets[:, 1].astype(np.int32),
        "inject_offset": packets[:, 0].astype(np.int64),
        "inject_row": np.arange(n, dtype=np.int32),
        "row_start": np.arange(n + 1, dtype=np.int64) * k,
        "row_tree": np.full(n, -1, np.int32),
    }
    if as_trees:
        place = list(zip(plan.endpoint_router.tolist(), plan.endpoint_local.tolist()))
        trees = [
            xy_tree(
                plan.width, plan.height, place[source][0], [place[endpoint] for endpoint in group]
            )
            for source, group in zip(packets[:, 1].tolist(), groups.tolist())
        ]
        rows |= {
            "row_tree": np.arange(n, dtype=np.int32),
            "tree_start": np.cumsum([0, *(len(tree) for tree in trees)], dtype=np.int64),
            "tree_router": np.array([router for tree in trees for router in tree], np.int32),
            "tree_mask": np.array([mask for tree in trees for mask in tree.values()], np.uint32),
        }
    return replace(activity, **rows)


def _check(plan: Plan, trace: np.ndarray) -> None:
    limits = (
        ("cycle", 0, None),
        ("source", plan.n_cores, plan.n_endpoints - 1),
        ("destination", 0, plan.n_endpoints - 1),
        ("flits", 1, None),
        ("class", 0, 1),
    )
    for column, (name, lowest, highest) in enumerate(limits):
        values = trace[:, column]
        wrong = np.flatnonzero(
            (values < lowest) | (values > (highest if highest is not None else values))
        )
        if len(wrong):
            most = "" if highest is None else f" and at most {highest}"
            raise InputError(
                f"trace: packet {wrong[0]}: {name} must be at least {lowest}{most}, not "
                f"{values[wrong[0]]}"
            )
