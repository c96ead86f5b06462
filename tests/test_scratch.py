"""Arrays in temporary files: read as they were written, in no folder, and in memory no longer than
asked for.
"""

import gc
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from simulator import memory, scratch
from simulator.scratch import Scratch, filled, give_back

ROOT = Path(__file__).resolve().parent.parent
MIB = 1 << 20


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture(params=[0, 1 << 30], ids=["in a file", "in memory"])
def place(request, monkeypatch, tmp_path) -> Path:
    """Return the folder of temporary files, with arrays in it or not."""
    monkeypatch.setattr(scratch, "MOST_IN_MEMORY", request.param)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_arrays_are_read_as_they_were_written_in_any_order(place: Path) -> None:
    rows = np.arange(12).reshape(4, 3)
    made = Scratch({"a": (np.int64, (4, 3)), "b": (np.int32, (2,)), "none": (float, (0, 5))})
    made.put("a", 6, rows[2:])
    made.put("b", 1, np.array([7]))
    made.put("a", 0, rows.T[:, :2].T)  # in C order, whatever order they lie in
    assert [] == list(place.iterdir())
    assert rows.tolist() == made.arrays["a"].tolist()
    assert ([0, 7], np.int32) == (made.arrays["b"].tolist(), made.arrays["b"].dtype)
    assert (0, 5) == made.arrays["none"].shape
    assert np.ndarray is type(made.arrays["a"]) and not made.arrays["a"].flags.writeable


def test_more_than_an_array_holds_is_refused(place: Path) -> None:
    with pytest.raises(ValueError, match=r"^a: 3 \+ 2 entries are more than \(2, 2\)$"):
        Scratch({"a": (np.int64, (2, 2))}).put("a", 3, np.zeros(2))


def test_blocks_of_columns_fill_an_array(place: Path) -> None:
    whole = np.random.default_rng(1).random((3, 10))
    assert np.array_equal(
        whole, filled((3, 10), ((at, whole[:, at : at + 4]) for at in range(0, 10, 4)))
    )


def test_a_file_is_closed_with_its_arrays(place: Path) -> None:
    before = open_files()
    made = Scratch({"a": (np.int64, (3,))})
    view = made.arrays["a"][1:]
    del made
    assert [0, 0] == view.tolist()
    del view
    unread = Scratch({"a": (np.int64, (3,))})
    del unread
    gc.collect()
    assert before == open_files()


def test_what_was_read_leaves_the_memory_when_it_is_given_back(monkeypatch) -> None:
    size = 64 * MIB
    made = Scratch({"a": (np.uint8, (size,))})
    made.put("a", size - 1, np.array([3], np.uint8))
    array = made.arrays["a"]
    before = memory.resident()
    assert 3 == array.sum()
    assert memory.resident() - before > size * 0.9
    give_back(array[5:], np.zeros(3))
    assert memory.resident() - before < size * 0.1
    assert 3 == array.sum()


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    """A process that may not write long files meets the end of the disk where it reserves room."""

    def spikemesh(most: int, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "simulator", "run", "digits-mlp", "--mode", "snn", *arguments],
            capture_output=True, text=True, timeout=300, cwd=ROOT,
            env={**os.environ, "TMPDIR": str(tmp_path)},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
        )  # fmt: skip

    spikemesh(1 << 30, "--limit", "1")  # compiles
    found = spikemesh(1 << 20, "--chunk", "200", "-o", str(tmp_path / "out"))
    assert (2, 1) == (found.returncode, found.stderr.count("\n")), found.stderr
    assert found.stderr.startswith("temporary files: must be in a folder that has room for 2.")
    assert f" MiB, not in {tmp_path}: " in found.stderr
    assert found.stderr.endswith("; TMPDIR names another folder\n")
    assert [] == list(tmp_path.iterdir())
