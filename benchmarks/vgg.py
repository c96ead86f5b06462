"""A network of real size: VGG16 for 32x32x3 images, mapped on a grown generic chip and both twins
of one image simulated at cycle level.
"""

from __future__ import annotations

import time
from typing import Any

from benchmarks import measure
from benchmarks.figures import Figure, Sample
from benchmarks.races import Settings

#: the side of the mesh it is mapped on
SIDE = 32
#: what it is held to: cores, seconds to map, seconds of both twins, bytes
CORES, MAP_SECONDS, TWIN_SECONDS, MEMORY = 600, 5.0, 60.0, 3e9


def vgg(settings: Settings) -> list[Figure]:
    """Map vgg16-cifar on a generic-22nm of 32x32 cores, and simulate both twins of one image at T =
    4; kernels are compiled before the clock starts.
    """
    measure.fresh("benchmarks.vgg:run", workload="digits-cnn")  # compiles what is not compiled yet
    repeat = 1 if settings.is_quick else min(settings.repeat, 3)
    found = [measure.fresh("benchmarks.vgg:run", workload="vgg16-cifar") for _ in range(repeat)]
    facts = found[0]
    sample = {name: Sample.of([float(one[name]) for one in found]) for name in facts}
    name = f"vgg16-cifar, generic-22nm {SIDE}x{SIDE}"
    note = (
        f"{facts['neurons']:,} neurons; of one image {facts['snn_packets']:,} packets and "
        f"{facts['snn_cycles']:,} cycles as spiking, {facts['qnn_packets']:,} and "
        f"{facts['qnn_cycles']:,} as quantised twin"
    )
    return [
        Figure(f"{name}: cores", sample["cores"], "cores", CORES, True, note=note, facts=facts),
        Figure(f"{name}: map", sample["map_seconds"], "s", MAP_SECONDS, True),
        Figure(f"{name}: both twins", sample["twin_seconds"], "s", TWIN_SECONDS, True),
        Figure(f"{name}: peak memory", sample["peak_memory"], "B", MEMORY, True),
    ]


def run(workload: str) -> dict[str, Any]:
    """Map a workload and simulate its first inference as both twins."""
    from simulator.describe.chip import Chip
    from simulator.describe.workload import Workload
    from simulator.study import mapper, plans
    from simulator.study.pipeline import compute

    loaded = Workload.load(workload)
    chip = Chip.load("generic-22nm", (f"mesh.width={SIDE}", f"mesh.height={SIDE}"))
    began = time.process_time()
    found = mapper.find(loaded, chip)
    mapped = time.process_time()
    results = {
        mode: plans.simulate(loaded, chip, found.mapping, compute(loaded, mode, limit=1))
        for mode in ("snn", "qnn")
    }
    ended = time.process_time()
    neurons = sum(loaded.network.populations[n].n_neurons for n in loaded.network.computed)
    return {
        "neurons": neurons,
        "cores": found.mapping.n_used,
        "map_seconds": mapped - began,
        "twin_seconds": ended - mapped,
        **{f"{mode}_packets": one.count("packets_sent") for mode, one in results.items()},
        **{f"{mode}_cycles": one.record.cycles for mode, one in results.items()},
    }


def at_published_rates() -> None:
    """Print both twins of one image for T = 3..8, at the spike rates and densities published for
    VGG16 on CIFAR-10 (Yan 2024, Table II): as the workload states them.
    """
    from simulator.analytic.published import TABLE_PRINTED
    from simulator.describe.chip import Chip
    from simulator.describe.workload import Workload
    from simulator.study import mapper, plans
    from simulator.study.pipeline import compute
    from simulator.units import show

    workload = Workload.load("vgg16-cifar")
    chip = Chip.load("generic-22nm", (f"mesh.width={SIDE}", f"mesh.height={SIDE}"))
    mapping, hidden = mapper.find(workload, chip).mapping, workload.network.hidden
    places = sum(workload.network.populations[number].n_neurons for number in hidden)
    for timesteps, (_, _, ratio) in TABLE_PRINTED.items():
        snn, qnn = (
            plans.simulate(workload, chip, mapping, compute(workload, mode, timesteps, limit=1))
            for mode in ("snn", "qnn")
        )
        sent = [sum(len(one.raster.traces[n].neuron) for n in hidden) for one in (snn, qnn)]
        print(
            f"T = {timesteps}: s_r {sent[0] / places / timesteps:.2%}, d {sent[1] / places:.2%}; "
            f"{show(snn.ledger.total, 'J')} / {show(qnn.ledger.total, 'J')} = "
            f"{snn.ledger.total / qnn.ledger.total:.3f} (published, by formula: {ratio}); "
            f"{snn.record.cycles:,} and {qnn.record.cycles:,} cycles",
            flush=True,
        )


if __name__ == "__main__":
    at_published_rates()
