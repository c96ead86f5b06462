"""Synthetic traffic: who sends to whom, and when, drawn from a counter, so that a seed means the
same bits everywhere.

A node's draw in a cycle depends on (seed, node, cycle) alone: a packet offered at one rate is
offered at every higher one, which keeps curves smooth, and windows can be cut anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from simulator import memory
from simulator.errors import InputError

#: what a draw is for
WHEN, WHERE, HOT, GROUP = range(4)
#: cycles generated at once, and draws
WINDOW_CYCLES, WINDOW_DRAWS = 1024, 1 << 22
HOT_SHARE = 0.2
#: of one copy of a multicast message, in all arrays that name it
COPY_BYTES = 400
#: of one packet: longer ones are slips of the pen
MOST_FLITS = 10**6


def draw(seed: int, purpose: int, node: np.ndarray, cycle: np.ndarray) -> np.ndarray:
    """Return a uniform 53-bit integer for each (node, cycle): splitmix64 of the four numbers, one
    after the other.
    """
    state = np.full(1, seed & 0xFFFFFFFFFFFFFFFF, np.uint64)  # arrays wrap round without a warning
    for word in (purpose, node, cycle):
        state = _mix(
            state
            + (np.atleast_1d(word).astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        )
    return (state >> np.uint64(11)).astype(np.int64)


def _mix(z: np.ndarray) -> np.ndarray:
    """Return the finaliser of splitmix64 (Steele, Lea and Flood, 2014)."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def below(number: np.ndarray, n: int) -> np.ndarray:
    """Return 53-bit draws as integers 0 .. n - 1."""
    return (number >> 21) * n >> 32


@dataclass(frozen=True)
class Traffic:
    """A pattern on a mesh; rate: flits per node and cycle that are offered."""

    pattern: str
    width: int
    height: int
    rate: float
    packet_size: int = 1
    seed: int = 1
    hot_node: int | None = None  # None: the middle of the mesh
    hot_share: float = HOT_SHARE

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if self.pattern not in PATTERNS:
            raise InputError(f"traffic: must be one of {', '.join(PATTERNS)}, not {self.pattern!r}")
        if not 1 <= self.packet_size <= MOST_FLITS:
            raise InputError(
                f"packet-size: must be 1 to {MOST_FLITS} flits, not {self.packet_size}"
            )
        if not 0 < self.rate <= self.packet_size:
            most = f"{self.packet_size}, a packet per node and cycle"
            raise InputError(f"rate: must be above 0 and at most {most}, not {self.rate:g}")
        if self.pattern == "transpose" and self.width != self.height:
            raise InputError(
                f"traffic: transpose needs a square mesh, not {self.width}x{self.height}"
            )
        if self.hot_node is not None and not 0 <= self.hot_node < self.n_nodes:
            raise InputError(
                f"hot-node: must be a node of the mesh, 0 to {self.n_nodes - 1}, not "
                f"{self.hot_node}"
            )
        if not 0 <= self.hot_share <= 1:
            raise InputError(f"hot-share: must be 0 to 1, not {self.hot_share:g}")

    @property
    def n_nodes(self) -> int:
        """Nodes of the mesh; each sends."""
        return self.width * self.height

    @property
    def the_hot_node(self) -> int:
        """The node hotspot traffic goes to: the one asked for, or the middle of the mesh."""
        middle = self.width // 2 + self.width * (self.height // 2)
        return middle if self.hot_node is None else self.hot_node

    def windows(self, cycles: int) -> Iterator[np.ndarray]:
        """Yield the packets of cycles 0 .. cycles - 1 as (n, 5) int64 (cycle, source, destination,
        flits, class 0).
        """
        threshold = round(self.rate / self.packet_size * (1 << 53))
        node = np.arange(self.n_nodes)
        many = min(WINDOW_CYCLES, max(1, WINDOW_DRAWS // self.n_nodes))
        for first in range(0, cycles, many):
            cycle = np.arange(first, min(first + many, cycles))[:, None]
            when, source = np.nonzero(draw(self.seed, WHEN, node, cycle) < threshold)
            if len(when):
                packets = np.zeros((len(when), 5), np.int64)
                packets[:, 0], packets[:, 1], packets[:, 3] = first + when, source, self.packet_size
                packets[:, 2] = PATTERNS[self.pattern](self, packets[:, 1], packets[:, 0])
                yield packets

    def groups(self, packets: np.ndarray, n_destinations: int) -> np.ndarray:
        """Return n_destinations different nodes for each packet, rising, (n, n_destinations): a
        multicast's receivers.
        """
        if not 1 <= n_destinations <= self.n_nodes:
            raise InputError(
                f"multicast: must be 1 to {self.n_nodes} destinations, not {n_destinations}"
            )
        memory.need(
            f"{len(packets):,} messages to {n_destinations:,} nodes each",
            len(packets) * n_destinations * COPY_BYTES,
        )
        chosen = np.zeros((len(packets), n_destinations), np.int64)
        many = min(WINDOW_CYCLES, max(1, WINDOW_DRAWS // self.n_nodes))
        for start in range(0, len(packets), many):  # a lot for each node; the lowest win
            part = slice(start, start + many)
            place = (packets[part, 1] << 20)[:, None] + np.arange(self.n_nodes)
            lot = draw(self.seed, GROUP, place, packets[part, 0][:, None])
            chosen[part] = np.sort(
                np.argsort(lot, axis=1, kind="stable")[:, :n_destinations], axis=1
            )
        return chosen


#: (traffic, source, cycle) -> destination, arrays
Pattern = Callable[[Traffic, np.ndarray, np.ndarray], np.ndarray]
PATTERNS: dict[str, Pattern] = {}


def _pattern(name: str) -> Callable[[Pattern], Pattern]:
    def register(rule: Pattern) -> Pattern:
        PATTERNS[name] = rule
        return rule

    return register


@_pattern("uniform")
def uniform(traffic: Traffic, source: np.ndarray, cycle: np.ndarray) -> np.ndarray:
    """Any node, the sender included."""
    return below(draw(traffic.seed, WHERE, source, cycle), traffic.n_nodes)


@_pattern("transpose")
def transpose(traffic: Traffic, source: np.ndarray, cycle: np.ndarray) -> np.ndarray:
    """From (x, y) to (y, x)."""
    return source // traffic.width + traffic.width * (source % traffic.width)


@_pattern("bitcomp")
def bitcomp(traffic: Traffic, source: np.ndarray, cycle: np.ndarray) -> np.ndarray:
    """To the node with every bit of the number complemented; on any mesh the point reflection in
    its middle.
    """
    return traffic.n_nodes - 1 - source


@_pattern("tornado")
def tornado(traffic: Traffic, source: np.ndarray, cycle: np.ndarray) -> np.ndarray:
    """Just short of half way round in each dimension: x + ceil(width / 2) - 1 modulo width, y
    likewise.
    """
    return _shifted(traffic, source, (traffic.width + 1) // 2 - 1, (traffic.height + 1) // 2 - 1)


@_pattern("neighbor")
def neighbor(traffic: Traffic, source: np.ndarray, cycle: np.ndarray) -> np.ndarray:
    """One further in each dimension, round at the edge."""
    return _shifted(traffic, source, 1, 1)


@_pattern("hotspot")
def hotspot(traffic: Traffic, source: np.ndarray, cycle: np.ndarray) -> np.ndarray:
    """To the hot node with probability `hot_share`, else uniform."""
    is_hot = draw(traffic.seed, HOT, source, cycle) < round(traffic.hot_share * (1 << 53))
    return np.where(is_hot, traffic.the_hot_node, uniform(traffic, source, cycle))


def _shifted(traffic: Traffic, source: np.ndarray, dx: int, dy: int) -> np.ndarray:
    x = (source % traffic.width + dx) % traffic.width
    return x + traffic.width * ((source // traffic.width + dy) % traffic.height)
