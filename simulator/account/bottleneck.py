"""Which resource held the run back, and where."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.describe.workload import Workload
from simulator.mapping.core_mapping import CoreMapping
from simulator.mapping.plan import TOKENS, Plan
from simulator.timing.record import (
    BANK_CONFLICT,
    BLOCKED,
    BUSY,
    UNIT_WAKING,
    UNITS,
    WAITING_FOR_A_PLANE,
    WAITING_FOR_TOKENS,
    Record,
)

SOMA = UNITS.index("soma")

#: what a busy unit means in the words of the field
CLASS = {"synapse": "compute", "soma": "neuron update", "axon_out": "packetising"}
DIRECTION = ("east", "west", "north", "south")


def find(mapping: CoreMapping, plan: Plan, workload: Workload, record: Record) -> dict[str, Any]:
    """Return the resource with the largest share of the run's cycles: {class, place, share, why}.

    Candidates: the busiest unit of any core, the busiest link or ejection port, the barriers,
    waking.  share is of the run's cycles.
    """
    total = max(record.cycles, 1)
    candidates: list[tuple[float, str, str, str]] = []
    for number, unit in enumerate(UNITS):
        if not plan.n_cores:
            break
        busy = record.unit_cycles[:, number, [BUSY, BANK_CONFLICT, BLOCKED]].sum(axis=1)
        core = int(busy.argmax())
        held = mapping.core_population[core]
        name = workload.network.populations[held].name if held >= 0 else "unused"
        blocked = int(record.unit_cycles[core, number, BLOCKED])
        why = (
            f"{unit} of core {core} ({name}) works or is blocked {busy[core] / total:.0%} of the "
            f"run"
        )
        kind = CLASS[unit] if blocked * 2 < busy[core] else "traffic"
        candidates.append((float(busy[core]) / total, kind, f"core {core}", why))
    if record.link_flits.size:
        interval = np.ones(plan.ports, np.int64)
        interval[:4] = np.repeat(plan.link_interval, 2)
        load = record.link_flits * interval
        router, port = (int(place) for place in np.unravel_index(int(load.argmax()), load.shape))
        way = DIRECTION[port] if port < 4 else f"local {port - 4}"
        place = f"link {router % plan.width},{router // plan.width} {way}"
        share = float(load[router, port]) / total
        candidates.append(
            (share, "traffic", place, f"{place} carries a flit {share:.0%} of the run")
        )
    if plan.synchronisation == TOKENS:
        waited = record.unit_cycles[:, SOMA, [WAITING_FOR_TOKENS, WAITING_FOR_A_PLANE]].sum(axis=1)
        core = int(waited.argmax()) if plan.n_cores else 0
        share = float(waited.max(initial=0)) / total
        why = f"core {core} waits for tokens and planes {share:.0%} of the run"
        candidates.append((share, "synchronisation", f"core {core}", why))
    else:
        starts = np.concatenate([record.step_start, [record.cycles]])
        barrier = float((starts[1:] - record.step_quiet).sum()) / total
        candidates.append(
            (barrier, "synchronisation", "chip", f"barriers take {barrier:.0%} of the run")
        )
    if plan.n_cores:
        waking = record.unit_cycles[:, 0, UNIT_WAKING]
        core = int(waking.argmax())
        share = float(waking[core]) / total
        candidates.append(
            (share, "wake", f"core {core}", f"core {core} wakes {share:.0%} of the run")
        )
    share, kind, place, why = max(candidates, key=lambda candidate: candidate[0])
    return {"class": kind, "place": place, "share": share, "why": why}
