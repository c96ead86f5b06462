"""A compiled workload on disk: network, stimulus, twin parameters and mapping in YAML, large arrays in an npz beside it."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from simulator.describe import library
from simulator.describe.documents import Description, Document, Key, near_miss
from simulator.describe.fields import Natural, Positive
from simulator.describe.network import (
    CONVOLUTION,
    DENSE,
    SPARSE,
    Connection,
    Layer,
    Network,
    Neuron,
    Pool,
    Stimulus,
)

Shape = Annotated[list[Positive], Field(min_length=1, max_length=3)]
Name = Annotated[str, Field(min_length=1)]
WeightBits = Annotated[int, Field(ge=1, le=16)]


class InputDocument(Description):
    """What enters: its shape and the width of one value."""

    shape: Shape
    bits: Annotated[int, Field(ge=1, le=32)]


class ConnectionDocument(Description):
    """Weights by the name of their array; `start` and `index` for sparse rows, `stride` and `padding` for convolutions."""

    kind: Literal["dense", "sparse", "convolution"]
    weight: Name
    weight_bits: WeightBits
    stride: Positive = 1
    padding: Natural = 0
    start: Name | None = None
    index: Name | None = None


class PoolDocument(Description):
    """Pooling of a convolution's currents."""

    kind: Literal["max", "sum"]
    size: Annotated[int, Field(ge=2, le=64)]


class NeuronDocument(Description):
    """Integers, or names of arrays with one entry per neuron or per channel."""

    model: Literal["if", "lif", "readout"]
    threshold: int | Name | None = None
    initial: int | Name = 0
    bias: int | Name = 0
    reset: Literal["subtract", "zero"] = "subtract"
    compare: Literal[">=", ">"] = ">="
    decay: Annotated[int, Field(ge=0, le=4096)] = 0
    potential_bits: Annotated[int, Field(ge=2, le=48)] = 32
    overflow: Literal["saturate", "wrap"] = "saturate"


class LayerDocument(Description):
    """One layer; `shape` is (channels, height, width) after pooling, and may be left out where it follows."""

    name: Name
    shape: Shape | None = None
    connection: ConnectionDocument
    pool: PoolDocument | None = None
    neuron: NeuronDocument


class StimulusDocument(Description):
    """What is presented: arrays of values and, for accuracy, labels."""

    kind: Literal["current", "raster", "graded"]
    values: Name
    labels: Name | None = None


class TwinDocument(Description):
    """How the two twins run unless the command line says otherwise."""

    timesteps: Annotated[int, Field(ge=1, le=4096)]
    firing: Literal["streaming", "accumulate"]


class MappingDocument(Description):
    """Where layers go: `auto`, or cores per layer; `neurons_per_core` limits a core further than its memories do."""

    placement: Literal["auto"] | dict[str, list[Natural]]
    neurons_per_core: Positive | None = None


class WorkloadDocument(Description):
    """The YAML file of a workload."""

    schema_version: Literal[1]
    name: Name
    about: Name
    arrays: Name
    input: InputDocument
    layers: Annotated[list[LayerDocument], Field(min_length=1)]
    stimulus: StimulusDocument
    twin: TwinDocument
    mapping: MappingDocument


@dataclass(frozen=True)
class Workload:
    """A workload ready to run: load it with `Workload.load('digits-mlp')`, by name or by path."""

    name: str
    about: str
    network: Network
    stimulus: Stimulus
    timesteps: int
    firing: str
    placement: dict[str, list[int]] | None  # None: auto
    neurons_per_core: int | None
    files: tuple[Path, ...]
    document: WorkloadDocument

    @classmethod
    def load(cls, workload: str | Path, overrides: tuple[str, ...] = ()) -> Workload:
        """Return the workload of that name (in workloads/) or path, with `key.path=value` overrides applied.

        Raises DescriptionError with every fault of the file and its arrays at once, each with file and line.
        """
        document = Document(library.find("workload", workload))
        document.override(overrides)
        written = document.validate(WorkloadDocument)
        if written is None:
            document.refuse()
        assert written is not None
        arrays = _Arrays(document, written.arrays)
        network = _network(document, written, arrays)
        stimulus = _stimulus(document, written, arrays, network)
        placement = written.mapping.placement
        if isinstance(placement, dict):
            _check_placement(document, written, placement)
        document.refuse()
        assert network is not None and stimulus is not None
        return cls(
            name=written.name,
            about=written.about,
            network=network,
            stimulus=stimulus,
            timesteps=written.twin.timesteps,
            firing=written.twin.firing,
            placement=None if isinstance(placement, str) else placement,
            neurons_per_core=written.mapping.neurons_per_core,
            files=(document.path, arrays.path),
            document=written,
        )


class _Arrays:
    """The npz file beside the YAML: arrays by name, faults noted in the document."""

    def __init__(self, document: Document, name: str) -> None:
        self.document = document
        self.path = document.path.parent / name
        self.content: dict[str, np.ndarray] = {}
        if Path(name).name != name:
            document.fault(("arrays",), f"must be the name of a file in the same folder, not {name!r}")
            document.refuse()
        try:
            with np.load(self.path, allow_pickle=False) as archive:
                if not hasattr(archive, "files"):
                    raise ValueError("not an npz archive")
                self.content = {key: archive[key] for key in archive.files}
        except FileNotFoundError:
            document.fault(("arrays",), f"must be an npz file beside this one; there is no {name!r}")
            document.refuse()
        except (ValueError, OSError, EOFError, zipfile.BadZipFile, AttributeError) as error:
            document.fault(("arrays",), f"must be an npz file of plain arrays, not {name!r}: {error}")
            document.refuse()

    def get(self, key: Key, name: str) -> np.ndarray | None:
        """Return the named integer array, or None after noting what is wrong with it."""
        if name not in self.content:
            self.document.fault(key, f"must name an array of {self.path.name}, not {name!r}{near_miss(name, self.content)}")
            return None
        array = self.content[name]
        if array.dtype.kind not in "iub":
            self.document.fault(key, f"must name an array of integers, not {name!r} of {array.dtype}")
            return None
        return array


def _network(document: Document, written: WorkloadDocument, arrays: _Arrays) -> Network | None:
    layers: list[Layer] = []
    shape = tuple(written.input.shape)
    names: dict[str, int] = {}
    sound = True
    for number, layer in enumerate(written.layers):
        key: Key = ("layers", number)
        if layer.name in names:
            document.fault((*key, "name"), f"must be used by one layer only, not again: {layer.name!r}")
        names[layer.name] = number
        built = _layer(document, key, layer, shape, arrays, last=number == len(written.layers) - 1)
        if built is None:
            sound = False
            break
        layers.append(built)
        shape = built.shape
    return Network(tuple(written.input.shape), tuple(layers)) if sound else None


def _layer(
    document: Document, key: Key, layer: LayerDocument, before: tuple[int, ...], arrays: _Arrays, last: bool
) -> Layer | None:
    connection = _connection(document, (*key, "connection"), layer.connection, before, arrays)
    if connection is None:
        return None
    shape = connection.output_shape
    if layer.pool is not None:
        size = layer.pool.size
        if connection.kind != CONVOLUTION:
            document.fault((*key, "pool"), f"must follow a convolution, not a {connection.kind} connection")
            return None
        if shape[1] % size or shape[2] % size:
            document.fault((*key, "pool", "size"), f"must divide the {shape[1]}x{shape[2]} currents, not {size}")
            return None
        shape = (shape[0], shape[1] // size, shape[2] // size)
    if layer.shape is not None:
        if prod(layer.shape) != prod(shape) or (connection.kind == CONVOLUTION and tuple(layer.shape) != shape):
            document.fault((*key, "shape"), f"must be {list(shape)} after its connection, not {layer.shape}")
            return None
        shape = tuple(layer.shape)
    if layer.neuron.model == "readout" and not last:
        document.fault((*key, "neuron", "model"), "must be 'if' or 'lif' in every layer but the last, not 'readout'")
    neuron = _neuron(document, (*key, "neuron"), layer.neuron, shape, arrays)
    if neuron is None:
        return None
    pool = None if layer.pool is None else Pool(layer.pool.kind, layer.pool.size)
    return Layer(layer.name, shape, connection, neuron, pool)


def _connection(
    document: Document, key: Key, written: ConnectionDocument, before: tuple[int, ...], arrays: _Arrays
) -> Connection | None:
    weight = arrays.get((*key, "weight"), written.weight)
    if weight is None:
        return None
    n_in = prod(before)
    least, most = (-(2 ** (written.weight_bits - 1)), 2 ** (written.weight_bits - 1) - 1)
    if written.weight_bits == 1:
        least, most = -1, 1  # binary weights are stored as signs
    if weight.size and (int(weight.min()) < least or int(weight.max()) > most):
        document.fault(
            (*key, "weight"),
            f"must hold weights of {written.weight_bits} bits ({least}..{most}), not {weight.min()}..{weight.max()}",
        )
        return None
    start = index = None
    if written.kind != SPARSE:
        for name in ("start", "index"):
            if getattr(written, name) is not None:
                document.fault((*key, name), f"belongs to sparse connections, not to a {written.kind} one")
    if written.kind == DENSE:
        if weight.ndim != 2 or weight.shape[0] != n_in:
            document.fault((*key, "weight"), f"must have shape ({n_in}, neurons), not {weight.shape}")
            return None
        output: tuple[int, ...] = (weight.shape[1],)
    elif written.kind == CONVOLUTION:
        if len(before) != 3:
            document.fault((*key, "kind"), f"must follow a layer of shape [channels, height, width], not {list(before)}")
            return None
        if weight.ndim != 4 or weight.shape[1] != before[0]:
            document.fault(
                (*key, "weight"), f"must have shape (channels, {before[0]}, height, width), not {weight.shape}"
            )
            return None
        high = (before[1] + 2 * written.padding - weight.shape[2]) // written.stride + 1
        wide = (before[2] + 2 * written.padding - weight.shape[3]) // written.stride + 1
        if high < 1 or wide < 1:
            document.fault((*key, "weight"), f"must have a kernel that fits {before[1]}x{before[2]}, not {weight.shape[2:]}")
            return None
        output = (weight.shape[0], high, wide)
    else:
        rows = _rows(document, key, written, n_in, weight, arrays)
        if rows is None:
            return None
        start, index = rows
        output = (int(index.max()) + 1 if index.size else 1,)
    return Connection(
        written.kind, _frozen(weight.astype(np.int32)), written.weight_bits, before, output,
        written.stride, written.padding, start, index,
    )  # fmt: skip


def _rows(
    document: Document, key: Key, written: ConnectionDocument, n_in: int, weight: np.ndarray, arrays: _Arrays
) -> tuple[np.ndarray, np.ndarray] | None:
    found: list[np.ndarray] = []
    for name in ("start", "index"):
        given = getattr(written, name)
        if given is None:
            document.fault((*key, name), "missing key: a sparse connection must name its array")
            return None
        array = arrays.get((*key, name), given)
        if array is None:
            return None
        found.append(array.astype(np.int64))
    start, index = found
    if start.shape != (n_in + 1,) or start[0] != 0 or (np.diff(start) < 0).any() or start[-1] != weight.size:
        document.fault((*key, "start"), f"must rise from 0 to {weight.size} (the weights) in {n_in + 1} entries")
        return None
    if weight.ndim != 1 or index.shape != weight.shape or (index.size and index.min() < 0):
        document.fault((*key, "index"), f"must hold one target, 0 or more, per weight: shape {weight.shape}, not {index.shape}")
        return None
    return _frozen(start), _frozen(index)


def _neuron(
    document: Document, key: Key, written: NeuronDocument, shape: tuple[int, ...], arrays: _Arrays
) -> Neuron | None:
    values: dict[str, np.ndarray] = {}
    for name in ("threshold", "initial", "bias"):
        given: Any = getattr(written, name)
        if name == "threshold" and written.model == "readout":
            if given is not None:
                document.fault((*key, name), "must be left out: a readout never fires")
            given = 1
        if given is None:
            document.fault((*key, name), "missing key: it must be given")
            return None
        array = np.asarray(given) if isinstance(given, int) else arrays.get((*key, name), given)
        if array is None:
            return None
        n = prod(shape)
        if array.ndim == 1 and len(shape) == 3 and len(array) == shape[0] and len(array) != n:
            array = np.repeat(array, n // shape[0])
        if array.size not in (1, n):
            document.fault((*key, name), f"must have 1 entry, {n} (neurons) or one per channel, not {array.size}")
            return None
        values[name] = _frozen(np.broadcast_to(array.astype(np.int64).reshape(-1), (n,)).copy())
    if (values["threshold"] < 1).any():
        document.fault((*key, "threshold"), f"must be at least 1, not {values['threshold'].min()}")
        return None
    if written.model != "lif" and written.decay:
        document.fault((*key, "decay"), f"belongs to 'lif' neurons, not to {written.model!r}")
    return Neuron(
        written.model, values["threshold"], values["initial"], values["bias"], written.reset, written.compare,
        written.decay, written.potential_bits, written.overflow,
    )  # fmt: skip


def _stimulus(document: Document, written: WorkloadDocument, arrays: _Arrays, network: Network | None) -> Stimulus | None:
    key: Key = ("stimulus",)
    values = arrays.get((*key, "values"), written.stimulus.values)
    if values is None:
        return None
    n_inputs = prod(written.input.shape)
    dimensions = 2 if written.stimulus.kind == "current" else 3
    flat = values.reshape(*values.shape[: dimensions - 1], -1) if values.ndim >= dimensions else values
    if flat.ndim != dimensions or flat.shape[-1] != n_inputs or not len(flat):
        shape = "(inferences, " + ("" if dimensions == 2 else "timesteps, ") + f"{n_inputs})"
        document.fault((*key, "values"), f"must have shape {shape}, not {values.shape}")
        return None
    most = 1 if written.stimulus.kind == "raster" else 2**written.input.bits - 1
    if int(flat.min()) < 0 or int(flat.max()) > most:
        document.fault((*key, "values"), f"must lie within 0..{most} ({written.input.bits} bits), not {flat.min()}..{flat.max()}")
        return None
    if dimensions == 3 and flat.shape[1] != written.twin.timesteps:
        document.fault(
            ("twin", "timesteps"), f"must be {flat.shape[1]}, the timesteps of the stimulus, not {written.twin.timesteps}"
        )
    labels = None
    if written.stimulus.labels is not None:
        labels = arrays.get((*key, "labels"), written.stimulus.labels)
        if labels is None:
            return None
        if labels.shape != (len(flat),):
            document.fault((*key, "labels"), f"must have one entry per inference ({len(flat)}), not {labels.shape}")
            return None
        outputs = network.layers[-1].n_neurons if network is not None else None
        if outputs is not None and (int(labels.min()) < 0 or int(labels.max()) >= outputs):
            document.fault((*key, "labels"), f"must lie within 0..{outputs - 1} (output neurons), not {labels.min()}..{labels.max()}")
        labels = _frozen(labels.astype(np.int64))
    return Stimulus(written.stimulus.kind, _frozen(flat.astype(np.int32)), written.input.bits, labels)


def _check_placement(document: Document, written: WorkloadDocument, placement: dict[str, list[int]]) -> None:
    names = [layer.name for layer in written.layers]
    taken: dict[int, str] = {}
    for name, cores in placement.items():
        key: Key = ("mapping", "placement", name)
        if name not in names:
            document.fault(key, f"names no layer{near_miss(name, names)}")
        if not cores:
            document.fault(key, "must name at least one core")
        for core in cores:
            if core in taken:
                document.fault(key, f"must not use core {core} again: it holds {taken[core]!r}")
            taken[core] = name
    for name in names:
        if name not in placement:
            document.fault(("mapping", "placement"), f"must place every layer; {name!r} is missing")


def _frozen(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array
