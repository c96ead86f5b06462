"""Axes of a study: which values a key takes, on a grid and between."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

#: words of a study that may be an axis beside the keys of chips and workloads
BESIDE = (
    "workload", "chip", "corner", "mode", "timesteps", "limit", "mapping",
    "frame_rate", "duty", "policy", "frames",
)  # fmt: skip
MOST_VALUES = 10_000


@dataclass(frozen=True)
class Choice:
    """One value of an axis: what the table shows, and the keys it sets."""

    label: Any  # a text, a whole number, a float or a boolean
    settings: tuple[tuple[str, Any], ...]

    @classmethod
    def of(cls, key: str, value: Any) -> Choice:
        """Return the choice of one value of one key."""
        plain = value if isinstance(value, (str, int, float)) else json.dumps(value)
        return cls(plain, ((key, value),))


@dataclass(frozen=True)
class Range:
    """Numbers from one to another, both included."""

    first: int | float
    last: int | float
    count: int  # of a grid
    is_log: bool
    is_whole: bool
    unit: str = ""

    def at(self, share: float) -> int | float:
        """Return the number at a share 0..1 of the range."""
        if self.is_log:
            number = self.first * (self.last / self.first) ** share
        else:
            number = self.first + (self.last - self.first) * share
        return round(number) if self.is_whole else float(f"{number:.6g}")


@dataclass(frozen=True)
class Axis:
    """A name and its choices, or a range of numbers."""

    name: str
    choices: tuple[Choice, ...]
    range: Range | None = None

    def grid(self) -> tuple[Choice, ...]:
        """Return the choices of a grid; whole numbers of a narrow range come once each."""
        if self.range is None:
            return self.choices
        last = self.range.count - 1
        numbers = dict.fromkeys(self.range.at(n / last) for n in range(last + 1))
        return tuple(self.choose(number) for number in numbers)

    def between(self, share: float) -> Choice:
        """Return the choice at a share of the axis, 0 included, 1 not: equal shares for each of
        several choices, and for each whole number of a linear range.
        """
        if self.range is None:
            return self.choices[int(share * len(self.choices))]
        if self.range.is_whole and not self.range.is_log:
            first, last = int(self.range.first), int(self.range.last)
            return self.choose(first + int(share * (last - first + 1)))
        return self.choose(self.range.at(share))

    def choose(self, number: int | float) -> Choice:
        """Return the choice of one number of a range."""
        assert self.range is not None
        written = f"{number} {self.range.unit}" if self.range.unit else number
        return Choice(number, ((self.name, written),))


def listed(name: str, choices: Sequence[Choice]) -> Axis:
    """Return an axis of some choices."""
    return Axis(name, tuple(choices))
