"""Which synapses each source neuron has on each slice of a population, and what storing them and
its neurons takes.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from simulator.describe.chip import Chip
from simulator.describe.network import Network, Projection
from simulator.describe.offsets import Offsets
from simulator.mapping.stages import row_bits

#: the synapse unit adds to one accumulator while the soma reads and clears the other: what comes in
#: a step is integrated for the next [W7]
PLANES = 2


def slice_of_current(projection: Projection, bounds: np.ndarray) -> np.ndarray:
    """Return the slice each current of a projection belongs to, (connection.n_out,) int64.

    bounds: (n_slices + 1,) first neuron of each slice, and the population's size.
    """
    return np.searchsorted(bounds, projection.neuron_of_current, side="right") - 1


def targets(projection: Projection, bounds: np.ndarray) -> np.ndarray:
    """Return the synapses of each source neuron on each slice of the target, (n_in, n_slices)
    int64.
    """
    return projection.connection.count(slice_of_current(projection, bounds), len(bounds) - 1)


def synapse_bits(chip: Chip, network: Network, number: int, bounds: np.ndarray) -> np.ndarray:
    """Return the weight memory each slice of a population needs for what leads to it, (n_slices,)
    int64 bits; a shared kernel is stored once per channel.
    """
    total = np.zeros(len(bounds) - 1, np.int64)
    for projection, _ in network.drives(number):
        slice_of, connection = slice_of_current(projection, bounds), projection.connection
        total += connection.stored(slice_of, len(total), partial(row_bits, chip, connection))
    return total


def currents(network: Network, number: int) -> int:
    """Return the accumulators a neuron's currents take: one, which takes the sum of all, and size²
    for each projection of which the largest counts.
    """
    pools = [projection.pool for projection, _ in network.drives(number)]
    largest = [pool for pool in pools if pool is not None and pool.kind == "max"]
    return int(len(largest) < len(pools) or not pools) + sum(pool.area for pool in largest)


def planes(network: Network, number: int, offsets: Offsets) -> int:
    """Return the planes of accumulators a population needs: PLANES, and one more for each chip step
    its longest waiting spikes wait in them [W11].
    """
    waits = [offsets.longest_wait(projection) for projection, _ in network.drives(number)]
    return PLANES + max(waits, default=0)


def touched(projection: Projection, sources: np.ndarray) -> np.ndarray:
    """Return which neurons get at least one synapse from `sources`, (n_neurons,) bool."""
    currents = projection.neuron_of_current
    found = np.zeros(int(currents.max(initial=-1)) + 1, bool)
    found[currents[projection.connection.reached(sources)]] = True
    return found
