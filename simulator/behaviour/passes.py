"""One layer over whole inferences: the three ways a layer answers what the layer before it sent.

In a feed-forward chain a layer's timestep depends only on the same timestep of the layer before it,
so each layer is run over all its steps before the next one begins and its weights stay in the
cache.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.behaviour.neurons import READOUT, activation, integrate, step
from simulator.behaviour.synapses import LARGEST, gather, pool
from simulator.jit import kernel


class Source(NamedTuple):
    """What the layer before sends: CSR over (inference, timestep)."""

    start: np.ndarray  # (n_inferences * window + 1,) int64
    neuron: np.ndarray  # int32
    value: np.ndarray  # int32
    hold: int  # 1: the current of an inference's first timestep drives every timestep of its window


class Scratch(NamedTuple):
    """Working memory of one layer."""

    current: np.ndarray  # (n_out,) int32 or int64, before pooling
    drive: np.ndarray  # (n_neurons,) int64
    potential: np.ndarray  # (n_neurons,) int64
    gathered: (
        np.ndarray
    )  # (n_neurons,) int64: currents of a window that is gathered before it fires
    extreme: np.ndarray  # (2,) int64: the lowest and the highest current an accumulator had to hold


class Sent(NamedTuple):
    """What the layer sends in some inferences, written from the front; room for every neuron in
    every timestep.
    """

    start: np.ndarray  # (inferences * window + 1,) int64
    neuron: np.ndarray  # int32
    value: np.ndarray  # int32
    residual: np.ndarray  # (inferences, n_neurons) int64: potentials when the window ends


@kernel
def note(values, extreme):
    """Widen the range [extreme[0], extreme[1]] to hold all values."""
    low, high = extreme[0], extreme[1]
    for j in range(len(values)):
        low = min(low, values[j])
        high = max(high, values[j])
    extreme[0], extreme[1] = low, high


@kernel
def note_currents(rows, scratch):
    """Note what accumulators hold: each current that is pooled for its maximum, else their sum."""
    if rows.pool == LARGEST:
        note(scratch.current, scratch.extreme)
    else:
        note(scratch.drive, scratch.extreme)


@kernel
def stream(rows, neurons, timesteps, source, begin, end, scratch, sent):
    """Run inferences begin .. end - 1, a spike leaving in the timestep in which it was made; return
    the overflows.
    """
    n = overflows = 0
    for inference in range(begin, end):
        for j in range(len(scratch.potential)):
            scratch.potential[j] = neurons.initial[j]
        for t in range(timesteps):
            if t == 0 or not source.hold:
                at = inference * timesteps + t
                gather(
                    rows,
                    scratch.current,
                    source.neuron,
                    source.value,
                    source.start[at],
                    source.start[at + 1],
                )
                pool(rows, scratch.current, scratch.drive)
                note_currents(rows, scratch)
            fired, left = step(neurons, scratch.potential, scratch.drive, sent.neuron[n:])
            for k in range(n, n + fired):
                sent.value[k] = 1
            n += fired
            overflows += left
            sent.start[(inference - begin) * timesteps + t + 1] = n
        for j in range(len(scratch.potential)):
            sent.residual[inference - begin, j] = scratch.potential[j]
    return overflows


@kernel
def accumulate(rows, neurons, timesteps, source, begin, end, scratch, sent):
    """Run inferences begin .. end - 1, each window gathered before the first spike leaves; return
    the overflows.

    A neuron that owes n spikes sends one in each of the first n timesteps of its window.
    """
    n = overflows = 0
    potential, count = scratch.potential, scratch.drive
    for inference in range(begin, end):
        for j in range(len(potential)):
            potential[j] = neurons.initial[j]
            scratch.gathered[j] = 0
        for t in range(timesteps):
            if t == 0 or not source.hold:
                at = inference * timesteps + t
                gather(
                    rows,
                    scratch.current,
                    source.neuron,
                    source.value,
                    source.start[at],
                    source.start[at + 1],
                )
                pool(rows, scratch.current, scratch.drive)
                note_currents(rows, scratch)
                for j in range(len(scratch.gathered)):
                    scratch.gathered[j] += scratch.drive[j]
            overflows += integrate(neurons, potential, scratch.drive)
        note(scratch.gathered, scratch.extreme)
        for j in range(len(potential)):
            count[j] = activation(neurons, j, potential[j], timesteps)
            if neurons.model != READOUT:
                potential[j] -= count[j] * neurons.threshold[j]
            sent.residual[inference - begin, j] = potential[j]
        for t in range(timesteps):
            for j in range(len(count)):
                if count[j] > t:
                    sent.neuron[n] = j
                    sent.value[n] = 1
                    n += 1
            sent.start[(inference - begin) * timesteps + t + 1] = n
    return overflows


@kernel
def activate(rows, neurons, timesteps, source, begin, end, scratch, sent):
    """Run inferences begin .. end - 1 of the quantised twin: u = clip(floor((V0 + z + T * bias) /
    threshold), 0, T).

    z is the sum over sources of weight times activation, and T times that sum where `source.hold`
    is set: a current that enters once stands for T equal ones.  The accumulator is exact: the
    potential's width does not apply to it.
    """
    n = 0
    times = timesteps if source.hold else 1
    for inference in range(begin, end):
        gather(
            rows,
            scratch.current,
            source.neuron,
            source.value,
            source.start[inference],
            source.start[inference + 1],
        )
        pool(rows, scratch.current, scratch.drive)
        note_currents(rows, scratch)
        for j in range(len(scratch.drive)):
            total = neurons.initial[j] + times * scratch.drive[j] + timesteps * neurons.bias[j]
            value = activation(neurons, j, total, timesteps)
            if value > 0:
                sent.neuron[n] = j
                sent.value[n] = value
                n += 1
            sent.residual[inference - begin, j] = total
        sent.start[inference - begin + 1] = n
    return 0
