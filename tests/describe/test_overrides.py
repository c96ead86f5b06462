"""`key.path=value` changes one number of a description; a wrong one is said of the change,
not of the file.
"""

from __future__ import annotations

import re

import pytest
from shipped import refusal

from simulator.describe.chip import Chip
from simulator.describe.workload import Workload
from simulator.errors import DescriptionError
from simulator.units import exact

# option, where it is found in the chip, its value there
SET = [
    ("mesh.width=4", lambda chip: chip.mesh.width, 4),
    ("router.buffer=4 flits", lambda chip: chip.router.buffer, 4),
    ("router.multicast=true", lambda chip: chip.router.multicast, True),
    ("core.synapse.lookup=6 ns", lambda chip: chip.core.synapse.lookup, 3),
    ("gating.gate_after=never", lambda chip: chip.gating.gate_after, -1),
    ("energy.event_generation.value=2 pJ", lambda chip: chip.energy.event_generation.value, 2e-12),
    (
        "energy.event_generation.band=[1 pJ, 3 pJ]",
        lambda chip: chip.energy.event_generation.band,
        [1e-12, 3e-12],
    ),
    ("ports.0.tile=[3, 0]", lambda chip: chip.ports[0].tile, [3, 0]),
    (
        "mesh={width: 2, height: 3, cores_per_tile: 1}",
        lambda chip: (chip.mesh.width, chip.mesh.height),
        (2, 3),
    ),
    ("notes=[swept]", lambda chip: chip.notes, ["swept"]),
    (" core.synapse.lanes = 16 ", lambda chip: chip.core.synapse.lanes, 16),
]


@pytest.mark.parametrize(("option", "where", "value"), SET, ids=[row[0] for row in SET])
def test_an_option_changes_what_it_names_and_nothing_else(option, where, value):
    before, after = Chip.load("generic-22nm"), Chip.load("generic-22nm", (option,))
    assert value == where(after) != where(before)
    key = option.split("=")[0].split(".")[0].strip()
    follows = {"energy", "power", "area"}  # what the constants of components do
    rest = {key, *(follows if key in ("router", "core") else ())}
    assert before.model_dump(exclude=rest) == after.model_dump(exclude=rest)


def test_of_two_options_for_one_key_the_last_counts():
    assert 5 == Chip.load("generic-22nm", ("mesh.width=4", "mesh.width=5")).mesh.width


def test_a_period_changes_what_is_written_in_seconds():
    assert [(1, 38)] == Chip.load(
        "generic-22nm", ("period=3 ns", "barrier.tree=null", "barrier.points=[[1, 114 ns]]")
    ).barrier.points


# chip, shortest period it takes (None: any), a shorter one, what is said of it
CLOCKS = [
    ("generic-22nm", "1.9 ns", "0.1ns", "1.894 ns (maximum_frequency is 528 MHz), not 100 ps"),
    ("seneca-like", "2 ns", "1.99 ns", "2 ns (maximum_frequency is 500 MHz), not 1.99 ns"),
    ("odin", "13.333333 ns", "13 ns", "13.33 ns (maximum_frequency is 75 MHz), not 13 ns"),
    ("loihi1", "0.01 ns", None, ""),
    ("truenorth", "1 ps", None, ""),
]


@pytest.mark.parametrize(("chip", "period", "shorter", "said"), CLOCKS)
def test_a_clock_beyond_the_chip_s_highest_is_refused(chip, period, shorter, said):
    assert Chip.load(chip, (f"period={period}",)).period == float(exact(period, "time"))
    if shorter is not None:
        with pytest.raises(DescriptionError, match=re.escape(f"period: must be at least {said}")):
            Chip.load(chip, (f"period={shorter}",))


@pytest.mark.parametrize("written", ["0 Hz", "-1 MHz", "2 ns", "none"])
def test_a_highest_clock_is_a_frequency_or_none(written):
    said = "must be a frequency above 0 such as '500 MHz', or 'asynchronous'"
    with pytest.raises(DescriptionError, match=re.escape(f"maximum_frequency: {said}")):
        Chip.load("generic-22nm", (f"maximum_frequency={written}",))


def test_a_workload_is_set_the_same_way():
    assert 8 == Workload.load("digits-mlp", ("twin.timesteps=8",)).timesteps
    cores = "mapping.placement={hidden1: [0, 1], hidden2: [2], output: [3]}"
    assert {"hidden1": [0, 1], "hidden2": [2], "output": [3]} == Workload.load(
        "digits-mlp", (cores,)
    ).placement


# option, what is said
REFUSED = [
    ("mesh.width=0", "setting mesh.width=0: mesh.width: must be at least 1, not 0"),
    ("mesh.width=", "setting mesh.width=: mesh.width: must be a whole number, not nothing"),
    ("mesh.widht=4", "setting mesh.widht=4: mesh.widht: unknown key; did you mean 'width'?"),
    ("mehs.width=4", "setting mehs.width=4: mehs: unknown key; did you mean 'mesh'?"),
    ("mesh.width.x=4", "setting mesh.width.x=4: mesh.width: must be there and hold keys"),
    ("ports.1.tile=[0, 0]", "setting ports.1.tile=[0, 0]: ports[1]: must be there and hold keys"),
    ("ports.1=3", "setting ports.1=3: ports[1]: must be there: a list cannot be made longer"),
    (
        "ports.0.tile=[8, 0]",
        "setting ports.0.tile=[8, 0]: ports[0].tile: must lie on the 8x8 mesh, not at [8, 0]",
    ),
    ("mesh.width", "setting: must be key.path=value, not 'mesh.width'"),
    ("=4", "setting: must be key.path=value, not '=4'"),
    ("mesh..width=4", "setting: must be key.path=value, not 'mesh..width=4'"),
    ("mesh.width=[4", "setting mesh.width=[4: mesh.width: must be a YAML value, not '[4'"),
    (
        "mesh={width: 4, width: 5}",
        "setting mesh={width: 4, width: 5}: mesh.width: must be given once, not again: it "
        "stands on line 1 already",
    ),
    (
        "mesh=&m 4",
        "setting mesh=&m 4: mesh: must be written out: anchors and aliases are not allowed",
    ),
    (
        "energy.event_generation=1 pJ",
        "setting energy.event_generation=1 pJ: "
        "energy.event_generation: must be a mapping of keys to values, not '1 pJ'",
    ),
    (
        "energy.event_generation.value=1 pW",
        "setting energy.event_generation.value=1 pW: "
        "energy.event_generation.value: must be an energy with its unit, such as '23.6 pJ', not '1 "
        "pW'",
    ),
    (
        "core.synapse.lookup=3 ns",
        "setting core.synapse.lookup=3 ns: core.synapse.lookup: must be a whole number of "
        "cycles of 2 ns, not '3 ns': "
        "the nearest are 2 ns (1 cycle) and 4 ns (2 cycles)",
    ),
]


@pytest.mark.parametrize(("option", "message"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_wrong_option_is_said_of_the_option(said_of_chip, option, message):
    assert message == said_of_chip(overrides=(option,))[1]


def test_faults_of_the_file_and_of_options_come_together(said_of_chip):
    said = said_of_chip(("lanes: 8", "lanes: 0"), overrides=("mesh.width=0",))[1].splitlines()
    assert "setting mesh.width=0: mesh.width: must be at least 1, not 0" == said[0]
    assert said[1].endswith(": core.synapse.lanes: must be at least 1, not 0") and 2 == len(said)


def test_an_option_that_repairs_the_file_is_enough(said_of_chip):
    assert "" == said_of_chip(("lanes: 8", "lanes: 0"), overrides=("core.synapse.lanes=8",))[1]


# options, what is said: a fault that the file alone does not have is said of the options that make
# it
BLAMED = [
    (
        ("energy.accumulate.value=5 pJ",),
        "setting energy.accumulate.value=5 pJ: energy.accumulate.band: must be [low, high] around "
        "the value, "
        "not ['0.03 pJ', '0.1 pJ']; set energy.accumulate.band too",
    ),
    (
        ("mesh.width=4", "router.multicast=true", "link.flit=1 bit"),
        "setting link.flit=1 bit: packet: must leave room for data: the fields take 24 of 8 bits",
    ),
]


@pytest.mark.parametrize(("options", "message"), BLAMED)
def test_a_fault_elsewhere_is_said_of_the_options_that_make_it(said_of_chip, options, message):
    assert message == said_of_chip(overrides=options)[1]


def test_every_fault_an_option_makes_names_it(said_of_chip):
    said = said_of_chip(
        ("lanes: 8", "lanes: 0"), overrides=("core.synapse.word=0", "router.virtual_channels=1")
    )[1].splitlines()
    assert said[0].startswith("chip.yaml:") and said[0].endswith(
        ": core.synapse.lanes: must be at least 1, not 0"
    )
    assert [
        "setting core.synapse.word=0: core.synapse.word: must be at least 1 bit, not 0"
    ] == said[1:]
    said = said_of_chip(overrides=("router.virtual_channels=1",))[1].splitlines()
    assert 2 == len(said) and all(
        line.startswith("setting router.virtual_channels=1: router.s") for line in said
    )


def test_an_option_of_a_workload_is_shown_as_typed():
    assert 8 == Workload.load("digits-mlp", ("workload.twin.timesteps=8",)).timesteps
    said = refusal(lambda: Workload.load("digits-mlp", ("workload.twin.timesteps=-3",)))
    assert said.startswith("setting workload.twin.timesteps=-3: twin.timesteps: ")
