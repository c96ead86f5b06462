"""A run stopped half way is never taken for a whole one: nothing is concluded from it.

Ctrl-C falls into the kernel of the compiled engine, which ends the inference it is in; what comes
next must not be a number.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from simulator import Chip, Workload, run, twin
from simulator.commands import verbs
from simulator.errors import Interrupted
from simulator.study.always_on import always_on
from simulator.study.claims import check
from simulator.study.pipeline import Shared, compute, prepare
from simulator.timing.engine import fabric


@pytest.fixture
def ctrl_c(monkeypatch: pytest.MonkeyPatch):
    """Return a function: from the n-th eventful cycle on, Ctrl-C is pressed once."""

    def press(at: int) -> None:
        calls, advance = [], fabric.advance

        def stopped(state, until: int, most: int) -> int:
            calls.append(until)
            if len(calls) == at:
                raise KeyboardInterrupt
            return advance(state, until, 1 if len(calls) < at else most)

        monkeypatch.setattr(fabric, "advance", stopped)

    return press


#: commands that conclude something from several runs
COMMANDS = [
    "validate digits-mlp --limit 3",
    "crossover mlp-16-8 --limit 3",
    "always-on digits-mlp --frame-rate 1kHz --duty 1/2 --frames 6",
    "agree digits-mlp --limit 3",
    "chips --check odin",
]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("at", [2, 40])
def test_a_stopped_command_says_no_number(
    command: str, at: int, ctrl_c, capsys, tmp_path: Path, monkeypatch
) -> None:
    ctrl_c(at)
    verb, *arguments = command.split()
    written = verb not in ("chips", "agree")
    arguments += ["-o", str(tmp_path / "out")] * written
    monkeypatch.setattr("sys.argv", ["spikemesh", verb, *arguments])
    monkeypatch.setattr(verbs, "_open_streams", lambda: None)  # they are pytest's here
    assert 130 == verbs._run([])
    said = capsys.readouterr()
    assert ("", "stopped") == (said.out, said.err.splitlines()[-1])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("engine", "limit"), [("compiled", 300), ("reference", 3)])
def test_a_run_in_python_raises_with_what_was_done(engine: str, limit: int) -> None:
    for ask in (run, twin):
        pressed: list[int] = []

        def press(what: str, done: int, total: int, pressed: list[int] = pressed) -> None:
            if "steps" in what and not pressed:
                pressed.append(done)
                raise KeyboardInterrupt

        with pytest.raises(Interrupted) as stop:
            ask("digits-mlp", limit=limit, engine=engine, progress=press)
        assert not stop.value.record.complete


def test_a_loop_that_goes_on_after_errors_does_not_go_on_after_a_stop(ctrl_c) -> None:
    ctrl_c(30)
    done = []
    with pytest.raises(Interrupted):
        for mode in ("snn", "qnn"):
            try:
                done.append(run("digits-mlp", mode=mode, limit=3))
            except Exception:
                continue
    assert not done


@pytest.mark.parametrize("at", [30, 100])
def test_studies_raise(at: int, ctrl_c) -> None:
    ctrl_c(at)
    with pytest.raises(KeyboardInterrupt):
        check(["odin"])


def test_a_stream_cut_short_has_no_average(ctrl_c) -> None:
    ctrl_c(60)
    with pytest.raises(Interrupted):
        always_on("digits-mlp", "generic-22nm", Fraction(1000), [Fraction(1, 2)], frames=6)


def test_what_was_stopped_is_not_shared_with_the_next_run(ctrl_c, monkeypatch) -> None:
    workload, chip, shared = Workload.load("digits-mlp"), Chip.load("generic-22nm"), Shared()
    work = prepare(workload, chip).schedule(compute(workload, "qnn", limit=3))
    with monkeypatch.context() as patched:
        patched.setattr(fabric, "SLICE", 1)
        ctrl_c(30)
        stopped = work.execute(partial=True, shared=shared)
    assert not stopped.record.complete
    monkeypatch.undo()
    assert work.execute(partial=True, shared=shared).record.complete


def test_a_partial_result_is_what_the_shorter_run_gives(ctrl_c) -> None:
    ctrl_c(30)
    stopped = run("digits-mlp", mode="qnn", limit=5, partial=True)
    assert not stopped.is_complete and 1 <= stopped.finished < 5
    whole = run("digits-mlp", mode="qnn", limit=stopped.finished)
    assert stopped.summary()["counters"] == whole.summary()["counters"]
    assert replace(stopped.record, complete=True).cycles == whole.record.cycles
