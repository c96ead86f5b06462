"""Write digits-mlp as a quantised ONNX file: `python workloads/export_onnx.py`.

The file holds the same integers in the form QCDQ (QuantizeLinear, Clip, DequantizeLinear), so that
what is imported from it has the activations of the workload at its own T. A neuron of the workload
counts floor((V0 + T * I) / threshold); QuantizeLinear rounds to the nearest, so its sums are given
half a step less, and half a unit of the potential more, which keeps every sum off a half.
Needs onnx (`pip install -e '.[onnx]'`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from simulator.describe.workload import Workload

FOLDER = Path(__file__).parent
NAME = "digits-mlp"


def model(workload: Workload) -> onnx.ModelProto:
    """Return a chain of dense layers, the last of which is read, as an ONNX model."""
    network, steps = workload.network, workload.timesteps
    nodes: list[onnx.NodeProto] = []
    constants: list[onnx.TensorProto] = []

    def constant(name: str, value: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(kind: str, name: str, *inputs: str, **attributes: int) -> str:
        nodes.append(helper.make_node(kind, list(inputs), [name], name, **attributes))
        return name

    one, zero = constant("one", np.float32(1)), constant("zero", np.uint8(0))
    limit = constant("timesteps", np.uint8(steps))

    def whole(name: str, given: str, is_clipped: bool) -> str:
        codes = node("QuantizeLinear", f"{name}.codes", given, one, zero)
        if is_clipped:
            codes = node("Clip", f"{name}.clipped", codes, zero, limit)
        return node("DequantizeLinear", f"{name}.reals", codes, one, zero)

    x = node("Flatten", "flat", whole("image", "image", False))
    for number, (path, population) in enumerate(zip(network.projections, network.populations[1:])):
        neuron, name = population.neuron, population.name
        assert neuron is not None and path.connection.kind == "dense"
        enters = steps if number == 0 else 1  # a current enters in every timestep
        level = neuron.threshold.astype(float) if neuron.fires else np.ones(population.n_neurons)
        start = neuron.initial + steps * neuron.bias
        offset = (start + 0.5) / level - 0.5 if neuron.fires else start
        weight = constant(f"{name}.weight", path.connection.weight.astype(np.int8))
        scale = constant(f"{name}.scale", (enters / level).astype(np.float32))
        bias = constant(f"{name}.bias", offset.astype(np.float32))
        real = node("DequantizeLinear", f"{name}.weights", weight, scale, axis=1)
        x = node("Gemm", f"{name}.sums", x, real, bias)
        if neuron.fires:
            x = whole(name, x, True)
    shape = list(network.populations[0].shape)
    graph = helper.make_graph(
        nodes,
        NAME,
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["inferences", *shape])],
        [helper.make_tensor_value_info(x, TensorProto.FLOAT, ["inferences", 10])],
        constants,
    )
    made = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 21)], producer_name="spikemesh"
    )
    made.ir_version = 10
    onnx.checker.check_model(made)
    return made


def main() -> None:
    """Write the file, and say how large it is."""
    path = FOLDER / NAME / f"{NAME}.onnx"
    onnx.save(model(Workload.load(FOLDER / NAME)), path)
    print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
