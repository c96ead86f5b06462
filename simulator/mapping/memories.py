"""What populations take of the cores' memories: the sums of a mapping, and what does not fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator import memory
from simulator.describe.chip import Chip
from simulator.describe.connections import DENSE
from simulator.describe.network import Network, Population
from simulator.describe.offsets import Offsets, cycle_of, offsets, window_offsets
from simulator.describe.words import ACCUMULATING
from simulator.describe.workload import Workload
from simulator.errors import MappingError
from simulator.mapping import fan_out
from simulator.mapping.core_mapping import CoreMapping, Slices

#: cores that a message names before it counts the others
NAMED = 4


@dataclass(frozen=True)
class Size:
    """What a population takes on a chip."""

    chip: Chip
    network: Network
    number: int
    state: int  # bits of neuron memory per neuron
    planes: int  # of accumulators

    @property
    def population(self) -> Population:
        """The population itself."""
        return self.network.populations[self.number]

    def synapse_bits(self, slice_of: np.ndarray, slices: int) -> np.ndarray:
        """Return the weight memory each slice needs, (slices,) int64 bits."""
        return fan_out.synapse_bits(self.chip, self.network, self.number, slice_of, slices)


def size_of(workload: Workload, chip: Chip, number: int) -> Size:
    """Return what a population takes on a chip: for every neuron as many times `core.soma.state` as
    its state needs, and its accumulators in as many planes as the spikes that wait longest ask for.
    """
    network = workload.network
    neuron = network.populations[number].neuron
    assert neuron is not None
    word = chip.core.soma.state
    words = max(1, -(-neuron.state_bits(workload.timesteps) // word))
    currents = fan_out.currents(network, number) * chip.core.synapse.accumulator
    least = chip.step.planes
    carries = workload.stimulus.carries
    planes = max(
        fan_out.planes(network, number, when, least, carries) for when in schedules(workload)
    )
    return Size(chip, network, number, words * word + planes * currents, planes)


def schedules(workload: Workload) -> list[Offsets]:
    """Return when the populations of a workload work, in every way it can be run: as it fires, and
    window by window where it has no cycle.
    """
    network = workload.network
    edges = [(p.source, p.target) for p in network.projections]
    found = [] if cycle_of(len(network.populations), edges) else [window_offsets(network, 1)]
    return found if workload.firing == ACCUMULATING and found else [*found, offsets(network)]


def most_neurons(workload: Workload, chip: Chip) -> int | None:
    """Return how many neurons a core may hold beside what its memories say; a chip of one core has
    nothing to spread over, so there the workload's wish does not count.
    """
    return workload.neurons_per_core if chip.n_cores > 1 else None


def check_widths(workload: Workload, chip: Chip) -> None:
    """Refuse potentials wider than a core's word of state."""
    for population in workload.network.populations:
        neuron = population.neuron
        if neuron is not None and neuron.potential_bits > chip.core.soma.state:
            raise MappingError(
                f"{population.name!r} does not fit: its potentials have "
                f"{neuron.potential_bits} bits, "
                f"core.soma.state of {chip.name} is {chip.core.soma.state} bits"
            )


def mapped(workload: Workload, chip: Chip, core_of: dict[int, np.ndarray]) -> CoreMapping:
    """Return the mapping with every neuron of the computed populations on the core given for it,
    and the sums of its memories [W41] [W42]; whether they fit is not asked.
    """
    network = workload.network
    populations = network.populations
    nowhere = np.zeros(0, np.int64)
    slices = [
        Slices.of(core_of[number]) if number in core_of else Slices.outside(population.n_neurons)
        for number, population in enumerate(populations)
    ]
    check_tables(network, {number: slices[number].count for number in core_of})
    targets = [
        fan_out.targets(path, slices[path.target].slice_of, slices[path.target].count, chip)
        for path in network.projections
    ]
    use = {name: np.zeros(chip.n_cores, np.int64) for name in ("synapse", "neuron", "axon")}
    for number in core_of:
        here, size = slices[number], size_of(workload, chip, number)
        paths = [targets[k] for k in network.outgoing[number]]
        use["synapse"][here.cores] += size.synapse_bits(here.slice_of, here.count)
        use["neuron"][here.cores] += np.diff(here.bounds) * size.state
        entries = fan_out.axon_entries(chip, network, number, paths, here.slice_of, here.count)
        use["axon"][here.cores] += entries * chip.core.axon_out.entry
    return CoreMapping(
        tuple(core_of.get(number, nowhere) for number in range(len(populations))),
        tuple(slices),
        tuple(targets),
        use["synapse"],
        use["neuron"],
        use["axon"],
    )


def faults(workload: Workload, chip: Chip, mapping: CoreMapping) -> list[str]:
    """Return every memory that a mapping overfills, in words: which cores, what they hold, and by
    how much.
    """
    names = [population.name for population in workload.network.populations]
    found = []
    for kind, use, room in (
        ("synapses", mapping.synapse_bits, chip.core.memory.synapses),
        ("neurons", mapping.neuron_bits, chip.core.memory.neurons),
        ("axons", mapping.axon_bits, chip.core.memory.axons),
    ):
        full = np.flatnonzero(use > room)
        for core in full[:NAMED]:
            held = ", ".join(
                f"{count} of {names[number]!r}"
                for number, count in enumerate(mapping.neurons[core])
                if count
            )
            found.append(
                f"core {core} ({held}) needs {use[core]} bits of {kind}, core.memory.{kind} of "
                f"{chip.name} is {room} bits, {use[core] - room} too few"
            )
        if len(full) > NAMED:
            found.append(f"{len(full) - NAMED} more cores need too many bits of {kind}")
    most = most_neurons(workload, chip)
    crowded = np.flatnonzero(mapping.neurons.sum(axis=1) > (most or np.inf))
    if len(crowded):
        found.append(
            f"core {crowded[0]} holds {mapping.neurons[crowded[0]].sum()} neurons, "
            f"mapping.neurons_per_core is {most}"
        )
    return found


def refuse_overfull(workload: Workload, chip: Chip, mapping: CoreMapping) -> None:
    """Raise MappingError naming every memory that a mapping overfills."""
    found = faults(workload, chip, mapping)
    if found:
        raise MappingError(
            f"workload {workload.name} does not fit on chip {chip.name} as it is mapped: "
            + "; ".join(found)
        )


def check_tables(network: Network, counts: dict[int, int]) -> None:
    """Refuse tables of sources and slices that would not fit in this machine's memory; those of
    dense connections take none.
    """
    entries = {
        network.ends(projection): projection.connection.n_in * counts[projection.target]
        for projection in network.projections
        if projection.connection.kind != DENSE
    }
    if entries:
        largest = max(entries, key=lambda name: entries[name])
        memory.need(
            f"the targets of {entries[largest]:,} pairs of a source and a slice of {largest}",
            10 * sum(entries.values()),
        )
