"""A long run in chunks of inferences, each a run by itself from the chip's start [S20]: on several
processors at once.  Of a chunk that is done only its results are kept, most of them in a temporary
file, and of the first its events too, so that a run of any length takes the memory of its chunks at
work.

What a chunk is depends on the workload alone, never on how many processors share the work, so every
number of them gives the same bytes.  A run of a single chunk is a run as any other.
"""

from __future__ import annotations

import math
import pickle
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from functools import partial as given
from pathlib import Path
from typing import Any

import numpy as np

from simulator import kernel_cache
from simulator.account import neurobench
from simulator.account.neurobench import Effective
from simulator.behaviour import twins
from simulator.behaviour.raster import Raster
from simulator.behaviour.twins import Difference
from simulator.describe.chip import Chip
from simulator.describe.words import QNN, SNN, Mode
from simulator.describe.workload import Workload
from simulator.errors import InputError
from simulator.mapping.schedule import Schedule
from simulator.scratch import Scratch
from simulator.study import threads
from simulator.study.pipeline import Computed, Executed, Prepared, Scheduled, compute, prepare
from simulator.timing import COMPILED, EngineName, Steps
from simulator.timing.chunks import Chain
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
    found: dict[int, dict[Mode, Part]] = defaultdict(dict)  # until the chunks before are done
    difference: dict[int, Difference | None] = {}  # of every chunk that is done
    together = _Together()
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
                while together.chunks in difference:
                    together = together.then(asked, found.pop(together.chunks))
                continue
            found[number][mode] = made
            done[mode] += made.raster.n_inferences
            if progress is not None:
                progress(f"{mode} inferences", done[mode], asked.inferences)
    except KeyboardInterrupt:
        complete = False
        if not partial or not together.chunks:
            raise
    cut = Cut({}, {})
    for mode in asked.modes:
        twin = together.twins[mode]
        cut.executed[mode] = twin.executed(asked, prepared, mode, complete)
        cut.effective[mode] = neurobench.total(twin.effective)
    known = (difference[number] for number in range(together.chunks))
    differences = [each for each in known if each is not None]
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


@dataclass(frozen=True)
class _Together:
    """The first chunks as one run of each twin; a new one for each chunk, so that a Ctrl-C leaves
    all of a chunk or nothing.
    """

    twins: dict[Mode, _Twin] = field(default_factory=dict)
    chunks: int = 0

    def then(self, asked: Run, parts: dict[Mode, Part]) -> _Together:
        """Return the chunks with the one that follows them."""
        twins = {
            mode: self.twins[mode].then(part) if self.chunks else _Twin.begun(asked, part)
            for mode, part in parts.items()
        }
        return _Together(twins, self.chunks + 1)


@dataclass(frozen=True)
class _Twin:
    """One twin in the first chunks."""

    schedule: Schedule  # of the first chunk
    chain: Chain
    table: Scratch  # what has a row per inference or timestep, with room for all chunks
    raster: Raster  # of the first chunk, with the overflows and currents of all
    sent: tuple[int, ...]  # events of each population
    inferences: int = 0
    effective: tuple[Effective, ...] = ()  # of each chunk

    @classmethod
    def begun(cls, asked: Run, part: Part) -> _Twin:
        """Return the first chunk, with room for all that are asked for."""
        schedule, raster, n = part.schedule, part.raster, asked.inferences
        assert schedule is not None
        chain = Chain.begun(part.record, n * schedule.steps_per_inference)
        starts: dict[str, Any] = {
            _start(k): (np.int64, (n * raster.timesteps + 1,)) for k in range(len(raster.traces))
        }
        outputs = {
            name: (rows.dtype, (n, *rows.shape[1:]))
            for name, rows in (("outputs", raster.outputs), ("predictions", raster.predictions))
        }
        table, sent = Scratch(starts | outputs), (0,) * len(raster.traces)
        return cls(schedule, chain, table, replace(raster, overflows=0), sent)._with(part)

    def then(self, part: Part) -> _Twin:
        """Return the chunks with the one that follows them."""
        return replace(self, chain=self.chain.then(part.record))._with(part)

    def _with(self, part: Part) -> _Twin:
        """Return this with all but the record of one more chunk."""
        mine, raster, done = self.raster, part.raster, self.inferences
        for k, (trace, sent) in enumerate(zip(raster.traces, self.sent)):
            self.table.put(_start(k), done * raster.timesteps + 1, trace.start[1:] + sent)
        for name in ("outputs", "predictions"):
            rows = getattr(raster, name)
            self.table.put(name, done * math.prod(rows.shape[1:]), rows)
        both = replace(
            mine,
            overflows=mine.overflows + raster.overflows,
            currents=tuple(
                (min(low, other_low), max(high, other_high))
                for (low, high), (other_low, other_high) in zip(mine.currents, raster.currents)
            ),
        )
        return replace(
            self,
            raster=both,
            sent=tuple(n + int(trace.start[-1]) for n, trace in zip(self.sent, raster.traces)),
            inferences=done + raster.n_inferences,
            effective=(*self.effective, part.effective),
        )

    def executed(self, asked: Run, prepared: Prepared, mode: Mode, complete: bool) -> Executed:
        """Return the chunks as a run that happened; nothing follows them any more."""
        record = replace(self.chain.record, complete=self.chain.counted.complete and complete)
        n, raster, tables = self.inferences, self.raster, self.table.arrays
        labels, predictions = prepared.workload.stimulus.labels, tables["predictions"][:n]
        raster = replace(
            raster,
            traces=tuple(
                replace(trace, start=tables[_start(k)][: n * raster.timesteps + 1])
                for k, trace in enumerate(raster.traces)
            ),
            outputs=tables["outputs"][:n],
            predictions=predictions,
            accuracy=None if labels is None else float((predictions == labels[:n]).mean()),
        )
        entry = np.arange(n) * self.schedule.steps_per_inference
        schedule = replace(self.schedule, first_step=entry)
        how = (asked.timesteps, asked.inferences, asked.size, asked.engine, asked.events)
        read = ("chunks", *prepared.read, prepared.workload.stimulus, mode, *how)
        computed = Computed(("chunks computed", digest(read)), raster, asked.timesteps)
        return Executed(read, InChunks(read, prepared, computed, schedule), asked.engine, record)


def _start(population: int) -> str:
    """Return the name of the column of a population's `Trace.start`."""
    return f"start of {population}"
