"""Makes workloads/vgg16-cifar and workloads/shd-like: networks of real size with drawn weights.

    python workloads/make_drawn.py

Weights and stimuli are drawn from seeds when the workloads are loaded (`drawn` in their files).
What is searched here are thresholds and biases, layer by layer, so that the layers fire at the
rates that were published: with random weights a network computes nothing, but it works as hard.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from simulator.describe.drawn import DrawnArray  # noqa: E402

HERE = Path(__file__).resolve().parent
#: VGG16 on CIFAR-10 at T = 4: spikes per neuron and timestep, and neurons that fire at all
#: (Yan 2024, arXiv:2409.08290, Table II; simulator/analytic/constants.py)
RATE, DENSITY, TIMESTEPS = 0.0643, 0.1652, 4
#: the same for each T, at which activity is drawn: T, spike rate, density
PUBLISHED = ((3, 0.0549, 0.1222), (4, RATE, DENSITY), (5, 0.0710, 0.1989), (6, 0.0773, 0.2298),
             (7, 0.0819, 0.2545), (8, 0.0852, 0.2739))  # fmt: skip
CONVOLUTIONS = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)
#: hidden layers of the network on the Spiking Heidelberg Digits fire in 8 to 11 % of timesteps
SPEECH_RATE, SPEECH_STEPS, SPEECH_DECAY = 0.095, 50, 410


def drawn(**keys) -> np.ndarray:
    """Return a drawn array as floats."""
    return DrawnArray(**keys).array("drawn").astype(np.float64)


def convolved(weight: np.ndarray, spikes: np.ndarray) -> np.ndarray:
    """Return the currents of a 3 x 3 convolution with padding 1 for every timestep."""
    padded = np.pad(spikes, ((0, 0), (0, 0), (1, 1), (1, 1)))
    high, wide = spikes.shape[2:]
    total = 0.0
    for y in range(3):
        for x in range(3):
            part = padded[:, :, y : y + high, x : x + wide]
            total = total + np.einsum("oc,tcyx->toyx", weight[:, :, y, x], part, optimize=True)
    return total


def fired(current: np.ndarray, threshold: float, bias: float, decay: int = 0) -> np.ndarray:
    """Return the spikes of integrate-and-fire neurons, (timesteps, ...) of 0 and 1."""
    potential, spikes = np.zeros(current.shape[1:]), np.zeros(current.shape)
    for step, come in enumerate(current):
        potential = potential - np.floor(potential * decay / 4096) + come + bias
        spikes[step] = potential >= threshold
        potential -= spikes[step] * threshold
    return spikes


def tuned(current: np.ndarray) -> tuple[int, int, np.ndarray]:
    """Return threshold and bias with which RATE of the places and DENSITY of the neurons fire."""
    spread = float(current.std()) + 1
    best: tuple[float, int, int] = (np.inf, 1, 0)
    for threshold in np.geomspace(0.4, 6, 24) * spread:
        low, high = -4 * spread, 4 * spread
        for _ in range(14):  # the bias for the rate
            bias = (low + high) / 2
            low, high = (
                (bias, high) if fired(current, threshold, bias).mean() < RATE else (low, bias)
            )
        spikes = fired(current, round(threshold), round(bias))
        off = abs(spikes.mean() / RATE - 1) + abs(spikes.any(0).mean() / DENSITY - 1)
        best = min(best, (off, max(1, round(threshold)), round(bias)))
    return best[1], best[2], fired(current, best[1], best[2])


def vgg() -> dict:
    """Return the tree of vgg16-cifar."""
    arrays: dict[str, dict] = {
        "images": {"shape": [2, 3, 32, 32], "low": 0, "high": 255, "seed": 100}
    }
    layers: list[dict] = []
    image = drawn(**arrays["images"])[0]
    spikes = np.repeat(image[None], TIMESTEPS, axis=0)
    side, depth, number = 32, 3, 0
    wide = [width for width in CONVOLUTIONS if width]
    pooled = {
        sum(1 for width in CONVOLUTIONS[:place] if width)
        for place, width in enumerate(CONVOLUTIONS)
        if not width
    }
    for number, width in enumerate(wide, start=1):
        name, keys = f"conv{number}", {"low": -63, "high": 63, "seed": number}
        arrays[name] = {"shape": [width, depth, 3, 3], **keys}
        current = convolved(drawn(**arrays[name]), spikes)
        layer: dict = {"name": name}
        if number in pooled:
            shape = current.shape
            current = current.reshape(*shape[:2], shape[2] // 2, 2, shape[3] // 2, 2).max((3, 5))
            side //= 2
        threshold, bias, spikes = tuned(current)
        print(f"{name}: {spikes.mean():.2%} {spikes.any(0).mean():.2%} {threshold} {bias}")
        layer |= {"shape": [width, side, side], "connection": {
            "kind": "convolution", "weight": name, "weight_bits": 8, "stride": 1, "padding": 1,
        }}  # fmt: skip
        if number in pooled:
            layer["pool"] = {"kind": "max", "size": 2}
        layers.append(layer | {"neuron": cells(threshold, bias)})
        depth = width
    spikes = spikes.reshape(TIMESTEPS, -1)
    for number, width in enumerate((512, 512), start=1):
        name = f"dense{number}"
        arrays[name] = {"shape": [512, width], "low": -63, "high": 63, "seed": 20 + number}
        threshold, bias, spikes = tuned(spikes @ drawn(**arrays[name]))
        layers.append({"name": name, "shape": [width], "connection": {
            "kind": "dense", "weight": name, "weight_bits": 8,
        }, "neuron": cells(threshold, bias)})  # fmt: skip
    arrays["output"] = {"shape": [512, 10], "low": -63, "high": 63, "seed": 23}
    layers.append({"name": "output", "shape": [10], "connection": {
        "kind": "dense", "weight": "output", "weight_bits": 8,
    }, "neuron": {"model": "readout"}})  # fmt: skip
    return {
        "schema_version": 1,
        "name": "vgg16-cifar",
        "about": (
            "The geometry of VGG16 for 32x32x3 images: 13 convolutions, 5 max-pools, three dense "
            "layers, 15 million int8 weights. Weights and images are drawn from seeds; so is who "
            "fires at T = 3 to 8, at the spike rates and densities published for CIFAR-10 (Yan "
            "2024, Table II). At other T activity is computed, with thresholds and biases that "
            "spike at the published rate at T = 4. Made by workloads/make_drawn.py."
        ),
        "drawn": arrays,
        "input": {"shape": [3, 32, 32], "bits": 8},
        "layers": layers,
        "stimulus": {"kind": "current", "values": "images"},
        "twin": {
            "timesteps": TIMESTEPS,
            "firing": "streaming",
            "activity": {
                "source": "Yan 2024, arXiv:2409.08290, Table II: VGG16 on CIFAR-10",
                "seed": 200,
                "at": [
                    {"timesteps": steps, "spike_rate": rate, "density": density}
                    for steps, rate, density in PUBLISHED
                ],
            },
        },
        "mapping": {"placement": "auto"},
    }


def cells(threshold: int, bias: int) -> dict:
    """Return the keys of integrate-and-fire neurons."""
    return {"model": "if", "threshold": threshold, "bias": bias, "reset": "subtract",
            "compare": ">=", "potential_bits": 24}  # fmt: skip


def speech() -> dict:
    """Return the tree of shd-like."""
    arrays: dict[str, dict] = {
        "raster": {"shape": [4, SPEECH_STEPS, 700], "low": 1, "high": 1, "seed": 50, "share": 0.03}
    }
    layers, width = [], 700
    spikes = drawn(**arrays["raster"])[0]
    for number, (name, size) in enumerate((("hidden1", 512), ("hidden2", 256), ("output", 20))):
        arrays[name] = {"shape": [width, size], "low": -24, "high": 31, "seed": 51 + number}
        current, low, high = spikes @ drawn(**arrays[name]), 1.0, 20000.0
        for _ in range(30):
            middle = (low + high) / 2
            rate = fired(current, round(middle), 0, SPEECH_DECAY).mean()
            low, high = (middle, high) if rate > SPEECH_RATE else (low, middle)
        spikes = fired(current, round(high), 0, SPEECH_DECAY)
        print(f"{name}: {spikes.mean():.2%} {round(high)}")
        layers.append({"name": name, "shape": [size], "connection": {
            "kind": "dense", "weight": name, "weight_bits": 8,
        }, "neuron": {"model": "lif", "threshold": round(high), "decay": SPEECH_DECAY,
                      "reset": "subtract", "compare": ">=", "potential_bits": 24}})  # fmt: skip
        width = size
    return {
        "schema_version": 1,
        "name": "shd-like",
        "about": (
            "A 700-512-256-20 network of leaky integrate-and-fire neurons, as large as for the "
            "Spiking Heidelberg Digits, over 50 timesteps: drawn int8 weights and a drawn raster, "
            "thresholds with which every layer fires in 8 to 11 % of timesteps. Made by "
            "workloads/make_drawn.py."
        ),
        "drawn": arrays,
        "input": {"shape": [700], "bits": 1},
        "layers": layers,
        "stimulus": {"kind": "raster", "values": "raster"},
        "twin": {"timesteps": SPEECH_STEPS, "firing": "streaming"},
        "mapping": {"placement": "auto"},
    }


if __name__ == "__main__":
    for tree in (speech(), vgg()):
        folder = HERE / str(tree["name"])
        folder.mkdir(exist_ok=True)
        text = yaml.safe_dump(tree, sort_keys=False, width=110, default_flow_style=None)
        (folder / "workload.yaml").write_text(text)
