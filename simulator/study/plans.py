"""Plans compared: a workload mapped with counted activity, plans simulated beside their estimates,
and the enumeration that the mapper is held against.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from simulator.describe.chip import Chip
from simulator.describe.words import SNN
from simulator.describe.workload import Workload
from simulator.errors import InputError, MappingError
from simulator.mapping.core_mapping import CoreMapping
from simulator.mapping.cuts import Cut
from simulator.mapping.loads import counted, stated
from simulator.mapping.memories import mapped, refuse_overfull
from simulator.mapping.packing import apart
from simulator.mapping.placement import snake
from simulator.study import mapper
from simulator.study.mapper import EFFORTS, OBJECTIVES, Effort, Found, Objective
from simulator.study.pipeline import Computed, compute, prepare
from simulator.study.simulation import Result

#: plans that effort `thorough` simulates
FINALISTS = 6


def map_workload(
    workload: Workload,
    chip: Chip,
    objective: Objective = "energy",
    effort: Effort = "normal",
    seed: int = 0,
    *,
    activity: str | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Found:
    """Return a mapping for an objective; activity: 'counted' over the first inference, or 'stated'
    (default: stated for effort 'quick').  With 'thorough' the best plans are simulated.
    """
    for name, value, allowed in (
        ("objective", objective, OBJECTIVES),
        ("effort", effort, EFFORTS),
        ("activity", activity or "stated", ("stated", "counted")),
    ):
        if value not in allowed:
            raise InputError(f"{name}: must be one of {', '.join(allowed)}, not {value!r}")
    workload = replace(workload, placement=None)
    if activity is None:
        activity = "stated" if effort == "quick" else "counted"
    computed = None
    if activity == "counted":
        computed = compute(workload, SNN, limit=1)
    rates = stated(workload) if computed is None else counted(workload, computed.raster)
    found = mapper.find(workload, chip, objective, effort, seed, rates, progress)
    if effort != "thorough":
        return found
    return _simulated(found, computed or compute(workload, SNN, limit=1), progress)


def cost(result: Result, objective: Objective) -> float:
    """Return what a simulated inference costs an objective."""
    joules = result.ledger.total / max(result.finished, 1)
    cycles = result.record.cycles / max(result.finished, 1)
    return {
        "energy": joules,
        "latency": cycles,
        "edp": joules * cycles,
        "cores": float(result.mapping.n_used),
    }[objective]


def simulate(workload: Workload, chip: Chip, mapping: CoreMapping, computed: Computed) -> Result:
    """Return the simulated run of computed spikes on a mapping."""
    return Result(prepare(workload, chip, mapping).schedule(computed).execute())


def _simulated(
    found: Found, computed: Computed, progress: Callable[[str, int, int], None] | None
) -> Found:
    """Return the plan that costs least when simulated, of the best and the next ones."""
    workload, chip, objective = found.workload, found.chip, found.objective
    best, least = found, cost(simulate(workload, chip, found.mapping, computed), objective)
    plans = found.others[: FINALISTS - 1]
    for number, plan in enumerate(plans):
        if progress is not None:
            progress("plans simulated", number, len(plans))
        if plan.cores > chip.n_cores:
            continue
        try:
            other = mapper.with_cuts(found, plan)
        except MappingError:
            continue
        here = cost(simulate(workload, chip, other.mapping, computed), objective)
        if here < least:
            best, least = other, here
    return best


def by_snake(workload: Workload, chip: Chip, cuts: dict[int, Cut]) -> CoreMapping:
    """Return cuts on the cores along the snake; raises MappingError where they do not fit."""
    if sum(cut.n_tiles for cut in cuts.values()) > chip.n_cores:
        raise MappingError(f"workload {workload.name} does not fit on chip {chip.name}")
    order, where = snake(chip), apart(cuts)
    mapping = mapped(workload, chip, {n: order[where[n]][cut.slice_of] for n, cut in cuts.items()})
    refuse_overfull(workload, chip, mapping)
    return mapping


def enumerated(
    workload: Workload, chip: Chip, counts: Sequence[Sequence[int]]
) -> Iterator[tuple[tuple[int, ...], CoreMapping]]:
    """Yield every plan of the given numbers of cores per population that fits the chip."""
    network = workload.network
    for plan in product(*counts):
        cuts = {
            n: Cut((network.populations[n].n_neurons, 1, 1), (count, 1, 1))
            for n, count in zip(network.computed, plan)
        }
        try:
            yield plan, by_snake(workload, chip, cuts)
        except MappingError:
            continue


def at_random(chip: Chip, seed: int) -> np.ndarray:
    """Return a permutation of the cores, for `core_mapping.moved`."""
    return np.random.default_rng(seed).permutation(chip.n_cores)
