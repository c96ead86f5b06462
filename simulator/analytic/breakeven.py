"""Where both twins of the closed-form model cost the same: over the spike rate, over the hops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from simulator.analytic.constants import Hardware
from simulator.analytic.model import Energy, Operation, quantised, rate, spiking
from simulator.errors import InputError


@dataclass(frozen=True)
class Breakeven:
    """Where the twins cost the same within `low`..`high`: every crossing, and who is cheaper before
    the first.

    `first` and `last` say who is cheaper before the first and after the last crossing: 'snn', 'qnn'
    or 'neither'.
    """

    low: float
    high: float
    crossing: tuple[float, ...]
    first: str
    last: str

    @property
    def only(self) -> float:
        """Return the one crossing; raises InputError when there is none or there are several."""
        if len(self.crossing) != 1:
            raise InputError(f"breakeven: must be one crossing, not {self.show()}")
        return self.crossing[0]

    def show(self) -> str:
        """Return the finding in words."""
        if not self.crossing:
            return (
                f"none in {self.low:g}..{self.high:g}: {self.first.upper()} is cheaper throughout"
            )
        if len(self.crossing) == 1:
            return f"{self.crossing[0]:.4g} ({self.first.upper()} is cheaper below)"
        points = ", ".join(f"{x:.4g}" for x in self.crossing)
        return f"several, at {points} ({self.first.upper()} is cheaper below the first)"


def rate_breakeven(
    operation: Operation, hardware: Hardware, low: float = 0.0, high: float = 1.0
) -> Breakeven:
    """Return the spike rates of `low`..`high` at which the twins cost the same; `operation.rate` is
    not read.

    A derived density ends the range at the rate at which every input is active.  Both energies are
    linear in s_r but for the switches sparse/dense, which are found first: none is missed.
    """
    if isinstance(operation.density, str):
        # beyond a derived density of 1 there is no twin
        high = min(high, float(rate(operation.timesteps, 1.0, operation.density)))
    return _breakeven(lambda x: replace(operation, rate=x), hardware, [low, high])


def hop_breakeven(
    operation: Operation, hardware: Hardware, low: float = 0.0, high: float = 64.0
) -> Breakeven:
    """Return the mean hops of `low`..`high` at which the twins cost the same; `operation.hops` is
    not read.
    """
    return _breakeven(lambda x: replace(operation, hops=x), hardware, [low, high])


def _breakeven(
    at: Callable[[float], Operation], hardware: Hardware, knots: list[float]
) -> Breakeven:
    """Solve for equal totals, given knots between which everything is linear but the choices
    sparse/dense.
    """

    def both(x: float) -> tuple[Energy, Energy]:
        return spiking(at(x), hardware), quantised(at(x), hardware)

    def excess(twin: int, x: float) -> float:
        energy = both(x)[twin]
        return float(energy.sparse - energy.dense)

    def difference(x: float) -> float:
        snn, qnn = both(x)
        return float(snn.total - qnn.total)

    knots = sorted(knots)
    for twin in (0, 1):
        knots = sorted({*knots, *_roots(partial(excess, twin), knots)})
    value = {x: difference(x) for x in knots}
    inner = [x for x in _roots(difference, knots) if _changes_sign(x, knots, value)]
    sides = [_cheaper(value[knot]) for knot in knots if value[knot] != 0] or ["neither"]
    return Breakeven(knots[0], knots[-1], tuple(inner), sides[0], sides[-1])


def _cheaper(difference: float) -> str:
    return "snn" if difference < 0 else "qnn"


def _changes_sign(x: float, knots: list[float], value: dict[float, float]) -> bool:
    """Return whether the difference has other signs on both sides of a root: a touch is no
    crossing.

    Of a stretch where the twins cost the same, the first point stands for all.
    """
    before = [knot for knot in knots if knot < x and value[knot] != 0]
    after = [value[knot] for knot in knots if knot > x and value[knot] != 0]
    if not before or not after or any(value[knot] == 0 for knot in knots if before[-1] < knot < x):
        return False
    return (value[before[-1]] < 0) != (after[0] < 0)


def _roots(line: Callable[[float], float], knots: list[float]) -> list[float]:
    """Return the roots of a function that is linear between consecutive knots, in order, each
    once.
    """
    found: list[float] = []
    for low, high in zip(knots, knots[1:]):
        left, right = line(low), line(high)
        if left == 0:
            found.append(low)
        elif right != 0 and (left < 0) != (right < 0):
            found.append(low + (high - low) * (left / (left - right)))
    if len(knots) > 1 and line(knots[-1]) == 0:
        found.append(knots[-1])
    return sorted(set(found))
