"""When populations work: the worked examples as tables, and modulo scheduling against brute force
over all cycles.
"""

from fractions import Fraction
from math import ceil

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.describe.connections import Connection
from simulator.describe.network import Network, Neuron, Population, Projection
from simulator.describe.offsets import (
    least_interval,
    longest_paths,
    offsets,
    strongly_connected,
    undelayed_cycle,
    window_offsets,
)
from simulator.errors import InputError


def network(names: str, edges: list[tuple[str, str, int]]) -> Network:
    """One neuron each, the first one an input; (source, target, delay)."""
    one = np.ones(1, np.int64)
    cell = Neuron("if", one, 0 * one, 0 * one)
    weight = Connection("one-to-one", np.ones(1, np.int8), 2, (1,), (1,))
    populations = [Population(name, (1,), cell if k else None) for k, name in enumerate(names)]
    paths = [
        Projection(names.index(a), names.index(b), weight, delay=delay) for a, b, delay in edges
    ]
    return Network(tuple(populations), tuple(paths), (len(names) - 1,))


# populations, projections (source, target, delay); interval, offsets, slack of each projection
CHAIN = [("i", "a", 0), ("a", "b", 0), ("b", "c", 0)]
WORKED = [
    ("iabc", CHAIN, 1, (0, 1, 2, 3), (0, 0, 0)),
    # a layer that feeds itself a timestep later
    ("ia", [("i", "a", 0), ("a", "a", 1)], 1, (0, 1), (0, 0)),
    # A -> B at once, B -> A a timestep later
    ("iab", [("i", "a", 0), ("a", "b", 0), ("b", "a", 1)], 2, (0, 1, 2), (0, 0, 0)),
    # three around with one timestep of delay, and with two
    ("iabc", [*CHAIN, ("c", "a", 1)], 3, (0, 1, 2, 3), (0, 0, 0, 0)),
    ("iabc", [*CHAIN, ("c", "a", 2)], 2, (0, 1, 2, 3), (0, 0, 0, 1)),
    # a residual sum around one population, and around two: slack 1 and 2
    ("iabc", [*CHAIN, ("a", "c", 0)], 1, (0, 1, 2, 3), (0, 0, 0, 1)),
    ("iabc", [*CHAIN, ("i", "c", 0)], 1, (0, 1, 2, 3), (0, 0, 0, 2)),
    # a delay alone waits too
    ("ia", [("i", "a", 3)], 1, (0, 0), (2,)),
    # a fast loop beside a slow one has to wait for it
    ("iab", [*CHAIN[:2], ("b", "a", 1), ("a", "a", 1)], 2, (0, 1, 2), (0, 0, 0, 1)),
]  # fmt: skip


@pytest.mark.parametrize("names, edges, interval, offset, slack", WORKED)
def test_worked_examples(names, edges, interval, offset, slack):
    graph = network(names, edges)
    found = offsets(graph)
    assert (interval, offset) == (found.interval, found.offset)
    assert slack == tuple(found.slack(p.source, p.target, p.delay) for p in graph.projections)
    assert found.steps(5) == max(offset) + interval * 4 + 1


def test_windows_take_turns_whatever_the_delays():
    graph = network("iabc", [("i", "a", 2), ("a", "b", 0), ("b", "c", 1), ("i", "c", 0)])
    assert (0, 4, 8, 12) == window_offsets(graph, 4).offset
    assert 12 + 4 == window_offsets(graph, 4).steps(4)


def test_a_cycle_without_delay_names_its_populations():
    graph = network("iabc", [("i", "a", 0), ("a", "b", 0), ("b", "c", 0), ("c", "b", 0)])
    with pytest.raises(InputError) as error:
        offsets(graph)
    assert str(error.value) in (
        "b -> c -> b is a cycle without delay: at least one of its projections must have a delay "
        "of 1 timestep or more",
        "c -> b -> c is a cycle without delay: at least one of its projections must have a delay "
        "of 1 timestep or more",
    )


GRAPHS = st.integers(1, 6).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.lists(
            st.tuples(st.integers(0, n - 1), st.integers(0, n - 1), st.integers(0, 3)), max_size=10
        ),
    )
)


@given(GRAPHS)
@settings(max_examples=300, deadline=None)
def test_the_interval_is_the_largest_ratio_of_a_cycle(drawn):
    n, edges = drawn
    least = {(a, b): min(d for x, y, d in edges if (x, y) == (a, b)) for a, b, _ in edges}
    graph = networkx.DiGraph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(least)
    names = "abcdef"[:n]
    built = network(names, [(names[a], names[b], d) for a, b, d in edges])
    cycles = [list(zip(cycle, [*cycle[1:], cycle[0]])) for cycle in networkx.simple_cycles(graph)]
    delays = [sum(least[edge] for edge in cycle) for cycle in cycles]
    assert bool(undelayed_cycle(built)) == (0 in delays)
    if 0 in delays:
        return
    expected = max([1, *(ceil(Fraction(len(c), d)) for c, d in zip(cycles, delays))])
    interval = least_interval(n, edges)
    assert expected == interval
    assert interval == 1 or longest_paths(n, edges, interval - 1) is None
    offset = longest_paths(n, edges, interval)
    needed = [offset[a] + 1 - interval * d for a, b, d in edges]
    assert all(offset[b] >= least for (_, b, _), least in zip(edges, needed))
    # the least ones: each is 0, or as late as some projection asks
    assert all(
        at == 0 or any(b == k and least == at for (_, b, _), least in zip(edges, needed))
        for k, at in enumerate(offset)
    )


@given(GRAPHS)
@settings(max_examples=200, deadline=None)
def test_strongly_connected_parts_come_in_order(drawn):
    n, edges = drawn
    after = [[b for a, b, _ in edges if a == node] for node in range(n)]
    graph = networkx.DiGraph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from((a, b) for a, b, _ in edges)
    parts = strongly_connected(n, after)
    assert sorted(map(tuple, parts)) == sorted(
        tuple(sorted(part)) for part in networkx.strongly_connected_components(graph)
    )
    place = {node: at for at, part in enumerate(parts) for node in part}
    assert all(place[a] <= place[b] for a, b, _ in edges)
