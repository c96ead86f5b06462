"""The same networks from the definitions alone: plain numpy, whole matrices, no kernels and no
event lists.

A connection is written out as its matrix (n_in, n_out); every layer is run on arrays (inferences,
timesteps, neurons).
"""

from __future__ import annotations

from itertools import product

import numpy as np

from simulator.describe.network import Connection, Layer, Network, Stimulus


def matrix(connection: Connection) -> np.ndarray:
    if connection.kind == "dense":
        return connection.weight.astype(np.int64)
    full = np.zeros((connection.n_in, connection.n_out), np.int64)
    if connection.kind == "sparse":
        for source in range(connection.n_in):
            for k in range(connection.start[source], connection.start[source + 1]):
                full[source, connection.index[k]] += connection.weight[k]
        return full
    (h_in, w_in), (h_out, w_out) = connection.input_shape[1:], connection.output_shape[1:]
    for o, i, ky, kx in np.ndindex(connection.weight.shape):
        for y, x in product(range(h_out), range(w_out)):
            row = y * connection.stride + ky - connection.padding
            column = x * connection.stride + kx - connection.padding
            if 0 <= row < h_in and 0 <= column < w_in:
                full[(i * h_in + row) * w_in + column, (o * h_out + y) * w_out + x] += (
                    connection.weight[o, i, ky, kx]
                )
    return full


def pooled(layer: Layer, current: np.ndarray) -> np.ndarray:
    """(..., n_out) to (..., n_neurons)."""
    if layer.pool is None:
        return current
    (c, h, w), size = layer.connection.output_shape, layer.pool.size
    height, width = h // size, w // size
    image = current.reshape(-1, c, h, w)[:, :, : height * size, : width * size]
    fields = image.reshape(-1, c, height, size, width, size)
    result = fields.max((3, 5)) if layer.pool.kind == "max" else fields.sum((3, 5))
    return result.reshape(*current.shape[:-1], -1)


def currents_of_input(layer: Layer, stimulus: Stimulus, timesteps: int) -> np.ndarray:
    if stimulus.kind == "current":
        once = pooled(layer, stimulus.values @ matrix(layer.connection))
        return np.repeat(once[:, None, :], timesteps, 1)
    return pooled(layer, stimulus.values[:, :timesteps] @ matrix(layer.connection))


def spiking(
    network: Network, stimulus: Stimulus, timesteps: int, firing: str
) -> tuple[list[np.ndarray], np.ndarray, int]:
    """Spikes (inferences, timesteps, neurons) of every layer, the last layer's potentials, and all
    overflows.
    """
    spikes: list[np.ndarray] = []
    overflows = 0
    for number, layer in enumerate(network.layers):
        neuron = layer.neuron
        if number == 0:
            current = currents_of_input(layer, stimulus, timesteps)
        else:
            current = pooled(layer, spikes[-1] @ matrix(layer.connection))
        half = 2 ** (neuron.potential_bits - 1)
        potential = np.tile(neuron.initial, (len(current), 1))
        fired = np.zeros((*current.shape[:2], layer.n_neurons), np.int64)
        above = np.greater_equal if neuron.compare == ">=" else np.greater
        for t in range(timesteps):
            if neuron.model == "lif":
                potential = np.sign(potential) * (abs(potential) * (4096 - neuron.decay) // 4096)
            potential = potential + current[:, t] + neuron.bias
            outside = (potential < -half) | (potential >= half)
            overflows += int(outside.sum())
            if neuron.overflow == "wrap":
                potential = (potential + half) % (2 * half) - half
            else:
                potential = np.clip(potential, -half, half - 1)
            if neuron.model != "readout" and firing == "streaming":
                fired[:, t] = above(potential, neuron.threshold)
                reset = potential - neuron.threshold if neuron.reset == "subtract" else 0
                potential = np.where(fired[:, t], reset, potential)
        if neuron.model != "readout" and firing == "accumulate":
            for t in range(timesteps):
                fired[:, t] = above(potential, neuron.threshold)
                potential = potential - fired[:, t] * neuron.threshold
        spikes.append(fired)
    return spikes, potential, overflows


def quantised(
    network: Network, stimulus: Stimulus, timesteps: int
) -> tuple[list[np.ndarray], np.ndarray]:
    """Activations (inferences, neurons) of every layer and the last layer's totals."""
    activations: list[np.ndarray] = []
    for number, layer in enumerate(network.layers):
        neuron, weight = layer.neuron, matrix(layer.connection)
        if number > 0:
            z = pooled(layer, activations[-1] @ weight)
        elif stimulus.kind == "current":
            z = timesteps * pooled(layer, stimulus.values @ weight)
        else:
            z = pooled(layer, stimulus.values[:, :timesteps].sum(1) @ weight)
        total = neuron.initial + z + timesteps * neuron.bias
        # subtracting the threshold n times must leave less than a spike needs
        levels = [total - k * neuron.threshold for k in range(timesteps)]
        above = [
            level >= neuron.threshold if neuron.compare == ">=" else level > neuron.threshold
            for level in levels
        ]
        activations.append(np.sum(above, 0) * (neuron.model != "readout"))
    return activations, total


def unpacked(trace, window: int) -> np.ndarray:
    """A trace as an array (inferences, window, neurons); checks that neurons rise within a step and
    nothing is 0.
    """
    steps = len(trace.start) - 1
    full = np.zeros((steps, trace.n_neurons), np.int64)
    assert trace.start[0] == 0 and trace.start[-1] == len(trace.neuron) == len(trace.value)
    for k in range(steps):
        events = slice(trace.start[k], trace.start[k + 1])
        assert (np.diff(trace.neuron[events]) > 0).all()
        full[k, trace.neuron[events]] = trace.value[events]
    assert (trace.value != 0).all()
    return full.reshape(-1, window, trace.n_neurons)
