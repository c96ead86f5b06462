"""Operating points: what V² and the stated leakage make of a chip, and what is refused because
nobody stated it.
"""

import re
from pathlib import Path

import pytest

from simulator import Chip, run
from simulator.describe.corners import CLOCKS, LEAKAGES
from simulator.describe.energy import EnergyTable
from simulator.errors import DescriptionError, InputError

CORNERS = """
corners:
  low: {voltage: 0.6 V, leakage: 0.5, maximum_frequency: 250 MHz, frequency: 250 MHz}
  slow: {voltage: 0.8 V, leakage: 1.0, maximum_frequency: 500 MHz, frequency: 100 MHz}
  high: {voltage: 1.0 V, leakage: 3.0, maximum_frequency: 800 MHz, frequency: 500 MHz}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    text = (Path(__file__).parent.parent.parent / "chips" / "generic-22nm.yaml").read_text()
    text = re.sub(r"\n  rule: .*", "", text)  # only what is stated
    text = re.sub(r'\n  technology.rule: "[^"]*"', "", text)
    text = re.sub(r"\ncorners:\n  low: .*\n", lambda _: CORNERS, text)
    text = re.sub(r'(?<=\n  corners: ").*"', 'assumed: three points for the tests"', text)
    path = tmp_path / "generic-22nm.yaml"
    path.write_text(text.replace("  tree: 2 cycles", "  points: [[1, 120 ns], [64, 840 ns]]"))
    return path


# corner, period, factor on dynamic energy, factor on leakage, barrier of 120 ns in cycles
POINTS = [
    ("nominal", 2e-9, 1.0, 1.0, 60),
    ("low", 4e-9, 0.5625, 0.5, 30),
    ("slow", 10e-9, 1.0, 1.0, 12),
    ("high", 2e-9, 1.5625, 3.0, 60),
    ("0.7 V @ 250 MHz", 4e-9, 0.765625, 0.75, 30),
    ("0.9 V @ 500 MHz", 2e-9, 1.265625, 2.0, 60),
    ("0.8 V @ 250 MHz", 4e-9, 1.0, 1.0, 30),
]  # fmt: skip


@pytest.mark.parametrize("corner, period, dynamic, leakage, barrier", POINTS)
def test_energy_goes_with_voltage_squared_and_leakage_as_stated(
    file, corner, period, dynamic, leakage, barrier
) -> None:
    nominal, chip = Chip.load(file), Chip.load(file, (), corner)
    assert period == chip.period and corner == chip.corner
    assert barrier == chip.barrier.points[0][1]
    for name in EnergyTable.model_fields:
        assert getattr(chip.energy, name).value == pytest.approx(
            getattr(nominal.energy, name).value * dynamic, rel=1e-12
        )
    for names, factor in ((CLOCKS, dynamic), (LEAKAGES, leakage)):
        for name in names:
            scaled, stated = getattr(chip.power, name), getattr(nominal.power, name)
            assert scaled.value == pytest.approx(stated.value * factor, rel=1e-12, abs=0)
            if stated.band is not None:
                assert scaled.band == pytest.approx(
                    [end * factor for end in stated.band], rel=1e-12, abs=0
                )
    assert nominal.power.off_share == chip.power.off_share


def test_a_run_at_a_corner_counts_the_same_and_costs_by_the_corner(file: Path) -> None:
    chips = [
        Chip.load(file, ("barrier.points=[[1, 60]]",), corner) for corner in ("nominal", "low")
    ]
    nominal, low = (run("digits-mlp", chip, "snn", limit=1) for chip in chips)
    assert (nominal.record.counters == low.record.counters).all()
    assert nominal.record.cycles == low.record.cycles and low.seconds == pytest.approx(
        2 * nominal.seconds, rel=1e-12, abs=0
    )
    for name, joules in nominal.ledger.by_component.items():
        # half of the leakage for twice the time
        factor = 1.0 if name in ("leakage", "unused cores") else 0.5625
        assert low.ledger.by_component[name] == pytest.approx(joules * factor, rel=1e-9, abs=0)


# corner, what is said
REFUSED = [
    (
        "warm",
        "must be one of nominal, low, slow, high, or a point such as '0.7 V @ 250 MHz', not 'warm'",
    ),
    (
        "0.5 V @ 100 MHz",
        "states voltages from 600 mV to 1 V, not 500 mV: leakage is not extrapolated",
    ),
    ("1.1 V @ 100 MHz", "not 1.1 V: leakage is not extrapolated"),
    ("0.7 V @ 400 MHz", "reaches 375 MHz at 700 mV, not 400 MHz"),
    ("0.7 V @ 250", "must be a frequency with its unit"),
    ("0.7 @ 250 MHz", "must be a voltage with its unit"),
]


@pytest.mark.parametrize("corner, why", REFUSED)
def test_what_nobody_stated_is_refused(file: Path, corner: str, why: str) -> None:
    with pytest.raises(InputError) as error:
        Chip.load(file, (), corner)
    assert why in str(error.value)


def test_a_time_that_is_no_whole_number_of_the_corners_cycles_is_refused_by_the_corners_name(
    file: Path,
) -> None:
    with pytest.raises(
        DescriptionError,
        match=r"^corner 0.8 V @ 300 MHz: barrier.points.*whole number of cycles of 3.333 ns",
    ):
        Chip.load(_with(file, "120 ns", "121 ns"), (), "0.8 V @ 300 MHz")


def _with(file: Path, old: str, new: str) -> Path:
    file.write_text(file.read_text().replace(old, new))
    return file


# text of the file, what it is replaced by, what is said
FAULTS = [
    (
        "frequency: 250 MHz}",
        "frequency: 300 MHz}",
        "corners.low.frequency: must be at most maximum_frequency (250 MHz)",
    ),
    ("leakage: 0.5,", "leakage: -0.5,", "corners.low.leakage"),
    ("voltage: 0.6 V", "voltage: 0.6", "corners.low.voltage: must be a voltage with its unit"),
    (
        '  corners: "assumed: three points for the tests"\n',
        "",
        "corners.low.voltage: must have its source under 'sources'",
    ),
]


@pytest.mark.parametrize("old, new, why", FAULTS)
def test_a_corner_is_checked_like_everything_else(file: Path, old: str, new: str, why: str) -> None:
    with pytest.raises(DescriptionError) as error:
        Chip.load(_with(file, old, new))
    assert why in str(error.value)


RULE = "{lowest: 0.5 V, highest: 1 V, threshold: 0.2 V, exponent: 2.0, leakage: 3.0}"


def ruled(*changes: str, corner: str = "nominal") -> Chip:
    """Return the default chip under a rule that can be worked out by hand."""
    slowly = ("period=8 ns", "barrier.tree=null", "barrier.points=[[1, 60]]")
    return Chip.load("generic-22nm", (f"technology.rule={RULE}", *slowly, *changes), corner)


# volts, V²/0.64, (V/0.8)³, speed: ((V - 0.2)/0.6)² · 0.8/V
RULED = [
    (0.8, 1.0, 1.0, 1.0),
    (0.6, 0.5625, 0.421875, 16 / 27),
    (0.5, 0.390625, 0.244140625, 0.4),
    (1.0, 1.5625, 1.953125, 64 / 45),
]


@pytest.mark.parametrize("volts, dynamic, leakage, speed", RULED)
@pytest.mark.parametrize("way", ["set", "corner"])
def test_a_rule_moves_energy_leakage_and_the_highest_clock_together(
    volts: float, dynamic: float, leakage: float, speed: float, way: str
) -> None:
    nominal = ruled()
    change, corner = (f"technology.voltage={volts} V",), f"{volts} V @ 125 MHz"
    chip = ruled(*change) if way == "set" else ruled(corner=corner)
    assert nominal.maximum_frequency is not None and not chip.outside_statement
    assert nominal.maximum_frequency * speed == pytest.approx(chip.maximum_frequency, rel=1e-12)
    for name in EnergyTable.model_fields:
        stated = getattr(nominal.energy, name).value
        assert stated * dynamic == pytest.approx(getattr(chip.energy, name).value, rel=1e-12, abs=0)
    for names, factor in ((CLOCKS, dynamic), (LEAKAGES, leakage)):
        for name in names:
            scaled, stated = getattr(chip.power, name), getattr(nominal.power, name)
            assert stated.value * factor == pytest.approx(scaled.value, rel=1e-12, abs=0)
    assert nominal.area == chip.area


# change, what is said
UNREACHED = [
    (
        ("technology.voltage=0.6 V", "period=2 ns"),
        "period: must be at least 3.196 ns (maximum_frequency is 312.9 MHz), not 2 ns",
    ),
    (
        ("technology.voltage=0.4 V",),
        "technology.voltage: must be 500 mV to 1 V, where technology.rule holds, not 400 mV",
    ),
    (
        ("technology.rule.threshold=0.6 V",),
        "technology.rule.threshold: must be below lowest (500 mV), not 600 mV",
    ),
]


@pytest.mark.parametrize("changes, why", UNREACHED)
def test_what_a_rule_does_not_allow_is_refused(changes: tuple[str, ...], why: str) -> None:
    with pytest.raises(DescriptionError) as error:
        ruled(*changes)
    assert why in str(error.value)


def test_a_clock_that_a_corner_s_voltage_does_not_reach_is_refused() -> None:
    with pytest.raises(InputError, match=r"reaches 312\.9 MHz at 600 mV, not 400 MHz"):
        ruled(corner="0.6 V @ 400 MHz")


@pytest.mark.parametrize("corner", ["0.8 V @ 500 MHz", "0.7 V @ 250 MHz", "low"])
def test_the_default_chip_takes_its_own_point_and_the_one_that_help_shows(corner: str) -> None:
    nominal, chip = Chip.load("generic-22nm"), Chip.load("generic-22nm", (), corner)
    assert nominal.barrier == chip.barrier and not chip.outside_statement
    if corner == "0.8 V @ 500 MHz":
        assert (
            nominal.energy.crossbar.value == chip.energy.crossbar.value
            and nominal.period == chip.period
        )


def test_a_fault_of_the_file_is_not_blamed_on_the_corner(file: Path) -> None:
    with pytest.raises(
        DescriptionError,
        match=r"generic-22nm.yaml:\d+: core.synapse.lanes: must be at least 1, not 0",
    ):
        Chip.load(_with(file, "lanes: 8", "lanes: 0"), (), "low")
