"""Power takes weights, which are loaded again, and state, which must not be lost."""

import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from simulator import Chip, Workload
from simulator.errors import CheckError
from simulator.study.always_on import always_on
from simulator.timing.record import COUNTER

RATE = Fraction(10)


def test_weights_that_are_lost_are_loaded_again_and_paid() -> None:
    kept, lost = (
        always_on(
            "digits-mlp",
            Chip.load("generic-22nm", (f"gating.retention={word}", "gating.off_after=60")),
            RATE,
            [Fraction(1, 50)],
            ["off"],
            frames=100,
        )[0]
        for word in ("[weights, state]", "[state]")
    )
    counters = lost.result.record.counters
    assert (
        counters[:, COUNTER["reload_cycles"]] == counters[:, COUNTER["off_wakes"]] * _reload(lost)
    ).all()
    assert counters[:, COUNTER["reload_cycles"]].sum() > 0
    assert (lost.latency_cycles > kept.latency_cycles).all()
    cycles, energy = counters[:, COUNTER["reload_cycles"]].sum(), lost.result.chip.energy
    paid, saved = lost.result.ledger.by_action, kept.result.ledger.by_action
    assert paid["reload"] == pytest.approx(cycles * energy.reload.value, rel=1e-9, abs=0)
    assert paid["reload_fetch"] == pytest.approx(
        cycles * energy.reload_fetch.value, rel=1e-9, abs=0
    )
    # what keeps its content leaks more than what loses it
    assert paid["memory_leakage"] < saved["memory_leakage"]


def _reload(outcome) -> np.ndarray:
    cycles = outcome.result.plan.reload_cycles
    return np.concatenate(
        [cycles, np.zeros(outcome.result.plan.n_endpoints - len(cycles), np.int64)]
    )


def _losing(off_after: str) -> list:
    """Frames with long rests between them on a chip that keeps its weights alone when it is off."""
    changes = ("gating.retention=[weights]", f"gating.off_after={off_after}")
    chip = Chip.load("generic-22nm", changes)
    return always_on("digits-mlp", chip, RATE, [Fraction(1, 50)], ["off"], frames=100)


def test_state_may_be_lost_between_inferences() -> None:
    (outcome,) = _losing("5000 cycles")
    counters = outcome.result.record.counters
    assert counters[:, COUNTER["off_wakes"]].sum() > 0 == counters[:, COUNTER["state_losses"]].sum()


def test_state_must_not_be_lost_within_an_inference() -> None:
    with pytest.raises(CheckError) as error:
        _losing("60 cycles")
    assert re.fullmatch(
        r"chip generic-22nm: gating: cores were switched off \d+ times within an inference, or "
        r"between inferences whose state is carried, and their potentials and accumulators would "
        r"be lost: gating.retention must hold state, or gating.off_after be longer than a core "
        r"rests",
        str(error.value),
    )


def carried(carries: bool, off_after: str, memory: str = "[weights]") -> list:
    """Ten frames of the listener on a chip that is off between them."""
    changes = (f"gating.retention={memory}", f"gating.off_after={off_after}")
    listener = Workload.load("keyword-stream")
    stimulus = replace(listener.stimulus.chosen(np.arange(10)), carries=carries)
    chip = Chip.load("generic-22nm", changes)
    return always_on(replace(listener, stimulus=stimulus), chip, RATE, [Fraction(1)], ["off"],
                     frames=10)  # fmt: skip


def test_state_that_is_carried_must_not_be_lost_between_inferences() -> None:
    """[K5], [W30]"""
    (outcome,) = carried(False, "5000 cycles")
    counters = outcome.result.record.counters
    assert counters[:, COUNTER["off_wakes"]].sum() > 0 == counters[:, COUNTER["state_losses"]].sum()
    with pytest.raises(CheckError, match=r"switched off 18 times within an inference, or between"):
        carried(True, "5000 cycles")
    (outcome,) = carried(True, "5000 cycles", "[weights, state]")
    assert 18 == outcome.result.record.counters[:, COUNTER["state_losses"]].sum()
