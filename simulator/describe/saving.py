"""A workload as the files it can be loaded from again: workload.yaml and arrays.npz."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.describe.documents import write
from simulator.describe.network import CONVOLUTION, MODELS, SPARSE, Layer, narrow
from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.describe.workload import Workload

ARRAYS = "arrays.npz"
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,40}")


def save(workload: Workload, folder: Path) -> None:
    """Write a workload's files into a new or empty folder, there whole or not at all.

    They are loaded again before they get their name: InputError where what was made in Python is
    nothing a file may say, or where the folder is not free.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: must be a new or an empty folder")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror}") from error
    try:
        tree, arrays = written(workload)
        write(place / "workload.yaml", tree)
        np.savez_compressed(place / ARRAYS, **arrays)  # type: ignore[arg-type]
        again = type(workload).load(place)
        if again.digest() != workload.digest():
            raise InputError(f"workload {workload.name}: must be what a file can say")
        place.chmod(0o755)
        place.replace(folder)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(place, ignore_errors=True)


def written(workload: Workload) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the tree of workload.yaml and the arrays beside it, by name."""
    arrays: dict[str, np.ndarray] = {}
    stimulus = workload.stimulus
    shown: dict[str, Any] = {"kind": stimulus.kind, "values": "stimulus"}
    arrays["stimulus"] = narrow(stimulus.values)
    if stimulus.labels is not None:
        shown["labels"] = "labels"
        arrays["labels"] = narrow(stimulus.labels)
    mapping: dict[str, Any] = {"placement": "auto"}
    if workload.placement is not None:
        mapping["placement"] = {
            name: [int(core) for core in cores] for name, cores in workload.placement.items()
        }
    if workload.neurons_per_core is not None:
        mapping["neurons_per_core"] = workload.neurons_per_core
    tree = {
        "schema_version": 1,
        "name": workload.name,
        "about": workload.about,
        "arrays": ARRAYS,
        "input": {"shape": list(workload.network.input_shape), "bits": stimulus.value_bits},
        "layers": [
            _layer(layer, _array_name(layer.name, number), arrays)
            for number, layer in enumerate(workload.network.layers, start=1)
        ],
        "stimulus": shown,
        "twin": {"timesteps": workload.timesteps, "firing": workload.firing},
        "mapping": mapping,
    }
    return tree, arrays


def _array_name(layer: str, number: int) -> str:
    """Return what a layer's arrays begin with: its name where that is a word."""
    return layer if _WORD.fullmatch(layer) else f"layer-{number}"


def _layer(layer: Layer, array: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    joined, neuron = layer.connection, layer.neuron
    connection: dict[str, Any] = {
        "kind": joined.kind,
        "weight": f"{array}.weight",
        "weight_bits": joined.weight_bits,
    }
    arrays[f"{array}.weight"] = joined.weight
    if joined.kind == CONVOLUTION:
        connection |= {"stride": joined.stride, "padding": joined.padding}
    if joined.kind == SPARSE:
        for name in ("start", "index"):
            connection[name] = f"{array}.{name}"
            arrays[f"{array}.{name}"] = getattr(joined, name)
    cells: dict[str, Any] = {"model": neuron.model}
    for name in ("threshold", "initial", "bias"):
        if name != "threshold" or layer.fires:
            cells[name] = f"{array}.{name}"
            arrays[f"{array}.{name}"] = getattr(neuron, name)
    cells |= {"reset": neuron.reset, "compare": neuron.compare}
    if MODELS[neuron.model].leaks:
        cells["decay"] = neuron.decay
    cells |= {"potential_bits": neuron.potential_bits, "overflow": neuron.overflow}
    tree = {"name": layer.name, "shape": list(layer.shape), "connection": connection}
    if layer.pool is not None:
        tree["pool"] = {"kind": layer.pool.kind, "size": layer.pool.size}
    return tree | {"neuron": cells}
