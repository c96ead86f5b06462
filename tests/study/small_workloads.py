"""Workloads small enough to work out by hand, and small random ones, as one neuron per core of a
mesh allows.
"""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from simulator.describe.connections import Connection
from simulator.describe.network import Layer, Network, Neuron, Stimulus, chain, fed
from simulator.describe.workload import Workload


def workload(network: Network, stimulus: Stimulus, timesteps: int, **changes) -> Workload:
    """Return network and stimulus as a workload with one neuron per core."""
    how = {"neurons_per_core": 1} | changes
    return Workload("small", network, stimulus, timesteps, **how)


def dense(weight, threshold: int, bits: int = 8) -> Layer:
    """Return a dense layer of integrate-and-fire neurons."""
    weight = np.array(weight, np.int32)
    n_in, n = weight.shape
    neuron = Neuron("if", np.full(n, threshold), np.zeros(n, np.int64), np.zeros(n, np.int64))
    return Layer("out", (n,), Connection("dense", weight, bits, (n_in,), (n,)), neuron)


def raster(values) -> Stimulus:
    """Return spikes (inferences, timesteps, inputs)."""
    return fed("raster", np.array(values, np.int32), 1)


@st.composite
def random_workloads(
    draw: st.DrawFn, kinds: tuple[str, ...] = ("dense", "sparse", "convolution")
) -> Workload:
    """Return one to three random layers, driven by spikes or by currents."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape: tuple[int, ...] = draw(st.sampled_from([(5,), (1, 3, 2), (2, 2, 2)]))
    first, layers, depth = shape, [], draw(st.integers(1, 3))
    for number in range(depth):
        possible = [kind for kind in kinds if len(shape) == 3 or kind != "convolution"]
        connection = _connection(
            rng, draw(st.sampled_from(possible)), shape, draw(st.integers(1, 6))
        )
        shape, n = connection.output_shape, connection.n_out
        model = draw(st.sampled_from(["if", "readout"])) if number + 1 == depth else "if"
        neuron = Neuron(
            model, rng.integers(1, 120, n), rng.integers(0, 50, n), rng.integers(-9, 10, n)
        )
        layers.append(Layer(f"layer{number + 1}", shape, connection, neuron))
    inferences, timesteps, n_inputs = (
        draw(st.integers(1, 2)),
        draw(st.integers(1, 5)),
        int(np.prod(first)),
    )
    values = rng.integers(0, 2, (inferences, timesteps, n_inputs))
    stimulus = raster(values)
    if draw(st.booleans()):
        stimulus = fed("current", rng.integers(0, 8, (inferences, n_inputs)).astype(np.int32), 3)
    firing = draw(st.sampled_from(["streaming", "accumulate"]))
    return workload(chain(first, tuple(layers)), stimulus, timesteps, firing=firing)


def _connection(
    rng: np.random.Generator, kind: str, shape: tuple[int, ...], targets: int
) -> Connection:
    n_in = int(np.prod(shape))
    if kind == "dense":
        return Connection(
            kind, rng.integers(-128, 128, (n_in, targets)).astype(np.int32), 8, shape, (targets,)
        )
    if kind == "sparse":
        fan_out = rng.integers(0, 4, n_in)
        fan_out[0] += 1  # at least one synapse
        start = np.concatenate([[0], np.cumsum(fan_out)])
        weight = rng.integers(-128, 128, start[-1]).astype(np.int32)
        # targets are distinct within a row, as a compiler leaves them
        index = np.concatenate([rng.permutation(targets + 3)[:n] for n in fan_out])
        return Connection(kind, weight, 8, shape, (targets + 3,), start=start, index=index)
    weight = rng.integers(-128, 128, (int(rng.integers(1, 3)), shape[0], 2, 2)).astype(np.int32)
    sides = (side + 2 - 2 + 1 for side in shape[1:])
    return Connection(kind, weight, 8, shape, (len(weight), *sides), 1, 1)
