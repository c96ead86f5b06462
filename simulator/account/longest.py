"""How long the busiest of several units works in a step, on average, where what they do varies from
step to step: the largest of means is too little.

Units that work for the same events vary together, and the slowest of them is always the slowest.
Units that work for different events are taken as independent and normal; the mean and the deviation
of the larger of two such are Clark's (The greatest of a finite set of random variables, Operations
Research 9(2), 1961), which are applied one after another.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

#: sums of deviations from which on the smaller of two numbers is never the larger
FAR = 5


@dataclass(frozen=True)
class Working:
    """A unit in a step: mean cycles, their deviation relative to that, and for whose events."""

    cycles: float
    spread: float
    what: str
    source: tuple[int, ...]


def largest_of(work: Iterable[Working]) -> float:
    """Return the mean cycles of the busiest unit."""
    slowest: dict[tuple[int, ...], Working] = {}
    for one in work:
        if one.source not in slowest or slowest[one.source].cycles < one.cycles:
            slowest[one.source] = one
    return largest_in_order(sorted(slowest.values(), key=lambda one: -one.cycles))


def largest_in_order(order: Sequence[Working]) -> float:
    """Return the mean cycles of the busiest of units that work for different events, the slowest
    first.
    """
    if not order:
        return 0.0
    mean, deviation = order[0].cycles, order[0].cycles * order[0].spread
    for one in order[1:]:
        others = one.cycles * one.spread
        if mean - one.cycles > FAR * (deviation + others):
            continue  # it is never the slowest
        mean, deviation = larger(mean, deviation, one.cycles, others)
    return mean


def larger(mean: float, deviation: float, other: float, others: float) -> tuple[float, float]:
    """Return the mean and the deviation of the larger of two independent normal numbers, given the
    mean and the deviation of each.
    """
    apart = math.hypot(deviation, others)
    if apart <= 1e-12 * (mean + other):
        return max((mean, deviation), (other, others))
    far = (mean - other) / apart
    first = (1 + math.erf(far / math.sqrt(2))) / 2
    density = math.exp(-far * far / 2) / math.sqrt(2 * math.pi)
    found = mean * first + other * (1 - first) + apart * density
    square = (mean**2 + deviation**2) * first + (other**2 + others**2) * (1 - first)
    square += (mean + other) * apart * density
    return found, math.sqrt(max(0.0, square - found * found))
