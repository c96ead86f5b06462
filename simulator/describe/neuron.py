"""What a neuron is: the models, and the integers one population of them has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.describe.narrow import integers
from simulator.values import Value


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
            *(("threshold", "emits", "limit") if self.fires else ("read",)),
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
#: 'even': above the threshold, or at it where the spike is the second, fourth, ... of its
#: inference; 'odd': where it is the first, third, ...
COMPARES = (">=", ">", "even", "odd")
TIES = ("even", "odd")
OVERFLOWS = ("saturate", "wrap")
READS = ("last", "sum", "maximum")
#: what neurons have of their own, where they have it
ARRAYS = ("threshold", "initial", "bias", "reset_value", "lower_bound", "gain")


@dataclass(frozen=True, eq=False)
class Neuron(Value):
    """Integrate-and-fire in integers (docs/neurons.md); arrays are (n_neurons,) int64.

    gain: what a neuron multiplies its current by before it is added, None for 1.  limit: spikes of
    one inference, at most.
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
    gain: np.ndarray | None = None
    limit: int | None = None
    current_decay: int = 0
    current_bits: int = 32
    graded_bits: int = 0
    read: str = "last"

    def __post_init__(self) -> None:
        """Hold every array as int64, frozen."""
        for name in ARRAYS:
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
    def counts(self) -> bool:
        """Whether it counts the spikes of an inference, or their parity."""
        return self.fires and (self.compare in TIES or self.limit is not None)

    @property
    def largest_value(self) -> int:
        """The largest value it sends in one timestep: 1 for a spike."""
        return (1 << self.graded_bits) - 1 if self.graded_bits else 1

    def state_bits(self, timesteps: int) -> int:
        """Return the bits a neuron keeps from one timestep to the next: its potential, its
        current, a reset that is due, how many spikes it sent, and the sum or maximum that is
        read of T timesteps.
        """
        bits = self.potential_bits
        if MODELS[self.model].has_current:
            bits += self.current_bits
        if self.fires and self.reset_at != "same":
            bits += max(1, self.graded_bits)
        if self.counts:
            bits += min(timesteps, self.limit or timesteps).bit_length() if self.limit else 1
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
