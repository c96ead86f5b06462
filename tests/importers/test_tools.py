"""Files of other tools give the spikes that those tools computed, on ten inputs each."""

import json
from pathlib import Path

import pytest

from simulator.importers.checks import compare, expected
from simulator.importers.choices import Choices
from simulator.importers.entering import in_reals
from simulator.importers.nir import floating_of
from simulator.study.importing import bring

DATA = Path(__file__).parent / "data"
CASES = json.loads((DATA / "cases.json").read_text())


@pytest.mark.parametrize("name", CASES)
def test_spikes_are_those_of_the_tool(name: str) -> None:
    floating, _, _ = floating_of(DATA / f"{name}.nir", Choices(**CASES[name]))
    given = expected(DATA / f"{name}.npz", floating)
    assert given.stimulus is not None
    entering = in_reals(floating, given.stimulus, None)
    assert len(next(iter(entering.values()))) == 10
    found = compare(floating, given, entering)
    computed = [place.name for place in floating.places if place.cell is not None]
    assert computed == [one.population for one in found]
    assert {one.population: 0 for one in found} == {one.population: one.differing for one in found}
    assert all(one.recorded for one in found)


def test_four_tools_are_here() -> None:
    assert {"snntorch", "sinabs", "norse", "spikingjelly"} == {
        choices["tool"] for choices in CASES.values()
    }


@pytest.mark.parametrize("name", CASES)
def test_integers_of_16_bits_keep_the_spikes(name: str) -> None:
    """At most 9 of 2,000 places (inference, timestep, neuron) differ, where a potential is within
    rounding of its threshold; with 8 bits more do, which the report says.
    """
    choices = Choices(weight_bits=16, **CASES[name])
    brought = bring(DATA / f"{name}.nir", choices, check=DATA / f"{name}.npz")
    assert 0 == brought.overflows
    for one in brought.changed:
        assert one.reals and one.differing <= 0.005 * one.places, one
