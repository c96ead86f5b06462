"""At which spike rate the twins cost the same: found by simulation, for energy, latency and their
product (docs/verdict.md).

The spike rate is scanned and every change of sign is narrowed by bisection to a stated resolution;
nothing is fitted. Beside it stands the closed-form model's breakeven for the same T, density and
fan-in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from simulator.analytic import model as analytic
from simulator.analytic.breakeven import Breakeven, rate_breakeven
from simulator.analytic.constants import hardware
from simulator.behaviour import checks
from simulator.describe.chip import Chip
from simulator.describe.words import QNN, SNN, Mode
from simulator.describe.workload import Workload
from simulator.errors import InputError
from simulator.mapping.core_mapping import CoreMapping
from simulator.study.ahead import ask, tell_runs
from simulator.study.controlled import TRACE, EventSource, replay, spread_out
from simulator.study.simulation import Progress, Result
from simulator.study.workers import Workers
from simulator.timing import COMPILED, EngineName

METRICS = ("energy", "latency", "energy-delay product")
#: spike rates looked at before any bisection: two crossings between neighbours would not be seen
SCAN = (0.0, 0.01, 0.02, 0.035, 0.05, 0.065, 0.08, 0.1, 0.15, 0.2, 0.3)
RESOLUTION = 0.0005
#: encodings a twin may choose from, the cheaper one counts, as in the model's min(sparse, dense)
CHOICES = {SNN: ("events", "bitmap"), QNN: ("events", "bitmap", "dense")}
#: and the spiking one, where the chip sends whole windows
WINDOWS = ("counts", "train")
#: where streams have a price of their own, a bitmap that leaves out empty stretches would evade it
PRICED_CHOICES = {SNN: ("events",), QNN: ("events", "dense")}


@dataclass(frozen=True)
class Cost:
    """What one twin costs per inference at one spike rate, each metric by its cheapest encoding."""

    value: dict[str, float]  # J, s, J·s
    encoding: dict[str, str]
    hops: float  # mean mesh links per flit, of the encoding that is cheapest in energy


@dataclass(frozen=True)
class Crossing:
    """Where the twins cost the same: `rate` is the middle of the last bracket, half a resolution
    from the truth.
    """

    rate: tuple[float, ...]
    below: str  # who is cheaper below the first crossing, or throughout
    ratio_at_zero: (
        float  # SNN / QNN where nothing spikes (with a tied density: nothing is active either)
    )
    ratio_at_end: float  # at the highest rate scanned

    def show(self) -> str:
        """Return the finding in a few words."""
        if not self.rate:
            return f"none: {self.below.upper()} throughout"
        return ", ".join(f"{rate:.2%}" for rate in self.rate) + f" ({self.below.upper()} below)"


@dataclass(frozen=True)
class Finding:
    """One row of a crossover study."""

    timesteps: int
    bits: int
    setting: dict[str, str]
    density: float | str
    active: float  # density of the twin at the last crossing in energy, or at a rate of 5 %
    hops: float  # of the spiking twin there
    encoding: dict[str, str]  # by twin, cheapest in energy there
    crossing: dict[str, Crossing]
    formula: Breakeven  # of the closed form at one hop
    formula_hops: Breakeven  # at the hops measured
    #: by metric, the first crossing of every seed that has one, and how many seeds were drawn
    over_seeds: dict[str, tuple[float, ...]]
    seeds: int

    def show(self, metric: str) -> str:
        """Return where the twins cost the same, and how far that moves from seed to seed."""
        said = self.crossing[metric].show()
        found = self.over_seeds[metric]
        if self.seeds == 1:
            return said
        spread = f"{min(found):.2%} to {max(found):.2%}" if found else "none"
        some = "" if len(found) in (0, self.seeds) else f" in {len(found)}"
        return f"{said}; {spread}{some} of {self.seeds} seeds"

    def flat(self) -> dict[str, Any]:
        """Return the row as names and plain values, for a table on disk: a crossing is a spike
        rate, the first of them `_rate_1`, and a name is missing where there is none.
        """
        row: dict[str, Any] = {"timesteps": self.timesteps, "bits": self.bits}
        for key, written in self.setting.items():
            row |= _number(key, written)
        row |= {
            "density": self.density,
            "active": self.active,
            "hops": self.hops,
            **{f"{twin}_encoding": name for twin, name in self.encoding.items()},
        }
        for metric, crossing in self.crossing.items():
            name = metric.replace(" ", "_").replace("-", "_")
            row |= _rates(name, crossing.rate)
            found = self.over_seeds[metric]
            if self.seeds > 1 and found:
                row |= {f"{name}_rate_least": min(found), f"{name}_rate_most": max(found)}
            row |= {
                f"{name}_below": crossing.below,
                f"{name}_ratio_at_zero": crossing.ratio_at_zero,
                f"{name}_ratio_at_end": crossing.ratio_at_end,
            }
        for name, breakeven in (("formula", self.formula), ("formula_at_hops", self.formula_hops)):
            row |= _rates(name, breakeven.crossing) | {f"{name}_below": breakeven.first}
        return row


def _rates(name: str, rates: Sequence[float]) -> dict[str, float]:
    return {f"{name}_rate_{number}": float(rate) for number, rate in enumerate(rates, 1)}


def _number(key: str, written: str) -> dict[str, Any]:
    """Return a swept value under a name that has its unit: 'packet.axon_bit': 12."""
    value, _, unit = written.partition(" ")
    try:
        number = int(value) if value.isdecimal() else float(value)
        return {f"{key}_{unit.strip()}" if unit else key: number}
    except ValueError:
        return {key: written}


class Machine:
    """One chip and mapping on which both twins are simulated at any spike rate; every cost is
    computed once.
    """

    def __init__(
        self,
        activity: EventSource,
        chip: Chip,
        spread: int = 1,
        encodings: str = "cheapest",
        engine: EngineName = COMPILED,
    ):
        """Map the workload; encodings 'cheapest', or 'chip' for those the chip file says."""
        if encodings not in ("cheapest", "chip"):
            raise InputError(f"encodings: must be 'cheapest' or 'chip', not {encodings!r}")
        checks.windows(activity.workload.network, "the quantised twin")
        self.activity, self.chip, self.engine, self.encodings = activity, chip, engine, encodings
        self.mapping: CoreMapping = spread_out(activity.workload, chip, spread)
        self._chips: dict[tuple[str, str], Chip] = {}
        self.known: dict[tuple[str, float], Cost] = {}
        self.n_runs = 0
        self.told: Callable[[], object] | None = None  # of every simulation done

    def expected_runs(
        self, metrics: int, resolution: float = RESOLUTION, scan: Sequence[float] = SCAN
    ) -> int:
        """Return about how many simulations it takes to find one crossing in so many metrics."""
        between = (scan[-1] - scan[0]) / (len(scan) - 1)
        rates = len(scan) + metrics * max(0, math.ceil(math.log2(between / resolution)))
        quantised = 1 if self.is_held(QNN) else rates
        return rates * len(self._choices(SNN)) + quantised * len(self._choices(QNN))

    def is_held(self, mode: str) -> bool:
        """Return whether a twin does the same at every spike rate."""
        density = self.activity.density
        return mode == QNN and (density == TRACE or not isinstance(density, str))

    def _choices(self, mode: Mode) -> tuple[str, ...]:
        if self.encodings == "chip":
            return (self.chip.packet.spikes if mode == SNN else self.chip.packet.activations,)
        if self.chip.packet.spikes in WINDOWS and mode == SNN:
            return WINDOWS
        return (PRICED_CHOICES if self.chip.energy.stream_bit_hop.value > 0 else CHOICES)[mode]

    def run(self, mode: Mode, rate: float, encoding: str) -> Result:
        """Simulate one twin."""
        key = "packet.spikes" if mode == SNN else "packet.activations"
        if (key, encoding) not in self._chips:
            self._chips[key, encoding] = self.chip.changed({key: encoding})
        chip = self._chips[key, encoding]
        result = replay(self.activity, chip, mode, rate, self.mapping, self.engine)
        self.n_runs += 1
        if self.told is not None:
            self.told()
        return result

    def cost(self, mode: Mode, rate: float) -> Cost:
        """Return what a twin costs at a spike rate; with a density that is held the quantised one
        costs the same at all.
        """
        key = (mode, 0.0 if self.is_held(mode) else rate)
        if key not in self.known:
            self.known[key] = _cheapest(
                [(name, self.run(mode, key[1], name)) for name in self._choices(mode)]
            )
        return self.known[key]

    def excess(self, metric: str, rate: float) -> float:
        """Return the cost of the spiking twin less that of the quantised one."""
        return self.cost(SNN, rate).value[metric] - self.cost(QNN, rate).value[metric]

    def rates(self, scan: Sequence[float] = SCAN) -> Sequence[float]:
        """Return the rates of a scan at which there are both twins."""
        density = self.activity.density
        if isinstance(density, str) and density != TRACE:
            most = float(analytic.rate(self.activity.timesteps, 1.0, density))
            if most < scan[-1]:
                return [*(rate for rate in scan if rate < most), most]
        return scan

    def crossing(
        self, metric: str, resolution: float = RESOLUTION, scan: Sequence[float] = SCAN
    ) -> Crossing:
        """Return where the twins cost the same, between the rates of `scan`; with a tied density up
        to the rate at which every input is active, beyond which there is no quantised twin.
        """
        scan = self.rates(scan)
        excess = [self.excess(metric, rate) for rate in scan]
        found = []
        for low, high, left, right in zip(scan, scan[1:], excess, excess[1:]):
            if (left < 0) != (right < 0):
                found.append(self._narrowed(metric, low, high, left < 0, resolution))
        below = "snn" if excess[0] < 0 else "qnn"
        ratio = [self._ratio(metric, rate) for rate in (scan[0], scan[-1])]
        return Crossing(tuple(found), below, ratio[0], ratio[1])

    def _ratio(self, metric: str, rate: float) -> float:
        other = self.cost(QNN, rate).value[metric]
        return self.cost(SNN, rate).value[metric] / other if other else float("inf")

    def _narrowed(
        self, metric: str, low: float, high: float, below: bool, resolution: float
    ) -> float:
        while high - low > resolution:
            middle = (low + high) / 2
            if (self.excess(metric, middle) < 0) == below:
                low = middle
            else:
                high = middle
        return (low + high) / 2


def _cheapest(runs: list[tuple[str, Result]]) -> Cost:
    values = {name: _metrics(result) for name, result in runs}
    best = {metric: min(values, key=lambda name: values[name][metric]) for metric in METRICS}  # noqa: B023
    return Cost(
        {metric: values[name][metric] for metric, name in best.items()},
        best,
        mean_hops(dict(runs)[best["energy"]]),
    )


def _metrics(result: Result) -> dict[str, float]:
    joules = result.ledger.total / result.finished
    seconds = float(result.latency_cycles.mean()) * result.chip.period
    if result.schedule.overlaps and result.throughput:
        seconds = 1 / result.throughput
    return {"energy": joules, "latency": seconds, "energy-delay product": joules * seconds}


def mean_hops(result: Result) -> float:
    """Return mesh links per flit sent; 0 where nothing was sent."""
    flits = result.count("flits_sent")
    return (
        (result.count("flit_hops_east_west") + result.count("flit_hops_north_south")) / flits
        if flits
        else 0.0
    )


def fan_in(workload: Workload, mapping: CoreMapping) -> int:
    """Return the fan-in of the neuron an average synapse ends at, rounded: N of the closed form."""
    network, total = workload.network, [float(one.synapses.sum()) for one in mapping.targets]
    synapses = np.array([sum(total[k] for k in network.incoming[n]) for n in network.computed])
    each = synapses / np.array([network.populations[n].n_neurons for n in network.computed])
    return max(1, round(float((synapses * each).sum() / synapses.sum())))


def find(
    machine: Machine,
    setting: dict[str, str] | None = None,
    resolution: float = RESOLUTION,
    others: Sequence[Machine] = (),
) -> Finding:
    """Return where the twins cost the same on one machine, in every metric, with the closed form's
    answer beside it.

    others: the same machine with activity of other seeds, for the spread of the first crossing.
    """
    activity = machine.activity
    crossing = {metric: machine.crossing(metric, resolution) for metric in METRICS}
    over_seeds = {}
    for metric in METRICS:
        drawn = [crossing[metric], *(other.crossing(metric, resolution) for other in others)]
        over_seeds[metric] = tuple(each.rate[0] for each in drawn if each.rate)
    there = (crossing["energy"].rate or (0.05,))[-1]
    costs = {twin: machine.cost(twin, there) for twin in (SNN, QNN)}
    active = _active(activity, there)
    hops = costs[SNN].hops
    # with a trace, the closed form holds the density that was measured
    density = active if activity.density == TRACE else activity.density
    bits = {path.connection.weight_bits for path in activity.workload.network.projections}
    asked = analytic.Operation(
        activity.timesteps,
        0.0,
        density,
        fan_in(activity.workload, machine.mapping),
        weight_bits=max(bits),
    )
    model = hardware("typical", allow_extrapolated=True)
    return Finding(
        activity.timesteps,
        activity.timesteps.bit_length(),
        setting or {},
        activity.density,
        active,
        hops,
        {twin: cost.encoding["energy"] for twin, cost in costs.items()},
        crossing,
        rate_breakeven(asked, model),
        rate_breakeven(replace(asked, hops=hops), model),
        over_seeds,
        1 + len(others),
    )


def _active(activity: EventSource, rate: float) -> float:
    """Return the share of places of the quantised twin that are active: the input too where it is
    drawn.
    """
    raster = activity.raster(QNN, rate)
    left_out = () if activity.is_drawn else raster.inputs
    traces = [one for k, one in enumerate(raster.traces) if one.fires and k not in left_out]
    places = sum(trace.n_neurons for trace in traces) * activity.inferences
    return sum(len(trace.neuron) for trace in traces) / places if places else 0.0


def sweep(
    workload: Workload,
    chips: Iterable[tuple[dict[str, str], Chip]],
    timesteps: Sequence[int],
    *,
    density: float | str = 0.2,
    inferences: int = 2,
    seed: int = 0,
    seeds: int = 1,
    spread: Sequence[int] = (1,),
    encodings: str = "cheapest",
    engine: EngineName = COMPILED,
    overlap: bool = False,
    resolution: float = RESOLUTION,
    jobs: int = 1,
    progress: Progress | None = None,
) -> list[Finding]:
    """Return one Finding per window, chip and spread, in that order.

    seeds: how many are drawn, from `seed` on; the first gives the finding, all give its spread.
    jobs: how many processes simulate at once; what is found does not depend on it.
    """
    inferences = min(inferences, workload.stimulus.n_inferences) if density == TRACE else inferences
    asked = list(product(timesteps, chips, spread))
    findings: list[Finding] = []
    spent = 0
    with Workers(jobs) as workers:
        for number, (window, (setting, chip), stride) in enumerate(asked):
            drawn = [
                EventSource(workload, window, inferences, density, seed + each, overlap)
                for each in range(seeds)
            ]
            machine, *others = machines = [
                Machine(one, chip, stride, encodings, engine) for one in drawn
            ]
            if progress is not None:
                expected = sum(one.expected_runs(len(METRICS), resolution) for one in machines)
                tell_runs(progress, machines, spent, expected, len(asked) - number - 1)
            if jobs > 1:
                ask(machines, METRICS, resolution, workers)
            named = setting if len(spread) == 1 else setting | {"spread": str(stride)}
            findings.append(find(machine, named, resolution, others))
            spent += sum(one.n_runs for one in machines)
    return findings
