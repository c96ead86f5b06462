"""Crossovers simulated in several processes find what one process finds."""

import pytest

from simulator import Chip
from simulator.study.controlled import named
from simulator.study.crossover import sweep

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
