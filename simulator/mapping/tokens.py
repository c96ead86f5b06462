"""Tokens instead of barriers: who tells whom that a step is complete, and whether that can
deadlock.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from simulator.describe.network import Network
from simulator.errors import InputError
from simulator.mapping import routes
from simulator.mapping.core_mapping import CoreMapping
from simulator.mapping.plan import BACK, FORWARD, TOKENS, Activity, Plan


def takes_part(plan: Plan, activity: Activity) -> np.ndarray:
    """Return which endpoints have steps of their own, (n_endpoints,) bool; none without tokens."""
    found = np.zeros(plan.n_endpoints, bool)
    if plan.synchronisation == TOKENS:
        found[activity.work_core] = True
        found[activity.inject_port] = True
        found |= tokens_of(plan, activity) >= 0
    return found


def tokens_of(plan: Plan, activity: Activity) -> np.ndarray:
    """Return each endpoint's row of tokens, (n_endpoints,) int32, -1: none."""
    if len(activity.token_row):
        return activity.token_row
    return np.full(plan.n_endpoints, -1, np.int32)


def sends_to(plan: Plan, activity: Activity) -> np.ndarray:
    """Return the pairs of an endpoint and a core that it sends packets to in this run, (n, 2),
    sorted.
    """
    messages = np.diff(activity.work_message)
    source = np.repeat(activity.work_core.astype(np.int64), messages)
    source = np.concatenate([source, activity.inject_port.astype(np.int64)])
    row = np.concatenate([activity.message_row, activity.inject_row]).astype(np.int64)
    source, row = np.unique(np.stack([source[row >= 0], row[row >= 0]]), axis=1)
    size = np.diff(activity.row_start)[row]
    within = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    entry = np.repeat(activity.row_start[row], size) + within
    target = activity.entry_endpoint[entry].astype(np.int64)
    pairs = np.stack([np.repeat(source, size), target], axis=1)
    return np.unique(pairs[target < plan.n_cores], axis=0)


def with_tokens(
    plan: Plan, activity: Activity, pairs: np.ndarray, header_bits: int = 0
) -> Activity:
    """Return the work with a row of tokens for everyone in `pairs` of a source and its destination,
    (n, 2), to which those that send something in the run are added.
    """
    pairs = np.unique(np.concatenate([pairs, sends_to(plan, activity)]), axis=0).astype(np.int64)
    back = np.stack([pairs[:, 1], np.zeros(len(pairs), np.int64), pairs[:, 0]], axis=1)
    forward = np.stack([pairs[:, 0], np.ones(len(pairs), np.int64), pairs[:, 1]], axis=1)
    table = np.unique(np.concatenate([back, forward]), axis=0)  # by sender, back before forward
    sender, start = np.unique(table[:, 0], return_index=True)
    n, first, n_rows = len(table), len(activity.entry_endpoint), len(activity.row_tree)
    token_row = np.full(plan.n_endpoints, -1, np.int32)
    token_row[sender] = n_rows + np.arange(len(sender))
    kind = np.where(table[:, 1] == 1, FORWARD, BACK)
    added = {
        "entry_endpoint": table[:, 2],
        "entry_flits": np.ones(n),
        "entry_cycles": np.ones(n),
        "entry_kind": kind,
        "entry_group": np.full(n, -1),
        "entry_header_bits": np.full(n, header_bits),
    }
    columns = {
        name: np.concatenate([column, added.get(name, np.zeros(n)).astype(column.dtype)])
        for name in activity.__dataclass_fields__
        if name.startswith("entry_")
        for column in [getattr(activity, name)]
    }
    return replace(
        activity,
        **columns,
        token_row=token_row,
        row_start=np.concatenate(
            [activity.row_start, first + np.append(start[1:], n)[: len(sender)]]
        ),
        row_tree=np.concatenate([activity.row_tree, np.full(len(sender), -1, np.int32)]),
    )


@lru_cache
def _is_deadlock_free(allowed: bytes, trees: bool) -> bool:
    table = np.frombuffer(allowed, np.uint8).reshape(5, 2, 3, 3)
    return routes.is_deadlock_free(table, trees=trees)


def refuse_deadlock(plan: Plan, activity: Activity) -> None:
    """Raise InputError where tokens could wait in a circle: where the proof of docs/machine.md,
    Tokens, does not hold.
    """
    if plan.synchronisation != TOKENS:
        return
    trees = bool((activity.row_tree >= 0).any())
    if not _is_deadlock_free(plan.allowed.tobytes(), trees):
        raise InputError("tokens: the routing must be free of deadlock, and it is not")
    rows = tokens_of(plan, activity)
    pairs: dict[int, set[tuple[int, int]]] = {FORWARD: set(), BACK: set()}
    for endpoint in np.flatnonzero(rows >= 0).tolist():
        entries = range(*activity.row_start[rows[endpoint] : rows[endpoint] + 2].tolist())
        for entry in entries:
            kind, target = int(activity.entry_kind[entry]), int(activity.entry_endpoint[entry])
            if kind not in pairs or activity.entry_flits[entry] != 1:
                raise InputError(f"tokens: entry {entry}: must be a token of one flit")
            pairs[kind].add((endpoint, target) if kind == FORWARD else (target, endpoint))
    if pairs[FORWARD] != pairs[BACK]:
        alone = sorted(pairs[FORWARD] ^ pairs[BACK])[0]
        raise InputError(
            f"tokens: endpoints {alone[0]} and {alone[1]} must send tokens both ways, not one"
        )
    sent = {(int(source), int(target)) for source, target in sends_to(plan, activity)}
    if sent - pairs[FORWARD]:
        source, target = min(sent - pairs[FORWARD])
        raise InputError(
            f"tokens: endpoint {source} must send core {target} tokens: it sends packets"
        )


def partners(network: Network, mapping: CoreMapping, input_endpoint: int) -> np.ndarray:
    """Return the pairs of an endpoint and a core that it has synapses on, (n, 2) int64: what a chip
    knows before a run.
    """
    pairs = [np.zeros((0, 2), np.int64)]
    for projection, path in zip(network.projections, mapping.targets):
        source = mapping.populations[projection.source]
        cores = source.cores if len(source.cores) else np.array([input_endpoint])
        kinds = np.unique(np.stack([source.slice_of, path.kind]), axis=1)
        which, slice_ = np.nonzero(path.count[kinds[1]] > 0)
        ends = cores[kinds[0][which]], mapping.cores[projection.target][slice_]
        pairs.append(np.unique(np.stack(ends, axis=1), axis=0))
    return np.concatenate(pairs)
