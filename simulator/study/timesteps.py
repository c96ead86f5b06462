"""What the window costs: both twins of one workload at several T, each simulated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.analytic.budget import efficiency_score
from simulator.behaviour import checks
from simulator.describe.chip import Chip
from simulator.describe.words import QNN, SNN, Mode
from simulator.describe.workload import Workload
from simulator.errors import InputError
from simulator.study.pipeline import Shared
from simulator.study.simulation import Progress, Result, run
from simulator.timing import COMPILED, EngineName


@dataclass(frozen=True)
class Point:
    """One twin at one T, per inference; energies in joules, times in seconds."""

    timesteps: int
    mode: Mode
    activation_bits: int
    inferences: int
    accuracy: float | None  # share of right predictions; None without labels
    events: float  # spikes, or activations other than 0, of all neurons
    operations: float  # synaptic operations: accumulates, or multiply-accumulates
    energy: float
    latency: float  # mean, from the first step's start to the last output
    throughput: float  # inferences per second, one after the other
    overflows: int  # of the whole run

    @property
    def efficiency(self) -> float | None:
        """Accuracy in percent per event of one inference; None where either is missing."""
        if self.accuracy is None or not self.events:
            return None
        return efficiency_score(100 * self.accuracy, self.events)


def sweep(
    workload: Workload,
    chip: Chip,
    timesteps: Sequence[int],
    *,
    limit: int | None = None,
    engine: EngineName = COMPILED,
    progress: Progress | None = None,
) -> list[Point]:
    """Return the points of every T, rising, the spiking twin before the quantised one.

    A network without a quantised twin has points of the spiking one alone (`alone` says why).
    Raises InputError for windows that cannot be meant, before anything is simulated.
    """
    windows = sorted(set(timesteps))
    if not windows:
        raise InputError("timesteps: must name at least one T")
    modes: tuple[Mode, ...] = (SNN,) if alone(workload) else (SNN, QNN)
    jobs = [(window, mode) for window in windows for mode in modes]
    for window, mode in jobs:
        checks.check(workload.network, workload.stimulus, mode, window, workload.firing)
    shared, points = Shared(most=8), []
    for done, (window, mode) in enumerate(jobs):
        if progress is not None:
            progress("twins", done, len(jobs))
        result = run(
            workload, chip, mode, timesteps=window, limit=limit, engine=engine, shared=shared
        )
        points.append(measured(result))
    return points


def alone(workload: Workload) -> str | None:
    """Return why a workload has no quantised twin, in words, None where it has one."""
    try:
        checks.check(workload.network, workload.stimulus, QNN, 1, workload.firing)
    except InputError as error:
        return str(error)
    return None


def measured(result: Result) -> Point:
    """Return what a run is, per inference."""
    finished = max(result.finished, 1)
    steps = result.finished * result.raster.timesteps
    events = sum(
        int(result.raster.traces[number].start[steps])
        for number in result.workload.network.computed
    )
    cycles = result.latency_cycles
    return Point(
        timesteps=result.timesteps,
        mode=result.mode,
        activation_bits=result.raster.bits,
        inferences=result.finished,
        accuracy=result.accuracy,
        events=events / finished,
        operations=(result.count("accumulates") + result.count("macs")) / finished,
        energy=result.ledger.total / finished,
        latency=float(cycles.mean()) * result.chip.period if len(cycles) else 0.0,
        throughput=result.finished / result.seconds if result.seconds else 0.0,
        overflows=result.raster.overflows,
    )
