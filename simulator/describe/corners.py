"""Operating points beside the nominal one: stated voltages with the clock and the leakage that
belong to them.

Dynamic energy goes with the square of the voltage.  Leakage and the highest frequency follow the
chip's rule (components/rule.py), or are stated per point and read off a straight line between two
stated voltages; outside of them nothing is known and nothing is returned.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from simulator import units
from simulator.describe.documents import Description
from simulator.describe.energy import Constant, EnergyTable, PowerTable
from simulator.describe.fields import Frequency, Voltage
from simulator.errors import InputError, UnitError

if TYPE_CHECKING:
    from simulator.describe.chip import Chip

#: a period is written in decimal digits: that of 75 MHz, 13.333333 ns, is a little too short
PERIOD_DIGITS = 1e-6
#: the chip as its file says it, without `corners`
NOMINAL = "nominal"
#: energies per clocked cycle among the powers; the others but the shares are leakage
CLOCKS = ("core_clock_active", "core_clock_idle", "router_clock")
LEAKAGES = ("core_leakage", "memory_leakage", "router_leakage", "chip_static")


class Corner(Description):
    """One operating point; `leakage` is a factor on all leakage of the power table.  Where the chip
    has a rule, leakage and maximum_frequency may be left to it.
    """

    voltage: Voltage
    leakage: Annotated[float, Field(ge=0.0)] | None = None
    maximum_frequency: Frequency | None = None
    frequency: Frequency  # of the clock at this point

    @field_validator("frequency")
    @classmethod
    def _reached(cls, frequency: float, info: ValidationInfo) -> float:
        most = info.data.get("maximum_frequency")
        if most is not None and frequency > most:
            raise ValueError(
                f"must be at most maximum_frequency ({units.show(most, 'Hz')}), not "
                f"{units.show(frequency, 'Hz')}"
            )
        return frequency


@dataclass(frozen=True)
class OperatingPoint:
    """An operating point that was asked for, by name or as '0.7 V @ 250 MHz'."""

    name: str
    voltage: Fraction
    frequency: Fraction
    period: Fraction


def point(tree: dict[str, Any], asked: str) -> OperatingPoint:
    """Return the point asked for in a chip's written tree; raises InputError when the file does not
    know it.
    """
    written = tree.get("corners")
    known = written if isinstance(written, dict) else {}
    voltage, at, frequency = asked.partition("@")
    if at:
        try:
            clock = units.exact(frequency.strip(), "frequency")
            return OperatingPoint(
                asked, units.exact(voltage.strip(), "voltage"), clock, _period(clock)
            )
        except UnitError as error:
            raise InputError(f"corner {asked}: {error}") from error
    if asked not in known:
        names = ", ".join([NOMINAL, *known])
        raise InputError(
            f"corner: must be one of {names}, or a point such as '0.7 V @ 250 MHz', not "
            f"{units.shown_value(asked)}"
        )
    try:
        clock = units.exact(known[asked]["frequency"], "frequency")
        return OperatingPoint(
            asked, units.exact(known[asked]["voltage"], "voltage"), clock, _period(clock)
        )
    except (UnitError, KeyError, TypeError):
        # the file is wrong there, and its faults say how when it is validated
        return OperatingPoint(asked, Fraction(1), Fraction(1), Fraction(0))


def _period(frequency: Fraction) -> Fraction:
    return 1 / frequency if frequency > 0 else Fraction(0)


def at(chip: Chip, where: OperatingPoint) -> Chip:
    """Return the chip at an operating point: energies by V², leakage as stated, and the point's
    clock.

    The chip's durations must have been read with the point's period already.
    """
    leakage = _leakage(chip, where)
    voltage = float(where.voltage)
    moved = _moved(chip, voltage, leakage, where.name)
    return moved.model_copy(update={"period": float(where.period)})


def follow(chip: Chip, base: float) -> Chip:
    """Return the chip, whose constants hold at `base` volts, with constants for its own voltage; as
    it is where it has no rule.  Raises InputError where the rule does not hold.
    """
    rule, voltage = chip.technology.rule, chip.technology.voltage
    if rule is None:
        return chip
    rule.check(base)
    rule.check(voltage)
    if voltage == base:
        return chip
    technology = chip.technology.model_copy(update={"voltage": base})
    nominal = chip.model_copy(update={"technology": technology})
    return _moved(nominal, voltage, rule.leak(voltage, base), f"{voltage:g} V")


def _moved(chip: Chip, voltage: float, leakage: float, name: str) -> Chip:
    """Return the chip at another voltage: energies by V², leakage by its factor, and by the rule,
    where there is one, the highest frequency.
    """
    at = chip.technology.voltage
    dynamic = float(_decimal(voltage) / _decimal(at)) ** 2
    energy = {
        entry: _scaled(getattr(chip.energy, entry), dynamic, name)
        for entry in EnergyTable.model_fields
    }
    power = {entry: _scaled(getattr(chip.power, entry), dynamic, name) for entry in CLOCKS}
    power |= {entry: _scaled(getattr(chip.power, entry), leakage, name) for entry in LEAKAGES}
    assert {*power, "off_share", "retention_share", "router_gated_share"} == set(
        PowerTable.model_fields
    )
    update: dict[str, Any] = {
        "technology": chip.technology.model_copy(update={"voltage": voltage}),
        "energy": chip.energy.model_copy(update=energy),
        "power": chip.power.model_copy(update=power),
    }
    rule, most = chip.technology.rule, chip.maximum_frequency
    if rule is not None and most is not None:
        update["maximum_frequency"] = most * rule.speed(voltage, at)
    return chip.model_copy(update=update)


def _scaled(constant: Constant, factor: float, where: str) -> Constant:
    """Return the constant and its band, times a factor; a price by bits is scaled alike."""
    update: dict[str, Any] = {
        "value": constant.value * factor,
        "source": f"{constant.source}; times {factor:.6g} at {where}",
    }
    if constant.band is not None:
        update["band"] = [end * factor for end in constant.band]
    by_bits = getattr(constant, "by_bits", None)
    if by_bits is not None:
        update["by_bits"] = {bits: _scaled(inner, factor, where) for bits, inner in by_bits.items()}
    return constant.model_copy(update=update)


def _leakage(chip: Chip, where: OperatingPoint) -> float:
    """Return the leakage factor at a point; raises InputError for a voltage or a frequency nobody
    stated.
    """
    reached = chip.maximum_frequency or 1 / chip.nominal_period
    at, rule = chip.technology.voltage, chip.technology.rule
    own = chip.corners[where.name].leakage if where.name in chip.corners else None
    if own is not None:
        return own
    if rule is not None:
        try:
            rule.check(float(where.voltage))
        except InputError as error:
            raise InputError(f"corner {where.name}: voltage: {error}") from error
        most = Fraction(reached * rule.speed(float(where.voltage), at))
        if chip.maximum_frequency is not None:
            _reached(chip, where, where.frequency, most, where.voltage)
        return rule.leak(float(where.voltage), at)
    stated = [(_decimal(at), Fraction(1), _decimal(reached))]
    for corner in chip.corners.values():
        assert corner.leakage is not None and corner.maximum_frequency is not None
        stated.append(
            (_decimal(corner.voltage), _decimal(corner.leakage), _decimal(corner.maximum_frequency))
        )
    voltage, frequency = where.voltage, where.frequency
    stated.sort()
    low, high = stated[0][0], stated[-1][0]
    if not low <= voltage <= high:
        raise InputError(
            f"corner {where.name}: chip {chip.name} states voltages from {_show(low, 'V')} to "
            f"{_show(high, 'V')}, "
            f"not {_show(voltage, 'V')}: leakage is not extrapolated"
        )
    below = max(entry for entry in stated if entry[0] <= voltage)
    above = min(entry for entry in stated if entry[0] >= voltage)
    share = (voltage - below[0]) / (above[0] - below[0]) if above[0] > below[0] else Fraction(0)
    leakage, most = (a + (b - a) * share for a, b in zip(below[1:], above[1:]))
    _reached(chip, where, frequency, most, voltage)
    return float(leakage)


def _reached(
    chip: Chip, where: OperatingPoint, frequency: Fraction, most: Fraction, voltage: Fraction
) -> None:
    """Raise InputError for a clock above what a voltage allows."""
    if frequency > most * Fraction(1 + PERIOD_DIGITS):
        raise InputError(
            f"corner {where.name}: chip {chip.name} reaches {_show(most, 'Hz')} at "
            f"{_show(voltage, 'V')}, "
            f"not {_show(frequency, 'Hz')}"
        )


def _decimal(number: float) -> Fraction:
    """Return the number that was written, not its nearest binary one: 0.8 V is 4/5 V."""
    return Fraction(str(number))


def _show(number: Fraction, unit: str) -> str:
    return units.show(float(number), unit)
