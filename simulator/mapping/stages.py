"""How many cycles, words and bits a piece of work takes: pure functions of a chip, evaluated once
per plan.
"""

from __future__ import annotations

import numpy as np

from simulator.describe.chip import Chip
from simulator.describe.connections import Connection
from simulator.errors import MappingError
from simulator.units import show


def row_bits(chip: Chip, connection: Connection, targets: np.ndarray) -> np.ndarray:
    """Return the bits one event reads from the weight memory to reach `targets` synapses."""
    return connection.row_bits(targets, chip.core.synapse.index, chip.core.synapse.packed)


def row_words(chip: Chip, bits: np.ndarray) -> np.ndarray:
    """Return the weight words of core.synapse.word bits one event reads: ceil(row bits / word)."""
    return -(-bits // chip.core.synapse.word)


def accumulator_words(chip: Chip, connection: Connection, targets: np.ndarray) -> np.ndarray:
    """Return the words of accumulators one event reads and writes back to reach `targets` synapses.

    The targets of a dense row and of a convolution lie next to each other and share words; those of
    a sparse row lie anywhere [W8].
    """
    synapse = chip.core.synapse
    together = synapse.accumulator_word // synapse.accumulator
    if together > 1 and not connection.of_kind.stores_index:
        return -(-targets // together)
    return targets * -(-synapse.accumulator // synapse.accumulator_word)


def visit_words(chip: Chip, currents: int, keeps_state: bool) -> int:
    """Return the words of neuron memory that a soma reads, and writes, for one neuron.

    It reads and clears the neuron's accumulators, one per current, and with `keeps_state` reads and
    writes its state.
    """
    soma, synapse = chip.core.soma, chip.core.synapse
    bits = currents * synapse.accumulator + (soma.state if keeps_state else 0)
    return -(-bits // soma.word)


def neuron_counts(chip: Chip, currents: int, passes: int, spiking: bool) -> dict[str, int]:
    """Return what one neuron counts in a step [W9]: words of neuron memory, and comparisons.

    Its accumulators are read and cleared, and in the spiking twin its state is read and written.
    Where the largest of several currents counts, each after the first is compared.  Then, where it
    fires (`passes` is 0 for a readout), the spiking twin compares with the threshold in each pass,
    and the quantised one scales the current to an activation and clips it at both ends.
    """
    words, fires = visit_words(chip, currents, spiking), int(passes > 0)
    return {
        "membrane_reads": words,
        "membrane_writes": words,
        "threshold_tests": currents - 1 + passes if spiking else 0,
        "clamps": 0 if spiking else currents - 1 + 2 * fires,
        "requantisations": 0 if spiking else fires,
    }


def row_cycles(chip: Chip, bits: np.ndarray, targets: np.ndarray, multiply: bool) -> np.ndarray:
    """Return the synapse unit's cycles for one event's row, without the lookup (docs/machine.md,
    Core).

    max(ceil(row bits / (word · banks)), ceil(targets / lanes) · cycles per operation)
    """
    synapse = chip.core.synapse
    operation = synapse.multiply_accumulate if multiply else synapse.accumulate
    memory = -(-bits // (synapse.word * synapse.banks))
    return np.maximum(memory, -(-targets // synapse.lanes) * operation)


def window_cycles(chip: Chip, bits: np.ndarray, targets: np.ndarray, timesteps: int) -> np.ndarray:
    """Return the synapse unit's cycles for all spikes of a source in a window of so many timesteps,
    whose row is read once, without the lookup [W22].
    """
    synapse = chip.core.synapse
    is_added = synapse.counts == "planes"
    each = timesteps * synapse.accumulate if is_added else synapse.multiply_accumulate
    memory = -(-bits // (synapse.word * synapse.banks))
    return np.maximum(memory, -(-targets // synapse.lanes) * each)


def flits(chip: Chip, bits: np.ndarray) -> np.ndarray:
    """Return the flits that carry packets of so many bits; at least one."""
    return np.maximum(-(-bits // chip.link.flit), 1)


def barrier_cycles(chip: Chip, tiles: np.ndarray) -> int:
    """Return the cycles from quiet to the next start with these tiles in use, (n,) int64; raises
    outside the stated points.

    A tree of gates follows the mesh to its middle, a level per tile, so it takes two link latencies
    for each level between there and the farthest tile in use, up and down, and its own constant.
    Between stated points it is linear, rounded to the nearest cycle (half up); a single point holds
    for any number.
    """
    if chip.barrier.tree is not None:
        x, y = tiles % chip.mesh.width, tiles // chip.mesh.width
        way = abs(x - chip.mesh.width // 2) * chip.link.east_west.latency
        way = way + abs(y - chip.mesh.height // 2) * chip.link.north_south.latency
        return chip.barrier.tree + 2 * int(way.max(initial=0))
    assert chip.barrier.points is not None
    return _between(chip, chip.barrier.points, len(tiles))


def _between(chip: Chip, points: list[tuple[int, int]], tiles: int) -> int:
    if len(points) == 1:
        return points[0][1]
    for (low, first), (high, last) in zip(points, points[1:]):
        if low <= tiles <= high:
            steps = 2 * (first * (high - tiles) + last * (tiles - low)) + (high - low)
            return steps // (2 * (high - low))
    stated = ", ".join(
        f"{tile} tiles: {show(cycles * chip.period, 's')}" for tile, cycles in points
    )
    raise MappingError(
        f"chip {chip.name}: barrier.points must cover {tiles} tiles in use, not only {stated}"
    )
