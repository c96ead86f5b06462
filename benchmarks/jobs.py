"""One long run by one processor and by two: chunks of inferences at once."""

from __future__ import annotations

import os
import time

from benchmarks.figures import Figure, Sample
from benchmarks.races import Settings

#: what two jobs must be to one
TARGET = 1.8
#: in turn, so that what else the machine does meets both alike
TURNS = (1, 2, 2, 1)
CHUNKS = 10


def jobs(settings: Settings) -> list[Figure]:
    """Spiking twins of two digit networks in ten chunks, in elapsed time, so on a machine that has
    two processors to give.
    """
    from simulator.study.simulation import run

    figures = []
    for name in ("digits-cnn", "digits-residual"):
        limit = 50 if settings.is_quick else 450
        run(name, limit=limit, chunk=limit // CHUNKS)
        ratios, seconds = [], {1: [], 2: []}  # type: ignore[var-annotated]
        for _ in range(settings.repeat):
            spent = {1: 0.0, 2: 0.0}
            for number in TURNS:
                began = time.perf_counter()
                run(name, limit=limit, chunk=limit // CHUNKS, jobs=number)
                spent[number] += time.perf_counter() - began
            ratios.append(spent[1] / spent[2])
            for number, taken in spent.items():
                seconds[number].append(taken / TURNS.count(number))
        target = TARGET if (os.cpu_count() or 1) >= 2 else None
        figures += [
            Figure(f"{name}, one job", Sample.of(seconds[1]).rate(limit), "inferences/s"),
            Figure(f"{name}, two jobs", Sample.of(seconds[2]).rate(limit), "inferences/s"),
            Figure(f"{name}: two jobs to one", Sample.of(ratios), "times", target),
        ]
    return figures
