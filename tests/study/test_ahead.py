"""Studies simulated in several processes find what one process finds."""

from fractions import Fraction

import pytest

from simulator import Chip, Workload
from simulator.study.always_on import always_on
from simulator.study.controlled import named
from simulator.study.crossover import sweep
from simulator.timing.record import first_divergence

RESOLUTION = 0.02


@pytest.mark.parametrize("density", [0.2, "worst"])
def test_the_number_of_processes_changes_nothing(density) -> None:
    workload = named("mlp-12-8")
    chips = [({}, Chip.load("yan-2024"))]
    told: list[list[int]] = []
    found = []
    for jobs in (1, 2):
        done: list[int] = []
        how = {"density": density, "inferences": 1, "seeds": 2, "resolution": RESOLUTION}
        told.append(done)
        found.append(
            sweep(
                workload,
                chips,
                (2,),
                jobs=jobs,
                progress=lambda _, n, of, done=done: done.append(n),
                **how,
            )
        )
    assert found[0] == found[1]
    assert all(counts == sorted(counts) and counts for counts in told)


def test_always_on_with_several_processes_is_always_on_with_one() -> None:
    found = [
        always_on(
            Workload.load("digits-mlp"),
            Chip.load("generic-22nm"),
            Fraction(1000),
            [Fraction(1, 4), Fraction(1, 2)],
            ("never", "gate"),
            frames=8,
            jobs=jobs,
        )
        for jobs in (1, 2)
    ]
    assert 4 == len(found[0])
    for one, other in zip(*found, strict=True):
        assert one.policy == other.policy and one.result.summary() == other.result.summary()
        assert first_divergence(one.result.record, other.result.record) is None
        assert one.result.executed.digest == other.result.executed.digest
