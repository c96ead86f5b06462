"""Packets of a trace, and a run of windows with everything it writes."""

import numpy as np

from simulator.study.noc import run_trace


def rows(*packets):
    """Return packets (cycle, source, destination, flits[, class]) as one window."""
    return np.array([(*packet, 0)[:5] for packet in packets], np.int64).reshape(-1, 5)


def in_windows(packets, size):
    return [packets[first : first + size] for first in range(0, len(packets), size)]


def everything(plan, windows, **choices):
    """Run windows and return the result with all packet rows and all grant rows."""
    packets, grants = [], []
    result = run_trace(
        plan, windows, write_packets=packets.append, write_grants=grants.append, **choices
    )
    return result, *(
        np.concatenate([np.zeros((0, n), np.int64), *parts])
        for n, parts in ((9, packets), (8, grants))
    )


def random_packets(n, cycles, nodes, seed=0, most_flits=6):
    draw = np.random.default_rng(seed)
    limits = [(0, nodes), (0, nodes), (1, most_flits + 1), (0, 2)]
    columns = [draw.integers(*limit, n) for limit in limits]
    return np.stack([np.sort(draw.integers(0, cycles, n)), *columns], axis=1)


def packets_of(traffic, cycles):
    """Return the packets of synthetic traffic, (n, 5)."""
    return np.concatenate([np.zeros((0, 5), np.int64), *traffic.windows(cycles)])
