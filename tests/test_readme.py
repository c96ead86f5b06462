"""README.md shows what the commands print today."""

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
