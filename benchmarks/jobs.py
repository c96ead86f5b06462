"""One long run by one processor and by two: chunks of inferences at once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import networks, sanafe_peer
from benchmarks.figures import Figure, Peer
from benchmarks.races import LIF_PERIODS, Settings
from benchmarks.turns import Standing, Turns, against, in_turn

#: what two jobs must be to one, and to the peer
TARGET, TO_PEER = 1.8, 9.0
CHUNKS = 10
#: timesteps of a chunk of the LIF network by percents of firing: a tenth of a second each
TIMESTEPS, QUICK = {1: 1000, 5: 500, 10: 250, 20: 125}, 20


def jobs(settings: Settings) -> list[Figure]:
    """Ten chunks in elapsed time, so on a machine that has two processors to give: the LIF network,
    in turn with the peer, and a small network whose chunks of 45 inferences are half Python.
    """
    from simulator.study.simulation import run

    limit = 50 if settings.is_quick else 450
    by = partial(run, "digits-cnn", limit=limit, chunk=limit // CHUNKS)
    figures = _figures("digits-cnn, short chunks", _turns(by, limit, settings), "inferences/s")
    for percent, period in LIF_PERIODS.items():
        timesteps = QUICK if settings.is_quick else TIMESTEPS[percent]
        with TemporaryDirectory() as folder:
            written = networks.lif(Path(folder), period, timesteps, settings.seed, CHUNKS)
            by = partial(run, str(written.path), "loihi1", "snn", chunk=1)
            work = CHUNKS * timesteps
            found = _figures(
                f"512-256 LIF, {percent} % firing", _turns(by, work, settings), "steps/s"
            )
            peer = _peer(settings, period, partial(_elapsed, by, 2, work))
            if peer is not None:
                found[1] = replace(found[1], peers=(peer,), least_ratio=TO_PEER)
            figures += found
    return [*figures, _apart(settings)]


def _apart(settings: Settings) -> Figure:
    """Return what two processors of this machine are to one where two processes share nothing: the
    LIF network at 20 % in each, at once and alone.
    """
    asked = {"period": LIF_PERIODS[20], "timesteps": 20 if settings.is_quick else 500}
    loaded = "benchmarks.races:load_lif", asked | {"seed": settings.seed}
    with Standing(*loaded) as one, Standing(*loaded) as other, ThreadPoolExecutor(2) as at_once:

        def both() -> float:
            return sum(at_once.map(Standing.elapsed, (one, other))) / 4  # each does half

        turns = in_turn(both, one.elapsed, settings.repeat)
    return Figure("two processes that share nothing to one", turns.ratio, "times")


def _elapsed(by: Callable[..., object], number: int, work: int) -> float:
    """Return the seconds that pass for a unit of the work by so many jobs."""
    began = time.perf_counter()
    by(jobs=number)
    return (time.perf_counter() - began) / work


def _turns(by: Callable[..., object], work: int, settings: Settings) -> Turns:
    """Return two jobs in turn with one."""
    by(jobs=1)
    return in_turn(partial(_elapsed, by, 2, work), partial(_elapsed, by, 1, work), settings.repeat)


def _figures(name: str, turns: Turns, unit: str) -> list[Figure]:
    target = TARGET if (os.cpu_count() or 1) >= 2 else None
    return [
        Figure(f"{name}, one job", turns.second.rate(1), unit),
        Figure(f"{name}, two jobs", turns.first.rate(1), unit),
        Figure(f"{name}: two jobs to one", turns.ratio, "times", target),
    ]


def _peer(settings: Settings, period: int, ours: Callable[[], float]) -> Peer | None:
    """Return the peer in turn with our two jobs, in elapsed time; None where it cannot be had."""
    if not sanafe_peer.is_installed():
        return None
    asked = {"period": period, "timesteps": 20 if settings.is_quick else 200}
    name, function = f"{sanafe_peer.NAME} detailed", "benchmarks.sanafe_peer:lif"
    asked |= {"seed": settings.seed}
    return against(ours, name, function, asked, settings.repeat, Standing.elapsed).peer
