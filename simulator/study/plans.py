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
from simulator.study import finalists, mapper
from simulator.study.mapper import Found
from simulator.study.pipeline import Computed, compute, prepare
from simulator.study.search import EFFORTS, OBJECTIVES, Effort, Objective, Simulated
from simulator.study.simulation import Result


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
    (default: stated for effort 'quick').  Beyond 'quick' the best plans are simulated over the
    first inference, the fewest-cores plan among them.
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
    if not finalists.SIMULATED[effort] or objective == "cores":
        return found
    events = compute(workload, SNN, limit=1) if computed is None else computed
    return finalists.chosen(
        found, lambda mapping: measured(simulate(workload, chip, mapping, events)), progress
    )


def measured(result: Result) -> Simulated:
    """Return what a simulated inference costs."""
    n = max(result.finished, 1)
    return Simulated(result.ledger.total / n, result.record.cycles / n, result.mapping.n_used)


def cost(result: Result, objective: Objective) -> float:
    """Return what a simulated inference costs an objective."""
    return measured(result).cost(objective)


def simulate(workload: Workload, chip: Chip, mapping: CoreMapping, computed: Computed) -> Result:
    """Return the simulated run of computed spikes on a mapping."""
    return Result(prepare(workload, chip, mapping).schedule(computed).execute())


def fewest(workload: Workload, chip: Chip) -> CoreMapping:
    """Return consecutive neurons on as few cores as hold them, each slice on one of its own."""
    plain, refused = mapper.plain(workload, chip)
    if plain is None:
        assert refused is not None
        raise refused
    return by_snake(workload, chip, plain)


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
