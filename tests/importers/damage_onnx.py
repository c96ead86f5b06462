"""ONNX files that are damaged inside."""

import random
from pathlib import Path

import numpy as np
import onnx
from damage import Damage, cut, flipped
from onnx import TensorProto, numpy_helper

DATA = Path(__file__).parent / "data" / "onnx"
BASES = tuple(path.read_bytes() for path in sorted(DATA.glob("*.onnx")))


def _tensors(model: onnx.ModelProto) -> list[TensorProto]:
    """All constants, those of nodes too."""
    held = [attribute.t for node in model.graph.node for attribute in node.attribute
            if attribute.HasField("t")]  # fmt: skip
    return [*model.graph.initializer, *held]


def _replaced(tensor: TensorProto, value: np.ndarray) -> None:
    tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))


def _scalars(model: onnx.ModelProto) -> list[TensorProto]:
    """Constants of one real other than 0: scales, and widths."""
    return [one for one in _tensors(model)
            if one.data_type == TensorProto.FLOAT and int(np.prod(one.dims)) == 1
            and numpy_helper.to_array(one).any()]  # fmt: skip


def _changed(change: Damage) -> Damage:
    """A change of the model as a change of its file."""

    def on_file(path: Path, some: random.Random) -> None:
        model = onnx.load_model_from_string(path.read_bytes())
        change(model, some)
        path.write_bytes(model.SerializeToString())

    on_file.__name__ = change.__name__
    return on_file


@_changed
def wrong_type(model: onnx.ModelProto, some: random.Random) -> None:
    """Constants and attributes of other types, data of another length than its shape."""
    tensor, kind = some.choice(_tensors(model)), some.randrange(6)
    if kind == 0:
        tensor.data_type = some.choice((0, 8, 14, 15, 16, 17, 21, 99, 2**31 - 1))
    elif kind == 1:
        tensor.raw_data = tensor.raw_data[: some.randrange(len(tensor.raw_data) + 1)]
        tensor.dims.append(3)
    elif kind == 2:
        _replaced(tensor, np.array([b"a", b"b"], object))
    elif kind == 3:
        _replaced(tensor, np.zeros((2, 3, 1, 2, 2), np.float32))
    elif kind == 4:
        _replaced(tensor, np.zeros(0, np.float32))
    else:
        node = some.choice(model.graph.node)
        name = some.choice(("axis", "kernel_shape", "pads", "strides", "group", "alpha", "signed"))
        kept = [one for one in node.attribute if one.name != name]
        del node.attribute[:]
        node.attribute.extend(kept)
        value = some.choice(("words", 1.5, [1.5], [-1], -7, [0, 0], [1] * 40, 2**40))
        node.attribute.append(onnx.helper.make_attribute(name, value))


@_changed
def no_number(model: onnx.ModelProto, some: random.Random) -> None:
    """NaN or infinity in a scale, or in any constant of reals."""
    reals = [
        one for one in _tensors(model) if one.data_type == TensorProto.FLOAT and one.dims != [0]
    ]
    tensor = some.choice(some.choice((_scalars(model), reals)))
    value = np.array(numpy_helper.to_array(tensor))
    value.reshape(-1)[some.randrange(value.size)] = some.choice((np.nan, np.inf, -np.inf))
    _replaced(tensor, value)


@_changed
def zero(model: onnx.ModelProto, some: random.Random) -> None:
    """A scale of 0, or below."""
    tensor = some.choice(_scalars(model))
    value = np.array(numpy_helper.to_array(tensor)) * some.choice((0, -1))
    _replaced(tensor, value.astype(np.float32))


@_changed
def dangling(model: onnx.ModelProto, some: random.Random) -> None:
    """Names that nobody makes, nodes that are gone, outputs that come twice."""
    graph, kind = model.graph, some.randrange(5)
    node = some.choice(graph.node)
    if kind == 0:
        node.input[some.randrange(len(node.input))] = some.choice(("nowhere", "", "é" * 900))
    elif kind == 1:
        del graph.node[some.randrange(len(graph.node) - 1)]
    elif kind == 2:
        graph.node.append(node)
    elif kind == 3:
        del graph.input[:]
    else:
        graph.output[0].name = "nowhere"


@_changed
def huge(model: onnx.ModelProto, some: random.Random) -> None:
    """Shapes beyond all memory, of constants and of the input."""
    tensor, size = some.choice(_tensors(model)), 1 << some.randrange(24, 62)
    kind = some.randrange(4)
    if kind == 0:
        tensor.dims[:] = [size] * max(1, len(tensor.dims))
    elif kind == 1:
        tensor.dims[:] = [1] * 2000 + [size]
    elif kind == 2:
        shape = model.graph.input[0].type.tensor_type.shape
        for each in shape.dim:
            each.dim_value = size
    else:
        node = some.choice([one for one in model.graph.node if one.attribute] or model.graph.node)
        for name in ("pads", "kernel_shape", "strides"):
            kept = [one for one in node.attribute if one.name != name]
            del node.attribute[:]
            node.attribute.extend(kept)
            node.attribute.append(onnx.helper.make_attribute(name, [size] * 4))


@_changed
def circles(model: onnx.ModelProto, some: random.Random) -> None:
    """Nodes that need what they make, at once or by way of others."""
    nodes = [one for one in model.graph.node if one.input]
    first = some.choice(nodes)
    after = [one for one in nodes if first.output[0] in one.input]
    first.input[0] = some.choice([first, *after]).output[0]


@_changed
def unknown(model: onnx.ModelProto, some: random.Random) -> None:
    """Operators that nobody knows, and graphs in attributes that hold graphs."""
    for node in some.sample(list(model.graph.node), 2):
        node.op_type = some.choice(("Sigmoid", "", "x" * 5000, "LSTM", "QLinearConv", "If"))
        if some.random() < 0.3:
            node.attribute.append(onnx.helper.make_attribute("body", model.graph))


@_changed
def elsewhere(model: onnx.ModelProto, some: random.Random) -> None:
    """Data that lies in another file."""
    tensor = some.choice(_tensors(model))
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (
        ("location", some.choice(("/etc/passwd", "../x", "nothing.bin", "", "a\x00b"))),
        ("offset", some.choice(("0", "-1", "x", "9" * 30))),
        ("length", some.choice(("4", "-4", "9" * 20))),
    ):
        tensor.external_data.add(key=key, value=value)


KINDS: tuple[Damage, ...] = (
    cut, flipped, wrong_type, no_number, zero, dangling, huge, circles, unknown, elsewhere,
)  # fmt: skip
#: kinds of damage that cannot be taken for sound
FATAL = ("zero", "circles", "elsewhere")
