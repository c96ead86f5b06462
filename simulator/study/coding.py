"""The same inputs as rates, as first spikes and as bursts: what each costs, and how well it is
read.

Every input value becomes n = round(T·value / largest) spikes of a window of T timesteps:

    rate         n spikes, evenly spread
    burst        n spikes, one after the other from the first timestep on
    first-spike  one spike, n timesteps before the window ends; none where n is 0

A spike of the first two adds its weight once. A first spike adds it in every timestep from its
arrival to the end of the window, n times in all: its targets are `cuba` neurons whose current does
not decay, and a neuron that has fired once is silent for the rest of the window, as in Rueckauer
and Liu, "Conversion of analog to spiking neural networks using sparse temporal coding" (ISCAS
2018). So an input brings the same sum in all three. As held currents add up, a threshold is T / 4
times higher: under a constant drive a neuron of half the largest activation then fires in the
middle of the window. The network is not trained again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulator import memory
from simulator.behaviour import checks
from simulator.describe.chip import Chip
from simulator.describe.network import (
    Feed,
    Network,
    Neuron,
    Population,
    Projection,
    Stimulus,
)
from simulator.describe.words import CURRENT, SNN, STREAMING
from simulator.describe.workload import Workload
from simulator.errors import InputError
from simulator.study.simulation import Progress, run
from simulator.study.timesteps import Point, measured
from simulator.timing import COMPILED, EngineName

RATE, FIRST_SPIKE, BURST = "rate", "first-spike", "burst"
CODINGS = (RATE, FIRST_SPIKE, BURST)
#: operations of rate coding over those of first spikes, as published, and where
PUBLISHED_RATIO = (3.0, 5.0)


@dataclass(frozen=True)
class Coded:
    """One coding of the inputs, simulated."""

    coding: str
    point: Point
    input_events: float  # spikes of the inputs, per inference
    packets: float  # per inference


def compare(
    workload: Workload,
    chip: Chip,
    timesteps: int | None = None,
    codings: Sequence[str] = CODINGS,
    *,
    limit: int | None = None,
    engine: EngineName = COMPILED,
    progress: Progress | None = None,
) -> list[Coded]:
    """Return the codings of a workload's inputs, each simulated on the chip.

    timesteps: the window T (default: the workload's).  Raises InputError for a network or a
    stimulus that cannot be coded in all of these ways.
    """
    window = workload.timesteps if timesteps is None else timesteps
    found = []
    coded = [(coding, encoded(workload, coding, window, limit)) for coding in codings]
    for coding, mine in coded:
        result = run(mine, chip, SNN, limit=limit, engine=engine, progress=progress)
        steps, finished = result.finished * window, max(result.finished, 1)
        entered = sum(
            int(result.raster.traces[number].start[steps]) for number in mine.network.inputs
        )
        packets = result.count("packets_sent") / finished
        found.append(Coded(coding, measured(result), entered / finished, packets))
    return found


def ratio(found: Sequence[Coded]) -> float | None:
    """Return the operations of rate coding over those of first spikes, None without both."""
    operations = {one.coding: one.point.operations for one in found}
    if not operations.get(FIRST_SPIKE) or RATE not in operations:
        return None
    return operations[RATE] / operations[FIRST_SPIKE]


def encoded(workload: Workload, coding: str, timesteps: int, limit: int | None = None) -> Workload:
    """Return a workload with its inputs coded as spikes over T timesteps, and a network that reads
    them.

    What an input of kind `current` drives has thresholds, potentials and biases divided by the
    largest value, of which a spike is one part.
    """
    if coding not in CODINGS:
        raise InputError(f"coding: must be one of {', '.join(CODINGS)}, not {coding!r}")
    network, stimulus = workload.network, workload.stimulus
    checks.check(network, stimulus, SNN, min(timesteps, _longest(stimulus, timesteps)), STREAMING)
    _refuse(network)
    if stimulus.carries:
        raise InputError("stimulus.state: must be 'reset' for a study of codings, not 'carried'")
    n = stimulus.n_inferences if limit is None else min(limit, stimulus.n_inferences)
    feeds, unit = [], {}
    for number, feed in zip(network.inputs, stimulus.feeds):
        name = network.populations[number].name
        spikes, unit[number] = _counted(name, feed, timesteps, n)
        feeds.append(Feed("raster", _spread(spikes, coding, timesteps), 1))
    populations = [
        population
        if population.is_input
        else _read(network, number, coding, timesteps, _divisor(network, number, unit))
        for number, population in enumerate(network.populations)
    ]
    projections = tuple(replace(one, bias=None) for one in network.projections)
    labels = None if stimulus.labels is None else stimulus.labels[:n]
    return replace(
        workload,
        name=f"{workload.name}, {coding}",
        network=Network(tuple(populations), projections, network.outputs),
        stimulus=Stimulus(tuple(feeds), labels),
        timesteps=timesteps,
        firing=STREAMING,
    )


def _longest(stimulus: Stimulus, timesteps: int) -> int:
    """Return the timesteps that all feeds have, at most T."""
    given = [feed.values.shape[1] for feed in stimulus.feeds if feed.kind != CURRENT]
    return min([timesteps, *given])


def _refuse(network: Network) -> None:
    """Raise InputError for populations whose spikes mean more than their number."""
    for population in network.populations:
        why = population.neuron.without_twin() if population.neuron is not None else None
        if why is not None:
            raise InputError(f"{population.name}: a study of codings needs {why}")
    for projection in network.projections:
        if projection.connection.per_timestep:
            raise InputError(
                f"{network.ends(projection)}: a study of codings needs one set of weights, not one "
                f"per timestep"
            )
        if projection.pool is not None and projection.pool.kind == "max":
            raise InputError(
                f"{network.ends(projection)}: a study of codings needs sums, not max pooling: the "
                f"currents of first spikes are held"
            )


def _counted(name: str, feed: Feed, timesteps: int, n: int) -> tuple[np.ndarray, int]:
    """Return the spikes of each input line, (n, inputs) of 0..T, and the value one stands for."""
    values = feed.values
    if values.size and int(values.min()) < 0:
        raise InputError(f"{name}: a study of codings needs inputs of 0 or more, not negative ones")
    if feed.kind == CURRENT:
        largest = int(values.max(initial=0)) or 1
        # to the nearest, halves up
        spikes = (2 * values[:n].astype(np.int64) * timesteps + largest) // (2 * largest)
        return spikes, largest
    return np.minimum(values[:n].astype(np.int64).sum(1), timesteps), 1


def _spread(spikes: np.ndarray, coding: str, timesteps: int) -> np.ndarray:
    """Return when so many spikes are sent, (n, T, inputs) of 0 and 1."""
    memory.need(
        f"{len(spikes):,} coded inputs of {timesteps} timesteps", 16 * spikes.size * timesteps
    )
    t = np.arange(timesteps)[None, :, None]
    n = spikes.reshape(len(spikes), 1, -1)
    if coding == RATE:
        sent = (t + 1) * n // timesteps > t * n // timesteps
    elif coding == BURST:
        sent = t < n
    else:
        sent = (t == timesteps - n) & (n > 0)
    return sent.astype(np.int32)


def _divisor(network: Network, number: int, unit: dict[int, int]) -> int:
    """Return what one spike of a population's sources is a part of."""
    units = {unit.get(projection.source, 1) for projection, _ in network.drives(number)}
    if len(units) > 1:
        name = network.populations[number].name
        raise InputError(
            f"{name}: a study of codings needs sources whose spikes stand for the same value, not "
            f"for {' and '.join(str(one) for one in sorted(units))}"
        )
    return units.pop() if units else 1


def _parts(array: np.ndarray, unit: int) -> np.ndarray:
    """Return integers divided by a unit, to the nearest."""
    return (2 * array + unit) // (2 * unit)


def _read(network: Network, number: int, coding: str, timesteps: int, unit: int) -> Population:
    """Return a population that reads the coded spikes."""
    population = network.populations[number]
    neuron = population.neuron
    assert neuron is not None
    bias = neuron.bias + sum(
        projection.bias for projection, _ in network.drives(number) if projection.bias is not None
    )
    mine = replace(
        neuron,
        threshold=np.maximum(_parts(neuron.threshold, unit), 1),
        initial=_parts(neuron.initial, unit),
        bias=_parts(np.asarray(bias), unit),
    )
    if coding == FIRST_SPIKE:
        mine = _once(mine, [one for one, _ in network.drives(number)], timesteps)
    return replace(population, neuron=mine)


def _once(neuron: Neuron, drives: Sequence[Projection], timesteps: int) -> Neuron:
    """Return a neuron that holds its current and fires at most once, as wide as it must be."""
    neuron = replace(
        neuron, threshold=np.maximum(neuron.threshold * timesteps // 4, neuron.threshold)
    )
    most = sum(_largest_current(one) for one in drives)
    others = sum(int(abs(a).max(initial=0)) for a in (neuron.initial, neuron.threshold))
    reach = timesteps * (most + int(abs(neuron.bias).max(initial=0))) + others
    widths = {"current_bits": max(most.bit_length() + 1, 2)}
    if not neuron.fires:
        widths |= {"potential_bits": reach.bit_length() + 1}
        return replace(neuron, model="cuba-readout", **widths)  # type: ignore[arg-type]
    # as far below as nothing can lift it from, and as much again that it may fall
    silent = np.full_like(neuron.threshold, -(1 << reach.bit_length()))
    widths |= {"potential_bits": reach.bit_length() + 2}
    return replace(neuron, model="cuba-lif", reset="value", reset_value=silent, **widths)  # type: ignore[arg-type]


def _largest_current(projection: Projection) -> int:
    """Return the largest magnitude all sources together can bring one target: each fires once."""
    connection, size = projection.connection, projection.connection.n_out
    weight = abs(connection.weight.astype(np.int64))
    if connection.kind == "dense":
        most = int(weight.sum(0).max(initial=0))
    elif connection.kind == "sparse":
        assert connection.index is not None
        most = int(np.bincount(connection.index, weight, size).max(initial=0))
    elif connection.kind == "convolution":
        most = int(weight.sum((1, 2, 3)).max(initial=0))
    else:
        most = int(weight.max(initial=0))
    return most * (projection.pool.area if projection.pool is not None else 1)
