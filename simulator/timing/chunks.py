"""Several runs on one chip, one after the other, as one Record [S20]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from simulator.timing.record import COUNTER, Record

#: a packet's name is its sender's number times this, and how many that one sent before [K8]
NAMES = 1 << 36
#: fields of a Record that have a row per step
STEPS = (
    "step_overrun",
    "step_counters",
    "step_port_counters",
    "step_operand_macs",
    "step_state_cycles",
    "step_router_state_cycles",
    "step_router_wakes",
)
#: those that are summed over runs
SUMS = (
    "counters",
    "operand_macs",
    "unit_cycles",
    "state_cycles",
    "link_flits",
    "link_blocked",
    "router_flit_cycles",
    "router_wakes",
    "router_state_cycles",
)
#: logs of events
LOGS = ("grants", "states", "packets", "units")
#: cycles in the logs of events
_MOMENTS = ("inject_cycle", "head_entry_cycle", "head_arrive_cycle", "tail_arrive_cycle")


def joined(records: Sequence[Record]) -> Record:
    """Return runs of the same machine as one: the first cycle of each is the one in which the run
    before it ended, and packets are numbered on [S20].
    """
    first = records[0]
    if len(records) == 1:
        return first
    start = np.cumsum([0, *(record.cycles for record in records)])
    sent = np.cumsum([record.counters[:, COUNTER["packets_sent"]] for record in records], axis=0)
    before = [np.zeros_like(sent[0]), *sent[:-1]]
    parts = [_later(record, int(at), names) for record, at, names in zip(records, start, before)]
    fields: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("step_start", "step_quiet", "step_last_output", *STEPS, *LOGS)
    }
    fields |= {name: sum(getattr(part, name) for part in parts) for name in SUMS}
    fields["packets"] = np.sort(fields["packets"], order=["packet", "destination"])
    return replace(
        first,
        cycles=int(start[-1]),
        queue_peak=np.max([part.queue_peak for part in parts], axis=0),
        complete=all(part.complete for part in parts),
        **fields,
    )


def _later(record: Record, at: int, sent: np.ndarray) -> Record:
    """Return a run that begins in cycle `at`, when each endpoint has sent so many packets."""
    grants, states, packets, units = (getattr(record, name).copy() for name in LOGS)
    for log in (grants, states, units):
        log["cycle"] += at
    for name in _MOMENTS:
        packets[name] += at
    for log in (grants, packets):
        log["packet"] += sent[log["packet"] // NAMES] if len(log) else 0
    last = record.step_last_output
    return replace(
        record,
        step_start=record.step_start + at,
        step_quiet=record.step_quiet + at,
        step_last_output=np.where(last >= 0, last + at, last),
        grants=grants,
        states=states,
        packets=packets,
        units=units,
    )
