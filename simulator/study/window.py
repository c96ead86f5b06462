"""Some cycles of a run simulated once more, with every event of them.

The events of a whole run may be more than fits; those of a window are all that somebody looks at.
The steps behind the window are not simulated again, and with chunks only the first one is looked
into.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from simulator.errors import InputError
from simulator.mapping.plan import TOKENS, Activity
from simulator.study.pipeline import Scheduled, compute, prepare
from simulator.study.simulation import Result
from simulator.timing import Steps, engine_named
from simulator.timing.history import History


@dataclass(frozen=True)
class Window:
    """The cycles first .. last - 1 of a run, and what happened up to them."""

    result: Result
    history: History
    first: int
    last: int


def window(
    result: Result, asked: tuple[int, int] | None = None, progress: Steps | None = None
) -> Window:
    """Return the cycles asked for, (first, last), or those of the first inference.

    Raises InputError for cycles that are not in the run, or not in its first chunk.
    """
    scheduled = _first_chunk(result)
    record = result.record
    steps = scheduled.activity.n_steps
    is_all = steps >= len(record.step_start)
    cycles = record.cycles if is_all else int(record.step_start[steps])
    first, last = asked or _first_inference(result, cycles)
    if not 0 <= first < last <= cycles:
        of = "the run" if is_all else f"the first chunk of {result.chunk} inferences"
        raise InputError(
            f"window: must lie within 0:{cycles}, the cycles of {of}, not {first}:{last}"
        )
    plan, activity = scheduled.prepared.plan, scheduled.activity
    if plan.synchronisation != TOKENS:
        activity = _first_steps(activity, int(np.searchsorted(record.step_start[:steps], last)))
    simulate = engine_named(result.engine)
    again = simulate(plan, activity, events=True, progress=progress)
    return Window(result, History(plan, activity, again), first, last)


def _first_inference(result: Result, cycles: int) -> tuple[int, int]:
    """Return the cycles from the run's start to the end of its first inference."""
    start, steps = result.record.step_start, result.schedule.steps_per_inference
    return 0, int(start[steps]) if len(start) > steps else cycles


def _first_chunk(result: Result) -> Scheduled:
    """Return the work of the first chunk, which is that of the run where it was not cut."""
    scheduled = result.executed.scheduled
    size = result.chunk
    if size is None or size >= len(result.raster.outputs):
        return scheduled
    prepared = prepare(result.workload, result.chip)
    stimulus = result.workload.stimulus.chosen(np.arange(size))
    here = replace(prepared, workload=replace(prepared.workload, stimulus=stimulus))
    return here.schedule(compute(here.workload, result.mode, result.timesteps))


def _first_steps(activity: Activity, steps: int) -> Activity:
    """Return the work of the first steps alone; with barriers nothing before knows of the rest."""
    work, inject = int(activity.work_start[steps]), int(activity.inject_start[steps])
    cut: dict[str, slice] = {
        "work_start": slice(steps + 1),
        "work_core": slice(work),
        "work_visits": slice(work),
        "work_message": slice(work + 1),
        "work_counts": slice(work),
        "work_clear": slice(work),
        "inject_start": slice(steps + 1),
        "inject_port": slice(inject),
        "inject_offset": slice(inject),
        "inject_row": slice(inject),
        "step_begins": slice(steps),
        "step_release": slice(steps + 1),
    }
    kept = {name: getattr(activity, name)[some] for name, some in cut.items()}
    return replace(activity, **kept)
