"""--mapping DIR: who takes it, that it decides where neurons are, and what it may not go with; and
`map` with the neurons that never fire.
"""

import importlib
import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from simulator import Workload, run
from simulator.commands.verbs import VERBS, cli, function_name
from simulator.describe import mapping_file
from simulator.describe.study_file import Study
from simulator.errors import DescriptionError
from simulator.study.pipeline import compute

TAKES = {
    "run", "twin", "agree", "explain", "validate", "crossover", "timesteps", "coding", "budget",
    "always-on",
}  # fmt: skip
PLACED = """\
schema_version: 1
workload: digits-mlp
chip: generic-22nm
placement: {hidden1: [0, 1, 6, 7], hidden2: [56, 63], output: [62]}
"""


def done(*command: str) -> str:
    result = CliRunner().invoke(cli, list(command), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(autouse=True)
def as_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let verbs be loaded as those of a typed command are."""
    monkeypatch.setattr("sys.argv", ["spikemesh", "run"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mapping.yaml").write_text(PLACED)
    return tmp_path


def test_the_verbs_that_simulate_a_workload_take_a_mapping():
    def options(verb: str) -> set[str]:
        module = importlib.import_module(f"simulator.commands.{VERBS[verb][0]}")
        found = getattr(module, function_name(verb)).params
        return {name for one in found if isinstance(one, click.Option) for name in one.opts}

    assert TAKES == {verb for verb in VERBS if "--mapping" in options(verb)}


def test_validate_takes_it_and_shows_the_estimate_beside_the_simulation(folder, tmp_path):
    out = tmp_path / "out"
    said = done(
        "validate", "digits-mlp", "--chip", "generic-22nm", "--limit", "1", "--terms-only",
        "--mapping", str(folder), "-o", str(out),
    )  # fmt: skip
    assert "The estimate of the mapping, 7 cores" in said
    held = json.loads((out / "summary.json").read_text())["mapping"]
    assert 7 == held["cores"] and {"estimate", "simulated", "ratio"} == set(held["cycles"])
    placed = mapping_file.load(folder, Workload.load("digits-mlp"))
    assert held["cycles"]["simulated"] == run(placed, "generic-22nm", limit=1).record.cycles
    assert held["packets"]["ratio"] == pytest.approx(1, rel=0.05)


def test_an_estimate_of_nothing_has_no_ratio(tmp_path):
    out = tmp_path / "out"
    said = done(
        "validate", "mlp-4-4", "--limit", "1", "--terms-only", "--density", "0", "-o", str(out)
    )
    assert ["packets", "0", "0", "-"] in [line.split() for line in said.splitlines()]
    held = json.loads((out / "summary.json").read_text())["mapping"]
    assert {"estimate": 0, "simulated": 0, "ratio": None} == held["packets"]


def test_the_models_own_machine_takes_none(folder):
    command = ["validate", "digits-mlp", "--mapping", str(folder)]
    result = CliRunner().invoke(cli, command)
    assert "--mapping: must be left out on yan-2024, where every neuron has a core" in str(
        result.exception
    )


def test_crossover_takes_it(tmp_path):
    (tmp_path / "mapping.yaml").write_text(
        PLACED.replace("digits-mlp", "mlp-16-8").partition("placement")[0]
        + "placement: {repeat: [0], dense1: [63]}\n"
    )
    command = ["crossover", "mlp-16-8", "--limit", "1", "--resolution", "0.1", "--jobs", "1"]
    out = tmp_path / "out"
    done(*command, "--mapping", str(tmp_path), "-o", str(out))
    row = (out / "crossover.csv").read_text().splitlines()
    hops = float(dict(zip(row[0].split(","), row[1].split(",")))["hops"])
    assert hops > 7  # from corner to corner and back, where neighbours would do
    result = CliRunner().invoke(
        cli, [*command, "--neurons-per-core", "4", "--mapping", str(tmp_path)]
    )
    assert "--neurons-per-core: must not be given with --mapping" in str(result.exception)


STUDY = """\
schema_version: 1
name: placed
question: which mapping?
workloads: [digits-mlp]
limit: 1
{}
objectives: {{energy_j.per_inference: minimise}}
ask: [cores_used]
"""


def test_a_study_names_one_mapping_or_several(folder, tmp_path):
    """`mapping:` for all points, or an axis; a folder beside the study, or anywhere."""
    (folder / "near").mkdir()
    (folder / "near" / "mapping.yaml").write_text(PLACED.replace("56, 63", "8, 9"))
    study = tmp_path / "study.yaml"
    study.write_text(STUDY.format("axes: {mapping: [near, %s]}" % (folder / "mapping.yaml")))
    done("sweep", str(study), "-o", str(tmp_path / "out"), "--jobs", "1")
    rows = (tmp_path / "out" / "points.csv").read_text().splitlines()
    place = rows[0].split(",").index("cores_used")
    assert ["7", "7"] == [row.split(",")[place] for row in rows[1:]]
    joules = {row.split(",")[place - 1] for row in rows[1:]}
    assert 2 == len(joules)
    study.write_text(STUDY.format("mapping: near"))
    assert str(folder / "near") == Study.load(study).base["mapping"]
    study.write_text(STUDY.format("mapping: nowhere"))
    with pytest.raises(DescriptionError) as error:
        Study.load(study)
    assert "mapping: must be a folder of `spikemesh map` or a mapping.yaml, not 'nowhere'" in str(
        error.value
    )


def test_map_finds_silent_neurons_and_leaves_them_out(tmp_path):
    """The written workload is smaller, is placed by the mapping beside it, and reads the same."""
    out = tmp_path / "small"
    said = done(
        "map", "digits-mlp", "--effort", "quick", "--silent", "drop", "--inputs", "3", "-o",
        str(out),
    )  # fmt: skip
    assert "Silent neurons, over 3 inferences, left out" in said
    held = json.loads((out / "mapping.json").read_text())["silent"]
    assert (3, True) == (held["inferences"], held["left_out"])
    whole, small = Workload.load("digits-mlp"), Workload.load(out / "workload")
    dead = sum(len(one["silent"]) for one in held["populations"])
    sizes = [sum(one.n_neurons for one in each.network.populations) for each in (whole, small)]
    assert 0 < dead == sizes[0] - sizes[1]
    outputs = [compute(each, "snn", limit=3).raster.outputs.tolist() for each in (whole, small)]
    assert outputs[0] == outputs[1]
    placed = mapping_file.load(out, small)
    assert run(placed, "generic-22nm", limit=1).finished == 1
    assert "Silent neurons" not in done("map", "digits-mlp", "--effort", "quick")
