"""README.md shows what the commands print today."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulator import twin
from simulator.report import terminal
from simulator.report.run import twin_view

README = Path(__file__).resolve().parent.parent / "README.md"


def report(width: int = 140) -> list[str]:
    """Return the lines `make demo` prints."""
    return terminal.text(
        twin_view(twin("digits-mlp", "generic-22nm", timesteps=4)), width
    ).splitlines()


def test_the_result_shown_is_the_result_printed() -> None:
    shown = README.read_text().split("<!-- result -->\n```text\n")[1].split("\n```")[0].splitlines()
    printed = report()
    missing = [line for line in shown if line.rstrip() not in printed]
    assert not missing


def test_the_share_of_assumed_energy_is_the_one_printed() -> None:
    shares = [line.split("  ")[1].split()[0] for line in report() if line.startswith("Evidence")]
    snn, qnn = (share.replace("%", " %") for share in shares)
    said = f"here {snn} of the spiking twin's and {qnn} of the quantised twin's"
    assert said in " ".join(README.read_text().split())


@pytest.mark.parametrize(
    "words",
    ["make demo", "make test", "spikemesh twin digits-mlp --chip generic-22nm --timesteps 4"],
)
def test_both_commands_and_what_they_stand_for_are_there(words: str) -> None:
    assert words in README.read_text()


def test_make_runs_the_lines_the_readme_gives() -> None:
    makefile = (README.parent / "Makefile").read_text()
    assert "spikemesh twin digits-mlp --chip generic-22nm --timesteps 4" in makefile
    assert "python -m pytest -n 2" in makefile


def test_what_is_next_runs_in_a_shell_that_did_what_the_readme_said(tmp_path: Path) -> None:
    if not (Path(sys.prefix) / "bin" / "activate").is_file():
        pytest.skip("the tests run outside a virtual environment")
    (tmp_path / ".venv").symlink_to(sys.prefix)  # what `make demo` leaves
    block = README.read_text().split("## Where next\n\n```bash\n")[1].split("```")[0]
    lines = block.splitlines()
    before = [line for line in lines if not line.startswith("spikemesh ")]
    assert lines[: len(before)] == before
    done = subprocess.run(
        ["sh", "-e"],
        input="\n".join([*before, "command -v spikemesh", "spikemesh --version"]),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )
    assert (0, "") == (done.returncode, done.stderr)
    assert "/bin/spikemesh" in done.stdout


def test_the_lines_of_what_is_next_run_as_printed(tmp_path: Path) -> None:
    if not (Path(sys.prefix) / "bin" / "activate").is_file():
        pytest.skip("the tests run outside a virtual environment")
    (tmp_path / ".venv").symlink_to(sys.prefix)  # what `make demo` leaves
    for name in ("chips", "workloads"):  # what a checkout holds
        (tmp_path / name).symlink_to(README.parent / name)
    block = README.read_text().split("## Where next\n\n```bash\n")[1].split("```")[0]
    home = {name: os.environ[name] for name in ("HOME", "SPIKEMESH_CACHE") if name in os.environ}
    done = subprocess.run(
        ["sh", "-e"],
        input=block,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", **home},
    )
    assert 0 == done.returncode, done.stderr
    assert "both engines agree on all 2 runs" in done.stdout
    assert (tmp_path / "results" / "dense" / "summary.json").is_file()
