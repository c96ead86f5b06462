"""Operators of ONNX and QONNX that make reals whole, and whole numbers real again."""

from __future__ import annotations

import re
from dataclasses import replace
from math import inf

import numpy as np

from simulator.errors import InputError
from simulator.importers.onnx_file import Node
from simulator.importers.onnx_values import Codes, Constant, Fed, Reals, Sum, Value, as_sum, reach

_WHOLE = re.compile(r"(u?)int([0-9]+)")
#: rounding modes of QONNX -> that of Codes
ROUNDING = {"ROUND": "even", "HALF_EVEN": "even", "FLOOR": "floor"}
#: bits a code may have
MOST_BITS = 16


def limits(name: str, kind: str) -> tuple[int, int]:
    """Return the range of an integer type by its name."""
    found = _WHOLE.fullmatch(kind)
    if found is None or not 2 <= int(found[2]) <= 32:
        raise InputError(f"{name}: must quantise to a type of 2 to 32 bits, not {kind}")
    bits = int(found[2])
    return (0, (1 << bits) - 1) if found[1] else (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)


def scales(node: Node, given: Value | None, what: str = "scale") -> np.ndarray:
    """Return a constant of scales, all above 0 and finite."""
    if not isinstance(given, Constant):
        raise InputError(f"{node.name}: its {what} must be a constant")
    value = given.value.astype(np.float64)
    if not value.size or not (np.isfinite(value).all() and (value > 0).all()):
        raise InputError(f"{node.name}: its {what} must be above 0 and finite")
    return value


def one(node: Node, given: Value | None, what: str, default: float | None = None) -> float:
    """Return a constant that is one finite number."""
    if given is None and default is not None:
        return default
    if not isinstance(given, Constant) or given.value.size != 1:
        raise InputError(f"{node.name}: its {what} must be one number that is a constant")
    found = float(given.value.reshape(-1)[0])
    if not np.isfinite(found):
        raise InputError(f"{node.name}: its {what} must be finite")
    return found


def along(node: Node, values: np.ndarray, shape: tuple[int, ...], what: str) -> np.ndarray:
    """Return scales or zero points, one or one along the node's axis, for every element."""
    if values.size == 1:
        return np.full(shape, values.reshape(-1)[0])
    if node.integer("block_size", 0):
        raise InputError(f"{node.name}: must quantise by tensor or channel, not in blocks")
    axis = node.integer("axis", 1)
    if not -len(shape) <= axis < len(shape) or values.shape != (shape[axis],):
        raise InputError(
            f"{node.name}: its {what} must be one number or one along axis {axis} of "
            f"{list(shape)}, not of shape {list(values.shape)}"
        )
    sides = [1] * len(shape)
    sides[axis] = shape[axis]
    return np.broadcast_to(values.reshape(sides), shape)


def to_codes(
    node: Node, given: Value, step: float, zero: float, least: int, most: int, rounding: str
) -> Codes:
    """Return the codes of what flows: an input, a sum, or reals that are made whole again."""
    if most - least < 1 or most - least >= 1 << MOST_BITS:
        raise InputError(f"{node.name}: must have codes of 1 to {MOST_BITS} bits")
    if isinstance(given, Reals):
        same = np.float32(given.scale) == np.float32(step) and given.zero == zero
        if same and rounding == "even":
            view = None if given.shape == given.codes.neurons else given.shape
            again = replace(given.codes.clipped(least, most), view=view)
            return replace(again, name=node.outputs[0] if node.outputs else node.name)
        given = as_sum(given)
    if not isinstance(given, (Sum, Fed)):
        raise InputError(f"{node.name}: must quantise reals, not whole numbers or constants")
    name = node.outputs[0] if node.outputs else node.name
    codes = Codes(name, given, np.array(step), np.array(zero), least, most, rounding)
    if isinstance(given, Sum) and (given.low > -inf or given.high < inf):
        # what is clipped before it is rounded is clipped where the limits are rounded to
        low, high = (np.rint(limit / step) + zero for limit in (given.low, given.high))
        codes = replace(codes, source=replace(given, low=-inf, high=inf)).clipped(low, high)
    return codes


def quantise_linear(node: Node, inputs: list[Value | None]) -> Value:
    """Read QuantizeLinear."""
    given, zero = inputs[0], inputs[2] if len(inputs) > 2 else None
    step = scales(node, inputs[1])
    kind = zero.kind if isinstance(zero, Constant) else "uint8"
    if zero is None and node.integer("output_dtype", 0):
        from onnx import TensorProto

        known = TensorProto.DataType.Name(node.integer("output_dtype", 0))
        kind = known.lower()
    least, most = limits(node.name, kind)
    if isinstance(given, Constant):
        shape = given.value.shape
        offset = zero.value if isinstance(zero, Constant) else np.zeros(1)
        whole = np.rint(given.value / along(node, step, shape, "scale"))
        whole = np.clip(whole + along(node, offset, shape, "zero point"), least, most)
        if not np.isfinite(whole).all():
            raise InputError(f"{node.name}: must quantise finite numbers")
        return Constant(whole.astype(np.int64), kind)
    if step.size != 1:
        raise InputError(f"{node.name}: must quantise what flows with one scale, not by channel")
    point = one(node, zero, "zero point", 0.0)
    assert given is not None
    return to_codes(node, given, float(step.reshape(-1)[0]), point, least, most, "even")


def dequantise_linear(node: Node, inputs: list[Value | None]) -> Value:
    """Read DequantizeLinear."""
    given, zero = inputs[0], inputs[2] if len(inputs) > 2 else None
    step = scales(node, inputs[1])
    if isinstance(given, Constant):
        if not given.kind.startswith(("int", "uint")):
            raise InputError(f"{node.name}: must take whole numbers, not {given.kind}")
        shape = given.value.shape
        offset = zero.value if isinstance(zero, Constant) else np.zeros(1, np.int64)
        codes = given.value - along(node, offset, shape, "zero point")
        steps = along(node, step, shape, "scale")
        bits = int(_WHOLE.fullmatch(given.kind)[2])  # type: ignore[index]
        return Constant(codes * steps, "float", codes, steps, given.bits or bits)
    if step.size != 1:
        raise InputError(f"{node.name}: must read what flows with one scale, not by channel")
    scale, point = float(step.reshape(-1)[0]), one(node, zero, "zero point", 0.0)
    if isinstance(given, Fed):
        least, most = limits(node.name, given.kind)
        given = Codes(given.name, given, np.array(1.0), np.array(0.0), least, most)
    if not isinstance(given, Codes):
        raise InputError(f"{node.name}: must take whole numbers")
    return Reals(given, scale, point, given.shape)


def _range(node: Node, bits: float) -> tuple[int, int]:
    """Return the codes of a QONNX quantiser of so many bits."""
    if bits != int(bits) or not 1 <= bits <= 32:
        raise InputError(f"{node.name}: its bit width must be a whole number from 1 to 32")
    signed, narrow = node.integer("signed", 1), node.integer("narrow", 0)
    if signed:
        half = 1 << (int(bits) - 1)
        return -half + (1 if narrow else 0), half - 1
    return 0, (1 << int(bits)) - 1 - (1 if narrow else 0)


def _mode(node: Node) -> str:
    mode = node.text("rounding_mode", "ROUND").upper()
    if mode not in ROUNDING:
        raise InputError(f"{node.name}: must round as {', '.join(ROUNDING)}, not {mode[:40]!r}")
    return ROUNDING[mode]


def quant(node: Node, inputs: list[Value | None]) -> Value:
    """Read Quant and IntQuant of QONNX: reals in, reals of a few levels out."""
    given, step = inputs[0], scales(node, inputs[1])
    point, bits = inputs[2], one(node, inputs[3], "bit width")
    least, most = _range(node, bits)
    rounding = _mode(node)
    if isinstance(given, Constant):
        if not isinstance(point, Constant):
            raise InputError(f"{node.name}: its zero point must be a constant")
        shape = given.value.shape
        try:
            steps = np.broadcast_to(step, shape)
            offset = np.broadcast_to(point.value.astype(np.float64), shape)
        except ValueError as error:
            raise InputError(
                f"{node.name}: its scale must fit constants of shape {list(shape)}"
            ) from error
        whole = given.value / steps + offset
        whole = np.clip(np.rint(whole) if rounding == "even" else np.floor(whole), least, most)
        if not np.isfinite(whole).all() or (offset != np.rint(offset)).any():
            raise InputError(f"{node.name}: must quantise finite numbers about whole zero points")
        if abs(whole - offset).max(initial=0.0) >= 1 << 53:
            raise InputError(f"{node.name}: must have zero points that reals hold exactly")
        codes = (whole - offset).astype(np.int64)
        return Constant(codes * steps, "float", codes, steps, int(bits))
    if step.size != 1:
        raise InputError(f"{node.name}: must quantise what flows with one scale, not by channel")
    scale, zero = float(step.reshape(-1)[0]), one(node, point, "zero point")
    if zero != int(zero):
        raise InputError(f"{node.name}: its zero point must be a whole number, not {zero:g}")
    assert given is not None
    codes_of = to_codes(node, given, scale, zero, least, most, rounding)
    return Reals(codes_of, scale, zero, codes_of.shape)


def bipolar_quant(node: Node, inputs: list[Value | None]) -> Value:
    """Read BipolarQuant of QONNX: scale where the reals are 0 or more, -scale elsewhere."""
    given, step = inputs[0], scales(node, inputs[1])
    if isinstance(given, Constant):
        codes = np.where(given.value >= 0, 1, -1).astype(np.int64)
        try:
            steps = np.broadcast_to(step, codes.shape)
        except ValueError as error:
            raise InputError(f"{node.name}: its scale must fit the constants") from error
        return Constant(codes * steps, "float", codes, steps, 1)
    if step.size != 1:
        raise InputError(f"{node.name}: must quantise what flows with one scale, not by channel")
    scale = float(step.reshape(-1)[0])
    assert given is not None
    codes_of = to_codes(node, given, scale, 1.0, 0, 1, "floor")
    return Reals(codes_of, 2 * scale, 0.5, codes_of.shape)


def trunc(node: Node, inputs: list[Value | None]) -> Value:
    """Read Trunc of QONNX: lower bits of sums are dropped, rounding down; nothing is clipped."""
    if len(inputs) != 5:
        raise InputError(f"{node.name}: must have 5 inputs, the scale of its output among them not")
    given, scale = inputs[0], scales(node, inputs[1])
    zero = one(node, inputs[2], "zero point")
    wide, bits = one(node, inputs[3], "input bits"), one(node, inputs[4], "output bits")
    mode = node.text("rounding_mode", "FLOOR").upper()
    if mode != "FLOOR" or zero or scale.size != 1 or not 1 <= bits <= wide <= 32:
        raise InputError(
            f"{node.name}: must drop bits by FLOOR about a zero point of 0, with one scale"
        )
    step = float(scale.reshape(-1)[0])
    unit = step * 2 ** (wide - bits)
    if isinstance(given, Reals):
        given = as_sum(given)
    if not isinstance(given, Sum) or not _is_whole(given, step):
        raise InputError(f"{node.name}: must drop bits of a sum in whole steps of its scale")
    least, most = (int(np.floor(end / unit + 1e-6)) for end in reach(given))
    codes = to_codes(node, given, unit, 0.0, least, max(most, least + 1), "floor")
    return Reals(codes, step, 0.0, codes.shape)


def _is_whole(given: Sum, step: float) -> bool:
    """Return whether a sum is a whole multiple of a step, whatever its codes are."""
    parts = [given.bias, *(term.factor for term in given.terms)]
    return all(bool((abs(part / step - np.rint(part / step)) < 1e-5).all()) for part in parts)


def multi_threshold(node: Node, inputs: list[Value | None]) -> Value:
    """Read MultiThreshold of QONNX: how many of a channel's thresholds are reached."""
    given, thresholds = inputs[0], inputs[1]
    if not isinstance(thresholds, Constant) or thresholds.value.ndim != 2:
        raise InputError(f"{node.name}: its thresholds must be constants, (channels, steps)")
    if isinstance(given, Reals):
        given = as_sum(given)
    if not isinstance(given, Sum) or not given.is_plain:
        raise InputError(f"{node.name}: must count the thresholds that a sum reaches")
    table = thresholds.value.astype(np.float64)
    channels, steps = table.shape
    if channels not in (1, given.shape[0]) or not 1 <= steps < 1 << MOST_BITS:
        raise InputError(f"{node.name}: its thresholds must be (channels, steps)")
    apart = np.diff(table, axis=1)
    mean = (table[:, -1] - table[:, 0]) / (steps - 1) if steps > 1 else np.ones(channels)
    if not (np.isfinite(table).all() and (mean > 0).all()):
        raise InputError(f"{node.name}: its thresholds must be finite and rise")
    if steps > 1 and (abs(apart - mean[:, None]) > 1e-6 * mean[:, None]).any():
        raise InputError(
            f"{node.name}: its thresholds must be equally far apart in a channel: neurons "
            f"subtract the same threshold after every spike"
        )
    rows = np.arange(given.bias.size) * channels // given.bias.size
    step, first = mean[rows], table[:, 0][rows]
    name = node.outputs[0] if node.outputs else node.name
    codes = Codes(name, given, step, 1 - first / step, 0, steps, "floor")
    scale, bias = node.number("out_scale", 1.0), node.number("out_bias", 0.0)
    if not scale > 0:
        raise InputError(f"{node.name}: out_scale: must be above 0, not {scale:g}")
    return Reals(codes, scale, -bias / scale, codes.shape)
