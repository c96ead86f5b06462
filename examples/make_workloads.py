"""Makes the workloads of these studies: digits-mlp at several spike rates, and with weights of
fewer bits.

    python examples/make_workloads.py

Rates are set by the thresholds.  Weights of 4 and 2 bits are those of digits-mlp, rounded with a
scale per neuron (per layer where neurons are read out), and its thresholds, biases and initial
potentials with them.  Nothing is trained again.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from simulator import Workload, run
from simulator.describe.network import Network, Neuron, Projection

HERE = Path(__file__).resolve().parent / "workloads"
FACTORS = (0.3, 0.6, 1.0, 2.0, 4.0)
BITS = (4, 2)


def at_rate(factor: float) -> Workload:
    """Return digits-mlp with the thresholds of its hidden layers times a factor, named after the
    share of neurons and timesteps that spike.
    """
    whole = Workload.load("digits-mlp")
    populations = []
    for population in whole.network.populations:
        neuron = population.neuron
        if neuron is not None and neuron.model != "readout":
            threshold = np.maximum(np.rint(neuron.threshold * factor), 1).astype(np.int64)
            initial = np.rint(neuron.initial * factor).astype(np.int64)
            neuron = replace(neuron, threshold=threshold, initial=initial)
        populations.append(replace(population, neuron=neuron))
    network = Network(tuple(populations), whole.network.projections, whole.network.outputs)
    made = replace(whole, network=network)
    rates = [row["spike_rate"] for row in run(made, limit=50).populations()[1:-1]]
    percent = round(100 * sum(rates) / len(rates))
    return replace(
        made,
        name=f"rate-{percent}",
        about=f"digits-mlp with thresholds times {factor:g}: hidden neurons spike in {percent} % "
        f"of the timesteps.",
    )


def of_bits(bits: int) -> Workload:
    """Return digits-mlp with its weights rounded to so many bits."""
    whole = Workload.load("digits-mlp")
    network = whole.network
    projections, populations = [], list(network.populations)
    for projection in network.projections:
        neuron = populations[projection.target].neuron
        assert neuron is not None
        rounded, scaled = _rounded(projection, neuron, bits)
        projections.append(rounded)
        populations[projection.target] = replace(populations[projection.target], neuron=scaled)
    return replace(
        whole,
        name=f"digits-mlp-{bits}bit",
        network=Network(tuple(populations), tuple(projections), network.outputs),
        about=f"digits-mlp with its weights rounded to {bits} bits and not trained again.",
    )


def _rounded(projection: Projection, neuron: Neuron, bits: int) -> tuple[Projection, Neuron]:
    connection = projection.connection
    weight = connection.weight.astype(float)
    largest = np.abs(weight).max(axis=0)
    if neuron.model == "readout":
        largest = np.full_like(largest, largest.max())
    scale = np.maximum(largest, 1) / (2 ** (bits - 1) - 1)
    if bits >= connection.weight_bits:
        return projection, neuron
    small = np.rint(weight / scale).astype(np.int32)

    def scaled(numbers: np.ndarray) -> np.ndarray:
        return np.rint(numbers / scale).astype(np.int64)

    changes = {"bias": scaled(neuron.bias), "initial": scaled(neuron.initial)}
    if neuron.model != "readout":
        changes["threshold"] = np.maximum(scaled(neuron.threshold), 1)
    return (
        replace(projection, connection=replace(connection, weight=small, weight_bits=bits)),
        replace(neuron, **changes),
    )


def main() -> None:
    """Write every workload into its folder."""
    for workload in [*map(at_rate, FACTORS), *map(of_bits, BITS)]:
        folder = HERE / workload.name
        shutil.rmtree(folder, ignore_errors=True)
        workload.save(folder)
        print(f"{folder.name}: {workload.about}")


if __name__ == "__main__":
    main()
