"""Networks of a stated size and firing rate, written as workload files: what is measured comes in
through the front door.

Neurons that must fire at a given rate are driven by a bias of 1 against a threshold of one period,
and start at different phases.  Every potential is an integer far below 2**53, so floating-point
peers compute the same spikes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

#: the gesture network: channels, height, width of each population, and the stride that leads to it
GESTURE = (
    ((1, 32, 32), 1),
    ((16, 15, 15), 2),
    ((32, 13, 13), 1),
    ((64, 11, 11), 1),
    ((11, 9, 9), 1),
)
GESTURE_CLASSES = 11
GESTURE_CORES = (1, 8, 8, 22, 9, 1)
GESTURE_SYNAPSES = 3_564_441
#: the 1024 first neurons fire once in so many timesteps
GESTURE_PERIOD = 40
#: found so that the layers fire as often as the published network's on its example: 25, 23, 58,
#: 149, 46, 0.4 spikes per timestep
GESTURE_THRESHOLDS = (GESTURE_PERIOD, 187, 849, 1631, 2188, 13444)
KERNEL = 3
DEEP_BIAS = 4096
LIF_SIZES, LIF_CORES = (512, 256), (21, 11)


@dataclass(frozen=True)
class Written:
    """A workload on disk and its arrays in memory."""

    path: Path
    arrays: Mapping[str, np.ndarray]
    timesteps: int


def lif(folder: Path, period: int, timesteps: int, seed: int, inferences: int = 1) -> Written:
    """Write 512 neurons firing once per `period` timesteps, all to all with 256 neurons that fire
    as often; timesteps are those of one inference.

    The 512 sit on 21 cores, the 256 on 11: about 24 neurons each of 32 cores.
    """
    rng = np.random.default_rng(seed)
    first, second = LIF_SIZES
    weight = rng.integers(1, 128, (first, second)).astype(np.int8)
    phase = np.arange(first) % period + 1
    drive = weight.sum(dtype=np.int64) / second / period  # per neuron and timestep
    arrays: dict[str, Any] = {
        "silent": np.zeros((1, first), np.int8),
        "initial": period - phase,
        "weight": weight,
        "values": np.zeros((inferences, timesteps, 1), np.int8),
    }
    layers = [
        _layer(
            "first",
            _connection("dense", "silent"),
            threshold=period,
            initial="initial",
            bias=1,
            reset="zero",
        ),
        _layer(
            "second",
            _connection("dense", "weight"),
            threshold=int(drive * period),
            reset="subtract",
        ),
    ]
    edges = np.cumsum([0, *LIF_CORES])
    placement = {layer["name"]: list(range(a, b)) for layer, a, b in zip(layers, edges, edges[1:])}
    return _write(folder, "lif-512-256", [1], layers, arrays, placement, timesteps)


def gesture(folder: Path, timesteps: int, seed: int, path: str | None = None) -> Written:
    """Write a convolutional network of the size of a published gesture classifier: 18,678 neurons,
    3,564,441 synapses, 49 cores.

    path: an npz file with the real arrays conv1 .. conv4 (height, width, in, out), dense1 (in,
    out), inputs and thresholds, which are used instead.
    """
    rng = np.random.default_rng(seed)
    real = None if path is None else dict(np.load(path))
    first = GESTURE[0][0]
    arrays: dict[str, Any] = {
        "first.weight": np.zeros((1, 1, 1, 1), np.int8),
        "values": np.zeros((1, timesteps, 1024), np.int8),
    }
    if real is None:
        arrays["first.initial"] = rng.permutation(1024) % GESTURE_PERIOD
        arrays["first.bias"] = np.ones(1024, np.int64)
        thresholds = list(GESTURE_THRESHOLDS)
    else:
        arrays["first.initial"] = np.zeros(1024, np.int64)
        arrays["first.bias"] = real["inputs"].astype(np.int64)
        thresholds = [int(threshold) + 1 for threshold in real["thresholds"]]  # fires above
    convolution = _connection("convolution", "first.weight")
    layers = [
        _layer(
            "first",
            convolution,
            thresholds[0],
            initial="first.initial",
            bias="first.bias",
            reset="zero",
        )
    ]
    layers[0]["shape"] = list(first)
    for number, ((before, _), (shape, stride)) in enumerate(zip(GESTURE, GESTURE[1:]), start=1):
        size = (shape[0], before[0], KERNEL, KERNEL)
        weight = (
            _weights(rng, size) if real is None else real[f"conv{number}"].transpose(3, 2, 0, 1)
        )
        arrays[f"conv{number}.weight"] = np.ascontiguousarray(
            weight, np.int8 if real is None else np.int16
        )
        connection = _connection(
            "convolution", f"conv{number}.weight", 8 if real is None else 10, stride
        )
        layers.append(_layer(f"conv{number}", connection, thresholds[number], reset="zero"))
    last = GESTURE[-1][0]
    if real is None:
        arrays["dense.weight"] = _weights(rng, (int(np.prod(last)), GESTURE_CLASSES))
    else:  # its rows run over (y, x, channel)
        rows = real["dense1"].reshape(*last[1:], last[0], GESTURE_CLASSES).transpose(2, 0, 1, 3)
        arrays["dense.weight"] = rows.reshape(-1, GESTURE_CLASSES).astype(np.int16)
    layers.append(
        _layer(
            "dense",
            _connection("dense", "dense.weight", 8 if real is None else 10),
            thresholds[-1],
            reset="zero",
        )
    )
    edges = np.cumsum([0, *GESTURE_CORES])
    placement = {layer["name"]: list(range(a, b)) for layer, a, b in zip(layers, edges, edges[1:])}
    return _write(folder, "gesture", list(first), layers, arrays, placement, timesteps)


def leaking(folder: Path, neurons: int, timesteps: int) -> Written:
    """Write neurons that leak and never fire."""
    arrays = {
        "silent": np.zeros((1, neurons), np.int8),
        "values": np.zeros((1, timesteps, 1), np.int8),
    }
    layer = _layer("neurons", _connection("dense", "silent"), 1 << 20, bias=1, decay=41)
    return _write(folder, "leaking", [1], [layer], arrays, "auto", timesteps)


def deep(
    folder: Path,
    n_layers: int,
    width: int,
    neurons_per_core: int,
    period: int,
    timesteps: int,
    seed: int,
) -> Written:
    """Write a chain of layers of `width` neurons, all to all, in which about one neuron in `period`
    fires per timestep.

    Every synapse has a weight of its own, int8, (n_layers - 1) * width * width of them; the bias
    outweighs them.
    """
    rng = np.random.default_rng(seed)
    arrays: dict[str, Any] = {
        "silent": np.zeros((1, width), np.int8),
        "values": np.zeros((1, timesteps, 1), np.int8),
    }
    layers = []
    for number in range(n_layers):
        weight = f"weight{number}" if number else "silent"
        if number:
            arrays[weight] = rng.integers(-128, 128, (width, width), np.int8)
        arrays[f"initial{number}"] = DEEP_BIAS * rng.permutation(width) % (DEEP_BIAS * period)
        neuron = {"initial": f"initial{number}", "bias": DEEP_BIAS, "reset": "zero"}
        layers.append(
            _layer(f"layer{number}", _connection("dense", weight), DEEP_BIAS * period, **neuron)
        )
    return _write(folder, "deep", [1], layers, arrays, "auto", timesteps, neurons_per_core)


def sparse(folder: Path, neurons: int, fan_out: int, timesteps: int, seed: int) -> Written:
    """Write two layers of `neurons` (below 2**15), each of the first with `fan_out` int8 synapses
    onto the second.
    """
    rng = np.random.default_rng(seed)
    arrays: dict[str, Any] = {
        "silent": np.zeros((1, neurons), np.int8),
        "initial": rng.permutation(neurons) % DEEP_BIAS,
        "weight": rng.integers(-128, 128, neurons * fan_out, np.int8),
        "index": np.sort(rng.integers(0, neurons, (neurons, fan_out), np.int16), axis=1).ravel(),
        "start": np.arange(neurons + 1, dtype=np.int64) * fan_out,
        "values": np.zeros((1, timesteps, 1), np.int8),
    }
    second = {
        "kind": "sparse",
        "weight": "weight",
        "index": "index",
        "start": "start",
        "weight_bits": 8,
    }
    layers = [
        _layer(
            "first",
            _connection("dense", "silent"),
            DEEP_BIAS,
            initial="initial",
            bias=1,
            reset="zero",
        ),
        _layer("second", second, DEEP_BIAS) | {"shape": [neurons]},
    ]
    return _write(folder, "sparse", [1], layers, arrays, "auto", timesteps)


def _weights(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return int8 weights whose mean lets activity pass from layer to layer."""
    return np.clip(np.rint(rng.normal(12, 40, shape)), -127, 127).astype(np.int8)


def _connection(kind: str, weight: str, weight_bits: int = 8, stride: int = 1) -> dict[str, object]:
    return {"kind": kind, "weight": weight, "weight_bits": weight_bits} | (
        {"stride": stride} if kind == "convolution" else {}
    )


def _layer(name: str, connection: dict[str, object], threshold: int, **neuron: object) -> dict:
    return {
        "name": name,
        "connection": connection,
        "neuron": {"model": "lif", "threshold": threshold, **neuron},
    }


def _write(
    folder: Path,
    name: str,
    shape: list[int],
    layers: list[dict],
    arrays: Mapping[str, np.ndarray],
    placement: dict | str,
    timesteps: int,
    neurons_per_core: int | None = None,
) -> Written:
    document = {
        "schema_version": 1,
        "name": name,
        "about": "generated for a measurement",
        "arrays": "arrays.npz",
        "input": {"shape": shape, "bits": 1},
        "layers": layers,
        "stimulus": {"kind": "raster", "values": "values"},
        "twin": {"timesteps": timesteps, "firing": "streaming"},
        "mapping": {"placement": placement}
        | ({"neurons_per_core": neurons_per_core} if neurons_per_core else {}),
    }
    np.savez(folder / "arrays.npz", **arrays)  # type: ignore[arg-type]
    path = folder / "workload.yaml"
    path.write_text(yaml.safe_dump(document, default_flow_style=None, sort_keys=False, width=130))
    return Written(path, arrays, timesteps)
