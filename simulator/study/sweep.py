"""A study's points, run: in this process, in several, or on a Dask cluster; the table is the same.

Points that differ only in constants go to one process one after the other, which prices the same
run again, and arithmetic that several processes need is done once before (pipeline.Shared).  What
was finished by an earlier sweep is taken from its store.
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from simulator.describe import library
from simulator.describe.axes import BESIDE
from simulator.describe.documents import Document
from simulator.describe.study_file import Measure, Study
from simulator.describe.workload import Workload
from simulator.errors import InputError, SpikemeshError
from simulator.study import optimise, table
from simulator.study.point import (
    DONE,
    FAILED,
    Bench,
    Kept,
    Outcome,
    arithmetic,
    evaluate,
    flat,
    refuse_unknown,
)
from simulator.study.space import Point, points
from simulator.study.table import Row, SweepResult
from simulator.study.workers import WorkerDied, Workers
from simulator.values import digest

#: of a chip, what only prices a run; a corner may also change its cycles, which its digest tells
CONSTANTS = ("energy.", "power.")
PACKAGE = Path(__file__).resolve().parent.parent
#: points of a task that is small enough to be sent ahead
FEW = 16
#: folders whose code decides what a point comes out as
DECIDING = ("describe", "behaviour", "mapping", "timing", "account", "study")


class Store(Protocol):
    """Where finished points are kept."""

    def finished(self, key: str) -> Outcome | None:
        """Return what became of a point earlier, None of one that was not finished."""

    def keep(self, key: str, point: Point, outcome: Outcome, row: Row) -> None:
        """Keep a point that is finished."""

    def scratch(self) -> AbstractContextManager[Path]:
        """Return a folder for stages, which lasts as long as the context."""

    def table(self, rows: Sequence[Row]) -> None:
        """Be told of all rows there are, now and then."""


class Told(Protocol):
    """A progress that can say more than how much is done."""

    def __call__(self, what: str, done: int, total: int, note: str = "") -> None:
        """Be told now and then."""


@dataclass(frozen=True)
class Task:
    """Points that one process does one after the other; with `only_arithmetic` what they share."""

    measure: Measure
    points: tuple[Point, ...]
    folder: str | None = None
    only_arithmetic: bool = False


_thread = threading.local()


def work(task: Task) -> Iterator[Outcome]:
    """Do a task in a process that keeps what it made for the next one."""
    if not hasattr(_thread, "bench"):
        _thread.bench = Bench()
    yield from _work(task, _thread.bench)


def _work(task: Task, bench: Bench) -> Iterator[Outcome]:
    bench.shared.folder = None if task.folder is None else Path(task.folder)
    for point in task.points:
        if task.only_arithmetic:
            arithmetic(task.measure, point.asked, bench)
        else:
            yield evaluate(task.measure, point, bench)


class Runner:
    """Runs points of one study and counts what is done."""

    def __init__(
        self, study: Study, jobs: int, dask: str | None, store: Store | None, progress: Told | None
    ) -> None:
        """Take how the points are run, where they are kept and who is told."""
        self.study, self.store, self.progress = study, store, progress
        self.jobs, self.dask = jobs, dask
        self.rows: dict[int, Row] = {}
        self.keys = Keys(study)
        self.total = 0
        self.run_here, self.began = 0, time.monotonic()
        self.folder: str | None = None
        self.pool: Workers | None = None
        self.bench = Bench(Kept())
        self.stack = ExitStack()

    def __enter__(self) -> Runner:
        """Make what the processes share."""
        if self.dask is None and self.jobs > 1:
            made: AbstractContextManager[Any] = (
                self.store.scratch() if self.store else tempfile.TemporaryDirectory()
            )
            self.folder = str(self.stack.enter_context(made))
            self.pool = self.stack.enter_context(Workers(self.jobs))
        return self

    def __exit__(self, *error: object) -> None:
        """End the processes."""
        self.stack.close()

    def run(self, found: Sequence[Point]) -> list[Row]:
        """Run points, or take what is known of them; return their rows in order."""
        key = {point.number: self.keys.of(point) for point in found}
        missing: dict[str, list[Point]] = {}
        for point in found:
            mine = key[point.number]
            known = self.store.finished(mine) if self.store else None
            if known:
                self._take(point, mine, replace(known, number=point.number))
            else:
                missing.setdefault(mine, []).append(point)
        self._tell()
        first = {same[0].number: same for same in missing.values()}
        for outcome in self._outcomes([same[0] for same in missing.values()]):
            for point in first[outcome.number]:
                same = replace(outcome, number=point.number)
                row = self._take(point, key[point.number], same)
                if point.number == outcome.number and self.store and outcome.is_final:
                    self.store.keep(key[point.number], point, outcome, row)
            self.run_here += 1
            self._tell()
        if self.store:
            self.store.table(self.sorted())
        return [self.rows[point.number] for point in found]

    def sorted(self) -> list[Row]:
        """Return all rows so far, in the order of their numbers."""
        return [self.rows[number] for number in sorted(self.rows)]

    def _take(self, point: Point, key: str, outcome: Outcome) -> Row:
        row = table.row(self.study, point, key, outcome)
        self.rows[point.number] = row
        return row

    def _outcomes(self, missing: Sequence[Point]) -> Iterator[Outcome]:
        if not missing:
            return
        groups = grouped(missing, lambda asked: _without(asked, CONSTANTS, ("corner",)))
        measure = self.study.measure
        tasks = [Task(measure, tuple(group), self.folder) for group in groups]
        if self.dask is not None:
            from simulator.study import on_dask

            for number, outcome in on_dask.stream(self.dask, work, tasks):
                yield from self._came(tasks[number], outcome)
        elif self.pool is None:
            for task in tasks:
                yield from _work(task, self.bench)
        else:
            for _ in self.pool.stream(work, self._preludes(groups)):
                pass  # what fails there fails again where it is said
            ahead = max(map(len, groups)) <= FEW
            for number, outcome in self.pool.stream(work, tasks, ahead=ahead):
                yield from self._came(tasks[number], outcome)

    def _came(self, task: Task, outcome: Outcome | WorkerDied) -> Iterator[Outcome]:
        if not isinstance(outcome, WorkerDied):
            yield outcome
            return
        for point in task.points:
            if point.number not in self.rows:
                yield Outcome(point.number, FAILED, str(outcome), None, 0.0, is_final=False)

    def _preludes(self, groups: Sequence[Sequence[Point]]) -> list[Task]:
        """Return the arithmetic that several groups have in common, once each."""
        if self.study.measure == "always-on":  # each of its streams has its own
            return []
        first = [group[0] for group in groups]
        shared = grouped(first, lambda asked: {
            key: value for key, value in asked.items()
            if key.startswith("workload") or key in ("mode", "timesteps", "limit")
        })  # fmt: skip
        return [
            Task(self.study.measure, (same[0],), self.folder, only_arithmetic=True)
            for same in shared
            if len(same) > 1
        ]

    def _tell(self) -> None:
        if self.store:
            self.store.table(self.sorted())
        if self.progress is None:
            return
        minutes = (time.monotonic() - self.began) / 60
        rate = f"{self.run_here / minutes:.0f} points/min" if self.run_here and minutes else ""
        best = table.best_so_far(self.study, self.rows.values())
        note = ", ".join(part for part in (rate, best) if part)
        self.progress("points", len(self.rows), self.total, note)


class Keys:
    """Names points by what they are: files, settings, and the code that runs them."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.files = cache(_file_digest)

    def of(self, point: Point) -> str:
        """Return the digest of everything a point reads."""
        asked = dict(point.asked)
        read = [("code", code_digest()), ("measure", self.study.measure)]
        for kind in ("workload", "chip"):
            read.append((kind, self.files(kind, asked.pop(kind))))
        return digest(read, sorted((key, repr(value)) for key, value in asked.items()))[:32]


def _file_digest(kind: library.Kind, given: str) -> str:
    path = library.find(kind, given)
    if kind == "workload":
        try:
            return Workload.load(given).digest()
        except SpikemeshError:  # the point says so
            pass
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def code_digest() -> str:
    """Return the digest of the code that decides what a point comes out as."""
    whole = hashlib.sha256()
    for folder in DECIDING:
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            whole.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()[:20]


def grouped(found: Iterable[Point], of: Any) -> list[list[Point]]:
    """Return points in groups that agree in `of(asked)`, in the order of their first."""
    groups: dict[str, list[Point]] = {}
    for point in found:
        key = digest(sorted((name, repr(value)) for name, value in of(point.asked).items()))
        groups.setdefault(key, []).append(point)
    return list(groups.values())


def _without(
    asked: dict[str, Any], prefixes: tuple[str, ...], names: tuple[str, ...]
) -> dict[str, Any]:
    return {
        key: value
        for key, value in asked.items()
        if not key.startswith(prefixes) and key not in names
    }


def check(study: Study) -> None:
    """Refuse, before anything is run, keys that no chip or workload has, and metrics that no
    summary has; compiles what the points need on the way.

    It runs one inference of the first point that can be run, for each workload and mode.
    """
    bench = Bench()
    _refuse_unknown_keys(study, bench)
    if study.method in optimise.METHODS:
        candidates = [optimise.first(study)]
    else:
        candidates = points(study)
    names: set[str] = set()
    groups = grouped(candidates, lambda asked: {k: asked[k] for k in ("workload", "mode")})
    for group in groups[:8]:
        for point in group[:4]:
            asked = point.asked | {"limit": 1}
            outcome = evaluate(study.measure, Point(0, (), asked), bench)
            if outcome.status == DONE and outcome.summary is not None:
                names |= {name for name, _ in flat(outcome.summary)}
                break
    if names:
        refuse_unknown(study.metrics, study.lines, sorted(names))


def _refuse_unknown_keys(study: Study, bench: Bench) -> None:
    """Raise every fault of a key that nothing has, with the line of the study."""
    document = Document(study.file)
    wrong = []
    for axis in study.axes:
        keys = {key: value for choice in axis.grid()[:32] for key, value in choice.settings}
        for key, value in keys.items():
            if key in BESIDE:
                continue
            kind = "workload" if key.startswith("workload.") else "chip"
            try:
                if kind == "chip":
                    bench.chip(study.base | {key: value})
                else:
                    bench.workload(study.base | {key: value})
            except SpikemeshError as error:
                text = str(error)
                if "unknown key" in text or "must be there" in text:
                    line = document.line(("axes", axis.name))
                    said = text.splitlines()[0]
                    wrong.append(f"{document.shown}:{line}: axes.{axis.name}: {said}")
    if wrong:
        raise InputError("\n".join(wrong))


def sweep(
    study: Study | str | Path,
    *,
    jobs: int = 1,
    dask: str | None = None,
    store: Store | None = None,
    progress: Told | None = None,
) -> SweepResult:
    """Run every point of a study and return the table.

    jobs: how many processes; 1 is this one.  dask: the address of a scheduler, in their place.
    store: where finished points are, and will be.  A point that cannot be run is a row that says
    why.  Raises SpikemeshError for a study that cannot be meant.
    """
    study = study if isinstance(study, Study) else Study.load(study)
    if study.method in optimise.METHODS:
        optimise.require()
    if dask is not None:
        from simulator.study import on_dask

        on_dask.require()
    check(study)
    with Runner(study, jobs, dask, store, progress) as runner:
        if study.method in optimise.METHODS:
            assert study.points is not None
            runner.total = study.points
            optimise.run(study, runner.run)
        else:
            found = points(study)
            runner.total = len(found)
            runner.run(found)
        return SweepResult(study, tuple(runner.sorted()))
