"""Energies do not follow a changed width or size, and the chip says so; a chip as shipped lies
within its statement.
"""

from __future__ import annotations

import pytest

from simulator import run
from simulator.describe.chip import Chip
from simulator.describe.library import find, names
from simulator.report import terminal
from simulator.report.run import run_view

# option, what is said of generic-22nm
OUTSIDE = [
    (
        "link.flit=8 bit",
        ("link.flit is 8 bit; link, router and queue energies are stated for 32 bit",),
    ),
    ("link.flit=8", ("link.flit is 8 bit; link, router and queue energies are stated for 32 bit",)),
    ("link.flit=4 B", ()),
    (
        "core.synapse.word=16 B",
        ("core.synapse.word is 16 B; weight and reload energies are stated for 64 bit",),
    ),
    (
        "router.buffer=9",
        ("router.buffer is 9 flits; router energies and powers are stated for 8 flits",),
    ),
    (
        "router.virtual_channels=5",
        ("router.virtual_channels is 5; router energies and powers are stated for 4",),
    ),
    (
        "core.memory.synapses=128 KiB",
        ("core.memory.synapses is 128 KiB; weight energies are stated for 64 KiB",),
    ),
    ("core.memory.synapses=65536 B", ()),
    (
        "technology.node=7 nm",
        ("technology.node is 7 nm; all energies and powers are stated for 22 nm",),
    ),
    (
        "period=4 ns",
        ("period is 4 ns; clock energies and leakage powers are stated for 2 ns",),
    ),
    (
        "core.synapse.lanes=16",
        ("core.synapse.lanes is 16; core leakage and clock energies are stated for 8",),
    ),
    (
        "core.axon_out.queue=16",
        ("core.axon_out.queue is 16; queue energies are stated for 8",),
    ),
    ("mesh.width=4", ()),
]


@pytest.mark.parametrize(("option", "lines"), OUTSIDE)
def test_what_differs_from_the_statement_is_said_of_values_not_of_spellings(option, lines):
    assert lines == Chip.load("generic-22nm", (option,)).outside_statement


@pytest.mark.parametrize("name", names("chip"))
def test_a_chip_as_shipped_lies_within_its_statement(name):
    assert () == Chip.load(name).outside_statement


def test_an_edited_file_says_it_too(tmp_path):
    text = find("chip", "generic-22nm").read_text()
    (tmp_path / "chip.yaml").write_text(text.replace("  word: 64 bit", "  word: 32 bit", 1))
    assert 1 == len(Chip.load(tmp_path / "chip.yaml").outside_statement)


def test_a_statement_names_keys_and_their_values(said_of_chip):
    said = said_of_chip(("  link.flit: 32 bit\n", "  link.flti: 32 bit\n"))[1]
    assert said.endswith(
        "stated_for.link.flti: must name a number of this file; did you mean 'link.flit'?"
    )
    said = said_of_chip(("  link.flit: 32 bit\n", "  link.flit: 32 mm\n"))[1]
    assert said.endswith(
        "stated_for.link.flit: must be a value that link.flit can have, not '32 mm'"
    )


def test_the_summary_holds_what_the_chip_says():
    chip = Chip.load("generic-22nm", ("link.flit=8 bit",))
    assert (
        list(chip.outside_statement)
        == run("digits-mlp", chip, "snn", limit=1).summary()["constants_outside_statement"]
    )


@pytest.mark.parametrize(("options", "shown"), [((), False), (("link.flit=8 bit",), True)])
def test_the_report_says_it_where_there_is_something_to_say(options, shown):
    view = run_view(run("digits-mlp", Chip.load("generic-22nm", options), "snn", limit=1))
    said = "Constants  link.flit is 8 bit; link, router and queue energies"
    assert shown == (said in terminal.text(view, 200))
