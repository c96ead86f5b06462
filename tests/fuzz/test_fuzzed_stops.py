"""A few of the moments of `make fuzz-stop N=...`: stopped at any moment, nothing false is left."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from stops import VERBS, End, sweep, without_times, wrong  # noqa: E402

from simulator.commands import verbs  # noqa: E402


@pytest.mark.parametrize(
    ("verb", "stop"),
    [("run", signal.SIGINT), ("run", signal.SIGKILL), ("validate", signal.SIGINT)],
)
def test_a_stop_at_any_moment_leaves_nothing_false(verb: str, stop: int) -> None:
    stopped, faults = sweep(verb, 6, 1, stop)
    assert not faults
    assert stopped


WHOLE = End(0, "a", "", {"summary.json": b"1", "manifest.json": b"now"}, [])
# how it ended, with which signal, what is wrong
ENDS = [
    (End(130, "", "stopped\n", None, []), signal.SIGINT, ""),
    (End(0, "a", "", {"summary.json": b"1", "manifest.json": b"then"}, []), signal.SIGINT, ""),
    (End(0, "a", "", {"summary.json": b"2"}, []), signal.SIGINT, "another result"),
    (End(130, "", "stopped\n", {"summary.json": b"2"}, []), signal.SIGINT, "a partial result that"),
    (End(130, "b", "", {"summary.json": b'{"complete": false}'}, []), signal.SIGINT, ""),
    (End(130, "", "stopped\n", None, [".x.partial"]), signal.SIGINT, "left behind: ['.x.partial']"),
    (End(1, "", "x\n", None, []), signal.SIGINT, "exit code 1: x\n"),
    (End(130, "", "Traceback\nstopped\n", None, []), signal.SIGINT, "a traceback"),
    (End(-9, "", "", {"summary.json": b"1"}, []), signal.SIGKILL, ""),
    (End(-9, "", "", {"other.json": b"1"}, []), signal.SIGKILL, "half a result"),
    (End(-9, "", "", None, [".x.partial"]), signal.SIGKILL, ""),
]
SWEPT = End(0, "a", "", {"manifest.json": b'"complete": true', "points/x/summary.json": b"1",
                         "points.csv": b"p,s\n0,9", "points.parquet": b"1", "report.html": b""},
            [])  # fmt: skip
GOING = b'"complete": false'
SWEEPS = [
    ({"manifest.json": GOING, "points/x/summary.json": b"1"}, ""),
    ({"manifest.json": GOING}, ""),
    ({"manifest.json": GOING, "points/x/summary.json": b"2"}, "half a result"),
    ({"manifest.json": GOING, "points/y/summary.json": b"1"}, "half a result"),
    ({"manifest.json": b'"complete": true', "points/x/summary.json": b"1"}, "half a result"),
    ({**(SWEPT.written or {}), "points.csv": b"p,s\n0,8", "points.parquet": b"2"}, ""),
    ({**(SWEPT.written or {}), "points.csv": b"p,s\n1,9"}, "half a result"),
]


@pytest.mark.parametrize(("written", "said"), SWEEPS)
def test_a_sweep_that_was_stopped_says_so(written: dict[str, bytes], said: str) -> None:
    found = wrong(End(-9, "", "", written, []), SWEPT, signal.SIGKILL)
    assert found == said or (said and found.startswith(said))


# what is written of measurements, what is kept of it
FIGURES = [
    (b'{"figures": [{"name": "a", "value": 1.5}, {"name": "b", "value": 2}]}', b"a b"),
    (b'{"figures": [{"name": "a", "value": 1.5}, {"na', b'{"figures": [{"name": "a", "value": 1.5'),
]


@pytest.mark.parametrize(("written", "kept"), FIGURES)
def test_measured_times_are_left_out_and_half_a_file_is_not(written: bytes, kept: bytes) -> None:
    end = without_times(End(0, "1.5 s", "", {"": written}, []))
    assert "measured" == end.out
    assert end.written is not None and end.written[""].startswith(kept)


def test_every_verb_is_stopped() -> None:
    assert set(verbs.VERBS) <= set(VERBS)


@pytest.mark.parametrize(("end", "stop", "said"), ENDS)
def test_a_false_end_is_noticed(end: End, stop: int, said: str) -> None:
    found = wrong(end, WHOLE, stop)
    assert found == said or (said and found.startswith(said))
