"""A compiled workload on disk: network, stimulus, twin parameters and mapping in YAML, large arrays
in an npz beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from simulator import memory
from simulator.describe import library
from simulator.describe.arrays import Arrays, extent, frozen
from simulator.describe.documents import Document
from simulator.describe.layers import build
from simulator.describe.messages import Key, near_miss, shown_value
from simulator.describe.network import Network, Stimulus
from simulator.describe.settings import Settings
from simulator.describe.workload_file import WorkloadDocument
from simulator.errors import InputError


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
    def load(cls, workload: str | Path, overrides: Settings = ()) -> Workload:
        """Return the workload of that name (in workloads/) or path, with changes applied.

        overrides: {'key.path': value}, or texts 'key.path=value'; `workload.` may lead a key.
        Raises DescriptionError with every fault of the file and its arrays at once, each with file
        and line.
        """
        if not isinstance(workload, (str, Path)):
            raise InputError(f"workload: must be a name or a path, not {shown_value(workload)}")
        document = Document(library.find("workload", workload))
        document.override(overrides, prefix="workload.")
        written = document.validate(WorkloadDocument)
        if written is None:
            document.refuse()
        assert written is not None
        arrays = Arrays(document, written.arrays)
        network = build(document, written, arrays)
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


def _stimulus(
    document: Document, written: WorkloadDocument, arrays: Arrays, network: Network | None
) -> Stimulus | None:
    key: Key = ("stimulus",)
    values = arrays.get((*key, "values"), written.stimulus.values)
    if values is None:
        return None
    n_inputs = prod(written.input.shape)
    dimensions = 2 if written.stimulus.kind == "current" else 3
    flat = (
        values.reshape(*values.shape[: dimensions - 1], -1)
        if values.ndim >= dimensions and values.size
        else values
    )
    if flat.ndim != dimensions or flat.shape[-1] != n_inputs or not flat.size:
        shape = "(inferences, " + ("" if dimensions == 2 else "timesteps, ") + f"{n_inputs})"
        document.fault((*key, "values"), f"must have shape {shape}, not {values.shape}")
        return None
    most = 1 if written.stimulus.kind == "raster" else 2**written.input.bits - 1
    why = "a raster" if written.stimulus.kind == "raster" else f"input.bits is {written.input.bits}"
    if int(flat.min()) < 0 or int(flat.max()) > most:
        document.fault((*key, "values"), f"must lie within 0..{most} ({why}), not {extent(flat)}")
        return None
    if dimensions == 3 and flat.shape[1] != written.twin.timesteps:
        document.fault(
            ("twin", "timesteps"),
            f"must be {flat.shape[1]}, the timesteps of the stimulus, not {written.twin.timesteps}",
        )
    labels = _labels(document, written, arrays, network, len(flat))
    memory.need(f"a stimulus of {flat.size:,} values", 4 * flat.size)
    return Stimulus(
        written.stimulus.kind, frozen(flat.astype(np.int32)), written.input.bits, labels
    )


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
    outputs = network.layers[-1].n_neurons if network is not None else None
    if outputs is not None and (int(labels.min()) < 0 or int(labels.max()) >= outputs):
        document.fault(
            key, f"must lie within 0..{outputs - 1} (output neurons), not {extent(labels)}"
        )
        return None
    return frozen(labels.astype(np.int64))


def _check_placement(
    document: Document, written: WorkloadDocument, placement: dict[str, list[int]]
) -> None:
    names = [layer.name for layer in written.layers]
    taken: dict[int, str] = {}
    for name, cores in placement.items():
        key: Key = ("mapping", "placement", name)
        if name not in names:
            document.fault(key, f"must name a layer{near_miss(name, names)}")
        if not cores:
            document.fault(key, "must name at least one core")
        for core in cores:
            if core in taken:
                holder = f"it holds {shown_value(taken[core])}"
                document.fault(key, f"must not use core {core} again: {holder}")
            taken[core] = name
    for name in names:
        if name not in placement:
            document.fault(
                ("mapping", "placement"), f"must place every layer; {shown_value(name)} is missing"
            )
