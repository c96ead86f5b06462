"""An ONNX file read and checked: nodes in an order in which they can be computed, constants as
arrays.  Nothing in it is believed: sizes are checked before anything is allocated.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from simulator import memory
from simulator.describe.messages import shown_value
from simulator.errors import DescriptionError, InputError

#: elements a tensor may claim to have
MOST_ELEMENTS = 1 << 28
#: nodes, and inputs or outputs of one, that are read
MOST_NODES, MOST_ENDS = 100_000, 1_000
#: what the names of types of whole numbers begin with
WHOLE = ("int", "uint", "bool")
#: formats that keep integer operators instead of quantise and dequantise pairs
OPERATOR_FORMAT = (
    "QLinearConv",
    "QLinearMatMul",
    "QLinearAdd",
    "QLinearAveragePool",
    "QLinearGlobalAveragePool",
    "QLinearMul",
    "QLinearConcat",
    "QGemm",
    "MatMulInteger",
    "ConvInteger",
    "DynamicQuantizeLinear",
    "DynamicQuantizeMatMul",
    "MatMulIntegerToFloat",
)


@dataclass(frozen=True, eq=False)
class Tensor:
    """A constant of the file, and the type it has there: int8, float, ..."""

    value: np.ndarray
    kind: str


@dataclass(frozen=True)
class Node:
    """One operator of the graph."""

    kind: str
    name: str  # its own, or what names it best
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any] = field(default_factory=dict)

    def integer(self, name: str, default: int) -> int:
        """Return a whole attribute; raises InputError for another type."""
        given = self.attributes.get(name, default)
        if isinstance(given, bool) or not isinstance(given, int):
            raise InputError(f"{self.name}: {name}: must be a whole number, not {_shown(given)}")
        return given

    def number(self, name: str, default: float) -> float:
        """Return a finite number among the attributes."""
        given = self.attributes.get(name, default)
        if not isinstance(given, (int, float)) or not np.isfinite(given):
            raise InputError(f"{self.name}: {name}: must be a finite number, not {_shown(given)}")
        return float(given)

    def text(self, name: str, default: str) -> str:
        """Return a text among the attributes."""
        given = self.attributes.get(name, default)
        if not isinstance(given, str):
            raise InputError(f"{self.name}: {name}: must be a text, not {_shown(given)}")
        return given

    def integers(self, name: str, default: Iterable[int]) -> list[int]:
        """Return a list of whole numbers, none larger than a shape may be."""
        given = self.attributes.get(name, list(default))
        if not isinstance(given, list) or not all(type(one) is int for one in given):
            raise InputError(f"{self.name}: {name}: must be whole numbers, not {_shown(given)}")
        if len(given) > 16 or any(abs(one) > 1 << 20 for one in given):
            raise InputError(f"{self.name}: {name}: must be small numbers, not {_shown(given)}")
        return given


@dataclass(frozen=True)
class Entry:
    """What enters or leaves the graph by name; shape: None for a size that is not fixed."""

    name: str
    shape: tuple[int | None, ...] | None
    kind: str


@dataclass(frozen=True)
class Graph:
    """What is read of a file."""

    nodes: tuple[Node, ...]  # each after those it needs
    constants: dict[str, Tensor]
    inputs: tuple[Entry, ...]  # those that are no constants
    outputs: tuple[Entry, ...]
    producer: str
    opset: int


def load(path: Path) -> Graph:
    """Return the graph of a file; raises InputError naming everything that cannot be read."""
    import onnx
    from google.protobuf.message import DecodeError

    logging.getLogger("onnx").setLevel(logging.ERROR)
    size = path.stat().st_size
    memory.need(f"{path.name}: a file of {size:,} bytes, read", 3 * size)
    model = onnx.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except (DecodeError, ValueError, RecursionError, SystemError) as error:
        raise InputError(f"{path}: must be an ONNX model; it cannot be parsed") from error
    if not model.HasField("graph") or not model.graph.node:
        raise InputError(f"{path}: must be an ONNX model with nodes, not one without")
    graph = model.graph
    if len(graph.node) > MOST_NODES:
        raise InputError(f"{path}: must have at most {MOST_NODES:,} nodes, not {len(graph.node):,}")
    faults: list[str] = []
    constants: dict[str, Tensor] = {}
    for tensor in graph.initializer:
        try:
            constants[tensor.name] = array(tensor, path.parent)
        except InputError as error:
            faults.append(str(error))
    if graph.sparse_initializer:
        faults.append("the graph: must have dense constants, not sparse ones")
    nodes = []
    for place, proto in enumerate(graph.node):
        try:
            nodes.append(_node(proto, place, path.parent))
        except InputError as error:
            faults.append(str(error))
    faults += _other_formats(nodes)
    inputs = [_entry(value) for value in graph.input if value.name not in constants]
    outputs = [_entry(value) for value in graph.output]
    if not faults:
        known = {*constants, *(entry.name for entry in inputs)}
        nodes = _in_order(nodes, known, faults)
    refuse(path, faults)
    opset = max((one.version for one in model.opset_import if not one.domain), default=0)
    producer = f"{model.producer_name} {model.producer_version}".strip()
    return Graph(
        tuple(nodes), constants, tuple(inputs), tuple(outputs), producer[:80] or "unknown", opset
    )


def refuse(path: Path, faults: list[str]) -> None:
    """Raise DescriptionError with all faults of a file, one a line, where there are any."""
    if faults:
        raise DescriptionError([f"{path.name}: {fault}" for fault in dict.fromkeys(faults)])


def array(tensor: Any, folder: Path) -> Tensor:
    """Return a constant: floats as float64, integers and booleans as int64."""
    import onnx
    from onnx import numpy_helper

    name = f"constant {shown_value(tensor.name[:60])}"
    shape = tuple(tensor.dims)
    if any(side < 0 for side in shape) or len(shape) > 8:
        raise InputError(f"{name}: must have a shape, not {list(shape)[:9]}")
    n = prod(shape)
    if n > MOST_ELEMENTS:
        raise InputError(f"{name}: must have at most {MOST_ELEMENTS:,} elements, not {n:,}")
    kinds = onnx.TensorProto
    if tensor.data_type not in kinds.DataType.values() or tensor.data_type in (
        kinds.STRING,
        kinds.UNDEFINED,
        kinds.COMPLEX64,
        kinds.COMPLEX128,
    ):
        raise InputError(f"{name}: must hold numbers, not type {tensor.data_type}")
    kind = kinds.DataType.Name(tensor.data_type).lower()
    memory.need(f"{name} of {n:,} elements", 24 * n)
    try:
        if tensor.data_location == kinds.EXTERNAL:
            tensor = _external(tensor, name, folder, n)
        found = np.asarray(numpy_helper.to_array(tensor))
        if found.dtype.kind not in "fiub":  # types numpy does not know: bfloat16, int4
            found = found.astype(np.float64)
    except (ValueError, TypeError, KeyError, OverflowError, OSError) as error:
        raise InputError(f"{name}: must hold {n:,} elements of type {tensor.data_type}") from error
    if found.shape != shape:
        raise InputError(f"{name}: must have shape {list(shape)}, not {list(found.shape)}")
    if found.dtype.kind == "u" and found.size and int(found.max()) >= 1 << 63:
        raise InputError(f"{name}: must hold numbers of 63 bits")
    real = np.float64 if found.dtype.kind == "f" and not kind.startswith(WHOLE) else np.int64
    if real is np.int64 and found.dtype.kind == "f":
        found = np.rint(found)
    return Tensor(found.astype(real), kind)


def _external(tensor: Any, name: str, folder: Path, n: int) -> Any:
    """Return a tensor with the data that lie in another file of the same folder."""
    import onnx

    told = {entry.key: entry.value for entry in tensor.external_data}
    where = told.get("location", "")
    place = (folder / where).resolve()
    if not where or Path(where).is_absolute() or folder.resolve() not in place.parents:
        raise InputError(
            f"{name}: must lie in a file beside the model, not in {shown_value(where)}"
        )
    if not place.is_file():
        raise InputError(f"{name}: must lie in a file; {shown_value(where)} is none")
    try:
        offset, length = int(told.get("offset", 0)), int(told.get("length", -1))
    except ValueError as error:
        raise InputError(f"{name}: must have an offset and a length in whole bytes") from error
    size = place.stat().st_size
    length = size - offset if length < 0 else length
    if offset < 0 or offset + length > size or length > 16 * n:
        raise InputError(f"{name}: must lie within the {size:,} bytes of {shown_value(where)}")
    with open(place, "rb") as file:
        file.seek(offset)
        data = file.read(length)
    own = onnx.TensorProto()
    own.CopyFrom(tensor)
    own.ClearField("external_data")
    own.data_location = onnx.TensorProto.DEFAULT
    own.raw_data = data
    return own


def _shown(value: Any) -> str:
    return "a tensor" if isinstance(value, Tensor) else shown_value(value)


def _node(proto: Any, place: int, folder: Path) -> Node:
    from onnx import AttributeProto

    own = proto.name or (proto.output[0] if proto.output else "")
    name = f"node {own[:80]!r} ({proto.op_type[:40]})" if own else f"node {place} ({proto.op_type})"
    if len(proto.input) > MOST_ENDS or len(proto.output) > MOST_ENDS:
        raise InputError(f"{name}: must have at most {MOST_ENDS} inputs and outputs")
    attributes: dict[str, Any] = {}
    for one in proto.attribute:
        if one.type == AttributeProto.INT:
            attributes[one.name] = int(one.i)
        elif one.type == AttributeProto.FLOAT:
            attributes[one.name] = float(one.f)
        elif one.type == AttributeProto.STRING:
            attributes[one.name] = one.s.decode("utf-8", "replace")
        elif one.type == AttributeProto.INTS:
            attributes[one.name] = [int(value) for value in one.ints]
        elif one.type == AttributeProto.FLOATS:
            attributes[one.name] = [float(value) for value in one.floats]
        elif one.type == AttributeProto.TENSOR:
            attributes[one.name] = array(one.t, folder)  # a Tensor
        else:
            attributes[one.name] = None  # a subgraph or the like, whose operator is refused
    return Node(
        proto.op_type, name, proto.domain, tuple(proto.input), tuple(proto.output), attributes
    )


def _other_formats(nodes: list[Node]) -> list[str]:
    found = sorted({node.kind for node in nodes if node.kind in OPERATOR_FORMAT})
    if not found:
        return []
    dynamic = any("Dynamic" in kind or "Integer" in kind for kind in found)
    what = "dynamic quantisation" if dynamic else "the operator format QOperator"
    return [
        f"is written in {what} ({', '.join(found)}), which is not read; export it with static "
        f"quantisation as QDQ (onnxruntime: quantize_static with quant_format=QuantFormat.QDQ)"
    ]


def _entry(value: Any) -> Entry:
    from onnx import TensorProto

    given = value.type.tensor_type
    known = given.elem_type in TensorProto.DataType.values()
    kind = TensorProto.DataType.Name(given.elem_type).lower() if known else "unknown"
    if not value.type.HasField("tensor_type") or not given.HasField("shape"):
        return Entry(value.name, None, kind)
    sides = [side.dim_value if side.dim_value > 0 else None for side in given.shape.dim]
    return Entry(value.name, tuple(sides), kind)


def _in_order(nodes: list[Node], known: set[str], faults: list[str]) -> list[Node]:
    """Return nodes so that each comes after those it needs; what is made twice, missing, or a
    circle is added to the faults.
    """
    made: dict[str, int] = {}
    for place, node in enumerate(nodes):
        for name in filter(None, node.outputs):
            if name in made or name in known:
                faults.append(f"{node.name}: must not make {shown_value(name[:60])} again")
            made[name] = place
    for node in nodes:
        for name in filter(None, node.inputs):
            if name not in made and name not in known:
                faults.append(f"{node.name}: needs {shown_value(name[:60])}, which nothing makes")
    if faults:
        return nodes
    waits = [{made[name] for name in node.inputs if name in made} for node in nodes]
    after: list[list[int]] = [[] for _ in nodes]
    for place, needed in enumerate(waits):
        for other in needed:
            after[other].append(place)
    ready = [place for place in range(len(nodes) - 1, -1, -1) if not waits[place]]
    order = []
    while ready:
        place = ready.pop()
        order.append(place)
        for other in after[place]:
            waits[other].discard(place)
            if not waits[other]:
                ready.append(other)
    if len(order) < len(nodes):
        left = next(node for place, node in enumerate(nodes) if waits[place])
        faults.append(f"{left.name}: must not need itself: the graph has a circle through it")
    return [nodes[place] for place in order]
