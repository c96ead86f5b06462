"""The work of a run as records the kernels read."""

from __future__ import annotations

import numpy as np

from simulator.mapping.plan import (
    BACK,
    COUNT,
    FORWARD,
    MAX_PORTS,
    MULTIPLY_ACCUMULATE,
    OUTPUT,
    Activity,
    Plan,
)
from simulator.mapping.tokens import takes_part, tokens_of
from simulator.timing.engine import endpoint_layout, layout, work_layout
from simulator.timing.record import COUNTERS


def records(length: int, dtype: np.dtype) -> np.ndarray:
    """Return zeroed records whose fields are attributes, with compilation and without."""
    line, size = work_layout.CACHE_LINE, length * dtype.itemsize
    memory = np.zeros(size + line, np.uint8)
    start = -memory.ctypes.data % line
    return memory[start : start + size].view(dtype).view(np.recarray)


def columns(length: int, dtype: np.dtype, **fields: object) -> np.ndarray:
    """Return records with these fields filled, from the first on."""
    made = records(length, dtype)
    for name, column in fields.items():
        rows = len(column) if isinstance(column, np.ndarray) else length
        made[name][:rows] = column
    return made


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


def _trees(activity: Activity) -> tuple[np.ndarray, np.ndarray]:
    mask = activity.tree_mask.astype(np.int64)
    port = mask[:, None] >> np.arange(MAX_PORTS) & 1
    totals = np.zeros((4, len(mask) + 1), np.int64)
    totals[0, 1:] = np.arange(1, len(mask) + 1)
    totals[1, 1:] = np.cumsum(port.sum(axis=1))
    totals[2, 1:] = np.cumsum(port[:, 0] + port[:, 1])
    totals[3, 1:] = np.cumsum(port[:, 2] + port[:, 3])
    routers, outputs, east_west, north_south = np.diff(totals[:, activity.tree_start], axis=1)
    tree = columns(
        len(activity.tree_start),
        work_layout.TREE,
        start=activity.tree_start,
        routers=routers,
        outputs=outputs,
        east_west=east_west,
        north_south=north_south,
    )
    return tree, columns(len(mask), work_layout.BRANCH, router=activity.tree_router, mask=mask)


def _column(activity: Activity) -> np.ndarray:
    """Return the counter in whose column each entry's operations are booked [K7] [K30], -1 at ports
    and of tokens.
    """
    widths = len(COUNTERS) + activity.entry_operands
    kind = activity.entry_kind
    added = np.where(kind == COUNT, layout.COUNT_ACCUMULATES, layout.ACCUMULATES)
    at_core = np.where(kind == MULTIPLY_ACCUMULATE, widths, added)
    return np.where((kind == OUTPUT) | (kind >= FORWARD), -1, at_core)


def work(activity: Activity) -> dict[str, np.ndarray]:
    """Return the fields of State that hold the work of the run."""
    n_entries = len(activity.entry_endpoint)
    n_rows, n_work = len(activity.row_tree), len(activity.work_core)
    copy_order = np.zeros(0, np.int64)
    tree, branch = _trees(activity)
    if np.any(activity.row_tree >= 0):
        row_of_entry = np.repeat(np.arange(n_rows), np.diff(activity.row_start))
        copy_order = np.lexsort((activity.entry_endpoint, row_of_entry)).astype(np.int64)
    return {
        "step": columns(
            activity.n_steps + 1,
            work_layout.STEP,
            last_output=np.full(activity.n_steps, -1),
            release=activity.release,
            work=activity.work_start,
            injection=activity.inject_start,
            begins=activity.begins,
        ),
        "work": columns(
            n_work + 1,
            work_layout.WORK,
            core=activity.work_core,
            visits=activity.work_visits,
            message=activity.work_message,
            step=np.repeat(np.arange(activity.n_steps), np.diff(activity.work_start)),
            clear=activity.clear,
        ),
        "work_count": np.ascontiguousarray(activity.work_counts, np.int64),
        "message": columns(
            len(activity.message_row),
            work_layout.MESSAGE,
            position=activity.message_position,
            row=activity.message_row,
        ),
        "injection_order": _injection_order(activity),
        "inject_port": np.array(activity.inject_port, np.int32),
        "inject_offset": np.array(activity.inject_offset, np.int64),
        "inject_row": np.array(activity.inject_row, np.int32),
        "row": columns(
            n_rows + 1, work_layout.ROW, start=activity.row_start, tree=activity.row_tree
        ),
        "entry": columns(
            n_entries,
            work_layout.ENTRY,
            endpoint=activity.entry_endpoint,
            flits=activity.entry_flits,
            traffic_class=activity.entry_class,
            column=_column(activity),
            token=np.maximum(activity.entry_kind.astype(np.int64) - COUNT, 0),
            cycles=activity.entry_cycles,
            lookup_cycles=activity.entry_lookup_cycles,
            conflict_cycles=activity.entry_conflict_cycles,
            first_event=activity.entry_first_event,
            group=activity.entry_group,
            operations=activity.entry_operations,
            words=activity.entry_words,
            accumulator_words=activity.entry_accumulator_words,
            events=activity.entry_events,
            payload_bits=activity.entry_payload_bits,
            header_bits=activity.entry_header_bits,
            stream_bits=activity.entry_stream_bits,
        ),
        "event_address": np.append(activity.event_address, 0).astype(np.int64),
        "copy_order": copy_order,
        "tree": tree,
        "branch": branch,
    }


def own_steps(plan: Plan, activity: Activity) -> dict[str, np.ndarray]:
    """Return the fields of State for steps of the endpoints' own; without tokens one row each."""
    part = takes_part(plan, activity)
    n, slots = (plan.n_endpoints, plan.planes + 1) if part.any() else (1, 1)
    own = records(n, endpoint_layout.OWN)
    if not part.any():
        nothing = np.zeros((1, 1), np.int64)
        names = ("starting", "work_order", "port_order", "inject_step")
        tables = dict.fromkeys(("token_count", "pending", "freed"), nothing)
        return {"own": own} | tables | {name: np.zeros(1, np.int64) for name in names}
    own["takes_part"], own["row"] = part, tokens_of(plan, activity)
    row_of = np.repeat(np.arange(len(activity.row_tree)), np.diff(activity.row_start))
    for name, kind in (("n_destinations", FORWARD), ("n_sources", BACK)):
        held = np.bincount(
            row_of[activity.entry_kind == kind], minlength=len(activity.row_tree) + 1
        )
        own[name] = np.where(own["row"] >= 0, held[own["row"]], 0)
    step = np.repeat(np.arange(activity.n_steps), np.diff(activity.work_start))
    work_order = np.lexsort((step, activity.work_core))
    inject_step = np.repeat(np.arange(activity.n_steps), np.diff(activity.inject_start))
    port_order = np.lexsort((activity.inject_offset, inject_step, activity.inject_port))
    cores, ports = np.arange(plan.n_cores), np.arange(plan.n_cores, n)
    for order, owner, some in (
        (work_order, activity.work_core, cores),
        (port_order, activity.inject_port, ports),
    ):
        own["cursor"][some] = np.searchsorted(owner[order], some, side="left")
        own["end"][some] = np.searchsorted(owner[order], some, side="right")
    return {
        "own": own,
        **{name: np.zeros((n, slots), np.int64) for name in ("token_count", "pending", "freed")},
        "starting": np.zeros(n, np.int64),
        "work_order": work_order.astype(np.int64),
        "port_order": port_order.astype(np.int64),
        "inject_step": inject_step.astype(np.int64),
    }
