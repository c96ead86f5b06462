"""Overlapped inferences: what a run sends and computes stays, its steps and its pace follow from
the offsets of its populations.
"""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from simulator import Chip, run
from simulator.study.always_on import always_on
from simulator.timing.record import COUNTER

#: what only time decides
TIMED = ("gate_wakes", "off_wakes", "state_losses", "reload_cycles")
#: workload, twin, firing, T, steps of an inference, steps from one entry to the next
PACES = [
    ("digits-mlp", "qnn", "streaming", 4, 4, 1),
    ("digits-mlp", "snn", "streaming", 4, 7, 4),
    ("digits-mlp", "snn", "accumulate", 4, 16, 4),
    ("digits-residual", "qnn", "streaming", 3, 7, 1),
    ("digits-residual", "snn", "streaming", 3, 9, 3),
    ("digits-recurrent", "snn", "streaming", 3, 5, 3),
]


@pytest.fixture(scope="module", params=PACES, ids=lambda pace: "-".join(map(str, pace[:3])))
def both(request):
    """Return a pace and three inferences of it, one after another and overlapped."""
    name, mode, firing, timesteps, *_ = request.param
    from simulator.describe.workload import Workload

    workload = Workload.load(name, (f"twin.firing={firing}",))
    how = {"timesteps": timesteps, "limit": 3}
    return request.param, *(
        run(workload, "generic-22nm", mode, overlap=overlap, **how) for overlap in (False, True)
    )


def test_an_inference_enters_every_window(both) -> None:
    (*_, steps, pace), alone, overlapped = both
    assert 3 * steps == len(alone.record.step_start)
    assert 2 * pace + steps == len(overlapped.record.step_start)
    assert [0, pace, 2 * pace] == overlapped.schedule.first_step.tolist()
    assert 3 == alone.finished == overlapped.finished


def test_overlapped_inferences_do_and_predict_the_same(both) -> None:
    _, alone, overlapped = both
    assert (alone.raster.outputs == overlapped.raster.outputs).all()
    kept = [column for name, column in COUNTER.items() if name not in TIMED]
    assert (alone.record.counters[:, kept] == overlapped.record.counters[:, kept]).all()


def test_a_lone_inference_takes_what_it_takes(both) -> None:
    (name, mode, *_), alone, overlapped = both
    lone = run(alone.workload, alone.chip, mode, timesteps=alone.timesteps, limit=1, overlap=True)
    first = run(alone.workload, alone.chip, mode, timesteps=alone.timesteps, limit=1)
    assert first.latency_cycles.tolist() == lone.latency_cycles.tolist()
    assert first.record.cycles == lone.record.cycles
    assert first.latency_cycles[0] == alone.latency_cycles[0]


def test_throughput_is_from_end_to_end(both) -> None:
    _, alone, overlapped = both
    for result in (alone, overlapped):
        end = result.end_cycles
        expected = 2 / ((end[2] - end[0]) * 2e-9)
        assert expected == pytest.approx(result.throughput, rel=1e-12)
        assert result.throughput == result.summary()["throughput_inferences_per_s"]
    assert overlapped.throughput > 1.2 * alone.throughput
    assert overlapped.summary()["overlap"] and not alone.summary()["overlap"]


def test_state_is_cleared_between_inferences_and_not_before_the_first() -> None:
    written = [
        run("digits-mlp", "generic-22nm", mode, timesteps=2, limit=n, overlap=overlap)
        for mode, n, overlap in (
            ("snn", 1, False),
            ("snn", 3, False),
            ("snn", 3, True),
            ("qnn", 3, True),
        )
    ]
    neurons = sum(
        population.n_neurons
        for number, population in enumerate(written[0].workload.network.populations)
        if number in written[0].workload.network.computed
    )
    assert [0, 2 * neurons, 2 * neurons, 0] == [one.count("state_clears") for one in written]
    in_bulk = Chip.load("generic-22nm", ("core.soma.clear=bulk",))
    bulk = run("digits-mlp", in_bulk, "snn", timesteps=2, limit=3)
    assert 0 == bulk.count("state_clears") and bulk.record.cycles < written[1].record.cycles


def test_rare_frames_meet_an_empty_chip_whether_they_may_overlap_or_not() -> None:
    apart = [
        always_on(
            "digits-mlp", "generic-22nm", Fraction(100), [Fraction(1, 10)], ["gate"],
            frames=20, timesteps=2, overlap=overlap,
        )[0]
        for overlap in (False, True)
    ]  # fmt: skip
    assert (apart[0].latency_cycles == apart[1].latency_cycles).all()
    assert apart[0].power == apart[1].power


def test_frames_faster_than_an_inference_overlap_and_wait_less() -> None:
    lone = run("digits-mlp", "generic-22nm", "qnn", timesteps=4, limit=1)
    rate = Fraction(2 * 500_000_000, lone.record.cycles)
    slow, fast = (
        always_on(
            "digits-mlp", "generic-22nm", rate, [Fraction(1)], ["never"],
            mode="qnn", frames=20, timesteps=4, overlap=overlap,
        )[0]
        for overlap in (False, True)
    )  # fmt: skip
    assert slow.is_overloaded
    assert fast.result.record.cycles < slow.result.record.cycles
    assert fast.latency_cycles.max() < slow.latency_cycles.max() / 2
    assert (np.diff(fast.result.schedule.first_step) < 4).all()


def test_a_run_stopped_between_entries_has_whole_inferences() -> None:
    result = run("digits-mlp", "generic-22nm", "qnn", timesteps=4, limit=6, overlap=True)
    steps = [replace(result.schedule).finished(n) for n in range(10)]
    assert [0, 0, 0, 0, 1, 2, 3, 4, 5, 6] == steps
