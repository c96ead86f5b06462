"""Activity that a workload states for some T is drawn: exact, the same for the same inference."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from simulator import Chip, Workload, run, twin
from simulator.analytic.constants import TABLE_NETWORK
from simulator.describe.stated_activity import Rate, StatedActivity
from simulator.errors import DescriptionError
from simulator.study.pipeline import compute

STATED = StatedActivity("a test", 3, (Rate(3, 0.1, 0.25), Rate(5, 0.2, 0.5)))
WINDOW = {"snn": 3, "qnn": 1}


def small() -> Workload:
    return replace(Workload.load("digits-mlp"), activity=STATED)


@pytest.mark.parametrize("mode, share", [("snn", 0.1), ("qnn", 0.25)])
def test_every_hidden_population_sends_what_is_stated_in_every_inference(mode, share):
    workload = small()
    raster = compute(workload, mode, 3, limit=4).raster
    for number in workload.network.hidden:
        trace, n = raster.traces[number], workload.network.populations[number].n_neurons
        sent = np.diff(trace.start).reshape(4, WINDOW[mode]).sum(axis=1)
        assert [round(share * WINDOW[mode] * n)] * 4 == sent.tolist()
        most = 1 if mode == "snn" else 3
        assert set(trace.value.tolist()) <= set(range(1, most + 1))


def test_at_other_numbers_of_timesteps_it_is_computed():
    plain = compute(Workload.load("digits-mlp"), "snn", 4, limit=3).raster
    here = compute(small(), "snn", 4, limit=3).raster
    assert np.array_equal(plain.outputs, here.outputs)
    assert not np.array_equal(plain.outputs, compute(small(), "snn", 3, limit=3).raster.outputs)


def test_the_same_inference_is_the_same_in_any_piece_and_another_seed_is_another():
    whole = twin(small(), timesteps=3, limit=6)
    pieces = twin(small(), timesteps=3, limit=6, chunk=2, jobs=1)
    for one, other in ((whole.snn, pieces.snn), (whole.qnn, pieces.qnn)):
        assert np.array_equal(one.raster.outputs, other.raster.outputs)
        assert one.count("packets_sent") == other.count("packets_sent")
    drawn = compute(small(), "snn", 3, limit=1).raster.traces[1].neuron
    seeded = replace(small(), activity=replace(STATED, seed=4))
    assert not np.array_equal(drawn, compute(seeded, "snn", 3, limit=1).raster.traces[1].neuron)


def test_it_is_saved_and_loaded(tmp_path: Path):
    small().save(tmp_path / "w")
    again = Workload.load(tmp_path / "w")
    assert STATED == again.activity and small().digest() == again.digest()


def test_a_number_of_timesteps_stated_twice_is_refused(tmp_path: Path):
    small().save(tmp_path / "w")
    file = tmp_path / "w" / "workload.yaml"
    tree = yaml.safe_load(file.read_text())
    tree["twin"]["activity"]["at"][1]["timesteps"] = 3
    tree["twin"]["activity"]["at"][0]["density"] = 1.5
    file.write_text(yaml.safe_dump(tree))
    with pytest.raises(DescriptionError, match="density"):
        Workload.load(tmp_path / "w")
    tree["twin"]["activity"]["at"][0]["density"] = 0.5
    file.write_text(yaml.safe_dump(tree))
    with pytest.raises(DescriptionError, match=r"must state T = 3 once, not twice"):
        Workload.load(tmp_path / "w")


def test_both_engines_agree_on_it():
    ran = [run(small(), timesteps=3, limit=1, engine=one) for one in ("compiled", "reference")]
    assert ran[0].record.cycles == ran[1].record.cycles
    assert ran[0].record.counters.tolist() == ran[1].record.counters.tolist()


def test_vgg16_cifar_states_what_was_published_with_its_source():
    stated = Workload.load("vgg16-cifar").activity
    assert "2409.08290" in stated.source
    found = {one.timesteps: (one.spike_rate, one.density) for one in stated.at}
    assert TABLE_NETWORK == found and set(range(3, 9)) == set(found)


@pytest.mark.parametrize("timesteps", TABLE_NETWORK)
def test_vgg16_cifar_fires_at_the_published_rates_in_both_twins(timesteps):
    workload = Workload.load("vgg16-cifar")
    hidden = workload.network.hidden
    places = sum(workload.network.populations[number].n_neurons for number in hidden)
    for mode, published in zip(("snn", "qnn"), TABLE_NETWORK[timesteps]):
        raster = compute(workload, mode, timesteps, limit=1).raster
        sent = sum(len(raster.traces[number].neuron) for number in hidden)
        window = timesteps if mode == "snn" else 1
        assert published == pytest.approx(sent / places / window, abs=1e-4)


def test_it_runs_on_a_chip():
    result = run(small(), Chip.load("loihi1"), "qnn", timesteps=5, limit=1)
    assert 0 < result.count("packets_sent")
