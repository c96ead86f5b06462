"""Make the two workloads that are no chains: `python workloads/make_graphs.py`.

digits-residual: a convolution and two residual blocks, the second with stride 2 and a 1x1
convolution beside it. digits-recurrent: 64 inputs, 40 two-state neurons that feed themselves a
timestep later, 7 readouts. Weights are drawn with a seed; only the readouts are fitted, by ridge
regression on what the drawn part sends for the first images of digits-mlp's stimulus. The
other images are the workload's own. The script prints how many of them are read right.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from simulator.behaviour.raster import run
from simulator.describe.connections import Connection
from simulator.describe.network import (
    Feed,
    Network,
    Neuron,
    Population,
    Projection,
    Stimulus,
    fed,
)
from simulator.describe.workload import Workload

FOLDER = Path(__file__).parent
SEED = 11
RESIDUAL_STEPS, RECURRENT_STEPS = 4, 16
#: images of the stimulus; all others fit the readout
RESIDUAL_IMAGES, RECURRENT_IMAGES = 120, 80
CLASSES = 7


def drawn(rng: np.random.Generator, *shape: int, gain: float = 40) -> np.ndarray:
    """Return int8 weights of a normal distribution."""
    return np.clip(np.round(rng.normal(0, gain, shape)), -127, 127).astype(np.int8)


def spiking(n: int, threshold: int) -> Neuron:
    """Return n neurons that a twin can have, half a threshold above 0."""
    level = np.full(n, threshold)
    return Neuron("if", level, level // 2, np.zeros(n, np.int64), potential_bits=24)


def fitted(features: np.ndarray, labels: np.ndarray, classes: int, ridge: float) -> np.ndarray:
    """Return int8 readout weights (features, classes) by ridge regression on the classes."""
    wanted = np.eye(classes)[labels] - 1 / classes
    centred = features - features.mean(0)
    square = centred.T @ centred + ridge * np.eye(features.shape[1])
    weight = np.linalg.solve(square, centred.T @ wanted)
    return np.clip(np.round(weight * 127 / abs(weight).max()), -127, 127).astype(np.int8)


def readout(
    network: Network, source: int, weight: np.ndarray, features: np.ndarray, **more: object
) -> Network:
    """Return the network with a readout of those weights, as high on average for each class."""
    n = weight.shape[1]
    bias = -np.round((features @ weight).mean(0)).astype(np.int64)
    cell = Neuron("readout", np.ones(n, np.int64), bias, np.zeros(n, np.int64), **more)  # type: ignore[arg-type]
    joined = Connection("dense", weight, 8, network.populations[source].shape, (n,))
    last = len(network.populations)
    return Network(
        (*network.populations, Population("output", (n,), cell)),
        (*network.projections, Projection(source, last, joined)),
        (last,),
    )


def residual(images: np.ndarray) -> Network:
    """Return the network without its readout; thresholds leave a share of the neurons active."""
    rng = np.random.default_rng(SEED)
    small, large = (8, 8, 8), (16, 4, 4)
    plan: list[tuple[str, tuple[int, ...], list[tuple[int, Connection]]]] = [
        ("stem", small, [(0, kernel(rng, (1, 8, 8), 8))]),
        ("block1.inner", small, [(1, kernel(rng, small, 8))]),
        ("block1", small, [(2, kernel(rng, small, 8)), (1, identity(small, 60))]),
        ("block2.inner", large, [(3, kernel(rng, small, 16, 3, 2, 1))]),
        ("block2", large, [(4, kernel(rng, large, 16)), (3, kernel(rng, small, 16, 1, 2, 0))]),
    ]
    network = Network((Population("image", (1, 8, 8)),), (), (0,))
    for name, shape, ways in plan:
        number, n = len(network.populations), int(np.prod(shape))
        paths = tuple(Projection(source, number, joined) for source, joined in ways)
        zeros = np.zeros(n, np.int64)
        populations, paths = network.populations, (*network.projections, *paths)
        silent = Neuron("readout", zeros + 1, zeros, zeros)
        network = Network((*populations, Population(name, shape, silent)), paths, (number,))
        total = run(network, fed("current", images, 5), "qnn", RESIDUAL_STEPS).outputs
        threshold = max(1, int(np.percentile(total, 97)) // RESIDUAL_STEPS)
        cells = Population(name, shape, spiking(n, threshold))
        network = Network((*populations, cells), paths, (number,))
    return network


def kernel(
    rng: np.random.Generator,
    shape: tuple[int, ...],
    channels: int,
    size: int = 3,
    stride: int = 1,
    padding: int = 1,
) -> Connection:
    """Return a drawn convolution."""
    weight = drawn(rng, channels, shape[0], size, size)
    sides = [(side + 2 * padding - size) // stride + 1 for side in shape[1:]]
    after = (channels, *sides)
    return Connection("convolution", weight, 8, shape, after, stride, padding)


def identity(shape: tuple[int, ...], weight: int) -> Connection:
    """Return a residual path: every neuron to its own place."""
    n = int(np.prod(shape))
    return Connection("one-to-one", np.full(n, weight, np.int8), 8, shape, shape)


def recurrent() -> Network:
    """Return 64 inputs and 40 two-state neurons that feed themselves after one timestep."""
    rng, n = np.random.default_rng(SEED), 40
    zeros = np.zeros(n, np.int64)
    cells = Neuron(
        "cuba-lif", zeros + 400, zeros, zeros, decay=410, current_decay=1024, potential_bits=24,
        current_bits=20,
    )  # fmt: skip
    inside = Connection("dense", drawn(rng, 64, n, gain=30), 8, (64,), (n,))
    around = Connection("dense", drawn(rng, n, n, gain=20), 8, (n,), (n,))
    populations = Population("events", (64,)), Population("hidden", (n,), cells)
    return Network(populations, (Projection(0, 1, inside), Projection(1, 1, around, delay=1)), (1,))


def make_residual(images: np.ndarray, labels: np.ndarray) -> Workload:
    """Return digits-residual."""
    network, own = residual(images[RESIDUAL_IMAGES:]), slice(None, RESIDUAL_IMAGES)
    features = run(network, fed("current", images, 5), "qnn", RESIDUAL_STEPS).outputs
    known = features[RESIDUAL_IMAGES:].astype(float)
    weight = fitted(known, labels[RESIDUAL_IMAGES:], 10, ridge=300)
    network = readout(network, len(network.populations) - 1, weight, known)
    return Workload(
        "digits-residual", network, fed("current", images[own], 5, labels[own]), RESIDUAL_STEPS,
        about=ABOUT["residual"],
    )  # fmt: skip


def make_recurrent(images: np.ndarray, labels: np.ndarray) -> Workload:
    """Return digits-recurrent: a pixel of value v spikes in a timestep with probability v / 32."""
    few = labels < CLASSES
    images, labels = images[few], labels[few]
    rng, network = np.random.default_rng(SEED), recurrent()
    spikes = rng.random((len(images), RECURRENT_STEPS, 64)) * 32 < images[:, None, :]
    raster = spikes.astype(np.int32)
    features = run(network, fed("raster", raster, 1), "snn", RECURRENT_STEPS).outputs
    known = features[RECURRENT_IMAGES:].astype(float)
    weight = fitted(known, labels[RECURRENT_IMAGES:], CLASSES, ridge=30)
    network = readout(network, 1, weight, known)
    own = slice(None, RECURRENT_IMAGES)
    stimulus = Stimulus((Feed("raster", raster[own], 1),), labels[own])
    return Workload(
        "digits-recurrent", network, stimulus, RECURRENT_STEPS, about=ABOUT["recurrent"]
    )


ABOUT = {
    "residual": "A convolution and two residual blocks on 120 of digits-mlp's images: 8x8x8, then "
    "16x4x4 with a 1x1 convolution beside it; drawn weights, a fitted readout. Made by "
    "workloads/make_graphs.py.",
    "recurrent": "A recurrent network 64-40-7 of two-state LIF neurons that feed themselves after "
    "one timestep, on spikes drawn from 80 of digits-mlp's images of 0 to 6; drawn weights, a "
    "fitted readout. Made by workloads/make_graphs.py.",
}


def main() -> None:
    """Write both folders and print the share of images read right."""
    given = Workload.load(FOLDER / "digits-mlp")
    images, labels = given.stimulus.feeds[0].values, given.stimulus.labels
    assert labels is not None
    for workload in (make_residual(images, labels), make_recurrent(images, labels)):
        folder = FOLDER / workload.name
        shutil.rmtree(folder, ignore_errors=True)
        workload.save(folder)
        modes = ("snn", "qnn") if workload.name == "digits-residual" else ("snn",)
        for mode in modes:
            raster = run(workload.network, workload.stimulus, mode, workload.timesteps)  # type: ignore[arg-type]
            rate = f"rate {raster.spike_rate:.1%}, {raster.overflows} overflows"
            print(f"{workload.name} {mode}: {raster.accuracy:.1%} right, {rate}")


if __name__ == "__main__":
    main()
