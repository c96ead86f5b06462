"""How energy, leakage and speed follow the supply voltage: the alpha-power law between two stated
voltages, and nothing outside of them.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from simulator import units
from simulator.describe.documents import Description
from simulator.describe.fields import Voltage
from simulator.errors import InputError


class VoltageRule(Description):
    """Speed goes with (V - threshold)^exponent / V (Sakurai and Newton 1990), dynamic energy with
    V², leakage with V^leakage.
    """

    lowest: Voltage
    highest: Voltage
    threshold: Voltage
    exponent: Annotated[float, Field(gt=0.0, le=4.0)]
    leakage: Annotated[float, Field(ge=0.0, le=10.0)]

    @field_validator("highest")
    @classmethod
    def _above(cls, highest: float, info: ValidationInfo) -> float:
        lowest = info.data.get("lowest")
        if lowest is not None and highest <= lowest:
            raise ValueError(
                f"must be above lowest ({units.show(lowest, 'V')}), not {units.show(highest, 'V')}"
            )
        return highest

    @field_validator("threshold")
    @classmethod
    def _below(cls, threshold: float, info: ValidationInfo) -> float:
        lowest = info.data.get("lowest")
        if lowest is not None and threshold >= lowest:
            raise ValueError(
                f"must be below lowest ({units.show(lowest, 'V')}), not "
                f"{units.show(threshold, 'V')}"
            )
        return threshold

    def check(self, voltage: float) -> None:
        """Raise InputError for a voltage the rule does not hold for."""
        if not self.lowest <= voltage <= self.highest:
            low, high = units.show(self.lowest, "V"), units.show(self.highest, "V")
            raise InputError(
                f"must be {low} to {high}, where technology.rule holds, not "
                f"{units.show(voltage, 'V')}"
            )

    def speed(self, voltage: float, at: float) -> float:
        """Return how much faster logic is at one voltage than at another."""
        return self._rate(voltage) / self._rate(at)

    def leak(self, voltage: float, at: float) -> float:
        """Return the leakage power at one voltage over that at another."""
        return float((voltage / at) ** self.leakage)

    def _rate(self, voltage: float) -> float:
        return float((voltage - self.threshold) ** self.exponent / voltage)
