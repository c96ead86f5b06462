"""Hostile files of other tools, and the commands that read them: networks, recordings, mappings."""

from __future__ import annotations

import io
import random
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "importers"))
from damage import damaged  # noqa: E402

NETWORK = ROOT / "tests" / "importers" / "data" / "snntorch-loop.nir"
#: a command line, and the files of the folder it runs in
Command = tuple[list[str], dict[str, bytes]]
Changes = Callable[[random.Random, bytes], bytes]
RUN = ["run", "digits-mlp", "--mode", "snn", "--limit", "1", "--timesteps", "2"]


def _damaged(some: random.Random, form: str) -> tuple[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = damaged(form, some.randrange(1 << 30), Path(folder))
        return f"file{path.suffix}", path.read_bytes()


def nir(some: random.Random, changed: Changes) -> Command:
    """A NIR file."""
    name, data = _damaged(some, "nir")
    dt = ["--dt", "1e-4"] if some.random() < 0.8 else []
    return ["import", name, "-o", "out", "--timesteps", "3", *dt], {name: data}


def onnx(some: random.Random, changed: Changes) -> Command:
    """An ONNX file."""
    name, data = _damaged(some, "onnx")
    return ["import", name, "-o", "out"], {name: data}


def events(some: random.Random, changed: Changes) -> Command:
    """A recording that is the stimulus of a sound network, or is held against it."""
    name, data = _damaged(some, "events")
    option = some.choice(("--stimulus", "--check"))
    return ["import", str(NETWORK), "-o", "out", "--timesteps", "3", option, name], {name: data}


def recording(some: random.Random, changed: Changes) -> Command:
    """Recorded activity in the place of what a network computes."""
    if some.random() < 0.3:
        name, data = _damaged(some, "events")
        return [*RUN, "--trace", name], {name: data}
    rng = np.random.default_rng(some.randrange(1 << 30))
    held = {
        one: rng.integers(0, some.choice((2, 2, 2, 9)), (2, some.choice((2, 2, 3)), n))
        for one, n in (("hidden1", 128), ("hidden2", some.choice((64, 64, 63))))
    }
    if some.random() < 0.2:
        held[some.choice(("output", "input", "x", "hidden1.spikes"))] = held["hidden1"]
    file = io.BytesIO()
    np.savez(file, **held)
    data = file.getvalue()
    return [*RUN, "--trace", "t.npz"], {
        "t.npz": changed(some, data) if some.random() < 0.5 else data
    }


@cache
def _mapping() -> dict[str, bytes]:
    """What `spikemesh map` writes of a small workload."""
    from simulator.describe import mapping_file
    from simulator.describe.workload import Workload

    workload, rng = Workload.load("digits-mlp"), np.random.default_rng(7)
    core_of = {
        population.name: np.sort(rng.integers(0, 8, population.n_neurons))
        for population in workload.network.populations
        if population.neuron is not None
    }
    with tempfile.TemporaryDirectory() as folder:
        mapping_file.save(folder, workload, "generic-22nm", core_of)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def mapping(some: random.Random, changed: Changes) -> Command:
    """A folder of `spikemesh map`: its YAML, or the arrays beside it."""
    files = dict(_mapping())
    name = some.choice(("mapping.yaml", "mapping.yaml", "mapping.npz"))
    files[name] = changed(some, files[name])
    return [*RUN, "--mapping", some.choice((".", "mapping.yaml"))], files


KINDS: dict[str, Callable[[random.Random, Changes], Command]] = {
    each.__name__: each for each in (nir, onnx, events, recording, mapping)
}
