"""How records are laid out, and the records of the work of a run."""

from __future__ import annotations

import numpy as np

#: bytes of a cache line; what is touched together lies in one
CACHE_LINE = 64


def record(**fields: object) -> np.dtype:
    """Return a record type of named fields."""
    return np.dtype(
        [
            (name, *spec) if isinstance(spec, tuple) else (name, spec)
            for name, spec in fields.items()
        ],
        align=True,
    )


def in_lines(**fields: object) -> np.dtype:
    """Return a record type filled up to whole cache lines."""
    size = record(**fields).itemsize
    return (
        record(**fields, filling=("u1", (-size % CACHE_LINE,)))
        if size % CACHE_LINE
        else record(**fields)
    )


ENTRY = record(
    endpoint="i4",
    flits="i4",
    traffic_class="i4",
    column="i4",  # of the counters, in which its operations are booked; -1: none
    token="i4",  # 0: none, 1: forward, 2: back
    cycles="i8",
    lookup_cycles="i8",
    conflict_cycles="i8",
    first_event="i8",
    group="i4",
    operations="i8",
    words="i8",
    accumulator_words="i8",
    events="i8",
    payload_bits="i4",
    header_bits="i4",
    stream_bits="i4",
)

FLIT_EVENT = record(channel="i4", token="i4")
CREDIT_EVENT = record(channel="i4", count="i4")
RETURNED = record(due="i8", count="i8")
SLOT = record(flits="i4", credits="i4", calls="i4")
TIMER = record(next="i4", owner="i4")
HEAP = record(due="i8", timer="i8")
ROW = record(start="i8", tree="i8")
MESSAGE = record(position="i4", row="i4")
WORK = record(core="i8", visits="i8", message="i8", clear="i8", step="i8")
TREE = record(start="i8", routers="i8", outputs="i8", east_west="i8", north_south="i8")
BRANCH = record(router="i4", mask="i4")
STEP = record(
    start="i8",
    quiet="i8",
    last_output="i8",
    overrun="i8",
    release="i8",
    work="i8",
    injection="i8",
    begins="i8",
)
