"""Runs that do not depend on each other, simulated in processes of their own."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from simulator.study.pipeline import Executed, Scheduled
from simulator.study.workers import Workers
from simulator.timing import COMPILED, EngineName, Steps


def simulate(task: tuple[Path, EngineName]) -> Iterator[Any]:
    """Yield the record of one run that was pickled."""
    file, engine = task
    scheduled: Scheduled = pickle.loads(file.read_bytes())
    yield scheduled.execute(engine).record


def execute(
    works: Sequence[Scheduled],
    told: Sequence[Steps | None],
    engine: EngineName = COMPILED,
    jobs: int = 1,
) -> list[Executed]:
    """Return what an engine counts of each, up to `jobs` at once; `told` is each one's progress.

    The first is simulated here, which compiles what the processes would each compile.
    """
    if jobs == 1:
        return [work.execute(engine, progress=one) for work, one in zip(works, told)]
    done = {0: works[0].execute(engine, progress=told[0])}
    with tempfile.TemporaryDirectory(prefix="spikemesh-") as folder, Workers(jobs) as workers:
        tasks = []
        for number, work in enumerate(works[1:]):
            file = Path(folder) / str(number)
            file.write_bytes(pickle.dumps(work, pickle.HIGHEST_PROTOCOL))
            tasks.append((file, engine))
        for number, record in workers.stream(simulate, tasks):
            if isinstance(record, Exception):
                raise record
            work, one = works[number + 1], told[number + 1]
            done[number + 1] = Executed(
                ("executed", *work.read, engine, False), work, engine, record
            )
            if one is not None:
                one(work.activity.n_steps, work.activity.n_steps)
    return [done[number] for number in range(len(works))]
