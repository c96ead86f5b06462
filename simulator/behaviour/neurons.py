"""One neuron, one timestep, in integers: leak, integrate, compare, reset; and the quantised
activation.

A timestep does, in this order: the leak of the old potential (LIF), V += current + bias in the
potential's width, the comparison with the threshold, the reset.  In integers V > threshold is V - 1
>= threshold, so one comparison serves both.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.describe import network
from simulator.describe.network import Neuron
from simulator.errors import InputError
from simulator.jit import kernel

#: written name -> the number the kernels choose by
MODEL_NUMBER = {name: number for number, name in enumerate(network.MODELS)}
IF, LIF, READOUT = (MODEL_NUMBER[name] for name in ("if", "lif", "readout"))
RESETS = {"zero": 0, "subtract": 1}
COMPARES = {">=": 0, ">": 1}
OVERFLOWS = {"saturate": 0, "wrap": 1}
#: the leak is a fraction of 2**12 of the potential per timestep
DECAY_BITS = 12
FULL_DECAY = 1 << DECAY_BITS
#: |V| * 2**12 and V + current must both fit in 64 bits
LARGEST_POTENTIAL_BITS = 48


class Neurons(NamedTuple):
    """One population as kernels read it; arrays are (n_neurons,) int64."""

    model: int
    threshold: np.ndarray
    initial: np.ndarray
    bias: np.ndarray
    decay: int
    subtract: int  # 1: reset by subtraction, 0: to zero
    strict: int  # 1: fires above the threshold, 0: at it
    low: int  # the width's range
    high: int
    wrap: int  # 1: wraps around, 0: saturates


def prepare(name: str, neuron: Neuron) -> Neurons:
    """Return the population `name` for the kernels, or raise InputError naming what cannot be
    computed.
    """
    for key, value, allowed in (
        ("model", neuron.model, MODEL_NUMBER),
        ("reset", neuron.reset, RESETS),
        ("compare", neuron.compare, COMPARES),
        ("overflow", neuron.overflow, OVERFLOWS),
    ):
        if value not in allowed:
            raise InputError(f"{name}: {key}: must be one of {', '.join(allowed)}, not {value!r}")
    if not 2 <= neuron.potential_bits <= LARGEST_POTENTIAL_BITS:
        raise InputError(
            f"{name}: potential_bits: must be between 2 and {LARGEST_POTENTIAL_BITS}, not "
            f"{neuron.potential_bits}"
        )
    if not 0 <= neuron.decay <= FULL_DECAY:
        raise InputError(f"{name}: decay: must be between 0 and {FULL_DECAY}, not {neuron.decay}")
    low, high = -(1 << (neuron.potential_bits - 1)), (1 << (neuron.potential_bits - 1)) - 1
    threshold, initial, bias = (
        np.ascontiguousarray(array, np.int64)
        for array in (neuron.threshold, neuron.initial, neuron.bias)
    )
    if neuron.model != "readout" and len(threshold) and threshold.min() < 1:
        raise InputError(f"{name}: threshold: must be at least 1, not {threshold.min()}")
    if len(initial) and (initial.min() < low or initial.max() > high):
        raise InputError(
            f"{name}: initial: must fit in {neuron.potential_bits} bits, {low} to {high}"
        )
    return Neurons(
        MODEL_NUMBER[neuron.model],
        threshold,
        initial,
        bias,
        neuron.decay if network.MODELS[neuron.model].leaks else 0,
        RESETS[neuron.reset],
        COMPARES[neuron.compare],
        low,
        high,
        OVERFLOWS[neuron.overflow],
    )


@kernel
def leak(decay, potential):
    """Take decay / 4096 off every potential, rounding toward zero: V <- sign(V) * ((|V| * (4096 -
    decay)) >> 12).
    """
    keep = FULL_DECAY - decay
    for j in range(len(potential)):
        v = potential[j]
        if v < 0:
            potential[j] = -((-v * keep) >> DECAY_BITS)
        else:
            potential[j] = (v * keep) >> DECAY_BITS


@kernel
def integrate(neurons, potential, drive):
    """Add current and bias to every potential in its width; return how many left the range.

    potential and drive: (n_neurons,) int64.  What leaves the range saturates, or wraps as two's
    complement does.
    """
    low, high = neurons.low, neurons.high
    overflows = 0
    for j in range(len(potential)):
        v = potential[j] + drive[j] + neurons.bias[j]
        if v < low or v > high:
            overflows += 1
            if neurons.wrap:
                v = ((v - low) & (high - low)) + low
            elif v < low:
                v = low
            else:
                v = high
        potential[j] = v
    return overflows


@kernel
def fire(neurons, potential, fired):
    """Compare and reset; write the firing neurons, rising, into `fired` and return how many there
    are.
    """
    n = 0
    for j in range(len(potential)):
        if potential[j] - neurons.strict >= neurons.threshold[j]:
            fired[n] = j
            n += 1
            if neurons.subtract:
                potential[j] -= neurons.threshold[j]
            else:
                potential[j] = 0
    return n


@kernel
def step(neurons, potential, drive, fired):
    """Do one timestep of a population; return how many neurons fired and how many potentials left
    their range.
    """
    if neurons.model == LIF:
        leak(neurons.decay, potential)
    overflows = integrate(neurons, potential, drive)
    if neurons.model == READOUT:
        return 0, overflows
    return fire(neurons, potential, fired), overflows


@kernel
def activation(neurons, j, total, timesteps):
    """Return clip(floor(total / threshold), 0, T) of neuron j, or of total - 1 where the comparison
    is strict.

    With total = V0 + sum of T currents this is the quantised activation, and what a neuron fires
    that gathers its whole window first: it subtracts the threshold as often as the comparison
    holds, at most once per timestep.
    """
    excess = total - neurons.strict
    if neurons.model == READOUT or excess < neurons.threshold[j]:
        return 0
    return min(excess // neurons.threshold[j], timesteps)
