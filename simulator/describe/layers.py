"""Builds the Network from the keys of a workload and its arrays; derives shapes, checks widths and
reports what does not fit.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from simulator import memory
from simulator.describe.arrays import Arrays, extent, frozen
from simulator.describe.documents import Document
from simulator.describe.messages import Key, alternatives, shown_value
from simulator.describe.network import (
    CONVOLUTION,
    DENSE,
    MODELS,
    SPARSE,
    Connection,
    Layer,
    Network,
    Neuron,
    Pool,
    narrow,
    narrow_index,
)
from simulator.describe.workload_file import (
    ConnectionDocument,
    LayerDocument,
    NeuronDocument,
    WorkloadDocument,
)

#: of one layer, before pooling: their state must fit in this machine's memory
MAXIMUM_NEURONS = 2**24


def build(document: Document, written: WorkloadDocument, arrays: Arrays) -> Network | None:
    """Return the network, or None after noting what is wrong; a layer behind a wrong one is not
    looked at.
    """
    layers: list[Layer] = []
    shape = tuple(written.input.shape)
    names: set[str] = set()
    for number, layer in enumerate(written.layers):
        key: Key = ("layers", number)
        if layer.name in names:
            document.fault(
                (*key, "name"),
                f"must be used by one layer only, not again: {shown_value(layer.name)}",
            )
        names.add(layer.name)
        built = _layer(document, key, layer, shape, arrays, last=number == len(written.layers) - 1)
        if built is None:
            return None
        layers.append(built)
        shape = built.shape
    return Network(tuple(written.input.shape), tuple(layers))


def _layer(
    document: Document,
    key: Key,
    layer: LayerDocument,
    before: tuple[int, ...],
    arrays: Arrays,
    last: bool,
) -> Layer | None:
    connection = _connection(document, (*key, "connection"), layer, before, arrays)
    if connection is None:
        return None
    shape = connection.output_shape
    if layer.pool is not None:
        size = layer.pool.size
        if connection.kind != CONVOLUTION:
            document.fault(
                (*key, "pool"), f"must follow a convolution, not a {connection.kind} connection"
            )
            return None
        if shape[1] % size or shape[2] % size:
            document.fault(
                (*key, "pool", "size"),
                f"must divide the {shape[1]}x{shape[2]} currents, not {size}",
            )
            return None
        shape = (shape[0], shape[1] // size, shape[2] // size)
    if layer.shape is not None:
        if prod(layer.shape) != prod(shape) or (
            connection.kind == CONVOLUTION and tuple(layer.shape) != shape
        ):
            document.fault(
                (*key, "shape"), f"must be {list(shape)} after its connection, not {layer.shape}"
            )
            return None
        shape = tuple(layer.shape)
    if layer.neuron.model == "readout" and not last:
        firing = alternatives(model for model in MODELS if model != "readout")
        document.fault(
            (*key, "neuron", "model"),
            f"must be {firing} in every layer but the last, not 'readout'",
        )
    neuron = _neuron(document, (*key, "neuron"), layer.neuron, shape, arrays)
    if neuron is None:
        return None
    pool = None if layer.pool is None else Pool(layer.pool.kind, layer.pool.size)
    return Layer(layer.name, shape, connection, neuron, pool)


def _connection(
    document: Document, key: Key, layer: LayerDocument, before: tuple[int, ...], arrays: Arrays
) -> Connection | None:
    written = layer.connection
    _check_belongings(document, key, written)
    weight = arrays.get((*key, "weight"), written.weight)
    if weight is None or not _weights_fit(document, key, written, weight):
        return None
    start = index = None
    output: tuple[int, ...] | None
    if written.kind == DENSE:
        if weight.ndim != 2 or weight.shape[0] != prod(before):
            document.fault(
                (*key, "weight"), f"must have shape ({prod(before)}, neurons), not {weight.shape}"
            )
            return None
        output = (weight.shape[1],)
    elif written.kind == CONVOLUTION:
        output = _convolved(document, key, written, before, weight.shape)
    else:
        rows = _rows(document, key, written, prod(before), weight, arrays)
        if rows is None:
            return None
        start, index = rows
        output = _targets(document, key, layer, index)
    if output is None:
        return None
    if prod(output) > MAXIMUM_NEURONS:
        document.fault(key, f"must lead to at most {MAXIMUM_NEURONS} neurons, not {prod(output)}")
        return None
    return Connection(
        written.kind,
        frozen(narrow(weight)),
        written.weight_bits,
        before,
        output,
        written.stride,
        written.padding,
        start,
        None if index is None else narrow_index(index, prod(output)),
    )


def _check_belongings(document: Document, key: Key, written: ConnectionDocument) -> None:
    for name, kind in (
        ("start", SPARSE),
        ("index", SPARSE),
        ("stride", CONVOLUTION),
        ("padding", CONVOLUTION),
    ):
        if name in written.model_fields_set and written.kind != kind:
            document.fault(
                (*key, name), f"belongs to a {kind} connection, not to a {written.kind} one"
            )


def _weights_fit(
    document: Document, key: Key, written: ConnectionDocument, weight: np.ndarray
) -> bool:
    if not weight.size:
        document.fault(
            (*key, "weight"), f"must hold weights, not nothing: its shape is {weight.shape}"
        )
        return False
    least, most = -(2 ** (written.weight_bits - 1)), 2 ** (written.weight_bits - 1) - 1
    if written.weight_bits == 1:
        least, most = -1, 1  # binary weights: signs, or there or not
    if int(weight.min()) < least or int(weight.max()) > most:
        width = f"{written.weight_bits} bit{'s' if written.weight_bits > 1 else ''}"
        document.fault(
            (*key, "weight"),
            f"must hold weights of {width} ({least}..{most}), not {extent(weight)}",
        )
        return False
    if written.weight_bits == 1 and all((weight == value).any() for value in (-1, 0, 1)):
        document.fault(
            (*key, "weight"),
            "must hold two values in 1 bit, not three (-1, 0 and 1): ternary weights have "
            "weight_bits 2",
        )
        return False
    return True


def _convolved(
    document: Document,
    key: Key,
    written: ConnectionDocument,
    before: tuple[int, ...],
    shape: tuple[int, ...],
) -> tuple[int, ...] | None:
    if len(before) != 3:
        document.fault(
            (*key, "kind"),
            f"must follow a layer of shape [channels, height, width], not {list(before)}",
        )
        return None
    if len(shape) != 4 or shape[1] != before[0]:
        document.fault(
            (*key, "weight"), f"must have shape (channels, {before[0]}, height, width), not {shape}"
        )
        return None
    if written.padding >= min(shape[2:]):
        kernel = f"{shape[2]}x{shape[3]}"
        document.fault(
            (*key, "padding"), f"must be less than the kernel ({kernel}), not {written.padding}"
        )
        return None
    high = (before[1] + 2 * written.padding - shape[2]) // written.stride + 1
    wide = (before[2] + 2 * written.padding - shape[3]) // written.stride + 1
    if high < 1 or wide < 1:
        document.fault(
            (*key, "weight"),
            f"must have a kernel that fits {before[1]}x{before[2]}, not {shape[2]}x{shape[3]}",
        )
        return None
    return shape[0], high, wide


def _rows(
    document: Document,
    key: Key,
    written: ConnectionDocument,
    n_in: int,
    weight: np.ndarray,
    arrays: Arrays,
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
        found.append(array)
    memory.need(f"the rows of {n_in:,} sources", 8 * found[0].size)
    start, index = found[0].astype(np.int64), found[1]
    if weight.ndim != 1 or index.shape != weight.shape:
        document.fault(
            (*key, "index"),
            f"must hold one target per weight: shape {weight.shape}, not {index.shape}",
        )
        return None
    if (
        start.shape != (n_in + 1,)
        or start[0] != 0
        or (start[1:] < start[:-1]).any()
        or start[-1] != weight.size
    ):
        document.fault(
            (*key, "start"),
            f"must rise from 0 to {weight.size} (the weights) in {n_in + 1} entries",
        )
        return None
    return frozen(start), index


def _targets(
    document: Document, key: Key, layer: LayerDocument, index: np.ndarray
) -> tuple[int, ...] | None:
    """Return the shape sparse rows lead to: as written, since the last neurons may have no
    synapse.
    """
    n_out = prod(layer.shape) if layer.shape is not None else int(index.max()) + 1
    if int(index.min()) < 0 or int(index.max()) >= n_out:
        document.fault(
            (*key, "index"), f"must hold targets within 0..{max(n_out - 1, 0)}, not {extent(index)}"
        )
        return None
    return (n_out,)


def _neuron(
    document: Document, key: Key, written: NeuronDocument, shape: tuple[int, ...], arrays: Arrays
) -> Neuron | None:
    if not MODELS[written.model].leaks and "decay" in written.model_fields_set:
        leaky = alternatives(name for name, model in MODELS.items() if model.leaks)
        document.fault((*key, "decay"), f"belongs to a {leaky} neuron, not to {written.model!r}")
    memory.need(f"a layer of {prod(shape):,} neurons", 4 * 8 * prod(shape))
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
        array = _per_neuron(document, (*key, name), given, shape, arrays)
        if array is None:
            return None
        least, most = (
            (1 if name == "threshold" else -(2 ** (written.potential_bits - 1))),
            2 ** (written.potential_bits - 1) - 1,
        )
        if int(array.min()) < least or int(array.max()) > most:
            given_range = str(array.min()) if array.min() == array.max() else extent(array)
            document.fault(
                (*key, name),
                f"must lie within {least}..{most} (potential_bits is {written.potential_bits}), "
                f"not {given_range}",
            )
            return None
        values[name] = frozen(array)
    return Neuron(
        written.model,
        values["threshold"],
        values["initial"],
        values["bias"],
        written.reset,
        written.compare,
        written.decay,
        written.potential_bits,
        written.overflow,
    )


def _per_neuron(
    document: Document, key: Key, given: Any, shape: tuple[int, ...], arrays: Arrays
) -> np.ndarray | None:
    """Return a number, or an array of one entry, one per channel or one per neuron, as one entry
    per neuron.
    """
    n = prod(shape)
    if isinstance(given, int):
        return np.full(n, given, np.int64)
    array = arrays.get(key, given)
    if array is None:
        return None
    if array.ndim == 1 and len(shape) == 3 and len(array) == shape[0] != n:
        array = np.repeat(array, n // shape[0])
    if array.size not in (1, n):
        per_channel = f", {shape[0]} (channels)" if len(shape) == 3 else ""
        document.fault(key, f"must have 1 entry{per_channel} or {n} (neurons), not {array.size}")
        return None
    return np.broadcast_to(array.astype(np.int64).reshape(-1), (n,)).copy()
