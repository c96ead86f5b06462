"""In which chip step a layer works on which timestep, worked out from the offsets of
docs/machine.md.
"""

import numpy as np
import pytest

from simulator.behaviour import raster as behaviour
from simulator.describe.chip import Chip
from simulator.describe.workload import Workload
from simulator.mapping.activity import compile_activity
from simulator.mapping.machine import compile_plan
from simulator.mapping.partition import partition

INFERENCES, TIMESTEPS = 2, 3
# twin, firing, offsets of input, hidden1, hidden2 and output, steps of one inference
TABLE = [
    ("snn", "streaming", (0, 1, 2, 3), 3 + 3),  # [W2]
    ("snn", "accumulate", (0, 3, 6, 9), 9 + 3),  # [W3]
    ("qnn", "streaming", (0, 1, 2, 3), 3 + 1),  # [W5]
    ("qnn", "accumulate", (0, 1, 2, 3), 3 + 1),
]


@pytest.mark.parametrize("mode, firing, offsets, steps", TABLE)
def test_a_layer_works_an_offset_after_the_input(mode, firing, offsets, steps) -> None:
    """[W1], and [W4]: what enters once enters in the first step of its inference."""
    workload, chip = Workload.load("digits-mlp"), Chip.load("generic-22nm")
    mapping = partition(workload, chip)
    plan = compile_plan(chip, mapping)
    raster = behaviour.run(workload.network, workload.stimulus, mode, TIMESTEPS, firing, INFERENCES)
    schedule = compile_activity(workload, chip, mapping, plan, raster)
    activity = schedule.activity
    assert (offsets, steps) == (schedule.when.offset, schedule.steps_per_inference)
    assert INFERENCES * steps == activity.n_steps
    window = TIMESTEPS if mode == "snn" else 1
    step_of_work = np.repeat(np.arange(activity.n_steps), np.diff(activity.work_start))
    for cores, offset in zip(mapping.cores[1:], offsets[1:]):
        expected = {
            inference * steps + offset + timestep
            for inference in range(INFERENCES)
            for timestep in range(window)
        }
        assert expected == set(step_of_work[np.isin(activity.work_core, cores)].tolist())
    step_of_injection = np.repeat(np.arange(activity.n_steps), np.diff(activity.inject_start))
    assert workload.stimulus.feeds[0].kind == "current"
    assert {0, steps} == set(step_of_injection.tolist())
