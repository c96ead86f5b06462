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

STATED = "  core.synapse.accumulator: 21 bit\n"
# option, what is said of spinnaker2-like, whose constants are numbers
OUTSIDE = [
    (
        "link.flit=96 bit",
        ("link.flit is 96 bit; link, router and queue energies are stated for 192 bit",),
    ),
    (
        "link.flit=96",
        ("link.flit is 96 bit; link, router and queue energies are stated for 192 bit",),
    ),
    ("link.flit=24 B", ()),
    (
        "core.synapse.word=16 B",
        ("core.synapse.word is 16 B; weight and reload energies are stated for 32 bit",),
    ),
    (
        "technology.node=28 nm",
        ("technology.node is 28 nm; all energies and powers are stated for 22 nm",),
    ),
    (
        "technology.voltage=0.6 V",
        ("technology.voltage is 0.6 V; all energies and powers are stated for 0.5 V",),
    ),
    (
        "period=10 ns",
        ("period is 10 ns; clock energies and leakage powers are stated for 5 ns",),
    ),
    (
        "core.synapse.lanes=16",
        ("core.synapse.lanes is 16; core leakage and clock energies are stated for 4",),
    ),
    ("mesh.width=4", ()),
]


@pytest.mark.parametrize(("option", "lines"), OUTSIDE)
def test_what_differs_from_the_statement_is_said_of_values_not_of_spellings(option, lines):
    assert lines == Chip.load("spinnaker2-like", (option,)).outside_statement


# option, what is said of generic-22nm, whose constants follow as far as their tables go
BEYOND = [
    ("router.buffer=16", ()),
    ("core.memory.synapses=1 MiB", ()),
    ("technology.voltage=0.9 V", ()),
    ("core.synapse.accumulator=20 bit",
     ("core.synapse.accumulator is 20 bit; accumulator energies are stated for 21 bit",)),
    ("router.buffer=64",
     ("64 flits of a VC lie beyond the table: costs are those of 16",)),
    ("core.memory.axons=16 B",
     ("16 bytes of a memory lie beyond the table: costs are those of 128",)),
]  # fmt: skip


@pytest.mark.parametrize(("option", "lines"), BEYOND)
def test_a_component_is_priced_at_its_table_s_end_and_the_chip_says_so(option, lines):
    chip = Chip.load("generic-22nm", (option, "period=4 ns"))
    assert lines == chip.outside_statement


@pytest.mark.parametrize("name", names("chip"))
def test_a_chip_as_shipped_lies_within_its_statement(name):
    assert () == Chip.load(name).outside_statement


def test_an_edited_file_says_it_too(tmp_path):
    text = find("chip", "generic-22nm").read_text()
    (tmp_path / "chip.yaml").write_text(
        text.replace("accumulator: 21 bit", "accumulator: 24 bit", 1)
    )
    assert 1 == len(Chip.load(tmp_path / "chip.yaml").outside_statement)


def test_a_statement_names_keys_and_their_values(said_of_chip):
    said = said_of_chip((STATED, "  link.flti: 32 bit\n"))[1]
    assert said.endswith(
        "stated_for.link.flti: must name a number of this file; did you mean 'link.flit'?"
    )
    said = said_of_chip((STATED, "  link.flit: 32 mm\n"))[1]
    assert said.endswith(
        "stated_for.link.flit: must be a value that link.flit can have, not '32 mm'"
    )


def test_the_summary_holds_what_the_chip_says():
    chip = Chip.load("generic-22nm", ("router.buffer=20",))
    assert (
        list(chip.outside_statement)
        == run("digits-mlp", chip, "snn", limit=1).summary()["constants_outside_statement"]
    )


@pytest.mark.parametrize(("options", "shown"), [((), False), (("router.buffer=20",), True)])
def test_the_report_says_it_where_there_is_something_to_say(options, shown):
    view = run_view(run("digits-mlp", Chip.load("generic-22nm", options), "snn", limit=1))
    said = "Constants  20 flits of a VC lie beyond the table"
    assert shown == (said in terminal.text(view, 200))
