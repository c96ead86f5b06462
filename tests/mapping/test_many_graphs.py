"""Random graphs, numbered: each against plain numpy and on both engines, on one of two machines."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path

import pytest
from test_graphs import SETTINGS, differences, tiles

from simulator.describe.chip import Chip
from simulator.describe.connections import KINDS
from simulator.describe.neuron import COMPARES, MODELS, READS, RESET_TIMES, RESETS

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "behaviour"))
from random_networks import FED, numbered  # noqa: E402
from test_definitions import assert_spiking  # noqa: E402

N = int(os.environ.get("SPIKEMESH_SWEEP", "2000"))
BLOCK = 25
#: quick tests run these, the sweep those after them: N / 4 graphs that a chip takes
FEW = 25


@cache
def has_tiles(number: int) -> bool:
    """Whether a chip takes a graph."""
    return tiles(numbered(number)[0])


def taken(many: int, after: int = 0) -> list[int]:
    """Return the numbers of `many` graphs whose pooling tiles, the first `after` of them left
    out.
    """
    found: list[int] = []
    number = 0
    while len(found) < after + many:
        if has_tiles(number):
            found.append(number)
        number += 1
    return found[after:]


@pytest.fixture(scope="module")
def chips() -> list[Chip]:
    """One machine as it is, and one that visits what was touched, packs and forks."""
    return [Chip.load("generic-22nm", (*SETTINGS[0], *more)) for more in ((), SETTINGS[1])]


@pytest.mark.parametrize(
    "after",
    [
        *range(0, FEW, BLOCK),
        *(pytest.param(n, marks=pytest.mark.slow) for n in range(FEW, FEW + N // 4, BLOCK)),
    ],
)
def test_numpy_and_both_engines_agree_on_numbered_graphs(chips, after) -> None:
    for number in taken(BLOCK, after):
        drawn = numbered(number)
        assert_spiking(*drawn, "streaming")
        assert differences(drawn, chips[number % 2]) is None, number


def test_the_first_graphs_have_everything_a_graph_can_have() -> None:
    seen: dict[str, set] = {}

    def saw(**found: object) -> None:
        for name, one in found.items():
            seen.setdefault(name, set()).add(one)

    for number in taken(200):
        network, stimulus, _ = numbered(number)
        saw(inputs=len(network.inputs), outputs=min(2, len(network.outputs)))
        for feed in stimulus.feeds:
            saw(fed=feed.kind)
        for population in network.populations:
            neuron = population.neuron
            if neuron is not None:
                saw(model=neuron.model, reset=neuron.reset, reset_at=neuron.reset_at)
                saw(compare=neuron.compare, read=neuron.read, graded=neuron.graded_bits > 0)
        for path in network.projections:
            one = path.connection
            saw(kind=one.kind, delay=path.delay, own_delays=one.delay is not None)
            saw(per_timestep=one.per_timestep, groups=one.groups, ternary=one.weight_bits == 2)
            saw(pool=path.pool.kind if path.pool else None)
            saw(itself=path.source == path.target, back=path.source > path.target)
    truth = {False, True}
    assert seen == {
        "inputs": {1, 2},
        "outputs": {1, 2},
        "fed": set(FED),
        "model": set(MODELS),
        "reset": set(RESETS),
        "reset_at": set(RESET_TIMES),
        "compare": set(COMPARES),
        "read": set(READS),
        "kind": set(KINDS),
        "delay": {0, 1, 2, 3},
        "groups": {1, 2, 4},
        "pool": {None, "max", "sum"},
        **dict.fromkeys(
            ("graded", "own_delays", "per_timestep", "ternary", "itself", "back"), truth
        ),
    }
