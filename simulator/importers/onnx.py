"""Quantised networks from ONNX files: QDQ, QCDQ and QONNX, read without a runtime.

The quantised twin is the file's own arithmetic: at T = the levels of its activations, every
activation is the whole number the file makes.  The spiking twin follows by T.
"""

from __future__ import annotations

from dataclasses import fields
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.describe.messages import shown_value
from simulator.errors import InputError
from simulator.importers.choices import Choices
from simulator.importers.imported import Imported
from simulator.importers.onnx_file import Graph, load, refuse
from simulator.importers.onnx_network import Builder
from simulator.importers.onnx_operators import OPERATORS
from simulator.importers.onnx_stimulus import presented
from simulator.importers.onnx_values import (
    MOST_NEURONS,
    Codes,
    Constant,
    Fed,
    Reals,
    Sum,
    Value,
    as_sum,
)

if TYPE_CHECKING:
    from simulator.importers.events import Stimuli

#: what may follow the outputs: it changes no answer
ENDS = ("Softmax", "LogSoftmax", "Sigmoid")
#: domains whose operators are read by their names alone
DOMAINS = ("", "ai.onnx", "qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general")


def read(path: Path, choices: Choices, recording: Stimuli | None = None) -> Imported:
    """Return the network of a file; every fault of it at once, each by its node.

    Choices other than that of timesteps are refused: the file says all the rest.
    """
    _refuse_choices(choices)
    graph = load(path)
    faults: list[str] = []
    values: dict[str, Value] = {
        name: Constant(tensor.value, tensor.kind) for name, tensor in graph.constants.items()
    }
    for entry in graph.inputs:
        try:
            values[entry.name] = Fed(entry.name, _shape(entry.name, entry.shape), entry.kind)
        except InputError as error:
            faults.append(str(error))
    last = {entry.name for entry in graph.outputs}
    left_out = _compute(graph, values, last, faults)
    refuse(path, faults)
    outputs: list[tuple[str, Codes | Sum]] = []
    for entry in graph.outputs:
        try:
            outputs.append((entry.name, _output(entry.name, values.get(entry.name))))
        except InputError as error:
            faults.append(str(error))
    if not outputs and not faults:
        faults.append("the graph: must have an output")
    refuse(path, faults)
    try:
        imported = Builder(path, graph, choices, left_out).build(outputs)
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from error
    return imported if recording is None else presented(imported, recording)


def _refuse_choices(choices: Choices) -> None:
    plain = Choices()
    for each in fields(choices):
        given = getattr(choices, each.name)
        if each.name != "timesteps" and given != getattr(plain, each.name):
            raise InputError(
                f"{each.name}: must be left out with an ONNX file, which says it, not "
                f"{shown_value(given)}"
            )


def _shape(name: str, shape: tuple[int | None, ...] | None) -> tuple[int, ...]:
    """Return the shape of an input behind its first side, that of inferences."""
    told = f"input {name[:60]!r}"
    if shape is None or not 2 <= len(shape) <= 4 or None in shape[1:]:
        shown = None if shape is None else ["?" if side is None else side for side in shape]
        raise InputError(
            f"{told}: must have the shape (inferences, ...) one to three of them fixed, not {shown}"
        )
    sides = tuple(int(side) for side in shape[1:] if side is not None)
    if prod(sides) > MOST_NEURONS:
        raise InputError(f"{told}: must have at most {MOST_NEURONS:,} lines, not {prod(sides):,}")
    return (sides[0], 1, sides[1]) if len(sides) == 2 else sides


def _compute(
    graph: Graph, values: dict[str, Value], last: set[str], faults: list[str]
) -> list[str]:
    """Add what every node makes to `values`; return what was left out behind the outputs."""
    unread: dict[str, list[str]] = {}
    left_out = []
    for node in graph.nodes:
        kind = node.kind
        if kind in ENDS and set(node.outputs) & last and node.inputs[0] in values:
            given = values[node.inputs[0]]
            values[node.outputs[0]] = as_sum(given) if isinstance(given, Reals) else given
            left_out.append(kind)
            continue
        if kind not in OPERATORS or node.domain not in DOMAINS:
            name = kind if node.domain in DOMAINS else f"{node.domain[:40]}.{kind}"
            unread.setdefault(name[:80], []).append(node.name[:120])
            continue
        inputs: list[Value | None] = [values.get(name) if name else None for name in node.inputs]
        if any(name and name not in values for name in node.inputs):
            continue  # what it needs was refused already
        try:
            made = OPERATORS[kind](node, inputs)
        except InputError as error:
            text = str(error)
            faults.append(text if text.startswith("node") else f"{node.name}: {text}")
        except (IndexError, AssertionError, ValueError, TypeError, OverflowError) as error:
            faults.append(f"{node.name}: must have the inputs of a {kind}: {_short(error)}")
        else:
            for name in filter(None, node.outputs[:1]):
                values[name] = made
    for kind, names in unread.items():
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        faults.append(f"operator {kind} is not read: {', '.join(names[:3])}{more}")
    return left_out


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:80] or type(error).__name__


def _output(name: str, value: Value | None) -> Codes | Sum:
    if isinstance(value, Reals):
        return value.codes
    if isinstance(value, (Codes, Sum)):
        return value
    raise InputError(f"output {name[:60]!r}: must be computed from quantised reals")
