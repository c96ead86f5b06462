"""Populations cut into slices of consecutive neurons, one slice a core, as few as the cores'
memories allow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator import memory
from simulator.describe.chip import Chip
from simulator.describe.connections import DENSE
from simulator.describe.network import Network, Population
from simulator.describe.offsets import Offsets, cycle_of, offsets, window_offsets
from simulator.describe.workload import Workload
from simulator.errors import MappingError
from simulator.mapping import fan_out
from simulator.mapping.placement import place
from simulator.values import Value


@dataclass(frozen=True)
class Slice:
    """Neurons first .. last - 1 of population `population` (a number in Network.populations) on one
    core.
    """

    core: int
    population: int
    first: int
    last: int


@dataclass(frozen=True, eq=False)
class CoreMapping(Value):
    """Where everything is: slices by population, and how full each core is.

    Inputs sit on no core: they have no slices, and all their lines between their bounds.
    """

    slices: tuple[Slice, ...]
    bounds: tuple[np.ndarray, ...]  # per population (n_slices + 1,)
    cores: tuple[np.ndarray, ...]  # per population (n_slices,)
    # per projection (n_in, n_slices of its target): synapses of each source on each slice
    targets: tuple[np.ndarray, ...]
    core_population: np.ndarray  # (n_cores,) int64, a number in Network.populations; -1: unused
    synapse_bits: np.ndarray  # (n_cores,) int64, in use
    neuron_bits: np.ndarray
    axon_bits: np.ndarray

    @property
    def n_used(self) -> int:
        """Cores that hold a slice."""
        return len(self.slices)


def partition(workload: Workload, chip: Chip) -> CoreMapping:
    """Return the mapping of a workload on a chip.

    Raises MappingError saying what does not fit, where, by how much, and how many cores it would
    take.
    """
    network = workload.network
    populations, computed = network.populations, network.computed
    _check_widths(workload, chip)
    sizes = {number: size_of(workload, chip, number) for number in computed}
    counts = {number: _given_or_least(workload, chip, sizes[number]) for number in computed}
    while True:
        bounds = [
            _bounds(population.n_neurons, counts.get(number, 1))
            for number, population in enumerate(populations)
        ]
        _check_tables(network, counts)
        targets = [fan_out.targets(p, bounds[p.target]) for p in network.projections]
        axons = {number: _axon_bits(chip, network, bounds, targets, number) for number in computed}
        full = [n for n in computed if (axons[n] > chip.core.memory.axons).any()]
        if not full:
            break
        number = full[-1]  # the last one first: its slices are the destinations of those before
        worst = int(axons[number].max())
        population = populations[number]
        if workload.placement is not None or counts[number] >= population.n_neurons:
            raise MappingError(
                f"{population.name!r} does not fit: its axons need {worst} bits on a core, "
                f"core.memory.axons of {chip.name} is {chip.core.memory.axons} bits, "
                f"{worst - chip.core.memory.axons} too few"
            )
        counts[number] = min(
            population.n_neurons,
            max(counts[number] + 1, counts[number] * worst // chip.core.memory.axons),
        )
    total = sum(counts.values())
    if total > chip.n_cores:
        need = ", ".join(f"{populations[number].name} {counts[number]}" for number in computed)
        raise MappingError(
            f"workload {workload.name} does not fit on chip {chip.name}: it needs {total} "
            f"cores ({need}), "
            f"the chip has {chip.n_cores}, {total - chip.n_cores} too few"
        )
    return _mapping(chip, sizes, bounds, place(workload, chip, counts), targets, axons)


def _mapping(
    chip: Chip,
    sizes: dict[int, Size],
    bounds: list[np.ndarray],
    cores: dict[int, np.ndarray],
    targets: list[np.ndarray],
    axons: dict[int, np.ndarray],
) -> CoreMapping:
    core_population = np.full(chip.n_cores, -1, np.int64)
    use = {name: np.zeros(chip.n_cores, np.int64) for name in ("synapse", "neuron", "axon")}
    slices: list[Slice] = []
    for number, where in cores.items():
        edge = bounds[number]
        core_population[where] = number
        use["synapse"][where] = sizes[number].synapse_bits(edge)
        use["neuron"][where] = np.diff(edge) * sizes[number].state
        use["axon"][where] = axons[number]
        slices += [
            Slice(int(core), number, int(a), int(b)) for core, a, b in zip(where, edge, edge[1:])
        ]
    nowhere = np.zeros(0, np.int64)
    return CoreMapping(
        tuple(slices),
        tuple(bounds),
        tuple(cores.get(number, nowhere) for number in range(len(bounds))),
        tuple(targets),
        core_population,
        use["synapse"],
        use["neuron"],
        use["axon"],
    )


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

    def synapse_bits(self, bounds: np.ndarray) -> np.ndarray:
        """Return the weight memory each slice needs, (n_slices,) int64 bits."""
        return fan_out.synapse_bits(self.chip, self.network, self.number, bounds)


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
    planes = max(fan_out.planes(network, number, when) for when in schedules(workload))
    return Size(chip, network, number, words * word + planes * currents, planes)


def schedules(workload: Workload) -> list[Offsets]:
    """Return when the populations of a workload work, in every way it can be run: as it fires, and
    window by window where it has no cycle.
    """
    network = workload.network
    edges = [(p.source, p.target) for p in network.projections]
    found = [] if cycle_of(len(network.populations), edges) else [window_offsets(network, 1)]
    return found if workload.firing == "accumulate" and found else [*found, offsets(network)]


def _check_tables(network: Network, counts: dict[int, int]) -> None:
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


def _check_widths(workload: Workload, chip: Chip) -> None:
    for population in workload.network.populations:
        neuron = population.neuron
        if neuron is not None and neuron.potential_bits > chip.core.soma.state:
            raise MappingError(
                f"{population.name!r} does not fit: its potentials have "
                f"{neuron.potential_bits} bits, "
                f"core.soma.state of {chip.name} is {chip.core.soma.state} bits"
            )


def _bounds(neurons: int, count: int) -> np.ndarray:
    """Return `count` slices as equal as can be, the larger ones first."""
    size, more = divmod(neurons, count)
    return np.concatenate(
        [[0], np.cumsum(np.full(count, size) + (np.arange(count) < more))]
    ).astype(np.int64)


def _fits(chip: Chip, size: Size, count: int) -> bool:
    bounds = _bounds(size.population.n_neurons, count)
    return bool(
        (np.diff(bounds) * size.state <= chip.core.memory.neurons).all()
        and (size.synapse_bits(bounds) <= chip.core.memory.synapses).all()
    )


def _waiting(size: Size) -> str:
    """Return what delays add to a message about memory: nothing where no spike waits."""
    if size.planes == fan_out.PLANES:
        return ""
    return f"; spikes that wait take {size.planes - fan_out.PLANES} more planes of accumulators"


def _given_or_least(workload: Workload, chip: Chip, size: Size) -> int:
    population = size.population
    if workload.placement is None:
        return _least(chip, size, workload.neurons_per_core)
    count = len(workload.placement[population.name])
    if count > population.n_neurons:
        raise MappingError(
            f"{population.name!r}: must be placed on at most {population.n_neurons} cores (its "
            f"neurons), not {count}"
        )
    if not _fits(chip, size, count):
        bounds = _bounds(population.n_neurons, count)
        synapses = int(size.synapse_bits(bounds).max())
        neurons = int(np.diff(bounds).max()) * size.state
        raise MappingError(
            f"{population.name!r} does not fit on {count} cores of {chip.name}: a core needs "
            f"{synapses} bits of synapses "
            f"(has {chip.core.memory.synapses}) and {neurons} bits of neurons (has "
            f"{chip.core.memory.neurons}); "
            f"{_least(chip, size, None)} cores would do{_waiting(size)}"
        )
    return count


def _least(chip: Chip, size: Size, neurons_per_core: int | None) -> int:
    """Return the fewest cores the population's neurons and weights fit on."""
    n = size.population.n_neurons
    room = chip.core.memory
    low = -(-n * size.state // room.neurons) if room.neurons else n
    synapses = int(size.synapse_bits(np.array([0, n]))[0])
    low = max(1, low, -(-synapses // max(room.synapses, 1)))
    if neurons_per_core is not None:
        low = max(low, -(-n // neurons_per_core))
    count = low
    while count <= n:
        if _fits(chip, size, count):
            return count
        count = max(count + 1, count * 33 // 32)
    alone = int(size.synapse_bits(_bounds(n, n)).max())
    short = max(alone - room.synapses, size.state - room.neurons)
    raise MappingError(
        f"{size.population.name!r} does not fit: one neuron needs {alone} bits of synapses and "
        f"{size.state} bits of state, "
        f"a core of {chip.name} has {room.synapses} and {room.neurons}, {short} too few"
        f"{_waiting(size)}"
    )


def _axon_bits(
    chip: Chip,
    network: Network,
    bounds: list[np.ndarray],
    targets: list[np.ndarray],
    number: int,
) -> np.ndarray:
    """Return the axon memory of each slice: one entry per neuron, projection and destination core,
    and one for the port where it is read.
    """
    entries = np.full(network.populations[number].n_neurons, int(number in network.outputs))
    for k in network.outgoing[number]:
        entries = entries + (targets[k] > 0).sum(axis=1)
    total = np.concatenate([[0], np.cumsum(entries)])
    return np.diff(total[bounds[number]]) * chip.core.axon_out.entry
