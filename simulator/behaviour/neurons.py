"""One neuron, one timestep, in integers, in the order of docs/neurons.md; and the quantised
activation.

In integers V > threshold is V - 1 >= threshold, so one comparison serves both.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.describe.neuron import COMPARES, LEAKS, MODELS, READS, RESET_TIMES, Neuron
from simulator.errors import InputError
from simulator.jit import kernel

#: the leak is a fraction of 2**12 of the potential per timestep
DECAY_BITS = 12
FULL_DECAY = 1 << DECAY_BITS
#: |V| * 2**12 and V + current must both fit in 64 bits
LARGEST_POTENTIAL_BITS = 48
_NO_LEAK, _FRACTION = LEAKS["none"], LEAKS["fraction"]
_SAME, _NEXT, _HELD = range(len(RESET_TIMES))
_LAST, _SUM, _MAXIMUM = range(len(READS))
_EVEN, _ODD = COMPARES.index("even"), COMPARES.index("odd")
#: a potential no neuron can fall below
_NO_BOUND = -(1 << 62)
_NO_LIMIT = 1 << 62

_NUMBERS = (
    "first",  # its neurons are first .. last - 1 of the arrays of a part
    "last",
    "strand",  # the first of the strands that lead to it
    "live",  # the first of them that is not held
    "end",
    "shares",  # 1: currents of its projections are added in one accumulator per neuron
    "leak",  # a number in LEAKS
    "decay",
    "has_current",
    "current_decay",
    "current_low",
    "current_high",
    "fires",
    "subtract",  # 1: reset by subtraction, 0: to reset_value
    "reset_at",
    "strict",  # a number in COMPARES: 0 fires at the threshold, 1 above it, 2 and 3 by the spike
    "counts",  # 1: spikes of an inference are counted
    "limit",  # of them
    "scales",  # 1: currents are multiplied by the gain
    "largest",  # value it may send: 1 for spikes
    "low",  # the width's range
    "high",
    "wrap",  # 1: wraps around, 0: saturates
    "is_bounded",
    "read",
)
#: one population as kernels read it
POPULATION = np.dtype((np.record, [(name, np.int64) for name in _NUMBERS]))
#: what neurons have of their own, (n_neurons,) int64 each
ARRAYS = ("threshold", "initial", "bias", "current_bias", "reset_value", "lower_bound", "gain")


class Cells(NamedTuple):
    """Populations that are run together, in the order of their delay-free projections; arrays are
    (n_neurons,) int64.
    """

    population: np.ndarray  # (n_populations,) POPULATION
    threshold: np.ndarray
    initial: np.ndarray
    bias: np.ndarray
    current_bias: np.ndarray
    reset_value: np.ndarray
    lower_bound: np.ndarray
    gain: np.ndarray


def prepare(
    name: str, neuron: Neuron, n: int, drive_bias: np.ndarray
) -> tuple[dict[str, int], dict[str, np.ndarray]]:
    """Return the numbers (of POPULATION) and arrays (ARRAYS) of a population, or raise InputError
    naming what cannot be computed.

    drive_bias: the sum of its projections' biases.
    """
    for key, bits in (
        ("potential_bits", neuron.potential_bits),
        ("current_bits", neuron.current_bits),
    ):
        if not 2 <= bits <= LARGEST_POTENTIAL_BITS:
            raise InputError(
                f"{name}: {key}: must be between 2 and {LARGEST_POTENTIAL_BITS}, not {bits}"
            )
    for key, decay in (("decay", neuron.decay), ("current_decay", neuron.current_decay)):
        if not 0 <= decay <= FULL_DECAY:
            raise InputError(f"{name}: {key}: must be between 0 and {FULL_DECAY}, not {decay}")
    low, high = _range(neuron.potential_bits)
    current_low, current_high = _range(neuron.current_bits)
    arrays = _arrays(name, neuron, n)
    if neuron.fires and n and arrays["threshold"].min() < 1:
        raise InputError(f"{name}: threshold: must be at least 1, not {arrays['threshold'].min()}")
    for key in ("initial", "reset_value"):
        if n and (arrays[key].min() < low or arrays[key].max() > high):
            raise InputError(
                f"{name}: {key}: must fit in {neuron.potential_bits} bits, {low} to {high}"
            )
    model = MODELS[neuron.model]
    if model.has_current:
        arrays["current_bias"] += drive_bias
    else:
        arrays["bias"] += arrays["gain"] * drive_bias
    numbers = {
        "leak": LEAKS[model.leak] if neuron.decay else _NO_LEAK,
        "decay": neuron.decay,
        "has_current": int(model.has_current),
        "current_decay": neuron.current_decay,
        "current_low": current_low,
        "current_high": current_high,
        "fires": int(model.fires),
        "subtract": int(neuron.reset == "subtract"),
        "reset_at": RESET_TIMES.index(neuron.reset_at),
        "strict": COMPARES.index(neuron.compare),
        "counts": int(neuron.counts),
        "limit": _NO_LIMIT if neuron.limit is None else neuron.limit,
        "scales": int(neuron.gain is not None),
        "largest": neuron.largest_value,
        "low": low,
        "high": high,
        "wrap": int(neuron.overflow == "wrap"),
        "is_bounded": int(neuron.lower_bound is not None),
        "read": READS.index(neuron.read),
    }
    return numbers, arrays


def _range(bits: int) -> tuple[int, int]:
    return -(1 << (bits - 1)), (1 << (bits - 1)) - 1


def _arrays(name: str, neuron: Neuron, n: int) -> dict[str, np.ndarray]:
    given = {
        "threshold": neuron.threshold,
        "initial": neuron.initial,
        "bias": neuron.bias,
        "current_bias": np.zeros(n, np.int64),
        "reset_value": neuron.reset_value if neuron.reset == "value" else np.zeros(n, np.int64),
        "lower_bound": neuron.lower_bound,
        "gain": np.ones(n, np.int64) if neuron.gain is None else neuron.gain,
    }
    if given["lower_bound"] is None:
        given["lower_bound"] = np.full(n, _NO_BOUND)
    for key, array in given.items():
        if array is None or array.shape != (n,):
            raise InputError(f"{name}: {key}: must have shape ({n},)")
    return {key: np.array(array, np.int64) for key, array in given.items()}


@kernel(inline=False, simd=True)
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


@kernel(inline=False, simd=True)
def integrate(low, high, wrap, scales, gain, bias, potential, drive):
    """Add current times gain (if it `scales`) and bias to every potential in its width; return how
    many left the range.

    gain, bias, potential and drive: (n_neurons,) int64.  What leaves the range saturates, or wraps
    as two's complement does.
    """
    overflows = 0
    for j in range(len(potential)):
        v = potential[j] + (drive[j] * gain[j] if scales else drive[j]) + bias[j]
        if v < low or v > high:
            overflows += 1
            if wrap:
                v = ((v - low) & (high - low)) + low
            elif v < low:
                v = low
            else:
                v = high
        potential[j] = v
    return overflows


@kernel(inline=False, simd=True)
def bound(lower_bound, potential):
    """Raise every potential to its lower bound."""
    for j in range(len(potential)):
        potential[j] = max(potential[j], lower_bound[j])


@kernel(inline=False, simd=True)
def set_due(reset_value, potential, due):
    """Set the potentials whose reset is due, and forget that it was."""
    for j in range(len(potential)):
        if due[j]:
            potential[j] = reset_value[j]
            due[j] = 0


@kernel(inline=False, simd=True)
def subtract_due(threshold, potential, due):
    """Take the thresholds off whose reset is due, and forget that it was."""
    for j in range(len(potential)):
        potential[j] -= due[j] * threshold[j]
        due[j] = 0


@kernel(inline=False, simd=True)
def above(strict, threshold, potential, neuron):
    """Write the neurons whose comparison holds, rising; return how many there are."""
    n = 0
    for j in range(len(potential)):
        neuron[n] = j  # overwritten by the next one that fires, unless this one does
        n += potential[j] - strict >= threshold[j]
    return n


@kernel(inline=False, simd=True)
def above_by_number(strict, limit, threshold, potential, count, neuron):
    """As `above` where the spikes of an inference are counted: no more than `limit`, and at the
    threshold only one of the numbers that `strict` allows.
    """
    n = 0
    for j in range(len(potential)):
        is_above = strict
        if strict >= _EVEN:  # the next spike has an odd number where an even one was sent
            is_above = count[j] % 2 if strict == _ODD else 1 - count[j] % 2
        if count[j] < limit and potential[j] - is_above >= threshold[j]:
            count[j] += 1
            neuron[n] = j
            n += 1
    return n


@kernel(inline=False)
def fire(population, threshold, reset_value, potential, due, count, neuron, value):
    """Compare and reset; write the firing neurons, rising, and what they send; return how many
    there are.
    """
    strict, largest = population.strict, population.largest
    if population.counts:
        n = above_by_number(strict, population.limit, threshold, potential, count, neuron)
    else:
        n = above(strict, threshold, potential, neuron)
    for k in range(n):
        j = neuron[k]
        value[k] = 1 if largest == 1 else min((potential[j] - strict) // threshold[j], largest)
        if population.reset_at != _SAME:
            due[j] = value[k]
        elif population.subtract:
            potential[j] -= value[k] * threshold[j]
        else:
            potential[j] = reset_value[j]
    return n


@kernel(inline=False, simd=True)
def read(how, potential, reading):
    """Add the potentials of one timestep to what is read of them: their sum, or their maximum."""
    for j in range(len(potential)):
        if how == _SUM:
            reading[j] += potential[j]
        else:
            reading[j] = max(reading[j], potential[j])


@kernel(inline=True)
def start(cells, p, state):
    """Begin an inference: potentials at their initial values, nothing due, nothing read."""
    population = cells.population[p]
    for j in range(population.first, population.last):
        state.potential[j] = cells.initial[j]
        if population.has_current:
            state.synaptic[j] = 0
        if population.reset_at != _SAME:
            state.due[j] = 0
        if population.counts:
            state.count[j] = 0
        if population.read == _SUM:
            state.reading[j] = 0
        elif population.read == _MAXIMUM:
            state.reading[j] = _NO_BOUND


@kernel(inline=True)
def leak_and_integrate(cells, p, state):
    """Leak, add currents and biases, and hold to the widths; return what left its range."""
    population = cells.population[p]
    a, b = population.first, population.last
    low, high, wrap = population.low, population.high, population.wrap
    potential, drive, bias = state.potential[a:b], state.drive[a:b], cells.bias[a:b]
    if population.leak == _FRACTION:
        leak(population.decay, potential)
    if population.reset_at == _NEXT and population.subtract:
        subtract_due(cells.threshold[a:b], potential, state.due[a:b])
    gain = cells.gain[a:b]
    if not population.has_current:
        return integrate(low, high, wrap, population.scales, gain, bias, potential, drive)
    synaptic, more = state.synaptic[a:b], cells.current_bias[a:b]
    leak(population.current_decay, synaptic)
    least, most = population.current_low, population.current_high
    overflows = integrate(least, most, wrap, 0, gain, more, synaptic, drive)
    return overflows + integrate(low, high, wrap, 0, gain, bias, potential, synaptic)


@kernel(inline=True)
def step(cells, p, state, neuron, value):
    """Do one timestep of population p of a part; return how many neurons fired, and how many
    potentials and currents left their range.
    """
    population = cells.population[p]
    a, b = population.first, population.last
    potential, reset_at = state.potential[a:b], population.reset_at
    if reset_at == _NEXT and not population.subtract:
        set_due(cells.reset_value[a:b], potential, state.due[a:b])
    overflows = leak_and_integrate(cells, p, state)
    if population.is_bounded:
        bound(cells.lower_bound[a:b], potential)
    if reset_at == _HELD:
        set_due(cells.reset_value[a:b], potential, state.due[a:b])
    if population.fires:
        threshold, reset_value, due = cells.threshold[a:b], cells.reset_value[a:b], state.due[a:b]
        count = state.count[a:b]
        sent = fire(population, threshold, reset_value, potential, due, count, neuron, value)
        return sent, overflows
    if population.read != _LAST:
        read(population.read, potential, state.reading[a:b])
    return 0, overflows


@kernel(inline=True)
def most_sent(population, timesteps):
    """Return the most spikes of a neuron in a window that is taken as a whole."""
    return min(timesteps, population.limit) if population.fires else 0


@kernel(inline=False)
def strict_by_number(strict, last):
    """Return whether spike number `last` of a window needs more than the threshold."""
    return 1 - last % 2 if strict == _ODD else last % 2


@kernel
def activation(strict, threshold, total, most):
    """Return clip(floor(total / threshold), 0, most), or of total - 1 where the comparison is
    strict: always, or where the last spike's number asks for it.

    With total = V0 + sum of T currents this is the quantised activation, and what a neuron fires
    that gathers its whole window first: it subtracts the threshold as often as the comparison
    holds, at most once per timestep.  strict: a number in COMPARES.
    """
    if most == 0 or total < threshold:
        return 0
    if strict >= _EVEN:
        strict = strict_by_number(strict, total // threshold)
    return min((total - strict) // threshold, most)
