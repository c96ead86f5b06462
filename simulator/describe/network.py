"""A network as engines of arithmetic see it: a chain of layers of integer arrays, checked and
frozen.

The written form of a network (YAML beside an npz file) is in `describe/workload.py`; this is what
it becomes. Neurons of a layer of shape (C, H, W) are numbered channel-major: c·H·W + y·W + x.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from simulator.errors import InputError
from simulator.values import Value

DENSE, SPARSE, CONVOLUTION = "dense", "sparse", "convolution"
#: synapses looked at in one go
_STRETCH = 1 << 20


def narrow(array: np.ndarray) -> np.ndarray:
    """Return integers in the narrowest signed type that holds them, contiguous, without a copy
    where they already are.
    """
    low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
    for dtype in (np.int8, np.int16, np.int32):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return np.ascontiguousarray(array, dtype)
    return np.ascontiguousarray(array, np.int64)


def _integers(what: str, array: object) -> np.ndarray:
    """Return an array of integers as it is; raises InputError for anything else."""
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "iub":
        given = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise InputError(f"{what}: must be an array of integers, not of {given}")
    return array


def narrow_index(index: np.ndarray, n_out: int) -> np.ndarray:
    """Return targets below n_out in 16 bits where they fit, else in 32, contiguous and not to be
    written to.
    """
    narrowed = np.ascontiguousarray(index, np.int16 if n_out <= 1 << 15 else np.int32)
    narrowed.setflags(write=False)
    return narrowed


@dataclass(frozen=True, eq=False)
class Connection(Value):
    """Integer weights from the layer before, in one of three layouts.

    dense: weight (n_in, n_out).  convolution: weight (channels out, channels in, height, width),
    cross-correlation as in the field's frameworks, with `stride` and zero `padding`.  sparse:
    weight (n_synapses,), index (n_synapses,) targets, start (n_in + 1,) of each source's row.
    weight is as narrow as its values allow, so int8 stays int8 from file to kernel; weight_bits is
    the width a chip stores; index has 16 or 32 bits.
    """

    kind: str
    weight: np.ndarray
    weight_bits: int
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]  # before pooling
    stride: int = 1
    padding: int = 0
    start: np.ndarray | None = None
    index: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Hold every array in its one form: as narrow as can be, frozen."""
        object.__setattr__(self, "weight", narrow(_integers("weight", self.weight)))
        if self.start is not None:
            object.__setattr__(self, "start", _integers("start", self.start).astype(np.int64))
        if self.index is not None and _integers("index", self.index).size:
            if 0 <= int(self.index.min()) <= int(self.index.max()) < self.n_out:
                object.__setattr__(self, "index", narrow_index(self.index, self.n_out))
        super().__post_init__()

    @property
    def n_in(self) -> int:
        """Source neurons."""
        return prod(self.input_shape)

    @property
    def n_out(self) -> int:
        """Targets, before pooling."""
        return prod(self.output_shape)

    @property
    def fan_in(self) -> np.ndarray:
        """Synapses that end at each target of sparse rows, (n_out,) int64; counted in stretches, so
        that it needs no memory.
        """
        assert self.index is not None
        count = np.zeros(self.n_out, np.int64)
        for first in range(0, len(self.index), _STRETCH):
            count += np.bincount(self.index[first : first + _STRETCH], minlength=self.n_out)
        return count


@dataclass(frozen=True)
class Pool:
    """Pooling of the currents of a convolution over size × size fields: kind 'max', or 'sum' (an
    average times size²).
    """

    kind: str
    size: int


@dataclass(frozen=True)
class Model:
    """What must be known of a neuron model beside its arithmetic, which is a kernel of
    behaviour/neurons.py.
    """

    leaks: bool = False  # has a `decay`
    fires: bool = True
    has_twin: bool = False  # its spikes can be counted as activations: a sum without leak


#: written name -> the model; 'readout' integrates, never fires, and is for the last layer only
MODELS = {
    "if": Model(has_twin=True),
    "lif": Model(leaks=True),
    "readout": Model(fires=False, has_twin=True),
}


@dataclass(frozen=True, eq=False)
class Neuron(Value):
    """Integrate-and-fire in integers (docs/neurons.md).

    model: a name in MODELS.  threshold, initial and bias: (n_neurons,) int64. reset: 'subtract' or
    'zero'.  compare: '>=' or '>'.  decay: 0..4096, of the potential per timestep in 1/4096.
    potential_bits: signed width; overflow: 'saturate' or 'wrap', counted.
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

    def __post_init__(self) -> None:
        """Hold every array as int64, frozen."""
        for name in ("threshold", "initial", "bias"):
            array = _integers(name, getattr(self, name)).astype(np.int64, copy=False)
            object.__setattr__(self, name, array)
        if self.model in MODELS and not MODELS[self.model].fires:
            object.__setattr__(self, "threshold", np.ones_like(self.threshold))  # never reached
        super().__post_init__()


@dataclass(frozen=True, eq=False)
class Layer(Value):
    """One population and the connection that drives it."""

    name: str
    shape: tuple[int, ...]
    connection: Connection
    neuron: Neuron
    pool: Pool | None = None

    @property
    def n_neurons(self) -> int:
        """Neurons in the layer."""
        return prod(self.shape)

    @property
    def fires(self) -> bool:
        """Whether its neurons send spikes or activations; a readout is read at the end."""
        model = MODELS.get(self.neuron.model)
        return model is None or model.fires  # an unknown model is refused by the arithmetic


@dataclass(frozen=True, eq=False)
class Network(Value):
    """A feed-forward chain; the input is layer 0 of the raster, layers[l] is layer l + 1."""

    input_shape: tuple[int, ...]
    layers: tuple[Layer, ...]

    @property
    def n_inputs(self) -> int:
        """Input lines."""
        return prod(self.input_shape)


@dataclass(frozen=True, eq=False)
class Stimulus(Value):
    """What enters, per inference, and the right answers.

    kind 'current': values (n, n_inputs) enter once and drive the first layer equally in every
    timestep.  kind 'raster': values (n, T, n_inputs) of 0 and 1.  kind 'graded': values (n, T,
    n_inputs).  value_bits: width of one value. labels: (n,) int64 or None.
    """

    kind: str
    values: np.ndarray
    value_bits: int
    labels: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Hold values as int32 where they fit, labels as int64, frozen."""
        values = _integers("stimulus", self.values)
        if values.dtype != np.int32 and values.dtype.itemsize * values.size:
            low, high = int(values.min()), int(values.max())
            if -(2**31) <= low and high < 2**31:
                object.__setattr__(self, "values", values.astype(np.int32))
        if self.labels is not None:
            labels = _integers("labels", self.labels).astype(np.int64, copy=False)
            object.__setattr__(self, "labels", labels)
        super().__post_init__()

    @property
    def n_inferences(self) -> int:
        """Inputs in the stimulus."""
        return len(self.values)
