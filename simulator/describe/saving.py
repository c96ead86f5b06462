"""A workload as the files it can be loaded from again: workload.yaml and arrays.npz."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.describe.documents import write
from simulator.describe.graph_file import INPUT
from simulator.describe.narrow import narrow
from simulator.describe.network import Feed, Network, Population, Projection, Stimulus
from simulator.describe.neuron import ARRAYS as OWN_ARRAYS
from simulator.describe.neuron import MODELS
from simulator.describe.words import CARRIED, RASTER
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
    """Return the tree of workload.yaml and the arrays beside it, by name; a chain in its short
    form.
    """
    arrays: dict[str, np.ndarray] = {}
    mapping: dict[str, Any] = {"placement": "auto"}
    if workload.placement is not None:
        mapping["placement"] = _placement(workload, arrays)
    if workload.neurons_per_core is not None:
        mapping["neurons_per_core"] = workload.neurons_per_core
    if workload.encoding is not None:
        mapping["encoding"] = workload.encoding
    activity = {} if workload.activity is None else {"activity": workload.activity.tree()}
    shape = _chain if _is_short(workload.network) else _graph
    tree = {
        "schema_version": 1,
        "name": workload.name,
        "about": workload.about,
        "arrays": ARRAYS,
        **shape(workload.network, workload.stimulus, arrays),
        "stimulus": _stimulus(workload.network, workload.stimulus, arrays),
        "twin": {"timesteps": workload.timesteps, "firing": workload.firing, **activity},
        "mapping": mapping,
    }
    return tree, arrays


def _placement(workload: Workload, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    assert workload.placement is not None
    numbers = {one.name: number for number, one in enumerate(workload.network.populations)}
    tree: dict[str, Any] = {}
    for name, cores in workload.placement.items():
        if isinstance(cores, np.ndarray):
            tree[name] = f"{_array_name(name, numbers[name])}.core"
            arrays[tree[name]] = narrow(cores)
        else:
            tree[name] = [int(core) for core in cores]
    return tree


def _is_short(network: Network) -> bool:
    """Return whether a chain says all of it."""
    return (
        network.is_chain
        and network.populations[0].name == INPUT
        and all(path.delay == 0 and path.bias is None for path in network.projections)
    )


def _stimulus(
    network: Network, stimulus: Stimulus, arrays: dict[str, np.ndarray]
) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    if len(stimulus.feeds) == 1:
        tree = {"kind": stimulus.feeds[0].kind, "values": "stimulus"}
        arrays["stimulus"] = narrow(stimulus.feeds[0].values)
    else:
        tree["inputs"] = {}
        for number, feed in zip(network.inputs, stimulus.feeds):
            array = f"stimulus-{number}"
            arrays[array] = narrow(feed.values)
            name = network.populations[number].name
            tree["inputs"][name] = {"kind": feed.kind, "values": array}
    if stimulus.labels is not None:
        tree["labels"] = "labels"
        arrays["labels"] = narrow(stimulus.labels)
    return tree | ({"state": CARRIED} if stimulus.carries else {})


def _fed(feed: Feed) -> dict[str, Any]:
    is_signed = feed.kind != RASTER and int(feed.values.min(initial=0)) < 0
    return {"bits": feed.value_bits} | ({"signed": True} if is_signed else {})


def _chain(network: Network, stimulus: Stimulus, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    layers = []
    for number, (path, population) in enumerate(
        zip(network.projections, network.populations[1:]), start=1
    ):
        array = _array_name(population.name, number)
        layer: dict[str, Any] = {"name": population.name, "shape": list(population.shape)}
        layers.append(layer | _path(path, array, arrays) | _cells(population, array, arrays))
    shape = list(network.populations[0].shape)
    return {"input": {"shape": shape} | _fed(stimulus.feeds[0]), "layers": layers}


def _graph(network: Network, stimulus: Stimulus, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    feeds = dict(zip(network.inputs, stimulus.feeds))
    populations, projections = [], []
    for number, population in enumerate(network.populations):
        tree: dict[str, Any] = {"name": population.name, "shape": list(population.shape)}
        if population.is_input:
            populations.append(tree | {"input": _fed(feeds[number])})
        else:
            array = _array_name(population.name, number)
            populations.append(tree | _cells(population, array, arrays))
    for number, path in enumerate(network.projections):
        array = f"projection-{number}"
        ends = {"source": path.source, "target": path.target}
        tree = {end: network.populations[at].name for end, at in ends.items()}
        tree |= {"delay": path.delay} | _path(path, array, arrays)
        if path.bias is not None:
            tree["bias"] = f"{array}.bias"
            arrays[tree["bias"]] = path.bias
        projections.append(tree)
    outputs = [network.populations[number].name for number in network.outputs]
    return {"populations": populations, "projections": projections, "outputs": outputs}


def _array_name(population: str, number: int) -> str:
    """Return what a population's arrays begin with: its name where that is a word."""
    return population if _WORD.fullmatch(population) else f"layer-{number}"


def _path(path: Projection, array: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    joined = path.connection
    tree: dict[str, Any] = {
        "kind": joined.kind,
        "weight": f"{array}.weight",
        "weight_bits": joined.weight_bits,
    }
    arrays[f"{array}.weight"] = joined.weight
    if joined.per_timestep:
        tree["per_timestep"] = True
    for name in joined.of_kind.keys:
        held = getattr(joined, name)
        if isinstance(held, np.ndarray):
            arrays[f"{array}.{name}"] = held
            held = f"{array}.{name}"
        if held is not None:
            tree[name] = list(held) if isinstance(held, tuple) else held
    pool = {} if path.pool is None else {"pool": {"kind": path.pool.kind, "size": path.pool.size}}
    return {"connection": tree, **pool}


def _cells(population: Population, array: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    neuron = population.neuron
    assert neuron is not None
    model = MODELS[neuron.model]
    tree: dict[str, Any] = {"model": neuron.model}
    for name in OWN_ARRAYS:
        held = getattr(neuron, name)
        if held is not None and (name != "threshold" or neuron.fires):
            tree[name] = f"{array}.{name}"
            arrays[tree[name]] = held
    own = [name for name in model.keys if name not in ("threshold", "emits", "limit")]
    for name in ("reset", "compare", "potential_bits", "overflow", *own):
        tree[name] = getattr(neuron, name)
    if neuron.fires:
        tree["reset_at"] = neuron.reset_at
        if neuron.limit is not None:
            tree["limit"] = neuron.limit
        if neuron.graded_bits:
            tree |= {"emits": "graded", "value_bits": neuron.graded_bits}
    return {"neuron": tree}
