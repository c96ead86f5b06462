"""Plans that are simulated before one is taken: what the estimate leaves out is contention.

The best plan by the estimate and the plans of fewest cores are always among them; from the best of
these, plans that differ in one population by one rung of its ladder, as long as one costs less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from simulator.errors import MappingError
from simulator.mapping.core_mapping import CoreMapping
from simulator.study import mapper
from simulator.study.mapper import Found
from simulator.study.search import Candidate, Simulated

#: plans that an effort simulates at most
SIMULATED = {"quick": 0, "normal": 16, "thorough": 64}


@dataclass
class Finalists:
    """The simulated plans of a search, and the best of them."""

    found: Found
    simulate: Callable[[CoreMapping], Simulated]
    progress: Callable[[str, int, int], None] | None
    left: int
    best: Found
    seen: set[str] = field(default_factory=set)  # mappings, by their digests
    tried: set[tuple[str, ...]] = field(default_factory=set)

    def is_better(self, one: Found) -> bool:
        """Simulate a plan; return whether it costs least so far."""
        here = one.mapping.digest()
        if here in self.seen or self.left == 0:
            return False
        most = SIMULATED[self.found.effort]
        if self.progress is not None:
            self.progress("plans simulated", most - self.left, most)
        self.seen.add(here)
        self.left -= 1
        measured = self.simulate(one.mapping)
        self.found.search.simulated.append((one.best, measured))
        objective, before = self.found.objective, self.best.simulated
        if before is not None and measured.cost(objective) >= before.cost(objective):
            return False
        self.best = replace(one, simulated=measured)
        return True

    def attempt(self, plan: Candidate, is_packed: bool = False) -> bool:
        """Simulate a plan of cuts where it fits; return whether it costs least so far."""
        if not is_packed:
            self.tried.add(named(plan))
        try:
            return self.is_better(mapper.with_cuts(self.found, plan, is_packed))
        except MappingError:
            return False

    def around(self) -> Iterator[Candidate]:
        """Yield the plans a step from the best that were not tried, by their estimates."""
        search, cuts = self.found.search, self.best.best.cuts
        near = []
        for number, options in search.choices.items():
            ladder = sorted(options, key=lambda cut: cut.n_tiles)
            tiles = cuts[number].n_tiles
            below = [cut for cut in ladder if cut.n_tiles < tiles][-1:]
            above = [cut for cut in ladder if cut.n_tiles > tiles][:1]
            near += [search.candidate(cuts | {number: cut}) for cut in below + above]
        near.sort(key=lambda one: one.estimate.cost(self.found.objective, one.cores))
        for one in near:
            if one.cores <= self.found.chip.n_cores and named(one) not in self.tried:
                yield one


def named(plan: Candidate) -> tuple[str, ...]:
    """Return the cuts of a plan in words."""
    return tuple(map(str, plan.cuts.values()))


def chosen(
    found: Found,
    simulate: Callable[[CoreMapping], Simulated],
    progress: Callable[[str, int, int], None] | None = None,
) -> Found:
    """Return the plan that costs least when simulated; `simulate` runs a mapping."""
    final = Finalists(found, simulate, progress, SIMULATED[found.effort], found)
    final.is_better(found)
    final.tried.add(named(found.best))
    for plan in found.search.fewest:
        final.attempt(plan)
        final.attempt(plan, is_packed=True)
    for plan in found.others[: SIMULATED[found.effort] // 8]:
        final.attempt(plan)
    while final.left and any(final.attempt(plan) for plan in final.around()):
        pass
    return final.best
