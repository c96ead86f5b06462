"""Laws of the published closed-form model: theorems, equations, breakevens."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.analytic.breakeven import _changes_sign, hop_breakeven, rate_breakeven
from simulator.analytic.constants import (
    SETTINGS,
    VERSIONS,
    hardware,
)
from simulator.analytic.model import (
    CASES,
    Operation,
    activation_bits,
    beta,
    dense_rate,
    density,
    energy_ratio,
    lifetime,
    quantised,
    rate,
    required_k,
    spikes_per_active_input,
    spiking,
    uses_full_capacity,
    wins_on_compute,
    wins_on_data,
)
from simulator.errors import InputError

TYPICAL = hardware("typical", "v3")
windows = st.integers(1, 15)
rates = st.floats(0.0, 1.0)


def with_a_twin(operation: Operation) -> Operation:
    """Return the operation at a share of the highest rate of which there is a quantised twin."""
    case = operation.density if isinstance(operation.density, str) else "worst"
    return replace(operation, rate=operation.rate * rate(operation.timesteps, 1.0, case))


operations = st.builds(
    Operation,
    timesteps=windows,
    rate=rates,
    density=st.one_of(st.sampled_from(CASES), rates),
    fan_in=st.integers(1, 8192),
    hops=st.floats(0.0, 16.0),
    reuse_snn=st.floats(1.0, 1000.0),
    reuse_qnn=st.floats(1.0, 1000.0),
    aggregated=st.booleans(),
).map(with_a_twin)
settings = st.sampled_from(
    [hardware(setting, version) for setting in SETTINGS for version in VERSIONS]
)

# --- Theorem 1
# ----------------------------------------------------------------------


def test_activation_bits_hold_every_count_and_no_bit_is_idle():
    #        T  1  2  3  4  5  6  7  8  15 16 31 32
    window = [1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 31, 32]
    assert [1, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6] == activation_bits(window).tolist()
    assert [1, 3, 7, 15, 31] == [t for t in window if uses_full_capacity(t)]


@given(st.integers(1, 2**50))
def test_activation_bits_are_exact_integers(window):
    assert math.ceil(math.log2(window + 1)) == activation_bits(window) or window > 2**40
    assert 2 ** (int(activation_bits(window)) - 1) <= window < 2 ** int(activation_bits(window))


# --- Theorem 2
# ----------------------------------------------------------------------


@given(st.lists(st.integers(0, 7), min_size=1, max_size=40))
def test_theorem_2_bounds_every_pattern_of_counts(count):
    window = 7
    ours = sum(count) / (len(count) * window)
    active = sum(c > 0 for c in count) / len(count)
    assert float(rate(window, active, "best")) <= ours + 1e-15
    assert ours <= float(rate(window, active, "worst")) + 1e-15


@pytest.mark.parametrize("window", [1, 2, 5, 7, 15])
def test_uniform_activations_spike_at_the_average_of_theorem_2(window):
    active = 0.25
    # an active input sends 1..T spikes, each as often
    mean = active * sum(range(1, window + 1)) / window / window
    assert mean == pytest.approx(float(rate(window, active, "average")), rel=1e-14, abs=0)


@given(windows, st.floats(0.0, 1.0), st.sampled_from(CASES))
def test_density_undoes_rate(window, active, case):
    assert float(density(window, rate(window, active, case), case)) == pytest.approx(
        active, rel=1e-14, abs=1e-300
    )


# T, spike rate, case of Theorem 2, highest rate of which there is a twin
INFEASIBLE = [(4, 0.5, "best", "0.25"), (31, 0.2, "best", "0.03226"), (2, 0.8, "average", "0.75")]


@pytest.mark.parametrize(("window", "sent", "case", "most"), INFEASIBLE)
def test_more_active_inputs_than_there_are_is_refused_not_clipped(window, sent, case, most):
    said = f"rate: must be at most {most} at T = {window} in the {case} case of Theorem 2, not "
    for asked in (sent, [0.01, sent]):
        with pytest.raises(InputError) as refusal:
            density(window, asked, case)
        assert str(refusal.value).startswith(f"{said}{sent:g}: ")
    with pytest.raises(InputError, match="case of Theorem 2"):
        quantised(Operation(window, sent, case), TYPICAL)
    assert 1.0 == density(window, rate(window, 1.0, case), case)


# --- equations
# ----------------------------------------------------------------------


def test_equations_term_by_term():
    # T = 2, s_r = 0.5, d = 0.25, N = 8, H = 3, R_S = 2, R_Q = 4, worked out by hand in pJ
    operation = Operation(2, 0.5, 0.25, 8, hops=3, reuse_snn=2, reuse_qnn=4)
    snn, qnn = spiking(operation, hardware("typical", "v4")), quantised(operation, TYPICAL)
    part = {name: float(e) * 1e12 for name, e in (snn.part | qnn.part).items()}
    del part["weight_read"], part["transfer"]
    assert part == pytest.approx(
        {
            "accumulate": 8 * 0.05448,
            "compare": 2 * 0.05448,
            "reset": 0.05448,
            "membrane": 2 * 1.42,
            "multiply": 2 * 0.08831,
            "clamp": 2 * 0.05448,
        },
        rel=1e-12,
    )
    assert float(snn.sparse) * 1e12 == pytest.approx(8 * (0.155 + 9.0), rel=1e-12, abs=0)  # 7, 17
    assert float(snn.dense) * 1e12 == pytest.approx(16 * (0.155 + 0.75), rel=1e-12, abs=0)  # 8, 18
    assert float(qnn.sparse) * 1e12 == pytest.approx(2 * (0.0775 + 18.0), rel=1e-12, abs=0)  # 5, 15
    assert float(qnn.dense) * 1e12 == pytest.approx(8 * (0.0775 + 1.5), rel=1e-12, abs=0)  # 6, 16


@given(operations, settings)
def test_energy_is_the_sum_of_its_parts_and_takes_the_cheaper_way(operation, energies):
    for energy in (spiking(operation, energies), quantised(operation, energies)):
        assert float(energy.total) == pytest.approx(
            sum(map(float, energy.part.values())), rel=1e-12, abs=0
        )
        assert float(energy.data) == min(float(energy.sparse), float(energy.dense))
        assert bool(energy.is_dense) == (energy.dense < energy.sparse)


@given(operations, settings)
def test_aggregated_counts_move_like_the_twin_with_the_same_reuse(operation, energies):
    both = replace(operation, aggregated=True, reuse_snn=operation.reuse_qnn)
    assert spiking(both, energies).sparse == quantised(both, energies).sparse
    assert spiking(both, energies).dense == quantised(both, energies).dense
    assert spiking(both, energies).compute == spiking(operation, energies).compute


@given(operations, settings)
def test_equation_4_says_who_computes_for_less(operation, energies):
    plain = replace(operation, aggregated=False)
    v3 = replace(energies, membrane=0.0)
    snn, qnn = float(spiking(plain, v3).compute), float(quantised(plain, v3).compute)
    if abs(snn - qnn) > 1e-9 * qnn:
        assert bool(wins_on_compute(plain, v3)) == (snn < qnn)


@given(windows, st.floats(0.01, 1.0), st.sampled_from(CASES), st.booleans(), settings)
def test_beta_says_who_moves_for_less(window, active, case, is_twin_dense, energies):
    spike_rate = float(rate(window, active, case))
    operation = Operation(window, spike_rate, active)
    snn, qnn = float(spiking(operation, energies).sparse), quantised(operation, energies)
    twin = float(qnn.dense if is_twin_dense else qnn.sparse)
    if abs(snn - twin) > 1e-9 * twin:
        assert bool(wins_on_data(operation, energies, case, is_twin_dense)) == (snn < twin)


def test_beta_and_k_in_numbers():
    operation = Operation(5, 0.1)
    assert float(beta(operation, TYPICAL, is_twin_dense=False)) == pytest.approx((0.31 + 9) / 3.31)
    assert float(beta(operation, TYPICAL, is_twin_dense=True)) == pytest.approx(
        (0.31 + 0.75) / 3.31
    )
    assert [1, 3, 5] == [float(required_k(5, case)) for case in CASES]
    assert [1, 3, 5] == [float(spikes_per_active_input(5, case)) for case in CASES]


def test_everything_broadcasts():
    operation = Operation(np.arange(1, 8)[:, None], np.linspace(0, 1, 5), 0.2)
    one = energy_ratio(Operation(3, 0.25, 0.2), TYPICAL)
    assert (7, 5) == energy_ratio(operation, TYPICAL).shape
    assert float(one) == energy_ratio(operation, TYPICAL)[2, 1]


def test_lifetime_is_energy_over_power():
    assert 50.0 == lifetime(100.0, 2.0, 1.0)


# --- breakevens
# --------------------------------------------------------------------------------------------------


@given(operations, settings)
def test_twins_cost_the_same_at_every_crossing_and_the_cheaper_changes(operation, energies):
    found = rate_breakeven(operation, energies)
    for x in found.crossing:
        assert float(energy_ratio(replace(operation, rate=x), energies)) == pytest.approx(
            1.0, rel=1e-9, abs=0
        )
    assert (found.first != found.last) == (len(found.crossing) % 2 == 1)


@given(operations, settings)
def test_no_crossing_is_missed_that_a_scan_sees(operation, energies):
    ratio = energy_ratio(replace(operation, hops=np.linspace(0, 64, 2001)), energies)
    clear = ratio[np.abs(ratio - 1) > 1e-9] < 1
    seen = int(np.count_nonzero(clear[1:] != clear[:-1]))
    assert seen <= len(hop_breakeven(operation, energies).crossing)


# operation                                              finding, in words
FOUND = [
    (Operation(5, 0, 0.2), "0.06422 (SNN is cheaper below)"),
    (Operation(5, 0, "average"), "none in 0..0.6: QNN is cheaper throughout"),
    (Operation(2, 0, "best"), "0.1236 (SNN is cheaper below)"),
    (Operation(1, 0, 1.0, fan_in=1), "none in 0..1: SNN is cheaper throughout"),
]


@pytest.mark.parametrize(("operation", "words"), FOUND)
def test_rate_breakeven_in_words(operation, words):
    assert words == rate_breakeven(operation, TYPICAL).show()


def test_a_breakeven_is_sought_only_where_there_is_a_twin():
    # from s_r = 1/2 on more than all inputs of the twin would be active
    found = rate_breakeven(Operation(2, 0, "best"), hardware("theoretical-minimum"))
    assert (0.0, 0.5, ()) == (found.low, found.high, found.crossing)


# differences at 0, 1, 2, 3                is there a crossing at 1?
TOUCHES = [
    ([-1, 0, 1, 1], True),
    ([-1, 0, -1, 1], False),
    ([-1, 0, 0, 1], True),
    ([0, 0, 1, 1], False),
]


@pytest.mark.parametrize(("value", "expected"), TOUCHES)
def test_a_touch_is_no_crossing_and_a_stretch_is_one(value, expected):
    knots = [0.0, 1.0, 2.0, 3.0]
    assert expected == _changes_sign(1.0, knots, dict(zip(knots, value)))
    if value[2] == 0:
        assert not _changes_sign(2.0, knots, dict(zip(knots, value)))


def test_several_crossings_are_all_reported_and_none_is_the_one():
    found = hop_breakeven(Operation(5, 0.06, 0.2, weight_bits=4), hardware("typical", "v4"))
    assert "several, at 0.01769, 0.7205 (QNN is cheaper below the first)" == found.show()
    with pytest.raises(InputError) as refusal:
        _ = found.only
    assert f"breakeven: must be one crossing, not {found.show()}" == str(refusal.value)


def test_breakeven_at_seven_timesteps_lies_below_that_at_eight():
    # the eighth timestep costs the twin a fourth activation bit
    found = [rate_breakeven(Operation(window, 0, 0.2), TYPICAL).only for window in (6, 7, 8, 9)]
    assert found[1] < found[2] < found[0] and found[3] < found[2]


@given(st.floats(0.0, 8.0), st.floats(1.0, 100.0))
def test_dense_rate_is_where_both_ways_cost_the_same(hops, reuse):
    switch = float(dense_rate(Operation(5, 0.1, hops=hops, reuse_snn=reuse), TYPICAL))
    energy = spiking(Operation(5, switch, hops=hops, reuse_snn=reuse), TYPICAL)
    assert float(energy.sparse) == pytest.approx(float(energy.dense), rel=1e-12, abs=0)
