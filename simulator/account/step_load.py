"""How much work each core is given in each step: what a step would take if nothing ever waited.

A step cannot be shorter than the work of its busiest unit; what it takes beyond that is waiting.
"""

from __future__ import annotations

import numpy as np

from simulator.mapping.plan import Activity, Plan
from simulator.timing.record import UNITS

SYNAPSE, SOMA, AXON_OUT = range(len(UNITS))


def loads(plan: Plan, activity: Activity, first: int = 0, last: int | None = None) -> np.ndarray:
    """Return the cycles of work of every unit in the steps first .. last - 1, (steps, n_cores,
    len(UNITS)) int64.

    The synapse unit's is that of the packets sent in the step, whose receivers serve them before
    the step is over.
    """
    end = activity.n_steps if last is None else min(last, activity.n_steps)
    load = np.zeros((max(0, end - first), plan.n_cores, len(UNITS)), np.int64)
    if not load.size:
        return load
    begin, stop = activity.work_start[[first, end]]
    items = np.arange(begin, stop)
    step = np.searchsorted(activity.work_start, items, side="right") - 1 - first
    core = activity.work_core[items]
    count = np.diff(activity.work_message[begin : stop + 1])
    soma = activity.work_visits[items] * plan.soma_cycles + count * plan.soma_spike_cycles
    soma += activity.clear[items]
    np.add.at(load[:, :, SOMA], (step, core), soma)
    low, high = activity.work_message[[begin, stop]]
    row = activity.message_row[low:high].astype(np.int64)
    sends = row >= 0
    of_step, sender = np.repeat(step, count)[sends], np.repeat(core, count)[sends]
    row = row[sends]
    packets = np.where(activity.row_tree[row] >= 0, 1, np.diff(activity.row_start)[row])
    np.add.at(load[:, :, AXON_OUT], (of_step, sender), packets * plan.axon_cycles)
    injected = np.arange(activity.inject_start[first], activity.inject_start[end])
    at = np.searchsorted(activity.inject_start, injected, side="right") - 1 - first
    of_step = np.concatenate([of_step, at])
    row = np.concatenate([row, activity.inject_row[injected].astype(np.int64)])
    _receive(activity, load[:, :, SYNAPSE], of_step, row)
    return load


def _receive(activity: Activity, load: np.ndarray, step: np.ndarray, row: np.ndarray) -> None:
    """Add the cycles of every packet of the rows to the cores it goes to."""
    size = np.diff(activity.row_start)[row]
    before = np.cumsum(size) - size
    entry = np.repeat(activity.row_start[row] - before, size) + np.arange(int(size.sum()))
    endpoint, of_step = activity.entry_endpoint[entry], np.repeat(step, size)
    at_core = endpoint < load.shape[1]
    cycles = activity.entry_cycles[entry] + activity.entry_conflict_cycles[entry]
    np.add.at(load, (of_step[at_core], endpoint[at_core]), cycles[at_core])
