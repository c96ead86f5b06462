"""Two folders of results: every difference, and no other, the largest first."""

from __future__ import annotations

import json
import math

import pytest
from click.testing import CliRunner

from simulator import Chip, run, twin
from simulator.commands.compare import compare as command
from simulator.errors import InputError
from simulator.report.files import write_run, write_twin
from simulator.study.compare import compare


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Return two runs that differ in the cycles of a soma's visit."""
    folder = tmp_path_factory.mktemp("runs")
    for visit in (1, 9):
        chip = Chip.load("generic-22nm", {"core.soma.visit": f"{visit} cycles"})
        write_run(run("digits-mlp", chip, limit=2), folder / f"visit{visit}")
    return folder


def test_what_was_changed_is_named_and_nothing_else(folders):
    found = compare(folders / "visit1", folders / "visit9")
    assert [("chip.core.soma.visit", 1, 9)] == [(d.name, d.a, d.b) for d in found.inputs]


def test_the_largest_change_comes_first(folders):
    found = compare(folders / "visit1", folders / "visit9")
    sizes = [each.size for each in found.outputs if each.ratio is not None]
    assert sorted(sizes, reverse=True) == sizes and sizes[0] > math.log(2)
    a, b = (json.loads((folders / f"visit{n}/summary.json").read_text()) for n in (1, 9))
    (cycles,) = [each for each in found.outputs if each.name == "cycles"]
    assert b["cycles"] / a["cycles"] == cycles.ratio
    same = {"counters.synaptic_operations", "accuracy", "inferences"}
    assert not same & {each.name for each in found.outputs}


def test_the_same_folder_differs_in_nothing(folders):
    found = compare(folders / "visit1", folders / "visit1")
    assert ((), ()) == (found.inputs, found.outputs)
    assert found.sentence().startswith("Of what was asked nothing differs; of ")


def test_twins_are_compared_twin_by_twin(tmp_path):
    for limit in (1, 2):
        write_twin(twin("digits-mlp", limit=limit), tmp_path / f"{limit}")
    found = compare(tmp_path / "1", tmp_path / "2")
    names = {each.name for each in found.outputs}
    assert {"inferences", "snn.cycles", "qnn.cycles", "energy_ratio"} <= names


def test_json_has_every_difference(folders):
    asked = [str(folders / "visit1"), str(folders / "visit9"), "--json"]
    known = json.loads(CliRunner().invoke(command, asked, catch_exceptions=False).stdout)
    found = compare(*asked[:2])
    assert len(found.outputs) == len(known["outputs"]) and known["sentence"] == found.sentence()


def test_what_is_no_folder_of_results_is_refused(tmp_path, folders):
    with pytest.raises(InputError, match="must be a folder of results, which has a manifest.json"):
        compare(folders / "visit1", tmp_path)
    (tmp_path / "manifest.json").write_text("[1]")
    with pytest.raises(InputError, match="must be a file of results, not a list"):
        compare(folders / "visit1", tmp_path)
