"""Operating points beside the nominal one: stated voltages with the clock and the leakage that
belong to them.

Dynamic energy goes with the square of the voltage; leakage and the highest frequency are stated per
point.  Between two stated voltages both are read off a straight line; outside of them nothing is
known and nothing is returned.
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

#: the chip as its file says it, without `corners`
NOMINAL = "nominal"
#: energies per clocked cycle among the powers; the others but the shares are leakage
CLOCKS = ("core_clock_active", "core_clock_idle", "router_clock")
LEAKAGES = ("core_leakage", "memory_leakage", "router_leakage", "chip_static")


class Corner(Description):
    """One operating point; `leakage` is a factor on all leakage of the power table."""

    voltage: Voltage
    leakage: Annotated[float, Field(ge=0.0)]
    maximum_frequency: Frequency
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
    dynamic = float(where.voltage / _decimal(chip.technology.voltage)) ** 2
    energy = {
        name: _scaled(getattr(chip.energy, name), dynamic, where)
        for name in EnergyTable.model_fields
    }
    power = {name: _scaled(getattr(chip.power, name), dynamic, where) for name in CLOCKS}
    power |= {name: _scaled(getattr(chip.power, name), leakage, where) for name in LEAKAGES}
    assert {*power, "off_share", "retention_share", "router_gated_share"} == set(
        PowerTable.model_fields
    )
    return chip.model_copy(
        update={
            "period": float(where.period),
            "technology": chip.technology.model_copy(update={"voltage": float(where.voltage)}),
            "energy": chip.energy.model_copy(update=energy),
            "power": chip.power.model_copy(update=power),
        }
    )


def _scaled(constant: Constant, factor: float, where: OperatingPoint) -> Constant:
    """Return the constant and its band, times a factor; a price by bits is scaled alike."""
    update: dict[str, Any] = {
        "value": constant.value * factor,
        "source": f"{constant.source}; times {factor:.6g} at {where.name}",
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
    stated = [(_decimal(chip.technology.voltage), Fraction(1), _decimal(reached))]
    for corner in chip.corners.values():
        stated.append(
            (_decimal(corner.voltage), _decimal(corner.leakage), _decimal(corner.maximum_frequency))
        )
    if where.name in chip.corners:
        return chip.corners[where.name].leakage
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
    if frequency > most:
        raise InputError(
            f"corner {where.name}: chip {chip.name} reaches {_show(most, 'Hz')} at "
            f"{_show(voltage, 'V')}, "
            f"not {_show(frequency, 'Hz')}"
        )
    return float(leakage)


def _decimal(number: float) -> Fraction:
    """Return the number that was written, not its nearest binary one: 0.8 V is 4/5 V."""
    return Fraction(str(number))


def _show(number: Fraction, unit: str) -> str:
    return units.show(float(number), unit)
