"""Option types for everything that is a number: each has a range, and none is ever NaN or infinite.

A type refuses with InputError in the words of every other refusal, `--option: must be X, not Y`;
what it returns can be computed with as it is.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import rich_click as click

from simulator.errors import InputError
from simulator.units import shown_value

_WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
_REAL = re.compile(r"[+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,3})?")
_SHARE = re.compile(
    r"[0-9]{1,20}/[0-9]{1,20}|(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:[eE][+-]?[0-9]{1,2})?"
)
#: numbers one option may hold, separated by commas
MOST_LISTED = 1000
#: of any quantity, in SI base units
MOST_QUANTITY = 1e30
LARGEST_COUNT, LARGEST_SEED = 2**31 - 1, 2**63 - 1


def option_name(parameter: click.Parameter | None) -> str:
    """Return an option as it is typed, the long form where there are two."""
    return "value" if parameter is None else max(parameter.opts, key=len)


class Number(click.ParamType):
    """Base of the types here: `read` returns the value of a text, or None where it is not allowed;
    `allowed` says what is.
    """

    name = "number"
    allowed = "a number"

    def read(self, text: str) -> Any:
        """Return the value written as `text`, None when it is not allowed."""
        raise InputError("must be overridden")

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> Any:
        """Return the value of a text (a default that is a value already stays one); raises
        InputError.
        """
        if not isinstance(value, str):
            return value
        found = self.read(value.strip())
        if found is None:
            raise InputError(
                f"{option_name(parameter)}: must be {self.allowed}, not {shown_value(value)}"
            )
        return found


class Whole(Number):
    """A whole number of a closed range."""

    def __init__(self, least: int, most: int) -> None:
        """Allow least..most."""
        self.least, self.most = least, most
        self.name = f"{least}..{most}" if most < LARGEST_COUNT else f"{least}.."
        self.allowed = f"a whole number from {least} to {most}"

    def read(self, text: str) -> int | None:
        """Return the number, None when it is none or out of range."""
        number = int(text) if _WHOLE.fullmatch(text) else self.least - 1
        return number if self.least <= number <= self.most else None


class Real(Number):
    """A finite number of a closed range."""

    def __init__(self, least: float, most: float) -> None:
        """Allow least..most."""
        self.least, self.most = least, most
        self.name = f"{least:g}..{most:g}"
        self.allowed = f"a number from {least:g} to {most:g}"

    def read(self, text: str) -> float | None:
        """Return the number, None when it is none or out of range."""
        number = float(text) if _REAL.fullmatch(text) else math.nan
        return number if self.least <= number <= self.most else None


class Several(Number):
    """Numbers separated by commas, as a list."""

    def __init__(self, each: Number) -> None:
        """Allow a list of what `each` allows."""
        self.each = each
        self.name = f"{each.name},..."
        self.allowed = f"{each.allowed}, or several separated by commas"

    def read(self, text: str) -> list[Any] | None:
        """Return the numbers, None when one of them is not allowed or there are too many."""
        parts = text.split(",")
        if len(parts) > MOST_LISTED:
            return None
        numbers = [self.each.read(part.strip()) for part in parts]
        return None if None in numbers else numbers


class Pair(Number):
    """Two whole numbers of one range with a sign between them; `single`: one number stands for
    both.
    """

    def __init__(self, between: str, least: int, most: int, example: str, single: bool = False):
        """Allow two of least..most, such as `example`."""
        self.between, self.each, self.single = between, Whole(least, most), single
        self.name = example
        numbers = f"whole numbers from {least} to {most} such as {example}"
        self.allowed = f"one number or two, {numbers}" if single else f"two {numbers}"

    def read(self, text: str) -> tuple[int, int] | None:
        """Return both, None when they are not two numbers or out of range."""
        parts = text.split(self.between)
        if len(parts) == 1 and self.single:
            parts *= 2
        numbers = [self.each.read(part.strip()) for part in parts]
        if len(numbers) != 2 or numbers[0] is None or numbers[1] is None:
            return None
        return numbers[0], numbers[1]


class NumberOrWord(Number):
    """A number, or one of some words."""

    def __init__(self, number: Number, words: tuple[str, ...]) -> None:
        """Allow what `number` allows, and the words."""
        self.number, self.words = number, words
        self.name = "|".join((number.name, *words))
        self.allowed = f"{number.allowed}, or one of {', '.join(words)}"

    def read(self, text: str) -> Any:
        """Return the word or the number."""
        return text if text in self.words else self.number.read(text)


class Share(Number):
    """A share from 0 to 1, exactly: 0.001 or 1/1000."""

    name = "0..1"
    allowed = "a share from 0 to 1 such as 0.001 or 1/1000"

    def read(self, text: str) -> Fraction | None:
        """Return the share; the length of what is read is bounded, and with it the fraction."""
        try:
            share = Fraction(text) if _SHARE.fullmatch(text) else None
        except ZeroDivisionError:
            return None
        return share if share is not None and share <= 1 else None


@dataclass(frozen=True)
class Written:
    """A quantity as it was written, and its exact value in SI base units."""

    text: str
    exact: Fraction


class Quantity(Number):
    """A quantity with its unit, more than 0 and at most MOST_QUANTITY."""

    def __init__(self, dimension: str) -> None:
        """Allow quantities of a dimension of simulator.units."""
        self.dimension = self.name = dimension

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> Any:
        """Return the quantity as Written; raises InputError that says what is wrong with it."""
        from simulator import units

        if not isinstance(value, str):
            return value
        try:
            exact = units.exact(value, self.dimension)
        except units.UnitError as error:
            raise InputError(f"{option_name(parameter)}: {error}") from error
        if not 0 < exact <= MOST_QUANTITY:
            symbol = next(iter(units.SYMBOLS[self.dimension]))
            bound = f"more than 0 {symbol}" if exact <= 0 else f"at most {MOST_QUANTITY:g} {symbol}"
            raise InputError(f"{option_name(parameter)}: must be {bound}, not {shown_value(value)}")
        return Written(value, exact)
