"""The figures are well-formed, every one is shown by a page, and the hop is what engines do."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from pages import PAGES, ROOT

from simulator.describe.connections import Connection
from simulator.describe.network import Network, Neuron, Population, Projection
from simulator.describe.offsets import offsets
from simulator.study.noc import mesh, run_trace

FIGURES = sorted((ROOT / "docs" / "figures").glob("*.svg"))


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_a_figure_is_drawn_with_a_title_and_shown(figure):
    root = ElementTree.parse(figure).getroot()
    assert "{http://www.w3.org/2000/svg}svg" == root.tag
    assert root.findtext("{http://www.w3.org/2000/svg}title")
    assert any(f"figures/{figure.name}" in page.read_text() for page in PAGES)


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_the_hop_of_the_figure_is_the_engines(engine):
    packets, grants = [], []
    one = np.array([[0, 0, 1, 1, 0]])  # in cycle 0 from node 0 to its neighbour, one flit
    run_trace(
        mesh(2, 1), [one], engine=engine, write_packets=packets.append, write_grants=grants.append
    )
    packet, (first, second) = np.concatenate(packets)[0], np.concatenate(grants)
    happened = {
        "sent": packet[5],
        "grant A": first[0],
        "grant B": second[0],
        "arrived": packet[6],
    }
    figure = (ROOT / "docs" / "figures" / "hop.svg").read_text()
    drawn = re.findall(r'data-event="([\w ]+)" data-cycle="(\d+)"', figure)
    assert happened == {event: int(cycle) for event, cycle in drawn}


def test_the_steps_of_the_graph_are_its_schedule():
    """The graph of docs/workloads.md: image -> A -> B -> C, B -> A a timestep later, image -> C."""
    names, one = ("image", "A", "B", "C"), np.ones(1, np.int64)
    weight = Connection("one-to-one", np.ones(1, np.int8), 2, (1,), (1,))
    cell = Neuron("if", one, 0 * one, 0 * one)
    populations = [Population(name, (1,), cell if k else None) for k, name in enumerate(names)]
    edges = [(0, 1, 0), (1, 2, 0), (2, 1, 1), (2, 3, 0), (0, 3, 0)]
    paths = [Projection(a, b, weight, delay=delay) for a, b, delay in edges]
    found = offsets(Network(tuple(populations), tuple(paths), (3,)))
    steps = {
        (name, timestep, offset + found.interval * timestep)
        for name, offset in zip(names, found.offset)
        for timestep in range(4)
    }
    figure = (ROOT / "docs" / "figures" / "graph.svg").read_text()
    drawn = re.findall(r'data-population="(\w+)" data-timestep="(\d)" data-step="(\d)"', figure)
    shown = {(name, int(timestep), int(step)) for name, timestep, step in drawn}
    assert {work for work in steps if work[2] <= 6} == shown
