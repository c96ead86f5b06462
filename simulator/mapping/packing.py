"""From cuts to cores: slices side by side on a core where they share one, and what flows between
cores.
"""

from __future__ import annotations

import numpy as np

from simulator import memory
from simulator.describe.chip import Chip
from simulator.describe.workload import Workload
from simulator.mapping import fan_out
from simulator.mapping.core_mapping import CoreMapping
from simulator.mapping.cuts import Cut, reached, synapse_bits
from simulator.mapping.loads import Rates
from simulator.mapping.memories import Size, most_neurons


def needs(chip: Chip, sizes: dict[int, Size], cuts: dict[int, Cut]) -> dict[int, np.ndarray]:
    """Return what every slice needs by itself, by population (n_tiles, 4): bits of synapses,
    neurons and axons, and neurons.
    """
    network = next(iter(sizes.values())).network
    targets = [reached(path, cuts[path.target], chip) for path in network.projections]
    found = {}
    for number, cut in cuts.items():
        paths = [targets[k] for k in network.outgoing[number]]
        slice_of = cut.slice_of
        entries = fan_out.axon_entries(chip, network, number, paths, slice_of, cut.n_tiles)
        columns = (
            synapse_bits(sizes[number], cut),
            cut.sizes * sizes[number].state,
            entries * chip.core.axon_out.entry,
            cut.sizes,
        )
        found[number] = np.stack(columns, axis=1).astype(np.int64)
    return found


def room(workload: Workload, chip: Chip) -> np.ndarray:
    """Return what a core has of what slices need."""
    memory = chip.core.memory
    most = most_neurons(workload, chip) or np.iinfo(np.int64).max
    return np.array([memory.synapses, memory.neurons, memory.axons, most], np.int64)


def packed(needed: dict[int, np.ndarray], has: np.ndarray) -> dict[int, np.ndarray]:
    """Return the core of every slice by population, (n_tiles,), from 0 on: the first core with
    room, in the order of populations.
    """
    left: list[np.ndarray] = []
    found = {}
    for number, slices in needed.items():
        cores = np.zeros(len(slices), np.int64)
        for place, need in enumerate(slices):
            core = next((c for c, free in enumerate(left) if (need <= free).all()), len(left))
            if core == len(left):
                left.append(has.copy())
            left[core] -= need
            cores[place] = core
        found[number] = cores
    return found


def apart(cuts: dict[int, Cut]) -> dict[int, np.ndarray]:
    """Return the core of every slice by population where each has one of its own."""
    first = np.cumsum([0, *(cut.n_tiles for cut in cuts.values())])
    return {
        number: np.arange(cut.n_tiles) + begin for (number, cut), begin in zip(cuts.items(), first)
    }


def traffic(chip: Chip, mapping: CoreMapping, workload: Workload, rates: Rates) -> np.ndarray:
    """Return the packets per timestep from core to core, (n_cores + 2, n_cores + 2) float64; the
    last two places are the ports of input and output.
    """
    network, n = workload.network, chip.n_cores
    memory.need(f"the packets between {n:,} cores", 8 * (n + 2) ** 2)
    found = np.zeros((n + 2, n + 2))
    for k, path in enumerate(network.projections):
        here, there = mapping.populations[path.source], mapping.populations[path.target]
        target = mapping.targets[k]
        kinds = len(target.count)
        weight = np.bincount(
            here.slice_of * kinds + target.kind,
            rates.events[path.source],
            minlength=here.count * kinds,
        ).reshape(here.count, kinds)
        flow = weight @ (target.count > 0)
        cores = here.cores if len(here.cores) else np.array([n])
        np.add.at(found, (cores[:, None], there.cores[None, :]), flow)
    for number in network.outputs:
        slices = mapping.populations[number]
        sent = np.bincount(slices.slice_of, rates.events[number], minlength=slices.count)
        if len(slices.cores):
            np.add.at(found[:, n + 1], slices.cores, sent)
    return found
