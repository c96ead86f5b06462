"""Tables of component costs over their sizes (chips/components/): exact at their points, straight
in log-log between them, and nothing beyond them.
"""

from __future__ import annotations

import csv
import math
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from simulator.describe import library
from simulator.describe.documents import Description, Document
from simulator.errors import InputError

#: what describes the tables beside them
FILE = "tables.yaml"
Share = Annotated[float, Field(ge=0.0, le=2.0)]


class ColumnRule(Description):
    """What is known of one column: the band of the tool against silicon, and how far a point left
    out lies beside the line through its neighbours (95 % of them), by axis.
    """

    band: Annotated[list[float], Field(min_length=2, max_length=2)]
    left_out: dict[str, Share]


class TableRule(Description):
    """One file: what it was made with, which columns are labels and which are axes."""

    file: str
    source: str = Field(min_length=1)
    short: str = Field(min_length=1)  # the source as constants quote it
    labels: list[str]
    axes: list[str]
    band_source: str = Field(min_length=1)
    columns: dict[str, ColumnRule]


class Figure(Description):
    """A number of another chip, carried over by a rule that its source states."""

    value: float
    low: float
    high: float
    node: float
    voltage: float
    unit: str
    source: str = Field(min_length=1)


class Tables(Description):
    """The content of tables.yaml."""

    schema_version: Literal[1]
    tables: dict[str, TableRule]
    figures: dict[str, Figure]


@dataclass(frozen=True)
class Reading:
    """A number read off a table, in the table's unit, and the share by which it may be wrong for
    lying between points.
    """

    value: float
    error: float

    def times(self, factor: float) -> Reading:
        """Return the reading scaled."""
        return Reading(self.value * factor, self.error)


class Table:
    """One table: rows by labels (equal or nothing) and axes (between neighbours)."""

    def __init__(self, name: str, rule: TableRule, folder: Path) -> None:
        """Read the file; raises InputError where a row is given twice."""
        self.name, self.rule = name, rule
        self.rows: dict[tuple[str, ...], dict[tuple[float, ...], dict[str, float]]] = {}
        with open(folder / rule.file, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                labels = tuple(row[label] for label in rule.labels)
                place = tuple(float(row[axis]) for axis in rule.axes)
                rows = self.rows.setdefault(labels, {})
                if place in rows:
                    raise InputError(f"{rule.file}: {labels} {place}: must be given once")
                rows[place] = {column: float(row[column]) for column in (*rule.columns, "vdd_V")}
        self.values = {
            labels: [sorted({place[k] for place in rows}) for k in range(len(rule.axes))]
            for labels, rows in self.rows.items()
        }

    def nodes(self) -> list[str]:
        """Return the technology nodes there are rows for, as written."""
        column = self.rule.labels.index("node_nm")
        return sorted({labels[column] for labels in self.rows}, key=float)

    def voltage(self, labels: tuple[str, ...]) -> float:
        """Return the supply the rows of these labels hold for, in volts."""
        return next(iter(self.rows[labels].values()))["vdd_V"]

    def corners(
        self, labels: tuple[str, ...], place: tuple[float, ...]
    ) -> list[list[tuple[float, float]]]:
        """Return, per axis, the neighbours of a place as (value, weight); raises InputError beyond
        the table.
        """
        found = []
        for axis, values, at in zip(self.rule.axes, self.values[labels], place):
            if not values[0] <= at <= values[-1]:
                raise InputError(
                    f"{self.name} table: {axis} must be {values[0]:g} to {values[-1]:g}, not {at:g}"
                )
            right = bisect_left(values, at)
            if values[right] == at:
                found.append([(at, 1.0)])
                continue
            low, high = values[right - 1], values[right]
            share = math.log(at / low) / math.log(high / low)
            found.append([(low, 1 - share), (high, share)])
        return found

    def read(self, labels: tuple[str, ...], place: tuple[float, ...], column: str) -> Reading:
        """Return a column at a place; raises InputError where the table has no such labels, ends,
        or has a hole.
        """
        if labels not in self.rows:
            raise InputError(f"{self.name} table: has no rows for {' '.join(labels)}")
        corners = self.corners(labels, place)
        logarithm = 0.0
        for corner in product(*corners):
            row = self.rows[labels].get(tuple(at for at, _ in corner))
            if row is None:
                raise InputError(f"{self.name} table: has a hole at {place}")
            weight = math.prod(share for _, share in corner)
            if weight == 1.0:
                return Reading(row[column], 0.0)
            logarithm += weight * math.log(row[column])
        errors = self.rule.columns[column].left_out
        wrong = math.prod(
            1 + errors.get(axis, 0.0)
            for axis, neighbours in zip(self.rule.axes, corners)
            if len(neighbours) > 1
        )
        return Reading(math.exp(logarithm), wrong - 1)

    def has(self, labels: tuple[str, ...], place: tuple[float, ...]) -> bool:
        """Return whether the table has every row a place within its range is read from."""
        corners = self.corners(labels, place)
        return all(
            tuple(at for at, _ in corner) in self.rows[labels] for corner in product(*corners)
        )


@cache
def described() -> Tables:
    """Return what is said of the shipped tables; raises DescriptionError with all faults."""
    document = Document(_folder() / FILE)
    found = document.validate(Tables)
    document.refuse()
    assert found is not None
    return found


@cache
def table(name: str) -> Table:
    """Return a shipped table, read once."""
    return Table(name, described().tables[name], _folder())


def figure(name: str) -> Figure:
    """Return a number of another chip that components are scaled from."""
    return described().figures[name]


def _folder() -> Path:
    return library.folder("chip") / "components"
