"""A run on disk: its summary, its tables, and what produced it."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from simulator.account.terms import ACTIONS
from simulator.describe.saving import written
from simulator.report.page import PAGE
from simulator.report.run_page import run_page, twin_page
from simulator.report.writing import MANIFEST, Folder, result_folder
from simulator.study.simulation import Result
from simulator.study.twin import TwinResult
from simulator.timing.record import COUNTERS, POWER_STATES, QUEUES, UNIT_STATES, UNITS

#: packages that a result depends on
PACKAGES = ("spikemesh", "numpy", "numba", "simpy", "pyyaml", "pydantic")


def write_run(
    result: Result, folder: str | Path, command: list[str] | None = None, *, overwrite: bool = False
) -> None:
    """Write a run's folder: summary.json, cores.npz, links.npz, populations.npz, steps.npz
    and manifest.json (docs/results.md); raises InputError when it cannot be written.
    """
    with result_folder(folder, overwrite) as place:
        put_run(result, place, command)


def write_twin(
    result: TwinResult,
    folder: str | Path,
    command: list[str] | None = None,
    *,
    overwrite: bool = False,
) -> None:
    """Write the folder of a twin run: summary.json, snn/ and qnn/ (each as write_run) and
    manifest.json; raises InputError when it cannot be written.
    """
    with result_folder(folder, overwrite) as place:
        put_twin(result, place, command)


def put_run(
    result: Result,
    folder: Folder,
    command: list[str] | None = None,
    options: dict[str, Any] | None = None,
) -> None:
    """Write the files of a run into a folder of results, with the options it was asked by."""
    folder.text(PAGE, run_page(result))
    _put_tables(result, folder, command, options)


def _put_tables(
    result: Result, folder: Folder, command: list[str] | None, options: dict[str, Any] | None
) -> None:
    folder.json("summary.json", result.summary())
    for name, arrays in tables(result).items():
        folder.arrays(f"{name}.npz", arrays)
    folder.json(MANIFEST, manifest(result, command, options))


def put_twin(
    result: TwinResult,
    folder: Folder,
    command: list[str] | None = None,
    options: dict[str, Any] | None = None,
) -> None:
    """Write the files of a twin run into a folder of results, with the options it was asked by."""
    for mode, mine in (("snn", result.snn), ("qnn", result.qnn)):
        _put_tables(mine, folder.sub(mode), command, options)
    folder.text(PAGE, twin_page(result))
    folder.json("summary.json", result.summary())
    files = [*result.snn.workload.files, result.snn.chip.file]
    folder.json(MANIFEST, provenance(files, command, options))


def tables(result: Result) -> dict[str, dict[str, np.ndarray]]:
    """Return the tables of a run by file: each a dict of arrays, with the names of their columns
    beside them.
    """
    record, plan, ledger = result.record, result.plan, result.ledger
    populations = result.populations()
    n = plan.n_cores
    operands = np.array([f"{bits}x{value}" for bits, value in record.operand_bits.tolist()])
    return {
        "cores": {
            "core": np.arange(n),
            "x": plan.endpoint_router[:n] % plan.width,
            "y": plan.endpoint_router[:n] // plan.width,
            "population": result.mapping.core_population,
            "neurons": result.mapping.neurons,
            "population_names": np.array([p.name for p in result.workload.network.populations]),
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
        "populations": {
            **{key: np.array([row[key] for row in populations]) for key in populations[0]},
            "energy_by_action_j": ledger.by_population.T,
            "action_names": np.array(ACTIONS),
        },
        "steps": {
            "start": record.step_start,
            "quiet": record.step_quiet,
            "last_output": record.step_last_output,
            "overrun": record.step_overrun,
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


def provenance(
    files: Sequence[Path], command: list[str] | None = None, options: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return what every manifest.json has: the command, its options, versions, digests of the files
    read.
    """
    asked = {} if options is None else options
    return {
        "schema_version": 1,
        "command": sys.argv if command is None else command,
        "options": {name: value for name, value in asked.items() if name != "set"},
        "set": list(asked.get("set", ())),
        "seed": asked.get("seed"),
        "versions": {
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in PACKAGES},
        },
        "inputs": [{"file": path.name, "sha256": _digest(path)} for path in files],
    }


def _digest(path: Path) -> str | None:
    """Return the SHA-256 of a file; None of a pipe, which was read already."""
    if not path.is_file():
        return None
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def manifest(
    result: Result, command: list[str] | None = None, options: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return what produced a run: what every manifest has, and the resolved configuration."""
    files = [*result.workload.files, result.chip.file]
    seed = result.uncertainty.seed if result.uncertainty else None
    return {
        **provenance(files, command, options),
        "seed": seed,  # a run itself draws no random number
        "engine": result.engine,
        "mode": result.mode,
        "timesteps": result.timesteps,
        "limit": len(result.raster.outputs),
        "chunk": result.chunk,
        "chip": result.chip.model_dump(mode="json"),
        "corner": result.chip.corner,
        "workload": written(result.workload)[0],
        "mapping": [
            {
                "core": int(core),
                "population": result.workload.network.populations[number].name,
                "neurons": int(last - first),
                "first_neuron": int(slices.neuron_at[first]),
                "last_neuron": int(slices.neuron_at[last - 1]),
            }
            for number, slices in enumerate(result.mapping.populations)
            for core, first, last in zip(slices.cores, slices.bounds, slices.bounds[1:])
        ],
    }
