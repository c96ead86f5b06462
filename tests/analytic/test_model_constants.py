"""The closed-form model's budgets and constants, and what it refuses, word for word."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.analytic import budget
from simulator.analytic.constants import constants, hardware, multiply, weight_read
from simulator.analytic.model import Operation, density, quantised, spiking
from simulator.errors import InputError

TYPICAL = hardware("typical", "v3")

# --- budgets
# ----------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(1, 10**6), st.floats(0, 1)), min_size=1, max_size=5),
    st.integers(1, 8),
)
def test_binary_spikes_cost_weight_bits_times_synaptic_operations(layers, window):
    macs, firing = zip(*layers)
    operations = sum(m * f * window for m, f in layers)
    assert budget.neuromorphic_arithmetic_effort(macs, firing, window, 8, 1) == pytest.approx(
        8 * operations
    )


def test_graded_spikes_of_half_the_window_cost_the_same_budget():
    assert budget.bit_budget(4, 8, 1) == budget.bit_budget(2, 8, 2) == 32
    assert budget.synaptic_arithmetic_effort([2, 3], 2, 8, 2) == 160
    assert budget.neuromorphic_arithmetic_effort([2, 4], [0.5, 0.25], 2, 8, 2) == 64


def test_wake_ups_come_on_top_of_the_ideal_always_on_power():
    ideal = budget.always_on_power(400e-6, 0.8e-6, 0.001)
    real = budget.always_on_power(
        400e-6, 0.8e-6, 0.001, frequency=10, wake_time=1e-3, hold_time=4e-3, wake_energy=2e-6
    )
    assert real - ideal == pytest.approx(10 * 5e-3 * 400e-6 + 10 * 2e-6)


# targets cores lanes   cycles per spike
FAN_OUT = [
    (1024, 1, 1, 1024),
    (1024, 4, 1, 256),
    (1024, 4, 16, 16),
    (1025, 4, 1, 257),
    (1, 8, 8, 1),
]


@pytest.mark.parametrize(("targets", "cores", "lanes", "cycles"), FAN_OUT)
def test_fan_out(targets, cores, lanes, cycles):
    assert cycles == budget.fan_out_cycles(targets, cores, lanes)


def test_five_ternary_weights_fill_a_byte():
    assert 1.6 == budget.packed_bits(3)
    assert 1.0 == budget.packed_bits(2)
    assert 1.5849625 == pytest.approx(budget.information_bits(3))


# --- constants and refusals
# --------------------------------------------------------------------------------------


def test_every_constant_says_how_it_is_known_and_where_it_stands():
    for constant in constants():
        assert (
            constant.known in ("read", "derived", "solved", "extrapolated")
            and "arXiv:2409.08290" in constant.source
        )
        assert (constant.joules if " " in constant.written else constant.number) >= 0


def test_what_was_solved_from_the_tables_it_reproduces_says_so():
    known = {(constant.symbol, constant.written): constant.known for constant in constants()}
    for solved in (("N", "2394"), ("R_Q", "216"), ("R_Q", "500")):
        assert "solved" == known[solved]
    assert "derived" == known["E_mem", "1.42 pJ"]


def test_version_4_adds_the_membrane_and_nothing_else():
    operation = Operation(5, 0.06, 0.2)
    v3, v4 = (spiking(operation, hardware("typical", version)) for version in ("v3", "v4"))
    assert float(v4.total - v3.total) == pytest.approx(5 * 1.42e-12, rel=1e-9, abs=0)
    assert (
        quantised(operation, TYPICAL).total == quantised(operation, hardware("typical", "v4")).total
    )


# weight bits, activation bits, picojoules
EXTRAPOLATED = [(8, 5, 0.1324), (8, 6, 0.14768), (4, 2, 0.08831 * 0.0885 / 0.10184)]


@pytest.mark.parametrize(("weight_bits", "bits", "picojoules"), EXTRAPOLATED)
def test_extrapolated_constants_come_only_when_asked_for(weight_bits, bits, picojoules):
    with pytest.raises(InputError, match="must be read or solved, not extrapolated"):
        multiply(weight_bits, bits)
    found = multiply(weight_bits, bits, allow_extrapolated=True)
    assert "extrapolated" == found.known
    assert found.joules * 1e12 == pytest.approx(picojoules, rel=1e-5, abs=0)


ASK = "; ask for it with allow_extrapolated=True"
# what is done, what is said
REFUSED = [
    (
        lambda: quantised(Operation(16, 0.1), TYPICAL),
        "E_MAC, 8-bit weight x 5-bit activation: must be read or solved, not extrapolated "
        "(0.1324 pJ: + 0.01528 pJ per activation bit beyond 4)" + ASK,
    ),
    (
        lambda: weight_read(2),
        "E_w, one read of a 2-bit weight: must be read or solved, not extrapolated "
        "(0.0775 pJ: 0.03875 pJ per bit)" + ASK,
    ),
    (
        lambda: multiply(2, 3, allow_extrapolated=True),
        "E_MAC: must be of 8- or 4-bit weights, not 2-bit weights: nothing published fixes it",
    ),
    (lambda: weight_read(0), "weight_bits: must be a whole number, at least 1, not 0"),
    (
        lambda: hardware("ideal"),
        "setting: must be one of theoretical-minimum, typical, worst-case, not 'ideal'",
    ),
    (lambda: hardware(version="v2"), "version: must be one of v3, v4, not 'v2'"),
    (lambda: Operation(0, 0.1), "timesteps: must be a whole number, at least 1, not 0"),
    (lambda: Operation(2.5, 0.1), "timesteps: must be a whole number, at least 1, not 2.5"),
    (lambda: Operation(2, 1.5), "rate: must be from 0 to 1, not 1.5"),
    (lambda: Operation(2, [0.1, -0.1]), "rate: must be from 0 to 1, not -0.1"),
    (lambda: Operation(2, math.nan), "rate: must be from 0 to 1, not nan"),
    (lambda: Operation(2, 0.1, 2.0), "density: must be from 0 to 1, not 2"),
    (
        lambda: Operation(2, 0.1, "mean"),
        "density: must be a number or one of best, average, worst, not 'mean'",
    ),
    (lambda: Operation(2, 0.1, hops=-1), "hops: must be at least 0, not -1"),
    (lambda: Operation(2, 0.1, reuse_snn=0.5), "reuse_snn: must be at least 1, not 0.5"),
    (lambda: density(2, 0.1, "mean"), "case: must be one of best, average, worst, not 'mean'"),
    (lambda: budget.bit_budget(0, 8, 1), "timesteps: must be a whole number, at least 1, not 0"),
    (lambda: budget.efficiency_score(90, 0), "spikes_per_image: must be more than 0, not 0"),
    (lambda: budget.always_on_power(1, 0, 1.5), "duty: must be from 0 to 1, not 1.5"),
    (
        lambda: budget.always_on_power(1, 0, 0.5, 10, 0.1),
        "duty + frequency x (wake_time + hold_time): must be at most 1, not 1.5",
    ),
    (lambda: budget.fan_out_cycles(0), "targets: must be at least 1, not 0"),
    (lambda: budget.packed_bits(1), "levels: must be from 2 to 256, not 1"),
]


@pytest.mark.parametrize(("what", "words"), REFUSED)
def test_refusals_word_for_word(what, words):
    with pytest.raises(InputError) as refusal:
        what()
    assert words == str(refusal.value)
