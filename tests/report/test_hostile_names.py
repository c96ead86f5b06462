"""Names that look like markup, end to end: layers, workload and folder are shown and written letter
by letter.
"""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from simulator.commands.verbs import cli
from simulator.describe.connections import Connection
from simulator.describe.network import Layer, Neuron, chain, fed
from simulator.describe.workload import Workload

LAYERS = ("features[relu]", "fc[/x]", "[b]:smile: <i>&amp;</i> {0} %s \\n [link=x]y[/link]")
NAME = "net[/bold] [red]<b>"


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """Return the name of a small workload's folder, in the folder tests run in."""
    layers = []
    for name, n_in, n in zip(LAYERS, (4, 3, 3), (3, 3, 2)):
        weight = np.full((n_in, n), 3, np.int32)
        connection = Connection("dense", weight, 8, (n_in,), (n,))
        neuron = Neuron("if", np.full(n, 4), np.zeros(n, np.int64), np.zeros(n, np.int64))
        layers.append(Layer(name, (n,), connection, neuron))
    values = np.ones((1, 2, 4), np.int32)
    made = Workload(NAME, chain((4,), layers), fed("raster", values, 1), 2)
    made = replace(made, neurons_per_core=1)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")
    made.save(tmp_path / "net[x]")
    return "net[x]/workload.yaml"


# what is asked of the workload, the folders of results with layers in them
ASKED = [
    ("run {} --mode snn", ["."]),
    ("twin {}", ["snn", "qnn"]),
    ("validate {} --limit 1 --terms-only --timesteps 2", []),
]


@pytest.mark.parametrize(("asked", "runs"), ASKED)
def test_a_layer_is_named_as_its_file_names_it(hostile, tmp_path, monkeypatch, capsys, asked, runs):
    arguments = [*asked.replace("{}", hostile).split(), "-o", "out[/b]"]
    monkeypatch.setattr("sys.argv", ["spikemesh", *arguments])
    cli.main(arguments, standalone_mode=False)
    said = capsys.readouterr()
    for name in LAYERS:
        assert name in said.out
    assert "wrote out[/b]" in said.err
    place = tmp_path / "out[/b]"
    assert arguments == json.loads((place / "manifest.json").read_text())["command"][1:]
    for run in runs:
        folder = place / run
        summary = json.loads((folder / "summary.json").read_text())
        manifest = json.loads((folder / "manifest.json").read_text())
        assert (NAME, NAME) == (summary["workload"], manifest["workload"]["name"])
        assert ["input", *LAYERS] == [layer["name"] for layer in summary["populations"]]
        assert set(LAYERS) == {part["population"] for part in manifest["mapping"]}
        with np.load(folder / "populations.npz", allow_pickle=False) as arrays:
            assert ["input", *LAYERS] == arrays["name"].tolist()
    if not runs:
        rows = csv.DictReader((place / "terms.csv").read_text().splitlines())
        assert {row["layer"] for row in rows} >= set(LAYERS)
