"""Points of a study, the front of a table, and what each axis moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sweeps import grid, written

from simulator.describe.axes import Axis, Choice, Range, listed
from simulator.describe.study_file import Study
from simulator.study.front import effect, front
from simulator.study.space import points


def dominated(values: np.ndarray) -> np.ndarray:
    """Return which rows are dominated, by comparing every two of them."""
    return np.array(
        [any((b <= a).all() and (b < a).any() for b in values) for a in values], bool
    ).reshape(len(values))


@given(
    st.integers(1, 4).flatmap(
        lambda k: arrays(
            float, st.tuples(st.integers(0, 40), st.just(k)), elements=st.integers(0, 6)
        )
    )
)
def test_the_front_is_what_brute_force_leaves(values):
    assert (~dominated(values)).tolist() == front(values).tolist()


def test_the_front_of_a_large_table_is_what_brute_force_leaves():
    values = np.random.default_rng(4).random((400, 3))
    assert (~dominated(values)).tolist() == front(values).tolist()


@pytest.fixture
def study(tmp_path):
    return Study.load(written(tmp_path, grid(4, 3)))


def numbers(name: str, *values: object) -> Axis:
    return listed(name, [Choice.of(name, value) for value in values])


def test_a_grid_has_every_combination_once_the_last_axis_fastest(study):
    found = [point.labels for point in points(study)]
    assert [(lanes, f"p{n}") for lanes in (1, 2, 3, 4) for n in range(3)] == found


def test_a_later_axis_has_the_last_word(study):
    axes = (numbers("core.synapse.lanes", 1), numbers("mode", "snn", "qnn"), listed(
        "kind", [Choice("wide", (("core.synapse.lanes", 9),))]))  # fmt: skip
    asked = [point.asked for point in points(replace(study, axes=axes))]
    assert [("snn", 9), ("qnn", 9)] == [(a["mode"], a["core.synapse.lanes"]) for a in asked]


# first, last, count, log, whole: the values of a grid
RANGES = [
    ((1, 64, 7, True, True), [1, 2, 4, 8, 16, 32, 64]),
    ((1, 3, 9, False, True), [1, 2, 3]),
    ((0, 1, 5, False, False), [0.0, 0.25, 0.5, 0.75, 1.0]),
    ((0.01, 1.0, 3, True, False), [0.01, 0.1, 1.0]),
]


@pytest.mark.parametrize(("given", "expected"), RANGES)
def test_a_range_on_a_grid(given, expected):
    assert expected == [choice.label for choice in Axis("a.b", (), Range(*given)).grid()]


def test_a_number_of_a_range_is_set_with_its_unit():
    (first, _) = Axis("a.b", (), Range(1, 5, 2, False, True, "cycles")).grid()
    assert (1, (("a.b", "1 cycles"),)) == (first.label, first.settings)


def test_random_points_are_different_and_the_same_for_a_seed(study):
    drawn = replace(study, method="random", points=9)
    found = [point.labels for point in points(drawn)]
    assert 9 == len(set(found)) and found == [point.labels for point in points(drawn)]
    assert found != [point.labels for point in points(replace(drawn, seed=1))]
    assert 12 == len(points(replace(drawn, points=50)))  # there are no more


@pytest.mark.parametrize("n", [4, 8, 20])
def test_a_latin_hypercube_has_one_point_in_each_part_of_every_axis(study, n):
    spread = Axis("x", (), Range(0, n, 2, False, False))
    axes = (
        spread,
        Axis("y", (), Range(0, n, 2, False, False)),
        numbers("core.synapse.lanes", *range(n)),
    )
    found = [
        p.labels for p in points(replace(study, axes=axes, method="latin-hypercube", points=n))
    ]
    for axis in range(3):
        assert list(range(n)) == sorted(int(labels[axis]) for labels in found)


def test_an_effect_is_the_mean_over_everything_else():
    values = np.array([1.0, 4.0, 2.0, 8.0])
    found = effect("lanes", [1, 1, 2, 2], "x", values)
    assert (("1", 2.0, 2), ("2", 4.0, 2)) == tuple(
        (label, round(mean, 12), n) for label, mean, n in found.groups
    )
    assert 2.0 == pytest.approx(found.ratio)
    signed = effect("lanes", [1, 1, 2, 2], "x", values - 4)
    assert (("1", -1.5, 2), ("2", 1.0, 2)) == signed.groups


def test_many_numbers_of_an_axis_are_gathered():
    found = effect("x", list(range(100)), "y", np.arange(100.0))
    assert ["0..12", "13..25"] == [label for label, _, _ in found.groups][:2]
    assert (8, 100) == (len(found.groups), sum(n for _, _, n in found.groups))
