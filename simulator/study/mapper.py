"""Finding a mapping: cores and cut of every population by the estimate, then places by annealing.

Every population has a list of cuts that fit; the search changes one population at a time as long as
the estimate falls (coordinate descent).  Slices lie along the snake; from effort `normal` on they
are annealed (`finalists.py` then simulates the best plans).  The same seed gives the same mapping.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np

from simulator.account.estimate import Estimate, estimate
from simulator.describe.chip import Chip
from simulator.describe.offsets import Offsets
from simulator.describe.workload import Workload
from simulator.errors import MappingError
from simulator.mapping import flows, packing
from simulator.mapping.core_mapping import CoreMapping, moved
from simulator.mapping.cuts import Cut, candidates, fits, reached
from simulator.mapping.loads import Arriving, Load, Rates, arriving, load, stated
from simulator.mapping.memories import (
    check_widths,
    mapped,
    most_neurons,
    refuse_overfull,
    schedules,
    size_of,
)
from simulator.mapping.partition import partition
from simulator.mapping.placement import snake

Objective = Literal["energy", "latency", "edp", "cores"]
Effort = Literal["quick", "normal", "thorough"]
OBJECTIVES: tuple[Objective, ...] = ("energy", "latency", "edp", "cores")
EFFORTS: tuple[Effort, ...] = ("quick", "normal", "thorough")
#: candidates per population and rounds of the descent, and moves of the annealing per used core
RANGE = {"quick": (16, 2, 0), "normal": (32, 4, 400), "thorough": (48, 6, 2000)}
#: how far an estimate may be off (docs/mapping.md): with effort `quick`, plans that differ by less
#: are equal, and the one of fewest cores is taken
MARGIN = 0.1
#: plans that are kept beside the best
KEPT = 5


@dataclass(frozen=True, eq=False)
class Candidate:
    """A way to cut all populations, and its estimate."""

    cuts: dict[int, Cut]
    estimate: Estimate
    cores: int


@dataclass(frozen=True)
class Simulated:
    """What an inference of the spiking twin costs when it is simulated."""

    energy_j: float
    cycles: float
    cores: int

    def cost(self, objective: str) -> float:
        """Return what an objective minimises."""
        return {
            "energy": self.energy_j,
            "latency": self.cycles,
            "edp": self.energy_j * self.cycles,
            "cores": float(self.cores),
        }[objective]


class _Search:
    """Candidate cuts, and their estimates, each computed once."""

    def __init__(self, workload: Workload, chip: Chip, rates: Rates, effort: Effort) -> None:
        self.workload, self.chip, self.rates = workload, chip, rates
        self.network = workload.network
        self.when: Offsets = schedules(workload)[-1]
        self.most = most_neurons(workload, chip)
        self.sizes = {n: size_of(workload, chip, n) for n in self.network.computed}
        self.many, self.rounds, self.moves = RANGE[effort]
        self._came: dict[tuple[int, Cut], Arriving] = {}
        self._loads: dict[tuple[int, Cut], Load] = {}
        self.kept: dict[tuple[str, ...], Candidate] = {}
        self.choices: dict[int, list[Cut]] = {}  # cuts of each population that were tried
        self.fewest: list[Candidate] = []  # the plans of fewest slices
        self.simulated: list[tuple[Candidate, Simulated]] = []  # plans that were

    def options(self, number: int, least: int) -> list[Cut]:
        """Return the cuts of a population that fit, from `least` tiles on: of each number of tiles
        that which cuts fewest kernels, on a ladder of numbers.
        """
        size, room = self.sizes[number], self.chip.core.memory
        n = size.population.n_neurons
        per = self.most or n
        least = max(least, -(-n * size.state // max(1, room.neurons)), -(-n // per))
        most = max(least, min(self.chip.n_cores, n))
        found: dict[int, tuple[tuple[float, int], Cut]] = {}
        for cut in candidates(self.network, number, least, most):
            rank = self._fan(number, cut)
            rung = int(np.log(cut.n_tiles) / np.log(1.12))
            if (rung not in found or (rank, cut.n_tiles) < found[rung][0]) and fits(
                size, cut, self.most
            ):
                found[rung] = ((rank, cut.n_tiles), cut)
        cuts = [found[rung][1] for rung in sorted(found)]
        step = max(1, -(-len(cuts) // self.many))
        return cuts[: self.many // 2] + cuts[self.many // 2 :: step]

    def _fan(self, number: int, cut: Cut) -> float:
        """Return about how many tiles an event reaches."""
        fan = float(cut.tiles[0])
        for path, _ in self.network.drives(number):
            shape = path.connection.plane_shape
            if len(shape) == 4:
                pool = 1 if path.pool is None else path.pool.size
                for axis in (0, 1):
                    tile = cut.shape[1 + axis] / cut.tiles[1 + axis] * pool
                    fan *= min(cut.tiles[1 + axis], 1 + (shape[2 + axis] - 1) / tile)
                break
        return fan

    def came(self, k: int, cut: Cut) -> Arriving:
        """Return what a projection brings a cut of its target."""
        key = (k, cut)
        if key not in self._came:
            found = reached(self.network.projections[k], cut, self.chip)
            self._came[key] = arriving(self.chip, self.network, k, found, self.rates)
        return self._came[key]

    def loaded(self, number: int, cut: Cut) -> Load:
        """Return what a cut asks."""
        key = (number, cut)
        if key not in self._loads:
            came = [self.came(k, cut) for k in self.network.incoming[number]]
            self._loads[key] = load(self.chip, self.network, number, cut.sizes, self.rates, came)
        return self._loads[key]

    def candidate(
        self, cuts: dict[int, Cut], cores: int | None = None, hops: float | None = None
    ) -> Candidate:
        """Return cuts with their estimate, on cores of their own or on as many as given."""
        own = sum(cut.n_tiles for cut in cuts.values())
        used = min(own, self.chip.n_cores) if cores is None else cores
        loads = {number: self.loaded(number, cut) for number, cut in cuts.items()}
        came = {
            k: self.came(k, cuts[path.target]) for k, path in enumerate(self.network.projections)
        }
        found = estimate(
            self.chip, self.network, self.when, self.workload.timesteps, self.rates, loads, came,
            used, hops,
        )  # fmt: skip
        return Candidate(dict(cuts), found, own if cores is None else used)

    def keep(self, one: Candidate) -> None:
        """Keep a candidate to be shown beside the best."""
        self.kept[tuple(map(str, one.cuts.values()))] = one

    def descend(self, start: dict[int, Cut], options: dict[int, list[Cut]], objective: str) -> (
        Candidate
    ):  # fmt: skip
        """Return the best candidate that changes of one population at a time lead to."""
        most = self.chip.n_cores

        def rank(one: Candidate) -> tuple[bool, float, float]:
            over = max(0, one.cores - most)
            busy = sum(
                max(self.loaded(n, cut).synapse, self.loaded(n, cut).soma)
                for n, cut in one.cuts.items()
            )
            cost = one.estimate.cost(objective, one.cores)
            return over > 0, over or cost * (1 + 1e-9 * busy), busy

        best = self.candidate(start)
        self.keep(best)
        for _ in range(self.rounds):
            before = best
            for number, cuts in options.items():
                for cut in cuts:
                    if cut == best.cuts[number]:
                        continue
                    other = self.candidate(best.cuts | {number: cut})
                    if other.cores <= most:
                        self.keep(other)
                    if rank(other) < rank(best):
                        best = other
            if best is before:
                break
        return best


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
    search: _Search
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
    search = _Search(workload, chip, rates, effort)
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
    search: _Search,
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
        mapping = partition(workload, chip)
    except MappingError as error:
        return None, error
    network = workload.network
    return {
        n: Cut((network.populations[n].n_neurons, 1, 1), (len(mapping.cores[n]), 1, 1))
        for n in network.computed
    }, None


def _cut(
    search: _Search,
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
    best = search.descend(fewest, options, objective)
    if plain is not None:
        search.fewest.append(search.candidate(plain))
        search.keep(search.fewest[-1])
        again = search.descend(plain, options, objective)
        best = min(best, again, key=lambda one: one.estimate.cost(objective, one.cores))
    return best if search.moves else _simplest(search, best, plain, objective)


def _simplest(
    search: _Search, best: Candidate, plain: dict[int, Cut] | None, objective: str
) -> Candidate:
    """Return the plan of fewest cores among those whose estimates are as good as the best: within
    MARGIN; of those the fewest slices of consecutive neurons, where they are among them.
    """
    bar = (1 + MARGIN) * best.estimate.cost(objective, best.cores)
    equal = [
        one
        for one in (best, *search.kept.values())
        if one.cores <= max(best.cores, search.chip.n_cores)
        and one.estimate.cost(objective, one.cores) <= bar
    ]
    return min(
        equal,
        key=lambda one: (
            one.cuts != plain,
            one.cores,
            one.estimate.cost(objective, one.cores),
        ),
    )


def _too_many(search: _Search, cuts: Candidate, used: int) -> MappingError:
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
    if search.moves:
        tell = None if progress is None else partial(progress, "annealing")
        to = flows.annealed(chip, flowing, search.moves, found.seed, tell)
        better = flows.measured(chip, flowing, to)
        if better < places:
            mapping, places = moved(mapping, to), better
    best = search.candidate(found.best.cuts, found.best.cores, places[0])
    others = sorted(
        (one for one in search.kept.values() if one.cuts != best.cuts),
        key=lambda one: one.estimate.cost(found.objective, one.cores),
    )
    return replace(
        found, mapping=mapping, best=best, others=others[:KEPT], hops=places[0], hottest=places[1]
    )
