"""Several runs on one chip, one after the other, as one Record [S20]."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simulator.scratch import Scratch
from simulator.timing.record import COUNTER, Record

#: a packet's name is its sender's number times this, and how many that one sent before [K8]
NAMES = 1 << 36
#: fields of a Record that have a row per step: cycles, which move with the run
MOMENTS = ("step_start", "step_quiet", "step_last_output")
#: and what is the same whenever the run begins
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
_CYCLES = ("inject_cycle", "head_entry_cycle", "head_arrive_cycle", "tail_arrive_cycle")


@dataclass(frozen=True)
class Chain:
    """Runs of the same machine, one after the other: the first cycle of each is the one in which
    the run before it ended, and packets are numbered on [S20].  Tables of steps go to a temporary
    file, only sums and logs of events stay in memory.
    """

    table: Scratch  # of MOMENTS and STEPS, with room for the steps of all runs
    counted: Record  # of the runs so far, without steps and events
    steps: int = 0
    logs: tuple[tuple[np.ndarray, ...], ...] = ()  # of each run, in the order of LOGS

    @classmethod
    def begun(cls, record: Record, steps: int) -> Chain:
        """Return a chain of one run, with room for so many steps; raises InputError where temporary
        files have none.
        """
        rows: dict[str, Any] = {name: getattr(record, name) for name in (*MOMENTS, *STEPS)}
        table = Scratch({name: (row.dtype, (steps, *row.shape[1:])) for name, row in rows.items()})
        none: dict[str, Any] = {name: row[:0].copy() for name, row in rows.items()}
        none |= {name: getattr(record, name)[:0] for name in LOGS}
        none |= {name: np.zeros_like(getattr(record, name)) for name in (*SUMS, "queue_peak")}
        return cls(table, replace(record, cycles=0, **none)).then(record)

    def then(self, record: Record) -> Chain:
        """Return the chain with one more run."""
        before = self.counted
        late = _later(record, before.cycles, before.counters[:, COUNTER["packets_sent"]])
        for name in (*MOMENTS, *STEPS):
            rows = getattr(late, name)
            self.table.put(name, self.steps * math.prod(rows.shape[1:]), rows)
        sums: dict[str, Any] = {name: getattr(before, name) + getattr(late, name) for name in SUMS}
        counted = replace(
            before,
            cycles=before.cycles + record.cycles,
            queue_peak=np.maximum(before.queue_peak, late.queue_peak),
            complete=before.complete and late.complete,
            **sums,
        )
        logs = (*self.logs, tuple(getattr(late, name) for name in LOGS))
        return Chain(self.table, counted, self.steps + len(record.step_start), logs)

    @property
    def record(self) -> Record:
        """The runs as one Record; it is the end of the chain."""
        found: dict[str, Any] = {
            name: rows[: self.steps] for name, rows in self.table.arrays.items()
        }
        found |= {name: np.concatenate(parts) for name, parts in zip(LOGS, zip(*self.logs))}
        found["packets"] = np.sort(found["packets"], order=["packet", "destination"])
        return replace(self.counted, **found)


def joined(records: Sequence[Record]) -> Record:
    """Return runs of the same machine as one."""
    chain = Chain.begun(records[0], sum(len(record.step_start) for record in records))
    for record in records[1:]:
        chain = chain.then(record)
    return chain.record


def _later(record: Record, at: int, sent: np.ndarray) -> Record:
    """Return a run that begins in cycle `at`, when each endpoint has sent so many packets."""
    grants, states, packets, units = (getattr(record, name).copy() for name in LOGS)
    for log in (grants, states, units):
        log["cycle"] += at
    for name in _CYCLES:
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
