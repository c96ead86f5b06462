"""Written quantities and SI numbers: '23.6 pJ' <-> 2.36e-11; cycles are never rounded silently."""

from __future__ import annotations

import math
import re
from fractions import Fraction

from simulator.errors import UnitError

PREFIX = {
    "": Fraction(1),
    "f": Fraction(1, 10**15),
    "p": Fraction(1, 10**12),
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "µ": Fraction(1, 10**6),
    "m": Fraction(1, 10**3),
    "k": Fraction(10**3),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
    "T": Fraction(10**12),
}
#: dimension -> the unit symbols that may be written for it, each with its size in SI base units
SYMBOLS: dict[str, dict[str, Fraction]] = {
    "energy": {"J": Fraction(1), "Wh": Fraction(3600)},
    "time": {"s": Fraction(1)},
    "power": {"W": Fraction(1)},
    "frequency": {"Hz": Fraction(1)},
    "voltage": {"V": Fraction(1)},
    "length": {"m": Fraction(1)},
    "power per bit": {"W/bit": Fraction(1)},
    "area": {"mm2": Fraction(1, 10**6), "um2": Fraction(1, 10**12)},
}
EXAMPLE = {
    "energy": "23.6 pJ",
    "time": "2 ns",
    "power": "1.8 mW",
    "frequency": "500 MHz",
    "voltage": "0.8 V",
    "length": "1 mm",
    "power per bit": "50 pW/bit",
    "area": "0.1 mm2",
}
#: counted nouns -> their size in the base noun
COUNT_SYMBOLS: dict[str, dict[str, int]] = {
    "bits": {"bit": 1, "bits": 1, "B": 8, "KiB": 8 * 1024, "MiB": 8 * 1024 * 1024},
    "cycles": {"cycle": 1, "cycles": 1},
    "flits": {"flit": 1, "flits": 1},
}
COUNT_EXAMPLE = {"bits": "64 KiB", "cycles": "3 cycles", "flits": "8 flits"}
#: at most 30 digits and two of exponent: beyond that no physics, only numbers too long to compute
#: with
_WRITTEN = re.compile(
    r"([+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?) "
    r"*([^\s0-9][^\n]{0,20})?"
)


def shown_value(value: object) -> str:
    """Return a given value as a message shows it: YAML's words, cut to a line."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _split(text: str) -> tuple[Fraction, str]:
    match = _WRITTEN.fullmatch(text.strip()) if len(text) <= 100 else None
    if match is None:
        raise UnitError(f"must be a number and a unit, not {shown_value(text)}")
    return Fraction(match.group(1)), (match.group(2) or "")


def exact(text: object, dimension: str) -> Fraction:
    """Return the written quantity `text` of `dimension` as an exact fraction of its SI base unit.

    `exact('2 ns', 'time') == Fraction(2, 10**9)`.  Raises UnitError naming an example of what is
    allowed.
    """
    example = EXAMPLE[dimension]
    noun = f"an {dimension}" if dimension[0] in "aeiou" else f"a {dimension}"
    wrong = UnitError(f"must be {noun} with its unit, such as '{example}', not {shown_value(text)}")
    if not isinstance(text, str):
        raise wrong
    try:
        number, symbol = _split(text)
    except UnitError:
        raise wrong from None
    for base, size in SYMBOLS[dimension].items():
        prefix = symbol[: len(symbol) - len(base)]
        # of a square a prefix would be squared too: areas have their units whole
        if symbol.endswith(base) and (prefix == "" if dimension == "area" else prefix in PREFIX):
            return number * PREFIX[prefix] * size
    raise wrong


def quantity(text: object, dimension: str) -> float:
    """Return the written quantity `text` of `dimension` in SI base units as a float (see
    `exact`).
    """
    return float(exact(text, dimension))


def show_area(square_metres: float) -> str:
    """Return an area for people, in mm² or µm²: 1e-7 -> '0.1 mm²'."""
    large = square_metres >= 1e-8 or square_metres == 0
    return f"{square_metres * (1e6 if large else 1e12):.4g} {'mm²' if large else 'µm²'}"


def count(text: object, noun: str) -> int:
    """Return a whole, non-negative count written bare or with its noun: 8, '8 flits', '64 KiB' (in
    bits).
    """
    wrong = UnitError(
        f"must be a whole number of {noun}, such as '{COUNT_EXAMPLE[noun]}', not "
        f"{shown_value(text)}"
    )
    if isinstance(text, int) and not isinstance(text, bool):
        total = Fraction(text)
    elif isinstance(text, str):
        try:
            number, symbol = _split(text)
        except UnitError:
            raise wrong from None
        if symbol and symbol not in COUNT_SYMBOLS[noun]:
            raise wrong
        total = number * COUNT_SYMBOLS[noun].get(symbol, 1)
    else:
        raise wrong
    if total.denominator != 1 or total < 0:
        raise UnitError(f"must be a whole number of {noun}, 0 or more, not {shown_value(text)}")
    return int(total)


def cycles(duration: Fraction, period: Fraction, written: str) -> int:
    """Return `duration` (s) in clock cycles of `period` (s); raises UnitError naming the nearest
    two when not whole.
    """
    number = duration / period
    if number.denominator == 1:
        return int(number)
    low = math.floor(number)
    below, above = show(float(low * period), "s", 9), show(float((low + 1) * period), "s", 9)
    raise UnitError(
        f"must be a whole number of cycles of {show(float(period), 's')}, not {written!r}: "
        f"the nearest are {below} ({low} cycle{'' if low == 1 else 's'}) and {above} ({low + 1} "
        f"cycle{'' if low == 0 else 's'})"
    )


def show(value: float, unit: str, digits: int = 4) -> str:
    """Return `value` (SI base) for people, with the prefix that keeps 1..999 before the point:
    2.36e-11 J -> '23.6 pJ'.
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g} {unit}"
    scale = ["f", "p", "n", "µ", "m", "", "k", "M", "G", "T"]
    rounded = abs(float(f"{value:.{digits}g}"))
    step = min(max(math.floor(math.log10(rounded) / 3 + 1e-12), -5), 4)
    number = value / 10.0 ** (3 * step)
    text = f"{number:.{digits}g}"
    if "e" in text:
        return f"{value:.{digits}g} {unit}"
    return f"{text} {scale[step + 5]}{unit}"
