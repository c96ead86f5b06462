"""Field types of descriptions: written quantities with units in, SI floats and whole counts out."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema

from simulator import units


def _quantity(dimension: str, positive: bool = False) -> Any:
    example = units.EXAMPLE[dimension]

    def read(value: object) -> float:
        number = units.exact(value, dimension)
        if number < 0 or (positive and number == 0):
            bound = "more than 0" if positive else "0 or more"
            raise ValueError(f"must be {bound}, such as '{example}', not {value!r}")
        return float(number)

    return BeforeValidator(read)


def _count(noun: str, least: int, most: int | None = None) -> Any:
    one = units.COUNT_EXAMPLE[noun].split()[1] if noun != "bits" else "bit"
    singular, plural = one.rstrip("s"), noun

    def read(value: object) -> int:
        number = units.count(value, noun)
        if number < least:
            raise ValueError(f"must be at least {least} {singular if least == 1 else plural}, not {value!r}")
        if most is not None and number > most:
            raise ValueError(f"must be at most {most} {plural}, not {value!r}")
        return number

    return BeforeValidator(read)


def _duration(least: int) -> Callable[[object, ValidationInfo], int]:
    def read(value: object, info: ValidationInfo) -> int:
        period: Fraction | None = (info.context or {}).get("period")
        if isinstance(value, str) and value.strip().endswith("s") and not value.strip().endswith("cycles"):
            seconds = units.exact(value, "time")
            if period is None:
                return least
            number = units.cycles(seconds, period, value)
        else:
            try:
                number = units.count(value, "cycles")
            except units.UnitError as error:
                raise ValueError(f"must be a duration such as '3 cycles' or '4.1 ns', not {value!r}") from error
        if number < least:
            raise ValueError(f"must be at least {least} cycle{'' if least == 1 else 's'}, not {value!r}")
        return number

    return read


def _never(least: int) -> Callable[[object, ValidationInfo], int]:
    duration = _duration(least)

    def read(value: object, info: ValidationInfo) -> int:
        return -1 if value == "never" else duration(value, info)

    return read


def _text(example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": ["string", "integer"], "examples": [example]})


def _written(dimension: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "examples": [units.EXAMPLE[dimension]]})


Energy = Annotated[float, _quantity("energy"), _written("energy")]
Power = Annotated[float, _quantity("power"), _written("power")]
PowerPerBit = Annotated[float, _quantity("power per bit"), _written("power per bit")]
Voltage = Annotated[float, _quantity("voltage", positive=True), _written("voltage")]
Length = Annotated[float, _quantity("length"), _written("length")]
Seconds = Annotated[float, _quantity("time", positive=True), _written("time")]
Bits = Annotated[int, _count("bits", 0), _text("64 KiB")]
SomeBits = Annotated[int, _count("bits", 1), _text("32 bit")]
Flits = Annotated[int, _count("flits", 1), _text("8 flits")]
Buffer = Annotated[int, _count("flits", 1, 64), _text("8 flits")]
#: cycles, written '3 cycles' or as a time that is a whole number of cycles of the chip
Duration = Annotated[int, BeforeValidator(_duration(0)), _text("3 cycles")]
PositiveDuration = Annotated[int, BeforeValidator(_duration(1)), _text("2 ns")]
#: like Duration, or 'never' (-1)
DurationOrNever = Annotated[int, BeforeValidator(_never(0)), _text("never")]
Positive = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]
