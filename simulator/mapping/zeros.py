"""Weights of 0 that are neither stored nor served: what is left of the rows of dense and sparse
projections, and the bits they take (docs/machine.md, Work).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from simulator import memory
from simulator.describe.chip import Chip
from simulator.describe.connections import DENSE, SPARSE, Connection

#: how a row says where its weights belong
INDEX, BITMAP, RUN_LENGTH = "index", "bitmap", "run_length"


@dataclass(frozen=True)
class Kept:
    """What is left of every source's row on every slice, (n_in, n_slices) int64 each [W27]."""

    count: np.ndarray  # weights other than 0
    bits: np.ndarray  # of weight memory
    words: np.ndarray  # of accumulators that are visited


def is_skipped(chip: Chip, connection: Connection) -> bool:
    """Return whether a chip leaves out the zeros of a connection; a convolution's kernel stays as
    it is, for all pixels share it.
    """
    return chip.core.synapse.zero_weight_skip != "none" and connection.kind in (DENSE, SPARSE)


def pruned(connection: Connection) -> Connection:
    """Return a sparse connection without its synapses of weight 0."""
    assert connection.index is not None and connection.start is not None
    stays = _present(connection)
    before = np.concatenate([[0], np.cumsum(stays)])
    delay = None if connection.delay is None else connection.delay[stays]
    return replace(
        connection,
        weight=connection.weight[..., stays],
        index=connection.index[stays],
        start=before[connection.start],
        delay=delay,
    )


def kept(chip: Chip, connection: Connection, slice_of: np.ndarray, slices: int) -> Kept:
    """Return what is left of a dense connection's rows on each slice of its currents."""
    synapse, n_in = chip.core.synapse, connection.n_in
    memory.need(f"the zeros of {connection.weight.size:,} weights", 3 * connection.weight.size)
    present = _present(connection)
    count, extra, words = (np.zeros((n_in, slices), np.int64) for _ in range(3))
    together = max(1, synapse.accumulator_word // synapse.accumulator)
    each = -(-synapse.accumulator // synapse.accumulator_word)
    for number in range(slices):
        part = present[:, slice_of == number]
        count[:, number] = part.sum(axis=1)
        opened = np.logical_or.reduceat(part, np.arange(0, part.shape[1], together), axis=1)
        words[:, number] = opened.sum(axis=1) * each
        extra[:, number] = _places(chip, connection, part)
    return Kept(count, count * connection.weight_bits + extra, words)


def _present(connection: Connection) -> np.ndarray:
    """Return which weights are not 0 in every timestep."""
    found = connection.weight != 0
    return np.asarray(found.any(axis=0) if connection.per_timestep else found)


def _places(chip: Chip, connection: Connection, present: np.ndarray) -> np.ndarray:
    """Return the bits beside its weights that each row takes to say where they belong."""
    synapse, count = chip.core.synapse, present.sum(axis=1)
    if synapse.zero_weight_skip == INDEX:
        return np.asarray(count * synapse.index)
    if synapse.zero_weight_skip == BITMAP:
        return np.where(count > 0, present.shape[1], 0)
    assert synapse.run is not None
    row, column = np.nonzero(present)
    is_first = np.diff(row, prepend=-1) != 0
    run = np.diff(column, prepend=-1) - 1
    run[is_first] = column[is_first]
    # a run of 2^bits zeros or more takes entries of weight 0 on the way
    fillers = np.bincount(row, run >> synapse.run, minlength=len(present)).astype(np.int64)
    return (count + fillers) * synapse.run + fillers * connection.weight_bits
