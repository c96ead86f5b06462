"""Field types of descriptions: written quantities with units in, SI floats and whole counts out."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import core_schema

from simulator import units
from simulator.describe.messages import alternatives, near_miss, shown_value

#: more than a day of any clock in use, and far from the end of int64
MAXIMUM_CYCLES = 2**48
#: a quadrillion bits: more than any memory, and far from the end of int64
MAXIMUM_BITS = 2**50
#: of tiles, neurons, timesteps or entries in one direction
MAXIMUM_COUNT = 2**31 - 1


def _quantity(dimension: str, positive: bool = False) -> Any:
    example = units.EXAMPLE[dimension]

    def read(value: object) -> float:
        number = units.exact(value, dimension)
        if number < 0 or (positive and number == 0):
            bound = "more than 0" if positive else "0 or more"
            raise ValueError(f"must be {bound}, such as '{example}', not {shown_value(value)}")
        return float(number)

    return BeforeValidator(read)


def _clock(value: object) -> float | None:
    if value == "asynchronous":
        return None
    try:
        number = units.exact(value, "frequency")
    except units.UnitError:
        number = Fraction(0)
    if number <= 0:
        raise ValueError(
            f"must be a frequency above 0 such as '{units.EXAMPLE['frequency']}', or "
            f"'asynchronous', not {shown_value(value)}"
        )
    return float(number)


def _count(noun: str, least: int, most: int) -> Any:
    singular, plural = noun.rstrip("s"), noun

    def read(value: object) -> int:
        number = units.count(value, noun)
        if number < least:
            raise ValueError(
                f"must be at least {least} {singular if least == 1 else plural}, not "
                f"{shown_value(value)}"
            )
        if number > most:
            raise ValueError(f"must be at most {most} {plural}, not {shown_value(value)}")
        return number

    return BeforeValidator(read)


def _duration(least: int, beside: str = "") -> Callable[[object, ValidationInfo], int]:
    def read(value: object, info: ValidationInfo) -> int:
        period: Fraction | None = (info.context or {}).get("period")
        try:
            number = units.count(value, "cycles")
        except units.UnitError:
            try:
                seconds = units.exact(value, "time")
            except units.UnitError:
                example = "'3 cycles' or '4.1 ns'" + (f", or '{beside}'" if beside else "")
                raise ValueError(
                    f"must be a duration such as {example}, not {shown_value(value)}"
                ) from None
            if period is None:
                return least
            if seconds < 0:
                raise ValueError(f"must be 0 or more, not {shown_value(value)}") from None
            number = units.cycles(seconds, period, str(value))
        if number < least:
            raise ValueError(
                f"must be at least {least} cycle{'' if least == 1 else 's'}, not "
                f"{shown_value(value)}"
            )
        if number > MAXIMUM_CYCLES:
            raise ValueError(f"must be at most {MAXIMUM_CYCLES} cycles, not {shown_value(value)}")
        return number

    return read


def duration_or(word: str, meaning: int, least: int = 0) -> Callable[[object, ValidationInfo], int]:
    """Return the reader of a duration of at least so many cycles, or of a word that stands for
    `meaning`.
    """
    duration = _duration(least, word)

    def read(value: object, info: ValidationInfo) -> int:
        return meaning if value == word else duration(value, info)

    return read


@dataclass(frozen=True)
class OneOf:
    """Of a text: it must be in `known` when a file is read, so that a registry is its own
    schema.
    """

    known: Collection[str]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: Any, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "enum": list(self.known)}

    def _read(self, value: object) -> str:
        if isinstance(value, str) and value in self.known:
            return value
        raise ValueError(
            f"must be {alternatives(self.known)}, not "
            f"{shown_value(value)}{near_miss(value, self.known)}"
        )


def _text(example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": ["string", "integer"], "examples": [example]})


def _written(dimension: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "examples": [units.EXAMPLE[dimension]]})


Energy = Annotated[float, _quantity("energy"), _written("energy")]
Power = Annotated[float, _quantity("power"), _written("power")]
PowerPerBit = Annotated[float, _quantity("power per bit"), _written("power per bit")]
Voltage = Annotated[float, _quantity("voltage", positive=True), _written("voltage")]
Frequency = Annotated[float, _quantity("frequency", positive=True), _written("frequency")]
#: a frequency, or None for a chip without a clock
FrequencyOrAsynchronous = Annotated[float | None, BeforeValidator(_clock), _text("asynchronous")]
Area = Annotated[float, _quantity("area"), _written("area")]
Length = Annotated[float, _quantity("length"), _written("length")]
Seconds = Annotated[float, _quantity("time", positive=True), _written("time")]
Bits = Annotated[int, _count("bits", 0, MAXIMUM_BITS), _text("64 KiB")]
SomeBits = Annotated[int, _count("bits", 1, MAXIMUM_BITS), _text("32 bit")]
Flits = Annotated[int, _count("flits", 1, MAXIMUM_COUNT), _text("8 flits")]
Buffer = Annotated[int, _count("flits", 1, 64), _text("8 flits")]
#: cycles, written '3 cycles' or as a time that is a whole number of cycles of the chip
Duration = Annotated[int, BeforeValidator(_duration(0)), _text("3 cycles")]
PositiveDuration = Annotated[int, BeforeValidator(_duration(1)), _text("2 ns")]
#: like Duration, or 'never' (-1)
DurationOrNever = Annotated[int, BeforeValidator(duration_or("never", -1)), _text("never")]
Positive = Annotated[int, Field(ge=1, le=MAXIMUM_COUNT)]
Natural = Annotated[int, Field(ge=0, le=MAXIMUM_COUNT)]
