"""The largest mesh: 128x128 routers and cores, a million neurons, a billion synapses of their own,
through the whole pipeline.
"""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import measure, networks
from benchmarks.figures import Figure, Sample
from benchmarks.races import Settings, packets_sent

#: layers, neurons of each, neurons of a core; the quick one is 1/64 of it
FULL, QUICK = (1024, 1024, 64), (128, 128, 8)
PERIOD, TIMESTEPS = 50, 4
MEMORY = 2 << 30


def large(settings: Settings) -> list[Figure]:
    """Run a chain of 1024 all-to-all layers of 1024 neurons on 16,384 cores and report time and
    peak memory.
    """
    layers, width, per_core = QUICK if settings.is_quick else FULL
    with TemporaryDirectory() as folder:
        size = {
            "layers": layers,
            "width": width,
            "neurons_per_core": per_core,
            "seed": settings.seed,
        }
        measure.fresh("benchmarks.scale:write", folder=folder, **size)
        answer = measure.fresh("benchmarks.scale:run", folder=folder)
    one = [
        Sample(answer[name], answer[name], answer[name], 1)
        for name in ("peak_memory", "load_seconds", "run_seconds")
    ]
    synapses = (layers - 1) * width * width
    name = f"128x128 mesh, {layers * width / 1e6:.3g} M neurons, {synapses / 1e9:.3g} G synapses"
    note = (
        f"held: {synapses / 1e9:.3g} GB of int8 weights, each synapse's own; rows of packets only "
        f"for neurons that fire, "
        f"shared by neurons of a core with the same targets; {answer['packets'] / 1e6:.3g} M "
        f"packets, {answer['steps']} steps"
    )
    return [
        Figure(f"{name}: peak memory", one[0], "B", float(MEMORY), True, note=note, facts=answer),
        Figure(f"{name}: load and map", one[1], "s", is_lower_better=True),
        Figure(f"{name}: run", one[2], "s", is_lower_better=True),
    ]


def write(folder: str, layers: int, width: int, neurons_per_core: int, seed: int) -> dict[str, Any]:
    """Write the workload; in a process of its own, so that its memory is given back."""
    networks.deep(Path(folder), layers, width, neurons_per_core, PERIOD, TIMESTEPS, seed)
    return {}


def run(folder: str) -> dict[str, Any]:
    """Load the workload and run all of it."""
    from simulator.describe.chip import Chip
    from simulator.describe.workload import Workload
    from simulator.study import simulation

    began = time.process_time()
    workload = Workload.load(f"{folder}/workload.yaml")
    mesh = (
        "mesh.width=128",
        "mesh.height=128",
        "packet.destination=14 bit",
        "barrier.tree=null",
        "barrier.points=[[1, 832 ns]]",
    )
    chip = Chip.load("generic-22nm", mesh)
    loaded = time.process_time()
    result = simulation.run(workload, chip, "snn")
    return {
        "load_seconds": loaded - began,
        "run_seconds": time.process_time() - loaded,
        "packets": packets_sent(result.record),
        "steps": len(result.record.step_start),
        "cycles": result.record.cycles,
    }
