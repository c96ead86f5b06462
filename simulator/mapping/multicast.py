"""Which rows of packets travel as one multicast packet, and over which tree."""

from __future__ import annotations

import numpy as np

from simulator.errors import MappingError
from simulator.mapping.encodings import Rows
from simulator.mapping.plan import NO_TREES, Plan
from simulator.mapping.routes import xy_tree

#: what packets of one row must have in common to travel as one
SHARED = ("path", "flits", "traffic_class", "payload_bits", "header_bits", "stream_bits")


def _alike(rows: Rows, entries: slice) -> bool:
    """Return whether a row's packets are of one projection [W10] and carry the same bits."""
    columns = (getattr(rows, name)[entries] for name in SHARED)
    return all((column == column[0]).all() for column in columns)


def trees(
    plan: Plan, rows: Rows, row_endpoint: np.ndarray, multicast: bool
) -> dict[str, np.ndarray]:
    """Return the row_tree and tree arrays of an Activity; row_endpoint: (n_rows,) who sends each
    row.

    With `multicast`, a row of several packets of one projection that are alike becomes one packet
    over the XY tree of its destinations; rows with the same sender's router and destinations share
    a tree.  Raises MappingError where such a packet does not fit in a router's buffer: its branches
    would wait for each other [W26].
    """
    n_rows = len(rows.start) - 1
    row_tree = np.full(n_rows, -1, np.int32)
    if not multicast:
        return {**NO_TREES, "row_tree": row_tree}
    known: dict[tuple[int, bytes], int] = {}
    built: list[dict[int, int]] = []
    for row in range(n_rows):
        entries = slice(rows.start[row], rows.start[row + 1])
        if entries.stop - entries.start < 2 or not _alike(rows, entries):
            continue
        if (flits := int(rows.flits[entries.start])) > plan.buffer:
            raise MappingError(
                f"router.buffer: must hold the longest multicast packet, {flits} flits, not only "
                f"{plan.buffer}: the branches of its tree could wait for each other in a circle"
            )
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
