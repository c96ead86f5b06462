"""The trained networks of `train_digits.py`: layers as matrices, and the three ways to run them.

Sums of integers stay below 2^24, so float32 holds every one of them exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TIMESTEPS = 4
LARGEST_WEIGHT = 127
LARGEST_PIXEL = 16


@dataclass(frozen=True)
class Shape:
    """One layer: a matrix (n_in, n_out) whose entries share weights where `kernel` is set (a
    convolution).
    """

    name: str
    n_in: int
    n_out: int
    kernel: tuple[int, int, int, int] | None = None  # channels out, channels in, height, width
    rows: np.ndarray | None = None  # entry -> source, target, and weight (convolutions only)
    columns: np.ndarray | None = None
    shared: np.ndarray | None = None

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the stored weights."""
        return self.kernel or (self.n_in, self.n_out)

    @property
    def n_biases(self) -> int:
        """One bias per neuron, or per channel of a convolution."""
        return self.kernel[0] if self.kernel else self.n_out

    def matrix(self, weight: np.ndarray) -> np.ndarray:
        """Return the weights as a matrix (n_in, n_out)."""
        if self.kernel is None:
            return weight
        matrix = np.zeros((self.n_in, self.n_out), np.float32)
        matrix[self.rows, self.columns] = weight.ravel()[self.shared]
        return matrix

    def weight_gradient(self, gradient: np.ndarray) -> np.ndarray:
        """Return the gradient of the stored weights from that of the matrix."""
        if self.kernel is None:
            return gradient
        entries = np.bincount(
            self.shared, gradient[self.rows, self.columns], int(np.prod(self.kernel))
        )
        return entries.reshape(self.kernel).astype(np.float32)

    def spread(self, bias: np.ndarray) -> np.ndarray:
        """Return one bias per neuron."""
        return np.repeat(bias, self.n_out // self.n_biases)

    def bias_gradient(self, gradient: np.ndarray) -> np.ndarray:
        """Return the gradient of the stored biases from that of every neuron (n_images, n_out)."""
        return gradient.sum(0).reshape(self.n_biases, -1).sum(1)


def convolution(name: str, channels: tuple[int, int], side: int, stride: int) -> Shape:
    """Return a 3x3 convolution with zero padding 1 over side x side images as a matrix with shared
    entries.
    """
    c_in, c_out = channels
    out = (side + 2 - 3) // stride + 1
    o, i, ky, kx, y, x = np.meshgrid(*map(np.arange, (c_out, c_in, 3, 3, out, out)), indexing="ij")
    source_y, source_x = y * stride + ky - 1, x * stride + kx - 1
    inside = (source_y >= 0) & (source_y < side) & (source_x >= 0) & (source_x < side)
    rows = (i * side * side + source_y * side + source_x)[inside]
    columns = (o * out * out + y * out + x)[inside]
    shared = (((o * c_in + i) * 3 + ky) * 3 + kx)[inside]
    return Shape(name, c_in * side**2, c_out * out**2, (c_out, c_in, 3, 3), rows, columns, shared)


class Model:
    """Float parameters, and the integers they stand for once `theta` is set."""

    def __init__(self, layers: tuple[Shape, ...], rng: np.random.Generator) -> None:
        """Draw the weights; biases start at zero."""
        self.layers = layers
        self.theta: list[int] | None = None
        self.parameters: list[np.ndarray] = []
        for layer in layers:
            fan_in = int(np.prod(layer.kernel[1:])) if layer.kernel else layer.n_in
            self.parameters.append(
                rng.normal(0, np.sqrt(2 / fan_in), layer.weight_shape).astype(np.float32)
            )
            self.parameters.append(np.zeros(layer.n_biases, np.float32))

    def fix_thresholds(self) -> None:
        """Choose each layer's integer threshold so that its largest weight becomes 127."""
        self.theta = []
        for number, weight in enumerate(self.parameters[0::2]):
            unit = LARGEST_PIXEL if number == 0 else 1
            self.theta.append(int(unit * LARGEST_WEIGHT / np.abs(weight).max()))

    def integers(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return a layer's stored weights and biases as whole numbers in float32."""
        unit = LARGEST_PIXEL if number == 0 else 1
        weight, bias = self.parameters[2 * number : 2 * number + 2]
        whole = np.clip(
            np.rint(weight * (self.theta[number] / unit)), -LARGEST_WEIGHT, LARGEST_WEIGHT
        )
        return whole, np.rint(bias * self.theta[number])

    def forward(
        self, images: np.ndarray, twin: str
    ) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
        """Return what enters each layer (activities in 0..1), every layer's z and the matrices
        used.

        'float': clip(z, 0, 1).  'quantised': clip(floor(T·z + 1/2), 0, T) / T in integers.
        'spiking': spike counts / T of T timesteps with streaming firing.  The last z are the
        outputs.
        """
        last = len(self.layers) - 1
        if twin == "float":
            matrices = [
                layer.matrix(weight) for layer, weight in zip(self.layers, self.parameters[0::2])
            ]
            biases = [layer.spread(bias) for layer, bias in zip(self.layers, self.parameters[1::2])]
            entering, z = [images / np.float32(LARGEST_PIXEL)], []
            for number, (matrix, bias) in enumerate(zip(matrices, biases)):
                z.append(entering[-1] @ matrix + bias)
                if number < last:
                    entering.append(np.clip(z[-1], 0, 1))
            return entering, z, matrices
        stored = [self.integers(number) for number in range(last + 1)]
        whole = [layer.matrix(weight) for layer, (weight, _) in zip(self.layers, stored)]
        biases = [layer.spread(bias) for layer, (_, bias) in zip(self.layers, stored)]
        run = _quantised if twin == "quantised" else _spiking
        counts, totals = run(images, whole, biases, self.theta)
        entering = [
            images / np.float32(LARGEST_PIXEL),
            *(count / np.float32(TIMESTEPS) for count in counts),
        ]
        z = [total / np.float32(TIMESTEPS * theta) for total, theta in zip(totals, self.theta)]
        units = [LARGEST_PIXEL] + [1] * last
        return (
            entering,
            z,
            [
                matrix * np.float32(unit / theta)
                for matrix, unit, theta in zip(whole, units, self.theta)
            ],
        )

    def gradients(
        self, images: np.ndarray, labels: np.ndarray, twin: str, activity: float, decay: float
    ) -> list[np.ndarray]:
        """Return each parameter's gradient of cross-entropy + activity · mean hidden activity +
        weight decay.
        """
        entering, z, matrices = self.forward(images, twin)
        chance = np.exp(z[-1] - z[-1].max(1, keepdims=True))
        chance /= chance.sum(1, keepdims=True)
        chance[np.arange(len(labels)), labels] -= 1
        gradient = chance / len(labels)
        hidden = sum(layer.n_out for layer in self.layers[:-1])
        found: list[np.ndarray] = []
        for number in reversed(range(len(self.layers))):
            layer = self.layers[number]
            matrix_gradient = entering[number].T @ gradient
            found[:0] = [
                layer.weight_gradient(matrix_gradient) + decay * self.parameters[2 * number],
                layer.bias_gradient(gradient),
            ]
            if number:
                gradient = gradient @ matrices[number].T
                # the penalty reaches active neurons only: a silent one cannot become quieter
                gradient += np.float32(activity / (hidden * len(labels))) * (entering[number] > 0)
                margin = 0.0 if twin == "float" else 0.5 / TIMESTEPS
                gradient *= (z[number - 1] > -margin) & (z[number - 1] < 1 + margin)
        return found


def _quantised(images, matrices, biases, theta):  # type: ignore[no-untyped-def]
    """Return the activations of the hidden layers and the totals of all layers: one pass in
    integers.
    """
    counts, totals, entering = [], [], images * np.float32(TIMESTEPS)
    for matrix, bias, threshold in zip(matrices, biases, theta):
        totals.append(entering @ matrix + TIMESTEPS * bias)
        entering = np.clip(np.floor((totals[-1] + threshold // 2) / threshold), 0, TIMESTEPS)
        counts.append(entering)
    return counts[:-1], totals


def _spiking(images, matrices, biases, theta):  # type: ignore[no-untyped-def]
    """Return the spike counts of the hidden layers and the summed currents of all layers: T steps,
    streaming firing.
    """
    n = len(images)
    first = images @ matrices[0]
    potential = [np.full((n, len(bias)), t // 2, np.float32) for bias, t in zip(biases, theta)]
    counts = [np.zeros_like(v) for v in potential]
    totals = [np.zeros_like(v) for v in potential]
    for _ in range(TIMESTEPS):
        spikes = images
        for number, (matrix, bias, threshold) in enumerate(zip(matrices, biases, theta)):
            current = (first if number == 0 else spikes @ matrix) + bias
            totals[number] += current
            potential[number] += current
            spikes = (potential[number] >= threshold).astype(np.float32)
            potential[number] -= threshold * spikes
            counts[number] += spikes
    return counts[:-1], totals
