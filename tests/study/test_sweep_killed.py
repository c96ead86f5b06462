"""A sweep that is killed at any moment loses no finished point, and going on repeats none."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sweeps import grid, without_seconds, written

PATIENCE = 300.0


def begin(study: Path, out: Path, *options: str) -> subprocess.Popen:
    """Start a sweep in a process of its own."""
    command = [sys.executable, "-m", "simulator", "sweep", str(study), "-o", str(out), *options]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def finished(out: Path) -> dict[str, int]:
    """Return the points that are finished, and when each was."""
    return {
        path.parent.name: path.stat().st_mtime_ns for path in out.glob("points/*/manifest.json")
    }


def wait_for(out: Path, more: int, process: subprocess.Popen) -> None:
    """Wait until so many points are finished, or the sweep is over."""
    before, began = len(finished(out)), time.monotonic()
    while len(finished(out)) < before + more and process.poll() is None:
        assert time.monotonic() - began < PATIENCE
        time.sleep(0.002)


def children(process: subprocess.Popen) -> list[int]:
    """Return the processes that a sweep has made."""
    found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(number) for number in found]


def is_alive(number: int) -> bool:
    try:
        state = re.search(r"^State:\s+(\w)", Path(f"/proc/{number}/status").read_text(), re.M)
    except OSError:
        return False
    return state is not None and state[1] not in "ZX"


def wait_for_the_end_of(workers: list[int]) -> None:
    """Wait until processes that notice their parent's end by a closed pipe have ended."""
    began = time.monotonic()
    while any(is_alive(worker) for worker in workers):
        assert time.monotonic() - began < 30, "a worker outlives its sweep"
        time.sleep(0.02)


def killed_and_resumed(folder: Path, kills: int, points: int, jobs: int, seed: int) -> None:
    study = written(folder, grid(points, 1))
    rng = random.Random(seed)
    known: dict[str, int] = {}
    for number in range(kills):
        how = [] if number == 0 else ["--resume"]
        process = begin(study, folder / "out", "--jobs", str(jobs), *how)
        wait_for(folder / "out", rng.randint(1, max(1, points // kills - 1)), process)
        time.sleep(rng.random() * 0.02)
        workers = children(process)
        process.kill()
        process.communicate(timeout=PATIENCE)
        wait_for_the_end_of(workers)
        now = finished(folder / "out")
        assert known.items() <= now.items()  # none lost, none made again
        known = now
    process = begin(study, folder / "out", "--jobs", str(jobs), "--resume")
    said = process.communicate(timeout=PATIENCE)
    assert (0, "") == (process.returncode, said[1] if process.returncode else "")
    assert known.items() <= finished(folder / "out").items()
    process = begin(study, folder / "whole", "--jobs", "1")
    process.communicate(timeout=PATIENCE)
    assert without_seconds((folder / "whole/points.csv").read_text()) == without_seconds(
        (folder / "out/points.csv").read_text()
    )
    assert {
        "manifest.json",
        "pareto.csv",
        "points",
        "points.csv",
        "points.parquet",
        "report.html",
    } == set(os.listdir(folder / "out"))
    assert not list((folder / "out").rglob("*.partial"))


def test_a_killed_sweep_goes_on(tmp_path):
    killed_and_resumed(tmp_path, kills=2, points=16, jobs=2, seed=3)


@pytest.mark.slow
def test_a_sweep_killed_at_ten_random_moments_goes_on(tmp_path):
    killed_and_resumed(tmp_path, kills=10, points=60, jobs=2, seed=10)


def test_ctrl_c_ends_the_sweep_and_its_processes_and_it_goes_on(tmp_path):
    study = written(tmp_path, grid(100, 4))
    process = begin(study, tmp_path / "out", "--jobs", "2")
    wait_for(tmp_path / "out", 3, process)
    workers = children(process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it: to every process of the group
    out, err = process.communicate(timeout=PATIENCE)
    assert 130 == process.returncode
    assert out == "" and "--resume goes on with what is finished\nstopped" in err
    assert "Traceback" not in err
    wait_for_the_end_of(workers)
    done = finished(tmp_path / "out")
    lines = (tmp_path / "out/points.csv").read_text().splitlines()
    assert len(done) >= 3 and len(lines) <= len(done) + 1
    assert not (tmp_path / "out/report.html").exists()
