"""One part of a network over whole inferences: the three ways it answers what it is sent.

A part is a population, or the populations of a strongly connected part, which are run together
timestep by timestep. Everything a part depends on is known before it begins, so it is run over
all its inferences before the next one and its weights stay in the cache.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.behaviour.neurons import activation, integrate, most_sent, start, step
from simulator.behaviour.synapses import LARGEST, gather, pool
from simulator.jit import entry_point, kernel


class Part(NamedTuple):
    """What leads to populations that are run together: the rows of weights of all strands, one
    after the other.
    """

    weight: np.ndarray  # int8, int16, int32 or int64
    start: np.ndarray  # int64
    # int16 or int32; None in a network of dense rows alone: what is for others is not compiled
    target: np.ndarray | None
    strand: np.ndarray  # (n_strands,) STRAND, by population, held ones first


class Given(NamedTuple):
    """What the sources outside a part send: source s in step k = inference * window + timestep
    sends events start[s, k] .. start[s, k + 1] - 1.
    """

    start: np.ndarray  # (n_sources, n_inferences * window + 1) int64
    neuron: np.ndarray  # int32
    value: np.ndarray  # int32


class State(NamedTuple):
    """Working memory of a part; (n_neurons,) int64 but for current and extreme."""

    current: np.ndarray  # int32 or int64, of the largest strand, before pooling
    held: np.ndarray  # what currents that enter once add in every timestep
    drive: np.ndarray
    potential: np.ndarray
    synaptic: np.ndarray
    due: np.ndarray  # resets of the timestep before, by what was sent
    count: np.ndarray  # spikes of this inference, where they are counted
    reading: np.ndarray
    gathered: np.ndarray  # currents of a window that is gathered before it fires
    # (n_populations, 2) int64: the lowest and the highest current an accumulator had to hold
    extreme: np.ndarray


class EventBuffer(NamedTuple):
    """What a part sends in some inferences, written from the front; room for every neuron in every
    timestep. Population p of n in timestep k of the stretch sends start[k * n + p] and following.
    """

    start: np.ndarray  # (inferences * window * n_populations + 1,) int64
    neuron: np.ndarray  # int32
    value: np.ndarray  # int32
    residual: np.ndarray  # (inferences, n_neurons) int64: potentials when the window ends, or what
    # is read of a readout; (0, n_neurons) where nobody wants them


@kernel(inline=False, simd=True)
def note(values, extreme):
    """Widen the range [extreme[0], extreme[1]] to hold all values."""
    low, high = extreme[0], extreme[1]
    for j in range(len(values)):
        low = min(low, values[j])
        high = max(high, values[j])
    extreme[0], extreme[1] = low, high


@kernel(inline=False, simd=True)
def put_times(drive, times, held):
    """Set the drive to what is held, so many times."""
    for j in range(len(drive)):
        drive[j] = times * held[j]


@kernel(inline=False)
def drain(part, strand, state, to, adds, extreme):
    """Pool what a strand has gathered into `to`, or add it; currents of which the largest counts
    each have an accumulator of their own, which is noted.
    """
    current = state.current[: strand.n_out]
    if strand.pool == LARGEST:
        note(current, extreme)
    pool(part, strand, current, to, adds)


@kernel(inline=True)
def arrive(part, populations, s, timesteps, inference, begin, t, carries, given, sent, state):
    """Gather what one strand brings in timestep t of an inference; return whether it may be
    anything.

    carries: spikes of an inference before may be on their way; `begin` is then 0 for what is sent
    inside the part.
    """
    strand = part.strand[s]
    fired = 0 if strand.is_held else t - strand.delay
    at = inference * timesteps + fired
    if fired < 0:
        if not carries or at < 0:
            return False
        fired = at % timesteps
    current = state.current[: strand.n_out]
    if strand.is_inside:
        at = (at - begin * timesteps) * populations + strand.source
        first, last = sent.start[at], sent.start[at + 1]
        gather(part, strand, fired, current, sent.neuron, sent.value, first, last)
    else:
        first, last = given.start[strand.source, at], given.start[strand.source, at + 1]
        gather(part, strand, fired, current, given.neuron, given.value, first, last)
    return True


@kernel(inline=True)
def collect(part, cells, p, timesteps, inference, begin, t, times, carries, given, sent, state):
    """Set the drive of population p to the currents of timestep t: `times` what is held, and what
    arrives; return whether it may be another one than before.

    carries: see `arrive`; what is held then has no delay.
    """
    population, extreme, populations = cells.population[p], state.extreme[p], len(cells.population)
    a, b = population.first, population.last
    drive, adds = state.drive[a:b], False
    if population.live > population.strand:
        held, is_new = state.held[a:b], t == 0
        for s in range(population.strand, population.live):
            if t == part.strand[s].delay:
                arrive(
                    part,
                    populations,
                    s,
                    timesteps,
                    inference,
                    begin,
                    t,
                    carries,
                    given,
                    sent,
                    state,
                )
                strand = part.strand[s]
                drain(part, strand, state, held, t > 0 or s > population.strand, extreme)
                is_new = True
            elif t == 0 and s == population.strand:
                for j in range(len(held)):
                    held[j] = 0
        if not is_new and population.end == population.live:
            return False  # nothing but what is held: the drive is what it was
        if population.shares:
            note(held, extreme)
        put_times(drive, times, held)
        adds = True
    for s in range(population.live, population.end):
        if arrive(
            part, populations, s, timesteps, inference, begin, t, carries, given, sent, state
        ):
            strand = part.strand[s]
            drain(part, strand, state, drive, adds, extreme)
            adds = True
    if not adds:
        for j in range(len(drive)):
            drive[j] = 0
    elif population.shares and population.end > population.live:
        note(drive, extreme)
    return True


@entry_point
def stream(part, cells, timesteps, carries, given, begin, end, state, sent):
    """Run inferences begin .. end - 1, a spike leaving in the timestep in which it was made; return
    the overflows.

    carries: an inference goes on from the state that the one before it left, which is that of
    `begin` - 1 when it is called.
    """
    n = overflows = place = 0
    populations = len(cells.population)
    for inference in range(begin, end):
        if not carries or inference == 0:
            for p in range(populations):
                start(cells, p, state)
        for t in range(timesteps):
            for p in range(populations):
                collect(
                    part, cells, p, timesteps, inference, begin, t, 1, carries, given, sent, state
                )
                fired, left = step(cells, p, state, sent.neuron[n:], sent.value[n:])
                n += fired
                overflows += left
                place += 1
                sent.start[place] = n
        keep(cells, inference - begin, state, sent)
    return overflows


@kernel(inline=True)
def keep(cells, row, state, sent):
    """Write what is left of an inference into `sent`, where it is wanted: potentials, or what was
    read of them.
    """
    if len(sent.residual) == 0:
        return
    for p in range(len(cells.population)):
        population = cells.population[p]
        for j in range(population.first, population.last):
            sent.residual[row, j] = state.reading[j] if population.read else state.potential[j]


@entry_point
def accumulate(part, cells, timesteps, carries, given, begin, end, state, sent):
    """Run inferences begin .. end - 1 of one population, each window gathered before the first
    spike leaves; return the overflows.

    A neuron that owes n spikes sends one in each of the first n timesteps of its window.  Nothing
    is carried over (`carries` is False).
    """
    n = overflows = 0
    keeps, most = len(sent.residual) > 0, most_sent(cells.population[0], timesteps)
    population, potential, count = cells.population[0], state.potential, state.drive
    gathered, strict, threshold = state.gathered, population.strict, cells.threshold
    for inference in range(begin, end):
        start(cells, 0, state)
        for j in range(len(gathered)):
            gathered[j] = 0
        for t in range(timesteps):
            if collect(
                part, cells, 0, timesteps, inference, begin, t, 1, carries, given, sent, state
            ):
                for j in range(len(gathered)):
                    gathered[j] += state.drive[j]
            low, high, wrap = population.low, population.high, population.wrap
            scales, gain, bias = population.scales, cells.gain, cells.bias
            overflows += integrate(low, high, wrap, scales, gain, bias, potential, state.drive)
        note(gathered, state.extreme[0])
        for j in range(len(potential)):
            count[j] = activation(strict, threshold[j], potential[j], most)
            potential[j] -= count[j] * threshold[j]
            if keeps:
                sent.residual[inference - begin, j] = potential[j]
        for t in range(timesteps):
            for j in range(len(count)):
                if count[j] > t:
                    sent.neuron[n] = j
                    sent.value[n] = 1
                    n += 1
            sent.start[(inference - begin) * timesteps + t + 1] = n
    return overflows


@entry_point
def activate(part, cells, timesteps, carries, given, begin, end, state, sent):
    """Run inferences begin .. end - 1 of the quantised twin of one population: u = clip(floor((V0 +
    gain * z + T * bias) / threshold), 0, T).

    z is the sum over sources of weight times activation, and T times that sum for a current that
    enters once: it stands for T equal ones.  The accumulator is exact: the potential's width does
    not apply to it.  Nothing is carried over (`carries` is False).
    """
    n = 0
    keeps, most = len(sent.residual) > 0, most_sent(cells.population[0], timesteps)
    strict = cells.population[0].strict
    for inference in range(begin, end):
        collect(part, cells, 0, 1, inference, begin, 0, timesteps, carries, given, sent, state)
        for j in range(len(state.drive)):
            total = cells.initial[j] + cells.gain[j] * state.drive[j] + timesteps * cells.bias[j]
            value = activation(strict, cells.threshold[j], total, most)
            if value > 0:
                sent.neuron[n] = j
                sent.value[n] = value
                n += 1
            if keeps:
                sent.residual[inference - begin, j] = total
        sent.start[inference - begin + 1] = n
    return 0
