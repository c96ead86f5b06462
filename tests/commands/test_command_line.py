"""The command line as a user meets it: exit codes, streams, words, and how fast help is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.commands.verbs import VERBS

ROOT = Path(__file__).resolve().parents[2]


def spikemesh(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "simulator", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd or ROOT,
        timeout=300,
    )


def test_help_names_every_verb_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['spikemesh', '--help']\n"
        "from simulator.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'numba', 'numpy', 'simpy', 'pydantic', 'yaml', 'matplotlib'} & set(sys.modules)\n"
        "print('heavy:', sorted(heavy))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "heavy: []" in out.stdout
    for verb in VERBS:
        assert f" {verb} " in out.stdout


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_help_of_each_verb_teaches(verb: str) -> None:
    out = spikemesh(verb, "--help")
    assert out.returncode == 0, out.stderr
    assert "Usage" in out.stdout and len(out.stdout.splitlines()) > 5


@pytest.mark.parametrize(("verb", "name"), [("chips", "generic-22nm"), ("workloads", "digits-mlp")])
def test_lists_are_found_from_any_folder(verb: str, name: str, tmp_path: Path) -> None:
    out = spikemesh(verb, cwd=tmp_path)
    assert out.returncode == 0 and name in out.stdout


def test_validation_and_lists_do_not_import_numba() -> None:
    code = (
        "import sys\nfrom simulator.describe.chip import Chip\nfrom simulator.describe.workload "
        "import Workload\n"
        "Chip.load('generic-22nm'); Workload.load('digits-mlp'); print('numba' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert out.stdout.strip() == "False", out.stderr


def test_run_writes_where_it_is_told_and_reports_on_stdout(tmp_path: Path) -> None:
    change = ["--set", "core.synapse.lanes=4"]
    out = spikemesh(
        "run", "digits-mlp", "--mode", "qnn", "--limit", "2", *change, "-o", str(tmp_path / "r")
    )
    assert out.returncode == 0, out.stderr
    assert "Energy per inference by component" in out.stdout
    manifest = json.loads((tmp_path / "r" / "manifest.json").read_text())
    assert manifest["chip"]["core"]["synapse"]["lanes"] == 4
    assert json.loads((tmp_path / "r" / "summary.json").read_text())["inferences"] == 2


#: one core, with less memory for weights than the network needs
SMALL = ["--set", "mesh.width=1", "--set", "mesh.height=1"]
SMALL += ["--set", "core.memory.synapses=8 KiB"]
# arguments, exit code, what stderr ends with
BAD = [
    (["run", "digits-mpl", "--mode", "snn"], 2, "did you mean 'digits-mlp'?"),
    (["run", "digits-mlp", "--mode", "snn", "--chip", "loihi"], 2, "did you mean 'loihi1'?"),
    (
        ["twin", "digits-mlp", "--set", "core.synapse.lanez=4"],
        2,
        "--set core.synapse.lanez=4: core.synapse.lanez: unknown key; did you mean 'lanes'?",
    ),
    (["twn", "digits-mlp"], 2, "no command 'twn'; did you mean 'twin'?"),
    (["twin", "digits-mlp", "--set", "lanes"], 2, "--set: must be key.path=value, not 'lanes'"),
    (
        ["run", "digits-mlp", "--mode", "snn", *SMALL],
        2,
        "workload digits-mlp does not fit on chip generic-22nm: it needs 3 cores (hidden1 1, "
        "hidden2 1, output 1), "
        "the chip has 1, 2 too few",
    ),
    (["check", "no-such-file.yaml"], 2, "no-such-file.yaml: must be a file, or one of "),
]


@pytest.mark.parametrize(("arguments", "code", "words"), BAD)
def test_bad_input_is_one_clear_line_and_exit_2(
    arguments: list[str], code: int, words: str
) -> None:
    out = spikemesh(*arguments)
    assert out.returncode == code
    assert "Traceback" not in out.stderr
    assert words in out.stderr


def test_check_reports_all_faults_of_all_files(tmp_path: Path) -> None:
    text = (ROOT / "chips" / "generic-22nm.yaml").read_text()
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        text.replace("buffer: 8 flits", "buffer: 0 flits").replace("lanes: 8", "lanes: -1")
    )
    out = spikemesh("check", "generic-22nm", "digits-cnn", str(bad))
    assert out.returncode == 2
    assert out.stdout.splitlines()[:2] == [
        "generic-22nm: chip generic-22nm is sound",
        "digits-cnn: workload digits-cnn is sound",
    ]
    assert (
        "4 populations, 3 projections; a timestep takes 1 chip step, an inference of 4 timesteps 7"
        in " ".join(out.stdout.split())
    )
    lines = out.stderr.splitlines()
    assert len(lines) == 2
    assert "router.buffer: must be at least 1 flit, not '0 flits'" in lines[0]
    assert "core.synapse.lanes: must be at least 1, not -1" in lines[1]


@pytest.mark.parametrize("kind", ["chip", "workload"])
def test_schema_is_json_and_names_the_keys(kind: str) -> None:
    out = spikemesh("schema", kind)
    schema = json.loads(out.stdout)
    assert schema["type"] == "object"
    assert {"schema_version", "name", "about"} <= set(schema["properties"])


def test_agree_says_so(tmp_path: Path) -> None:
    out = spikemesh("agree", "digits-mlp", "--limit", "1")
    assert out.returncode == 0, out.stderr
    assert out.stdout.splitlines()[-1] == "both engines agree on all 2 runs"


def test_a_folder_that_cannot_be_written_is_said_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file" / "x", Path("/dev/null")):
        out = spikemesh("run", "digits-mlp", "--mode", "snn", "-o", str(place))
        assert out.returncode == 2
        assert out.stdout == ""
        assert "Traceback" not in out.stderr
    out = spikemesh("run", "digits-mlp", "--mode", "snn", "-o", "", cwd=tmp_path)
    assert out.returncode == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_a_run_that_fails_leaves_no_folder(tmp_path: Path) -> None:
    assert (
        spikemesh(
            "run", "digits-mlp", "--mode", "snn", *SMALL, "-o", str(tmp_path / "out")
        ).returncode
        == 2
    )
    assert not (tmp_path / "out").exists()


def test_a_terminal_without_greek_letters_gets_plain_ones() -> None:
    out = subprocess.run(
        [sys.executable, "-m", "simulator", "run", "digits-mlp", "--mode", "snn", "--limit", "1"],
        capture_output=True,
        cwd=ROOT,
        timeout=300,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"},
    )
    assert out.returncode == 0, out.stderr
    assert b" us (" in out.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_one_line() -> None:
    with open("/dev/full", "w") as full:
        out = subprocess.run(
            [
                sys.executable,
                "-m",
                "simulator",
                "run",
                "digits-mlp",
                "--mode",
                "snn",
                "--limit",
                "1",
            ],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            timeout=300,
        )
    assert out.returncode == 2
    assert out.stderr.splitlines()[-1] == "output: cannot be written: No space left on device"
