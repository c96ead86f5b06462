"""A trained spiking CNN of 28,480 neurons on real images, mapped on chips as they are.

Its arrays are not shipped: SPIKEMESH_DATA names their folder (tests/importers/
test_published_files.py), and without it these tests are skipped.
"""

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from simulator import Chip, Workload, run
from simulator.study.pipeline import compute, prepare
from simulator.timing.record import first_divergence

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "importers"))
from test_published_files import DATA, plain, spiking_cnn  # noqa: E402

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="SPIKEMESH_DATA names no folder")
WIDE = ("mesh.width=16", "mesh.height=16")
TIMESTEPS = 10


@cache
def loaded(timesteps: int) -> Workload:
    _, network, stimulus = spiking_cnn()
    return Workload("spikingcnn", network, stimulus, timesteps)


# chip  changes  most cores  most packets of the first image
ROOMS = [("loihi1", (), 90, None), ("generic-22nm", WIDE, 256, 150_000)]


@pytest.mark.parametrize("chip, changes, cores, packets", ROOMS)
def test_it_runs_on_chips_as_they_are_and_spikes_as_plain_numpy_does(chip, changes, cores, packets):
    result = run(loaded(TIMESTEPS), Chip.load(chip, changes), "snn", limit=1)
    assert result.mapping.n_used <= cores
    assert packets is None or result.count("packets_sent") <= packets
    raster = result.raster
    held, _, stimulus = spiking_cnn()
    spikes, outs = plain(held, stimulus.feeds[0].values[:1], TIMESTEPS)
    assert np.array_equal(outs[-1], raster.outputs)
    fired = [sum(int(step[layer].sum()) for step in spikes) for layer in range(3)]
    assert fired == [len(trace.neuron) for trace in raster.traces[1:4]]
    assert sum(fired) + 10 == result.count("spikes")  # and ten outputs


def test_its_packets_per_image_are_few_on_average_too():
    """Over all 500 images, counted from who fires and where it leads."""
    workload = loaded(TIMESTEPS)
    mapping = prepare(workload, Chip.load("generic-22nm", WIDE)).mapping
    raster, packets = compute(workload, "snn").raster, 0
    for path, fan in zip(workload.network.projections, mapping.targets):
        destinations = (fan.count > 0).sum(axis=1)[fan.kind]
        packets += int(destinations[raster.traces[path.source].neuron].sum())
    assert packets / 500 <= 150_000


@pytest.mark.slow
@pytest.mark.parametrize("chip, changes, cores, packets", ROOMS)
def test_both_engines_agree_on_it(chip, changes, cores, packets):
    """Over one timestep: the reference engine takes minutes of processor time for each."""
    workload = loaded(1)
    prepared = prepare(workload, Chip.load(chip, changes))
    scheduled = prepared.schedule(compute(workload, "snn", limit=1))
    ours, theirs = (
        scheduled.execute(engine, events=True).record for engine in ("compiled", "reference")
    )
    assert first_divergence(theirs, ours, prepared.plan) is None
