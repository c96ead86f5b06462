"""BookSim 2 is asked for the same mesh, measured in this run, and said to have failed where it
did.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from booksim_stand_in import HOPS
from click.testing import CliRunner

from benchmarks import booksim_peer, command, figures, races
from benchmarks.command import bench
from benchmarks.figures import Figure, Peer, Sample
from benchmarks.measure import Failed

STAND_IN = Path(__file__).with_name("booksim_stand_in.py")
PERIOD = 2000


@pytest.fixture
def binary(tmp_path):
    path = tmp_path / "booksim"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "{STAND_IN}" "$@"\n')
    path.chmod(0o755)
    return path


def test_it_is_asked_for_the_same_mesh():
    asked = booksim_peer.configuration(16, "transpose", 0.05, PERIOD, 3).split("\n")
    for line in ("k = 16;", "traffic = transpose;", "injection_rate = 0.05;", "num_vcs = 1;"):
        assert line in asked
    assert {"vc_buf_size = 8;", f"sample_period = {PERIOD};", "seed = 3;"} <= set(asked)
    assert "burst_beta = 0.125;" in booksim_peer.configuration(8, "bursty", 0.05, PERIOD, 3)


@pytest.mark.parametrize("pattern", ["uniform", "transpose", "bursty"])
def test_a_run_converges_and_is_measured(binary, pattern):
    rate = booksim_peer.rate(str(binary), 8, pattern, 0.05, 2 * PERIOD, 3)
    # at least 0.05 s were burnt: all it carried in both periods, over that or more
    assert 0 < rate <= 64 * 2 * PERIOD * 0.05 * HOPS / 0.05


def test_it_runs_in_turn_with_us(binary):
    figure = races._mesh(races.Settings(True, 3, 5, str(binary)), 8, "uniform", 0.05, 20_000)
    (peer,) = figure.peers
    assert peer.ratio is not None and races.BOOKSIM_ROUNDS == peer.ratio.count
    assert 0 < peer.ratio.low <= figure.ratio(peer) <= peer.ratio.high
    assert "x BookSim 2" in figures.line(figure) and "2 rounds of A B B A" in figures.line(figure)


ANSWER = "Accepted flit rate average= 0.04\nAccepted flit rate average = 0.05 (1 samples)\n"
# what it printed, flit-hops of both periods on 8x8
ANSWERS = [
    (f"{ANSWER}Hops average = 6.25 (1 samples)\n", 64 * 4000 * 0.05 * 6.25),
    (f"{ANSWER}Simulation unstable, ending ...\n", None),
    ("", None),
]


@pytest.mark.parametrize("text, expected", ANSWERS)
def test_its_answer_is_read(text, expected):
    assert expected == booksim_peer.flit_hops(text, 8, 4000)


UNSTABLE = "Too many sample periods needed to converge\nSimulation unstable, ending ..."
# what is changed in the configuration, how the stand-in fails, what is said
FAILURES = [
    (("warmup_periods = 1", "warmup_periods = 0"), "", f"{UNSTABLE}\nit ended with code 0"),
    (("max_samples = 2", "max_samples = 0"), "", f"{UNSTABLE}\nit ended with code 0"),
    (("k = 8", "kay = 8"), "", "Parse error: Unknown field 'kay'\nit ended with code 255"),
    (("", ""), "abort", "Assertion `f' failed.\nit ended with signal 6"),
    (("", ""), "hang", "it was stopped after 0.5 s"),
]


@pytest.mark.parametrize("change, fate, said", FAILURES)
def test_a_run_that_fails_is_said_to_have_failed(binary, monkeypatch, change, fate, said):
    asked = booksim_peer.configuration
    monkeypatch.setattr(
        booksim_peer,
        "configuration",
        lambda *how: asked(*how).replace(*change) if fate == "" else asked(*how),
    )
    monkeypatch.setenv("STAND_IN", fate)
    monkeypatch.setattr(booksim_peer, "PATIENCE", 0.5 if fate == "hang" else 60)
    with pytest.raises(Failed) as failure:
        booksim_peer.rate(str(binary), 8, "uniform", 0.05, 2 * PERIOD, 3)
    assert failure.value.said.endswith(said)
    figure = races._mesh(races.Settings(True, 3, 1, str(binary)), 8, "uniform", 0.05, 20_000)
    assert (None, None) == (figure.peers[0].value, figure.is_met)


def test_what_is_no_program_is_said_to_be_none(tmp_path):
    path = tmp_path / "booksim"
    path.write_text("k = 8;")
    with pytest.raises(Failed, match="BookSim 2 .*: it cannot be run: Permission denied$"):
        booksim_peer.rate(str(path), 8, "uniform", 0.05, 2 * PERIOD, 3)


def test_a_failed_peer_is_shown_its_target_not_judged_and_the_command_fails(tmp_path, monkeypatch):
    peer = Peer.failed("BookSim 2", "Simulation unstable, ending ...")
    figure = Figure("flit-hops", Sample.of([2e6]), "flit-hops/s", 1e6, peers=(peer,), least_ratio=9)
    monkeypatch.setitem(command.RACES, "noc", lambda settings: [figure])
    file = tmp_path / "figures.json"
    result = CliRunner().invoke(bench, ["--only", "noc", "-o", str(file)])
    assert 1 == result.exit_code
    assert [
        "flit-hops                                            2.00 M flit-hops/s",
        "    target >= 1.00 M flit-hops/s and >= 9 x BookSim 2: not judged",
        "    BookSim 2 FAILED; it said last:",
        "        Simulation unstable, ending ...",
    ] == figures.line(figure).splitlines()
    assert "0 of 0 targets met" in result.output
    assert "peer failed, not judged against it: BookSim 2: flit-hops" in result.output
    (written,) = json.loads(file.read_text())["figures"]
    assert [None, None] == [written["is_met"], written["ratios"]["BookSim 2"]]
    assert [None, peer.failure] == [written["peers"][0][name] for name in ("value", "failure")]
