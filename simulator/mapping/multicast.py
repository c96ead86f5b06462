"""Which rows of packets travel as one multicast packet, and over which tree."""

from __future__ import annotations

import numpy as np

from simulator.mapping.encodings import Rows
from simulator.mapping.plan import NO_TREES, Plan
from simulator.mapping.routes import xy_tree


def trees(
    plan: Plan, rows: Rows, row_endpoint: np.ndarray, multicast: bool
) -> dict[str, np.ndarray]:
    """Return the row_tree and tree arrays of an Activity; row_endpoint: (n_rows,) who sends each
    row.

    With `multicast`, a row of several single-flit packets of one projection becomes one packet over
    the XY tree of its destinations; rows with the same sender's router and destinations share a
    tree.
    """
    n_rows = len(rows.start) - 1
    row_tree = np.full(n_rows, -1, np.int32)
    if not multicast:
        return {**NO_TREES, "row_tree": row_tree}
    known: dict[tuple[int, bytes], int] = {}
    built: list[dict[int, int]] = []
    for row in range(n_rows):
        entries = slice(rows.start[row], rows.start[row + 1])
        if entries.stop - entries.start < 2 or rows.flits[entries].max() > 1:
            continue
        if (rows.path[entries] != rows.path[entries.start]).any():  # packets that differ [W10]
            continue
        source = int(plan.endpoint_router[row_endpoint[row]])
        destinations = rows.endpoint[entries]
        key = (source, destinations.tobytes())
        if key not in known:
            known[key] = len(built)
            ways = zip(
                plan.endpoint_router[destinations].tolist(),
                plan.endpoint_local[destinations].tolist(),
            )
            built.append(xy_tree(plan.width, plan.height, source, ways))
        row_tree[row] = known[key]
    return {
        "row_tree": row_tree,
        "tree_start": np.cumsum([0] + [len(tree) for tree in built]).astype(np.int64),
        "tree_router": np.array([router for tree in built for router in tree], np.int32),
        "tree_mask": np.array([mask for tree in built for mask in tree.values()], np.uint32),
    }
