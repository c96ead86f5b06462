"""Routing tables, the proof that they cannot deadlock, and multicast trees."""

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.mapping.plan import EAST, LOCAL, NORTH, SOUTH, WEST
from simulator.mapping.routes import (
    ROUTING,
    allowed_ports,
    channel_dependencies,
    distance,
    fill,
    is_deadlock_free,
    neighbour,
    reaches_everything,
    table,
    xy_tree,
)

often = settings(derandomize=True, deadline=None, max_examples=60, database=None)
E, W, N, S = (1 << port for port in (EAST, WEST, NORTH, SOUTH))
# what is allowed towards south-west, west, north-west, south, north, south-east, east, north-east
ALLOWED = {
    "xy": [W, W, W, S, N, E, E, E],
    "yx": [S, W, N, S, N, S, E, N],
    "west-first": [W, W, W, S, N, E | S, E, E | N],
    "negative-first": [W | S, W, W, S, N, S, E, E | N],
}
TOWARDS = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]


def fully_adaptive(in_port, parity, dx, dy):
    return ((), (EAST,), (WEST,))[dx] + ((), (NORTH,), (SOUTH,))[dy]


@pytest.mark.parametrize("name", ROUTING)
def test_a_table_allows_what_its_algorithm_says(name):
    for (dx, dy), ports in zip(TOWARDS, ALLOWED[name], strict=True):
        assert (table(name)[:, :, dx + 1, dy + 1] == ports).all()
        assert ports == allowed_ports(table(name), 3, LOCAL + 2, 4, (1 + dx) + 3 * (1 + dy))
    assert 0 == allowed_ports(table(name), 3, LOCAL, 4, 4)


@pytest.mark.parametrize("name", ROUTING)
def test_every_algorithm_is_minimal_reaches_everything_and_cannot_deadlock(name):
    assert reaches_everything(table(name)) and is_deadlock_free(table(name))


@pytest.mark.parametrize(
    "name, together", [("xy", True), ("yx", False), ("west-first", True), ("negative-first", False)]
)
def test_trees_turn_as_xy_does_and_not_every_table_bears_that(name, together):  # [W6]
    assert together == is_deadlock_free(table(name), trees=True)


def test_a_fully_adaptive_table_is_rejected():
    assert reaches_everything(fill(fully_adaptive))
    assert not is_deadlock_free(fill(fully_adaptive))
    assert is_deadlock_free(fill(fully_adaptive), 5, 1)  # but one row has no circle


def test_a_table_with_a_dead_end_or_a_detour_is_found():
    missing = table("xy")
    missing[LOCAL, :, 2, 2] = 0
    assert not reaches_everything(missing)
    assert not reaches_everything(fill(lambda in_port, parity, dx, dy: (EAST, WEST, NORTH, SOUTH)))


@often
@given(seed=st.integers(0, 2**32 - 1))
def test_the_search_for_circles_agrees_with_networkx(seed):
    rng = np.random.default_rng(seed)
    # a random part of the fully adaptive table: about half of these close a circle on four by four
    allowed = fill(fully_adaptive) & rng.integers(0, 16, (5, 2, 3, 3)).astype(np.uint8)
    graph = networkx.DiGraph(
        [(a, b) for a, following in channel_dependencies(allowed, 4, 4).items() for b in following]
    )
    assert networkx.is_directed_acyclic_graph(graph) == is_deadlock_free(allowed, 4, 4)


def test_trees_are_safe_where_their_branches_do_not_wait_for_each_other():  # [W26]
    for name in ("xy", "west-first"):
        assert is_deadlock_free(table(name), trees=True)
        assert not is_deadlock_free(table(name), trees=True, coupled=True)
        # in one row too: east and west of the same router
        assert not is_deadlock_free(table(name), 3, 1, trees=True, coupled=True)
    for name in ("yx", "negative-first"):
        assert not is_deadlock_free(table(name), trees=True)


def test_neighbours_face_each_other_and_the_mesh_has_an_edge():
    # router 4 is the middle of three by three
    assert [5, 3, 7, 1] == [neighbour(3, 3, 4, port) for port in range(4)]
    assert [-1, -1] == [neighbour(3, 3, 2, EAST), neighbour(3, 3, 2, SOUTH)]
    for router, port in np.ndindex(9, 4):
        there = neighbour(3, 3, router, port)
        assert there < 0 or router == neighbour(3, 3, there, port ^ 1)


def test_a_tree_is_the_union_of_the_xy_ways():
    # from the corner of three by two: along the row, up where a destination's column is
    local = [(0, LOCAL), (2, LOCAL + 1), (4, LOCAL)]
    assert {0: E | 1 << LOCAL, 1: E | N, 2: 1 << LOCAL + 1, 4: 1 << LOCAL} == xy_tree(
        3, 2, 0, local
    )
    assert {5: 1 << LOCAL | 1 << LOCAL + 1} == xy_tree(3, 2, 5, [(5, LOCAL), (5, LOCAL + 1)])


@often
@given(
    width=st.integers(1, 6),
    height=st.integers(1, 6),
    data=st.data(),
)
def test_a_tree_gives_each_destination_one_copy_on_the_shortest_way(width, height, data):
    router = st.integers(0, width * height - 1)
    source = data.draw(router)
    destinations = data.draw(
        st.sets(st.tuples(router, st.sampled_from([LOCAL, LOCAL + 3])), min_size=1)
    )
    tree = xy_tree(width, height, source, destinations)
    assert list(tree) == sorted(tree)
    arrived, copies = [], [(source, 0)]
    while copies:
        here, hops = copies.pop()
        assert distance(width, source, here) == hops
        for port in range(LOCAL + 4):
            if tree[here] >> port & 1:
                if port >= LOCAL:
                    arrived.append((here, port))
                else:
                    copies.append((neighbour(width, height, here, port), hops + 1))
    assert sorted(destinations) == sorted(arrived)
    edges = sum((mask & 15).bit_count() for mask in tree.values())
    assert len(tree) - 1 == edges
