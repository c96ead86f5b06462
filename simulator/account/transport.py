"""Bits over mesh links, by the field they belong to, and multiplications at the width of their
operands.

A hop is one mesh link (routers visited, less one; the local links are none).  What ends at a
router's own tile took no hop. A copy of a packet is booked where it arrives; the copies of a
multicast packet share the links of its tree equally.
"""

from __future__ import annotations

import numpy as np

from simulator.describe.chip import Chip
from simulator.errors import CheckError
from simulator.mapping.activity import Schedule
from simulator.mapping.plan import LOCAL, MULTIPLY_ACCUMULATE, Activity, Plan

#: (by endpoint, by step)
Counts = tuple[np.ndarray, np.ndarray]


def bit_hops(plan: Plan, schedule: Schedule, steps: int) -> dict[str, Counts]:
    """Return bits times mesh links of the first `steps` steps: payload of events, headers, and
    payload of streams.

    Streams are bitmaps and dense streams.  By endpoint (n_endpoints,) and by step (steps,), both
    float64.
    """
    activity = schedule.activity
    use = _uses(activity, plan, steps)
    entry_row = np.repeat(np.arange(len(activity.row_tree)), np.diff(activity.row_start))
    hops = _entry_hops(plan, activity, use.sender, entry_row)
    streams = np.array([encoding != "events" for encoding in schedule.encoding])[
        schedule.row_layer
    ][entry_row]
    payload = schedule.entry_payload_bits
    bits = {
        "payload_bit_hop": payload * ~streams,
        "header_bit_hop": schedule.entry_bits - payload,
        "stream_bit_hop": payload * streams,
    }
    return {
        name: _booked(plan, activity, use, entry_row, hops * count, steps)
        for name, count in bits.items()
    }


def multiplications(
    chip: Chip, plan: Plan, schedule: Schedule, core_layer: np.ndarray, macs: Counts
) -> Counts:
    """Return multiply-accumulates in units of `energy.multiply_accumulate`: as they are, or weighed
    by their operands' bits.

    core_layer: (n_cores,) index into the layers, -1 unused.  macs: as counted.  Raises CheckError
    naming a pair of widths that is used and has no price.
    """
    price = chip.energy.multiply_accumulate
    if price.by_bits is None:
        return macs
    weigh = np.zeros(plan.n_endpoints)
    for core in np.flatnonzero(macs[0][: plan.n_cores]):
        pair = "{}x{}".format(*schedule.operand_bits[core_layer[core]])
        if pair not in price.by_bits:
            raise CheckError(
                f"chip {chip.name}: energy.multiply_accumulate.by_bits: must hold {pair!r} (weight "
                f"bits x activation bits), "
                f"which this run multiplies; it holds {', '.join(price.by_bits)}"
            )
        weigh[core] = price.by_bits[pair].value / price.value
    activity, steps = schedule.activity, len(macs[1])
    use = _uses(activity, plan, steps)
    entry_row = np.repeat(np.arange(len(activity.row_tree)), np.diff(activity.row_start))
    operations = (
        activity.entry_operations
        * (activity.entry_kind == MULTIPLY_ACCUMULATE)
        * weigh[activity.entry_endpoint]
    )
    return macs[0] * weigh, _booked(plan, activity, use, entry_row, operations, steps)[1]


class _Uses:
    """Every sending of a row in the steps looked at: which row, in which step; and who sends each
    row.
    """

    def __init__(self, row: np.ndarray, step: np.ndarray, sender: np.ndarray) -> None:
        self.row, self.step, self.sender = row, step, sender


def _uses(activity: Activity, plan: Plan, steps: int) -> _Uses:
    items = int(activity.work_start[steps])
    message = np.diff(activity.work_message[: items + 1])
    core = np.repeat(activity.work_core[:items], message)
    item_step = np.repeat(np.arange(steps), np.diff(activity.work_start[: steps + 1]))
    row = activity.message_row[: len(core)]
    sends = row >= 0
    injected = int(activity.inject_start[steps])
    row = np.concatenate([row[sends], activity.inject_row[:injected]])
    step = np.concatenate(
        [
            np.repeat(item_step, message)[sends],
            np.repeat(np.arange(steps), np.diff(activity.inject_start[: steps + 1])),
        ]
    )
    sender = np.zeros(len(activity.row_tree), np.int64)
    sender[row] = np.concatenate([core[sends], activity.inject_port[:injected]])
    return _Uses(row, step, sender)


def _entry_hops(
    plan: Plan, activity: Activity, sender: np.ndarray, entry_row: np.ndarray
) -> np.ndarray:
    """Return the mesh links each copy travels, (n_entries,) float64: routing is minimal; copies
    share their tree's links.
    """
    here, there = (
        plan.endpoint_router[sender[entry_row]],
        plan.endpoint_router[activity.entry_endpoint],
    )
    hops = abs(here % plan.width - there % plan.width) + abs(
        here // plan.width - there // plan.width
    )
    links = np.zeros(len(activity.tree_start) - 1)
    for port in range(LOCAL):
        tree = np.repeat(np.arange(len(links)), np.diff(activity.tree_start))
        links += np.bincount(tree, weights=activity.tree_mask >> port & 1, minlength=len(links))
    shared = activity.row_tree[entry_row]
    copies = np.diff(activity.row_start)[entry_row]
    return np.where(shared >= 0, np.append(links, 0)[shared] / copies, hops)


def _booked(
    plan: Plan, activity: Activity, use: _Uses, entry_row: np.ndarray, each: np.ndarray, steps: int
) -> Counts:
    """Return what entries count `each` time their row is sent, by destination and by step."""
    n_rows = len(activity.row_tree)
    times = np.bincount(use.row, minlength=n_rows)
    place = np.bincount(
        activity.entry_endpoint, weights=each * times[entry_row], minlength=plan.n_endpoints
    )
    by_row = np.bincount(entry_row, weights=each, minlength=n_rows)
    return place, np.bincount(use.step, weights=by_row[use.row], minlength=steps)
