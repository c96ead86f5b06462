"""Finding a mapping: cores and cut of every population by the estimate, then places by annealing.

Every population has a list of cuts that fit; the search changes one population at a time as long as
the estimate falls (coordinate descent).  Slices lie along the snake; from effort `normal` on they
are annealed (`finalists.py` then simulates the best plans).  The same seed gives the same mapping.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from simulator.describe.chip import Chip
from simulator.describe.workload import Workload
from simulator.errors import MappingError
from simulator.mapping import flows, packing
from simulator.mapping.core_mapping import CoreMapping, moved
from simulator.mapping.cuts import Cut
from simulator.mapping.loads import Rates, stated
from simulator.mapping.memories import check_widths, mapped, refuse_overfull
from simulator.mapping.partition import fewest_slices
from simulator.mapping.placement import snake
from simulator.study.search import RANGE, Candidate, Effort, Objective, Search, Simulated

#: with effort `quick`, plans whose estimates differ by less are equal, and the one of fewest cores
#: is taken: no estimate orders plans more finely (docs/mapping.md)
MARGIN = 0.05
#: the same for the fewest slices of consecutive neurons, which are the simplest plan
MARGIN_PLAIN = 0.1
#: objectives that cycles are a factor of
HURRIED = ("latency", "edp")
#: plans that are kept beside the best
KEPT = 5


@dataclass(frozen=True, eq=False)
class Found:
    """A mapping, and what was known when it was chosen."""

    workload: Workload
    chip: Chip
    mapping: CoreMapping
    objective: Objective
    effort: Effort
    seed: int
    best: Candidate  # its hops are those of the places found
    others: list[Candidate]  # the next best
    hops: float  # mesh links of a packet, on average
    hottest: int  # packets over the hottest link, per thousand timesteps
    search: Search
    simulated: Simulated | None = None  # where plans were simulated


def find(
    workload: Workload,
    chip: Chip,
    objective: Objective = "energy",
    effort: Effort = "quick",
    seed: int = 0,
    rates: Rates | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Found:
    """Return the best mapping found; raises MappingError for what does not fit."""
    check_widths(workload, chip)
    rates = stated(workload) if rates is None else rates
    search = Search(workload, chip, rates, effort)
    simple, refused = plain(workload, chip)
    least = dict.fromkeys(search.network.computed, 1)
    for _ in range(12):
        cuts = _cut(search, least, simple, refused, objective)
        needed = packing.needs(chip, search.sizes, cuts.cuts)
        has = packing.room(workload, chip)
        full = {n: need for n, need in needed.items() if (need > has).any()}
        if not full:
            break
        number = max(full)  # its slices are the destinations of those before
        worst = int(-(-full[number] // np.maximum(has, 1)).max())
        least[number] = cuts.cuts[number].n_tiles * min(worst, 2) * 9 // 8 + 1
        if least[number] > search.network.populations[number].n_neurons:
            raise refused or MappingError(f"workload {workload.name} does not fit on {chip.name}")
    if full:
        raise refused or MappingError(f"workload {workload.name} does not fit on {chip.name}")
    mapping, best = _seated(search, objective, cuts, needed, refused)
    found = Found(workload, chip, mapping, objective, effort, seed, best, [], 0.0, 0, search)
    return _placed(found, progress)


def with_cuts(found: Found, plan: Candidate, is_packed: bool = False) -> Found:
    """Return the mapping of another plan of the same search, each slice on a core of its own or,
    packed, on as few cores as hold them; raises MappingError where it does not fit.
    """
    needed = packing.needs(found.chip, found.search.sizes, plan.cuts)
    objective = "cores" if is_packed else found.objective
    mapping, best = _seated(found.search, objective, plan, needed, None)
    return _placed(replace(found, mapping=mapping, best=best, simulated=None), None)


def _seated(
    search: Search,
    objective: Objective,
    plan: Candidate,
    needed: dict[int, np.ndarray],
    refused: MappingError | None,
) -> tuple[CoreMapping, Candidate]:
    """Return a plan's slices along the snake, side by side on a core where cores are few."""
    workload, chip = search.workload, search.chip
    where = packing.apart(plan.cuts)
    if plan.cores > chip.n_cores or objective == "cores":
        where = packing.packed(needed, packing.room(workload, chip))
    used = 1 + max(int(cores.max()) for cores in where.values())
    if used > chip.n_cores:
        raise refused if refused is not None else _too_many(search, plan, used)
    order = snake(chip)
    core_of = {n: order[where[n]][cut.slice_of] for n, cut in plan.cuts.items()}
    mapping = mapped(workload, chip, core_of)
    try:
        refuse_overfull(workload, chip, mapping)
    except MappingError as error:
        raise refused or error from None
    return mapping, replace(plan, cores=used)


def plain(workload: Workload, chip: Chip) -> tuple[dict[int, Cut] | None, MappingError | None]:
    """Return the fewest slices of consecutive neurons, or why they do not fit."""
    try:
        counts = fewest_slices(workload, chip)
    except MappingError as error:
        return None, error
    populations = workload.network.populations
    return {
        n: Cut((populations[n].n_neurons, 1, 1), (count, 1, 1)) for n, count in counts.items()
    }, None


def _cut(
    search: Search,
    least: dict[int, int],
    plain: dict[int, Cut] | None,
    refused: MappingError | None,
    objective: Objective,
) -> Candidate:
    """Return the cuts of all populations."""
    options = {number: search.options(number, low) for number, low in least.items()}
    for number, cuts in options.items():
        if plain is not None and plain[number] not in cuts:
            cuts.append(plain[number])
        if not cuts:
            assert refused is not None
            raise refused
    fewest = {number: min(cuts, key=lambda cut: cut.n_tiles) for number, cuts in options.items()}
    search.choices, search.fewest = options, [search.candidate(fewest)]
    starts = [fewest]
    if plain is not None:
        search.fewest.append(search.candidate(plain))
        starts.append(plain)
    shapes = [path.connection.plane_shape for path in search.network.projections]
    is_dense = all(len(shape) < 4 for shape in shapes)  # even loads cost convolutions packets
    even: dict[int, Cut] = {}
    if objective in HURRIED or (objective == "energy" and is_dense):
        even = search.even(options, objective)
    if even:
        starts.append(even)
    ends = [search.descend(start, options, objective) for start in starts]
    fit = [one for one in ends if one.cores <= search.chip.n_cores] or ends
    best = min(fit, key=lambda one: one.estimate.cost(objective, one.cores))
    if not search.moves and objective in HURRIED and search.looks(options):
        search.kept.clear()  # their estimates know nothing of links
        best = search.descend(best.cuts, options, objective, are_links_seen=True)
    return best if search.moves else _simplest(search, best, plain, objective)


def _simplest(
    search: Search, best: Candidate, plain: dict[int, Cut] | None, objective: str
) -> Candidate:
    """Return the plan of fewest cores among those whose estimates are as good as the best: within
    MARGIN; or the fewest slices of consecutive neurons, where they are within MARGIN_PLAIN.
    """
    least = best.estimate.cost(objective, best.cores)
    equal = [
        one
        for one in (best, *search.kept.values())
        if one.cores <= max(best.cores, search.chip.n_cores)
        and one.estimate.cost(objective, one.cores)
        <= least * (1 + (MARGIN_PLAIN if one.cuts == plain else MARGIN))
    ]
    return min(
        equal,
        key=lambda one: (
            one.cuts != plain,
            one.cores,
            one.estimate.cost(objective, one.cores),
        ),
    )


def _too_many(search: Search, cuts: Candidate, used: int) -> MappingError:
    chip, names = search.chip, search.network.populations
    need = ", ".join(f"{names[n].name} {cut.n_tiles}" for n, cut in cuts.cuts.items())
    return MappingError(
        f"workload {search.workload.name} does not fit on chip {chip.name}: it needs {used} "
        f"cores ({need}), the chip has {chip.n_cores}, {used - chip.n_cores} too few"
    )


def _placed(found: Found, progress: Callable[[str, int, int], None] | None) -> Found:
    """Return the mapping with its places annealed, and the estimate with the hops they have."""
    chip, search, mapping = found.chip, found.search, found.mapping
    flowing = flows.flows(chip, mapping, found.workload, search.rates)
    places = flows.measured(chip, flowing, np.arange(chip.n_cores))
    moves = search.moves
    if not moves and found.objective in HURRIED and search.looks(search.choices):
        moves = RANGE["normal"][2]  # the hottest link may hold the step
    if moves:
        tell = None if progress is None else partial(progress, "annealing")
        to = flows.annealed(chip, flowing, moves, found.seed, tell)
        better = flows.measured(chip, flowing, to)
        if better < places:
            mapping, places = moved(mapping, to), better
    best = search.placed(found.best.cuts, found.best.cores, places[0], places[1] / flows.WINDOW)
    others = sorted(
        (one for one in search.kept.values() if one.cuts != best.cuts),
        key=lambda one: one.estimate.cost(found.objective, one.cores),
    )
    return replace(
        found, mapping=mapping, best=best, others=others[:KEPT], hops=places[0], hottest=places[1]
    )
