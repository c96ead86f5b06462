"""One workload on one chip as one twin: the pipeline from description to ledger, and the Result it
leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from simulator.account import bottleneck, neurobench, uncertainty
from simulator.account.energy import Ledger
from simulator.account.neurobench import Effective
from simulator.account.uncertainty import Uncertainty
from simulator.behaviour.raster import Raster
from simulator.describe.chip import Chip
from simulator.describe.words import MODES, SNN, Mode
from simulator.describe.workload import Workload
from simulator.errors import InputError
from simulator.mapping.core_mapping import CoreMapping
from simulator.mapping.plan import Plan
from simulator.mapping.schedule import Schedule
from simulator.study import chunks
from simulator.study.arguments import check_run, described
from simulator.study.latency import end_cycles, throughput
from simulator.study.metrics import assumed, by_area
from simulator.study.pipeline import Executed, Shared, compute, prepare
from simulator.study.recorded import recorded_by
from simulator.timing import COMPILED, EngineName, Steps
from simulator.timing.record import COUNTER, OPERATIONS, UNIT_STATES, Record
from simulator.units import show

SCHEMA_VERSION = 1
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """One run, with everything it was given and everything it produced."""

    executed: Executed
    uncertainty: Uncertainty | None = None  # when draws were asked for
    chunk: int | None = None  # inferences of a chunk; None: all at once
    effective: Effective | None = None  # operations, where they were counted chunk by chunk

    @property
    def workload(self) -> Workload:
        """The workload, with the stimulus it was run on."""
        return self.executed.scheduled.prepared.workload

    @property
    def chip(self) -> Chip:
        """The chip, as it was run."""
        return self.executed.scheduled.prepared.chip

    @property
    def mapping(self) -> CoreMapping:
        """Where everything sat."""
        return self.executed.scheduled.prepared.mapping

    @property
    def plan(self) -> Plan:
        """The machine as the engine saw it."""
        return self.executed.scheduled.prepared.plan

    @property
    def schedule(self) -> Schedule:
        """The work, and how to read the record by population and inference."""
        return self.executed.scheduled.schedule

    @property
    def raster(self) -> Raster:
        """Who fired when, with what value."""
        return self.executed.scheduled.computed.raster

    @property
    def mode(self) -> Mode:
        """The twin that was run, 'snn' or 'qnn'."""
        return self.raster.mode

    @property
    def timesteps(self) -> int:
        """T of the twin pair, also of a quantised run."""
        return self.executed.scheduled.computed.timesteps

    @property
    def engine(self) -> EngineName:
        """The engine that counted."""
        return self.executed.engine

    @property
    def record(self) -> Record:
        """What the engine counted."""
        return self.executed.record

    @property
    def ledger(self) -> Ledger:
        """Joules by action, core, population and step."""
        return self.executed.ledger

    def __post_init__(self) -> None:
        """Count the ledger, so that a run that cannot be priced is refused where it is made."""
        _ = self.ledger

    @property
    def plot(self) -> Any:
        """The run's pictures, each shown by a notebook: `result.plot.chip_map()`."""
        return _for_notebooks().Plots(self)

    @property
    def tables(self) -> Any:
        """The run as pandas tables: `result.tables.cores()`, .links(), .layers(), .steps()."""
        return _for_notebooks().Tables(self)

    def __repr__(self) -> str:
        """Return the run in a line, for notebooks."""
        each = show(self.ledger.total / max(self.finished, 1), "J")
        what = f"{self.workload.name} on {self.chip.name}, {self.mode}, T = {self.timesteps}"
        return f"<Result {what}: {self.finished} inferences of {each}>"

    def described(self, chip: Chip) -> Result:
        """Return the same run under the description of another chip, of the same structure."""
        scheduled = self.executed.scheduled
        prepared = replace(scheduled.prepared, chip=chip)
        executed = replace(self.executed, scheduled=replace(scheduled, prepared=prepared))
        return replace(self, executed=executed, uncertainty=None)

    @property
    def is_complete(self) -> bool:
        """Whether the run came to its end, not stopped by the user."""
        return self.record.complete

    @property
    def finished(self) -> int:
        """Inferences that ran to their end."""
        return self.schedule.finished(len(self.record.step_start))

    @property
    def accuracy(self) -> float | None:
        """Share of right predictions among the inferences that ran to their end; None without
        labels.
        """
        labels = self.workload.stimulus.labels
        if labels is None or not self.finished:
            return None
        return float((self.raster.predictions[: self.finished] == labels[: self.finished]).mean())

    @property
    def latency_cycles(self) -> np.ndarray:
        """Cycles of each inference from its first step's start to its last output, int64."""
        return self.end_cycles - self.record.step_start[self.schedule.first_step[: self.finished]]

    @property
    def end_cycles(self) -> np.ndarray:
        """The cycle of each inference's last output, (finished,) int64."""
        return end_cycles(self.record, self.schedule, self.workload.network)

    @property
    def throughput(self) -> float | None:
        """Inferences per second, from the first one's end to the last one's."""
        return throughput(self.end_cycles, self.record.cycles, self.chip.period)

    @property
    def late_steps(self) -> int:
        """Steps that took longer than their tick, so that what follows them began late."""
        return int((self.record.step_overrun > 0).sum())

    @property
    def seconds(self) -> float:
        """Simulated time of the run in seconds."""
        return self.record.cycles * self.chip.period

    def count(self, name: str) -> int:
        """Return a counter of the run, summed over endpoints."""
        return int(self.record.counters[:, COUNTER[name]].sum())

    def populations(self) -> list[dict[str, Any]]:
        """Return one row per population: name, neurons, spikes, spike_rate, packets, flits,
        flit_hops, encoding.  What ports do stands in the row of the first input.
        """
        counters, network = self.record.counters, self.workload.network
        rows = []
        for number, population in enumerate(network.populations):
            name, neurons = population.name, population.n_neurons
            if number == network.inputs[0]:
                mine = counters[self.plan.n_cores :].sum(axis=0)
            else:
                mine = np.rint(self.mapping.share[:, number] @ counters[: self.plan.n_cores])
            trace = self.raster.traces[number]
            done = self.finished * self.raster.timesteps
            spikes = int(trace.start[done])
            places = neurons * done
            rows.append(
                {
                    "name": name,
                    "neurons": neurons,
                    "cores": len(self.mapping.cores[number]),
                    "spikes": spikes,
                    "spike_rate": spikes / places if places else 0.0,
                    "packets": int(mine[COUNTER["packets_sent"]]),
                    "flits": int(mine[COUNTER["flits_sent"]]),
                    "flit_hops": int(
                        mine[COUNTER["flit_hops_east_west"]]
                        + mine[COUNTER["flit_hops_north_south"]]
                    ),
                    "synaptic_operations": int(sum(mine[COUNTER[name]] for name in OPERATIONS)),
                    "encoding": self.schedule.encoding[number],
                    "energy_j": float(self.ledger.by_population[:, number].sum()),
                }
            )
        return rows

    def summary(self) -> dict[str, Any]:
        """Return the run in numbers: the content of summary.json (docs/results.md has every key and
        unit).
        """
        latency, finished = self.latency_cycles, max(self.finished, 1)
        hops = self.count("flit_hops_east_west") + self.count("flit_hops_north_south")
        spikes = sum(
            int(trace.start[self.finished * self.raster.timesteps])
            for number, trace in enumerate(self.raster.traces)
            if number in self.workload.network.computed
        )
        units = self.record.unit_cycles.sum(axis=(0, 1))
        return {
            "schema_version": SCHEMA_VERSION,
            "workload": self.workload.name,
            "chip": self.chip.name,
            "mode": self.mode,
            "engine": self.engine,
            "firing": self.raster.firing,
            "timesteps": self.timesteps,
            "activation_bits": self.raster.bits,
            "inferences": self.finished,
            "complete": self.record.complete,
            "cores_used": self.mapping.n_used,
            "cycles": self.record.cycles,
            "period_s": self.chip.period,
            "seconds": self.seconds,
            "overlap": self.schedule.overlaps,
            "throughput_inferences_per_s": self.throughput,
            "accuracy": self.accuracy,
            "late_steps": self.late_steps,
            "latency_cycles": {
                "mean": float(latency.mean()) if len(latency) else None,
                "min": int(latency.min()) if len(latency) else None,
                "max": int(latency.max()) if len(latency) else None,
            },
            "energy_j": {
                "total": self.ledger.total,
                "per_inference": self.ledger.total / finished,
                "by_action": self.ledger.by_action,
                "by_component": self.ledger.by_component,
                "assumed": assumed(self.chip, self.ledger),
            },
            "constants_outside_statement": list(self.chip.outside_statement),
            "average_power_w": self.ledger.total / self.seconds if self.seconds else None,
            "energy_delay_product_js": self.ledger.total
            / finished
            * float(latency.mean())
            * self.chip.period
            if len(latency)
            else None,
            **by_area(
                self.chip,
                joules=self.ledger.total,
                seconds=self.seconds,
                latency=float(latency.mean()) * self.chip.period if len(latency) else None,
                inferences=self.finished,
                ops=self.count("accumulates") + self.count("macs"),
            ),
            "counters": {
                "synaptic_operations": sum(self.count(name) for name in OPERATIONS),
                "accumulates": self.count("accumulates"),
                "macs": self.count("macs"),
                "count_accumulates": self.count("count_accumulates"),
                "spikes": spikes,
                "neuron_updates": self.count("neuron_updates"),
                "packets": self.count("packets_sent"),
                "flits": self.count("flits_sent"),
                "flit_hops": hops,
                "flit_hops_east_west": self.count("flit_hops_east_west"),
                "flit_hops_north_south": self.count("flit_hops_north_south"),
                "router_traversals": self.count("router_traversals"),
                "router_grants": self.count("router_grants"),
                "weight_read_words": self.count("weight_read_words"),
                "bank_conflicts": self.count("bank_conflicts"),
                "events_received": self.count("events_received"),
                "gate_wakes": self.count("gate_wakes"),
                "off_wakes": self.count("off_wakes"),
                "router_wakes": int(self.record.router_wakes.sum()),
                "barriers": len(self.record.step_start),
                "overflows": self.raster.overflows,
            },
            "stall_cycles": {name: int(cycles) for name, cycles in zip(UNIT_STATES, units)},
            "populations": self.populations(),
            "bottleneck": bottleneck.find(self.mapping, self.plan, self.workload, self.record),
            "neurobench": neurobench.measures(
                self.workload.network,
                self.raster,
                tuple(feed.kind for feed in self.workload.stimulus.feeds),
                self.finished,
                self.effective,
            ),
            "uncertainty": None if self.uncertainty is None else asdict(self.uncertainty),
        }


def _for_notebooks() -> Any:
    """Return the module that shows results, which is to the right of this one and imported when
    first asked for.
    """
    return import_module("simulator.report.notebook")


def run(
    workload: Workload | str | Path,
    chip: Chip | str | Path = "generic-22nm",
    mode: Mode = SNN,
    *,
    timesteps: int | None = None,
    limit: int | None = None,
    engine: EngineName = COMPILED,
    events: bool = False,
    overlap: bool = False,
    draws: int = 0,
    seed: int = 0,
    chunk: int | None = None,
    jobs: int = 1,
    partial: bool = False,
    progress: Progress | None = None,
    shared: Shared | None = None,
    trace: str | Path | None = None,
) -> Result:
    """Simulate one twin of a workload on a chip and return its Result.

    mode: 'snn' or 'qnn'.  timesteps: T (default: the workload's); the quantised twin has
    ceil(log2(T + 1)) bits.  limit: only the first inferences.  events: keep every grant, state
    change and packet in result.record.  overlap: an inference enters as soon as the populations
    have done the window before it, not when the inference before it has left; all are one chunk.
    draws: how many times to draw the constants from their bands, with `seed`, for
    result.uncertainty.  chunk: how many inferences are simulated together, from the chip's start
    (study/chunks.py); default: as the network's size suggests.  jobs: how many chunks at once.
    progress(what, done, total) is called now and then.
    A run stopped by Ctrl-C raises Interrupted; with `partial` it returns the inferences done by
    then, and `is_complete` is False.  shared: stages of earlier runs, for sweeps.
    trace: a file of what populations sent elsewhere, which replaces what is computed of them.
    Raises SpikemeshError for anything that cannot be run as asked.
    """
    workload, chip = described(workload, chip)
    if mode not in MODES:
        raise InputError(f"mode: must be one of {', '.join(MODES)}, not {mode!r}")
    check_run(timesteps=timesteps, limit=limit, engine=engine, draws=draws, seed=seed, jobs=jobs)
    recorded = recorded_by(trace, workload, mode, timesteps)
    if recorded is not None:
        chunk = max(1, workload.stimulus.n_inferences)  # what was recorded is one piece
    if overlap:
        chunk = max(1, workload.stimulus.n_inferences)
    asked = chunks.asked(workload, chip, (mode,), timesteps, limit, chunk, engine, events)
    if asked.is_whole:
        prepared = prepare(workload, chip, shared=shared)
        computed = compute(
            workload,
            mode,
            timesteps,
            limit,
            progress=_told(progress, mode, "arithmetic"),
            shared=shared,
            recorded=recorded,
        )
        gaps = np.zeros(len(computed.raster.outputs), np.int64)[1:] if overlap else None
        scheduled = prepared.schedule(
            computed, gaps=gaps, progress=_told(progress, mode, "steps of a way to send")
        )
        executed = scheduled.execute(
            engine,
            events=events,
            partial=partial,
            progress=_told(progress, mode, "steps"),
            shared=shared,
        )
        result = Result(executed, chunk=asked.size)
    else:
        cut = chunks.run(asked, jobs, partial=partial, progress=progress)
        result = Result(cut.executed[mode], None, asked.size, cut.effective[mode])
    return with_uncertainty(result, draws, seed) if draws else result


def with_uncertainty(result: Result, draws: int, seed: int) -> Result:
    """Return a result with the constants drawn from their bands so many times."""
    spread = uncertainty.propagate(result.chip, result.ledger, result.finished, draws, seed)
    return replace(result, uncertainty=spread)


def _told(progress: Progress | None, mode: Mode, what: str) -> Steps | None:
    return None if progress is None else lambda done, total: progress(f"{mode} {what}", done, total)
