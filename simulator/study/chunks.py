"""A long run in chunks of inferences, each a run by itself from the chip's start [S20]: on several
processors at once, and with the events of all chunks but the first forgotten when they are done.

What a chunk is depends on the workload alone, never on how many processors share the work, so every
number of them gives the same bytes.  A run of a single chunk is a run as any other.
"""

from __future__ import annotations

import pickle
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from functools import partial as given
from pathlib import Path
from typing import Any

import numpy as np

from simulator import kernel_cache
from simulator.account import neurobench
from simulator.account.neurobench import Effective
from simulator.behaviour import twins
from simulator.behaviour.raster import Raster, Trace
from simulator.behaviour.twins import Difference
from simulator.describe.chip import Chip
from simulator.describe.words import QNN, SNN, Mode
from simulator.describe.workload import Workload
from simulator.errors import InputError
from simulator.mapping.schedule import Schedule
from simulator.study import threads
from simulator.study.pipeline import Computed, Executed, Prepared, Scheduled, compute, prepare
from simulator.timing import COMPILED, EngineName, Steps
from simulator.timing.chunks import joined
from simulator.timing.record import Record
from simulator.values import digest

#: inferences of a chunk, and its neurons times timesteps, at most, where nothing else is asked for
MOST_INFERENCES, MOST_PLACES = 500, 1 << 23
#: what takes longest to compile
ENGINE_KERNEL = "simulator.timing.engine.chip.advance"
Told = Callable[[str, int, int], None]


def size_of(workload: Workload, timesteps: int, chunk: int | None = None) -> int:
    """Return the inferences of a chunk: those asked for, or what the network's size suggests; all
    of them where state is carried from one to the next.
    """
    n, carries = workload.stimulus.n_inferences, workload.stimulus.carries
    if chunk is not None:
        if isinstance(chunk, bool) or not isinstance(chunk, (int, np.integer)) or chunk < 1:
            raise InputError(f"chunk: must be a whole number of at least 1, not {chunk!r}")
        if carries and chunk < n:
            raise InputError(
                f"chunk: must be left out where stimulus.state is 'carried' from inference to "
                f"inference, not {chunk}"
            )
        return int(chunk)
    if carries:
        return n
    places = timesteps * sum(one.n_neurons for one in workload.network.populations)
    return max(1, min(MOST_INFERENCES, MOST_PLACES // max(1, places)))


@dataclass(frozen=True)
class Part:
    """One twin in one chunk; of the first one everything, of the others without events: what each
    population sent is counted only.
    """

    raster: Raster
    schedule: Schedule | None
    record: Record
    effective: Effective


@dataclass(frozen=True, eq=False)
class InChunks(Scheduled):
    """The work of several chunks; its activity, and the events of its raster, are the first's."""

    def paced(self, chip: Chip) -> Scheduled:
        """Refuse: the work of the other chunks is gone."""
        raise InputError(f"{chip.name}: a run in chunks must be simulated from its workload")

    def execute(self, *engine: Any, **how: Any) -> Executed:
        """Refuse: the work of the other chunks is gone."""
        raise InputError("a run in chunks must be simulated from its workload")


@dataclass(frozen=True)
class Cut:
    """What all chunks were together."""

    executed: dict[Mode, Executed]
    effective: dict[Mode, Effective]
    difference: Difference | None = None  # of the twins, where both were run


@dataclass(frozen=True)
class Task:
    """A chunk to be run: inferences first .. last - 1 of what is prepared."""

    first: int
    last: int
    modes: tuple[Mode, ...]
    timesteps: int
    engine: EngineName
    events: bool
    file: Path = Path()  # where a process finds what is prepared


@dataclass(frozen=True, eq=False)
class Run:
    """What is asked of all chunks."""

    workload: Workload
    chip: Chip
    modes: tuple[Mode, ...]
    timesteps: int
    inferences: int
    size: int  # of a chunk
    engine: EngineName = COMPILED
    events: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether all inferences are one chunk."""
        return self.inferences <= self.size

    def tasks(self) -> list[Task]:
        """Return the chunks, each inference in one of them."""
        edges = [*range(0, self.inferences, self.size), self.inferences]
        return [
            Task(a, b, self.modes, self.timesteps, self.engine, self.events)
            for a, b in zip(edges, edges[1:])
        ]


def asked(
    workload: Workload,
    chip: Chip,
    modes: tuple[Mode, ...],
    timesteps: int | None = None,
    limit: int | None = None,
    chunk: int | None = None,
    engine: EngineName = COMPILED,
    events: bool = False,
) -> Run:
    """Return the chunks of a run; the arguments are those of `simulation.run`."""
    steps = workload.timesteps if timesteps is None else timesteps
    n = workload.stimulus.n_inferences if limit is None else limit
    n = min(n, workload.stimulus.n_inferences)
    return Run(workload, chip, modes, steps, n, size_of(workload, steps, chunk), engine, events)


@lru_cache(maxsize=1)
def _shared(file: Path) -> Prepared:
    prepared: Prepared = pickle.loads(file.read_bytes())
    return prepared


def work(task: Task) -> Iterator[Any]:
    """Run one chunk in a process that knows only where to find what is prepared."""
    yield from _chunk(_shared(task.file), task)


def _chunk(prepared: Prepared, task: Task, look: Steps | None = None) -> Iterator[Any]:
    """Run one chunk: yield its Part of each mode as it is made, and at the end the difference of
    the twins, None where one was run alone; `look` is called now and then.
    """
    stimulus = prepared.workload.stimulus.chosen(np.arange(task.first, task.last))
    here = replace(prepared, workload=replace(prepared.workload, stimulus=stimulus))
    rasters: dict[Mode, Raster] = {}
    for mode in task.modes:
        computed = compute(here.workload, mode, task.timesteps, progress=look)
        scheduled = here.schedule(computed, progress=look)
        executed = scheduled.execute(task.engine, events=task.events, progress=look)
        rasters[mode] = computed.raster
        raster, schedule = rasters[mode], executed.scheduled.schedule
        counted = neurobench.effective(here.workload.network, raster, raster.n_inferences)
        if task.first:
            yield mode, Part(_counted(raster), None, executed.record, counted)
        else:
            yield mode, Part(raster, schedule, executed.record, counted)
    if SNN in rasters and QNN in rasters:
        yield None, twins.compare(rasters[SNN], rasters[QNN], task.first)
    else:
        yield None, None


def _counted(raster: Raster) -> Raster:
    """Return a raster that still says how many events there were in each step, not which."""
    nothing = np.zeros(0, np.int32)
    traces = tuple(replace(trace, neuron=nothing, value=nothing) for trace in raster.traces)
    return replace(raster, traces=traces)


def run(asked: Run, jobs: int = 1, *, partial: bool = False, progress: Told | None = None) -> Cut:
    """Run all chunks with up to `jobs` at once.

    Stopped by the user it raises Interrupted, or with `partial` returns the chunks before the first
    that was not done.
    """
    found: dict[int, dict[Mode, Part]] = defaultdict(dict)
    difference: dict[int, Difference | None] = {}  # of every chunk that is done
    done = dict.fromkeys(asked.modes, 0)
    complete = True
    prepared = prepare(asked.workload, asked.chip)
    tasks = asked.tasks()
    try:
        for number, answer in _answers(asked, prepared, tasks, min(jobs, len(tasks))):
            if isinstance(answer, Exception):
                raise answer
            mode, made = answer
            if mode is None:
                difference[number] = made
                continue
            found[number][mode] = made
            done[mode] += made.raster.n_inferences
            if progress is not None:
                progress(f"{mode} inferences", done[mode], asked.inferences)
    except KeyboardInterrupt:
        complete = False
        if not partial or 0 not in difference:
            raise
    whole = next((k for k in range(len(tasks)) if k not in difference), len(tasks))
    cut = Cut({}, {})
    for mode in asked.modes:
        parts = [found[k][mode] for k in range(whole)]
        cut.executed[mode] = _together(asked, prepared, mode, parts, complete)
        cut.effective[mode] = neurobench.total([part.effective for part in parts])
    differences = [each for each in (difference[k] for k in range(whole)) if each is not None]
    return replace(cut, difference=twins.total(differences)) if differences else cut


def _answers(
    asked: Run, prepared: Prepared, tasks: list[Task], jobs: int
) -> Iterator[tuple[int, Any]]:
    """Yield (number of the chunk, what it yields): one chunk after the other, or several at once,
    which are threads where they are compiled, and processes where they are Python.
    """
    if jobs == 1:
        for number, task in enumerate(tasks):
            for value in _chunk(prepared, task):
                yield number, value
        return
    if asked.engine != COMPILED or not kernel_cache.holds(ENGINE_KERNEL):
        for _ in _chunk(prepared, replace(tasks[0], last=1)):  # compiles, once for all of them
            pass
    if asked.engine == COMPILED:
        yield from threads.stream(given(_chunk, prepared), tasks, jobs)
        return
    from simulator.study.workers import Workers

    with tempfile.TemporaryDirectory(prefix="spikemesh-") as folder, Workers(jobs) as workers:
        file = Path(folder) / "prepared"
        file.write_bytes(pickle.dumps(prepared, pickle.HIGHEST_PROTOCOL))
        yield from workers.stream(work, [replace(task, file=file) for task in tasks])


def _together(
    asked: Run, prepared: Prepared, mode: Mode, parts: list[Part], complete: bool
) -> Executed:
    """Return the chunks of one twin as one run."""
    record = joined([part.record for part in parts])
    if not complete:
        record = replace(record, complete=False)
    raster = _raster([part.raster for part in parts], prepared.workload)
    first = parts[0].schedule
    assert first is not None
    entry = np.arange(raster.n_inferences) * first.steps_per_inference
    schedule = replace(first, first_step=entry)
    how = (asked.timesteps, asked.inferences, asked.size, asked.engine, asked.events)
    read = ("chunks", *prepared.read, prepared.workload.stimulus, mode, *how)
    computed = Computed(("chunks computed", digest(read)), raster, asked.timesteps)
    return Executed(read, InChunks(read, prepared, computed, schedule), asked.engine, record)


def _raster(parts: list[Raster], workload: Workload) -> Raster:
    """Return the rasters of chunks as one, with the events of the first."""
    n = sum(part.n_inferences for part in parts)
    predictions = np.concatenate([part.predictions for part in parts])
    labels = workload.stimulus.labels
    return replace(
        parts[0],
        traces=tuple(_trace(list(traces)) for traces in zip(*(part.traces for part in parts))),
        outputs=np.concatenate([part.outputs for part in parts]),
        predictions=predictions,
        accuracy=None if labels is None else float((predictions == labels[:n]).mean()),
        overflows=sum(part.overflows for part in parts),
        currents=tuple(
            (min(low for low, _ in found), max(high for _, high in found))
            for found in zip(*(part.currents for part in parts))
        ),
    )


def _trace(parts: list[Trace]) -> Trace:
    count = np.concatenate([np.diff(part.start) for part in parts])
    return replace(parts[0], start=np.concatenate([[0], np.cumsum(count)]))
