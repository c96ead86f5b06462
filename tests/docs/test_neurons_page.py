"""The numbers of docs/neurons.md are what the kernels compute and the examples print."""

from __future__ import annotations

import pytest
from pages import ROOT, blocks

from simulator.behaviour import neurons
from simulator.describe.neuron import MODELS

PAGE = ROOT / "docs" / "neurons.md"


def worked() -> list[list[str]]:
    """Return the cells of the rows of the worked table."""
    table = PAGE.read_text().split("<!-- worked -->\n")[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


@pytest.fixture(autouse=True)
def beside(monkeypatch):
    """The tests of the arithmetic, whose way of writing a neuron the page uses."""
    monkeypatch.syspath_prepend(ROOT / "tests" / "behaviour")


@pytest.mark.parametrize(("settings", "currents", "spikes", "potentials", "overflows"), worked())
def test_a_worked_row_is_what_the_kernel_computes(
    settings, currents, spikes, potentials, overflows
):
    from one_neuron import described, traced

    found = traced(described(settings), [int(current) for current in currents.split(", ")])
    shown = [", ".join(map(str, row)) for row in found[:2]]
    assert [spikes, potentials, int(overflows)] == [*shown, found[2]]


def test_every_model_is_worked_on_the_page():
    from one_neuron import described

    assert set(MODELS) == {described(settings).model for settings, *_ in worked()}


def test_the_activations_of_the_page():
    assert "totals of 9, 10, 39, 400 and −11 give 0, 1, 3, 3 and 0" in PAGE.read_text()
    assert [0, 1, 3, 3, 0] == [
        neurons.activation(0, 10, total, 3) for total in (9, 10, 39, 400, -11)
    ]


def test_the_example_prints_what_the_page_shows(capsys):
    example, printed = (
        block for block in blocks(PAGE) if block.language == "python" or block.mark == "printed"
    )
    exec(compile(example.text, str(PAGE), "exec"), {})
    assert printed.text == capsys.readouterr().out


def test_the_streaming_difference_of_the_page_is_the_measured_one(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tests" / "behaviour")
    from test_twins import STREAMING

    for timesteps, differing, spikes, activations in STREAMING:
        of, share = (
            " of 15,360" * (timesteps == 1),
            f" ({differing / 15360:.1%})".replace("%", " %") * (timesteps > 1),
        )
        more = f"{spikes / activations - 1:.1%}".replace("%", " %").replace("0.0 %", "0 %")
        assert (
            f"| {timesteps} | {differing:,}{of}{share} | {spikes:,} | {activations:,} | {more} |"
            in PAGE.read_text()
        )
