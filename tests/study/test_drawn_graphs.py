"""Drawn activity on graphs: every population at the rate asked for, every projection fed by it, and
the crossings of a residual network.
"""

import numpy as np
import pytest
from small_workloads import raster

from simulator import Chip, Workload
from simulator.describe.connections import Connection
from simulator.describe.network import Network, Neuron, Population, Projection
from simulator.errors import InputError
from simulator.study.controlled import EventSource, replay
from simulator.study.crossover import Machine

SIZES = {"i": 24, "a": 24, "b": 16, "c": 12}


def workload(edges: list[tuple[str, str, int]]) -> Workload:
    """Dense projections (source, target, delay) between populations of SIZES; the last is read."""
    names = list(SIZES)
    populations = [Population("i", (SIZES["i"],))]
    for name in names[1:]:
        one = np.ones(SIZES[name], np.int64)
        populations.append(Population(name, (SIZES[name],), Neuron("if", one, 0 * one, 0 * one)))
    projections = [
        Projection(
            names.index(a),
            names.index(b),
            Connection(
                "dense", np.ones((SIZES[a], SIZES[b]), np.int8), 8, (SIZES[a],), (SIZES[b],)
            ),
            delay=delay,
        )
        for a, b, delay in edges
    ]
    network = Network(tuple(populations), tuple(projections), (3,))
    return Workload("drawn", network, raster(np.zeros((1, 4, SIZES["i"]))), 4, neurons_per_core=8)


CHAIN = [("i", "a", 0), ("a", "b", 0), ("b", "c", 0)]
GRAPHS = {
    "residual": [*CHAIN, ("a", "c", 0)],
    "two paths and a delay": [*CHAIN, ("i", "c", 0), ("a", "c", 2)],
    "a loop": [*CHAIN, ("c", "b", 1), ("b", "b", 2)],
}


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("rate", [0.0, 0.2, 1.0])
def test_every_projection_brings_what_its_source_was_drawn_to_send(name, rate) -> None:
    drawn = EventSource(workload(GRAPHS[name]), 4, 2, 0.2, seed=3)
    events = [round(rate * size * 4 * 2) for size in SIZES.values()]
    assert events == [len(trace.neuron) for trace in drawn.raster("snn", rate).traces]
    result = replay(drawn, Chip.load("generic-22nm"), "snn", rate)
    paths = drawn.workload.network.projections
    assert sum(events[p.source] * p.connection.n_out for p in paths) == result.count("accumulates")


@pytest.mark.parametrize("name", ["residual", "two paths and a delay"])
def test_activations_are_drawn_at_their_density_and_reach_every_target(name) -> None:
    drawn = EventSource(workload(GRAPHS[name]), 4, 2, 0.25, seed=3)
    active = [round(0.25 * size * 2) for size in SIZES.values()]
    assert active == [len(trace.neuron) for trace in drawn.raster("qnn", 0.1).traces]
    result = replay(drawn, Chip.load("generic-22nm", ("packet.activations=events",)), "qnn", 0.1)
    paths = drawn.workload.network.projections
    assert sum(active[p.source] * p.connection.n_out for p in paths) == result.count("macs")


@pytest.mark.parametrize("metric", ["energy", "energy-delay product"])
def test_the_twins_of_a_residual_network_change_order_at_the_crossing(metric) -> None:
    drawn = EventSource(workload(GRAPHS["residual"]), 4, 1, 1.0)
    machine = Machine(drawn, Chip.load("generic-22nm"), encodings="chip")
    crossing = machine.crossing(metric, 0.005)
    assert crossing.rate
    for rate in crossing.rate:
        assert (machine.excess(metric, rate - 0.005) < 0) != (
            machine.excess(metric, rate + 0.005) < 0
        )


def test_a_loop_has_no_quantised_twin_and_says_so_before_anything_runs() -> None:
    drawn = EventSource(workload(GRAPHS["a loop"]), 4, 1, 0.2)
    text = "^the quantised twin needs a graph without cycles, not c -> b -> c$"
    for ask in (
        lambda: Machine(drawn, Chip.load("generic-22nm")),
        lambda: drawn.raster("qnn", 0.1),
    ):
        with pytest.raises(InputError, match=text):
            ask()
