"""The always-on study: the closed form on one core, laws of policies, and what each microwatt is
owed to.
"""

from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pytest

from simulator import Chip, Workload
from simulator.account.standby import breakeven_cycles, state_power
from simulator.analytic.budget import always_on_power
from simulator.describe.connections import Connection
from simulator.describe.network import Layer, Neuron, chain, fed
from simulator.errors import InputError
from simulator.study.always_on import POLICIES, always_on, policies_for, with_policy
from simulator.study.simulation import Result, run
from simulator.study.stream import BURST_FRAMES, frames_for, make_stream, signal_frames
from simulator.timing import engine_named
from simulator.timing.record import ACTIVE, GATED, IDLE, OFF, WAKING, first_divergence

RATE = Fraction(10)
DUTIES = [Fraction(1, 1000), Fraction(1, 50), Fraction(1, 5), Fraction(1)]
#: one core and one router that never sleeps; a slow soma, so that a step ends with its last visit,
#: however late it began
ONE_CORE = (
    "mesh.width=1", "mesh.height=1", "core.soma.clear=bulk", "barrier.tree=null",
    "barrier.points=[[1, 10 cycles]]", "core.soma.visit=60 cycles",
    "gating.router_gate_after=never", "gating.gate_after=400 cycles", "gating.off_after=900 cycles",
    "power.chip_static.value=1 uW",
)  # fmt: skip


def one_layer(n: int = 8) -> Workload:
    """Return a workload of one layer that fits one core: four inputs, n neurons that fire now and
    then.
    """
    weight = (np.arange(4 * n, dtype=np.int32).reshape(4, n) % 5) + 1
    ones = np.ones(n, np.int64)
    neuron = Neuron("if", 9 * ones, 0 * ones, 0 * ones)
    layer = Layer("only", (n,), Connection("dense", weight, 8, (4,), (n,)), neuron)
    values = np.array([[1, 2, 3, 1], [0, 1, 0, 2]], np.int32)
    stimulus = fed("current", values, 5)
    return replace(
        Workload.load("digits-mlp"),
        name="one-layer",
        network=chain((4,), (layer,)),
        stimulus=stimulus,
        timesteps=4,
    )


@pytest.fixture(scope="module")
def chip() -> Chip:
    return Chip.load("generic-22nm", ONE_CORE)


# policy, gate_after, off_after: holds, the state slept in, the wake
@pytest.mark.parametrize("policy", ["gate", "off"])
@pytest.mark.parametrize("duty", DUTIES)
def test_one_core_draws_what_the_closed_form_says(chip: Chip, policy: str, duty: Fraction) -> None:
    workload = one_layer()
    (outcome,) = always_on(workload, chip, RATE, [duty], [policy])
    gating, energy, watts = outcome.result.chip.gating, chip.energy, state_power(chip)
    sleep, hold, wake, joules = {
        "gate": (GATED, gating.gate_after, gating.gate_wake, energy.gate_wake.value),
        "off": (OFF, gating.off_after, gating.off_wake, energy.off_wake.value),
    }[policy]
    # each inference on a chip that never sleeps, by itself, in the order the stream shows them
    alone = [
        _alone(workload, with_policy(chip, "never"), row)
        for row in workload.stimulus.feeds[0].values
    ]
    shown = [alone[number % 2] for number in range(len(outcome.stream.active))]
    seconds, period = outcome.stream.frames / float(RATE), chip.period
    others = watts.router[IDLE] + watts.chip
    assert watts.core[ACTIVE] == watts.core[IDLE] == watts.core[WAKING]
    # a stream begins with a clocked core: it holds once more and wakes for the first frame, unless
    # that comes at once
    begins = int(outcome.release[0] > 0)
    woken = shown if begins else shown[1:]
    # what the core is idle within an inference, before its first packet and after its last work, is
    # sleep or hold
    clocked = (len(shown) + begins) * hold - sum(a.tail for a in shown) - sum(a.lead for a in woken)
    # a packet is taken in the cycle after it came; out of a wake of w cycles, w after
    clocked += len(woken) * (wake - 1)
    awake = clocked + sum(a.result.record.cycles for a in shown)
    expected = (
        sum(a.result.ledger.total - others * a.result.seconds for a in shown) + others * seconds
    )
    expected += watts.core[IDLE] * clocked * period + len(woken) * joules
    expected += watts.core[sleep] * (seconds - awake * period)
    if policy == "off":
        gated = (len(shown) + begins) * (gating.off_after - gating.gate_after) * period
        expected -= (watts.core[IDLE] - watts.core[GATED]) * gated
    assert outcome.power == pytest.approx(expected / seconds, rel=1e-9, abs=0)


class _Alone(NamedTuple):
    result: Result
    lead: int  # idle cycles before the core's first work
    tail: int  # idle cycles after its last


def _alone(workload: Workload, chip: Chip, row: np.ndarray) -> _Alone:
    result = run(
        replace(
            workload,
            stimulus=fed(
                workload.stimulus.feeds[0].kind, row[None], workload.stimulus.feeds[0].value_bits
            ),
        ),
        chip,
        "snn",
        events=True,
    )
    states = result.record.states[result.record.states["is_router"] == 0]
    assert [IDLE, ACTIVE, IDLE] == [states["state"][0], states["state"][1], states["state"][-1]]
    return _Alone(result, int(states["cycle"][1]), result.record.cycles - int(states["cycle"][-1]))


def test_the_published_formula_is_an_upper_bound_and_close(chip: Chip) -> None:
    # the published form puts the wake-ups on top of the sleep and at full active power
    (outcome,) = always_on(one_layer(), chip, RATE, [Fraction(1, 50)], ["gate"])
    gating = outcome.result.chip.gating
    published = always_on_power(
        outcome.active_power,
        outcome.sleep_power,
        outcome.active_share,
        0.2,
        gating.gate_wake * chip.period,
        (1 + 1 / len(outcome.stream.active)) * gating.gate_after * chip.period,
        chip.energy.gate_wake.value,
    )
    assert outcome.ideal_power < outcome.power <= published
    assert published - outcome.power < 0.05 * (outcome.power - outcome.sleep_power) + 1e-9


def test_every_microwatt_beside_the_ideal_formula_has_its_reason(mlp) -> None:
    for outcome in mlp:
        assert sum(term.watts for term in outcome.why()) == pytest.approx(
            outcome.power - outcome.ideal_power, rel=1e-9, abs=1e-12 * outcome.power
        )
        terms = {reason.name: reason.watts for reason in outcome.why()}
        assert abs(terms["actions counted more often"]) < 1e-15
        if outcome.policy == "never":
            assert outcome.ideal_power == pytest.approx(outcome.power, rel=1e-12, abs=0)


def test_components_and_leakage_add_up(mlp) -> None:
    for outcome in mlp:
        record, watts = outcome.result.record, state_power(outcome.result.chip)
        assert sum(outcome.power_by_component.values()) == pytest.approx(
            outcome.power, rel=1e-9, abs=0
        )
        assert (record.state_cycles.sum(axis=1) == record.cycles).all()
        assert sum(outcome.core_state_share.values()) == pytest.approx(1, rel=1e-12, abs=0)
        static = (record.state_cycles @ watts.core).sum() + (
            record.router_state_cycles @ watts.router
        ).sum()
        parts = outcome.result.ledger.by_component
        assert parts["leakage"] + parts["clock"] + parts["unused cores"] == pytest.approx(
            static * outcome.result.chip.period, rel=1e-9, abs=0
        )


def test_a_deeper_policy_draws_less_and_is_never_faster(mlp) -> None:
    for never, gate, off in (mlp[:3], mlp[3:]):
        assert POLICIES == (never.policy, gate.policy, off.policy)
        assert never.power > gate.power > off.power
        assert (
            never.latency_cycles.mean() <= gate.latency_cycles.mean() <= off.latency_cycles.mean()
        )
        leakage = [outcome.result.ledger.by_component["leakage"] for outcome in (never, gate, off)]
        assert leakage[0] == pytest.approx(leakage[1], rel=1e-6, abs=0) and leakage[1] > leakage[2]
        assert never.core_wakes_per_second == 0 < gate.core_wakes_per_second


def test_a_shorter_rest_before_gating_never_raises_leakage_and_never_lowers_latency() -> None:
    shown, leakage, latency = [400, 60, 16, 0], [], []
    for after in shown:
        chip = Chip.load(
            "generic-22nm", (f"gating.gate_after={min(after, 16)}", f"gating.off_after={after}")
        )
        (outcome,) = always_on("digits-mlp", chip, RATE, [Fraction(1, 50)], ["off"], frames=100)
        leakage.append(outcome.result.ledger.by_component["leakage"])
        latency.append(outcome.latency_cycles.sum())
    assert leakage == sorted(leakage, reverse=True) and latency == sorted(latency)
    assert leakage[0] > leakage[-1] and latency[0] < latency[-1]


def test_without_gating_and_leakage_nothing_changes_against_the_plain_machine() -> None:
    none = tuple(
        f"power.{name}={{value: {zero}, scope: marginal, evidence: assumed, source: none}}"
        for name, zero in (
            ("core_leakage", "0 W"),
            ("memory_leakage", "0 W/bit"),
            ("router_leakage", "0 W"),
            ("chip_static", "0 W"),
            ("core_clock_idle", "0 pJ"),
            ("router_clock", "0 pJ"),
        )
    )
    chip = with_policy(Chip.load("generic-22nm", none), "never")
    (outcome,) = always_on("digits-mlp", chip, RATE, [Fraction(1, 20)], ["never"], frames=40)
    plain = run("digits-mlp", chip, "snn", limit=2)
    assert (outcome.result.record.counters == plain.record.counters).all()
    assert outcome.latency_cycles.tolist() == plain.latency_cycles.tolist()
    assert outcome.result.ledger.total == pytest.approx(plain.ledger.total, rel=1e-12, abs=0)


@pytest.mark.parametrize("policy", POLICIES)
def test_both_engines_agree_on_every_state_change(policy: str) -> None:
    (outcome,) = always_on(
        "digits-mlp", "generic-22nm", RATE, [Fraction(1, 50)], [policy], frames=100
    )
    plan, activity = outcome.result.plan, outcome.result.schedule.activity
    compiled, reference = (
        engine_named(name)(plan, activity, events=True) for name in ("compiled", "reference")
    )
    assert first_divergence(compiled, reference, plan) is None
    assert len(compiled.states) > plan.n_cores + plan.n_routers
    assert (compiled.state_cycles == outcome.result.record.state_cycles).all()


def test_a_longer_sleep_costs_leakage_and_nothing_else(chip: Chip) -> None:
    one, longer = (
        always_on(one_layer(), chip, rate, [Fraction(1, 10)], ["gate"], frames=100)[0].result
        for rate in (10, Fraction(1, 1000))
    )
    assert (one.record.counters == longer.record.counters).all()
    assert 9_999 < longer.seconds / one.seconds < 10_001
    for state in (ACTIVE, IDLE, WAKING):
        assert one.record.state_cycles[0, state] == longer.record.state_cycles[0, state]


def test_a_frame_in_time_is_detected_after_waking() -> None:
    never, gate = always_on(
        "digits-mlp", "generic-22nm", RATE, [Fraction(1, 50)], ["never", "gate"], frames=100
    )
    assert len(never.latency_cycles) == 2 and never.late_frames == gate.late_frames == 0
    assert (gate.latency_cycles > never.latency_cycles).all()
    assert (never.result.record.step_start[::7] == never.release[:-1]).all()


def test_frames_that_come_too_fast_are_said_to_be_late() -> None:
    (outcome,) = always_on(
        "digits-mlp", "generic-22nm", Fraction(10**6), [Fraction(1)], ["never"], frames=4
    )
    assert outcome.late_frames == 3
    assert (np.diff(outcome.latency_cycles) > 0).all()


def test_background_wakes_the_chip_and_is_no_detection() -> None:
    quiet, noisy = (
        always_on(
            "digits-mlp",
            "generic-22nm",
            RATE,
            [Fraction(1, 50)],
            ["gate"],
            frames=100,
            background=rate,
        )[0]
        for rate in (0.0, 0.01)
    )
    assert len(quiet.latency_cycles) == len(noisy.latency_cycles) == 2
    assert 30 < len(noisy.stream.active) < 70
    assert noisy.core_wakes_per_second > 5 * quiet.core_wakes_per_second
    assert noisy.power > quiet.power


def test_a_frame_with_a_signal_has_no_background() -> None:
    workload = Workload.load("digits-mlp")
    stream = make_stream(workload, RATE, 10, Fraction(3, 10), "evenly", 0.5, 0)
    assert list(range(10)) == stream.active.tolist()
    assert (
        workload.stimulus.feeds[0].values[:3] == stream.stimulus.feeds[0].values[stream.signal]
    ).all()


# frames, signals, where they are: in the middle of equal shares
EVENLY = [(10, 1, [5]), (10, 2, [2, 7]), (10, 10, list(range(10))), (7, 3, [1, 3, 5]), (5, 0, [])]


@pytest.mark.parametrize("frames, signals, places", EVENLY)
def test_signals_lie_evenly(frames: int, signals: int, places: list[int]) -> None:
    assert places == signal_frames(frames, signals, "evenly", 0).tolist()


@pytest.mark.parametrize("signals", [1, 7, 8, 20, 95, 100])
def test_bursts_follow_each_other_and_fit(signals: int) -> None:
    places = signal_frames(100, signals, "bursty", 3)
    assert signals == len(set(places.tolist())) and 0 <= places.min() and places.max() < 100
    assert (np.diff(places) >= 1).all()
    breaks = (np.diff(places) > 1).sum()
    assert breaks <= -(-signals // BURST_FRAMES) - 1
    assert places.tolist() == signal_frames(100, signals, "bursty", 3).tolist()


@pytest.mark.parametrize(
    "duties, frames",
    [(["1/1000"], 1000), (["1/3"], 1002), (["1/1000", "3/7"], 7000), (["1"], 1000)],
)
def test_a_stream_is_long_enough_for_whole_frames(duties: list[str], frames: int) -> None:
    assert frames == frames_for([Fraction(duty) for duty in duties])


def test_frame_times_are_the_first_cycles_not_before_them() -> None:
    stream = make_stream(
        Workload.load("digits-mlp"), Fraction(3), 6, Fraction(1, 2), "evenly", 0.0, 0
    )
    period = Fraction(2, 10**9)
    for cycle, frame in zip(stream.release(period), [*stream.active, 6]):
        assert (int(cycle) - 1) * period < Fraction(int(frame), 3) <= int(cycle) * period


# arguments, what is said
REFUSED = [
    (
        dict(duties=[Fraction(1, 3)], frames=100),
        "0.333333 of 100 frames is 33.3333 frames: it would be whole with 102 frames",
    ),
    (dict(duties=[Fraction(3, 2)]), "duty: must be from 0 to 1, not 1.5"),
    (dict(duties=[Fraction(0)]), "at least one frame must carry a signal"),
    (dict(duties=[]), "duty: must name at least one share"),
    (dict(frame_rate=Fraction(0)), "frame-rate: must be more than 0 Hz, not 0 Hz"),
    (
        dict(frame_rate=Fraction(1, 10**9)),
        "frame-rate: must be at least 500 µHz, where 1,000 frames take 1e+15 cycles, not 1e-09 Hz",
    ),
    (
        dict(frame_rate=Fraction(10**30)),
        "frame-rate: must be at most 500 MHz, one frame a cycle, not 1e+30 Hz",
    ),
    (
        dict(duties=[Fraction(1, 10**16)]),
        "frames: must be at most 1,000,000,000,000,000, not 10,000,000,000,000,000",
    ),
    (dict(policies=["sleep"]), "policy: must be one of never, gate, off or all, not 'sleep'"),
    (dict(burst="often"), "burst: must be one of evenly, bursty, not 'often'"),
    (dict(background=1.5), "background: must be a probability from 0 to 1, not 1.5"),
]


@pytest.mark.parametrize(
    "arguments, why", REFUSED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_cannot_be_studied_is_refused(arguments: dict, why: str) -> None:
    given = dict(frame_rate=RATE, duties=[Fraction(1, 10)]) | arguments
    with pytest.raises(InputError) as error:
        always_on("digits-mlp", "generic-22nm", **given)
    assert why in str(error.value)


def test_break_even_is_where_resting_starts_to_pay(chip: Chip) -> None:
    watts = state_power(chip).core
    for state, latency, wake in (
        (GATED, chip.gating.gate_wake, chip.energy.gate_wake.value),
        (OFF, chip.gating.off_wake, chip.energy.off_wake.value),
    ):
        cycles = breakeven_cycles(chip, state)
        for rest, pays in ((cycles - 1, False), (cycles, True)):
            stays = watts[IDLE] * rest * chip.period
            sleeps = watts[state] * rest * chip.period + wake + latency * watts[IDLE] * chip.period
            assert pays == (sleeps <= stays)


def test_a_chip_that_saves_nothing_has_no_break_even() -> None:
    assert breakeven_cycles(Chip.load("loihi1"), GATED) is None
    assert ("never", "gate") == policies_for(Chip.load("loihi1")) and POLICIES == policies_for(
        Chip.load("generic-22nm")
    )
    with pytest.raises(InputError, match="saves nothing by power gating"):
        with_policy(Chip.load("loihi1"), "off")
