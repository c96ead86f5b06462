"""The table of a study: a row per point, the front, what moves what, and the answer in words."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from simulator.describe.study_file import Study
from simulator.study.front import Effect, effect, front
from simulator.study.point import DONE, EXCLUDED, FAILED, Outcome, flat, judged
from simulator.study.space import Point
from simulator.units import show

#: values of an axis for which the best points are told one by one
MOST_DECISIONS = 12


@dataclass(frozen=True)
class Row:
    """One point of the table."""

    number: int
    labels: tuple[Any, ...]  # of each axis
    values: tuple[Any, ...]  # of each metric; None: there is none
    status: str  # done, excluded (by a constraint) or failed
    reason: str
    key: str  # names the point's folder
    seconds: float


def row(study: Study, point: Point, key: str, outcome: Outcome) -> Row:
    """Return the row of a point."""
    known = dict(flat(outcome.summary)) if outcome.summary else {}
    values = {name: _plain(known.get(name)) for name in study.metrics}
    status, reason = outcome.status, outcome.reason
    if status == DONE:
        wanted = dict.fromkeys(study.objectives, (None, None)) | study.constraints
        reason = judged(values, wanted)
        status = EXCLUDED if reason else DONE
    return Row(
        point.number, point.labels, tuple(values.values()), status, reason, key, outcome.seconds
    )


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


@dataclass(frozen=True)
class Decision:
    """The best point at each value of an axis, where they differ in more than that axis."""

    axis: str
    place: int  # of the axis among the labels
    objective: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class SweepResult:
    """All rows of a study, and what they say."""

    study: Study
    rows: tuple[Row, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of points.csv."""
        axes = tuple(axis.name for axis in self.study.axes)
        return ("point", *axes, *self.study.metrics, "status", "reason", "digest", "seconds")

    @staticmethod
    def cells(row: Row) -> tuple[Any, ...]:
        """Return a row of points.csv."""
        end = (row.status, row.reason, row.key, row.seconds)
        return (row.number, *row.labels, *row.values, *end)

    def metric(self, name: str) -> np.ndarray:
        """Return a metric of the points that are done, (n_done,) float64."""
        place = self.study.metrics.index(name)
        return np.array([float(row.values[place]) for row in self.done])

    @cached_property
    def done(self) -> tuple[Row, ...]:
        """Points that ran and keep every constraint."""
        return tuple(row for row in self.rows if row.status == DONE)

    @cached_property
    def front(self) -> tuple[Row, ...]:
        """The points no other one beats in every objective, the best in the first one first."""
        if not self.done:
            return ()
        towards = {"minimise": 1.0, "maximise": -1.0}
        values = np.array(
            [towards[goal] * self.metric(name) for name, goal in self.study.objectives.items()]
        ).T
        kept = np.flatnonzero(front(values))
        order = sorted(kept.tolist(), key=lambda n: (*values[n].tolist(), n))
        return tuple(self.done[n] for n in order)

    def best(self, objective: str) -> Row | None:
        """Return the best point for one objective, the first of several."""
        return _best(self.study, self.done, objective)

    @cached_property
    def effects(self) -> tuple[Effect, ...]:
        """The main effect of every axis on every objective, the largest first."""
        found = []
        for number, axis in enumerate(self.study.axes):
            labels = [row.labels[number] for row in self.done]
            if len(set(map(str, labels))) > 1:
                for name in self.study.objectives:
                    found.append(effect(axis.name, labels, name, self.metric(name)))
        return tuple(sorted(found, key=lambda each: -each.ratio))

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """Axes on whose value the best choice of the others depends, by the first objective."""
        found = []
        objective = next(iter(self.study.objectives))
        for number, axis in enumerate(self.study.axes):
            labels = list(dict.fromkeys(row.labels[number] for row in self.done))
            if not 1 < len(labels) <= MOST_DECISIONS or len(self.study.axes) < 2:
                continue
            best = [
                _best(self.study, [r for r in self.done if r.labels[number] == label], objective)
                for label in labels
            ]
            rows = tuple(row for row in best if row is not None)
            others = {tuple(x for n, x in enumerate(r.labels) if n != number) for r in rows}
            if len(others) > 1:
                found.append(Decision(axis.name, number, objective, rows))
        return tuple(found)

    def sentence(self) -> str:
        """Return the outcome in a few sentences."""
        n, study = len(self.rows), self.study
        lost = {
            status: sum(row.status == status for row in self.rows) for status in (EXCLUDED, FAILED)
        }
        parts = [f"{len(self.done)} of {n} points are done"]
        parts += [f"{lost[EXCLUDED]} break a constraint"] if lost[EXCLUDED] else []
        parts += [f"{lost[FAILED]} failed"] if lost[FAILED] else []
        said = [f"{', '.join(parts)}."]
        for name, goal in study.objectives.items():
            best = self.best(name)
            if best is None:
                continue
            value = shown(name, best.values[study.metrics.index(name)])
            at = self.described(best)
            word = "least" if goal == "minimise" else "largest"
            said.append(f"The {word} {name} is {value}, at point {best.number} ({at}).")
            mine = [each for each in self.effects if each.metric == name]
            if mine and mine[0].ratio > 1.005:
                top = mine[0]
                times = f"{top.ratio:.3g} times" if math.isfinite(top.ratio) else "most"
                said.append(
                    f"It depends most on {top.axis}: {times} between {top.least[0]} and "
                    f"{top.most[0]}{', on average over the other axes' * (len(study.axes) > 1)}."
                )
            elif self.effects:
                said.append("No axis moves it by more than 0.5 % on average.")
        if len(study.objectives) > 1 and self.front:
            n = len(self.front)
            said.append("One point is on the front." if n == 1 else f"{n} points are on the front.")
        return " ".join(said)

    def described(self, row: Row) -> str:
        """Return the axes of a point in words."""
        pairs = zip(self.study.axes, row.labels)
        return ", ".join(f"{axis.name} {label}" for axis, label in pairs) or "the only point"


def shown(metric: str, value: Any) -> str:
    """Return a metric for people, in the unit its name ends in."""
    if value is None:
        return "-"
    if isinstance(value, (bool, str)):
        return str(value)
    unit = unit_of(metric)
    if unit in ("J", "W", "s"):
        return show(float(value), unit)
    number = f"{value:,}" if isinstance(value, int) else f"{value:,.5g}"
    return f"{number} {unit}".rstrip()


def unit_of(metric: str) -> str:
    """Return the unit of a metric of summary.json, nothing for counts and shares."""
    for part in reversed(metric.split(".")):
        if part in ("seconds", "period_s"):
            return "s"
        for ending, unit in (("_js", "J·s"), ("_j", "J"), ("_w", "W"), ("cycles", "cycles")):
            if part.endswith(ending):
                return unit
    return ""


def _best(study: Study, rows: Iterable[Row], objective: str) -> Row | None:
    place, sign = study.metrics.index(objective), 1
    if study.objectives[objective] == "maximise":
        sign = -1
    done = [row for row in rows if row.status == DONE]
    return min(done, key=lambda row: (sign * row.values[place], row.number), default=None)


def best_so_far(study: Study, rows: Iterable[Row]) -> str:
    """Return the best value of the first objective, for a line of progress."""
    name = next(iter(study.objectives))
    best = _best(study, rows, name)
    return "" if best is None else f"best {shown(name, best.values[study.metrics.index(name)])}"
