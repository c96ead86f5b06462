"""What NeuroBench measures of a network, by its names: footprint, connection sparsity, activation
sparsity and synaptic operations (Yik et al., Nature Communications 16, 1545 (2025), Table 1).

They say how much work a network is, on no chip in particular.  Operations are those of synapses:
an effective one has a weight and a source's value that are not zero; it is a multiply-accumulate
unless the values of its source are all -1, 0 or 1; dense ones are all there are.  A `current`
input counts once per inference, as it is added once; other sources count in every timestep.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simulator.behaviour.raster import Raster
from simulator.describe import convolution
from simulator.describe.connections import CONVOLUTION, DENSE, ONE_TO_ONE, Connection
from simulator.describe.network import Network
from simulator.describe.words import CURRENT

#: per projection: effective operations, and the largest magnitude of a value of its source
Effective = tuple[tuple[int, int], ...]


def measures(
    network: Network,
    raster: Raster,
    kinds: tuple[str, ...],
    finished: int,
    found: Effective | None = None,
) -> dict[str, Any]:
    """Return NeuroBench's static and workload metrics of the first `finished` inferences.

    kinds: of the feed of each input, in the order of network.inputs.  found: what `effective` says
    of them, where the raster has no events any more.  Keys and units stand in docs/results.md.
    """
    weights = [projection.connection.weight for projection in network.projections]
    stored = sum(weight.size for weight in weights)
    zeros = sum(weight.size - np.count_nonzero(weight) for weight in weights)
    return {
        "footprint_bytes": footprint(network),
        "connection_sparsity": zeros / stored if stored else 0.0,
        "activation_sparsity": _activation_sparsity(network, raster, finished),
        "synaptic_operations": _operations(network, raster, kinds, finished, found),
    }


def footprint(network: Network) -> int:
    """Return the bytes of all parameters: weights at their width, and per neuron a bias and, where
    it fires, a threshold at the width of its potential; a kernel counts once.
    """
    bits = sum(p.connection.weight.size * p.connection.weight_bits for p in network.projections)
    for number in network.computed:
        population = network.populations[number]
        neuron = population.neuron
        assert neuron is not None
        parameters = 1 + neuron.fires
        bits += parameters * population.n_neurons * neuron.potential_bits
    return -(-bits // 8)


def _activation_sparsity(network: Network, raster: Raster, finished: int) -> float | None:
    steps = finished * raster.timesteps
    firing = [n for n in network.computed if network.populations[n].fires]
    places = sum(network.populations[number].n_neurons for number in firing) * steps
    sent = sum(int(raster.traces[number].start[steps]) for number in firing)
    return 1 - sent / places if places else None


def _operations(
    network: Network,
    raster: Raster,
    kinds: tuple[str, ...],
    finished: int,
    found: Effective | None,
) -> dict[str, float]:
    total = {"effective_macs": 0, "effective_acs": 0, "dense": 0}
    steps = finished * raster.timesteps
    held = {number for number, kind in zip(network.inputs, kinds) if kind == CURRENT}
    counted = effective(network, raster, finished) if found is None else found
    for projection, (operations, largest) in zip(network.projections, counted):
        total["effective_acs" if largest <= 1 else "effective_macs"] += operations
        times = finished if projection.source in held else steps
        total["dense"] += synapses(projection.connection) * times
    return {name: count / max(finished, 1) for name, count in total.items()}


def effective(network: Network, raster: Raster, finished: int) -> Effective:
    """Return the effective operations of the first `finished` inferences, by projection."""
    steps = finished * raster.timesteps
    found = []
    for projection in network.projections:
        connection, trace = projection.connection, raster.traces[projection.source]
        events = int(trace.start[steps])
        neuron, value = trace.neuron[:events], trace.value[:events]
        plane = np.zeros(events, np.int64)
        if connection.planes > 1:  # a set of weights for each timestep
            step = np.repeat(np.arange(steps), np.diff(trace.start[: steps + 1]))
            plane = step % raster.timesteps
        largest = int(np.abs(value).max(initial=0))
        found.append((int(nonzero(connection)[plane, neuron].sum()), largest))
    return tuple(found)


def total(parts: Sequence[Effective]) -> Effective:
    """Return what several stretches of inferences took together."""
    return tuple(
        (sum(operations for operations, _ in same), max(largest for _, largest in same))
        for same in zip(*parts)
    )


def synapses(connection: Connection) -> int:
    """Return how many pairs of a source and a current there are."""
    return int(_per_source(connection, np.ones(connection.plane_shape, bool)).sum())


def nonzero(connection: Connection) -> np.ndarray:
    """Return the weights of each source that are not zero, (planes, n_in) int64; those of a kernel
    as often as they meet a pixel.
    """
    lit = (connection.weight != 0).reshape(connection.planes, *connection.plane_shape)
    return np.stack([_per_source(connection, plane) for plane in lit])


def _per_source(connection: Connection, lit: np.ndarray) -> np.ndarray:
    if connection.kind == DENSE:
        return lit.sum(axis=1, dtype=np.int64)
    if connection.kind == ONE_TO_ONE:
        return lit.astype(np.int64)
    if connection.kind == CONVOLUTION:
        pixels, groups = int(np.prod(connection.input_shape[1:])), connection.groups
        source, _, position = convolution.pixels(connection)
        by_group = lit.reshape(groups, -1, *lit.shape[1:3], lit.shape[-1])
        over = by_group.sum(axis=1, dtype=np.int64)  # (groups, channels in, height, width)
        at = over.reshape(connection.input_shape[0], -1)[:, position]
        count = np.zeros((connection.input_shape[0], pixels), np.int64)
        np.add.at(count.T, source, at.T)
        return count.reshape(-1)
    assert connection.start is not None
    sums = np.concatenate([[0], np.cumsum(lit, dtype=np.int64)])
    return sums[connection.start[1:]] - sums[connection.start[:-1]]
