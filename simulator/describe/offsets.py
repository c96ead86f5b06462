"""When each population works: offsets and the initiation interval of a graph (docs/machine.md,
Steps).

Timestep t of population p is worked on in chip step interval · t + offset(p). A projection with
delay d from a to b asks offset(b) + interval · d >= offset(a) + 1, which is modulo scheduling: the
offsets are longest paths with weights 1 - interval · d, and the least interval is the largest
⌈projections / total delay⌉ over all cycles.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from simulator.describe.network import Network, Projection
from simulator.errors import InputError

#: (source, target, delay in timesteps)
Edge = tuple[int, int, int]


@dataclass(frozen=True)
class Offsets:
    """When populations work: timestep t of population p in chip step interval · t + offset[p]."""

    interval: int  # chip steps from one timestep to the next
    offset: tuple[int, ...]  # per population
    has_delays: bool = True  # False: whole windows, to which delays mean nothing

    def slack(self, source: int, target: int, delay: int) -> int:
        """Return the chip steps a spike waits in its target's accumulators before it is needed."""
        return self.offset[target] + self.interval * delay - self.offset[source] - 1

    def longest_wait(self, projection: Projection) -> int:
        """Return the chip steps the slowest spikes of a projection wait at its target."""
        delay = projection.largest_delay if self.has_delays else 0
        return self.slack(projection.source, projection.target, delay)

    def steps(self, timesteps: int) -> int:
        """Return the chip steps from the first work on an inference to the last."""
        return max(self.offset) + self.interval * (timesteps - 1) + 1


def offsets(network: Network) -> Offsets:
    """Return the offsets of a streaming network; raises InputError naming a cycle without delay."""
    edges = [(p.source, p.target, p.least_delay) for p in network.projections]
    cycle = undelayed_cycle(network)
    if cycle:
        raise InputError(undelayed(network, cycle))
    interval = least_interval(len(network.populations), edges)
    found = longest_paths(len(network.populations), edges, interval)
    assert found is not None
    return Offsets(interval, tuple(found))


def window_offsets(network: Network, stretch: int) -> Offsets:
    """Return the offsets where a population works on its sources' whole windows of `stretch`
    timesteps: delays mean nothing, and each projection takes one window.

    Raises InputError naming a cycle: it would need what it has yet to compute.
    """
    cycle = cycle_of(len(network.populations), [(p.source, p.target) for p in network.projections])
    if cycle:
        raise InputError(
            f"{shown_cycle(network, cycle)} is a cycle: gathering whole windows needs a graph "
            f"without cycles"
        )
    edges = [(p.source, p.target, 0) for p in network.projections]
    found = longest_paths(len(network.populations), edges, 1)
    assert found is not None
    return Offsets(1, tuple(stretch * place for place in found), has_delays=False)


def undelayed_cycle(network: Network) -> list[int]:
    """Return the populations of a cycle in which no projection has a delay, or nothing."""
    edges = [(p.source, p.target) for p in network.projections if p.least_delay == 0]
    return cycle_of(len(network.populations), edges)


def shown_cycle(network: Network, cycle: list[int]) -> str:
    """Return a cycle as 'a -> b -> a'."""
    return " -> ".join(network.populations[number].name for number in [*cycle, cycle[0]])


def undelayed(network: Network, cycle: list[int]) -> str:
    """Return what is wrong with a cycle without delay, in words."""
    return (
        f"{shown_cycle(network, cycle)} is a cycle without delay: at least one of its projections "
        f"must have a delay of 1 timestep or more"
    )


def least_interval(n: int, edges: Iterable[Edge]) -> int:
    """Return the least initiation interval of n populations: the largest ⌈projections / total
    delay⌉ over all cycles, at least 1. No cycle may be without delay.
    """
    edges = list(edges)
    low, high = 1, max(1, n)  # a simple cycle has at most n projections, and a delay of at least 1
    while low < high:
        middle = (low + high) // 2
        if longest_paths(n, edges, middle) is None:
            low = middle + 1
        else:
            high = middle
    return low


def longest_paths(n: int, edges: Iterable[Edge], interval: int) -> list[int] | None:
    """Return the least offsets of n populations, from 0, that satisfy every edge; None where some
    cycle asks for a longer interval.
    """
    offset, edges = [0] * n, list(edges)
    for _ in range(n + 1):
        moved = False
        for source, target, delay in edges:
            least = offset[source] + 1 - interval * delay
            if least > offset[target]:
                offset[target], moved = least, True
        if not moved:
            return offset
    return None


def cycle_of(n: int, edges: Iterable[tuple[int, int]]) -> list[int]:
    """Return the nodes of one cycle in their order, or nothing."""
    after: list[list[int]] = [[] for _ in range(n)]
    for source, target in edges:
        after[source].append(target)
    for part in strongly_connected(n, after):
        if len(part) > 1 or part[0] in after[part[0]]:
            return _around(part[-1], set(part), after)
    return []


def _around(first: int, part: set[int], after: list[list[int]]) -> list[int]:
    """Return a shortest way from `first` back to itself inside a strongly connected part."""
    came: dict[int, int] = {}
    front = [first]
    while front:
        reached: list[int] = []
        for node in front:
            for following in after[node]:
                if following == first:
                    way = [node]
                    while way[-1] != first:
                        way.append(came[way[-1]])
                    return way[::-1]
                if following in part and following not in came:
                    came[following] = node
                    reached.append(following)
        front = reached
    return []


def strongly_connected(n: int, after: list[list[int]]) -> list[list[int]]:
    """Return the strongly connected parts of a graph, each before those that it leads to.

    after: the nodes each node leads to.  Tarjan's algorithm without recursion; the nodes of a part
    rise.
    """
    index, low = [-1] * n, [0] * n
    stack: list[int] = []
    held = [False] * n
    parts: list[list[int]] = []
    count = 0
    for root in reversed(range(n)):
        if index[root] >= 0:
            continue
        work = [(root, 0)]
        while work:
            node, place = work.pop()
            if place == 0:
                index[node] = low[node] = count
                count += 1
                stack.append(node)
                held[node] = True
            if place:
                low[node] = min(low[node], low[after[node][place - 1]])
            for number in range(place, len(after[node])):
                following = after[node][number]
                if index[following] < 0:
                    work += [(node, number + 1), (following, 0)]
                    break
                if held[following]:
                    low[node] = min(low[node], index[following])
            else:
                if low[node] == index[node]:
                    part: list[int] = []
                    while not part or part[-1] != node:
                        part.append(stack.pop())
                        held[part[-1]] = False
                    parts.append(sorted(part))
    return parts[::-1]
