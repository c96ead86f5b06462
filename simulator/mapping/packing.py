"""From cuts to cores: what slices need, and slices side by side on a core where they share one."""

from __future__ import annotations

import numpy as np

from simulator.describe.chip import Chip
from simulator.describe.workload import Workload
from simulator.mapping import fan_out
from simulator.mapping.cuts import Cut, reached, synapse_bits
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
