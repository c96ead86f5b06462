"""Ctrl-C leaves nothing broken: what is done so far is reported, over whole inferences, and the
exit code says so.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulator import run, twin
from simulator.report.files import write_twin

ROOT = Path(__file__).resolve().parents[2]


def interrupted_at(step: int):
    pressed: list[int] = []

    def progress(what: str, done: int, total: int) -> None:
        if "steps" in what and done >= step and not pressed:
            pressed.append(done)
            raise KeyboardInterrupt

    return progress


def test_an_interrupted_run_covers_whole_inferences_and_equals_the_shorter_run() -> None:
    stopped = run("digits-mlp", mode="snn", limit=300, partial=True, progress=interrupted_at(1))
    assert not stopped.is_complete
    assert 1 <= stopped.finished < 300
    whole = run("digits-mlp", mode="snn", limit=stopped.finished)
    assert stopped.record.cycles == whole.record.cycles
    assert (stopped.record.counters == whole.record.counters).all()
    assert stopped.ledger.total == pytest.approx(whole.ledger.total, rel=1e-12, abs=0)
    assert stopped.summary()["counters"] == whole.summary()["counters"]


def test_an_interrupted_twin_compares_what_both_finished(tmp_path: Path) -> None:
    stopped = twin("digits-mlp", limit=300, partial=True, progress=interrupted_at(1))
    assert not stopped.is_complete
    assert 1 <= stopped.shared < 300
    write_twin(stopped, tmp_path)
    written = json.loads((tmp_path / "summary.json").read_text())
    assert (written["complete"], written["inferences"]) == (False, stopped.shared)
    whole = twin("digits-mlp", limit=stopped.shared).summary()
    assert written["spike_counts_against_activations"] == whole["spike_counts_against_activations"]
    assert written["agreement"] == whole["agreement"]


@pytest.mark.parametrize("seconds", [0.7, 2.5, 5.0])
def test_ctrl_c_while_compiling_for_the_first_time_is_a_stop(
    tmp_path: Path, seconds: float
) -> None:
    environment = {**os.environ, "SPIKEMESH_CACHE": str(tmp_path / "cache")}
    environment.pop("NUMBA_CACHE_DIR", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator", "twin", "digits-mlp", "-o", str(tmp_path / "out")],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert "Traceback" not in err
    assert process.returncode == 130
    assert err.splitlines()[-1] == "stopped"
    assert not (tmp_path / "out").exists()


def test_ctrl_c_reports_what_is_done_and_exits_130(tmp_path: Path) -> None:
    arguments = [
        "run",
        "digits-cnn",
        "--mode",
        "snn",
        "--timesteps",
        "1024",
        "--jobs",
        "1",
        "-o",
        str(tmp_path / "out"),
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(1)
    for _ in range(
        120
    ):  # until it simulates: the signal must not fall into the imports or the arithmetic
        if process.poll() is not None:
            break
        stack = Path(f"/proc/{process.pid}/stat")
        if stack.exists() and sum(map(int, stack.read_text().split()[13:15])) > 800:
            break
        time.sleep(0.25)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in err
    assert process.returncode == 130
    if out:
        assert "Stopped early" in out
        assert json.loads((tmp_path / "out" / "summary.json").read_text())["complete"] is False
    else:
        assert err.splitlines()[-1] == "stopped"
        assert not (tmp_path / "out").exists()


def test_ctrl_c_that_falls_into_a_destructor_is_not_lost() -> None:
    code = (
        "import os, signal, time\n"
        "from simulator.commands.verbs import _note_interrupts\n"
        "pressed = []; _note_interrupts(pressed)\n"
        "class Dying:\n"
        "    def __del__(self):\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        time.sleep(0.01)\n"
        "dying = Dying()\n"
        "try:\n"
        "    del dying\n"
        "    time.sleep(5)\n"
        "except KeyboardInterrupt:\n"
        "    print('stopped', len(pressed))\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (out.stdout, out.stderr) == ("stopped 2\n", "")
