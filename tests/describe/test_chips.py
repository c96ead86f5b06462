"""Every shipped chip: it loads, nothing is counted twice, and what its publication states follows
from its numbers.
"""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest
import yaml

from simulator.describe.chip import Chip
from simulator.describe.energy import EnergyTable, PowerTable
from simulator.describe.library import find, names
from simulator.errors import DescriptionError
from simulator.mapping.stages import barrier_cycles
from simulator.units import exact

CHIPS = names("chip")
ENTRIES = {*EnergyTable.model_fields, *PowerTable.model_fields}


@pytest.fixture(scope="module", params=CHIPS)
def chip(request: pytest.FixtureRequest) -> Chip:
    return Chip.load(request.param)


def constants(chip: Chip) -> dict[str, object]:
    tables = (chip.energy, chip.power)
    return {name: getattr(table, name) for table in tables for name in type(table).model_fields}


def test_a_chip_has_the_name_of_its_file(chip):
    assert chip.name in CHIPS and find("chip", chip.name).stem == chip.name


def test_what_is_contained_in_another_entry_is_zero_and_names_it(chip):
    for name, constant in constants(chip).items():
        containers = re.search(r"contained in ([a-z_]+)(?: and ([a-z_]+))?", constant.source)
        if containers:
            assert 0 == constant.value, name
            for container in filter(None, containers.groups()):
                assert container in ENTRIES, f"{name} is contained in {container}"
                assert name != container


def test_what_is_contained_is_paid_somewhere(chip):
    """Follow `contained in` to its end: an entry with a value, or one that says why it is 0."""
    table = constants(chip)
    for name in table:
        seen = [name]
        while found := re.search(r"contained in ([a-z_]+)", table[seen[-1]].source):
            assert found.group(1) not in seen, f"{' in '.join(seen)} in {found.group(1)}"
            seen.append(found.group(1))


def test_tokens_are_paid_or_refused(chip):
    free = ("step.tick=none", "step.synchronisation=tokens")
    price = "energy.token.value=0.5 pJ", "energy.token.band=null"
    assert Chip.load(chip.name, (*free, *price)).energy.token.value == 0.5e-12
    if chip.energy.token.value:
        assert Chip.load(chip.name, free).step.synchronisation == "tokens"
        return
    assert chip.energy.token.source.startswith("never happens")
    said = (
        "must be 'barrier', not 'tokens', while energy.token is 0 pJ because it never happens on "
        "this chip: give it the energy of a token"
    )
    with pytest.raises(DescriptionError, match=said):
        Chip.load(chip.name, free)


def test_a_ledger_can_be_kept(chip):
    assert {"marginal"} == {constant.scope for constant in constants(chip).values()}


def test_a_full_mesh_is_covered_by_the_barrier_or_the_chip_says_not(chip):
    points = chip.barrier.points or []
    if len(points) > 1 and points[-1][0] < chip.n_tiles:
        assert any("refused rather than extrapolated" in note for note in chip.notes)
    else:
        assert barrier_cycles(chip, np.arange(chip.n_tiles)) >= 1


def si(chip: str, key: str, dimension: str) -> Fraction:
    """Return a written constant of a chip file exactly."""
    tree = yaml.safe_load(find("chip", chip).read_text())
    for part in key.split("."):
        tree = tree[part]
    return exact(tree, dimension)


# a spike's hop, lookahead router: link latency + 2 cycles; published in ns (Davies 2018, Table 2)
@pytest.mark.parametrize("name", ["loihi1", "loihi1-silicon-fit"])
def test_loihi_hops_take_what_was_published(name):
    chip = Chip.load(name)
    assert exact("4.1 ns", "time") == (chip.link.east_west.latency + 2) * si(name, "period", "time")
    assert exact("6.5 ns", "time") == (chip.link.north_south.latency + 2) * si(
        name, "period", "time"
    )


def bits_of_a_neuron(chip: Chip) -> int:
    """Return the neuron memory of a neuron: its state and its two accumulators."""
    return chip.core.soma.state + 2 * chip.core.synapse.accumulator


# unit of a Loihi core, in cycles of 0.1 ns
LOIHI = [
    ("inactive update", 53, lambda chip: chip.core.soma.visit),
    ("active update", 84, lambda chip: chip.core.soma.visit + chip.core.soma.spike),
    ("synaptic operation", 35, lambda chip: chip.core.synapse.accumulate),
    ("barrier of 1 tile", 1130, lambda chip: barrier_cycles(chip, np.arange(1))),
    ("barrier of 32 tiles", 4650, lambda chip: barrier_cycles(chip, np.arange(32))),
    (
        "within a tile: axon-out and eight cycles from queue to queue",
        21,
        lambda chip: chip.core.axon_out.packet + 8,
    ),
    ("neurons of a core", 1024, lambda chip: chip.core.memory.neurons // bits_of_a_neuron(chip)),
    (
        "fan-out edges of a core",
        4096,
        lambda chip: chip.core.memory.axons // chip.core.axon_out.entry,
    ),
    (
        "64-bit synapse words of a core",
        16384,
        lambda chip: chip.core.memory.synapses // chip.core.synapse.word,
    ),
    (
        "round trip of credits, covered",
        True,
        lambda chip: (
            chip.router.buffer * chip.router.virtual_channels * chip.link.north_south.interval
            >= 2 * chip.link.north_south.latency + 3
        ),
    ),
]


@pytest.mark.parametrize(("what", "expected", "found"), LOIHI, ids=[row[0] for row in LOIHI])
def test_loihi_is_as_published(what, expected, found):
    assert expected == found(Chip.load("loihi1"))


def test_loihi_charges_one_neuron_update_never_two():
    energy = "energy.{}.value"
    inactive = si("loihi1", energy.format("threshold_test"), "energy")
    assert exact("52 pJ", "energy") == inactive
    assert exact("81 pJ", "energy") == inactive + si(
        "loihi1", energy.format("event_generation"), "energy"
    )


# MHz, million synaptic operations per second, microwatts as printed (Frenkel 2019, IV-A: 477 and
# 35)
@pytest.mark.parametrize(
    ("megahertz", "rate", "microwatts"), [(75, "37.5", 477), (Fraction("1.3"), "0.65", 35)]
)
def test_odin_s_power_is_leakage_clock_and_operations(megahertz, rate, microwatts):
    leakage = si("odin", "power.core_leakage.value", "power")
    clock = si("odin", "power.core_clock_idle.value", "energy") * megahertz * 10**6
    operations = si("odin", "energy.accumulate.value", "energy") * Fraction(rate) * 10**6
    assert microwatts == round((leakage + clock + operations) * 10**6)


# Hz, milliwatts of 2**20 neurons with 128 active synapses, 21.3 hops in x and in y (Akopyan 2015,
# Fig. 17: 68, 71, 94)
@pytest.mark.parametrize(("rate", "milliwatts"), [("11.58", 68), ("20.07", 71), ("95.93", 94)])
def test_truenorth_s_power_is_static_events_and_hops(rate, milliwatts):
    static = 4096 * si("truenorth", "power.core_leakage.value", "power")
    event = si("truenorth", "energy.accumulate.value", "energy")
    hops = [
        si("truenorth", f"energy.link_{way}.value", "energy")
        for way in ("east_west", "north_south")
    ]
    spike = 128 * event + Fraction("21.3") * sum(hops)
    assert milliwatts == round((static + 2**20 * Fraction(rate) * spike) * 1000)


def test_seneca_s_naive_accumulate_is_12_7_picojoules():
    parts = ("weight_read", "accumulator", "accumulate")  # load; load and store; add
    assert exact("12.7 pJ", "energy") == sum(
        si("seneca-like", f"energy.{part}.value", "energy") for part in parts
    )


def test_a_dense_stream_costs_a_quarter_picojoule_per_bit_and_hop():
    for way in ("east_west", "north_south"):
        flit = si("dense-dataflow", f"energy.link_{way}.value", "energy")
        assert exact("0.25 pJ", "energy") == flit / Chip.load("dense-dataflow").link.flit


def test_the_idealised_machine_holds_one_neuron_per_core_and_enough_of_them():
    chip = Chip.load("yan-2024")
    assert 1 == chip.core.memory.neurons // bits_of_a_neuron(chip)
    assert 128 + 64 + 10 <= chip.n_cores


@pytest.mark.parametrize(
    "name, sparse, dense",
    [("yan-2024-minimum", 0.0, 0.0), ("yan-2024-worst-case", 1300e-12, 20.3125e-12)],
)
def test_the_models_other_settings_differ_in_what_moving_a_bit_costs_and_in_nothing_else(
    name, sparse, dense
) -> None:
    typical, other = Chip.load("yan-2024"), Chip.load(name)
    assert (other.energy.payload_bit_hop.value, other.energy.stream_bit_hop.value) == (
        sparse,
        dense,
    )
    moved = {key: getattr(typical.energy, key) for key in ("payload_bit_hop", "stream_bit_hop")}
    same = {
        "name": typical.name,
        "about": typical.about,
        "energy": other.energy.model_copy(update=moved),
    }
    assert other.model_copy(update=same).model_dump() == typical.model_dump()
