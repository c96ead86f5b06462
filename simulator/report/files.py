"""Results on disk: JSON and npz, each written under a temporary name and then renamed, so that
nothing is ever half there.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from simulator.account.energy import ACTIONS
from simulator.errors import InputError
from simulator.study.simulation import Result
from simulator.study.twin import TwinResult
from simulator.timing.record import COUNTERS, POWER_STATES, QUEUES, UNIT_STATES, UNITS


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then rename it; leaves nothing behind when
    it fails.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with open(temporary, "wb") as handle:
            write(handle)
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write `content` as JSON with two spaces; NaN and infinity are refused."""
    text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    write_atomically(path, lambda handle: handle.write(text.encode()))


def folder_for(folder: Path) -> Path:
    """Return the folder of `-o`, made if it is not there; raises InputError when it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"-o {folder}: must be a folder that can be written: {error.strerror}"
        ) from error
    return folder


@contextmanager
def folder_ready(folder: str | None) -> Iterator[None]:
    """Make the folder of `-o` before the work, so that a bad name is said at once; take it away
    again when the work fails.
    """
    if folder is None:
        yield
        return
    place = Path(folder)
    is_new = not place.exists()
    folder_for(place)
    try:
        yield
    except BaseException:
        if is_new and place.is_dir() and not any(place.iterdir()):
            place.rmdir()
        raise


def write_run(result: Result, folder: str | Path, command: list[str] | None = None) -> None:
    """Write summary.json, manifest.json, cores.npz, links.npz, layers.npz and steps.npz of a run
    (docs/results.md).
    """
    place = folder_for(Path(folder))
    write_json(place / "summary.json", result.summary())
    write_json(place / "manifest.json", manifest(result, command))
    for name, arrays in tables(result).items():
        write_atomically(
            place / f"{name}.npz",
            lambda handle, arrays=arrays: np.savez_compressed(handle, **arrays),  # type: ignore[misc]
        )


def write_twin(result: TwinResult, folder: str | Path, command: list[str] | None = None) -> None:
    """Write snn/, qnn/ (each as write_run) and twin.json."""
    place = folder_for(Path(folder))
    write_run(result.snn, place / "snn", command)
    write_run(result.qnn, place / "qnn", command)
    write_json(place / "twin.json", result.summary())


def tables(result: Result) -> dict[str, dict[str, np.ndarray]]:
    """Return the tables of a run by file: each a dict of arrays, with the names of their columns
    beside them.
    """
    record, plan, ledger = result.record, result.plan, result.ledger
    layers = result.layers()
    n = plan.n_cores
    operands = np.array([f"{bits}x{value}" for bits, value in record.operand_bits.tolist()])
    return {
        "cores": {
            "core": np.arange(n),
            "x": plan.endpoint_router[:n] % plan.width,
            "y": plan.endpoint_router[:n] // plan.width,
            "layer": result.mapping.core_layer,
            "synapse_bits": result.mapping.synapse_bits,
            "neuron_bits": result.mapping.neuron_bits,
            "axon_bits": result.mapping.axon_bits,
            "counters": record.counters[:n],
            "counter_names": np.array(COUNTERS),
            "operand_macs": record.operand_macs[:n],
            "operand_names": operands,
            "unit_cycles": record.unit_cycles,
            "unit_names": np.array(UNITS),
            "unit_state_names": np.array(UNIT_STATES),
            "state_cycles": record.state_cycles,
            "state_names": np.array(POWER_STATES),
            "queue_peak": record.queue_peak,
            "queue_names": np.array(QUEUES),
            "energy_j": ledger.by_place[:, :n].T,
            "action_names": np.array(ACTIONS),
        },
        "links": {
            "router_x": np.arange(plan.n_routers) % plan.width,
            "router_y": np.arange(plan.n_routers) // plan.width,
            "port_names": np.array(
                ["east", "west", "north", "south"] + [f"local {i}" for i in range(plan.local_ports)]
            ),
            "flits": record.link_flits,
            "blocked_cycles": record.link_blocked,
            "utilisation": record.link_flits / max(record.cycles, 1),
            "router_flit_cycles": record.router_flit_cycles,
            "router_state_cycles": record.router_state_cycles,
            "state_names": np.array(POWER_STATES),
        },
        "layers": {
            **{key: np.array([row[key] for row in layers]) for key in layers[0]},
            "energy_by_action_j": ledger.by_layer.T,
            "action_names": np.array(ACTIONS),
        },
        "steps": {
            "start": record.step_start,
            "quiet": record.step_quiet,
            "last_output": record.step_last_output,
            "counters": record.step_counters,
            "port_counters": record.step_port_counters,
            "counter_names": np.array(COUNTERS),
            "operand_macs": record.step_operand_macs,
            "operand_names": operands,
            "state_cycles": record.step_state_cycles,
            "router_state_cycles": record.step_router_state_cycles,
            "state_names": np.array(POWER_STATES),
            "router_wakes": record.step_router_wakes,
            "energy_j": ledger.by_step.T,
            "action_names": np.array(ACTIONS),
            "latency_cycles": result.latency_cycles,
            "outputs": result.raster.outputs[: result.finished],
            "predictions": result.raster.predictions[: result.finished],
        },
    }


def manifest(result: Result, command: list[str] | None = None) -> dict[str, Any]:
    """Return what produced a run: versions, resolved configuration, digests of the inputs, engine,
    seed.
    """
    packages = ("spikemesh", "numpy", "numba", "simpy", "pyyaml", "pydantic")
    files = [*result.workload.files, result.chip.file]
    return {
        "schema_version": 1,
        "command": sys.argv if command is None else command,
        "engine": result.engine,
        "seed": result.uncertainty.seed
        if result.uncertainty
        else None,  # a run itself draws no random number
        "versions": {
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in packages},
        },
        "inputs": [
            {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
            for path in files
        ],
        "mode": result.mode,
        "timesteps": result.timesteps,
        "limit": len(result.raster.outputs),
        "chip": result.chip.model_dump(mode="json"),
        "corner": result.chip.corner,
        "workload": result.workload.document.model_dump(mode="json"),
        "mapping": [
            {
                "core": slice_.core,
                "layer": result.workload.network.layers[slice_.layer].name,
                "first_neuron": slice_.first,
                "last_neuron": slice_.last - 1,
            }
            for slice_ in result.mapping.slices
        ],
    }
