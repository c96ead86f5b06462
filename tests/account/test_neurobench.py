"""NeuroBench's measures, computed once more from its definitions: whole matrices and whole
activation arrays, nothing of the simulator but what it was given and what it sent.
"""

from __future__ import annotations

import numpy as np
import pytest

from simulator.account.neurobench import footprint, measures
from simulator.behaviour import raster as behaviour
from simulator.describe.connections import Connection
from simulator.describe.network import Network
from simulator.describe.workload import Workload


def matrix(connection: Connection, lit: np.ndarray) -> np.ndarray:
    """Return (n_in, n_out): how many of the marked weights join a source to a current."""
    full = np.zeros((connection.n_in, connection.n_out), np.int64)
    if connection.kind == "dense":
        return lit.astype(np.int64)
    if connection.kind == "one-to-one":
        return np.diag(lit.astype(np.int64))
    if connection.kind == "sparse":
        for source, (a, b) in enumerate(zip(connection.start, connection.start[1:])):
            np.add.at(full[source], connection.index[a:b], lit[a:b])
        return full
    (_, high, wide), (_, out_high, out_wide) = connection.input_shape, connection.output_shape
    for o, i, ky, kx in np.argwhere(lit):
        for y in range(out_high):
            for x in range(out_wide):
                row = y * connection.stride[0] + ky - connection.padding[0]
                column = x * connection.stride[1] + kx - connection.padding[1]
                if 0 <= row < high and 0 <= column < wide:
                    target = (o * out_high + y) * out_wide + x
                    full[(i * high + row) * wide + column, target] += 1
    return full


def activations(trace, steps: int) -> np.ndarray:
    """Return what a population sent as an array (steps, n_neurons)."""
    dense = np.zeros((steps, trace.n_neurons), np.int64)
    for step in range(steps):
        low, high = trace.start[step : step + 2]
        dense[step, trace.neuron[low:high]] = trace.value[low:high]
    return dense


def by_definition(network: Network, raster, kinds: tuple[str, ...], n: int) -> dict:
    steps = n * raster.timesteps
    sent = [activations(trace, steps) for trace in raster.traces]
    operations = {"effective_macs": 0.0, "effective_acs": 0.0, "dense": 0.0}
    for projection in network.projections:
        connection, values = projection.connection, sent[projection.source]
        nonzero = matrix(connection, connection.weight != 0)
        everything = matrix(connection, np.ones_like(connection.weight, bool))
        effective = ((values != 0) @ nonzero).sum()
        kind = "effective_acs" if set(np.unique(values)) <= {-1, 0, 1} else "effective_macs"
        operations[kind] += effective / n
        is_held = dict(zip(network.inputs, kinds)).get(projection.source) == "current"
        operations["dense"] += everything.sum() * (1 if is_held else raster.timesteps)
    weights = np.concatenate([p.connection.weight.reshape(-1) for p in network.projections])
    firing = [k for k in network.computed if network.populations[k].fires]
    hidden = np.concatenate([sent[k].reshape(-1) for k in firing])
    return {
        "connection_sparsity": float((weights == 0).mean()),
        "activation_sparsity": float((hidden == 0).mean()),
        "synaptic_operations": operations,
    }


@pytest.mark.parametrize("mode", ["snn", "qnn"])
@pytest.mark.parametrize("name", ["digits-mlp", "digits-cnn", "digits-residual"])
def test_it_is_what_the_definitions_give(name: str, mode: str) -> None:
    workload, n = Workload.load(name), 2
    raster = behaviour.run(workload.network, workload.stimulus, mode, 4, workload.firing, n)
    kinds = tuple(feed.kind for feed in workload.stimulus.feeds)
    found = measures(workload.network, raster, kinds, n)
    wanted = by_definition(workload.network, raster, kinds, n)
    assert wanted["synaptic_operations"] == pytest.approx(found["synaptic_operations"], rel=1e-12)
    for key in ("connection_sparsity", "activation_sparsity"):
        assert wanted[key] == pytest.approx(found[key], rel=1e-12)


def test_the_footprint_of_the_digits_by_hand() -> None:
    # 64 x 128 + 128 x 64 + 64 x 10 weights of 8 bits; biases and thresholds of 192 neurons at 24
    # bits, biases of 10 readouts at 32
    network = Workload.load("digits-mlp").network
    assert 64 * 128 + 128 * 64 + 64 * 10 + 2 * 192 * 3 + 10 * 4 == footprint(network)
