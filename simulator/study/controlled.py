"""Runs at a controlled spike rate and density: the same machine and mapping, other events.

`EventSource` says who fires: drawn from a seed at the rate and density asked for, or a real trace
thinned or filled.  Places are ranked once per population by a seeded draw, and a rate takes the
first of them, so a higher rate only adds events and the count is exact to one event.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from simulator import memory
from simulator.analytic.model import density
from simulator.behaviour import checks
from simulator.behaviour import raster as behaviour
from simulator.behaviour.raster import Raster, Trace
from simulator.describe.chip import Chip
from simulator.describe.connections import DENSE, SPARSE, Connection
from simulator.describe.network import Feed, Layer, Neuron, Stimulus, chain, fed
from simulator.describe.words import ACCUMULATING, QNN, SNN, Mode
from simulator.describe.workload import Workload
from simulator.errors import InputError
from simulator.mapping.core_mapping import CoreMapping, moved
from simulator.mapping.placement import snake
from simulator.study.pipeline import given, prepare
from simulator.study.simulation import Result
from simulator.timing import COMPILED, EngineName, Steps

#: Theorem 2: how the activations of active inputs spread over 1 .. T
CASES = ("best", "average", "worst")
TRACE = "trace"
#: of one neuron and timestep where activity is drawn: its rank, its draw and its spike
PLACE_BYTES = 40
_SIZES = re.compile(r"mlp((?:-[1-9][0-9]{0,5}){2,8})")


@dataclass(frozen=True)
class EventSource:
    """Whose events a run replays.

    density: of the quantised twin's activations, held while the spike rate changes; or a case of
    Theorem 2, which ties it to the rate (the spikes are then those the activations stand for); or
    'trace': real spikes, thinned or filled, and real activations.  Drawn activity drives the
    network with spikes, a real trace with the workload's own stimulus.
    """

    workload: Workload
    timesteps: int
    inferences: int
    density: float | str
    seed: int = 0
    overlap: bool = False  # of the inferences of a run

    def __post_init__(self) -> None:
        """Refuse a density that is neither a share nor a known word."""
        if isinstance(self.density, str):
            if self.density not in (*CASES, TRACE):
                raise InputError(
                    f"density: must be a number, or one of {', '.join((*CASES, TRACE))}, not "
                    f"{self.density!r}"
                )
        elif not 0 <= self.density <= 1:
            raise InputError(f"density: must be from 0 to 1, not {self.density:g}")

    @property
    def is_drawn(self) -> bool:
        """The stimulus too is drawn; otherwise it is the workload's own."""
        return self.density != TRACE

    @cached_property
    def driven(self) -> Workload:
        """The workload with the stimulus its runs have: silent spikes, to be replaced, where
        activity is drawn.
        """
        if not self.is_drawn:
            return self.workload
        places = self.inferences * self.timesteps * sum(self.sizes)
        memory.need(
            f"drawn activity: {self.inferences:,} inferences of {self.timesteps} timesteps on "
            f"{sum(self.sizes):,} neurons",
            PLACE_BYTES * places,
        )
        network, steps = self.workload.network, (self.inferences, self.timesteps)
        feeds = tuple(
            Feed("raster", np.zeros((*steps, network.populations[number].n_neurons), np.int32), 1)
            for number in network.inputs
        )
        return replace(self.workload, stimulus=Stimulus(feeds))

    @cached_property
    def real(self) -> dict[str, Raster]:
        """Both twins' real traces."""
        network, stimulus = self.workload.network, self.workload.stimulus
        firing = self.workload.firing
        return {
            mode: behaviour.run(network, stimulus, mode, self.timesteps, firing, self.inferences)
            for mode in (SNN, QNN)
        }

    @property
    def real_rate(self) -> float:
        """Mean spike rate of the real trace over the hidden populations."""
        return self.real[SNN].spike_rate

    @property
    def sizes(self) -> list[int]:
        """Neurons of the populations that send, inputs included."""
        return [one.n_neurons for one in self.workload.network.populations if one.fires]

    def raster(self, mode: Mode, rate: float) -> Raster:
        """Return the events of one twin at a mean spike rate (input spikes per place and timestep;
        hidden ones in a trace).
        """
        if not 0 <= rate <= 1:
            raise InputError(f"rate: must be from 0 to 1, not {rate:g}")
        if mode == QNN:
            checks.windows(self.workload.network, "the quantised twin")
        if not self.is_drawn:
            return self._scaled(rate) if mode == SNN else self.real[QNN]
        window = self.timesteps if mode == SNN else 1
        start, silent = np.zeros(self.inferences * window + 1, np.int64), np.zeros(0, np.int32)
        traces = [
            self._drawn(number, one.n_neurons, mode, rate)
            if one.fires
            else Trace(one.n_neurons, False, start, silent, silent)
            for number, one in enumerate(self.workload.network.populations)
        ]
        return self._raster(mode, window, tuple(traces))

    def _raster(self, mode: Mode, window: int, traces: tuple[Trace, ...]) -> Raster:
        n = self.inferences
        outputs = np.zeros((n, self.workload.network.n_outputs), np.int64)
        bits = 1 if mode == SNN else self.timesteps.bit_length()
        return Raster(
            mode,
            window,
            self.workload.firing,
            bits,
            traces,
            outputs,
            np.zeros(n, np.int64),
            None,
            self.workload.network.inputs,
            self.workload.network.hidden,
            0,
        )

    def _drawn(self, number: int, size: int, mode: Mode, rate: float) -> Trace:
        """Return what a population of `size` neurons sends; each has a draw of its own."""
        if isinstance(self.density, str):
            values = self._values(
                number, size, self.density, float(density(self.timesteps, rate, self.density))
            )
            if mode == SNN:
                return _trace(self._spread(number, values))
            return _trace(values)
        if mode == QNN:
            return _trace(self._values(number, size, "average", self.density))
        order = _rank(self.seed, number, 2, self.inferences * self.timesteps * size)
        return _trace((order < round(rate * len(order))).astype(np.int32).reshape(-1, size))

    def _values(self, number: int, size: int, case: str, density: float) -> np.ndarray:
        """Return activations (inferences, size): the share `density` is active, with 1, any of
        1..T, or T.
        """
        order = _rank(self.seed, number, 0, self.inferences * size)
        drawn = np.random.default_rng([self.seed, number, 1]).integers(
            1, self.timesteps + 1, len(order)
        )
        value = {
            "best": np.ones_like(drawn),
            "average": drawn,
            "worst": np.full_like(drawn, self.timesteps),
        }[case]
        return (
            np.where(order < round(density * len(order)), value, 0)
            .astype(np.int32)
            .reshape(-1, size)
        )

    def _spread(self, number: int, values: np.ndarray) -> np.ndarray:
        """Return the spikes (inferences * T, size) that stand for activations: in drawn timesteps,
        or the first ones.
        """
        shape = (len(values), self.timesteps, values.shape[1])
        if self.workload.firing == ACCUMULATING:
            place = np.broadcast_to(np.arange(self.timesteps)[None, :, None], shape)
        else:
            place = (
                np.random.default_rng([self.seed, number, 2])
                .random(shape)
                .argsort(axis=1)
                .argsort(axis=1)
            )
        return (place < values[:, None, :]).astype(np.int32).reshape(-1, values.shape[1])

    def _scaled(self, rate: float) -> Raster:
        """Return the real spikes with every population's rate multiplied alike: thinned, or filled
        up with drawn ones.
        """
        real = self.real[SNN]
        if real.spike_rate == 0:
            raise InputError(
                f"workload {self.workload.name}: must spike in a hidden population for its trace "
                f"to be thinned"
            )
        factor = rate / real.spike_rate
        traces: list[Trace] = []
        for number, trace in enumerate(real.traces):
            if not trace.fires or number in self.workload.network.inputs:
                traces.append(trace)
                continue
            moments = len(trace.start) - 1
            place = (
                np.repeat(np.arange(moments), np.diff(trace.start)) * trace.n_neurons + trace.neuron
            )
            key = _rank(self.seed, number, 3, moments * trace.n_neurons) + moments * trace.n_neurons
            key[place] -= moments * trace.n_neurons  # real events come first, in a drawn order
            chosen = np.argsort(key)[: min(round(factor * len(place)), len(key))]
            spikes = np.zeros(len(key), np.int32)
            spikes[chosen] = 1
            traces.append(_trace(spikes.reshape(moments, -1)))
        return self._raster(SNN, self.timesteps, tuple(traces))


def natural_rate(timesteps: int, density: float | str) -> float:
    """Return the spike rate of uniform activations at a density (Theorem 2); 5 % where the density
    follows the rate.
    """
    return 0.05 if isinstance(density, str) else density / 2 * (1 + 1 / timesteps)


def _rank(seed: int, population: int, purpose: int, n: int) -> np.ndarray:
    """Return a drawn order of n places: the rank of each, (n,) int64."""
    return np.random.default_rng([seed, population, purpose]).permutation(n)


def _trace(values: np.ndarray) -> Trace:
    """Return the events of a matrix (moments, neurons); zeros send nothing."""
    moment, neuron = np.nonzero(values)
    start = np.concatenate([[0], np.cumsum(np.bincount(moment, minlength=len(values)))]).astype(
        np.int64
    )
    return Trace(
        values.shape[1],
        True,
        start,
        neuron.astype(np.int32),
        values[moment, neuron].astype(np.int32),
    )


def replay(
    activity: EventSource,
    chip: Chip,
    mode: Mode,
    rate: float,
    mapping: CoreMapping | None = None,
    engine: EngineName = COMPILED,
    progress: Steps | None = None,
) -> Result:
    """Return the run of one twin at a spike rate, on a mapping made before where one is given."""
    prepared = prepare(activity.driven, chip, mapping)
    computed = given(activity.raster(mode, rate), activity.timesteps)
    gaps = np.zeros(activity.inferences - 1, np.int64) if activity.overlap else None
    return Result(prepared.schedule(computed, gaps=gaps).execute(engine, progress=progress))


def spread_out(workload: Workload, chip: Chip, stride: int) -> CoreMapping:
    """Return the mapping with every slice on every `stride`-th core along the snake: the same
    slices, further apart.
    """
    mapping = _placed(workload, chip)
    if stride == 1:
        return mapping
    cores = snake(chip)[::stride]
    if mapping.n_used > len(cores):
        given = f"{len(cores)} (every {stride} of {chip.n_cores})"
        raise InputError(f"spread: must leave {mapping.n_used} cores on {chip.name}, not {given}")
    order = snake(chip)
    held = order[mapping.is_used[order]]
    others = cores[: len(held)]
    to = np.empty(chip.n_cores, np.int64)
    to[held] = others
    to[np.setdiff1d(order, held)] = np.setdiff1d(order, others)
    return moved(mapping, to)


def _placed(workload: Workload, chip: Chip) -> CoreMapping:
    return prepare(workload, chip).mapping


def named(workload: str) -> Workload | None:
    """Return the dense network a name such as 'mlp-1024-64' asks for, or None: its first layer
    repeats the input, one to one.

    Its weights are zeros: it is for drawn activity, in which what fires does not depend on them.
    """
    match = _SIZES.fullmatch(workload)
    if match is None:
        return None
    sizes = [int(size) for size in match.group(1)[1:].split("-")]
    synapses = sum(n_in * n_out for n_in, n_out in zip(sizes, sizes[1:]))
    memory.need(f"{workload}: {synapses:,} synapses", 4 * synapses + 100 * sum(sizes))
    first = Connection(
        SPARSE, np.ones(sizes[0], np.int32), 8, (sizes[0],), (sizes[0],),
        start=np.arange(sizes[0] + 1), index=np.arange(sizes[0]),
    )  # fmt: skip
    layers = [Layer("repeat", (sizes[0],), first, _neuron(sizes[0]))]
    for number, (n_in, n_out) in enumerate(zip(sizes, sizes[1:]), start=1):
        dense = Connection(DENSE, np.zeros((n_in, n_out), np.int32), 8, (n_in,), (n_out,))
        layers.append(Layer(f"dense{number}", (n_out,), dense, _neuron(n_out)))
    network = chain((sizes[0],), layers)
    stimulus = fed("raster", np.zeros((1, 1, sizes[0]), np.int32), 1)
    return Workload(workload, network, stimulus, 1, about="a dense network for drawn activity")


def _neuron(n: int) -> Neuron:
    zeros = np.zeros(n, np.int64)
    return Neuron("if", zeros + 1, zeros, zeros)
