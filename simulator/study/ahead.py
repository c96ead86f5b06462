"""What a crossover will ask its machines, simulated in processes of their own beforehand.

Costs do not depend on who computes them, so a study finds the same with any number of processes:
first every rate that is scanned, then the bisections of each metric.
"""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.describe.words import MODES
from simulator.study.workers import Workers

if TYPE_CHECKING:
    from simulator.study.crossover import Cost, Machine
    from simulator.study.simulation import Progress

Known = dict[tuple[str, float], "Cost"]


@dataclass(frozen=True)
class Asked:
    """One task: costs of a machine that was pickled, at stated rates, or to find a crossing."""

    file: Path
    machine: int
    rates: tuple[float, ...] = ()
    modes: tuple[Any, ...] = ()
    metric: str | None = None
    resolution: float = 0.0
    known: tuple[Any, ...] = ()


@lru_cache(maxsize=4)
def _machine(file: Path) -> Machine:
    machine: Machine = pickle.loads(file.read_bytes())
    return machine


def simulate(asked: Asked) -> Iterator[Any]:
    """Yield how many simulations it took, and the costs that were not known."""
    machine = copy(_machine(asked.file))
    machine.known = dict(asked.known)
    told: list[None] = []
    machine.told = lambda: told.append(None)
    for mode in asked.modes:
        for rate in asked.rates:
            machine.cost(mode, rate)
    if asked.metric is not None:
        machine.crossing(asked.metric, asked.resolution)
    before = {key for key, _ in asked.known}
    yield len(told), {key: cost for key, cost in machine.known.items() if key not in before}


def ask(
    machines: Sequence[Machine], metrics: Sequence[str], resolution: float, workers: Workers
) -> None:
    """Let the machines know what it takes to find their crossings in every metric."""
    machines[0].cost(MODES[0], 0.0)  # compiles what the processes would each compile
    with tempfile.TemporaryDirectory(prefix="spikemesh-") as folder:
        files = [Path(folder) / str(number) for number in range(len(machines))]
        for machine, file in zip(machines, files):
            plain = copy(machine)
            plain.told, plain.known = None, {}
            file.write_bytes(pickle.dumps(plain, pickle.HIGHEST_PROTOCOL))
        scans = [
            Asked(file, number, (rate,), (mode,), known=tuple(machine.known.items()))
            for number, (machine, file) in enumerate(zip(machines, files))
            for mode in MODES
            for rate in ((0.0,) if machine.is_held(mode) else machine.rates())
        ]
        _learn(machines, scans, workers)
        bisections = [
            Asked(file, number, (), (), metric, resolution, tuple(machine.known.items()))
            for number, (machine, file) in enumerate(zip(machines, files))
            for metric in metrics
        ]
        _learn(machines, bisections, workers)


def _learn(machines: Sequence[Machine], tasks: list[Asked], workers: Workers) -> None:
    for number, answer in workers.stream(simulate, tasks):
        if isinstance(answer, Exception):
            raise answer
        runs, found = answer
        machine = machines[tasks[number].machine]
        machine.known |= found
        machine.n_runs += runs
        if machine.told is not None:
            machine.told()


def tell_runs(
    progress: Progress, machines: Sequence[Machine], spent: int, expected: int, later: int
) -> None:
    """Let machines tell of every simulation done, when so many were done before, about so many are
    expected of them, and as many of each of the `later` studies.
    """

    def tell() -> None:
        done = spent + sum(machine.n_runs for machine in machines)
        progress("simulations", done, max(done, spent + expected) + later * expected)

    for machine in machines:
        machine.told = tell
