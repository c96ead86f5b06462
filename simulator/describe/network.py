"""A network as engines of arithmetic see it: populations and projections of integer arrays, checked
and frozen.

The written form of a network (YAML beside an npz file) is in `describe/workload.py`; this is what
it becomes. Neurons of a population of shape (C, H, W) are numbered channel-major: c·H·W + y·W + x.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import numpy as np

from simulator.describe import brought
from simulator.describe.connections import Connection
from simulator.describe.narrow import integers
from simulator.describe.neuron import Neuron
from simulator.describe.words import StimulusKind
from simulator.errors import InputError
from simulator.values import Value


@dataclass(frozen=True)
class Pool:
    """Pooling of the currents of a convolution over size × size fields: kind 'max', or 'sum' (an
    average times size²).
    """

    kind: str
    size: int

    @property
    def area(self) -> int:
        """Currents per neuron."""
        return self.size**2


@dataclass(frozen=True, eq=False)
class Population(Value):
    """A shape and a neuron model; an input has no neurons and is fed by the stimulus."""

    name: str
    shape: tuple[int, ...]
    neuron: Neuron | None = None

    @property
    def n_neurons(self) -> int:
        """Neurons, or input lines."""
        return prod(self.shape)

    @property
    def is_input(self) -> bool:
        """It is fed, not computed."""
        return self.neuron is None

    @property
    def fires(self) -> bool:
        """It sends something: an input, or neurons that are no readout."""
        return self.neuron is None or self.neuron.fires


@dataclass(frozen=True, eq=False)
class Projection(Value):
    """Synapses from one population to another: source and target are numbers in
    Network.populations.

    delay: timesteps from firing to arrival, 0 the same one, added to those of single synapses.
    bias: (n_neurons of the target,) int64, added to its current in every timestep.
    """

    source: int
    target: int
    connection: Connection
    pool: Pool | None = None
    delay: int = 0
    bias: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Hold the bias as int64, frozen."""
        if self.bias is not None:
            bias = integers("bias", self.bias).astype(np.int64, copy=False)
            object.__setattr__(self, "bias", bias)
        super().__post_init__()

    @property
    def least_delay(self) -> int:
        """Timesteps the fastest synapse takes."""
        own = self.connection.delay
        return self.delay + (int(own.min()) if own is not None and own.size else 0)

    @property
    def largest_delay(self) -> int:
        """Timesteps the slowest synapse takes."""
        own = self.connection.delay
        return self.delay + (int(own.max()) if own is not None and own.size else 0)

    @property
    def neuron_of_current(self) -> np.ndarray:
        """Return the target neuron each current belongs to, (connection.n_out,) int64; raises
        InputError where fields of pooling leave currents over.
        """
        if self.pool is None:
            return np.arange(self.connection.n_out)
        channels, high, wide = self.connection.output_shape
        size = self.pool.size
        if high % size or wide % size:
            raise InputError(f"pool: size: must divide the {high}x{wide} currents, not {size}")
        neuron = np.arange(channels * (high // size) * (wide // size))
        image = neuron.reshape(channels, high // size, wide // size)
        return image.repeat(size, axis=1).repeat(size, axis=2).reshape(-1)


@dataclass(frozen=True, eq=False)
class Network(Value):
    """A graph of populations; several projections into one population add their currents.

    outputs: numbers of the populations that are read.  A prediction is the first largest output of
    the first of them.
    """

    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    outputs: tuple[int, ...]

    from_nir = classmethod(brought.from_nir)
    from_onnx = classmethod(brought.from_onnx)

    @cached_property
    def inputs(self) -> tuple[int, ...]:
        """Numbers of the populations that are fed."""
        return tuple(n for n, population in enumerate(self.populations) if population.is_input)

    @cached_property
    def computed(self) -> tuple[int, ...]:
        """Numbers of the populations with neurons."""
        return tuple(n for n, population in enumerate(self.populations) if not population.is_input)

    @cached_property
    def hidden(self) -> tuple[int, ...]:
        """Numbers of the populations that fire and are not read."""
        return tuple(
            number
            for number in self.computed
            if self.populations[number].fires and number not in self.outputs
        )

    @cached_property
    def incoming(self) -> tuple[tuple[int, ...], ...]:
        """For each population, the projections that lead to it."""
        return self._by_end("target")

    @cached_property
    def outgoing(self) -> tuple[tuple[int, ...], ...]:
        """For each population, the projections that leave it."""
        return self._by_end("source")

    def _by_end(self, end: str) -> tuple[tuple[int, ...], ...]:
        return tuple(
            tuple(k for k, p in enumerate(self.projections) if getattr(p, end) == number)
            for number in range(len(self.populations))
        )

    @property
    def is_chain(self) -> bool:
        """Each population but the first is driven by the one before it alone, and the last is
        read.
        """
        ends = [(projection.source, projection.target) for projection in self.projections]
        links = [(number, number + 1) for number in range(len(self.populations) - 1)]
        return ends == links and self.inputs == (0,) and self.outputs == (len(links),)

    @property
    def n_inputs(self) -> int:
        """Input lines of all inputs."""
        return sum(self.populations[number].n_neurons for number in self.inputs)

    @property
    def n_outputs(self) -> int:
        """Output neurons, side by side."""
        return sum(self.populations[number].n_neurons for number in self.outputs)

    def drives(self, number: int) -> list[tuple[Projection, Population]]:
        """Return what drives a population: projections and the populations they come from."""
        paths = [self.projections[k] for k in self.incoming[number]]
        return [(path, self.populations[path.source]) for path in paths]

    def ends(self, projection: Projection) -> str:
        """Return a projection by its two ends, as messages show it."""
        source, target = self.populations[projection.source], self.populations[projection.target]
        return f"{source.name} -> {target.name}"


@dataclass(frozen=True, eq=False)
class Layer(Value):
    """A population and the one projection that drives it: a link of a chain."""

    name: str
    shape: tuple[int, ...]
    connection: Connection
    neuron: Neuron
    pool: Pool | None = None

    @property
    def n_neurons(self) -> int:
        """Neurons in the layer."""
        return prod(self.shape)


def chain(input_shape: tuple[int, ...], layers: Sequence[Layer]) -> Network:
    """Return the network in which each layer is driven by the one before it, the first by the
    input; the last is read.
    """
    populations = [Population("input", tuple(input_shape))]
    populations += [Population(layer.name, layer.shape, layer.neuron) for layer in layers]
    projections = [
        Projection(number, number + 1, layer.connection, layer.pool)
        for number, layer in enumerate(layers)
    ]
    return Network(tuple(populations), tuple(projections), (len(layers),))


@dataclass(frozen=True, eq=False)
class Feed(Value):
    """What one input is fed, per inference.

    kind 'current': values (n, n_inputs) enter once and drive their targets equally in every
    timestep.  kind 'raster': values (n, T, n_inputs) of 0 and 1.  kind 'graded': values (n, T,
    n_inputs).  value_bits: width of one value.
    """

    kind: StimulusKind
    values: np.ndarray
    value_bits: int

    def __post_init__(self) -> None:
        """Hold values as int32 where they fit, frozen."""
        values = integers("stimulus", self.values)
        if values.dtype != np.int32 and values.size:
            low, high = int(values.min()), int(values.max())
            if -(2**31) <= low and high < 2**31:
                object.__setattr__(self, "values", values.astype(np.int32))
        super().__post_init__()


@dataclass(frozen=True, eq=False)
class Stimulus(Value):
    """What enters: a feed for each input of the network, in their order, and the right answers.

    labels: (n,) int64, neurons of the first output, or None.  carries: the inferences are frames of
    one stream, each begins with the state and the delayed spikes that the one before it left.
    """

    feeds: tuple[Feed, ...]
    labels: np.ndarray | None = None
    carries: bool = False

    def __post_init__(self) -> None:
        """Hold labels as int64, frozen."""
        if self.labels is not None:
            labels = integers("labels", self.labels).astype(np.int64, copy=False)
            object.__setattr__(self, "labels", labels)
        super().__post_init__()

    @property
    def n_inferences(self) -> int:
        """Inferences in the stimulus."""
        return len(self.feeds[0].values)

    def chosen(self, inferences: np.ndarray) -> Stimulus:
        """Return the stimulus of some of the inferences."""
        feeds = tuple(replace(feed, values=feed.values[inferences]) for feed in self.feeds)
        labels = None if self.labels is None else self.labels[inferences]
        return replace(self, feeds=feeds, labels=labels)


def fed(
    kind: StimulusKind, values: np.ndarray, value_bits: int, labels: np.ndarray | None = None
) -> Stimulus:
    """Return the stimulus of a network with one input."""
    return Stimulus((Feed(kind, values, value_bits),), labels)
