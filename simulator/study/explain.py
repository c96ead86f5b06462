"""What holds a run back, proven: the same run with each resource relaxed in turn, and how far its
steps lie above what the busiest core has to do.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from simulator.account import bottleneck
from simulator.account.step_load import loads
from simulator.describe.chip import Chip
from simulator.describe.words import SNN, Mode
from simulator.describe.workload import Workload
from simulator.errors import SpikemeshError
from simulator.mapping.plan import TOKENS
from simulator.study.arguments import described
from simulator.study.pipeline import Shared
from simulator.study.point import one_line
from simulator.study.relaxing import Relaxed, relaxations
from simulator.study.simulation import Progress, Result, run

#: the loads of a core that bound a step from below, as the units that carry them
BOUNDS = ("synaptic", "neuron", "message")
#: a speed-up below this is said to be nothing
WORTH = 1.01
#: steps whose loads are looked at together
CHUNK = 4096


@dataclass(frozen=True)
class Relaxation:
    """A resource relaxed and measured: base over relaxed cycles, relaxed over base energy."""

    resource: str
    changed: str
    speed_up: float | None  # None: it cannot be relaxed, and `why_not` says why
    energy_ratio: float | None
    cycles: int | None
    why_not: str = ""

    @property
    def share(self) -> float | None:
        """Share of the run that goes with the resource, by Amdahl's law for a factor of two."""
        return None if self.speed_up is None else 2 * (1 - 1 / self.speed_up)


@dataclass(frozen=True)
class Floorline:
    """Every step's time, and the bounds below it, in cycles.

    With tokens steps overlap: the next one may begin while the busiest core still works on this
    one, so that only the work of a core in all steps together is a bound of the run.
    """

    cycles: np.ndarray  # (n_steps,) int64, from a step's start to the next
    barrier: np.ndarray  # (n_steps,) int64, from quiet to the next start; 0 with tokens
    bounds: np.ndarray  # (n_steps, len(BOUNDS)) int64, work of the busiest core
    overlaps: bool  # whether steps do
    total: np.ndarray  # (len(BOUNDS),) int64, the bounds of the run

    @property
    def floor(self) -> np.ndarray:
        """The highest bound of each step, (n_steps,) int64."""
        return self.bounds.max(axis=1)  # type: ignore[no-any-return]

    @property
    def run_floor(self) -> int:
        """The highest bound of the run: step by step, or with tokens of all steps together."""
        return int(self.total.max() if self.overlaps else self.floor.sum())

    @property
    def critical(self) -> list[str]:
        """What each step spends most on: one of its bounds, its barrier, or what is in neither:
        waiting for packets and for wakes.
        """
        rest = np.maximum(self.cycles - self.barrier - self.floor, 0)
        names = (*BOUNDS, "barrier", "waiting")
        table = np.column_stack([self.bounds, self.barrier, rest])
        return [names[number] for number in table.argmax(axis=1)]


@dataclass(frozen=True)
class Explanation:
    """A run, its floorline and its relaxations, the most helpful first."""

    base: Result
    floorline: Floorline
    relaxations: tuple[Relaxation, ...]

    @cached_property
    def bottleneck(self) -> Relaxation | None:
        """The resource whose relaxing helps most; None where none helps by a hundredth."""
        measured = [each for each in self.relaxations if each.speed_up is not None]
        if not measured or (measured[0].speed_up or 0) < WORTH:
            return None
        return measured[0]

    def sentence(self) -> str:
        """Return the outcome in a few sentences."""
        found, name = self.bottleneck, self.base.workload.name
        if found is None:
            return (
                f"No single resource of {self.base.chip.name}, relaxed by a factor of two, makes "
                f"{name} faster by 1 %."
            )
        assert found.speed_up is not None and found.energy_ratio is not None
        said = [
            f"What holds {name} back most on {self.base.chip.name} is the {found.resource}: with "
            f"{found.changed} it is {found.speed_up:.2f} times as fast at {found.energy_ratio:.3f} "
            f"times the energy."
        ]
        rest = [each for each in self.relaxations[1:] if (each.speed_up or 0) >= WORTH]
        if rest:
            second = rest[0]
            said.append(f"Next is the {second.resource}: {second.speed_up:.2f} times.")
        return " ".join(said)

    def summary(self) -> dict[str, Any]:
        """Return the content of explain.json."""
        base, line, found = self.base, self.floorline, self.bottleneck
        total = max(base.record.cycles, 1)
        names, counts = np.unique(line.critical, return_counts=True)
        return {
            "schema_version": 1,
            "workload": base.workload.name,
            "chip": base.chip.name,
            "mode": base.mode,
            "timesteps": base.timesteps,
            "inferences": base.finished,
            "cycles": base.record.cycles,
            "energy_per_inference_j": base.ledger.total / max(base.finished, 1),
            "bottleneck": None
            if found is None
            else {"resource": found.resource, "speed_up": found.speed_up, "share": found.share},
            "sentence": self.sentence(),
            "busiest": bottleneck.find(base.mapping, base.plan, base.workload, base.record),
            "bounds": {
                name: {
                    "cycles": int(line.total[number]),
                    "share": float(line.total[number]) / total,
                }
                for number, name in enumerate(BOUNDS)
            }
            | {
                "floor": {
                    "cycles": line.run_floor,
                    "share": line.run_floor / total,
                },
                "barrier": {
                    "cycles": int(line.barrier.sum()),
                    "share": float(line.barrier.sum()) / total,
                },
            },
            "critical_steps": {str(name): int(n) for name, n in zip(names, counts)},
            "relaxations": [asdict(each) for each in self.relaxations],
        }


def explain(
    workload: Workload | str | Path,
    chip: Chip | str | Path = "generic-22nm",
    mode: Mode = SNN,
    *,
    timesteps: int | None = None,
    limit: int | None = None,
    progress: Progress | None = None,
) -> Explanation:
    """Run a workload, and again with each resource of the chip relaxed; arguments as of `run`."""
    workload, chip = described(workload, chip)
    shared = Shared()
    how: dict[str, Any] = {"timesteps": timesteps, "limit": limit, "shared": shared}
    how["chunk"] = max(1, workload.stimulus.n_inferences)  # all at once: every step is looked at
    base = run(workload, chip, mode, progress=progress, **how)
    found = []
    wanted = relaxations(base)
    for number, relaxed in enumerate(wanted):
        if progress is not None:
            progress("relaxations", number, len(wanted))
        found.append(_measured(base, relaxed, how))
    order = sorted(found, key=lambda each: -(each.speed_up or 0.0))
    return Explanation(base, floorline(base), tuple(order))


def _measured(base: Result, relaxed: Relaxed, how: dict[str, Any]) -> Relaxation:
    """Return what a relaxation brings."""
    if relaxed.why_not:
        return Relaxation(relaxed.resource, "", None, None, None, relaxed.why_not)
    said = relaxed.described()
    workload = base.workload
    if relaxed.neurons_per_core is not None:
        workload = replace(workload, neurons_per_core=relaxed.neurons_per_core)
    try:
        from_ = base
        if relaxed.beside is not None:
            from_ = run(base.workload, base.chip.changed(relaxed.beside), base.mode, **how)
        chip = base.chip.changed(relaxed.changes) if relaxed.changes else base.chip
        after = run(workload, chip, base.mode, **how)
    except SpikemeshError as error:
        return Relaxation(relaxed.resource, said, None, None, None, one_line(str(error)))
    return Relaxation(
        relaxed.resource,
        said,
        from_.record.cycles / max(after.record.cycles, 1),
        after.ledger.total / from_.ledger.total if from_.ledger.total else 1.0,
        after.record.cycles,
    )


def floorline(base: Result) -> Floorline:
    """Return the steps of a run beside the bounds of the busiest core."""
    record = base.record
    n = len(record.step_start)
    ends = np.append(record.step_start[1:], record.cycles)
    bounds = np.zeros((n, len(BOUNDS)), np.int64)
    of_cores = np.zeros((base.plan.n_cores, len(BOUNDS)), np.int64)
    for first in range(0, n, CHUNK):
        last = min(n, first + CHUNK)
        of_core = loads(base.plan, base.schedule.activity, first, last)
        if of_core.size:
            bounds[first:last] = of_core.max(axis=1)
            of_cores += of_core.sum(axis=0)
    overlaps = base.plan.synchronisation == TOKENS
    barrier = np.zeros(n, np.int64) if overlaps else ends - record.step_quiet
    total = of_cores.max(axis=0) if overlaps else bounds.sum(axis=0)
    return Floorline(ends - record.step_start, barrier, bounds, overlaps, total)
