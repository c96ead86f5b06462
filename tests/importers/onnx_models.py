"""Small quantised ONNX models, written node by node."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator


class Model:
    """A model while it is written; methods add nodes and return the name of what they make."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.whole: list[tuple[str, int]] = []  # tensors of whole numbers that flow, and types

    def constant(self, value, name: str | None = None) -> str:
        name = name or f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, kind: str, *inputs: str, domain: str = "", **attributes) -> str:
        name = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(kind, list(inputs), [name], name, domain=domain, **attributes)
        )
        return name

    def quantised(self, x: str, scale: float, zero, clip: tuple[int, int] | None = None) -> str:
        """Quantise and dequantise; with a clip between them (QCDQ) where one is given."""
        step, point = self.constant(np.float32(scale)), self.constant(zero)
        codes = self.node("QuantizeLinear", x, step, point)
        kind = TensorProto.UINT8 if zero.dtype == np.uint8 else TensorProto.INT8
        if clip is not None:
            low, high = (self.constant(np.array(one, zero.dtype)) for one in clip)
            codes = self.node("Clip", codes, low, high)
        self.whole.append((codes, kind))
        return self.node("DequantizeLinear", codes, step, point)

    def weights(self, shape, scale, axis: int = 0, bits: int = 8) -> str:
        half = 2 ** (bits - 1)
        values = self.rng.integers(-half + 1, half, shape).astype(np.int8)
        return self.node(
            "DequantizeLinear",
            self.constant(values),
            self.constant(np.asarray(scale, np.float32)),
            axis=axis,
        )

    def floats(self, *shape: int, low: float = -0.3, high: float = 0.3) -> str:
        return self.constant(self.rng.uniform(low, high, shape).astype(np.float32))

    def scales(self, n: int) -> np.ndarray:
        return self.rng.uniform(0.001, 0.01, n)

    def proto(self, shape: tuple[int, ...], output: str, opset: int = 21) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes,
            "graph",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *shape])],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
            self.constants,
        )
        domains = {"": opset, "qonnx.custom_op.general": 1}
        imports = [helper.make_opsetid(name, version) for name, version in domains.items()]
        return helper.make_model(graph, opset_imports=imports)

    def evaluated(self, proto: onnx.ModelProto, x: np.ndarray) -> dict[str, np.ndarray]:
        """Every tensor of whole numbers and the output, by the reference evaluator of onnx."""
        shown = onnx.ModelProto()
        shown.CopyFrom(proto)
        for name, kind in self.whole:
            shown.graph.output.append(helper.make_tensor_value_info(name, kind, None))
        names = [output.name for output in shown.graph.output]
        return dict(zip(names, ReferenceEvaluator(shown).run(None, {"x": x})))


def residual() -> tuple[Model, onnx.ModelProto]:
    """QDQ: asymmetric codes, scales per channel, an unfolded batch normalisation of both signs,
    groups, both kinds of pooling, a residual sum."""
    m = Model()
    x = m.quantised("x", 0.013, np.uint8(114))
    x = m.node("Conv", x, m.weights((6, 2, 3, 3), m.scales(6)), m.floats(6), pads=[1, 1, 1, 1])
    normal = (m.floats(6, low=-1, high=1), m.floats(6), m.floats(6), m.floats(6, low=0.5, high=2))
    x = m.node("Relu", m.node("BatchNormalization", x, *normal))
    x = m.quantised(x, 0.021, np.uint8(0))
    x = m.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = m.quantised(x, 0.021, np.uint8(0))
    y = m.node(
        "Conv", x, m.weights((6, 3, 3, 3), m.scales(6)), m.floats(6), pads=[1, 1, 1, 1], group=2
    )
    y = m.quantised(y, 0.031, np.uint8(120))
    x = m.quantised(m.node("Relu", m.node("Add", x, y)), 0.017, np.uint8(3))
    x = m.quantised(
        m.node("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2]), 0.012, np.uint8(5)
    )
    x = m.node("Flatten", x)
    x = m.node("Gemm", x, m.weights((10, 24), m.scales(10)), m.floats(10), transB=1)
    x = m.quantised(x, 0.05, np.uint8(128))
    return m, m.proto((2, 8, 8), x)


def halves() -> tuple[Model, onnx.ModelProto]:
    """QCDQ with scales that are powers of two, so that many sums are halves; 4 and 3 bits."""
    m = Model(1)
    x = m.quantised("x", 2.0**-5, np.int8(0))
    x = m.node("Relu", m.node("MatMul", x, m.weights((12, 16), 2.0**-4, bits=3)))
    x = m.quantised(x, 2.0**-2, np.uint8(0), clip=(0, 15))
    x = m.node("MatMul", x, m.weights((16, 16), 2.0**-3, bits=4))
    x = m.node("Add", x, m.constant(np.full(16, 0.125, np.float32)))
    x = m.quantised(x, 2.0**-2, np.int8(3), clip=(-8, 7))
    x = m.node("Gemm", x, m.weights((16, 4), 2.0**-4, bits=4), m.floats(4))
    return m, m.proto((12,), x)


def averaged() -> tuple[Model, onnx.ModelProto]:
    """QDQ: a dilated strided convolution, a global average without a quantiser behind it, levels
    that differ (symmetric codes)."""
    m = Model(2)
    x = m.quantised("x", 0.02, np.int8(-5))
    x = m.node(
        "Conv", x, m.weights((4, 1, 3, 2), m.scales(4)), m.floats(4),
        pads=[2, 0, 2, 0], strides=[2, 1], dilations=[2, 1],
    )  # fmt: skip
    x = m.quantised(m.node("Relu", x), 0.004, np.int8(0))
    y = m.node("Conv", x, m.weights((4, 4, 1, 1), m.scales(4)), m.floats(4))
    y = m.quantised(y, 0.006, np.int8(0))
    x = m.node("Flatten", m.node("GlobalAveragePool", y))
    x = m.node("Gemm", x, m.weights((4, 3), m.scales(3), axis=1), m.floats(3))
    return m, m.proto((1, 7, 6), x)


MODELS = {"residual": residual, "halves": halves, "averaged": averaged}
