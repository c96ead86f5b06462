"""The digits through ONNX give the activations of the shipped workload."""

import sys
from pathlib import Path

import numpy as np
import pytest

from simulator import Workload
from simulator.describe.network import Network
from simulator.errors import InputError
from simulator.importers.choices import Choices
from simulator.importers.events import Drawn
from simulator.importers.formats import import_file

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "workloads" / "digits-mlp" / "digits-mlp.onnx"
sys.path.insert(0, str(ROOT / "tests" / "behaviour"))
from definitions import quantised  # noqa: E402


def test_every_activation_and_output_is_that_of_the_workload():
    shipped, imported = Workload.load("digits-mlp"), import_file(FILE, Choices())
    assert shipped.timesteps == imported.timesteps
    mine, _, outputs = quantised(imported.network, shipped.stimulus, 4)
    theirs, _, expected = quantised(shipped.network, shipped.stimulus, 4)
    assert np.array_equal(theirs[1], mine[1]) and np.array_equal(theirs[2], mine[2])
    # the unit of a readout is the file's own
    assert np.array_equal(expected, np.rint(outputs * imported.meaning[-1].unit))


def test_every_spike_is_that_of_the_workload():
    from definitions import streamed

    shipped, imported = Workload.load("digits-mlp"), import_file(FILE, Choices())
    few = shipped.stimulus.chosen(np.arange(150))
    mine, theirs = (streamed(one.network, few, 4)[0] for one in (imported, shipped))
    assert np.array_equal(theirs[1], mine[1]) and np.array_equal(theirs[2], mine[2])


def test_the_file_is_what_the_script_writes(monkeypatch):
    import onnx

    monkeypatch.syspath_prepend(ROOT / "workloads")
    from export_onnx import model

    assert model(Workload.load("digits-mlp")) == onnx.load(FILE)


def test_network_from_onnx_is_the_imported_network(tmp_path):
    images = Workload.load("digits-mlp").stimulus.feeds[0].values[:5]
    np.savez(tmp_path / "images.npz", image=images)
    network = Network.from_onnx(FILE, tmp_path / "images.npz")
    assert import_file(FILE, Choices()).network.digest() == network.digest()


def test_an_import_says_how_well_both_twins_read(tmp_path):
    from simulator.behaviour.raster import run
    from simulator.study.importing import bring

    shipped = Workload.load("digits-mlp")
    images, labels = shipped.stimulus.feeds[0].values, shipped.stimulus.labels
    np.savez(tmp_path / "images.npz", image=images, labels=labels)
    brought = bring(FILE, stimulus=tmp_path / "images.npz", limit=60)
    network, stimulus = brought.workload.network, brought.workload.stimulus
    expected = [run(network, stimulus, mode, 4, limit=60).accuracy for mode in ("qnn", "snn")]
    assert tuple(expected) == brought.accuracy_of_twins
    assert brought.workload.stimulus.feeds[0].values.tolist() == images.tolist()


@pytest.mark.parametrize(
    ("name", "value"), [("reset", "zero"), ("dt", 1e-3), ("weight_bits", 4), ("per_channel", False)]
)
def test_choices_that_the_file_makes_are_refused(name, value):
    with pytest.raises(InputError, match=f"^{name}: must be left out with an ONNX file, which"):
        import_file(FILE, Choices(**{name: value}))


def test_a_check_is_refused_by_name():
    from simulator.study.importing import bring

    with pytest.raises(InputError, match="^check: must be left out with an ONNX file"):
        bring(FILE, check="recorded.npz")


def test_inputs_are_drawn_where_none_are_given():
    found = import_file(FILE, Choices(), Drawn(0.25, 40, 16, seed=3)).stimulus.feeds[0].values
    assert 0.2 < (found != 0).mean() < 0.3 and 0 <= found.min() and found.max() <= 255
