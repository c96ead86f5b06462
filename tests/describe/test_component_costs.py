"""A chip's components follow its own keys: what doubling each knob does, read off the files of
the tables by the test itself.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from simulator.describe.chip import Chip
from simulator.describe.components.pricing import PRICED, link_length, tile_area
from simulator.errors import DescriptionError

FOLDER = Path(__file__).parents[2] / "chips" / "components"
#: of the default chip; slow enough for every change below
SLOWLY = ("period=8 ns",)
UNITS = {"pJ": 1e-12, "flit": 1e-12, "cycle": 1e-12, "uW": 1e-6, "mW": 1e-3, "mm2": 1e-6}


def chip(*changes: str) -> Chip:
    return Chip.load("generic-22nm", (*SLOWLY, *changes))


def row(name: str, **place: float) -> dict[str, float]:
    """Return the one row of a 22 nm table at a place, in SI units."""
    with open(FOLDER / f"{name}.csv", newline="") as file:
        found = [
            row
            for row in csv.DictReader(file)
            if row["node_nm"] == "22" and row.get("cell", "itrs-lstp") == "itrs-lstp"
            and all(float(row[axis]) == value for axis, value in place.items())
        ]  # fmt: skip
    assert 1 == len(found), place
    return {
        column: float(text) * UNITS[column.rpartition("_")[2]]
        for column, text in found[0].items()
        if column.rpartition("_")[2] in UNITS
    }


def sram(size: int, word: int) -> dict[str, float]:
    return row("sram", size_bytes=size, word_bits=word)


def router(width: int = 32, ports: int = 5, vcs: int = 4, depth: int = 8) -> dict[str, float]:
    return row("router", width_bits=width, ports=ports, virtual_channels=vcs, buffers_per_vc=depth)


def fifo(entries: int, width: int = 32) -> float:
    found = row("fifo", entries=entries, width_bits=width)
    return found["write_pJ"] + found["read_pJ"]


KIB = 1024
#: change, and what the table says of the constants that follow
KNOBS = {
    "": {
        "energy.weight_read": lambda: sram(64 * KIB, 64)["read_pJ"],
        "energy.membrane_read": lambda: sram(16 * KIB, 32)["read_pJ"],
        "energy.membrane_write": lambda: sram(16 * KIB, 32)["write_pJ"],
        "energy.state_clear": lambda: sram(16 * KIB, 32)["write_pJ"],
        "energy.axon_lookup": lambda: sram(16 * KIB, 32)["read_pJ"],
        "energy.reload": lambda: sram(64 * KIB, 64)["write_pJ"],
        "energy.input_queue": lambda: fifo(32),
        "energy.output_queue": lambda: fifo(16),
        "energy.buffer_write": lambda: router()["buffer_write_pJ"],
        "energy.buffer_read": lambda: router()["buffer_read_pJ"],
        "energy.crossbar": lambda: router()["crossbar_pJ"],
        "energy.allocation": lambda: router()["switch_allocation_pJ"],
        "power.router_clock": lambda: router()["clock_pJ_per_cycle"],
        "power.router_leakage": lambda: 1.2e-4 * router()["leakage_mW"],
        "power.memory_leakage": lambda: (
            (sram(64 * KIB, 64)["leak_uW"] + 2 * sram(16 * KIB, 32)["leak_uW"]) / (96 * 8 * KIB)
        ),
        "area.memory": lambda: sram(64 * KIB, 64)["area_mm2"] + 2 * sram(16 * KIB, 32)["area_mm2"],
        "area.router": lambda: router()["area_mm2"],
    },
    "core.memory.synapses=128 KiB": {
        "energy.weight_read": lambda: sram(128 * KIB, 64)["read_pJ"],
        "area.memory": lambda: sram(128 * KIB, 64)["area_mm2"] + 2 * sram(16 * KIB, 32)["area_mm2"],
        "power.memory_leakage": lambda: (
            (sram(128 * KIB, 64)["leak_uW"] + 2 * sram(16 * KIB, 32)["leak_uW"]) / (160 * 8 * KIB)
        ),
    },
    "core.synapse.word=128 bit": {
        "energy.weight_read": lambda: sram(64 * KIB, 128)["read_pJ"],
        "area.memory": lambda: sram(64 * KIB, 128)["area_mm2"] + 2 * sram(16 * KIB, 32)["area_mm2"],
    },
    "core.synapse.word=512 bit": {  # two of 32 KiB and 256 bits side by side
        "energy.weight_read": lambda: 2 * sram(32 * KIB, 256)["read_pJ"],
    },
    "core.synapse.banks=2": {
        "energy.weight_read": lambda: sram(32 * KIB, 64)["read_pJ"],
        "area.memory": lambda: (
            2 * sram(32 * KIB, 64)["area_mm2"] + 2 * sram(16 * KIB, 32)["area_mm2"]
        ),
        "power.memory_leakage": lambda: (
            (2 * sram(32 * KIB, 64)["leak_uW"] + 2 * sram(16 * KIB, 32)["leak_uW"]) / (96 * 8 * KIB)
        ),
    },
    "core.soma.word=64 bit": {
        name: lambda: sram(16 * KIB, 64)["write_pJ"]
        for name in ("energy.membrane_write", "energy.state_clear")
    },
    "core.axon_out.entry=64 bit": {"energy.axon_lookup": lambda: sram(16 * KIB, 64)["read_pJ"]},
    "core.memory.neurons=32 KiB": {"energy.membrane_read": lambda: sram(32 * KIB, 32)["read_pJ"]},
    "gating.reload=128 bit": {"energy.reload": lambda: sram(64 * KIB, 128)["write_pJ"]},
    "core.axon_out.queue=16": {"energy.output_queue": lambda: fifo(32)},
    "core.input_queue=16": {"energy.input_queue": lambda: fifo(64)},
    "router.virtual_channels=8": {
        "energy.buffer_write": lambda: router(vcs=8)["buffer_write_pJ"],
        "energy.allocation": lambda: router(vcs=8)["switch_allocation_pJ"],
        "energy.input_queue": lambda: fifo(64),
        "power.router_leakage": lambda: 1.2e-4 * router(vcs=8)["leakage_mW"],
        "area.router": lambda: router(vcs=8)["area_mm2"],
    },
    "router.buffer=16": {
        "energy.buffer_read": lambda: router(depth=16)["buffer_read_pJ"],
        "power.router_clock": lambda: router(depth=16)["clock_pJ_per_cycle"],
        "area.router": lambda: router(depth=16)["area_mm2"],
    },
    "link.flit=64 bit": {
        "energy.crossbar": lambda: router(width=64)["crossbar_pJ"],
        "energy.input_queue": lambda: fifo(32, 64),
    },
    "link.flit=256 bit": {"energy.crossbar": lambda: 2 * router(width=128)["crossbar_pJ"]},
    "mesh.cores_per_tile=2": {"energy.crossbar": lambda: router(ports=6)["crossbar_pJ"]},
}
ROWS = [(change, key, table) for change, keys in KNOBS.items() for key, table in keys.items()]


def constant(of: Chip, key: str):
    table, _, name = key.partition(".")
    return getattr(getattr(of, table), name)


@pytest.mark.parametrize("change, key, expected", ROWS, ids=[f"{a} {b}" for a, b, _ in ROWS])
def test_a_constant_is_what_its_table_says_of_the_chip_s_own_keys(change, key, expected) -> None:
    found = constant(chip(*filter(None, [change])), key)
    assert expected() == pytest.approx(found.value, rel=1e-12, abs=0)
    assert found.band[0] <= found.value <= found.band[1]


# knob doubled, what grows with it
GROWS = [
    ("core.synapse.lanes=16", ("power.core_leakage", "power.core_clock_active")),
    ("core.synapse.banks=2", ("area.memory", "power.core_clock_idle")),
    ("core.synapse.word=128 bit", ("energy.weight_read", "power.core_clock_active")),
    ("core.soma.queue=16", ("area.queue", "power.core_leakage")),
    ("core.axon_out.queue=16", ("area.queue", "energy.output_queue", "power.core_leakage")),
    ("core.input_queue=16", ("area.queue", "energy.input_queue")),
    ("core.memory.synapses=128 KiB", ("area.memory", "energy.weight_read",
                                      "energy.link_east_west", "energy.injection")),
    ("router.buffer=16", ("area.router", "power.router_leakage", "energy.buffer_write")),
    ("core.synapse.accumulator=42 bit", ("area.lane", "energy.accumulator")),
]  # fmt: skip


@pytest.mark.parametrize("change, keys", GROWS, ids=[row[0] for row in GROWS])
def test_what_is_doubled_costs_more(change: str, keys: tuple[str, ...]) -> None:
    before, after = chip(), chip(change)
    for key in keys:
        assert constant(before, key).value < constant(after, key).value, key


#: of a clocked bit: 0.009 pJ at 40 nm and 1.0 V (tables.yaml), at 22 nm and 0.8 V
BIT = 0.009e-12 * (0.8 / 1.0) ** 2 * 22 / 40
#: of a mm² of logic: 316 uW, in W/m²
DENSITY = 316.0
LANE = 21 + 16  # bits: its accumulator and two operands of 8


def deeper(entries: int) -> float:
    """What a queue of twice so many flits takes more, m²."""
    wide, narrow = (row("fifo", entries=n, width_bits=32) for n in (2 * entries, entries))
    return wide["area_mm2"] - narrow["area_mm2"]


# knob doubled, constant, by how much it rises
MORE = [
    ("core.synapse.lanes=16", "power.core_clock_active", lambda: 8 * LANE * BIT),
    ("core.synapse.lanes=16", "power.core_leakage", lambda: 8 * chip().area.lane.value * DENSITY),
    ("core.synapse.word=128 bit", "power.core_clock_active", lambda: 64 * BIT),
    ("core.synapse.banks=2", "power.core_clock_idle", lambda: 64 * BIT),
    ("core.soma.word=64 bit", "power.core_clock_active", lambda: 32 * BIT),
    ("core.axon_out.entry=64 bit", "power.core_clock_active", lambda: 32 * BIT),
    ("core.input_queue=16", "area.queue", lambda: deeper(4 * 8)),
    ("core.input_queue=16", "power.core_leakage", lambda: deeper(4 * 8) * DENSITY),
    ("core.axon_out.queue=16", "area.queue", lambda: deeper(2 * 8)),
    ("core.axon_out.queue=16", "power.core_leakage", lambda: deeper(2 * 8) * DENSITY),
]


@pytest.mark.parametrize("change, key, more", MORE, ids=[f"{a} {b}" for a, b, _ in MORE])
def test_what_is_doubled_costs_as_much_more_as_its_table_says(change, key, more) -> None:
    rise = constant(chip(change), key).value - constant(chip(), key).value
    assert more() == pytest.approx(rise, rel=1e-9, abs=0)


def test_a_link_is_as_long_as_a_tile() -> None:
    found = chip()
    area, lanes = found.area, found.core.synapse.lanes
    tile = area.memory.value + lanes * area.lane.value + area.queue.value + area.logic.value
    assert tile + area.router.value == pytest.approx(tile_area(found), rel=1e-12)
    assert math.sqrt(tile_area(found)) == link_length(found)
    # 32 bits at 22 nm, 0.25 and 0.5 mm: in between, straight in log-log
    ends = [row("link", width_bits=32, length_mm=at, delay_target_ns=1.0)["energy_pJ_per_flit"]
            for at in (0.25, 0.5)]  # fmt: skip
    share = math.log2(link_length(found) * 1e3 / 0.25)
    expected = ends[0] * (ends[1] / ends[0]) ** share
    assert expected == pytest.approx(found.energy.link_east_west.value, rel=1e-12)
    assert expected / 2 == pytest.approx(found.energy.ejection.value, rel=1e-12)


# change, the slowest part and its clock: 1 / access time of the table, or as the chip states it
CLOCKS = [
    ((), 1 / 1.89383e-9),
    (("maximum_frequency.logic=2 GHz", "core.memory.synapses=4 KiB"), 1 / 1.18633e-9),  # neurons
    (("core.memory.synapses=4 KiB", "core.memory.neurons=4 KiB", "core.memory.axons=4 KiB"), 8e8),
    (("technology.voltage=0.6 V", "period=8 ns"), (0.4 / 0.6) ** 2.2 * 0.8 / 0.6 / 1.89383e-9),
]


@pytest.mark.parametrize("changes, expected", CLOCKS)
def test_the_highest_clock_is_that_of_the_slowest_part(changes, expected: float) -> None:
    assert expected == pytest.approx(chip(*changes).maximum_frequency, rel=1e-5)


# changes, the shortest period of whole picoseconds
FASTEST = [
    ((), 1894e-12),
    (("maximum_frequency=300 MHz",), 3334e-12),
    (("technology.voltage=0.6 V",), 3466e-12),
    (("core.memory.synapses=512 KiB",), 2411e-12),
]


@pytest.mark.parametrize("changes, period", FASTEST)
def test_the_fastest_period_is_that_of_the_highest_clock(changes, period: float) -> None:
    found = Chip.load("generic-22nm", ("period=fastest", *changes))
    assert period == pytest.approx(found.period, rel=1e-12)
    assert 1 / found.maximum_frequency == pytest.approx(found.period, abs=1e-12)


def test_a_chip_without_a_clock_has_no_fastest_period() -> None:
    with pytest.raises(DescriptionError, match="period: must be a time, not 'fastest': the chip"):
        Chip.load("truenorth", ("period=fastest", "barrier.points=[[1, 1]]"))


def test_faults_come_before_the_fastest_period() -> None:
    with pytest.raises(DescriptionError) as error:
        Chip.load("generic-22nm", ("period=fastest", "core.synapse.lanes=0", "mesh.width=0"))
    assert 2 == len(error.value.faults)


# change, what is said of it
REFUSED = [
    ({"core.memory.synapses": "512 KiB"}, "period: must be at least"),
    ({"technology.node": "7 nm"},
     "technology.node: must be 22, 28, 32, 45, 65 nm for the sram table, not 7 nm"),
    ({"technology.node": "small"}, "technology.node: must begin with a node such as '22 nm'"),
    ({"energy.weight_read.cell": "fast"}, "must be 'lstp', 'lop' or 'hp', not 'fast'"),
    ({"energy.weight_read.component": "router"},
     "energy.weight_read.cell: must stand beside component: sram"),
    ({"energy.crossbar.component": "link"},
     "energy.crossbar.component: must be 'router', not 'link'"),
    ({"energy.weight_read": {"component": "sram"}},
     "energy.weight_read: must have a cell: lstp, lop or hp"),
    ({"energy.crossbar.times": 0}, "energy.crossbar.times: must be more than 0"),
    ({"energy.accumulate": {"component": "sram"}}, "energy.accumulate.component: unknown key"),
    ({"maximum_frequency.logic": "fast"}, "maximum_frequency.logic: must be a frequency"),
]  # fmt: skip


@pytest.mark.parametrize("changes, said", REFUSED, ids=[row[1] for row in REFUSED])
def test_a_component_that_cannot_be_priced_is_a_fault_with_its_place(changes, said) -> None:
    with pytest.raises(DescriptionError) as error:
        Chip.load("generic-22nm", changes)
    assert said in str(error.value)


def test_a_number_from_outside_the_file_takes_a_component_s_place() -> None:
    found = Chip.load("generic-22nm", {"energy.weight_read.value": "9 pJ"}).energy.weight_read
    assert (9e-12, None, "assumed") == (found.value, found.band, found.evidence)


def test_a_factor_is_assumed_and_its_band_reaches_the_table_s_own_number() -> None:
    found, plain = chip().power.router_leakage, chip("power.router_leakage.times=1.0")
    assert "assumed" == found.evidence
    assert plain.power.router_leakage.value == pytest.approx(found.band[1], rel=1e-12)


def test_every_component_of_a_shipped_chip_says_where_its_number_is_from() -> None:
    for table, entries in PRICED.items():
        for name in entries:
            for shipped in ("generic-22nm", "generic-45nm", "dense-dataflow", "seneca-like"):
                found = constant(Chip.load(shipped), f"{table}.{name}")
                assert found.source and found.value >= 0


def test_an_older_node_costs_more() -> None:
    new, old = Chip.load("generic-22nm"), Chip.load("generic-45nm")
    for key in ("energy.weight_read", "energy.crossbar", "area.memory", "area.lane"):
        assert constant(new, key).value < constant(old, key).value
