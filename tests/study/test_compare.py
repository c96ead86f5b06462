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


# what is said, what is written in the place of a result
NUMBERS = [
    ("must hold finite numbers, not 1e999", "1e999"),
    ("must hold finite numbers, not Infinity", "Infinity"),
    ("must hold finite numbers, not NaN", "NaN"),
    ("must hold finite numbers, not 9999", "9" * 400),
    ("maximum recursion depth exceeded", "[" * 100_000),
]


@pytest.mark.parametrize(("said", "number"), NUMBERS, ids=[text[:9] for _, text in NUMBERS])
def test_a_number_that_is_none_is_refused(said, number, tmp_path, folders):
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "summary.json").write_text(f'{{"cycles": {number}}}')
    with pytest.raises(InputError, match=f"summary.json: must be a file of results: {said}"):
        compare(folders / "visit1", tmp_path)


def test_a_ratio_beyond_all_numbers_is_none(tmp_path):
    for name, cycles in (("a", "1e-300"), ("b", "1e300")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text('{"inputs": [3, {"sha256": "x"}]}')
        (tmp_path / name / "summary.json").write_text(f'{{"cycles": {cycles}}}')
    found = compare(tmp_path / "a", tmp_path / "b")
    assert [None] == [each.ratio for each in found.outputs]
    assert json.dumps(found.summary(), allow_nan=False)


# what is said, a table of a sweep
TABLES = [
    ("points.csv: must be the table of a sweep: 'utf-8' codec can't decode", b"point,\xff\n1,2\n"),
    ("points.csv: row 1: must have a point and a cell for each column", b"point,a\n1,2,3\n"),
    ("points.csv: row 2: must have a point and a cell for each column", b"point,a\n1,2\n1\n"),
    ("points.csv: row 1: must have a point and a cell for each column", b"poin,a\n1,2\n"),
]


@pytest.mark.parametrize(("said", "table"), TABLES)
def test_a_table_that_is_none_is_refused(said, table, tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "points.csv").write_bytes(table)
    with pytest.raises(InputError, match=said):
        compare(tmp_path, tmp_path)
