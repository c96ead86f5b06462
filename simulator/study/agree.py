"""Both engines on the same work, compared to the bit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from simulator.behaviour.checks import without_twin
from simulator.describe.chip import Chip
from simulator.describe.words import MODES, SNN, Mode
from simulator.describe.workload import Workload
from simulator.study.pipeline import compute, prepare
from simulator.study.simulation import Progress
from simulator.timing import COMPILED, REFERENCE, Steps
from simulator.timing.record import first_divergence


@dataclass(frozen=True)
class Comparison:
    """One comparison: what was compared, and the first difference or None."""

    mode: Mode
    seed: int
    cycles: int
    grants: int
    states: int
    packets: int
    difference: str | None


def _stretch(workload: Workload, seed: int, limit: int) -> Workload:
    """Return the workload with `limit` of its inputs: the first ones for seed 0, drawn ones for
    others.
    """
    stimulus = workload.stimulus
    n = min(limit, stimulus.n_inferences)
    chosen = (
        np.arange(n)
        if seed == 0
        else np.random.default_rng(seed).choice(stimulus.n_inferences, n, replace=False)
    )
    return replace(workload, stimulus=stimulus.chosen(chosen))


def _told(progress: Progress | None, number: int, comparisons: int) -> Steps | None:
    """Return what tells of the reference engine's steps, where the time goes; all comparisons count
    alike.
    """
    if progress is None:
        return None
    return lambda done, steps: progress(
        "per cent compared", round(100 * (number + done / steps) / comparisons), 100
    )


def compare_engines(
    workload: Workload,
    chip: Chip,
    *,
    seeds: int = 1,
    limit: int = 2,
    timesteps: int | None = None,
    progress: Progress | None = None,
) -> list[Comparison]:
    """Return one Comparison per twin and seed: both engines run the same inferences with all events
    kept.  A network without a quantised twin is compared as a spiking one.
    """
    prepared = prepare(workload, chip)
    modes: tuple[Mode, ...] = MODES if without_twin(workload.network) is None else (SNN,)
    outcomes: list[Comparison] = []
    for seed in range(seeds):
        stretch = _stretch(workload, seed, limit)
        for mode in modes:
            work = replace(prepared, workload=stretch).schedule(compute(stretch, mode, timesteps))
            told = _told(progress, len(outcomes), seeds * len(modes))
            slow, fast = (
                work.execute(name, events=True, progress=told if name == REFERENCE else None).record
                for name in (REFERENCE, COMPILED)
            )
            difference = first_divergence(slow, fast, prepared.plan)
            outcomes.append(
                Comparison(
                    mode,
                    seed,
                    slow.cycles,
                    len(slow.grants),
                    len(slow.states),
                    len(slow.packets),
                    difference,
                )
            )
    return outcomes
