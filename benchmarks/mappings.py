"""What the mapper's plans are worth: shd-like on two chips, held against every plan of a grid.

    python -m benchmarks.mappings

Each plan is simulated over the first inference.  Printed are the fewest cores, the best plan of the
grid and what `spikemesh map` finds with each effort; and what naive mappings cost beside it, and
why: synaptic work of the busiest core, packets that wait, hops, static power.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from simulator.describe.chip import Chip
from simulator.describe.workload import Workload
from simulator.mapping.core_mapping import CoreMapping, moved
from simulator.mapping.cuts import Cut
from simulator.study import plans
from simulator.study.pipeline import Computed, compute
from simulator.study.search import EFFORTS, Objective
from simulator.study.simulation import Result
from simulator.timing.record import BLOCKED, BUSY
from simulator.units import show

#: by chip, the numbers of cores of each population: 75 plans each, the fewest cores among them
GRID = {
    "generic-22nm": ((6, 8, 10, 14, 20), (2, 4, 8, 12, 16), (1, 2, 4)),
    "loihi1": ((3, 12, 18, 24, 32), (1, 8, 16, 24, 36), (1, 2, 4)),
}
OBJECTIVES: tuple[Objective, ...] = ("energy", "latency")
#: where the joules go: all that is none of the others, links and routers, clocks, and leakage
JOULES = ("work", "hops", "clocks", "leakage")


@dataclass(frozen=True)
class Compared:
    """The mapper against a grid of plans, for one objective on one chip; costs by plan."""

    plans: int
    fewest: float
    best: float
    best_plan: tuple[int, ...]
    found: dict[str, float]  # by effort

    def off(self, effort: str) -> float:
        """Return how far an effort's plan is above the best of the grid."""
        return self.found[effort] / self.best - 1


def simulated(workload: Workload, chip: Chip, computed: Computed) -> dict[tuple[int, ...], Result]:
    """Return the run of every plan of the chip's grid that fits."""
    return {
        plan: plans.simulate(workload, chip, mapping, computed)
        for plan, mapping in plans.enumerated(workload, chip, GRID[chip.name])
    }


def compared(
    workload: Workload,
    chip: Chip,
    computed: Computed,
    grid: dict[tuple[int, ...], Result],
    objective: Objective,
) -> Compared:
    """Return what the grid and the mapper's efforts cost an objective."""
    costs = {plan: plans.cost(result, objective) for plan, result in grid.items()}
    best = min(costs, key=lambda plan: costs[plan])
    found: dict[str, float] = {}
    for effort in EFFORTS:
        mapping = plans.map_workload(workload, chip, objective, effort).mapping
        found[effort] = plans.cost(plans.simulate(workload, chip, mapping, computed), objective)
    fewest = costs[min(costs, key=sum)]
    return Compared(len(costs), fewest, costs[best], best, found)


def scattered(workload: Workload, chip: Chip, seed: int) -> CoreMapping:
    """Return consecutive neurons over all cores, each population by its share, at random places."""
    network = workload.network
    neurons = {n: network.populations[n].n_neurons for n in network.computed}
    per = -(-sum(neurons.values()) // (chip.n_cores - len(neurons)))
    cuts = {n: Cut((many, 1, 1), (-(-many // per), 1, 1)) for n, many in neurons.items()}
    return moved(plans.by_snake(workload, chip, cuts), plans.at_random(chip, seed))


def causes(result: Result) -> dict[str, float]:
    """Return what a run costs, and where that comes from: joules by kind; cycles, how many of them
    the busiest unit works, and how long units are blocked by full queues, in all.
    """
    parts = result.ledger.by_component
    kinds = {"hops": ("routers", "links"), "clocks": ("clock",)}
    kinds["leakage"] = ("leakage", "unused cores")
    joules = {kind: sum(parts[name] for name in names) for kind, names in kinds.items()}
    total = float(result.ledger.total)
    units = result.record.unit_cycles
    return {
        "energy": total,
        "work": total - sum(joules.values()),
        **joules,
        "cycles": float(result.record.cycles),
        "busiest": float(units[:, :, BUSY].max()),
        "blocked": float(units[:, :, BLOCKED].sum()),
        "links": result.count("flit_hops_east_west") + result.count("flit_hops_north_south"),
    }


def explained(workload: Workload, chip: Chip, computed: Computed) -> None:
    """Print what naive mappings cost beside the mapper's, and why."""
    naive = {
        "fewest cores": plans.fewest(workload, chip),
        "scattered": scattered(workload, chip, 0),
    }
    runs = {
        name: causes(plans.simulate(workload, chip, mapping, computed))
        for name, mapping in naive.items()
    }
    for objective in OBJECTIVES:
        mapping = plans.map_workload(workload, chip, objective).mapping
        runs[f"mapped for {objective}"] = causes(plans.simulate(workload, chip, mapping, computed))
    for name, row in runs.items():
        share = {kind: f"{kind} {show(row[kind], 'J')}" for kind in JOULES}
        ratio = row["energy"] / runs["mapped for energy"]["energy"]
        slower = row["cycles"] / runs["mapped for latency"]["cycles"]
        print(
            f"{chip.name}, {name}: {show(row['energy'], 'J')} (x {ratio:.2f}): "
            f"{', '.join(share.values())}; {row['cycles']:,.0f} cycles (x {slower:.2f}), the "
            f"busiest unit works {row['busiest'] / row['cycles']:.0%} of them, units blocked "
            f"{row['blocked']:,.0f} cycles in all, {row['links']:,.0f} flit-hops",
            flush=True,
        )


def main() -> None:
    """Print the tables of docs/mapping.md."""
    workload = replace(Workload.load("shd-like"), placement=None)
    computed = compute(workload, "snn", limit=1)
    for name in GRID:
        chip = Chip.load(name)
        grid = simulated(workload, chip, computed)
        for objective in OBJECTIVES:
            one = compared(workload, chip, computed, grid, objective)
            said = ", ".join(
                f"{effort} {written(one.found[effort], objective)} ({one.off(effort):+.1%})"
                for effort in EFFORTS
            )
            print(
                f"{name}, {objective}: {one.plans} plans; fewest cores "
                f"{written(one.fewest, objective)}, best {one.best_plan} "
                f"{written(one.best, objective)}; {said}",
                flush=True,
            )
        explained(workload, chip, computed)


def written(cost: float, objective: Objective) -> str:
    """Return a cost with its unit."""
    return show(cost, "J") if objective == "energy" else f"{cost:,.0f} cycles"


if __name__ == "__main__":
    main()
