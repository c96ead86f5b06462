"""Populations cut into slices of consecutive neurons, one slice a core, as few as the cores'
memories allow; or as the workload places them.
"""

from __future__ import annotations

import numpy as np

from simulator.describe.chip import Chip
from simulator.describe.workload import Workload
from simulator.errors import MappingError
from simulator.mapping import fan_out
from simulator.mapping.core_mapping import CoreMapping
from simulator.mapping.memories import (
    Size,
    check_tables,
    check_widths,
    mapped,
    most_neurons,
    refuse_overfull,
    size_of,
)
from simulator.mapping.placement import given, place


def partition(workload: Workload, chip: Chip) -> CoreMapping:
    """Return the mapping of a workload on a chip.

    Raises MappingError saying what does not fit, where, by how much, and how many cores it would
    take.
    """
    check_widths(workload, chip)
    if workload.placement is not None:
        return _given(workload, chip)
    counts = fewest_slices(workload, chip)
    where, populations = place(chip, counts), workload.network.populations
    return mapped(
        workload,
        chip,
        {n: where[n][_cut(populations[n].n_neurons, count)] for n, count in counts.items()},
    )


def fewest_slices(workload: Workload, chip: Chip) -> dict[int, int]:
    """Return the fewest slices of consecutive neurons of each computed population that fit a core
    each; raises MappingError as `partition` does.
    """
    check_widths(workload, chip)
    network = workload.network
    computed = network.computed
    sizes = {number: size_of(workload, chip, number) for number in computed}
    counts = {
        number: _least(chip, sizes[number], most_neurons(workload, chip)) for number in computed
    }
    while True:
        cuts = {
            number: _cut(network.populations[number].n_neurons, counts[number])
            for number in computed
        }
        check_tables(network, counts)
        targets = [
            fan_out.targets(path, cuts[path.target], counts[path.target], chip)
            for path in network.projections
        ]
        axons = {}
        for number in computed:
            paths = [targets[k] for k in network.outgoing[number]]
            axons[number] = chip.core.axon_out.entry * fan_out.axon_entries(
                chip, network, number, paths, cuts[number], counts[number]
            )
        full = [n for n in computed if (axons[n] > chip.core.memory.axons).any()]
        if not full:
            break
        number = full[-1]  # the last one first: its slices are the destinations of those before
        worst = int(axons[number].max())
        population = network.populations[number]
        if counts[number] >= population.n_neurons:
            raise MappingError(
                f"{population.name!r} does not fit: its axons need {worst} bits on a core, "
                f"core.memory.axons of {chip.name} is {chip.core.memory.axons} bits, "
                f"{worst - chip.core.memory.axons} too few"
            )
        counts[number] = min(
            population.n_neurons,
            max(counts[number] + 1, counts[number] * worst // max(1, chip.core.memory.axons)),
        )
    total = sum(counts.values())
    if total > chip.n_cores:
        need = ", ".join(
            f"{network.populations[number].name} {counts[number]}" for number in computed
        )
        raise MappingError(
            f"workload {workload.name} does not fit on chip {chip.name}: it needs {total} "
            f"cores ({need}), "
            f"the chip has {chip.n_cores}, {total - chip.n_cores} too few"
        )
    return counts


def _given(workload: Workload, chip: Chip) -> CoreMapping:
    """Return the mapping a workload asks for, neuron by neuron or by the cores of equal slices."""
    network, core_of = workload.network, {}
    for number, cores in given(workload, chip).items():
        population = network.populations[number]
        if isinstance(workload.placement[population.name], np.ndarray):  # type: ignore[index]
            core_of[number] = cores
            continue
        size, count = size_of(workload, chip, number), len(cores)
        if count > population.n_neurons:
            raise MappingError(
                f"{population.name!r}: must be placed on at most {population.n_neurons} cores (its "
                f"neurons), not {count}"
            )
        cut = _cut(population.n_neurons, count)
        if not _fits(chip, size, count):
            synapses = int(size.synapse_bits(cut, count).max())
            neurons = int(np.bincount(cut).max()) * size.state
            raise MappingError(
                f"{population.name!r} does not fit on {count} cores of {chip.name}: a core needs "
                f"{synapses} bits of synapses "
                f"(has {chip.core.memory.synapses}) and {neurons} bits of neurons (has "
                f"{chip.core.memory.neurons}); "
                f"{_least(chip, size, None)} cores would do{_waiting(size)}"
            )
        core_of[number] = cores[cut]
    mapping = mapped(workload, chip, core_of)
    refuse_overfull(workload, chip, mapping)
    return mapping


def _cut(neurons: int, count: int) -> np.ndarray:
    """Return the slice of each neuron, of `count` slices as equal as can be, the larger first."""
    size, more = divmod(neurons, count)
    return np.repeat(np.arange(count), size + (np.arange(count) < more))


def _fits(chip: Chip, size: Size, count: int) -> bool:
    cut = _cut(size.population.n_neurons, count)
    return bool(
        (np.bincount(cut) * size.state <= chip.core.memory.neurons).all()
        and (size.synapse_bits(cut, count) <= chip.core.memory.synapses).all()
    )


def _waiting(size: Size) -> str:
    """Return what delays add to a message about memory: nothing where no spike waits."""
    more = size.planes - size.chip.step.planes
    planes = "plane" if more == 1 else "planes"
    return f"; spikes that wait take {more} more {planes} of accumulators" if more else ""


def _least(chip: Chip, size: Size, neurons_per_core: int | None) -> int:
    """Return the fewest cores the population's neurons and weights fit on."""
    n = size.population.n_neurons
    room = chip.core.memory
    low = -(-n * size.state // room.neurons) if room.neurons else n
    synapses = int(size.synapse_bits(np.zeros(n, np.int64), 1)[0])
    low = max(1, low, -(-synapses // max(room.synapses, 1)))
    if neurons_per_core is not None:
        low = max(low, -(-n // neurons_per_core))
    count = low
    while count <= n:
        if _fits(chip, size, count):
            return count
        count = max(count + 1, count * 33 // 32)
    alone = int(size.synapse_bits(np.arange(n), n).max())
    short = max(alone - room.synapses, size.state - room.neurons)
    raise MappingError(
        f"{size.population.name!r} does not fit: one neuron needs {alone} bits of synapses and "
        f"{size.state} bits of state, "
        f"a core of {chip.name} has {room.synapses} and {room.neurons}, {short} too few"
        f"{_waiting(size)}"
    )
