"""What a finished run of the specification leaves: its Record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.timing.record import UNIT_STATES, UNITS, Record, sort_events
from simulator.timing.reference.clock import cycle_of

if TYPE_CHECKING:
    from simulator.timing.reference.chip import Chip


def make_record(chip: Chip) -> Record:
    """Return everything a run counted."""
    book, now = chip.book, cycle_of(chip.environment)
    for core in chip.cores:
        core.wait_for(None)
    core_cycles, router_cycles = chip.state_cycles()
    core_steps, router_steps = (
        np.diff(
            [
                np.zeros(cycles.shape[1], np.int64),
                *(step[part].sum(axis=0) for step in chip.step_state_cycles),
            ],
            axis=0,
        )
        for part, cycles in enumerate((core_cycles, router_cycles))
    )
    units = [[unit.time.until(now) for unit in core.units] for core in chip.cores]
    grants, states, packets, stretches = sort_events(*book.logs())
    n_steps = len(chip.step_start)
    return Record(
        cycles=now,
        step_start=np.array(chip.step_start, np.int64),
        step_quiet=np.array(chip.step_quiet, np.int64),
        step_last_output=book.last_output[:n_steps],
        step_overrun=np.array(chip.step_overrun, np.int64),
        counters=book.counters,
        step_counters=book.step_counters[:n_steps],
        step_port_counters=book.step_port_counters[:n_steps],
        operand_bits=chip.activity.operand_bits,
        operand_macs=book.operand_macs,
        step_operand_macs=book.step_operand_macs[:n_steps],
        queue_peak=book.queue_peak,
        unit_cycles=np.array(units, np.int64).reshape(-1, len(UNITS), len(UNIT_STATES)),
        state_cycles=core_cycles,
        step_state_cycles=core_steps,
        link_flits=book.link_flits,
        link_blocked=book.link_blocked,
        router_flit_cycles=book.router_flit_cycles,
        router_wakes=book.router_wakes,
        router_state_cycles=router_cycles,
        step_router_state_cycles=router_steps,
        step_router_wakes=book.step_router_wakes[:n_steps],
        complete=n_steps == chip.activity.n_steps,
        grants=grants,
        states=states,
        packets=packets,
        units=stretches,
    )
