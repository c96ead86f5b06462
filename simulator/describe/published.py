"""What a chip's designers published and its file must reproduce, by a run (study/claims.py), within
a stated tolerance.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from simulator import units
from simulator.analytic.kinds import Kind
from simulator.describe.documents import Description

Parameter = int | float | str | bool | list[int] | list[str]
#: what a claim can be about, and its unit
UNIT = {"energy": "J", "time": "s", "power": "W", "frequency": "Hz"}


def _read(value: object) -> tuple[float, str]:
    for dimension in UNIT:
        try:
            return units.quantity(value, dimension), dimension
        except units.UnitError:
            continue
    raise ValueError(
        f"must be an energy, a time, a power or a frequency with its unit, such as '71 mW', not "
        f"{value!r}"
    )


class Claim(Description):
    """A published number: `case` names the run that predicts it, `parameters` are that run's.

    `kind` says what agreement is worth: a prediction, an identity, which cannot miss and so has
    tolerance 0, or a fit.
    """

    claim: str = Field(min_length=1)
    value: str
    kind: Kind
    source: str = Field(min_length=1)
    case: str = Field(min_length=1)
    parameters: dict[str, Parameter] = {}
    #: how far the prediction may lie beside the value, as shares of it: 0.01 is ±1 %, [0.08, 0.21]
    #: is 8 to 21 % above
    tolerance: float | list[float]
    note: str | None = None

    @field_validator("value")
    @classmethod
    def _quantity(cls, value: str) -> str:
        _read(value)
        return value

    @field_validator("tolerance")
    @classmethod
    def _ordered(cls, tolerance: Any, info: ValidationInfo) -> Any:
        if isinstance(tolerance, list):
            if len(tolerance) != 2 or tolerance[0] > tolerance[1]:
                raise ValueError(f"must be a share, or [least, most], not {tolerance}")
        elif tolerance < 0:
            raise ValueError(f"must be 0 or more, not {tolerance}")
        if tolerance != 0 and info.data.get("kind") == "identity":
            raise ValueError(f"must be 0, for an identity cannot miss, not {tolerance}")
        return tolerance

    @property
    def number(self) -> float:
        """The published value in SI base units."""
        return _read(self.value)[0]

    @property
    def unit(self) -> str:
        """The SI base unit of the value."""
        return UNIT[_read(self.value)[1]]

    @property
    def allowed(self) -> tuple[float, float]:
        """The least and the most relative deviation of a prediction."""
        if isinstance(self.tolerance, list):
            return self.tolerance[0], self.tolerance[1]
        return -self.tolerance, self.tolerance
