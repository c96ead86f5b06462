"""Operators of ONNX that only move numbers: shapes, transposes, constants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod

import numpy as np

from simulator.errors import InputError
from simulator.importers.onnx_file import Node, Tensor
from simulator.importers.onnx_values import (
    Codes,
    Constant,
    Inputs,
    Reals,
    Shape,
    Sum,
    Value,
    neurons_of,
)


def seen_as(node: Node, given: Value, shape: Shape) -> Value:
    """Return the same values seen in another shape."""
    if isinstance(given, Constant) or prod(shape) != prod(given.shape):
        raise InputError(f"{node.name}: must keep {list(getattr(given, 'shape', ()))}, not {shape}")
    if isinstance(given, Reals):
        return replace(given, shape=shape)
    if isinstance(given, (Codes, Sum)):
        return replace(given, view=shape)
    return replace(given, shape=shape)


def flatten(node: Node, inputs: Inputs) -> Value:
    """Read Flatten."""
    given = inputs[0]
    if given is None or isinstance(given, Constant) or node.integer("axis", 1) != 1:
        raise InputError(f"{node.name}: must flatten what flows behind its first axis")
    return seen_as(node, given, (neurons_of(node.name, given.shape),))


def reshape(node: Node, inputs: Inputs) -> Value:
    """Read Reshape, of constants, or of what flows where no inference is mixed with another."""
    given, target = inputs[0], inputs[1]
    if not isinstance(target, Constant) or target.value.ndim != 1 or target.value.size > 8:
        raise InputError(f"{node.name}: its shape must be a constant")
    sides = [int(side) for side in target.value]
    if isinstance(given, Constant):
        return moved(given, lambda array: array.reshape(sides))
    assert given is not None
    n = prod(given.shape)
    behind = sides[1:]
    if len(sides) >= 2 and sides[0] in (-1, 0, 1):
        behind = [
            given.shape[place] if side == 0 and place < len(given.shape) else side
            for place, side in enumerate(behind)
        ]
        if behind.count(-1) == 1 and sides[0] != -1:
            known = -prod(behind)
            behind = [n // known if side == -1 and known else side for side in behind]
        if behind and min(behind) > 0 and prod(behind) == n and len(behind) <= 3:
            return seen_as(node, given, tuple(behind))
    raise InputError(
        f"{node.name}: must reshape {list(given.shape)} of each inference, not to {sides}"
    )


def transpose(node: Node, inputs: Inputs) -> Value:
    """Read Transpose of a constant."""
    given = inputs[0]
    if not isinstance(given, Constant):
        raise InputError(f"{node.name}: must transpose constants only")
    order = node.integers("perm", range(given.value.ndim)[::-1])
    return moved(given, lambda array: array.transpose(order))


def constant(node: Node, inputs: Inputs) -> Value:
    """Read Constant."""
    given = node.attributes.get("value")
    if isinstance(given, Tensor):
        return Constant(given.value, given.kind)
    for name, kind in (
        ("value_int", "int64"),
        ("value_ints", "int64"),
        ("value_float", "float"),
        ("value_floats", "float"),
    ):
        if node.attributes.get(name) is not None:
            return Constant(np.array(node.attributes[name]), kind)
    raise InputError(f"{node.name}: must hold numbers")


def same(node: Node, inputs: Inputs) -> Value:
    """Read Identity and Dropout, which change nothing at inference."""
    if inputs[0] is None:
        raise InputError(f"{node.name}: must have an input")
    return inputs[0]


def moved(given: Constant, how: Callable[[np.ndarray], np.ndarray]) -> Constant:
    """Return a constant with its elements in another place, its codes and steps too."""
    try:
        codes = None if given.codes is None else how(given.codes)
        step = None if given.step is None else how(given.step)
        return replace(given, value=how(given.value), codes=codes, step=step)
    except (ValueError, IndexError, TypeError) as error:
        raise InputError(
            f"a constant of shape {list(given.value.shape)} cannot be moved so"
        ) from error
