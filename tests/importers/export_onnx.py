"""Writes tests/importers/data/onnx: small networks of the digits, quantised and exported by
onnxruntime and Brevitas, and the whole numbers those tools compute themselves on ten inputs.

In an environment of its own (data/onnx/requirements.txt): python tests/importers/export_onnx.py
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import brevitas.nn as qnn
import numpy as np
import onnx
import onnxruntime
import torch
from brevitas.export import export_onnx_qcdq, export_qonnx
from brevitas.quant import (
    Int8ActPerTensorFixedPoint,
    Int8WeightPerChannelFloat,
    Int8WeightPerTensorFixedPoint,
    Uint8ActPerTensorFloat,
)
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

HERE = Path(__file__).resolve().parent / "data" / "onnx"
INPUTS = 10


def data() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    digits = load_digits()
    images = (digits.images / 16).astype(np.float32)[:, None]
    return train_test_split(images, digits.target, test_size=0.25, random_state=0)


class Plain(nn.Module):
    """Two dense layers."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))

    def forward(self, x):
        return self.layers(x)


class Residual(nn.Module):
    """Convolutions, batch normalisation, both kinds of pooling, a residual sum."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.pool = nn.MaxPool2d(2)
        self.left = nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.right = nn.Conv2d(8, 8, 1)
        self.average = nn.AvgPool2d(3, 1)  # an odd area: no sum is a half of a step
        self.last = nn.Linear(32, 10)

    def forward(self, x):
        x = self.pool(torch.relu(self.norm(self.first(x))))
        x = torch.relu(self.left(x) + self.right(x))
        return self.last(torch.flatten(self.average(x), 1))


class QuantPlain(nn.Module):
    """The two dense layers in Brevitas, activations of so many bits, scales per channel."""

    def __init__(self, bits: int) -> None:
        super().__init__()
        self.entry = qnn.QuantIdentity(
            bit_width=8, act_quant=Uint8ActPerTensorFloat, return_quant_tensor=True
        )
        per_channel = {"weight_quant": Int8WeightPerChannelFloat, "weight_bit_width": 4}
        self.first = qnn.QuantLinear(64, 32, bias=True, **per_channel)
        self.middle = qnn.QuantReLU(bit_width=bits, return_quant_tensor=True)
        self.last = qnn.QuantLinear(32, 10, bias=True, **per_channel)

    def forward(self, x):
        return self.last(self.middle(self.first(self.entry(torch.flatten(x, 1)))))


class QuantResidual(nn.Module):
    """A residual network in Brevitas; every scale is a power of two, so halves occur."""

    def __init__(self, bits: int) -> None:
        super().__init__()
        fixed = {"weight_quant": Int8WeightPerTensorFixedPoint, "weight_bit_width": 6}
        signed = {"act_quant": Int8ActPerTensorFixedPoint, "return_quant_tensor": True}
        self.entry = qnn.QuantIdentity(bit_width=8, **signed)
        self.first = qnn.QuantConv2d(1, 8, 3, padding=1, bias=False, **fixed)
        self.norm = nn.BatchNorm2d(8)
        self.one = qnn.QuantReLU(bit_width=bits, return_quant_tensor=True)
        self.pool = nn.MaxPool2d(2)
        self.left = qnn.QuantConv2d(8, 8, 3, padding=1, bias=True, **fixed)
        self.sum_of = qnn.QuantIdentity(bit_width=bits, **signed)
        self.two = qnn.QuantReLU(bit_width=bits, return_quant_tensor=True)
        self.last = qnn.QuantLinear(128, 10, bias=True, **fixed)

    def forward(self, x):
        x = self.one(self.norm(self.first(self.entry(x))))
        x = self.pool(x)
        x = self.two(self.sum_of(self.left(x)) + self.sum_of(x))
        return self.last(torch.flatten(x, 1))


def trained(model: nn.Module, images: np.ndarray, labels: np.ndarray, epochs: int) -> nn.Module:
    torch.manual_seed(1)
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    x, y = torch.from_numpy(images), torch.from_numpy(labels)
    for _ in range(epochs):
        for part in torch.randperm(len(x)).split(64):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(x[part]), y[part]).backward()
            optimiser.step()
    return model.eval()


class Reader(CalibrationDataReader):
    def __init__(self, images: np.ndarray) -> None:
        self.rows = iter([{"x": image[None]} for image in images])

    def get_next(self):
        return next(self.rows, None)


def by_onnxruntime(name: str, model: nn.Module, images, calibration, labels, **how) -> None:
    """Export, quantise statically to QDQ, and run every tensor of whole numbers."""
    with tempfile.TemporaryDirectory() as folder:
        plain, ready = Path(folder) / "plain.onnx", Path(folder) / "ready.onnx"
        torch.onnx.export(
            model,
            (torch.from_numpy(images[:1]),),
            plain,
            input_names=["x"],
            output_names=["y"],
            dynamo=False,
            dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}},
        )
        quant_pre_process(plain, ready)
        path = HERE / f"{name}.onnx"
        quantize_static(ready, path, Reader(calibration), quant_format=QuantFormat.QDQ, **how)
    exported = onnx.load(path)
    del exported.metadata_props[:]
    exported.ir_version = 10
    onnx.save(exported, path)
    whole = [
        (node.output[0], node.input[2])
        for node in exported.graph.node
        if node.op_type == "QuantizeLinear"
        and node.input[0] not in {one.name for one in exported.graph.initializer}
    ]
    kinds = {one.name: one.data_type for one in exported.graph.initializer}
    for tensor, zero in whole:
        exported.graph.output.append(onnx.helper.make_tensor_value_info(tensor, kinds[zero], None))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(exported.SerializeToString(), options)
    shown = images[:INPUTS]
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(names, {"x": shown})))
    right = (session.run(["y"], {"x": images})[0].argmax(1) == labels).mean()
    np.savez_compressed(
        HERE / f"{name}.npz",
        inputs=shown,
        labels=labels[:INPUTS],
        output=found["y"],
        output_codes=whole[-1][0],
        **{f"codes.{tensor}": found[tensor] for tensor, _ in whole},
    )
    print(f"{name}: {right:.2%} of {len(images)} by onnxruntime, {path.stat().st_size} bytes")


def by_brevitas(name: str, model: nn.Module, images, labels, export, layers: list[str]) -> None:
    """Export, and keep the whole numbers that the layers give."""
    path = HERE / f"{name}.onnx"
    seen: dict[str, list[np.ndarray]] = {}

    def keep(layer: str):
        def hook(_, given, made):
            seen.setdefault(layer, []).append(made.int(float_datatype=False).numpy())

        return hook

    export(
        model,
        args=torch.from_numpy(images[:1]),
        export_path=str(path),
        dynamo=False,
        input_names=["x"],
        output_names=["y"],
        dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}},
    )
    exported = onnx.load(path)
    exported.ir_version = min(exported.ir_version, 10)
    for node in exported.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    onnx.save(exported, path)
    hooks = [getattr(model, layer).register_forward_hook(keep(layer)) for layer in layers]
    with torch.no_grad():
        output = model(torch.from_numpy(images[:INPUTS]))
    for hook in hooks:
        hook.remove()
    with torch.no_grad():
        right = (model(torch.from_numpy(images)).argmax(1).numpy() == labels).mean()
    codes = {
        f"codes.{place}.{layer}": array
        for place, (layer, array) in enumerate(
            (layer, array) for layer in layers for array in seen[layer]
        )
    }
    np.savez_compressed(
        HERE / f"{name}.npz",
        inputs=images[:INPUTS],
        labels=labels[:INPUTS],
        output=np.asarray(getattr(output, "value", output)),
        **codes,
    )
    print(f"{name}: {right:.2%} of {len(images)} by Brevitas, {path.stat().st_size} bytes")


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    HERE.mkdir(parents=True, exist_ok=True)
    train, test, labels, right = data()
    torch.manual_seed(0)
    plain = trained(Plain(), train, labels, 10)
    residual = trained(Residual(), train, labels, 10)
    few = train[:200]
    by_onnxruntime(
        "onnxruntime-mlp",
        plain,
        test,
        few,
        right,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    by_onnxruntime(
        "onnxruntime-residual",
        residual,
        test,
        few,
        right,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    by_onnxruntime(
        "onnxruntime-symmetric",
        residual,
        test,
        few,
        right,
        per_channel=False,
        activation_type=QuantType.QInt8,
        weight_type=QuantType.QInt8,
        extra_options={"ActivationSymmetric": True},
    )
    for bits in (3, 4):
        torch.manual_seed(0)
        model = trained(QuantPlain(bits), train, labels, 10)
        name, export = {3: ("qonnx", export_qonnx), 4: ("qcdq", export_onnx_qcdq)}[bits]
        by_brevitas(f"brevitas-{name}-mlp", model, test, right, export, ["entry", "middle"])
    torch.manual_seed(0)
    model = trained(QuantResidual(4), train, labels, 10)
    layers = ["entry", "one", "pool", "sum_of", "two"]
    by_brevitas("brevitas-qonnx-residual", model, test, right, export_qonnx, layers)
    by_brevitas("brevitas-qcdq-residual", model, test, right, export_onnx_qcdq, layers)


if __name__ == "__main__":
    main()
