"""Operators of ONNX between quantisers: sums of weights and codes, pooling, shapes, constants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf, prod

import numpy as np

from simulator.describe.connections import Connection
from simulator.errors import InputError
from simulator.importers import onnx_pools as pools
from simulator.importers import onnx_quantisers as quantisers
from simulator.importers import onnx_shapes as shapes
from simulator.importers.onnx_file import Node
from simulator.importers.onnx_values import (
    Codes,
    Constant,
    Fed,
    Inputs,
    Reals,
    Sum,
    Term,
    Value,
    as_sum,
    pair,
    per_current,
    reals_of,
)
from simulator.importers.onnx_windows import window

#: bits a weight may have
MOST_WEIGHT = 1 << 15


def _weights(node: Node, given: Value | None) -> Constant:
    if not isinstance(given, Constant):
        raise InputError(f"{node.name}: its weights must be constants")
    if given.codes is None:
        raise InputError(
            f"{node.name}: its weights must be quantised, not plain floats: export the model with "
            f"QuantizeLinear and DequantizeLinear (QDQ), or Quant of QONNX"
        )
    if given.codes.size and abs(given.codes).max() >= MOST_WEIGHT:
        raise InputError(f"{node.name}: its weights must have at most 16 bits")
    return given


def _bits(weights: Constant) -> int:
    assert weights.codes is not None
    low, high = int(weights.codes.min(initial=0)), int(weights.codes.max(initial=0))
    needed = max((-low - 1).bit_length() if low < 0 else 0, high.bit_length()) + 1
    if weights.bits == 1 and set(np.unique(weights.codes)) <= {-1, 1}:
        return 1
    return max(2, min(16, max(needed, weights.bits)))


def _steps(node: Node, steps: np.ndarray, axis: int) -> np.ndarray:
    """Return one step for each output along an axis; raises InputError where they differ."""
    rows = np.moveaxis(steps, axis, 0).reshape(steps.shape[axis], -1)
    if rows.size and (rows != rows[:, :1]).any():
        raise InputError(f"{node.name}: its weights must have one scale, or one for each output")
    return rows[:, 0]


def _bias(node: Node, given: Value | None, n: int) -> np.ndarray:
    if given is None:
        return np.zeros(n)
    if not isinstance(given, Constant) or given.value.size not in (1, n):
        raise InputError(f"{node.name}: its bias must be {n} constants")
    found = np.broadcast_to(given.value.astype(np.float64).reshape(-1), (n,))
    if not np.isfinite(found).all():
        raise InputError(f"{node.name}: its bias must be finite")
    return found.copy()


def conv(node: Node, inputs: Inputs) -> Value:
    """Read Conv."""
    given, weights = reals_of(node, inputs[0]), _weights(node, inputs[1])
    assert weights.codes is not None and weights.step is not None
    codes, steps = weights.codes, weights.step
    if codes.ndim == 3:
        codes, steps = codes[:, :, None, :], steps[:, :, None, :]
    if codes.ndim != 4 or not codes.size:
        raise InputError(f"{node.name}: its weights must be (out, in, height, width)")
    frame = window(node, given, codes.shape[2:])
    groups, channels = node.integer("group", 1), codes.shape[0]
    if groups < 1 or frame.channels != codes.shape[1] * groups or channels % groups:
        raise InputError(
            f"{node.name}: its weights {list(codes.shape)} in {groups} groups must fit the "
            f"{frame.channels} channels they read"
        )
    joined = frame.connection(codes.astype(np.int32), _bits(weights), groups)
    pixels = joined.n_out // channels
    factor = np.repeat(_steps(node, steps, 0) * given.scale, pixels)
    bias = np.repeat(_bias(node, inputs[2] if len(inputs) > 2 else None, channels), pixels)
    term = Term(given.codes, given.zero, joined, factor)
    return Sum((term,), bias, joined.output_shape)


def _dense(node: Node, given: Value | None, weights: Constant, bias: np.ndarray) -> Sum:
    """Return the sum of weights (inputs, outputs)."""
    if isinstance(given, Sum):
        given, weights = _through_pool(node, given, weights)
    reals = reals_of(node, given)
    assert weights.codes is not None and weights.step is not None
    if weights.codes.ndim != 2 or len(reals.shape) != 1:
        raise InputError(
            f"{node.name}: must multiply {list(reals.shape)} by a matrix, not by "
            f"{list(weights.codes.shape)}"
        )
    n_in, n_out = weights.codes.shape
    if n_in != prod(reals.shape) or not n_out:
        raise InputError(
            f"{node.name}: must have weights for {prod(reals.shape)} inputs, not {n_in}"
        )
    joined = Connection(
        "dense", weights.codes.astype(np.int32), _bits(weights), reals.codes.neurons, (n_out,)
    )
    term = Term(reals.codes, reals.zero, joined, _steps(node, weights.step, 1) * reals.scale)
    return Sum((term,), bias, (n_out,))


def _through_pool(node: Node, given: Sum, weights: Constant) -> tuple[Reals, Constant]:
    """Return the codes under an average over whole images, and weights that take the average."""
    term = given.terms[0]
    joined = term.connection
    whole = joined.kind == "convolution" and joined.output_shape[1:] == (1, 1)
    if not (whole and len(given.terms) == 1 and given.is_plain and not given.bias.any()):
        raise InputError(f"{node.name}: its input must be quantised reals, not a sum that was not")
    if joined.weight.shape[1] != 1 or (joined.weight != 1).any() or any(pair(joined.padding)):
        raise InputError(f"{node.name}: its input must be quantised reals, not a sum that was not")
    assert weights.codes is not None and weights.step is not None
    area = prod(joined.input_shape[1:])
    if weights.codes.shape[:1] != (joined.input_shape[0],):
        raise InputError(f"{node.name}: must have weights for {joined.input_shape[0]} channels")
    scale = float(term.factor[0])
    spread = replace(
        weights, codes=np.repeat(weights.codes, area, 0), step=np.repeat(weights.step, area, 0)
    )
    return Reals(term.codes, scale, term.zero, (joined.n_in,)), spread


def gemm(node: Node, inputs: Inputs) -> Value:
    """Read Gemm."""
    if node.integer("transA", 0):
        raise InputError(f"{node.name}: must not transpose its first input")
    weights = _weights(node, inputs[1])
    if node.integer("transB", 0):
        weights = shapes.moved(weights, lambda array: array.T)
    alpha, beta = node.number("alpha", 1.0), node.number("beta", 1.0)
    assert weights.codes is not None
    n = weights.codes.shape[-1] if weights.codes.ndim == 2 else 1
    bias = beta * _bias(node, inputs[2] if len(inputs) > 2 else None, n)
    found = _dense(node, inputs[0], weights, np.zeros(n))
    return found.affine(np.full(n, alpha), bias)


def matmul(node: Node, inputs: Inputs) -> Value:
    """Read MatMul."""
    weights = _weights(node, inputs[1])
    assert weights.codes is not None
    return _dense(node, inputs[0], weights, np.zeros(weights.codes.shape[-1]))


def add(node: Node, inputs: Inputs) -> Value:
    """Read Add of two tensors, or of one and a constant."""
    if any(isinstance(given, Constant) for given in inputs):
        return _with_constant(node, inputs, lambda a, c: (np.ones_like(c), c))
    parts = [as_sum(given) if isinstance(given, Reals) else given for given in inputs]
    left, right = parts
    if not isinstance(left, Sum) or not isinstance(right, Sum):
        raise InputError(f"{node.name}: must add quantised reals or sums of them")
    if not (left.is_plain and right.is_plain):
        raise InputError(f"{node.name}: must add what is quantised after it was pooled or clipped")
    if left.currents != right.currents:
        raise InputError(
            f"{node.name}: must add tensors of one shape, not {list(left.currents)} and "
            f"{list(right.currents)}"
        )
    return replace(left, terms=(*left.terms, *right.terms), bias=left.bias + right.bias)


def _with_constant(
    node: Node,
    inputs: Inputs,
    how: Callable[[bool, np.ndarray], tuple[np.ndarray, np.ndarray]],
) -> Value:
    """Return factor * tensor + offset, where how(constant is first, constant) -> both."""
    first = isinstance(inputs[0], Constant)
    constant, given = (inputs[0], inputs[1]) if first else (inputs[1], inputs[0])
    assert isinstance(constant, Constant)
    if isinstance(given, Constant):
        raise InputError(f"{node.name}: must not compute with constants alone in these shapes")
    if isinstance(given, Reals):
        given = as_sum(given)
    if not isinstance(given, Sum) or not given.is_plain:
        raise InputError(f"{node.name}: must take quantised reals or a sum of them")
    return given.affine(*how(first, per_current(node.name, constant.value, given.currents)))


def _elementwise(kind: str) -> Callable[[Node, Inputs], Value]:
    numpy_of: dict[str, Callable[..., np.ndarray]] = {
        "Add": np.add,
        "Sub": np.subtract,
        "Mul": np.multiply,
        "Div": np.divide,
    }

    def parts(first: bool, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        zero, one = np.zeros_like(c), np.ones_like(c)
        if kind == "Sub":
            return (-one, c) if first else (one, -c)
        if kind == "Mul":
            return c, zero
        if first or not c.all():
            raise InputError("must divide by constants other than 0")
        return 1 / c, zero

    def read(node: Node, inputs: Inputs) -> Value:
        if len(inputs) == 2 and all(isinstance(given, Constant) for given in inputs):
            left, right = inputs
            assert isinstance(left, Constant) and isinstance(right, Constant)
            try:
                with np.errstate(all="ignore"):
                    value = numpy_of[kind](left.value, right.value)
            except ValueError as error:
                raise InputError(f"{node.name}: must have constants of one shape") from error
            whole = left.kind.startswith(("int", "uint"))
            return Constant(value.astype(np.int64) if whole else value, left.kind)
        if kind == "Add":
            return add(node, inputs)
        if not any(isinstance(given, Constant) for given in inputs):
            raise InputError(f"{node.name}: must take a constant beside what flows")
        try:
            return _with_constant(node, inputs, parts)
        except InputError as error:
            raise (
                error if str(error).startswith("node") else InputError(f"{node.name}: {error}")
            ) from error

    return read


def batch_normalization(node: Node, inputs: Inputs) -> Value:
    """Read BatchNormalization, folded into the sum before it."""
    given = as_sum(inputs[0]) if isinstance(inputs[0], Reals) else inputs[0]
    if not isinstance(given, Sum) or not given.is_plain or node.integer("training_mode", 0):
        raise InputError(f"{node.name}: must follow a sum or quantised reals, and not be training")
    channels = given.currents[0]
    gamma, beta, mean, variance = (_bias(node, one, channels) for one in inputs[1:5])
    with np.errstate(all="ignore"):
        factor = gamma / np.sqrt(variance + node.number("epsilon", 1e-5))
    if not np.isfinite(factor).all() or not factor.all():
        raise InputError(f"{node.name}: must have factors that are finite and not 0")
    pixels = given.bias.size // channels
    offset = np.repeat(beta - mean * factor, pixels)
    return given.affine(np.repeat(factor, pixels), offset)


def relu(node: Node, inputs: Inputs) -> Value:
    """Read Relu."""
    return _clipped(node, inputs[0], 0.0, inf)


def clip(node: Node, inputs: Inputs) -> Value:
    """Read Clip, of reals or of codes (QCDQ)."""
    low, high = (
        node.number(name, default)
        if name in node.attributes
        else quantisers.one(node, inputs[place], name)
        if len(inputs) > place and inputs[place] is not None
        else default
        for place, name, default in ((1, "min", -inf), (2, "max", inf))
    )
    if low > high:
        raise InputError(f"{node.name}: must clip to a range, not to {low:g}..{high:g}")
    given = inputs[0]
    if isinstance(given, Constant):
        if given.codes is not None:
            raise InputError(f"{node.name}: must clip constants before they are dequantised")
        span = int(high - low).bit_length() if abs(low) < 2**32 and abs(high) < 2**32 else 0
        is_whole = given.kind.startswith(("int", "uint"))
        value = np.clip(given.value, low, high)
        return Constant(
            value.astype(np.int64) if is_whole else value, given.kind, bits=span if is_whole else 0
        )
    return _clipped(node, given, low, high)


def _clipped(node: Node, given: Value | None, low: float, high: float) -> Value:
    if isinstance(given, Codes):
        return replace(given.clipped(low, high), name=node.outputs[0])
    if isinstance(given, Reals):
        if isinstance(given.codes.source, Fed):
            given = as_sum(given)
        else:
            least, most = low / given.scale + given.zero, high / given.scale + given.zero
            return replace(given, codes=given.codes.clipped(np.rint(least), np.rint(most)))
    if not isinstance(given, Sum):
        raise InputError(f"{node.name}: must clip codes, quantised reals or a sum of them")
    return replace(given, low=min(max(given.low, low), high), high=max(min(given.high, high), low))


#: operator -> what reads it
OPERATORS: dict[str, Callable[[Node, Inputs], Value]] = {
    "Conv": conv,
    "Gemm": gemm,
    "MatMul": matmul,
    **{kind: _elementwise(kind) for kind in ("Add", "Sub", "Mul", "Div")},
    "BatchNormalization": batch_normalization,
    "Relu": relu,
    "Clip": clip,
    "MaxPool": pools.max_pool,
    "AveragePool": pools.average_pool,
    "GlobalAveragePool": pools.average_pool,
    "Flatten": shapes.flatten,
    "Reshape": shapes.reshape,
    "Transpose": shapes.transpose,
    "Constant": shapes.constant,
    "Identity": shapes.same,
    "Dropout": shapes.same,
    "QuantizeLinear": quantisers.quantise_linear,
    "DequantizeLinear": quantisers.dequantise_linear,
    "Quant": quantisers.quant,
    "IntQuant": quantisers.quant,
    "BipolarQuant": quantisers.bipolar_quant,
    "Trunc": quantisers.trunc,
    "MultiThreshold": quantisers.multi_threshold,
}
