"""The node types of NIR: which fields each has, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simulator.importers.nir_graph import Graph, Node

#: linear steps, neurons that fire, neurons that are read, and what only passes on
LINEAR = ("Affine", "Linear", "Scale", "Conv1d", "Conv2d", "SumPool2d", "AvgPool2d", "Flatten")
DELAYS = ("Delay",)
FIRING, READ = ("IF", "LIF", "CubaLIF", "Threshold"), ("I", "LI", "CubaLI")
ENDS = ("Input", "Output")
KNOWN = (*LINEAR, *DELAYS, *FIRING, *READ, *ENDS)

_REAL = {
    "Affine": ("weight", "bias"),
    "Linear": ("weight",),
    "Scale": ("scale",),
    "Conv1d": ("weight", "bias"),
    "Conv2d": ("weight", "bias"),
    "Delay": ("delay",),
    "I": ("r",),
    "IF": ("r", "v_threshold"),
    "LI": ("tau", "r", "v_leak"),
    "LIF": ("tau", "r", "v_leak", "v_threshold"),
    "CubaLI": ("tau_syn", "tau_mem", "r", "v_leak"),
    "CubaLIF": ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold"),
    "Threshold": ("threshold",),
}
#: fields that may be left out, and what stands for them
_OPTIONAL = {"v_reset": 0.0, "w_in": 1.0}
_HAS = {"v_reset": ("IF", "LIF", "CubaLIF"), "w_in": ("CubaLI", "CubaLIF")}
_WHOLE = {
    "Conv1d": ("stride", "padding", "dilation", "groups"),
    "Conv2d": ("stride", "padding", "dilation", "groups"),
    "SumPool2d": ("kernel_size", "stride", "padding"),
    "AvgPool2d": ("kernel_size", "stride", "padding"),
    "Flatten": ("start_dim", "end_dim"),
    "Input": ("shape",),
    "Output": ("shape",),
}
_ABOVE_ZERO = ("tau", "tau_mem", "tau_syn", "r", "w_in")
_DIMENSIONS = {"Affine": 2, "Linear": 2, "Conv1d": 3, "Conv2d": 4}
#: sizes, and what a Delay may be, are at most this
LARGEST = 1 << 24


@dataclass(frozen=True)
class Checked:
    """A node whose fields are what its type says: reals float64 and finite, whole numbers int64."""

    node: Node
    real: dict[str, np.ndarray]
    whole: dict[str, np.ndarray]
    words: dict[str, str]

    @property
    def type(self) -> str:
        """The node's type."""
        return self.node.type

    @property
    def name(self) -> str:
        """The node's path in words."""
        return self.node.name


def check(graph: Graph, fault: Callable[[str], None]) -> dict[tuple[str, ...], Checked]:
    """Return the nodes with fields of the right kinds; every fault is noted."""
    unknown = [node for node in graph.nodes.values() if node.type not in KNOWN]
    if unknown:
        named = ", ".join(f"{node.name} ({node.type[:40]})" for node in unknown[:20])
        more = f" and {len(unknown) - 20} more" if len(unknown) > 20 else ""
        fault(f"must be made of {', '.join(KNOWN)}, not of {named}{more}")
    found = {}
    for path, node in graph.nodes.items():
        if node.type in KNOWN:
            made = _checked(node, fault)
            if made is not None:
                found[path] = made
    return found


def _checked(node: Node, fault: Callable[[str], None]) -> Checked | None:
    real: dict[str, np.ndarray] = {}
    whole: dict[str, np.ndarray] = {}
    words: dict[str, str] = {}
    wrong: list[str] = []
    for key in _REAL.get(node.type, ()):
        value = node.fields.get(key)
        message = _not_real(key, value)
        if message:
            wrong.append(message)
        else:
            real[key] = np.asarray(value, np.float64)
    for key, types in _HAS.items():
        if node.type in types:
            value = node.fields.get(key, _OPTIONAL[key])
            message = _not_real(key, value)
            wrong += [message] if message else []
            real[key] = np.asarray(_OPTIONAL[key] if message else value, np.float64)
    for key in _WHOLE.get(node.type, ()):
        value = node.fields.get(key)
        if key == "padding" and isinstance(value, str):
            if value not in ("same", "valid"):
                wrong.append("padding: must be a number, 'same' or 'valid'")
            words[key] = value
            continue
        message = _not_whole(key, value)
        if message:
            wrong.append(message)
        else:
            whole[key] = np.asarray(value, np.int64)
    wrong += [f"{key}: must have values" for key, held in (real | whole).items() if not held.size]
    if not wrong:
        wrong += _out_of_range(node.type, real, whole)
    if wrong:
        fault(f"{node.name} ({node.type}): {'; '.join(wrong)}")
        return None
    if "input_shape" in node.fields:
        given = node.fields["input_shape"]
        if _not_whole("input_shape", given) is None and np.size(given):
            whole["input_shape"] = np.atleast_1d(np.asarray(given, np.int64))
    return Checked(node, real, whole, words)


def _not_real(key: str, value: object) -> str | None:
    if value is None:
        return f"{key}: must be given"
    if isinstance(value, str) or np.asarray(value).dtype.kind not in "fiub":
        return f"{key}: must be numbers"
    with np.errstate(all="ignore"):
        if not np.isfinite(np.asarray(value, np.float64)).all():
            return f"{key}: must be finite"
    return None


def _not_whole(key: str, value: object) -> str | None:
    if value is None:
        return f"{key}: must be given"
    array = np.asarray(value)
    if isinstance(value, str) or array.dtype.kind not in "fiub" or array.size > 8:
        return f"{key}: must be whole numbers"
    with np.errstate(all="ignore"):
        if array.dtype.kind == "f" and not (np.isfinite(array).all() and (array % 1 == 0).all()):
            return f"{key}: must be whole numbers"
        if (abs(array.astype(np.float64)) > LARGEST).any():
            return f"{key}: must be at most {LARGEST}"
    return None


def _out_of_range(kind: str, real: dict, whole: dict) -> list[str]:
    wrong = [
        f"{key}: must be above 0, not {float(real[key].min()):g}"
        for key in _ABOVE_ZERO
        if key in real and real[key].size and real[key].min() <= 0
    ]
    if kind in _DIMENSIONS and real["weight"].ndim != _DIMENSIONS[kind]:
        wrong.append(f"weight: must have {_DIMENSIONS[kind]} dimensions, not {real['weight'].ndim}")
    for key in ("stride", "dilation", "groups", "kernel_size", "shape"):
        if key in whole and whole[key].size and whole[key].min() < 1:
            wrong.append(f"{key}: must be at least 1")
    if "padding" in whole and whole["padding"].size and whole["padding"].min() < 0:
        wrong.append("padding: must be at least 0")
    if "delay" in real and real["delay"].min() < 0:
        wrong.append("delay: must be at least 0 s")
    return wrong
