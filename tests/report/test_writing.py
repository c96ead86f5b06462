"""A folder of results is there whole or not at all, whatever happens to the run that makes it."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import numpy as np
import pytest

from simulator.commands.verbs import cli
from simulator.errors import InputError
from simulator.report import writing
from simulator.report.writing import MANIFEST, result_folder, whole_file

ROOT = Path(__file__).resolve().parents[2]


def whole(place, overwrite=False, text="{}"):
    with result_folder(place, overwrite) as folder:
        folder.text("table.csv", "a\n1\n")
        folder.text(MANIFEST, text)


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("before", ["nothing", "an empty folder", "a link to an empty folder"])
def test_a_new_or_an_empty_folder_is_taken(tmp_path, before):
    place = tmp_path / "out"
    if before == "an empty folder":
        place.mkdir()
    elif before != "nothing":
        (tmp_path / "there").mkdir()
        place.symlink_to("there")
    whole(place)
    assert [MANIFEST, "table.csv"] == sorted(os.listdir(place))
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]


def test_folders_above_are_made_and_taken_away_again(tmp_path):
    whole(tmp_path / "a" / "b" / "out")
    with pytest.raises(RuntimeError), result_folder(tmp_path / "c" / "d" / "out"):
        raise RuntimeError
    assert ["a"] == os.listdir(tmp_path)


def test_nothing_is_there_before_everything_is(tmp_path):
    with result_folder(tmp_path / "out") as folder:
        folder.text("table.csv", "a\n")
        assert not (tmp_path / "out").exists()
        folder.text(MANIFEST, "{}")
    with pytest.raises(ValueError, match="ends with its manifest.json"):
        with result_folder(tmp_path / "other") as folder:
            folder.text("table.csv", "a\n")
    assert ["out"] == os.listdir(tmp_path)


def test_a_folder_that_holds_files_is_replaced_as_a_whole_when_asked(tmp_path):
    whole(tmp_path / "out")
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match=r"out: must be a new or an empty folder"):
        whole(tmp_path / "out")
    assert "mine" == (tmp_path / "out" / "mine.txt").read_text()
    whole(tmp_path / "out", overwrite=True, text='{"second": 2}')
    assert ["out", f"out/{MANIFEST}", "out/table.csv"] == names(tmp_path)
    assert '{"second": 2}' == (tmp_path / "out" / MANIFEST).read_text()


def test_a_failure_leaves_the_older_folder(tmp_path):
    whole(tmp_path / "out", text='{"first": 1}')
    with pytest.raises(KeyboardInterrupt), result_folder(tmp_path / "out", overwrite=True):
        raise KeyboardInterrupt
    assert '{"first": 1}' == (tmp_path / "out" / MANIFEST).read_text()
    assert ["out"] == os.listdir(tmp_path)


def test_only_a_folder_of_results_is_replaced(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match=r"home: must be a folder of results to be replaced"):
        whole(tmp_path / "home", overwrite=True)
    assert ["letter.txt"] == os.listdir(tmp_path / "home")


def test_a_folder_that_is_being_written_is_refused(tmp_path):
    with result_folder(tmp_path / "out") as folder:
        with pytest.raises(InputError, match=r"out: must be free, not being written by another"):
            whole(tmp_path / "out")
        folder.text(MANIFEST, "{}")
    assert ["out"] == os.listdir(tmp_path)


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path):
    for ending in ("partial", "replaced"):
        (tmp_path / f".out.1-abc.{ending}").mkdir()
        (tmp_path / f".out.1-abc.{ending}" / "table.csv").write_text("half")
    (tmp_path / ".other.1-abc.partial").mkdir()
    whole(tmp_path / "out")
    assert [".other.1-abc.partial", "out"] == sorted(os.listdir(tmp_path))


# what is there, what is asked, what is said
PLACES = [
    ("file", "file", "file: must be a folder, not a file"),
    ("file", "file/out", "file/out: cannot be written: "),
    ("file", "x" * 300, "x" * 300 + ": cannot be written: File name too long"),
]


def stopped_at(number, place):
    """Write a folder and raise KeyboardInterrupt at so manieth line of the module that writes it;
    return whether there were as many.
    """
    left = number

    def trace(frame, event, argument):
        nonlocal left
        if frame.f_code.co_filename != writing.__file__:
            return None
        if event == "line":
            left -= 1
            if left == 0:
                sys.settrace(None)
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        whole(place)
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return left <= 0


#: a file opened in the very line is closed by the collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_ctrl_c_at_any_line_leaves_nothing_or_the_whole(tmp_path):
    number, ends = 1, set()
    while stopped_at(number, place := tmp_path / str(number) / "a" / "out"):
        there = names(tmp_path / str(number)) if (tmp_path / str(number)).exists() else []
        assert there in ([], ["a", "a/out", f"a/out/{MANIFEST}", "a/out/table.csv"]), number
        ends.add(len(there))
        number += 1
    assert number > 40 and {0, 4} == ends
    assert [MANIFEST, "table.csv"] == sorted(os.listdir(place))


@pytest.mark.parametrize(("there", "asked", "said"), PLACES)
def test_a_place_that_cannot_be_written_is_named(tmp_path, monkeypatch, there, asked, said):
    monkeypatch.chdir(tmp_path)
    Path(there).write_text("")
    with pytest.raises(InputError) as error:
        whole(asked)
    assert str(error.value).startswith(said)
    assert [there] == os.listdir(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_named(tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(InputError, match="closed/out: cannot be written: Permission denied"):
        whole(tmp_path / "closed" / "out")


def test_a_long_name_is_a_name(tmp_path):
    whole(tmp_path / ("x" * 250))
    assert ["x" * 250] == os.listdir(tmp_path)


def test_a_file_is_whole_or_not_there(tmp_path):
    with pytest.raises(RuntimeError), whole_file(tmp_path / "file") as file:
        file.write(b"half")
        raise RuntimeError
    assert [] == os.listdir(tmp_path)
    with whole_file(tmp_path / "file") as file:
        file.write(b"whole")
    assert b"whole" == (tmp_path / "file").read_bytes()


KILLED = """
import sys, time
from simulator.report.writing import MANIFEST, result_folder
with result_folder(sys.argv[1], overwrite=True) as folder:
    print("made", flush=True)
    for number in range(200):
        folder.text(f"{number}.txt", str(number))
    folder.text(MANIFEST, "{}")
"""


def test_a_run_killed_at_any_moment_leaves_nothing_or_the_whole(tmp_path):
    for milliseconds in range(0, 24, 2):
        run = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path / "out")],
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        with run:
            run.stdout.readline()
            time.sleep(milliseconds / 1000)
            run.send_signal(signal.SIGKILL)
        if (tmp_path / "out").exists():
            assert 201 == len(os.listdir(tmp_path / "out"))
    whole(tmp_path / "out", overwrite=True)
    assert ["out"] == os.listdir(tmp_path)


# every verb that writes, and the tables it leaves
WRITES = [
    (
        "run digits-mlp --mode qnn --limit 1",
        {"cores.npz", "populations.npz", "links.npz", "steps.npz"},
    ),
    ("twin digits-mlp --limit 1", {"snn", "qnn"}),
    ("validate digits-mlp --limit 1 --terms-only", {"terms.csv", "relaxed.csv"}),
    (
        "crossover mlp-8-2 --timesteps 2 --density average --resolution 0.05",
        {"crossover.csv"},
    ),
    (
        "always-on digits-mlp --frame-rate 10Hz --duty 0.1 --frames 10 --policy gate",
        {"points.csv"},
    ),
    ("noc --mesh 4x4 --traffic uniform --rate 0.1 --cycles 400", {"curve.csv"}),
    ("noc --mesh 4x4 --traffic uniform --rate 0.1 --cycles 99 --multicast 2", {"ways.csv"}),
    ("chips --check loihi1", {"claims.csv"}),
]
#: columns of words; all others hold numbers
WORDS = re.compile(
    r"twin|layer|term|cause|given_up|.*below|.*_encoding|density|policy|port|state|unit|what"
    r"|verdict|way|chip|claim|kind|known|setting|configuration|symbol|source|part"
)


@pytest.mark.parametrize(("asked", "tables"), WRITES)
def test_every_verb_writes_the_same_kind_of_folder(tmp_path, monkeypatch, asked, tables):
    arguments = [*asked.split(), "-o", str(tmp_path / "out")]
    monkeypatch.setattr("sys.argv", ["spikemesh", *arguments])
    cli.main(arguments, standalone_mode=False)
    found = set(os.listdir(tmp_path / "out"))
    page = set() if asked.startswith("chips") else {"report.html"}
    assert {"summary.json", MANIFEST} | page | tables == found
    about = json.loads((tmp_path / "out" / MANIFEST).read_text())
    assert ["spikemesh", *arguments] == about["command"] and "python" in about["versions"]
    assert {"seed", "set", "options", "inputs"} <= set(about)
    for path in (tmp_path / "out").glob("*.csv"):
        for row in csv.DictReader(path.read_text().splitlines()):
            for name, value in row.items():
                assert WORDS.fullmatch(name) or value == "" or float(value) == float(value), name
    with pytest.raises(InputError, match="must be a new or an empty folder"):
        cli.main(arguments, standalone_mode=False)


def test_the_list_of_chips_has_no_folder(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.argv", ["spikemesh", "chips"])
    with pytest.raises(click.UsageError, match="-o is for --check"):
        cli.main(["chips", "-o", str(tmp_path / "out")], standalone_mode=False)


#: an array of each kind that numpy writes in a way of its own
ARRAYS = {
    "rows": np.arange(60_000).reshape(-1, 6),
    "columns": np.random.default_rng(1).random((5, 40_000)).T,
    "strided": np.arange(200_000)[::2],
    "one": np.array(3.5),
    "none": np.zeros((0, 4)),
    "names": np.array(["a", "bcd"]),
    "flags": np.array([True, False]),
}


def test_arrays_are_written_with_the_bytes_of_numpy(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "BLOCK", 1 << 16)
    with result_folder(tmp_path / "out") as folder:
        folder.arrays("all.npz", ARRAYS)
        folder.text(MANIFEST, "{}")
    np.savez_compressed(tmp_path / "expected.npz", **ARRAYS)
    assert (tmp_path / "expected.npz").read_bytes() == (tmp_path / "out/all.npz").read_bytes()
