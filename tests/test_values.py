"""A digest is of what a value holds, written down once for every machine and every Python."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from enum import Enum

import numpy as np
import pytest

from simulator.values import Value, digest, frozen, remembered


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True, eq=False)
class Pair(Value):
    number: int
    array: np.ndarray
    others: tuple[np.ndarray, ...] = ()


# a value, the first 16 digits of its digest, worked out once with sha256 of the bytes in values.py
PINNED = [
    (None, "1b16b1df538ba12d"),
    (True, "7dc96f776c8423e5"),
    (-3, "3eadb58d02d3c212"),
    (2.5, "aba1facb383977a2"),
    ("µ", "1fc2e32dc21a65af"),
    ((1, "a"), "22ccfc515aa15474"),
    ({"b": 1, "a": None}, "99a51ee2213f4e97"),
    (np.array([[1, -2]], np.int16), "2293e42439da0bcf"),
]


@pytest.mark.parametrize(("value", "expected"), PINNED, ids=lambda value: str(value)[:20])
def test_a_digest_is_pinned(value: object, expected: str) -> None:
    assert expected == digest(value)[:16]


# values that must not be taken for each other
DIFFERENT = [
    None, False, 0, 0.0, "", (), {}, True, 1, 1.0, "1", (1,), ((1,),), {"a": 1}, {"a": 1.0},
    np.zeros(2, np.int8), np.zeros(2, np.int16), np.zeros((2, 1), np.int8), np.zeros(2, np.uint8),
    np.zeros(2, np.float64), ("ab", "c"), ("a", "bc"), (1, (2, 3)), (1, 2, 3),
]  # fmt: skip


def test_different_values_have_different_digests() -> None:
    assert len({digest(value) for value in DIFFERENT}) == len(DIFFERENT)


# values that are the same, however they are held
SAME = [
    (Colour.RED, "red"),
    ((1, 2), [1, 2]),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    (np.int32(7), 7),
    (np.arange(6, dtype=">i4"), np.arange(6, dtype="<i4")),
    (np.arange(6).reshape(2, 3).T, np.ascontiguousarray(np.arange(6).reshape(2, 3).T)),
    (np.broadcast_to(np.int64(3), 4), np.full(4, 3)),
    (Pair(1, np.arange(3)), Pair(1, np.arange(3))),
]


@pytest.mark.parametrize(("one", "other"), SAME, ids=lambda value: str(type(value)))
def test_the_same_values_have_the_same_digest(one: object, other: object) -> None:
    assert digest(one) == digest(other)


@pytest.mark.parametrize(
    "value", [object(), {1, 2}, np.array(["a"]), b"a"], ids=lambda value: type(value).__name__
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        digest(value)


def test_arrays_of_a_value_cannot_be_written_to() -> None:
    mine = np.arange(6)
    held = Pair(1, mine, (np.arange(2),))
    for array in (held.array, held.others[0], mine):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 7


def test_a_view_of_what_others_write_to_is_copied() -> None:
    mine = np.arange(6)
    held = frozen(mine[:3])
    mine[0] = 7
    assert held.tolist() == [0, 1, 2]


def test_two_values_are_never_equal_by_accident() -> None:
    one, other = Pair(1, np.arange(3)), Pair(1, np.arange(3))
    assert one != other
    assert one.digest() == other.digest() != Pair(2, np.arange(3)).digest()


def test_an_answer_is_remembered_for_the_value_it_was_asked_about() -> None:
    asked = []

    @remembered
    def plus(value: Pair, more: int) -> int:
        asked.append(more)
        return value.number + more

    one, other = Pair(1, np.zeros(2)), Pair(1, np.zeros(2))
    assert [3, 3, 4, 3] == [plus(one, 2), plus(one, 2), plus(one, 3), plus(other, 2)]
    assert [2, 3, 2] == asked
    assert [1 + k for k in range(20)] == [plus(one, k) for k in range(20)]
    assert 8 == max(len(kept) for kept in vars(one).values() if isinstance(kept, dict))
    assert "plus" not in str(pickle.loads(pickle.dumps(one)).__dict__)
