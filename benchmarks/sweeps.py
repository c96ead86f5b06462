"""Points per minute of a sweep, by one process and by two."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import measure
from benchmarks.figures import Figure, Sample
from benchmarks.races import Settings
from benchmarks.start_up import SPIKEMESH

STUDY = """\
schema_version: 1
name: speed
question: how many points a minute?
workloads: [digits-mlp]
axes:
  core.synapse.lanes: {{from: 1, to: {lanes}, count: {lanes}}}
  core.soma.visit: [1 cycle, 2 cycles, 3 cycles, 4 cycles, 5 cycles]
objectives: {{energy_j.per_inference: minimise}}
"""
#: what two processes must be to one
TARGET = 1.8


def _per_minute(study: Path, out: Path, jobs: int) -> float:
    """Return the points per minute of a sweep as its files tell, without the first fifth: what a
    process takes to start is no rate.
    """
    command = [*SPIKEMESH, "sweep", str(study), "-o", str(out), "--jobs", str(jobs)]
    subprocess.run(
        command, check=True, cwd=measure.ROOT, capture_output=True, timeout=measure.PATIENCE
    )
    ends = sorted(path.stat().st_mtime for path in out.glob("points/*/manifest.json"))
    first = len(ends) // 5
    return 60 * (len(ends) - 1 - first) / (ends[-1] - ends[first])


def sweeps(settings: Settings) -> list[Figure]:
    """Points of digits-mlp, all inferences each, in elapsed time, so on a machine that has two
    processors to give.
    """
    lanes = 4 if settings.is_quick else 40
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(settings.repeat):
        for jobs, found in rates.items():
            with TemporaryDirectory() as folder:
                study = Path(folder) / "study.yaml"
                study.write_text(STUDY.format(lanes=lanes))
                found.append(_per_minute(study, Path(folder) / "out", jobs))
    ratio = Sample.of([two / one for one, two in zip(rates[1], rates[2])])
    target = TARGET if (os.cpu_count() or 1) >= 2 else None
    return [
        Figure("sweep: one process", Sample.of(rates[1]), "points/min"),
        Figure("sweep: two processes", Sample.of(rates[2]), "points/min"),
        Figure("sweep: two processes to one", ratio, "times", target),
    ]
