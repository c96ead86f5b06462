"""What a table of points says: which are not dominated, and which axis moves what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

#: values of an axis that are told apart; more numbers are gathered into as many groups
MOST_GROUPS = 8


def front(values: np.ndarray) -> np.ndarray:
    """Return which rows no other row dominates, (n,) bool.

    values: (n, objectives) float64, smaller is better.  A row dominates another that is nowhere
    better and somewhere worse; equal rows are all kept.
    """
    n = len(values)
    kept = np.zeros(n, bool)
    order = np.lexsort(values.T[::-1])  # whoever dominates a row stands before it
    chosen = np.empty_like(values)
    count = 0
    for row in order:
        mine = values[row]
        rivals = chosen[:count]
        if not ((rivals <= mine).all(axis=1) & (rivals < mine).any(axis=1)).any():
            chosen[count], kept[row] = mine, True
            count += 1
    return kept


@dataclass(frozen=True)
class Effect:
    """How a metric goes with one axis: its mean at every value of the axis, over all else."""

    axis: str
    metric: str
    groups: tuple[tuple[str, float, int], ...]  # label, mean, points

    @property
    def least(self) -> tuple[str, float, int]:
        """The group with the smallest mean."""
        return min(self.groups, key=lambda group: group[1])

    @property
    def most(self) -> tuple[str, float, int]:
        """The group with the largest mean."""
        return max(self.groups, key=lambda group: group[1])

    @property
    def ratio(self) -> float:
        """The largest mean over the smallest; 1 where there is nothing to tell apart."""
        low, high = self.least[1], self.most[1]
        return 1.0 if high == low else high / low if low > 0 else float("inf")


def effect(axis: str, labels: Sequence[Any], metric: str, values: np.ndarray) -> Effect:
    """Return the main effect of an axis; labels and values: one per point.

    Means are geometric where all values are positive, so that doubling counts alike everywhere.
    """
    names = list(dict.fromkeys(labels))
    is_number = all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in names)
    if is_number:
        names.sort()
    if is_number and len(names) > MOST_GROUPS:
        parts = [list(part) for part in np.array_split(np.array(names, object), MOST_GROUPS)]
    else:
        parts = [[name] for name in names]
    is_positive = bool((values > 0).all())
    groups = []
    for part in parts:
        mine = values[[label in part for label in labels]]
        mean = float(np.exp(np.log(mine).mean())) if is_positive else float(mine.mean())
        label = str(part[0]) if len(part) == 1 else f"{part[0]}..{part[-1]}"
        groups.append((label, mean, len(mine)))
    return Effect(axis, metric, tuple(groups))
