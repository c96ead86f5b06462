"""Packets for bare meshes: uniform, transposed and bursty, all seeded, all single flits."""

from __future__ import annotations

import numpy as np

#: a burst sends in every cycle, and lasts this many cycles on average
BURST = 8


def trace(pattern: str, side: int, rate: float, cycles: int, seed: int) -> np.ndarray:
    """Return packets (cycle, source, destination, flits), (n, 4) int64, of `rate` per node and
    cycle on average.

    'uniform': to any other node.  'transpose': (x, y) to (y, x), the diagonal silent.  'bursty':
    uniform destinations, each node sending in bursts of geometric length (a Markov chain of two
    states that starts in its stationary share).
    """
    rng = np.random.default_rng(seed)
    n_nodes = side * side
    sends = (
        _bursts(rng, cycles, n_nodes, rate)
        if pattern == "bursty"
        else rng.random((cycles, n_nodes)) < rate
    )
    if pattern == "transpose":
        sends[:, np.arange(side) * (side + 1)] = False
    cycle, source = np.nonzero(sends)
    if pattern == "transpose":
        destination = source % side * side + source // side
    else:
        destination = (source + rng.integers(1, n_nodes, len(source))) % n_nodes
    return np.stack([cycle, source, destination, np.ones(len(source), np.int64)], axis=1)


def _bursts(rng: np.random.Generator, cycles: int, n_nodes: int, rate: float) -> np.ndarray:
    """Return who sends when: on for BURST cycles on average, off so long that the share of on is
    `rate`.
    """
    stop = 1 / BURST
    begin = stop * rate / (1 - rate)
    on = rng.random(n_nodes) < rate
    sends = np.empty((cycles, n_nodes), bool)
    for cycle in range(cycles):
        sends[cycle] = on
        on ^= rng.random(n_nodes) < np.where(on, stop, begin)
    return sends


def flit_hops(packets: np.ndarray, side: int) -> int:
    """Return flits times routers on their way, the first and the last included."""
    source, destination = packets[:, 1], packets[:, 2]
    across = abs(source % side - destination % side) + abs(source // side - destination // side)
    return int((packets[:, 3] * (across + 1)).sum())
