"""A compiled workload on disk: network, stimulus, twin parameters and mapping in YAML, large arrays
in an npz beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from math import prod
from pathlib import Path

import numpy as np

from simulator import memory
from simulator.describe import library
from simulator.describe.arrays import Arrays, extent, frozen
from simulator.describe.documents import Document
from simulator.describe.layers import build
from simulator.describe.messages import Key, alternatives, near_miss, shown_value
from simulator.describe.network import Network, Stimulus
from simulator.describe.settings import Settings
from simulator.describe.words import CURRENT, FIRINGS, RASTER, STREAMING, Firing
from simulator.describe.workload_file import WorkloadDocument
from simulator.errors import InputError
from simulator.values import digest


@dataclass(frozen=True, eq=False)
class Workload:
    """A network, what is presented to it, and how its twins run.

    Load it with `Workload.load('digits-mlp')`, by name or by path, or make it of a Network and a
    Stimulus.  Raises InputError for what cannot be meant.
    """

    name: str
    network: Network
    stimulus: Stimulus
    timesteps: int
    firing: Firing = STREAMING
    about: str = "made in Python"
    placement: dict[str, list[int]] | None = None  # cores of each layer; None: auto
    neurons_per_core: int | None = None  # None: as many as a core's memories hold
    files: tuple[Path, ...] = ()  # where it was read from

    def __post_init__(self) -> None:
        """Refuse wrong types, and a placement that does not place every layer."""
        kinds = (
            ("name", str, "a text"),
            ("about", str, "a text"),
            ("network", Network, "a Network"),
            ("stimulus", Stimulus, "a Stimulus"),
        )
        for name, kind, words in kinds:
            given = getattr(self, name)
            if not isinstance(given, kind) or given == "":
                raise InputError(f"workload: {name}: must be {words}, not {shown_value(given)}")
        counts = (("timesteps", self.timesteps), ("neurons_per_core", self.neurons_per_core or 1))
        for name, count in counts:
            if not isinstance(count, int) or isinstance(count, bool) or count < 1:
                raise InputError(
                    f"workload: {name}: must be a whole number of at least 1, not "
                    f"{shown_value(count)}"
                )
        if self.firing not in FIRINGS:
            raise InputError(
                f"workload: firing: must be {alternatives(FIRINGS)}, not {shown_value(self.firing)}"
            )
        if self.placement is not None:
            for key, message in _misplaced(
                [layer.name for layer in self.network.layers], self.placement
            ):
                where = ".".join(("placement", *key))
                raise InputError(f"workload: {where}: {message}")

    def digest(self) -> str:
        """Return the sha256 of everything but the files it came from, in hexadecimal."""
        held = [(each.name, getattr(self, each.name)) for each in fields(self)]
        return digest(*(one for one in held if one[0] != "files"))

    def save(self, folder: str | Path) -> None:
        """Write workload.yaml and arrays.npz into a new or empty folder, from which `load` returns
        an equal workload; raises InputError or DescriptionError where no file may say what it is.
        """
        from simulator.describe.saving import save

        save(self, Path(folder))

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
            for below, message in _misplaced([layer.name for layer in written.layers], placement):
                document.fault(("mapping", "placement", *below), message)
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
        )


def _stimulus(
    document: Document, written: WorkloadDocument, arrays: Arrays, network: Network | None
) -> Stimulus | None:
    key: Key = ("stimulus",)
    values = arrays.get((*key, "values"), written.stimulus.values)
    if values is None:
        return None
    n_inputs = prod(written.input.shape)
    dimensions = 2 if written.stimulus.kind == CURRENT else 3
    flat = (
        values.reshape(*values.shape[: dimensions - 1], -1)
        if values.ndim >= dimensions and values.size
        else values
    )
    if flat.ndim != dimensions or flat.shape[-1] != n_inputs or not flat.size:
        shape = "(inferences, " + ("" if dimensions == 2 else "timesteps, ") + f"{n_inputs})"
        document.fault((*key, "values"), f"must have shape {shape}, not {values.shape}")
        return None
    most = 1 if written.stimulus.kind == RASTER else 2**written.input.bits - 1
    why = "a raster" if written.stimulus.kind == RASTER else f"input.bits is {written.input.bits}"
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


def _misplaced(
    names: list[str], placement: dict[str, list[int]]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every fault of a placement: the key below it, and what is wrong."""
    taken: dict[int, str] = {}
    for name, cores in placement.items():
        if name not in names:
            yield (name,), f"must name a layer{near_miss(name, names)}"
        if not cores:
            yield (name,), "must name at least one core"
        for core in cores:
            if core in taken:
                yield (
                    (name,),
                    f"must not use core {core} again: it holds {shown_value(taken[core])}",
                )
            taken[core] = name
    for name in names:
        if name not in placement:
            yield (), f"must place every layer; {shown_value(name)} is missing"
