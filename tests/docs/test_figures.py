"""The figures are well-formed, every one is shown by a page, and the hop is what engines do."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from pages import PAGES, ROOT

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
