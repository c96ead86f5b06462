"""Silicon by part, a chip's floor, and what a run comes to by area: worked out by hand."""

import pytest

from simulator import Chip, run
from simulator.account.area import chip_area, core_area, floor, marginal, n_links, total_area
from simulator.report import terminal
from simulator.report.library import chip_view

CONSTANT = {"scope": "marginal", "evidence": "assumed", "source": "for the test"}
#: every area a number, in mm2
PARTS = {"memory": 0.1, "lane": 0.01, "queue": 0.02, "logic": 0.03, "router": 0.05, "link": 0.001}
AREA = {f"area.{part}": {"value": f"{mm2} mm2", **CONSTANT} for part, mm2 in PARTS.items()}


@pytest.fixture
def chip() -> Chip:
    beyond = {"area.chip": {"value": "2 mm2", **CONSTANT}}
    return Chip.load("generic-22nm", {"mesh.width": 3, "mesh.height": 2, **AREA, **beyond})


def test_area_by_part_worked_out_by_hand(chip: Chip) -> None:
    assert 2 * (2 * 2 + 3 * 1) == n_links(chip)
    core = {"memory": 0.1, "lanes": 8 * 0.01, "queues": 0.02, "logic": 0.03}
    assert core == pytest.approx({part: m2 * 1e6 for part, m2 in core_area(chip).items()})
    whole = {part: 6 * mm2 for part, mm2 in core.items()}
    whole |= {"routers": 6 * 0.05, "links": 14 * 0.001, "chip": 2}
    assert whole == pytest.approx({part: m2 * 1e6 for part, m2 in chip_area(chip).items()})
    assert sum(whole.values()) == pytest.approx(total_area(chip) * 1e6)


# change, operations of a core per cycle
PEAKS = [
    ({}, 8),
    ({"core.synapse.lanes": 16}, 8),  # one bank of 64 bits feeds eight weights of 8
    ({"core.synapse.lanes": 16, "core.synapse.banks": 2}, 16),
    ({"core.synapse.accumulate": 2}, 4),
]


@pytest.mark.parametrize("changes, per_cycle", PEAKS)
def test_the_peak_is_what_lanes_and_banks_allow(changes: dict, per_cycle: int) -> None:
    chip = Chip.load("generic-22nm", {"period": "4 ns", **changes})
    assert 64 * per_cycle / 4e-9 == pytest.approx(floor(chip).operations)


def test_the_floor_is_leakage_clock_and_an_operation(chip: Chip) -> None:
    found, power, energy = floor(chip), chip.power, chip.energy
    bits = 96 * 8192
    core = power.core_leakage.value + bits * power.memory_leakage.value
    leakage = 6 * (core + power.router_leakage.value)
    clocks = 6 * (power.core_clock_active.value + power.router_clock.value) / chip.period
    assert leakage == pytest.approx(found.leakage, rel=1e-12)
    assert leakage + clocks == pytest.approx(found.idle, rel=1e-12)
    # a weight of 8 bits is an eighth of a word, three accumulators share one
    one = energy.accumulate.value + energy.weight_read.value / 8 + energy.accumulator.value / 3
    assert one == pytest.approx(marginal(chip), rel=1e-12)
    assert one + (leakage + clocks) / found.operations == pytest.approx(found.all_in, rel=1e-12)
    assert 6 * bits == found.memory


def test_odin_s_floor_is_what_was_published_of_it() -> None:
    """12.7 pJ per operation all-in at 75 MHz, 37.5 million of them a second (Frenkel 2019)."""
    found = floor(Chip.load("odin"))
    assert 37.5e6 == pytest.approx(found.operations, rel=1e-6)
    assert 12.7e-12 == pytest.approx(found.all_in, rel=5e-3)


def test_a_run_says_what_it_came_to_by_watt_and_area() -> None:
    result = run("digits-mlp", mode="snn", limit=4)
    said, area = result.summary(), total_area(result.chip) * 1e6
    assert area == pytest.approx(said["area_mm2"]["total"])
    assert area == pytest.approx(sum(said["area_mm2"]["by_part"].values()))
    operations, seconds = said["counters"]["synaptic_operations"], said["seconds"]
    assert operations / seconds / area == pytest.approx(said["operations_per_second_per_mm2"])
    assert 4 / seconds / area == pytest.approx(said["inferences_per_second_per_mm2"])
    rate, watts = 4 / seconds, said["average_power_w"]
    assert rate / watts == pytest.approx(said["inferences_per_second_per_w"])
    product = said["energy_delay_product_js"] * area
    assert product == pytest.approx(said["energy_delay_area_product_js_mm2"])


def test_a_chip_without_areas_says_nothing_of_them() -> None:
    said = run("digits-mlp", "yan-2024", mode="snn", limit=1).summary()
    assert said["area_mm2"] is None and said["inferences_per_second_per_mm2"] is None
    assert "mm²" not in terminal.text(chip_view(Chip.load("yan-2024")), 100)


def test_the_view_of_a_chip_holds_its_floor() -> None:
    text = terminal.text(chip_view(Chip.load("odin")), 100)
    assert "leakage            27.3 µW" in text and "1 core," in text
    assert "each at the peak   12.72 pJ" in text
