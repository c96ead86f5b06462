"""The tables of component costs: met at their points, left out within the error they state, and
never left.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from simulator.describe.components.tables import Table, described, table
from simulator.errors import InputError

FOLDER = Path(__file__).parents[2] / "chips" / "components"
NAMES = sorted(described().tables)
COLUMNS = [(name, column) for name in NAMES for column in described().tables[name].columns]


def written(name: str) -> list[dict[str, str]]:
    with open(FOLDER / described().tables[name].file, newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name, column", COLUMNS)
def test_a_table_is_met_at_its_points_exactly(name: str, column: str) -> None:
    rule, found = described().tables[name], table(name)
    for row in written(name):
        labels = tuple(row[label] for label in rule.labels)
        reading = found.read(labels, tuple(float(row[axis]) for axis in rule.axes), column)
        assert (float(row[column]), 0.0) == (reading.value, reading.error)


def left_out(found: Table, column: str, axis: int) -> list[float]:
    """Return how far every inner point lies from the line, in log-log, through its neighbours."""
    errors = []
    for labels, rows in found.rows.items():
        values = found.values[labels][axis]
        for place, row in rows.items():
            at = values.index(place[axis])
            if not 0 < at < len(values) - 1:
                continue
            low, high = values[at - 1], values[at + 1]
            ends = [rows.get((*place[:axis], end, *place[axis + 1 :])) for end in (low, high)]
            if None in ends:
                continue
            share = math.log(place[axis] / low) / math.log(high / low)
            first, last = (math.log(end[column]) for end in ends if end)
            errors.append(abs(math.exp(first + (last - first) * share) / row[column] - 1))
    return sorted(errors)


@pytest.mark.parametrize("name, column", COLUMNS)
def test_what_is_stated_of_points_left_out_is_what_is_found(name: str, column: str) -> None:
    rule, found = described().tables[name], table(name)
    for axis, key in enumerate(rule.axes):
        errors = left_out(found, column, axis)
        measured = errors[int(0.95 * len(errors))]
        stated = rule.columns[column].left_out.get(key, 0.0)
        assert stated - 0.015 <= measured <= stated + 5e-4, f"{key}: {measured}"


# worked out by hand: the square root of two neighbours, halfway between them in log
def test_between_two_points_the_line_is_straight_in_logarithms() -> None:
    found, labels = table("sram"), ("22", "itrs-lstp")
    ends = [found.read(labels, (size, 64), "read_pJ").value for size in (4096, 8192)]
    between = found.read(labels, (4096 * math.sqrt(2), 64), "read_pJ")
    assert math.sqrt(ends[0] * ends[1]) == pytest.approx(between.value, rel=1e-12)
    assert 0.25 == pytest.approx(between.error)


def test_between_four_points_the_errors_of_both_axes_add_up() -> None:
    found = table("sram").read(("22", "itrs-lstp"), (5000, 48), "read_pJ")
    assert 1.25 * 1.23 - 1 == pytest.approx(found.error)


# labels, place, what is said
BEYOND = [
    (("22", "itrs-lstp"), (32, 8), "size_bytes must be 64 to 1.04858e+06, not 32"),
    (("22", "itrs-lstp"), (65536, 512), "word_bits must be 8 to 256, not 512"),
    (("22", "itrs-lstp"), (64, 256), "has a hole at (64, 256)"),
    (("16", "itrs-lstp"), (65536, 64), "has no rows for 16 itrs-lstp"),
]


@pytest.mark.parametrize("labels, place, said", BEYOND)
def test_nothing_is_read_beyond_a_table(labels, place, said) -> None:
    with pytest.raises(InputError) as error:
        table("sram").read(labels, place, "read_pJ")
    assert said in str(error.value)


def test_every_file_of_the_folder_is_described_and_small() -> None:
    files = sorted(path.name for path in FOLDER.iterdir())
    page = (FOLDER / "README.md").read_text()
    assert [] == [name for name in files if name != "README.md" and f"`{name}`" not in page]
    assert all(path.stat().st_size <= 1_000_000 for path in FOLDER.iterdir())
