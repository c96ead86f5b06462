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


@dataclass(frozen=True)
class Model:
    """A neuron model: what a population of it does in each timestep, and which keys it has."""

    leak: str = "none"  # a name in LEAKS: how the potential leaks, by `decay`
    has_current: bool = False  # a synaptic current beside the potential, with `current_decay`
    fires: bool = True  # False: a readout, whose potentials are read
    has_twin: bool = False  # its spikes can be counted as activations: a sum without leak

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the keys that belong to some models only."""
        return (
            *(("decay",) if self.leak != "none" else ()),
            *(("current_decay", "current_bits") if self.has_current else ()),
            *(("threshold", "emits") if self.fires else ("read",)),
        )


#: how a potential leaks -> the number the kernels of behaviour/neurons.py choose by
LEAKS = {"none": 0, "fraction": 1}
#: written name -> the model
MODELS = {
    "if": Model(has_twin=True),
    "lif": Model(leak="fraction"),
    "cuba-lif": Model(leak="fraction", has_current=True),
    "readout": Model(leak="fraction", fires=False, has_twin=True),
    "cuba-readout": Model(leak="fraction", has_current=True, fires=False),
}
RESETS = ("subtract", "zero", "value")
RESET_TIMES = ("same", "next", "held")
COMPARES = (">=", ">")
OVERFLOWS = ("saturate", "wrap")
READS = ("last", "sum", "maximum")


@dataclass(frozen=True, eq=False)
class Neuron(Value):
    """Integrate-and-fire in integers (docs/neurons.md); arrays are (n_neurons,) int64.

    decay, current_decay: 0..4096, of the potential and of the synaptic current per timestep, in
    1/4096.  reset_at: 'same' timestep, the 'next' one, or 'held' through the next one.
    graded_bits: 0 for spikes, else the width of the values it sends.  The widths of potential and
    current are signed; what leaves them saturates or wraps, and is counted.
    """

    model: str
    threshold: np.ndarray
    initial: np.ndarray
    bias: np.ndarray
    reset: str = "subtract"
    compare: str = ">="
    decay: int = 0
    potential_bits: int = 32
    overflow: str = "saturate"
    reset_at: str = "same"
    reset_value: np.ndarray | None = None  # of reset 'value'
    lower_bound: np.ndarray | None = None  # of the potential
    current_decay: int = 0
    current_bits: int = 32
    graded_bits: int = 0
    read: str = "last"

    def __post_init__(self) -> None:
        """Hold every array as int64, frozen."""
        for name in ("threshold", "initial", "bias", "reset_value", "lower_bound"):
            given = getattr(self, name)
            if given is not None:
                array = integers(name, given).astype(np.int64, copy=False)
                object.__setattr__(self, name, array)
        if self.model in MODELS and not self.fires:
            object.__setattr__(self, "threshold", np.ones_like(self.threshold))  # never reached
        super().__post_init__()

    @property
    def fires(self) -> bool:
        """Whether it sends spikes, values or activations; a readout is read at the end."""
        model = MODELS.get(self.model)
        return model is None or model.fires  # an unknown model is refused by the arithmetic

    @property
    def largest_value(self) -> int:
        """The largest value it sends in one timestep: 1 for a spike."""
        return (1 << self.graded_bits) - 1 if self.graded_bits else 1

    def state_bits(self, timesteps: int) -> int:
        """Return the bits a neuron keeps from one timestep to the next: its potential, its
        current, a reset that is due, and the sum or maximum that is read of T timesteps.
        """
        bits = self.potential_bits
        if MODELS[self.model].has_current:
            bits += self.current_bits
        if self.fires and self.reset_at != "same":
            bits += max(1, self.graded_bits)
        return bits if self.read == "last" else bits + self.output_bits(timesteps)

    def output_bits(self, timesteps: int) -> int:
        """Return the width of what is read of a readout after T timesteps."""
        return self.potential_bits + (timesteps.bit_length() if self.read == "sum" else 0)

    def without_twin(self) -> str | None:
        """Return why its spikes cannot be counted as activations, in words; None where they can."""
        model = MODELS[self.model]
        if not model.has_twin or (model.leak != "none" and self.decay):
            same = [name for name, other in MODELS.items() if other.has_twin]
            plain = " or ".join(f"'{name}'" for name in same if MODELS[name].fires == model.fires)
            leaky = f" with decay {self.decay}" if model.has_twin else ""
            return f"neurons without leak, model {plain}, not {self.model!r}{leaky}"
        if not self.fires:
            return None if self.read == "last" else f"a readout read 'last', not {self.read!r}"
        if self.reset != "subtract":
            return f"reset 'subtract', not {self.reset!r}"
        if self.reset_at != "same":
            return f"reset_at 'same', not {self.reset_at!r}"
        if self.lower_bound is not None:
            return "potentials without a lower bound"
        if self.graded_bits:
            return "neurons that send spikes, not graded values"
        return None


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

    labels: (n,) int64, neurons of the first output, or None.
    """

    feeds: tuple[Feed, ...]
    labels: np.ndarray | None = None

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
        return Stimulus(feeds, None if self.labels is None else self.labels[inferences])


def fed(
    kind: StimulusKind, values: np.ndarray, value_bits: int, labels: np.ndarray | None = None
) -> Stimulus:
    """Return the stimulus of a network with one input."""
    return Stimulus((Feed(kind, values, value_bits),), labels)
