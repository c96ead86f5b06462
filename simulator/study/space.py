"""The points of a study: a grid, or samples of its axes; the same ones in every process."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.describe.axes import Axis, Choice
from simulator.describe.study_file import Study
from simulator.errors import InputError


@dataclass(frozen=True)
class Point:
    """One point: its number in the table, the label of every axis, and everything it is asked
    with.
    """

    number: int
    labels: tuple[Any, ...]
    asked: dict[str, Any]


def point(study: Study, number: int, choices: Sequence[Choice]) -> Point:
    """Return the point of some choices, one per axis; a later axis has the last word."""
    asked = dict(study.base)
    for choice in choices:
        asked.update(choice.settings)
    return Point(number, tuple(choice.label for choice in choices), asked)


def points(study: Study) -> list[Point]:
    """Return the points of a study that does not learn from its results, without repeating one."""
    if study.method == "grid":
        rows: Iterator[Sequence[Choice]] = itertools.product(*(axis.grid() for axis in study.axes))
    elif study.method == "random":
        rows = _drawn(study)
    elif study.method == "latin-hypercube":
        rows = _hypercube(study)
    else:
        raise InputError(f"method: must be one that does not learn, not {study.method!r}")
    found: dict[tuple[Any, ...], Sequence[Choice]] = {}
    for choices in rows:
        found.setdefault(tuple(str(choice.label) for choice in choices), choices)
        if study.points is not None and len(found) == study.points:
            break
    return [point(study, number, choices) for number, choices in enumerate(found.values())]


def n_different(axes: Sequence[Axis]) -> float:
    """Return how many points there are to choose from, infinite where an axis is continuous."""
    n = 1.0
    for axis in axes:
        spread = axis.range
        if spread is None:
            n *= len(axis.choices)
        else:
            n *= spread.last - spread.first + 1 if spread.is_whole else np.inf
    return n


def _drawn(study: Study) -> Iterator[list[Choice]]:
    """Yield random points, for as long as there may be new ones."""
    rng = np.random.Generator(np.random.PCG64(study.seed))
    assert study.points is not None
    for _ in range(100 * study.points):
        shares = rng.random(len(study.axes))
        yield [axis.between(float(share)) for axis, share in zip(study.axes, shares)]


def _hypercube(study: Study) -> Iterator[list[Choice]]:
    """Yield a Latin hypercube: each axis is cut into as many equal parts as there are points, and
    has one point in each.
    """
    rng = np.random.Generator(np.random.PCG64(study.seed))
    n = study.points
    assert n is not None
    shares = [(rng.permutation(n) + rng.random(n)) / n for _ in study.axes]
    for number in range(n):
        yield [axis.between(float(mine[number])) for axis, mine in zip(study.axes, shares)]
