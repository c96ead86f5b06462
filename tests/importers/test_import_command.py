"""`spikemesh import` from end to end: a workload that runs, what was decided, what differs."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from simulator.commands.importing import TOOLS, import_
from simulator.describe.workload import Workload
from simulator.importers import habits

DATA = Path(__file__).parent / "data"


def asked(*arguments: str, folder: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "simulator", "import", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_an_import_leaves_a_workload_and_everything_that_was_decided(tmp_path: Path) -> None:
    shutil.copy(DATA / "snntorch-mlp.nir", tmp_path / "net.nir")
    shutil.copy(DATA / "snntorch-mlp.npz", tmp_path / "seen.npz")
    done = asked("net.nir", "-o", "mine", "--check", "seen.npz", folder=tmp_path)
    assert (0, "wrote mine\n") == (done.returncode, done.stderr)
    assert {"workload.yaml", "arrays.npz", "summary.json", "manifest.json"} == {
        file.name for file in (tmp_path / "mine").iterdir()
    }
    workload = Workload.load(tmp_path / "mine")
    assert ("net", 40, 10) == (workload.name, workload.timesteps, workload.stimulus.n_inferences)
    manifest = json.loads((tmp_path / "mine" / "manifest.json").read_text())
    assert ["net.nir", "seen.npz"] == [one["file"] for one in manifest["inputs"]]
    stated = {one["what"]: (one["value"], one["because"]) for one in manifest["stated"]}
    assert ("snnTorch", "tau / r is 0.0001 s in all neurons") == stated["read as a file of"]
    assert ("in the next timestep", "as snnTorch has it") == stated["reset takes effect"]
    summary = json.loads((tmp_path / "mine" / "summary.json").read_text())
    assert [0, 0] == [one["differing"] for one in summary["checked"]]
    assert "Against what was recorded" in done.stdout


def test_spikes_that_differ_end_with_1_and_a_workload(tmp_path: Path) -> None:
    file, seen = str(DATA / "snntorch-mlp.nir"), str(DATA / "snntorch-mlp.npz")
    done = asked(file, "-o", "mine", "--check", seen, "--reset", "zero", folder=tmp_path)
    assert 1 == done.returncode
    assert "of 2 recorded populations differ: 1: " in done.stderr.splitlines()[-1]
    assert (tmp_path / "mine" / "workload.yaml").is_file()


# what is said                                                           what is asked
REFUSED = [
    ("--dt: must be a number from 1e-12 to 1e+06, not 'nan'", ["--dt", "nan"]),
    ("--rate: must be left out beside --stimulus or --check", ["--rate", "0.1", "--check", "x"]),
    ("x.txt: must end in .npz, .npy, .csv, .nir, .h5, .hdf5, not '.txt'", ["--stimulus", "x.txt"]),
    ("x.npz: must be a file; there is none", ["--stimulus", "x.npz"]),
]


@pytest.mark.parametrize(("said", "options"), REFUSED)
def test_a_refusal_is_one_line_and_leaves_nothing(said: str, options: list, tmp_path: Path) -> None:
    done = asked(str(DATA / "snntorch-mlp.nir"), "-o", "mine", *options, folder=tmp_path)
    assert (2, f"{said}\n", "") == (done.returncode, done.stderr, done.stdout)
    assert not list(tmp_path.iterdir())


def test_dt_is_asked_for_by_its_option(tmp_path: Path) -> None:
    from nir_writer import chain

    ones = np.ones(1)
    lif = {"type": "LIF", "tau": ones, "r": ones, "v_leak": 0 * ones, "v_threshold": ones}
    chain(tmp_path / "n.nir", (1,), lif)
    done = asked("n.nir", "-o", "mine", folder=tmp_path)
    assert 2 == done.returncode and done.stderr.startswith("--dt: must be given in seconds: n.nir")


def test_tools_of_the_option_are_those_with_habits() -> None:
    assert set(TOOLS) == set(habits.TOOLS)
    assert {"--from", "--dt", "--reset", "--compare", "--spikes-per-step"} <= {
        name for option in import_.params for name in option.opts
    }
