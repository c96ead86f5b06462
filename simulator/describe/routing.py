"""Routing algorithms: which mesh ports a packet may take, one function each, under the name a chip
file uses.

A rule answers for the input port a head came by, the parity of the router's column and the signs of
what is left to go. `mapping/routes.py` turns it into the table of docs/machine.md and proves that
it cannot deadlock.
"""

from __future__ import annotations

from collections.abc import Callable

#: router ports 0..3; local ports follow
PORTS = EAST, WEST, NORTH, SOUTH, LOCAL = 0, 1, 2, 3, 4

#: (input port 0..4, parity of x, sign of dx, sign of dy) -> the ports allowed
Rule = Callable[[int, int, int, int], tuple[int, ...]]

ROUTING: dict[str, Rule] = {}


def routing(name: str) -> Callable[[Rule], Rule]:
    """Register a routing algorithm under the name a chip file uses."""

    def register(rule: Rule) -> Rule:
        ROUTING[name] = rule
        return rule

    return register


def east_west(dx: int) -> tuple[int, ...]:
    """Return the port along the row that brings a packet nearer, or none."""
    return ((), (EAST,), (WEST,))[dx]


def north_south(dy: int) -> tuple[int, ...]:
    """Return the port along the column that brings a packet nearer, or none."""
    return ((), (NORTH,), (SOUTH,))[dy]


@routing("xy")
def xy(in_port: int, parity: int, dx: int, dy: int) -> tuple[int, ...]:
    """First along the row, then along the column."""
    return east_west(dx) or north_south(dy)


@routing("yx")
def yx(in_port: int, parity: int, dx: int, dy: int) -> tuple[int, ...]:
    """First along the column, then along the row."""
    return north_south(dy) or east_west(dx)


@routing("west-first")
def west_first(in_port: int, parity: int, dx: int, dy: int) -> tuple[int, ...]:
    """West before anything else, then adaptive (Glass and Ni, 1992)."""
    return (WEST,) if dx < 0 else east_west(dx) + north_south(dy)


@routing("negative-first")
def negative_first(in_port: int, parity: int, dx: int, dy: int) -> tuple[int, ...]:
    """West and south, adaptively, before east and north, adaptively (Glass and Ni, 1992)."""
    negative = (WEST,) * (dx < 0) + (SOUTH,) * (dy < 0)
    return negative or east_west(dx) + north_south(dy)
