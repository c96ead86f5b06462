"""From reals to thresholds: a neuron that counts how often a real threshold goes into a sum of
whole numbers, in integers.

A quantiser makes u = floor((g·A + B) / step + c) of a whole A.  A neuron adds gain·A to its
potential and subtracts its threshold for every spike, so gain / threshold has to be g / step: the
best fraction that the width of the potential leaves room for.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from simulator.errors import InputError

#: widths that potentials are tried in, and the error in levels that is good enough
WIDTHS, ENOUGH = (32, 36, 40, 44, 48), 2.0**-13
#: of a gain
MOST_GAIN = (1 << 31) - 1


@dataclass(frozen=True, eq=False)
class Counting:
    """Integers of neurons that count; arrays (n,) int64.  error: in levels, at the highest one."""

    gain: np.ndarray
    threshold: np.ndarray
    initial: np.ndarray
    bias: np.ndarray
    bits: int
    error: float
    is_exact: bool  # every quotient is the real one, halves too


def counting(
    name: str,
    ratio: np.ndarray,
    offset: np.ndarray,
    extra: float,
    most: np.ndarray,
    levels: int,
    timesteps: int,
) -> Counting:
    """Return neurons for u = floor(A / ratio + offset + extra), of a window of T timesteps.

    ratio: (n,), of any sign but 0.  offset is spread over the timesteps, `extra` is there from the
    start.  most: (n,) bounds on the magnitude of A.
    """
    size = abs(ratio)
    if not (np.isfinite(ratio).all() and np.isfinite(offset).all() and size.all()):
        raise InputError(f"{name}: its scales and biases must give finite numbers")
    if float(size.max()) / float(size.min()) > 2.0**40 or float(size.max()) > 2.0**46:
        raise InputError(f"{name}: its scales must be less than 2^40 apart")
    for bits in WIDTHS:
        room = most + size * (abs(offset) + extra + 1)
        largest = np.floor(((1 << (bits - 1)) - 1) / room)
        if largest.min() < 1:
            continue
        found = _within(ratio, offset, extra, np.minimum(largest, MOST_GAIN), levels, timesteps)
        if found.error <= ENOUGH or bits == WIDTHS[-1]:
            return Counting(*found.arrays, bits, found.error, found.is_exact)
    raise InputError(
        f"{name}: its sums of up to {float(most.max()):.3g} must fit potentials of "
        f"{WIDTHS[-1]} bits"
    )


@dataclass(frozen=True, eq=False)
class _Found:
    arrays: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
    error: float
    is_exact: bool


def _within(
    ratio: np.ndarray,
    offset: np.ndarray,
    extra: float,
    largest: np.ndarray,
    levels: int,
    timesteps: int,
) -> _Found:
    """Return the integers with gains of at most `largest`."""
    size = abs(ratio)
    gain, threshold = np.zeros(len(ratio), np.int64), np.zeros(len(ratio), np.int64)
    error, is_exact = 0.0, True
    known: dict[tuple[float, int], tuple[int, int]] = {}
    for j in range(len(ratio)):
        key = float(size[j]), int(largest[j])
        if key not in known:
            known[key] = _fraction(*key)
        gain[j], threshold[j] = known[key]
    for (real, _), (most, whole) in known.items():
        off = abs(Fraction(whole, most) / Fraction(real) - 1)
        error = max(error, float(off) * (levels + 1))
        is_exact &= off == 0
    total = (offset + extra) * threshold.astype(np.float64)
    whole_total = np.rint(total)
    is_exact &= bool((total == whole_total).all())
    error += float((0.5 / threshold).max()) if not is_exact else 0.0
    bias = np.rint(offset * threshold / timesteps)
    initial = whole_total - timesteps * bias
    signed = np.where(ratio < 0, -gain, gain)
    arrays = signed, threshold, initial.astype(np.int64), bias.astype(np.int64)
    return _Found(arrays, error, is_exact)


def _fraction(real: float, largest: int) -> tuple[int, int]:
    """Return (gain, threshold) with threshold / gain near a real, the gain up to `largest`, even
    where there is room: a half of the threshold is then whole.
    """
    exact = Fraction(real)
    near = exact.limit_denominator(largest)
    if near.numerator < 1:
        near = Fraction(1, largest)
    times = max(1, largest // near.denominator)
    if times > 1:
        times = 1 << (times.bit_length() - 1)
    return near.denominator * times, near.numerator * times


def shares(name: str, factors: list[np.ndarray], most: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Return whole weights for terms whose own are free, (n,) each up to `most`, and the real that
    one unit of all of them stands for, (n,).

    Two terms are met by the best fraction, more by rounding to the largest.
    """
    ones = [abs(factor) for factor in factors]
    largest = np.maximum.reduce(ones)
    if not (np.isfinite(largest).all() and all(one.all() for one in ones)):
        raise InputError(f"{name}: its scales must be finite and above 0")
    weights = [np.zeros(len(largest), np.int64) for _ in factors]
    unit = np.zeros(len(largest))
    known: dict[tuple[float, ...], tuple[tuple[int, ...], float]] = {}
    for j in range(len(largest)):
        key = tuple(float(factor[j]) for factor in factors)
        if key not in known:
            known[key] = _shares(key, most)
        whole, unit[j] = known[key]
        for weight, value in zip(weights, whole):
            weight[j] = value
    if any((weight == 0).any() for weight in weights):
        raise InputError(f"{name}: must add terms whose scales are less than 2^15 apart")
    return weights, unit


def _shares(factors: tuple[float, ...], most: int) -> tuple[tuple[int, ...], float]:
    sizes = [abs(factor) for factor in factors]
    signs = [-1 if factor < 0 else 1 for factor in factors]
    if len(set(sizes)) == 1:
        return tuple(signs), sizes[0]
    if len(sizes) == 2:
        small, large = sorted(sizes)
        near = (Fraction(small) / Fraction(large)).limit_denominator(most)
        of = {small: near.numerator, large: near.denominator}
        whole = [of[size] for size in sizes]
    else:
        whole = [round(size / max(sizes) * most) for size in sizes]
    place = sizes.index(max(sizes))
    return tuple(sign * one for sign, one in zip(signs, whole)), sizes[place] / max(whole[place], 1)
