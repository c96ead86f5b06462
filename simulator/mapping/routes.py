"""Which ways a packet may take: tables of allowed ports, the proof that they cannot deadlock, and
multicast trees.

The algorithms are in describe/routing.py, by the names a chip file uses; their tables are all an
engine sees (docs/machine.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from simulator.describe.routing import EAST, LOCAL, NORTH, ROUTING, SOUTH, WEST, Rule, xy


def table(name: str) -> np.ndarray:
    """Return a registered algorithm's `allowed[in port, parity, sign dx + 1, sign dy + 1]`, (5, 2,
    3, 3) uint8.
    """
    return fill(ROUTING[name])


def fill(rule: Rule) -> np.ndarray:
    """Return the table of any rule; nothing is allowed where nothing is left to go."""
    allowed = np.zeros((5, 2, 3, 3), np.uint8)
    for in_port, parity, dx, dy in np.ndindex(5, 2, 3, 3):
        if (dx, dy) != (1, 1):
            allowed[in_port, parity, dx, dy] = sum(
                1 << port for port in rule(in_port, parity, dx - 1, dy - 1)
            )
    return allowed


def sign(n: int) -> int:
    """Return -1, 0 or 1."""
    return (n > 0) - (n < 0)


def allowed_ports(
    allowed: np.ndarray, width: int, in_port: int, router: int, destination: int
) -> int:
    """Return the mask of mesh ports a head that came by `in_port` may take; 0 when `router` is the
    destination.
    """
    dx = destination % width - router % width
    dy = destination // width - router // width
    return int(allowed[min(in_port, LOCAL), router % width & 1, sign(dx) + 1, sign(dy) + 1])


def neighbour(width: int, height: int, router: int, port: int) -> int:
    """Return the router behind a mesh port, or -1 at the edge of the mesh."""
    x = router % width + (port == EAST) - (port == WEST)
    y = router // width + (port == NORTH) - (port == SOUTH)
    return x + width * y if 0 <= x < width and 0 <= y < height else -1


def _moves(
    allowed: np.ndarray, width: int, height: int, in_port: int, router: int, destination: int
) -> Iterator[int]:
    mask = allowed_ports(allowed, width, in_port, router, destination)
    return (
        port
        for port in range(4)
        if mask >> port & 1 and neighbour(width, height, router, port) >= 0
    )


def channel_dependencies(
    allowed: np.ndarray, width: int, height: int
) -> dict[tuple[int, int], set[tuple[int, int]]]:
    """Return, for each mesh channel (router, port) in use, the channels a packet that holds it may
    ask for next.
    """
    graph: dict[tuple[int, int], set[tuple[int, int]]] = {}
    for destination in range(width * height):
        reached = {
            (source, port)
            for source in range(width * height)
            for port in _moves(allowed, width, height, LOCAL, source, destination)
        }
        frontier = list(reached)
        while frontier:
            router, port = frontier.pop()
            following = neighbour(width, height, router, port)
            asked = {
                (following, next)
                for next in _moves(allowed, width, height, port ^ 1, following, destination)
            }
            graph.setdefault((router, port), set()).update(asked)
            frontier.extend(asked - reached)
            reached |= asked
    return graph


def is_deadlock_free(
    allowed: np.ndarray,
    width: int = 6,
    height: int = 6,
    *,
    trees: bool = False,
    coupled: bool = False,
) -> bool:
    """Return whether the graph of channel dependencies has no circle (Dally and Seitz, 1987).

    Tables look at signs and parity alone, so six columns and rows stand for every larger mesh.
    With `trees`, multicast packets share the mesh: they turn as XY does, whatever the table, and a
    circle may close between the two.  `coupled`: a branch may hold its channel while it waits for
    another of the same router, which happens where a buffer holds less than the packet [W26].
    """
    graph = channel_dependencies(allowed, width, height)
    for channel, asked in channel_dependencies(table("xy"), width, height).items() if trees else ():
        graph.setdefault(channel, set()).update(asked)
    if trees and coupled:
        for router, port in list(graph):
            graph[router, port] |= {(router, other) for other in range(4) if other != port}
    while graph:
        ends = [channel for channel, asked in graph.items() if not asked & graph.keys()]
        if not ends:
            return False
        for channel in ends:
            del graph[channel]
    return True


def reaches_everything(allowed: np.ndarray, width: int = 6, height: int = 6) -> bool:
    """Return whether every way the table allows is minimal and never ends before its
    destination.
    """
    for destination in range(width * height):
        frontier = [(source, LOCAL) for source in range(width * height) if source != destination]
        seen = set(frontier)
        while frontier:
            router, in_port = frontier.pop()
            ports = list(_moves(allowed, width, height, in_port, router, destination))
            following = {(neighbour(width, height, router, port), port ^ 1) for port in ports}
            left = distance(width, router, destination)
            if not following or any(
                distance(width, there, destination) >= left for there, _ in following
            ):
                return False
            new = {place for place in following if place[0] != destination} - seen
            seen |= new
            frontier.extend(new)
    return True


def distance(width: int, router: int, destination: int) -> int:
    """Return the mesh hops between two routers."""
    return abs(destination % width - router % width) + abs(destination // width - router // width)


def xy_tree(
    width: int, height: int, source_router: int, destinations: Iterable[tuple[int, int]]
) -> dict[int, int]:
    """Return {router: mask of output ports}, routers rising: the union of the XY ways to each
    (router, local port).

    The ways from one router share their beginnings only, so every destination gets exactly one
    copy.
    """
    mask: dict[int, int] = {source_router: 0}
    for destination, local_port in destinations:
        router = source_router
        while router != destination:
            dx = destination % width - router % width
            dy = destination // width - router // width
            (port,) = xy(LOCAL, 0, sign(dx), sign(dy))
            mask[router] = mask.get(router, 0) | 1 << port
            router = neighbour(width, height, router, port)
        mask[destination] = mask.get(destination, 0) | 1 << local_port
    return dict(sorted(mask.items()))
