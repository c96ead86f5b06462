"""The search for cuts: of every population a list of those that fit, their estimates, each computed
once, and the plans that changes of one population at a time lead to (docs/mapping.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from simulator.account.estimate import Estimate, Estimator
from simulator.describe.chip import Chip
from simulator.describe.workload import Workload
from simulator.mapping import flows, packing
from simulator.mapping.cuts import Cut, candidates, fits, reached
from simulator.mapping.loads import Arriving, Load, Rates, arriving, load
from simulator.mapping.memories import mapped, most_neurons, schedules, size_of
from simulator.mapping.placement import snake

Objective = Literal["energy", "latency", "edp", "cores"]
Effort = Literal["quick", "normal", "thorough"]
OBJECTIVES: tuple[Objective, ...] = ("energy", "latency", "edp", "cores")
EFFORTS: tuple[Effort, ...] = ("quick", "normal", "thorough")
#: candidates per population and rounds of the descent, and moves of the annealing per used core
RANGE = {"quick": (16, 2, 0), "normal": (32, 4, 400), "thorough": (48, 6, 2000)}
#: plans of even load that a search may start from
EVEN = 24
#: plans times neurons of a descent that looks at the links along the snake
LOOKED_AT = 1_000_000


#: cuts in words, each found once
_in_words = lru_cache(maxsize=1 << 12)(str)


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


class Search:
    """Candidate cuts, and their estimates, each computed once."""

    def __init__(self, workload: Workload, chip: Chip, rates: Rates, effort: Effort) -> None:
        self.workload, self.chip, self.rates = workload, chip, rates
        self.network = workload.network
        when = schedules(workload)[-1]
        self.estimator = Estimator(chip, self.network, when, workload.timesteps, rates)
        self.most = most_neurons(workload, chip)
        self.sizes = {n: size_of(workload, chip, n) for n in self.network.computed}
        self.many, self.rounds, self.moves = RANGE[effort]
        self._came: dict[tuple[int, Cut], Arriving] = {}
        self._loads: dict[tuple[int, Cut], Load] = {}
        self._estimated: dict[tuple[tuple[int, Cut], ...], Candidate] = {}
        self._along: dict[tuple[Cut, ...], Candidate] = {}
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

    def candidate(self, cuts: dict[int, Cut]) -> Candidate:
        """Return cuts with their estimate, on cores of their own, wherever those are."""
        key = tuple(cuts.items())
        if key not in self._estimated:
            self._estimated[key] = self.placed(cuts)
        return self._estimated[key]

    def placed(
        self,
        cuts: dict[int, Cut],
        cores: int | None = None,
        hops: float | None = None,
        hottest: float = 0.0,
    ) -> Candidate:
        """Return cuts with their estimate, on cores of their own or on as many as given, at places
        of so many hops where they are known.
        """
        own = sum(cut.n_tiles for cut in cuts.values())
        used = min(own, self.chip.n_cores) if cores is None else cores
        loads = {number: self.loaded(number, cut) for number, cut in cuts.items()}
        came = {
            k: self.came(k, cuts[path.target]) for k, path in enumerate(self.network.projections)
        }
        found = self.estimator.of(loads, came, used, hops, hottest)
        return Candidate(dict(cuts), found, own if cores is None else used)

    def along(self, cuts: dict[int, Cut]) -> Candidate:
        """Return cuts with their estimate along the snake, whose links carry what they carry."""
        key = tuple(cuts.values())
        if key not in self._along:
            chip, own = self.chip, self.candidate(cuts)
            if own.cores <= chip.n_cores:
                order, where = snake(chip), packing.apart(cuts)
                core_of = {n: order[where[n]][cut.slice_of] for n, cut in cuts.items()}
                mapping = mapped(self.workload, chip, core_of)
                flowing = flows.flows(chip, mapping, self.workload, self.rates)
                hops, hottest = flows.measured(chip, flowing, np.arange(chip.n_cores))
                own = self.placed(cuts, own.cores, hops, hottest / flows.WINDOW)
            self._along[key] = own
        return self._along[key]

    def looks(self, options: dict[int, list[Cut]]) -> bool:
        """Return whether a descent has few and small enough plans to look at their links."""
        neurons = sum(one.n_neurons for one in self.network.populations)
        return self.rounds * sum(map(len, options.values())) * neurons <= LOOKED_AT

    def keep(self, one: Candidate) -> None:
        """Keep a candidate to be shown beside the best."""
        self.kept[tuple(map(_in_words, one.cuts.values()))] = one

    def busy(self, number: int, cut: Cut) -> float:
        """Return the cycles per timestep of the busiest unit of a cut."""
        one = self.loaded(number, cut)
        return max(one.synapse, one.soma)

    def even(self, options: dict[int, list[Cut]], objective: str) -> dict[int, Cut]:
        """Return the best of plans in which no core works longer than a bound, for a ladder of
        bounds: of each population the fewest tiles that keep to it.  A change of one population at
        a time does not lead there, as long as another one holds the step.
        """
        loads = {
            number: [(cut.n_tiles, self.busy(number, cut), cut) for cut in cuts]
            for number, cuts in options.items()
        }
        bounds = np.unique([busy for row in loads.values() for _, busy, _ in row])
        best: Candidate | None = None
        for bound in bounds[:: -(-len(bounds) // EVEN)]:
            cuts = {
                number: min(row, key=lambda one: (one[1] > bound and one[1], one[0]))[2]
                for number, row in loads.items()
            }
            one = self.candidate(cuts)
            if one.cores <= self.chip.n_cores:
                self.keep(one)
                cost = one.estimate.cost(objective, one.cores)
                if best is None or cost < best.estimate.cost(objective, best.cores):
                    best = one
        return best.cuts if best is not None else {}

    def descend(
        self,
        start: dict[int, Cut],
        options: dict[int, list[Cut]],
        objective: str,
        are_links_seen: bool = False,
    ) -> Candidate:
        """Return the best candidate that changes of one population at a time lead to; with links
        seen, by estimates along the snake.
        """
        most = self.chip.n_cores
        estimated = self.along if are_links_seen else self.candidate

        def rank(one: Candidate) -> tuple[bool, float, float]:
            over = max(0, one.cores - most)
            busy = sum(self.busy(n, cut) for n, cut in one.cuts.items())
            cost = one.estimate.cost(objective, one.cores)
            return over > 0, over or cost * (1 + 1e-9 * busy), busy

        best = estimated(start)
        least = rank(best)
        self.keep(best)
        for _ in range(self.rounds):
            before = best
            for number, cuts in options.items():
                for cut in cuts:
                    if cut == best.cuts[number]:
                        continue
                    other = estimated(best.cuts | {number: cut})
                    if other.cores <= most:
                        self.keep(other)
                    if (its := rank(other)) < least:
                        best, least = other, its
            if best is before:
                break
        return best
