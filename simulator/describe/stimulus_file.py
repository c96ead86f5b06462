"""From the keys of a stimulus and its arrays to a Stimulus: a feed per input, and labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator import memory
from simulator.describe.arrays import Arrays, extent, frozen
from simulator.describe.documents import Document
from simulator.describe.messages import Key, dotted, near_miss
from simulator.describe.network import Feed, Network, Stimulus
from simulator.describe.words import CARRIED, CURRENT, RASTER, STREAMING, StimulusKind
from simulator.describe.workload_file import FedDocument, InputDocument, WorkloadDocument


@dataclass(frozen=True)
class _Input:
    """One input as it is written: name, lines, the width of its values, and where that stands."""

    name: str
    n: int
    written: InputDocument | FedDocument
    key: Key


def stimulus(
    document: Document, written: WorkloadDocument, arrays: Arrays, network: Network | None
) -> Stimulus | None:
    """Return what enters, or None after noting what is wrong."""
    inputs = _inputs(written)
    stated = written.stimulus
    single = stated.inputs is None
    feeds: list[Feed] = []
    if single and (len(inputs) != 1 or stated.kind is None or stated.values is None):
        for name in ("kind", "values"):
            if len(inputs) == 1 and getattr(stated, name) is None:
                document.fault(("stimulus", name), "missing key: it must be given")
        if len(inputs) != 1:
            names = ", ".join(one.name for one in inputs)
            document.fault(("stimulus", "inputs"), f"missing key: it must feed each of {names}")
        return None
    for one in inputs:
        key: Key = ("stimulus",) if single else ("stimulus", "inputs", one.name)
        kind, values = stated.kind, stated.values
        if stated.inputs is not None:
            if one.name not in stated.inputs:
                document.fault(
                    ("stimulus", "inputs"), f"must feed every input; {one.name!r} is missing"
                )
                continue
            kind, values = stated.inputs[one.name].kind, stated.inputs[one.name].values
        assert kind is not None and values is not None
        feed = _feed(document, key, kind, values, one, written.twin.timesteps, arrays)
        if feed is not None:
            feeds.append(feed)
    if stated.inputs is not None:
        _check_names(document, written, inputs)
    if len(feeds) < len(inputs) or not feeds:
        return None
    n = len(feeds[0].values)
    for one, feed in zip(inputs, feeds):
        if len(feed.values) != n:
            document.fault(
                ("stimulus", "inputs", one.name),
                f"must have {n} inferences, as {inputs[0].name!r} has, not {len(feed.values)}",
            )
    carries = stated.state == CARRIED
    if carries and written.twin.firing != STREAMING:
        document.fault(
            ("stimulus", "state"),
            f"must be 'reset' with twin.firing {written.twin.firing!r}, not 'carried'",
        )
    return Stimulus(tuple(feeds), _labels(document, written, arrays, network, n), carries)


def _inputs(written: WorkloadDocument) -> list[_Input]:
    if written.input is not None:
        n = int(np.prod(written.input.shape, dtype=object))
        return [_Input("input", n, written.input, ("input",))]
    return [
        _Input(
            one.name,
            int(np.prod(one.shape, dtype=object)),
            one.input,
            ("populations", number, "input"),
        )
        for number, one in enumerate(written.populations or ())
        if one.input is not None
    ]


def _check_names(document: Document, written: WorkloadDocument, inputs: list[_Input]) -> None:
    names = [one.name for one in inputs]
    for name in written.stimulus.inputs or ():
        if name not in names:
            document.fault(
                ("stimulus", "inputs", name), f"must name an input{near_miss(name, names)}"
            )
    for name in ("kind", "values"):
        if getattr(written.stimulus, name) is not None:
            document.fault(("stimulus", name), "must be left out beside stimulus.inputs")


def _feed(
    document: Document,
    key: Key,
    kind: StimulusKind,
    name: str,
    one: _Input,
    timesteps: int,
    arrays: Arrays,
) -> Feed | None:
    values = arrays.get((*key, "values"), name)
    if values is None:
        return None
    dimensions = 2 if kind == CURRENT else 3
    flat = (
        values.reshape(*values.shape[: dimensions - 1], -1)
        if values.ndim >= dimensions and values.size
        else values
    )
    if flat.ndim != dimensions or flat.shape[-1] != one.n or not flat.size:
        shape = "(inferences, " + ("" if dimensions == 2 else "timesteps, ") + f"{one.n})"
        document.fault((*key, "values"), f"must have shape {shape}, not {values.shape}")
        return None
    bits, is_signed = one.written.bits, one.written.signed
    least, most = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if is_signed else (0, 2**bits - 1)
    why = f"{dotted((*one.key, 'bits'))} is {bits}{', signed' if is_signed else ''}"
    if kind == RASTER:
        least, most, why = 0, 1, "a raster"
    if int(flat.min()) < least or int(flat.max()) > most:
        document.fault(
            (*key, "values"), f"must lie within {least}..{most} ({why}), not {extent(flat)}"
        )
        return None
    if dimensions == 3 and flat.shape[1] != timesteps:
        document.fault(
            ("twin", "timesteps"),
            f"must be {flat.shape[1]}, the timesteps of the stimulus, not {timesteps}",
        )
    memory.need(f"a stimulus of {flat.size:,} values", 4 * flat.size)
    return Feed(kind, frozen(flat.astype(np.int32)), bits)


def _labels(
    document: Document,
    written: WorkloadDocument,
    arrays: Arrays,
    network: Network | None,
    n_inferences: int,
) -> np.ndarray | None:
    key: Key = ("stimulus", "labels")
    if written.stimulus.labels is None:
        return None
    labels = arrays.get(key, written.stimulus.labels)
    if labels is None:
        return None
    if labels.shape != (n_inferences,):
        document.fault(
            key, f"must have one entry per inference ({n_inferences}), not shape {labels.shape}"
        )
        return None
    if network is not None:
        outputs = network.populations[network.outputs[0]].n_neurons
        if int(labels.min()) < 0 or int(labels.max()) >= outputs:
            document.fault(
                key, f"must lie within 0..{outputs - 1} (output neurons), not {extent(labels)}"
            )
            return None
    return frozen(labels.astype(np.int64))
