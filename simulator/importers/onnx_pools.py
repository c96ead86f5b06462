"""Pooling of ONNX: the largest currents of fields, and sums over them."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from simulator.describe.network import Pool
from simulator.errors import InputError
from simulator.importers.onnx_file import Node
from simulator.importers.onnx_values import (
    Codes,
    Fed,
    Inputs,
    Reals,
    Sum,
    Term,
    Value,
    pair,
    reals_of,
    row_sums,
)
from simulator.importers.onnx_windows import Window, window


def max_pool(node: Node, inputs: Inputs) -> Value:
    """Read MaxPool: the largest current of each field, before it is made whole."""
    given = inputs[0]
    if len([name for name in node.outputs if name]) > 1:
        raise InputError(f"{node.name}: must not give indices")
    if isinstance(given, Codes):
        source = _pooled_source(given)
        frame = window(node, given, None)
        if source is None:
            raise InputError(
                f"{node.name}: must pool what was dequantised, or a convolution's codes"
            )
        return replace(given, source=_pool(node, source, frame), name=node.outputs[0], view=None)
    if isinstance(given, Sum):
        if not _is_one_image(given):
            raise InputError(f"{node.name}: must pool quantised reals or one convolution's sums")
        return _pool(node, given, window(node, given, None))
    reals = reals_of(node, given)
    frame = window(node, reals, None)
    source = _pooled_source(reals.codes)
    if source is not None:
        codes = replace(
            reals.codes, source=_pool(node, source, frame), name=node.outputs[0], view=None
        )
        return replace(reals, codes=codes, shape=codes.shape)
    one = Window(frame.channels, frame.sides, (1, 1), (1, 1), (0, 0), (1, 1))
    joined = one.connection(np.ones((frame.channels, 1, 1, 1), np.int32), 2, frame.channels)
    term = Term(reals.codes, reals.zero, joined, np.full(joined.n_out, reals.scale))
    pooled = _pool(node, Sum((term,), np.zeros(joined.n_out), joined.output_shape), frame)
    step, zero = np.array(reals.scale), np.array(reals.zero)
    codes = Codes(node.outputs[0], pooled, step, zero, reals.codes.least, reals.codes.most)
    return Reals(codes, reals.scale, reals.zero, codes.shape)


def _is_one_image(given: Sum) -> bool:
    if (
        len(given.terms) != 1
        or given.pool is not None
        or given.terms[0].connection.kind != ("convolution")
    ):
        return False
    term, channels = given.terms[0], given.currents[0]
    rows = given.bias.reshape(channels, -1)
    is_fed = isinstance(term.codes.source, Fed)
    shifts = not is_fed and term.codes.least != term.zero and any(pair(term.connection.padding))
    return bool((term.factor > 0).all() and (rows == rows[:, :1]).all() and not shifts)


def _pooled_source(codes: Codes) -> Sum | None:
    """Return the convolution under codes whose currents may be pooled instead, if there is one."""
    source = codes.source
    return source if isinstance(source, Sum) and _is_one_image(source) else None


def _pool(node: Node, given: Sum, frame: Window) -> Sum:
    size = frame.kernel[0]
    tiles = frame.kernel == frame.stride == (size, size) and not any(frame.padding)
    if not tiles or frame.dilation != (1, 1) or any(side % size for side in frame.sides):
        raise InputError(
            f"{node.name}: must pool square fields that tile the {frame.sides[0]}x{frame.sides[1]} "
            f"pixels, not {frame.kernel[0]}x{frame.kernel[1]} ones every {list(frame.stride)}"
        )
    if size == 1:
        return given
    if size > 64:
        raise InputError(f"{node.name}: must pool fields of at most 64x64, not {size}x{size}")
    return replace(given, pool=Pool("max", size))


def average_pool(node: Node, inputs: Inputs) -> Value:
    """Read AveragePool and GlobalAveragePool: sums over fields, and what they are divided by."""
    given = reals_of(node, inputs[0])
    if len(given.shape) < 2:
        raise InputError(f"{node.name}: must pool an image, not {list(given.shape)}")
    sides = None
    if node.kind == "GlobalAveragePool":
        sides = given.shape[1:] if len(given.shape) == 3 else (1, given.shape[1])
    frame = window(node, given, sides)
    weight = np.ones((frame.channels, 1, *frame.kernel), np.int32)
    joined = frame.connection(weight, 2, frame.channels)
    area = np.full(joined.n_out, float(prod(frame.kernel)))
    if any(frame.padding) and not node.integer("count_include_pad", 0):
        area = row_sums(joined)
    term = Term(given.codes, given.zero, joined, given.scale / area)
    return Sum((term,), np.zeros(joined.n_out), joined.output_shape)
