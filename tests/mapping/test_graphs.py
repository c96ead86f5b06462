"""Graphs on a chip: who works when, what is sent where, what waits, and both engines on it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings

from simulator.behaviour import raster as behaviour
from simulator.describe.chip import Chip
from simulator.describe.connections import Connection
from simulator.describe.network import Network, Neuron, Population, Projection, fed
from simulator.describe.workload import Workload
from simulator.errors import MappingError
from simulator.mapping.activity import compile_activity
from simulator.mapping.machine import compile_plan
from simulator.mapping.partition import partition
from simulator.study.pipeline import compute, prepare
from simulator.timing.record import first_divergence

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "behaviour"))
from random_networks import networks  # noqa: E402

TIMESTEPS = 3


def graph(names: str, edges: list[tuple[str, str, int]], n: int = 1, timesteps: int = TIMESTEPS):
    """A workload of populations of n neurons that fire in every timestep; the first is an input,
    the last is read; (source, target, delay).
    """
    cell = Neuron("if", np.ones(n, int), np.zeros(n, int), np.ones(n, int))
    weight = Connection("one-to-one", np.ones(n, np.int8), 2, (n,), (n,))
    populations = [Population(name, (n,), cell if k else None) for k, name in enumerate(names)]
    paths = [
        Projection(names.index(a), names.index(b), weight, delay=delay) for a, b, delay in edges
    ]
    network = Network(tuple(populations), tuple(paths), (len(names) - 1,))
    stimulus = fed("raster", np.ones((2, timesteps, n), int), 1)
    return Workload("graph", network, stimulus, timesteps)


# populations, projections (source, target, delay); what works in each step of an inference
STEPS = [
    ("iab", [("i", "a", 0), ("a", "b", 0)], "i0 | i1 a0 | i2 a1 b0 | a2 b1 | b2"),
    ("ia", [("i", "a", 0), ("a", "a", 1)], "i0 | i1 a0 | i2 a1 | a2"),
    (
        "iab",
        [("i", "a", 0), ("a", "b", 0), ("b", "a", 1)],
        "i0 | a0 | i1 b0 | a1 | i2 b1 | a2 | b2",
    ),
    (
        "iabc",
        [("i", "a", 0), ("a", "b", 0), ("b", "c", 0), ("a", "c", 0)],
        "i0 | i1 a0 | i2 a1 b0 | a2 b1 c0 | b2 c1 | c2",
    ),
    ("ia", [("i", "a", 2)], "i0 a0 | i1 a1 | i2 a2"),
]


@pytest.mark.parametrize("names, edges, expected", STEPS)
def test_who_works_in_which_step(names, edges, expected):
    """[W1], [W2], and the same again in the second inference."""
    workload, chip = graph(names, edges), Chip.load("generic-22nm")
    mapping = partition(workload, chip)
    plan = compile_plan(chip, mapping)
    raster = behaviour.run(workload.network, workload.stimulus, "snn", TIMESTEPS)
    schedule = compile_activity(workload, chip, mapping, plan, raster)
    activity = schedule.activity
    seen: list[list[str]] = [[] for _ in range(activity.n_steps)]
    done = dict.fromkeys(names, 0)
    for step in range(activity.n_steps):
        injected = activity.inject_start[step] < activity.inject_start[step + 1]
        working = activity.work_core[activity.work_start[step] : activity.work_start[step + 1]]
        here = [names[number] for number in mapping.core_population[working]]
        for name in ["i"] * int(injected) + sorted(here):
            seen[step].append(f"{name}{done[name] % TIMESTEPS}")
            done[name] += 1
    steps = [" ".join(step) for step in seen]
    assert [*expected.split(" | ")] * 2 == steps
    assert len(expected.split(" | ")) == schedule.steps_per_inference


# populations, projections, planes of accumulators of each but the input [W11]
WAITING = [
    ("iab", [("i", "a", 0), ("a", "b", 0)], (2, 2)),
    ("iabc", [("i", "a", 0), ("a", "b", 0), ("b", "c", 0), ("a", "c", 0)], (2, 2, 3)),
    ("iabc", [("i", "a", 0), ("a", "b", 0), ("b", "c", 0), ("i", "c", 0)], (2, 2, 4)),
    ("ia", [("i", "a", 5)], (6,)),
]


@pytest.mark.parametrize("names, edges, planes", WAITING)
def test_what_waits_takes_planes_of_accumulators(names, edges, planes):
    chip = Chip.load("generic-22nm")
    mapping = partition(graph(names, edges, n=3), chip)
    width, state = chip.core.synapse.accumulator, chip.core.soma.state
    for number, expected in enumerate(planes, start=1):
        (core,) = mapping.cores[number]
        assert 3 * (state + expected * width) == mapping.neuron_bits[core]


# delay, bits of neuron memory, what is missing: one neuron takes 32 bits of state and 2 + 3, or
# 2 + 1, accumulators of 21 bits
BEYOND = [
    (
        4,
        130,
        "137 bits of state, a core of generic-22nm has 524288 and 130, 7 too few",
        "3 more planes",
    ),
    (
        2,
        90,
        "95 bits of state, a core of generic-22nm has 524288 and 90, 5 too few",
        "1 more plane",
    ),
]


@pytest.mark.parametrize("delay, bits, missing, planes", BEYOND)
def test_delays_beyond_the_memory_say_by_how_much(delay, bits, missing, planes):
    chip = Chip.load("generic-22nm", (f"core.memory.neurons={bits} bit",))
    with pytest.raises(MappingError) as error:
        partition(graph("ia", [("i", "a", delay)]), chip)
    assert str(error.value) == (
        f"'a' does not fit: one neuron needs 2 bits of synapses and {missing}; spikes that wait "
        f"take {planes} of accumulators"
    )
    partition(graph("ia", [("i", "a", delay - 1)]), chip)


def test_each_projection_has_packets_of_its_own():
    """[W10]: two projections to one core are two packets, then comes the one to the port."""
    edges = [("i", "a", 0), ("a", "a", 1), ("a", "b", 0), ("a", "b", 1)]
    workload, chip = graph("iab", edges), Chip.load("generic-22nm")
    both = replace(workload, network=replace(workload.network, outputs=(1, 2)))
    prepared = prepare(both, chip)
    activity = prepared.schedule(compute(both, "snn")).activity
    a, b = (int(prepared.mapping.cores[number][0]) for number in (1, 2))
    rows = np.split(activity.entry_endpoint, activity.row_start[1:-1])
    port = chip.n_cores + chip.output_port
    assert [[a], [a, b, b, port], [port]] == [row.tolist() for row in rows]
    entries = chip.core.axon_out.entry
    assert [4 * entries, entries] == [int(prepared.mapping.axon_bits[core]) for core in (a, b)]


def tiles(network: Network) -> bool:
    """Fields of pooling that tile the currents, as a file demands and a chip needs."""
    return not any(
        side % path.pool.size
        for path in network.projections
        if path.pool is not None
        for side in path.connection.output_shape[1:]
    )


SETTINGS = (
    (
        "core.soma.state=96 bit",
        "core.synapse.accumulator=60 bit",
        "core.memory.neurons=1024 KiB",
        "period=4 ns",
    ),
    ("core.soma.update=touched", "packet.spikes=bitmap", "router.multicast=true"),
)


def differences(drawn, chip: Chip, mode: str = "snn") -> str | None:
    """Return where the engines first differ on a random graph whose pooling tiles, on a chip."""
    network, stimulus, timesteps = drawn
    workload = Workload("drawn", network, stimulus, timesteps, neurons_per_core=30)
    prepared = prepare(workload, chip)
    scheduled = prepared.schedule(compute(workload, mode, limit=1))
    one, other = (
        scheduled.execute(engine, events=True).record for engine in ("reference", "compiled")
    )
    return first_divergence(one, other, prepared.plan)


@pytest.fixture(scope="module")
def chips() -> list[Chip]:
    """Two machines with room for every graph: one as it is, one that visits, packs and forks."""
    return [Chip.load("generic-22nm", (*SETTINGS[0], *more)) for more in ((), SETTINGS[1])]


@pytest.mark.parametrize("number", [0, 1])
@given(drawn=networks())
@settings(max_examples=60, deadline=None)
def test_both_engines_agree_on_random_graphs(chips, drawn, number):
    assume(tiles(drawn[0]))
    assert differences(drawn, chips[number]) is None


@given(drawn=networks(exact=True))
@settings(max_examples=30, deadline=None)
def test_both_engines_agree_on_quantised_graphs(chips, drawn):
    assume(tiles(drawn[0]))
    assert differences(drawn, chips[0], "qnn") is None
