"""What cuts ask of cores: work per timestep of the busiest slice, and what all slices do together,
from counted or stated activity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulator.behaviour.raster import Raster
from simulator.describe.chip import Chip
from simulator.describe.network import Network
from simulator.describe.words import CURRENT, RASTER
from simulator.describe.workload import Workload
from simulator.mapping import fan_out, stages
from simulator.mapping.fan_out import FanOut

#: spikes per neuron and timestep of populations whose activity nobody counted
STATED_RATE = 0.1


@dataclass(frozen=True)
class Rates:
    """Events of every neuron per timestep, on average."""

    events: tuple[np.ndarray, ...]  # per population (n_neurons,) float64
    bits: tuple[int, ...]  # per population: of the value an event carries, 0 of a spike

    @property
    def multiplies(self) -> tuple[bool, ...]:
        """Per population: its events carry values."""
        return tuple(bits > 0 for bits in self.bits)

    def total(self, number: int) -> float:
        """Events of a population per timestep."""
        return self._totals[number]

    @cached_property
    def _totals(self) -> tuple[float, ...]:
        return tuple(float(events.sum()) for events in self.events)

    def spread(self, number: int) -> float:
        """Return the deviation of its events of a timestep relative to their mean, if neurons fire
        independently of each other.
        """
        return self._spreads[number]

    @cached_property
    def _spreads(self) -> tuple[float, ...]:
        found = []
        for events in self.events:
            share = np.minimum(events, 1)
            mean = float(events.sum())
            found.append(math.sqrt(float((share * (1 - share)).sum())) / mean if mean else 0.0)
        return tuple(found)


def stated(workload: Workload, rate: float = STATED_RATE) -> Rates:
    """Return the activity of a network nobody has run: the inputs' as it is given, all others at
    one rate.
    """
    network, timesteps = workload.network, workload.timesteps
    events: list[np.ndarray] = []
    feeds = dict(zip(network.inputs, workload.stimulus.feeds))
    for number, population in enumerate(network.populations):
        if number in feeds:
            values = feeds[number].values[:8]
            lines = values.reshape(len(values), -1, population.n_neurons)
            lines = lines[:, :timesteps]
            window = timesteps if feeds[number].kind == CURRENT else lines.shape[1]
            count = np.count_nonzero(lines, axis=(0, 1))
            events.append(count / max(1, len(values) * window))
        else:
            share = rate if population.fires else 1 / timesteps
            events.append(np.full(population.n_neurons, share))
    return Rates(tuple(events), _value_bits(workload))


def counted(workload: Workload, raster: Raster) -> Rates:
    """Return the activity of a run of the spiking twin."""
    moments = max(1, raster.timesteps * raster.n_inferences)
    events = []
    for trace, population in zip(raster.traces, workload.network.populations):
        count = np.bincount(trace.neuron, minlength=trace.n_neurons) / moments
        events.append(count if population.fires else count + 1 / raster.timesteps)
    return Rates(tuple(events), _value_bits(workload))


def _value_bits(workload: Workload) -> tuple[int, ...]:
    network = workload.network
    feeds = dict(zip(network.inputs, workload.stimulus.feeds))
    return tuple(
        feeds[number].value_bits * (feeds[number].kind != RASTER)
        if number in feeds
        else (population.neuron.graded_bits or 0 if population.neuron else 0)
        for number, population in enumerate(network.populations)
    )


@dataclass(frozen=True)
class Arriving:
    """What one projection brings the tiles of its target per timestep."""

    packets: float  # in all
    packets_of: np.ndarray  # (n_in,) of each source's events
    cycles: np.ndarray  # (n_tiles,) of the synapse units
    busiest: float  # the most of them
    operations: float
    words: float
    accumulator_words: float


def arriving(chip: Chip, network: Network, number: int, found: FanOut, rates: Rates) -> Arriving:
    """Return what projection `number` brings the slices of its target, which it reaches like
    that.
    """
    path = network.projections[number]
    events = rates.events[path.source]
    count, joined = found.count, path.connection
    weight = np.bincount(found.kind, events, minlength=len(count))
    is_reached = count > 0
    destinations = is_reached.sum(axis=1)
    multiply = rates.bits[path.source] > 0
    if found.bits is None or found.words is None:  # what a row costs, by its synapses
        n = np.arange(int(count.max(initial=0)) + 1)
        bits = stages.row_bits(chip, joined, n)
        busy_for = np.maximum(
            stages.row_cycles(chip, bits, n, multiply) + chip.core.synapse.lookup, 1
        )
        busy_for[0] = 0
        cycles, read = busy_for[count], stages.row_words(chip, bits)[count]
        words = stages.accumulator_words(chip, joined, n)[count]
    else:
        cycles = stages.row_cycles(chip, found.bits, count, multiply) + chip.core.synapse.lookup
        cycles = np.maximum(cycles, 1) * is_reached
        read, words = stages.row_words(chip, found.bits), found.words
    busy = weight @ cycles
    return Arriving(
        float(weight @ destinations),
        events * destinations[found.kind],
        busy,
        float(busy.max(initial=0.0)),
        float(weight @ count.sum(axis=1)),
        float(weight @ read.sum(axis=1)),
        float(weight @ words.sum(axis=1)),
    )


@dataclass(frozen=True)
class Load:
    """What a population's cut asks per timestep: of the busiest tile, and of all."""

    tiles: int
    synapse: float  # cycles of the busiest tile's synapse unit
    soma: float  # cycles of the largest tile's soma
    largest: float  # the largest tile's share of the population
    visits: float
    spikes: float
    packets_in: float  # received by its tiles
    operations: tuple[float, float]  # accumulates, multiply-accumulates
    words: float
    accumulator_words: float
    bits_in: float  # of the packets received


def load(
    chip: Chip, network: Network, number: int, sizes: np.ndarray, rates: Rates, came: list[Arriving]
) -> Load:
    """Return what a population in slices of those sizes asks, given what its projections bring."""
    area, n = fan_out.currents(network, number), network.populations[number].n_neurons
    largest = float(sizes.max()) / n
    spikes = rates.total(number)
    soma = largest * (n * area * chip.core.soma.visit + spikes * chip.core.soma.spike)
    operations = [0.0, 0.0]
    for k, one in zip(network.incoming[number], came):
        operations[rates.bits[network.projections[k].source] > 0] += one.operations
    packets = sum(one.packets for one in came)
    return Load(
        len(sizes),
        float(sum(one.cycles for one in came).max()) if came else 0.0,  # type: ignore[union-attr]
        soma,
        largest,
        float(n * area),
        spikes,
        packets,
        (operations[0], operations[1]),
        sum(one.words for one in came),
        sum(one.accumulator_words for one in came),
        packets * (chip.packet.destination + chip.packet.axon + chip.packet.spike_payload),
    )
