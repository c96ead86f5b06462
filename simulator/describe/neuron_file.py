"""From the keys of neurons and their arrays to a Neuron: widths hold, or a fault says which do
not.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from simulator import memory
from simulator.describe.arrays import Arrays, extent, frozen
from simulator.describe.documents import Document
from simulator.describe.messages import Key, alternatives
from simulator.describe.neuron import MODELS, TIES, Neuron
from simulator.describe.workload_file import NeuronDocument

LARGEST_GAIN_BITS = 32
#: keys that only some models have
_OF_SOME = ("decay", "current_decay", "current_bits", "emits", "read", "limit")


def neuron(
    document: Document, key: Key, written: NeuronDocument, shape: tuple[int, ...], arrays: Arrays
) -> Neuron | None:
    """Return the neurons of a population of that shape, or None after noting what is wrong."""
    _check_belongings(document, key, written)
    memory.need(f"a layer of {prod(shape):,} neurons", 4 * 8 * prod(shape))
    fires = MODELS[written.model].fires
    needed = {"threshold": fires, "initial": True, "bias": True}
    needed |= {"reset_value": written.reset == "value", "lower_bound": False, "gain": False}
    values: dict[str, np.ndarray | None] = {"threshold": np.ones(prod(shape), np.int64)}
    for name, is_needed in needed.items():
        given: Any = getattr(written, name)
        if given is None and not is_needed:
            values.setdefault(name, None)
            continue
        if given is None:
            document.fault((*key, name), "missing key: it must be given")
            return None
        if name == "threshold" and not fires:
            document.fault((*key, name), "must be left out: a readout never fires")
            continue
        array = per_neuron(document, (*key, name), given, shape, arrays)
        if array is None:
            return None
        bits = LARGEST_GAIN_BITS if name == "gain" else written.potential_bits
        least = 1 if name == "threshold" else -(2 ** (bits - 1))
        most = 2 ** (bits - 1) - 1
        if int(array.min()) < least or int(array.max()) > most:
            given_range = str(array.min()) if array.min() == array.max() else extent(array)
            document.fault(
                (*key, name),
                f"must lie within {least}..{most}{_width(name, bits)}, not {given_range}",
            )
            return None
        values[name] = frozen(array)
    threshold, initial, bias = values["threshold"], values["initial"], values["bias"]
    assert threshold is not None and initial is not None and bias is not None
    return Neuron(
        written.model,
        threshold,
        initial,
        bias,
        reset=written.reset,
        compare=written.compare,
        decay=written.decay,
        potential_bits=written.potential_bits,
        overflow=written.overflow,
        reset_at=written.reset_at,
        reset_value=values["reset_value"],
        lower_bound=values["lower_bound"],
        gain=values["gain"],
        limit=written.limit,
        current_decay=written.current_decay,
        current_bits=written.current_bits,
        graded_bits=written.value_bits or 0,
        read=written.read,
    )


def _width(name: str, bits: int) -> str:
    return "" if name == "gain" else f" (potential_bits is {bits})"


def _check_belongings(document: Document, key: Key, written: NeuronDocument) -> None:
    model = MODELS[written.model]
    for name in _OF_SOME:
        if name in written.model_fields_set and name not in model.keys:
            having = alternatives(word for word, other in MODELS.items() if name in other.keys)
            document.fault((*key, name), f"belongs to a {having} neuron, not to {written.model!r}")
    for name, other, value in (
        ("reset_value", "reset", "value"),
        ("value_bits", "emits", "graded"),
    ):
        stated = getattr(written, other) == value
        if name in written.model_fields_set and not stated:
            document.fault((*key, name), f"belongs to {other} '{value}'")
    if written.emits == "graded" and written.value_bits is None:
        document.fault((*key, "value_bits"), "missing key: it must be given with emits 'graded'")
    if written.reset_at == "held" and written.reset == "subtract":
        document.fault(
            (*key, "reset_at"), "must be 'same' or 'next' with reset 'subtract', not 'held'"
        )
    if written.gain is not None and model.has_current:
        having = alternatives(word for word, other in MODELS.items() if not other.has_current)
        document.fault((*key, "gain"), f"belongs to a {having} neuron, not to {written.model!r}")
    is_plain = (written.reset, written.reset_at, written.emits) == ("subtract", "same", "spike")
    for name, counts in (("compare", written.compare in TIES), ("limit", written.limit)):
        if counts and not is_plain:
            document.fault(
                (*key, name),
                f"must not be {getattr(written, name)!r} but for neurons that send spikes, with "
                f"reset 'subtract' at the 'same' timestep",
            )
    if not model.fires:
        for name in ("reset", "reset_at", "compare"):
            if name in written.model_fields_set and name == "reset_at":
                document.fault((*key, name), "must be left out: a readout never fires")


def per_neuron(
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
