"""A key nobody knows is answered with the one that was meant, wherever it stands."""

import pytest

from simulator import Chip, Workload
from simulator.errors import DescriptionError


def said(load, change: str) -> str:
    with pytest.raises(DescriptionError) as error:
        load(change)
    (fault,) = error.value.faults
    return fault


def chip(change: str) -> object:
    return Chip.load("generic-22nm", (change,))


def workload(change: str) -> object:
    return Workload.load("digits-mlp", (change,))


# what is changed, how the fault ends
MEANT = [
    (chip, "router.vcs=2", "unknown key; did you mean 'router.virtual_channels'?"),
    (chip, "router.bufer=2", "unknown key; did you mean 'buffer'?"),
    (chip, "weight_read=1 pJ", "unknown key; did you mean 'energy.weight_read'?"),
    (chip, "core.lanes=2", "unknown key; did you mean 'core.synapse.lanes'?"),
    (chip, "virtual_chanels=2", "unknown key; did you mean 'router.virtual_channels'?"),
    (chip, "gate_afer=never", "unknown key; did you mean 'gating.gate_after'?"),
    (chip, "qqqq=1", "qqqq: unknown key"),
    (workload, "timesteps=3", "unknown key; did you mean 'twin.timesteps'?"),
    (workload, "workload.timesteps=3", "unknown key; did you mean 'workload.twin.timesteps'?"),
    (workload, "workload.neurons_per_core=3", "did you mean 'workload.mapping.neurons_per_core'?"),
]


@pytest.mark.parametrize(("load", "change", "words"), MEANT)
def test_the_key_that_was_meant(load, change: str, words: str) -> None:
    assert said(load, change).endswith(words)


def test_fifty_faults_are_written_out_and_the_others_counted() -> None:
    error = DescriptionError([f"x.yaml:{n}: must be 1, not 2" for n in range(20_001)])
    lines = str(error).splitlines()
    assert (51, "x.yaml:49: must be 1, not 2", "and 19,951 more faults") == (
        len(lines), lines[49], lines[50],
    )  # fmt: skip
    assert 20_001 == len(error.faults)
