"""The work a step gives to a core's units is what those units were busy with."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.account.step_load import loads
from simulator.study.simulation import run
from simulator.timing.record import BUSY


@pytest.mark.parametrize("mode", ["snn", "qnn"])
@pytest.mark.parametrize("chip", ["generic-22nm", "loihi1"])
def test_all_steps_are_the_busy_cycles_of_the_run(mode: str, chip: str) -> None:
    result = run("digits-mlp", chip, mode, limit=3)
    load = loads(result.plan, result.schedule.activity)
    assert result.record.unit_cycles[:, :, BUSY].tolist() == load.sum(axis=0).tolist()


def test_a_part_of_the_steps_is_that_part() -> None:
    result = run("digits-mlp", mode="snn", limit=3)
    activity = result.schedule.activity
    whole = loads(result.plan, activity)
    assert np.array_equal(whole[4:9], loads(result.plan, activity, 4, 9))
    assert loads(result.plan, activity, 5, 5).shape == (0, *whole.shape[1:])
    step = np.diff([*result.record.step_start, result.record.cycles])
    assert (whole.max(axis=(1, 2)) <= step).all()
