"""Which synapses each source neuron has on each slice of a population, and what storing them and
its neurons takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from simulator.describe.chip import Chip
from simulator.describe.connections import DENSE
from simulator.describe.network import Network, Projection
from simulator.describe.offsets import Offsets
from simulator.mapping import zeros
from simulator.mapping.stages import row_bits
from simulator.values import Value


@dataclass(frozen=True, eq=False)
class FanOut(Value):
    """The synapses of every source of a projection on every slice of its target.

    Sources that cannot differ share a kind: all of a dense projection, the channels of one pixel of
    a convolution.  So nothing grows with sources times slices where the synapses do not.
    """

    kind: np.ndarray  # (n_in,) int64
    count: np.ndarray  # (n_kinds, n_slices) int64
    #: where zeros are left out: bits of the rows, and words of accumulators, as `count` [W27]
    bits: np.ndarray | None = None
    words: np.ndarray | None = None

    def of(self, sources: np.ndarray) -> np.ndarray:
        """Return the synapses of some sources on each slice, (len(sources), n_slices) int64."""
        return self.count[self.kind[sources]]

    @property
    def synapses(self) -> np.ndarray:
        """Synapses of each source, (n_in,) int64."""
        return self.count.sum(axis=1)[self.kind]


def targets(
    projection: Projection, slice_of: np.ndarray, slices: int, chip: Chip | None = None
) -> FanOut:
    """Return the synapses of each source neuron on each slice of the target; those a chip serves,
    where it leaves out weights of 0.

    slice_of: (n_neurons,) the slice of each target neuron.
    """
    connection = projection.connection
    if chip is not None and zeros.is_skipped(chip, connection):
        of_current = slice_of[projection.neuron_of_current]
        if connection.kind != DENSE:
            return FanOut(*zeros.pruned(connection).count(of_current, slices))
        left = zeros.kept(chip, connection, of_current, slices)
        return FanOut(np.arange(connection.n_in), left.count, left.bits, left.words)
    return FanOut(*projection.connection.count(slice_of[projection.neuron_of_current], slices))


def synapse_bits(
    chip: Chip, network: Network, number: int, slice_of: np.ndarray, slices: int
) -> np.ndarray:
    """Return the weight memory each slice of a population needs for what leads to it, (slices,)
    int64 bits; a shared kernel is stored once per channel.
    """
    total = np.zeros(slices, np.int64)
    for projection, _ in network.drives(number):
        of_current, connection = slice_of[projection.neuron_of_current], projection.connection
        if not zeros.is_skipped(chip, connection):
            total += connection.stored(of_current, slices, partial(row_bits, chip, connection))
        elif connection.kind == DENSE:
            left = zeros.kept(chip, connection, of_current, slices)
            total += left.bits.sum(axis=0) * connection.planes
        else:
            rest = zeros.pruned(connection)
            total += rest.stored(of_current, slices, partial(row_bits, chip, rest))
    return total


def axon_entries(
    chip: Chip,
    network: Network,
    number: int,
    paths: list[FanOut],
    slice_of: np.ndarray,
    slices: int,
) -> np.ndarray:
    """Return the entries of axon memory each slice of a population needs, (slices,) int64 [W42].

    paths: of its outgoing projections.  One entry per destination core, or with multicast one per
    tree; for every neuron, or for every set of destinations that neurons of the slice share.  The
    port where it is read is one destination more.
    """
    shares = chip.core.axon_out.sharing == "population"
    total = np.zeros(slices, np.int64)
    ports = np.full(slices, int(number in network.outputs))
    total += ports if shares else ports * np.bincount(slice_of, minlength=slices)
    for path in paths:
        reached, of_kind = np.unique(path.count > 0, axis=0, return_inverse=True)
        entries = reached.sum(axis=1)
        if chip.router.multicast:
            entries = np.minimum(entries, 1)
        pair = slice_of * len(reached) + of_kind.reshape(-1)[path.kind]
        if shares:
            pair = np.unique(pair)
        np.add.at(total, pair // len(reached), entries[pair % len(reached)])
    return total


def currents(network: Network, number: int) -> int:
    """Return the accumulators a neuron's currents take: one, which takes the sum of all, and size²
    for each projection of which the largest counts.
    """
    pools = [projection.pool for projection, _ in network.drives(number)]
    largest = [pool for pool in pools if pool is not None and pool.kind == "max"]
    return int(len(largest) < len(pools) or not pools) + sum(pool.area for pool in largest)


def planes(network: Network, number: int, offsets: Offsets, least: int, carries: bool) -> int:
    """Return the planes of accumulators a population needs: the chip's [W7], and one more for each
    chip step its longest waiting spikes wait in them [W11]; where state is carried, one for each
    timestep that is on its way when an inference ends [W30].
    """
    paths = [projection for projection, _ in network.drives(number)]
    waits = [offsets.longest_wait(projection) for projection in paths]
    delays = [projection.largest_delay for projection in paths] if carries else []
    return max(least + max(waits, default=0), *delays, 0)


def touched(projection: Projection, sources: np.ndarray) -> np.ndarray:
    """Return which neurons get at least one synapse from `sources`, (n_neurons,) bool."""
    currents = projection.neuron_of_current
    found = np.zeros(int(currents.max(initial=-1)) + 1, bool)
    found[currents[projection.connection.reached(sources)]] = True
    return found
