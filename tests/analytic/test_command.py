"""The command `analytic`, its tables and its pictures."""

import builtins
import csv
import re
import subprocess
import sys
import time

import numpy as np
import pytest
from click.testing import CliRunner

from simulator.analytic import published
from simulator.analytic.constants import hardware
from simulator.commands.analytic import analytic
from simulator.errors import CheckError, InputError, SpikemeshError
from simulator.report.writing import csv_text
from simulator.study.landscape import (
    configuration_grid,
    hop_grid,
    landscapes,
    rate_grid,
    reuse_grid,
)


def run(*arguments):
    return CliRunner().invoke(analytic, arguments)


EFFICIENT = """\
Energy per output neuron and inference
part                 SNN (pJ)   share  QNN (pJ)   share
accumulate               8.93   1.6 %
multiply-accumulate                       14.47   1.4 %
threshold tests          0.11   0.0 %
clamps                                     0.11   0.0 %
resets                   0.00   0.0 %
membrane access          0.00   0.0 %
weight reads            50.79   9.2 %     50.79   4.8 %
transfers              491.52  89.1 %    983.04  93.8 %
compute                  9.04             14.58
data movement          542.31  sparse  1,033.83  sparse
total                  551.35          1,048.41

SNN / QNN                                         0.5259
for                                               T = 2, s_r = 0.02, d = 0.04, N = 4096, 8-bit weights, H = 1
cheaper on compute alone                          SNN
breakeven spike rate at d = 0.04                  0.03803 (SNN is cheaper below)
breakeven spike rate, d following it (best case)  0.1236 (SNN is cheaper below)
breakeven hops                                    none in 0..64: SNN is cheaper throughout
spike rate above which dense transfer wins        0.1692
"""  # noqa: E501


def lines(text):
    return [line.rstrip() for line in text.splitlines()]


def test_energy_of_the_efficient_configuration():
    found = run("--configuration", "efficient", "--density", "best")
    assert 0 == found.exit_code
    assert lines(EFFICIENT) == lines(found.output)


def test_options_win_over_the_configuration():
    found = run(
        "--configuration", "efficient", "--timesteps", "5", "--rate", "0.06", "--fan-in", "64"
    )
    assert "T = 5, s_r = 0.06, d = 0.1, N = 64, 8-bit weights, H = 1" in found.output


def test_published_prints_both_numbers_and_counts():
    found = run("--published")
    assert 0 == found.exit_code
    words = (
        "55 of 64 published numbers met to the printed digit (21 identities, 26 fits, "
        "8 predictions), 0 beyond it, 9 not reproducible by formula"
    )
    assert words == lines(found.output)[-1]
    row = next(line for line in found.output.splitlines() if "Table II, T = 3: SNN" in line)
    cells = re.split(r" {2,}", row.strip())
    shown = ["Table II, T = 3: SNN", "1204.72", "1204.7175", "-0.0025", "0.01", "pJ", "fit", "met"]
    assert shown == cells


def test_published_fails_with_1_when_a_number_is_beyond_its_digit(monkeypatch):
    monkeypatch.setitem(published.TABLE_PRINTED, 3, ("1204.73", "1226.38", "0.9823"))
    error = run("--published").exception
    assert isinstance(error, CheckError) and 1 == error.exit_code
    assert "beyond the printed digit: Table II, T = 3: SNN" == str(error)


def test_constants_are_listed_with_how_each_is_known():
    found = run("--constants")
    words = ("read", "derived", "solved", "extrapolated")
    known = [word for line in lines(found.output) for word in words if f"  {word}  " in line]
    expected = ["read"] * 3 + ["derived"] + ["read"] * 6 + ["solved"] * 8 + ["extrapolated"]
    assert [*expected, "solved", "read", "read", "solved", "solved"] == known
    assert 24 == sum("2409.08290" in line for line in lines(found.output))


# arguments, refusal
REFUSED = [
    (
        ("--density", "most"),
        "--density: must be a number from 0 to 1, or one of best, average, worst, not 'most'",
    ),
    (
        ("--configuration", "big"),
        "configuration: must be one of efficient, typical, high-performance, not 'big'",
    ),
    (
        ("--setting", "free"),
        "setting: must be one of theoretical-minimum, typical, worst-case, not 'free'",
    ),
    (("--rate", "2"), "--rate: must be a number from 0 to 1, not '2'"),
]


@pytest.mark.parametrize(("arguments", "words"), REFUSED)
def test_refusals_word_for_word(arguments, words):
    error = run(*arguments).exception
    assert isinstance(error, InputError)
    assert words == str(error)


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from simulator.commands.analytic import analytic; "
        "analytic(['--help'], standalone_mode=False); "
        "sys.exit(any(name in sys.modules for name in ('numpy', 'matplotlib', 'pydantic', "
        "'numba')))"
    )
    start = time.perf_counter()
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert 0 == found.returncode, found.stderr
    assert (
        time.perf_counter() - start < 5
    )  # a stuck import; the modules above are what keeps it fast


# --- pictures
# ----------------------------------------------------------------------

TYPICAL = hardware("typical")


def test_rate_grid_changes_colour_at_the_breakeven():
    grid = rate_grid(8, 4096, TYPICAL)
    for column in range(15):
        below = grid.y < grid.breakeven[column]
        assert (grid.ratio[below, column] < 1).all() and (grid.ratio[~below, column] >= 1).all()


def test_refused_cells_are_empty_and_allowed_ones_are_marked():
    strict, free = rate_grid(4, 64, TYPICAL), rate_grid(4, 64, hardware(allow_extrapolated=True))
    assert [4, 5, 6, 7] == strict.x[strict.known[0] == "solved"].tolist()
    assert np.isnan(strict.ratio[strict.known == "refused"]).all()
    assert {"solved", "extrapolated"} == set(free.known[0]) and np.isfinite(free.ratio).all()


def test_a_configuration_without_a_twin_is_empty_and_says_so():
    # 31 steps at a rate of 0.2 are 6.2 spikes per input, where the best case sends one each
    grid = configuration_grid(allow_extrapolated=True)
    row = grid.y.tolist().index("high-performance, best")
    assert {"infeasible"} == set(grid.known[row]) and np.isnan(grid.ratio[row]).all()
    others = np.delete(grid.known, row, axis=0)
    assert "infeasible" not in others and np.isfinite(np.delete(grid.ratio, row, axis=0)).all()


def test_hop_grid_holds_the_published_breakevens():
    grid = hop_grid(TYPICAL)
    assert ["0.455", "0.249", "0.125", "0.083", "0.046"] == [
        f"{point:.3f}" for point in grid.breakeven
    ]


def test_reuse_of_a_twin_never_makes_it_dearer():
    ratio = reuse_grid(1.0, TYPICAL).ratio
    assert (np.diff(ratio, axis=1) >= 0).all()  # the quantised twin's reuse
    assert (np.diff(ratio, axis=0) <= 0).all()  # the spiking network's


def test_csv_gives_back_every_cell():
    grid = rate_grid(4, 64, TYPICAL)
    header, *rows = csv.reader(csv_text(grid.columns, grid.rows()).splitlines())
    assert ["timesteps", "rate", "ratio", "known"] == header
    ratio = np.array([float(row[2]) if row[2] else np.nan for row in rows]).reshape(
        grid.ratio.shape
    )
    np.testing.assert_array_equal(grid.ratio, ratio)


def test_landscape_writes_every_grid_and_picture(tmp_path):
    found = run("--landscape", str(tmp_path / "pictures"))
    assert 0 == found.exit_code, found.exception
    pictures = ["rate.png", "hops.png", "reuse.png", "configurations.png"]
    expected = {f"{grid.name}.csv" for grid in landscapes()} | {
        "summary.json",
        "manifest.json",
        *pictures,
    }
    assert expected == {path.name for path in (tmp_path / "pictures").iterdir()}
    assert all(
        (tmp_path / "pictures" / name).read_bytes().startswith(b"\x89PNG") for name in pictures
    )


def test_without_matplotlib_the_extra_is_named_and_nothing_is_written(tmp_path, monkeypatch):
    load = builtins.__import__

    def refuse(name, *rest, **words):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return load(name, *rest, **words)

    monkeypatch.setattr(builtins, "__import__", refuse)
    error = run("--landscape", str(tmp_path / "pictures")).exception
    assert isinstance(error, SpikemeshError)
    said = "pictures need matplotlib, which is not installed: in the checkout, pip install -e "
    assert f"{said}'.[plot]'" == str(error)
    assert not (tmp_path / "pictures").exists()
