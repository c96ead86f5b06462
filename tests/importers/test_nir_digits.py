"""The digits through NIR are the shipped workload: its spikes and its activations."""

import numpy as np
import pytest

from simulator.behaviour import raster
from simulator.describe.library import folder
from simulator.describe.workload import Workload
from simulator.importers.choices import Choices
from simulator.study.importing import bring

CHOICES = Choices(
    dt=1.0, reset="subtract", compare="ge", initial="half", spikes_per_step="one", lower="none",
    timesteps=4,
)  # fmt: skip


@pytest.mark.parametrize("name", ["digits-mlp", "digits-cnn"])
def test_digits_through_nir_are_the_shipped_ones(name: str) -> None:
    shipped, place = Workload.load(name), folder("workload") / name
    brought = bring(place / f"{name}.nir", CHOICES, stimulus=place / "arrays.npz", limit=20)
    workload = brought.workload
    assert 0 == sum(one.differing for one in brought.changed)
    assert all(one.error == 0 for one in brought.imported.rounded)
    assert (shipped.stimulus.labels == workload.stimulus.labels).all()
    assert [p.name for p in shipped.network.populations] == [
        p.name for p in workload.network.populations
    ]
    for mode in ("snn", "qnn"):
        here, there = (
            raster.run(one.network, one.stimulus, mode, 4) for one in (workload, shipped)
        )
        assert there.accuracy == here.accuracy and 0 == here.overflows
        assert (there.outputs == here.outputs).all()
        for mine, other in zip(here.traces, there.traces):
            assert np.array_equal(other.start, mine.start)
            assert np.array_equal(other.neuron, mine.neuron)
            assert np.array_equal(other.value, mine.value)
