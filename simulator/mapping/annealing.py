"""Places by annealing: slices swap cores while that shortens the way of the packets and cools the
hottest links.  Integers throughout, so that the same seed gives the same places everywhere.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulator.jit import kernel

#: of the accepted loss at the start, in mean losses of a move; it falls to nothing
HEAT = 1
#: parts of an annealing, after each of which it says how far it is
PARTS = 100
#: of the state of the draws
_MASK = (1 << 31) - 1


@kernel
def draw(state, below):
    """Return the next of a sequence of pseudo-random numbers 0 .. below - 1."""
    state[0] = (state[0] * 1103515245 + 12345) & _MASK
    high = state[0] >> 11
    state[0] = (state[0] * 1103515245 + 12345) & _MASK
    return ((high << 20) + (state[0] >> 11)) % below


@kernel
def carry(load, price, square, width, start, end, flits):
    """Put `flits` on every link of the XY way between two tiles; return what that adds to the
    cost: price per flit and link, and the growth of square x load² >> 16 of each link.
    """
    x, y = start % width, start // width
    to_x, to_y = end % width, end // width
    added = 0
    while x != to_x or y != to_y:
        if x != to_x:
            way = 0 if to_x > x else 1
        else:
            way = 2 if to_y > y else 3
        link = (y * width + x) * 4 + way
        before = load[link]
        load[link] = before + flits
        added += price[way >> 1] * flits
        added += (square * (2 * before + flits) >> 16) * flits
        x += (way == 0) - (way == 1)
        y += (way == 2) - (way == 3)
    return added


@kernel
def carry_all(load, price, square, width, tile, start, other, flits, leaves, item, skip, sign):
    """Put all traffic of an item on its links, or take it off (sign -1), that with item `skip`
    left out; return what that adds to the cost.
    """
    added = 0
    for k in range(start[item], start[item + 1]):
        if other[k] == skip:
            continue
        here, there = tile[item], tile[other[k]]
        if leaves[k]:
            added += carry(load, price, square, width, here, there, sign * flits[k])
        else:
            added += carry(load, price, square, width, there, here, sign * flits[k])
    return added


@kernel
def anneal(
    item_at, core_of, tile, per_tile, load, price, square, width, start, other, flits, leaves,
    state, first, last, moves, heat, n_items,
):  # fmt: skip
    """Swap cores of items, moves `first` up to `last` of `moves`: worse places are accepted while
    they cost less than a threshold that falls from `heat` to 0 by half of the moves; return the
    change of the cost.

    item_at: (n_cores,) the item on each core or -1; core_of, tile: (n_items and fixed ones,).
    """
    gained = 0
    for move in range(first, last):
        item = draw(state, n_items)
        core = draw(state, len(item_at))
        here = core_of[item]
        if core // per_tile == here // per_tile:
            continue
        swapped = item_at[core]
        delta = carry_all(
            load, price, square, width, tile, start, other, flits, leaves, item, -1, -1
        )
        if swapped >= 0:
            delta += carry_all(
                load, price, square, width, tile, start, other, flits, leaves, swapped, item, -1
            )
        old, new = tile[item], core // per_tile
        tile[item] = new
        if swapped >= 0:
            tile[swapped] = old
        delta += carry_all(
            load, price, square, width, tile, start, other, flits, leaves, item, -1, 1
        )
        if swapped >= 0:
            delta += carry_all(
                load, price, square, width, tile, start, other, flits, leaves, swapped, item, 1
            )
        if delta <= max(0, heat * (moves - 2 * move) // moves):
            gained += delta
            item_at[core], item_at[here] = item, swapped
            core_of[item] = core
            if swapped >= 0:
                core_of[swapped] = here
            continue
        carry_all(load, price, square, width, tile, start, other, flits, leaves, item, -1, -1)
        if swapped >= 0:
            carry_all(
                load, price, square, width, tile, start, other, flits, leaves, swapped, item, -1
            )
        tile[item] = old
        if swapped >= 0:
            tile[swapped] = new
        carry_all(load, price, square, width, tile, start, other, flits, leaves, item, -1, 1)
        if swapped >= 0:
            carry_all(
                load, price, square, width, tile, start, other, flits, leaves, swapped, item, 1
            )
    return gained


def loads(
    start: np.ndarray, end: np.ndarray, flits: np.ndarray, tiles: int, width: int
) -> np.ndarray:
    """Return the flits over all links, (4 * tiles,) int64 by tile and port, when they take the XY
    ways from tiles to tiles: what `carry` puts one way after the other, without compiling a kernel.
    """
    x, y, to_x, to_y = start % width, start // width, end % width, end // width
    load = np.zeros((tiles // width, width, 4), np.int64)
    for way in range(4):
        plane = load[:, :, way] if way < 2 else load[:, :, way].T
        line, here, there = (y, x, to_x) if way < 2 else (to_x, y, to_y)
        is_rising = way % 2 == 0
        takes = there > here if is_rising else there < here
        first, last = (here, there) if is_rising else (there + 1, here + 1)
        change = np.zeros((len(plane), plane.shape[1] + 1), np.int64)
        np.add.at(change, (line[takes], first[takes]), flits[takes])
        np.subtract.at(change, (line[takes], last[takes]), flits[takes])
        plane[:] = change.cumsum(axis=1)[:, :-1]
    return load.reshape(-1)


def places(
    source: np.ndarray,
    target: np.ndarray,
    amount: np.ndarray,
    at: np.ndarray,
    fixed: np.ndarray,
    cores: int,
    per_tile: int,
    width: int,
    price: tuple[int, int],
    moves: int,
    seed: int,
    tell: Callable[[int, int], None] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return better cores for items, (n_items,), and the load of all links with them, in flits.

    source, target, amount: (n_pairs,) int64 flits from one item to another; the items after the
    n_items are the fixed ones.  at: (n_items,) the cores they start from.  fixed: (n_fixed,) tiles
    of ports.  price: of a flit on a link of each direction.  tell(done, moves) is called now and
    then.
    """
    n = len(at)
    moves_on = (source != target) & (amount > 0)
    source, target, amount = source[moves_on], target[moves_on], amount[moves_on]
    ends = np.concatenate([source, target])
    order = np.argsort(ends, kind="stable")
    start = np.searchsorted(ends[order], np.arange(n + len(fixed) + 1))
    other = np.concatenate([target, source])[order]
    flits = np.concatenate([amount, amount])[order]
    leaves = np.concatenate([np.ones(len(source), np.int64), np.zeros(len(source), np.int64)])
    leaves = leaves[order]
    core_of = at.astype(np.int64).copy()
    tile = np.concatenate([core_of // per_tile, fixed]).astype(np.int64)
    item_at = np.full(cores, -1, np.int64)
    item_at[core_of] = np.arange(n)
    load = loads(tile[source], tile[target], amount, cores // per_tile, width)
    prices = np.array(price, np.int64)
    busy = load[load > 0]
    if not moves or not len(busy):
        return core_of, load
    # a link at four times the mean load costs as much by its square as by its flits
    square = int((int(prices.mean()) << 16) // max(1, 4 * int(busy.mean())))
    state = np.array([seed * 2654435761 + 1 & _MASK], np.int64)
    heat = int(np.abs(flits).mean() * prices.mean() * 8 * HEAT) + 1
    part = -(-moves // PARTS)
    for first in range(0, moves, part):
        if tell is not None:
            tell(first, moves)
        anneal(
            item_at, core_of, tile, per_tile, load, prices, square, width, start, other, flits,
            leaves, state, first, min(first + part, moves), moves, heat, n,
        )  # fmt: skip
    return core_of, load
