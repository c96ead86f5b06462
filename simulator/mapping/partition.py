"""Layers cut into slices of consecutive neurons, one slice a core, as few as the cores' memories
allow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator import memory
from simulator.describe.chip import Chip
from simulator.describe.network import DENSE, Layer
from simulator.describe.workload import Workload
from simulator.errors import MappingError
from simulator.mapping import fan_out
from simulator.mapping.placement import place
from simulator.values import Value


@dataclass(frozen=True)
class Slice:
    """Neurons first .. last - 1 of layer `layer` (an index into network.layers) on one core."""

    core: int
    layer: int
    first: int
    last: int


@dataclass(frozen=True, eq=False)
class CoreMapping(Value):
    """Where everything is: slices in layer order, and how full each core is."""

    slices: tuple[Slice, ...]
    bounds: tuple[np.ndarray, ...]  # per layer (n_slices + 1,)
    cores: tuple[np.ndarray, ...]  # per layer (n_slices,)
    targets: tuple[
        np.ndarray, ...
    ]  # per layer (n_in, n_slices): synapses of each source on each slice
    core_layer: np.ndarray  # (n_cores,) int64, an index into network.layers; -1: unused
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
    layers = workload.network.layers
    _check_widths(workload, chip)
    counts = [_given_or_least(workload, chip, layer) for layer in layers]
    while True:
        bounds = [_bounds(layer.n_neurons, count) for layer, count in zip(layers, counts)]
        _check_tables(layers, counts)
        targets = [fan_out.targets(layer, bound) for layer, bound in zip(layers, bounds)]
        axon_bits = [
            _axon_bits(chip, layers, bounds, targets, number) for number in range(len(layers))
        ]
        full = [n for n, bits in enumerate(axon_bits) if (bits > chip.core.memory.axons).any()]
        if not full:
            break
        number = full[-1]  # the last one first: its slices are the destinations of the layer before
        worst = int(axon_bits[number].max())
        layer = layers[number]
        if workload.placement is not None or counts[number] >= layer.n_neurons:
            raise MappingError(
                f"layer {layer.name!r} does not fit: its axons need {worst} bits on a core, "
                f"core.memory.axons of {chip.name} is {chip.core.memory.axons} bits, "
                f"{worst - chip.core.memory.axons} too few"
            )
        counts[number] = min(
            layer.n_neurons,
            max(counts[number] + 1, counts[number] * worst // chip.core.memory.axons),
        )
    if sum(counts) > chip.n_cores:
        need = ", ".join(f"{layer.name} {count}" for layer, count in zip(layers, counts))
        raise MappingError(
            f"workload {workload.name} does not fit on chip {chip.name}: it needs {sum(counts)} "
            f"cores ({need}), "
            f"the chip has {chip.n_cores}, {sum(counts) - chip.n_cores} too few"
        )
    cores = place(workload, chip, counts)
    return _mapping(chip, layers, bounds, cores, targets, axon_bits)


def _mapping(
    chip: Chip,
    layers: tuple[Layer, ...],
    bounds: list[np.ndarray],
    cores: list[np.ndarray],
    targets: list[np.ndarray],
    axon_bits: list[np.ndarray],
) -> CoreMapping:
    core_layer = np.full(chip.n_cores, -1, np.int64)
    use = {name: np.zeros(chip.n_cores, np.int64) for name in ("synapse", "neuron", "axon")}
    slices: list[Slice] = []
    for number, layer in enumerate(layers):
        where, edge = cores[number], bounds[number]
        core_layer[where] = number
        use["synapse"][where] = fan_out.synapse_bits(chip, layer, edge)
        use["neuron"][where] = np.diff(edge) * fan_out.neuron_bits(chip, layer)
        use["axon"][where] = axon_bits[number]
        slices += [
            Slice(int(core), number, int(a), int(b)) for core, a, b in zip(where, edge, edge[1:])
        ]
    return CoreMapping(
        tuple(slices),
        tuple(bounds),
        tuple(cores),
        tuple(targets),
        core_layer,
        use["synapse"],
        use["neuron"],
        use["axon"],
    )


def _check_tables(layers: tuple[Layer, ...], counts: list[int]) -> None:
    """Refuse tables of sources and slices that would not fit in this machine's memory; those of
    dense connections take none.
    """
    entries = {
        layer.name: layer.connection.n_in * count
        for layer, count in zip(layers, counts)
        if layer.connection.kind != DENSE
    }
    if entries:
        largest = max(entries, key=lambda name: entries[name])
        memory.need(
            f"the targets of {entries[largest]:,} pairs of a source and a slice of layer "
            f"{largest!r}",
            10 * sum(entries.values()),
        )


def _check_widths(workload: Workload, chip: Chip) -> None:
    for layer in workload.network.layers:
        if layer.neuron.potential_bits > chip.core.soma.state:
            raise MappingError(
                f"layer {layer.name!r} does not fit: its potentials have "
                f"{layer.neuron.potential_bits} bits, "
                f"core.soma.state of {chip.name} is {chip.core.soma.state} bits"
            )


def _bounds(neurons: int, count: int) -> np.ndarray:
    """Return `count` slices as equal as can be, the larger ones first."""
    size, more = divmod(neurons, count)
    return np.concatenate(
        [[0], np.cumsum(np.full(count, size) + (np.arange(count) < more))]
    ).astype(np.int64)


def _fits(chip: Chip, layer: Layer, count: int) -> bool:
    bounds = _bounds(layer.n_neurons, count)
    neuron_bits = np.diff(bounds) * fan_out.neuron_bits(chip, layer)
    synapse_bits = fan_out.synapse_bits(chip, layer, bounds)
    return bool(
        (neuron_bits <= chip.core.memory.neurons).all()
        and (synapse_bits <= chip.core.memory.synapses).all()
    )


def _given_or_least(workload: Workload, chip: Chip, layer: Layer) -> int:
    if workload.placement is None:
        return _least(chip, layer, workload.neurons_per_core)
    count = len(workload.placement[layer.name])
    if count > layer.n_neurons:
        raise MappingError(
            f"layer {layer.name!r}: must be placed on at most {layer.n_neurons} cores (its "
            f"neurons), not {count}"
        )
    if not _fits(chip, layer, count):
        bounds = _bounds(layer.n_neurons, count)
        synapses = int(fan_out.synapse_bits(chip, layer, bounds).max())
        neurons = int(np.diff(bounds).max()) * fan_out.neuron_bits(chip, layer)
        raise MappingError(
            f"layer {layer.name!r} does not fit on {count} cores of {chip.name}: a core needs "
            f"{synapses} bits of synapses "
            f"(has {chip.core.memory.synapses}) and {neurons} bits of neurons (has "
            f"{chip.core.memory.neurons}); "
            f"{_least(chip, layer, None)} cores would do"
        )
    return count


def _least(chip: Chip, layer: Layer, neurons_per_core: int | None) -> int:
    """Return the fewest cores the layer's neurons and weights fit on."""
    whole = np.array([0, layer.n_neurons])
    state = fan_out.neuron_bits(chip, layer)
    low = (
        -(-layer.n_neurons * state // chip.core.memory.neurons)
        if chip.core.memory.neurons
        else layer.n_neurons
    )
    synapses = int(fan_out.synapse_bits(chip, layer, whole)[0])
    low = max(1, low, -(-synapses // max(chip.core.memory.synapses, 1)))
    if neurons_per_core is not None:
        low = max(low, -(-layer.n_neurons // neurons_per_core))
    count = low
    while count <= layer.n_neurons:
        if _fits(chip, layer, count):
            return count
        count = max(count + 1, count * 33 // 32)
    alone = int(fan_out.synapse_bits(chip, layer, _bounds(layer.n_neurons, layer.n_neurons)).max())
    raise MappingError(
        f"layer {layer.name!r} does not fit: one neuron needs {alone} bits of synapses and {state} "
        f"bits of state, "
        f"a core of {chip.name} has {chip.core.memory.synapses} and {chip.core.memory.neurons}"
    )


def _axon_bits(
    chip: Chip,
    layers: tuple[Layer, ...],
    bounds: list[np.ndarray],
    targets: list[np.ndarray],
    number: int,
) -> np.ndarray:
    """Return the axon memory of each slice: one entry per neuron and destination core (the last
    layer: one, the port).
    """
    if number + 1 < len(layers):
        entries = (targets[number + 1] > 0).sum(axis=1)
    else:
        entries = np.ones(layers[number].n_neurons, np.int64)
    total = np.concatenate([[0], np.cumsum(entries)])
    return np.diff(total[bounds[number]]) * chip.core.axon_out.entry
