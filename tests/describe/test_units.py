"""Written quantities: what is read, exactly; what is refused, in which words; and that showing and
reading agree.
"""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import units
from simulator.errors import UnitError

# written, dimension, exactly, in SI base units
READ = [
    ("23.6 pJ", "energy", Fraction(236, 10**13)),
    ("0 pJ", "energy", Fraction(0)),
    ("1 Wh", "energy", Fraction(3600)),
    ("660 mWh", "energy", Fraction(2376)),
    ("2 ns", "time", Fraction(2, 10**9)),
    ("2ns", "time", Fraction(2, 10**9)),
    ("1e-3 s", "time", Fraction(1, 1000)),
    ("5 ms", "time", Fraction(5, 1000)),
    ("1.8 uW", "power", Fraction(18, 10**7)),
    ("1.8 µW", "power", Fraction(18, 10**7)),
    ("500 MHz", "frequency", Fraction(5 * 10**8)),
    (".5 V", "voltage", Fraction(1, 2)),
    ("1 mm", "length", Fraction(1, 1000)),
    ("50 pW/bit", "power per bit", Fraction(50, 10**12)),
    ("-3 J", "energy", Fraction(-3)),
    (" 7 fJ ", "energy", Fraction(7, 10**15)),
]


@pytest.mark.parametrize(("written", "dimension", "value"), READ)
def test_a_quantity_is_read_exactly(written, dimension, value):
    assert value == units.exact(written, dimension)
    assert float(value) == units.quantity(written, dimension)


# written, dimension
REFUSED = [
    ("23.6", "energy"),
    (23.6, "energy"),
    (0, "energy"),
    ("pJ", "energy"),
    ("23.6 pW", "energy"),
    ("23.6 pj", "energy"),
    ("23.6 xJ", "energy"),
    ("nan pJ", "energy"),
    ("inf pJ", "energy"),
    ("1e400 pJ", "energy"),
    ("1" * 200 + " pJ", "energy"),
    ("1,5 pJ", "energy"),
    ("1" * 31 + " pJ", "energy"),
    ("1_0 pJ", "energy"),
    ("0x10 pJ", "energy"),
    ("1 p J", "energy"),
    ("- 1 pJ", "energy"),
    ("", "energy"),
    (None, "energy"),
    (True, "energy"),
    ([1], "energy"),
    ("\u0663 pJ", "energy"),
    ("1 pJ\n", "time"),
    ("2 cycles", "time"),
]


@pytest.mark.parametrize(("written", "dimension"), REFUSED)
def test_anything_else_is_refused_with_an_example(written, dimension):
    with pytest.raises(UnitError) as refused:
        units.exact(written, dimension)
    article = {"energy": "an energy", "time": "a time"}[dimension]
    shown = units.shown_value(written)
    assert (
        f"must be {article} with its unit, such as '{units.EXAMPLE[dimension]}', not {shown}"
        == str(refused.value)
    )


# written, noun, count
COUNTED = [
    (8, "flits", 8),
    ("8", "flits", 8),
    ("8 flits", "flits", 8),
    ("1 flit", "flits", 1),
    ("3 cycles", "cycles", 3),
    ("64 KiB", "bits", 64 * 8192),
    ("1.5 KiB", "bits", 12288),
    ("2 B", "bits", 16),
    ("32 bit", "bits", 32),
    (0, "bits", 0),
    ("1 MiB", "bits", 8 * 2**20),
    ("1e2 cycles", "cycles", 100),
]


@pytest.mark.parametrize(("written", "noun", "count"), COUNTED)
def test_a_count_is_whole(written, noun, count):
    assert (int, count) == (type(units.count(written, noun)), units.count(written, noun))


# written, noun, what is said
NOT_COUNTED = [
    ("0.5 flits", "flits", "must be a whole number of flits, 0 or more, not '0.5 flits'"),
    (-1, "cycles", "must be a whole number of cycles, 0 or more, not -1"),
    ("8 cycles", "flits", "must be a whole number of flits, such as '8 flits', not '8 cycles'"),
    (8.0, "flits", "must be a whole number of flits, such as '8 flits', not 8.0"),
    (True, "flits", "must be a whole number of flits, such as '8 flits', not true"),
    ("64 KB", "bits", "must be a whole number of bits, such as '64 KiB', not '64 KB'"),
    ("many", "bits", "must be a whole number of bits, such as '64 KiB', not 'many'"),
]


@pytest.mark.parametrize(("written", "noun", "message"), NOT_COUNTED)
def test_what_is_no_count_is_refused(written, noun, message):
    with pytest.raises(UnitError) as refused:
        units.count(written, noun)
    assert message == str(refused.value)


# duration, period, cycles or what is said
CYCLES = [
    ("4.1 ns", "0.1 ns", 41),
    ("465 ns", "0.1 ns", 4650),
    ("2 ns", "2 ns", 1),
    ("0 ns", "2 ns", 0),
    ("1 s", "3.2 ns", 312_500_000),
    (
        "3 ns",
        "2 ns",
        "must be a whole number of cycles of 2 ns, not '3 ns': the nearest are 2 ns (1 cycle) and "
        "4 ns (2 cycles)",
    ),
    (
        "0.25 ns",
        "0.1 ns",
        "must be a whole number of cycles of 100 ps, not '0.25 ns': the nearest are 200 ps (2 "
        "cycles) and 300 ps (3 cycles)",
    ),
    (
        "1 ps",
        "2 ns",
        "must be a whole number of cycles of 2 ns, not '1 ps': the nearest are 0 s (0 cycles) and "
        "2 ns (1 cycle)",
    ),
]


@pytest.mark.parametrize(("duration", "period", "expected"), CYCLES)
def test_a_duration_is_whole_cycles_or_names_the_nearest_two(duration, period, expected):
    seconds, length = units.exact(duration, "time"), units.exact(period, "time")
    if isinstance(expected, int):
        assert expected == units.cycles(seconds, length, duration)
        return
    with pytest.raises(UnitError) as refused:
        units.cycles(seconds, length, duration)
    assert expected == str(refused.value)


# SI value, unit, as people read it
SHOWN = [
    (2.36e-11, "J", "23.6 pJ"),
    (0.0, "J", "0 J"),
    (1.0, "W", "1 W"),
    (999.96, "W", "1 kW"),
    (1e-3, "s", "1 ms"),
    (0.000999996, "s", "1 ms"),
    (-2.5e-6, "W", "-2.5 µW"),
    (1e-18, "J", "0.001 fJ"),
    (5e8, "Hz", "500 MHz"),
    (float("inf"), "J", "inf J"),
    (1234.0, "W", "1.234 kW"),
]


@pytest.mark.parametrize(("value", "unit", "text"), SHOWN)
def test_a_value_is_shown_with_the_prefix_that_reads_best(value, unit, text):
    assert text == units.show(value, unit)


@given(
    st.integers(-(10**9), 10**9),
    st.integers(-9, 3),
    st.sampled_from(sorted(units.PREFIX)),
    st.sampled_from(sorted(units.SYMBOLS)),
)
def test_every_prefix_and_symbol_is_read_back_exactly(number, exponent, prefix, dimension):
    prefix = "" if dimension == "area" else prefix  # of a square a prefix would be squared too
    for symbol, size in units.SYMBOLS[dimension].items():
        written = f"{number}e{exponent} {prefix}{symbol}"
        assert number * Fraction(10) ** exponent * units.PREFIX[prefix] * size == units.exact(
            written, dimension
        )


@given(st.integers(10, 9999), st.sampled_from("fpnµmkMGT"), st.sampled_from(["J", "s", "W", "Hz"]))
def test_what_is_shown_is_what_was_written(tenths, prefix, symbol):
    dimension = {"J": "energy", "s": "time", "W": "power", "Hz": "frequency"}[symbol]
    written = f"{tenths / 10:g} {prefix}{symbol}"
    assert written == units.show(units.quantity(written, dimension), symbol)


@given(st.integers(0, 2**40), st.sampled_from(["0.1 ns", "2 ns", "3.2 ns", "1 us", "7 ps"]))
def test_whole_cycles_come_back(number, period):
    length = units.exact(period, "time")
    assert number == units.cycles(number * length, length, "")
