"""Two programs on the same work, in turn: A B B A.  What else the machine does meets both alike,
and what it takes from one of them in one round is seen in the spread of the ratios.

Each runs in a process of its own that loads once (`python -m benchmarks.turns`) and is asked for
one run after another.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from types import TracebackType
from typing import Any

from benchmarks.figures import Peer, Sample
from benchmarks.measure import PATIENCE, ROOT, Failed, last_lines, peak_memory

#: processor seconds for a unit of work, or elapsed ones
Run = Callable[[], float]


@dataclass(frozen=True)
class Loaded:
    """Work that is ready to be run: what loading it took and found, what runs it and returns how
    much work that was, with what else it counted, and what is done before a run, untimed.
    """

    facts: dict[str, Any]
    run: Callable[[], tuple[float, dict[str, Any]]]
    reset: Callable[[], object] = lambda: None


@dataclass(frozen=True)
class Turns:
    """Seconds for a unit of work of both, and how many times as fast the first one is: the ratio of
    each round.
    """

    first: Sample
    second: Sample
    ratio: Sample

    def peer(self, name: str) -> Peer:
        """Return the second one as what the first is compared with."""
        return Peer(name, 1 / self.second.median, ratio=self.ratio)


def in_turn(first: Run, second: Run, rounds: int) -> Turns:
    """Run two programs A B B A, so many rounds."""
    spent: tuple[list[float], list[float]] = ([], [])
    ratios = []
    for _ in range(rounds):
        round_: tuple[list[float], list[float]] = ([], [])
        for which in (0, 1, 1, 0):
            round_[which].append((first, second)[which]())
        ratios.append(sum(round_[1]) / sum(round_[0]))
        for all_, some in zip(spent, round_):
            all_.extend(some)
    return Turns(Sample.of(spent[0]), Sample.of(spent[1]), Sample.of(ratios))


@dataclass
class Standing:
    """A process that has loaded `module:function` and stands by to run it.

    Raises Failed, with what the process said last, when it dies or outlives PATIENCE.
    """

    function: str
    arguments: dict[str, Any]
    facts: dict[str, Any] = field(default_factory=dict)  # of loading
    last: dict[str, Any] = field(default_factory=dict)  # of the last run

    def __enter__(self) -> Standing:
        """Begin the process and wait until it has loaded."""
        self._said = tempfile.TemporaryFile("w+", errors="replace")
        answers, into = os.pipe()
        command = [sys.executable, "-m", "benchmarks.turns", self.function]
        self._process = subprocess.Popen(
            [*command, json.dumps(self.arguments), str(into)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            pass_fds=[into],
        )
        os.close(into)
        self._answers = os.fdopen(answers)
        try:
            self.facts = self._answer()
        except BaseException:  # a Ctrl-C too
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._answers.close()
        self._said.close()

    def seconds(self) -> float:
        """Run once; return the processor seconds for a unit of work."""
        self._run()
        return float(self.last["seconds"] / self.last["work"])

    def elapsed(self) -> float:
        """Run once; return the seconds that passed for a unit of work."""
        self._run()
        return float(self.last["elapsed"] / self.last["work"])

    def _run(self) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # of one that died; what it said is read below
            self._process.stdin.write(b"\n")
            self._process.stdin.flush()
        self.last = self._answer()

    def _answer(self) -> dict[str, Any]:
        if not select.select([self._answers], [], [], PATIENCE)[0]:
            raise Failed(self.function, f"it was stopped after {PATIENCE:g} s")
        line = self._answers.readline()
        if not line:
            code = self._process.wait()
            self._said.seek(0)
            raise Failed(
                self.function, last_lines(self._said.read()) or f"it ended with code {code}"
            )
        answer: dict[str, Any] = json.loads(line)
        return answer


@dataclass(frozen=True)
class Raced:
    """A peer that ran in turn with us: as what it is shown, our seconds for a unit of work, and
    what it said of loading and of its last run; nothing of these where it failed.
    """

    peer: Peer
    ours: Sample | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    last: dict[str, Any] = field(default_factory=dict)


def against(
    ours: Run,
    name: str,
    function: str,
    arguments: dict[str, Any],
    rounds: int,
    their: Callable[[Standing], float] = Standing.seconds,
) -> Raced:
    """Run us in turn with a peer that stands by; raises Failed where we fail, not where it does."""
    try:
        with Standing(function, arguments) as theirs:
            turns = in_turn(ours, lambda: their(theirs), rounds)
            return Raced(turns.peer(name), turns.first, theirs.facts, theirs.last)
    except Failed as failure:
        if failure.what != function:
            raise
        return Raced(Peer.failed(name, failure.said))


def _stand(function: str, arguments: str, into: int) -> None:
    """Load, then run for every line that comes in; a line of JSON answers each."""
    module, name = function.split(":")
    with os.fdopen(into, "w", buffering=1) as answers:
        loaded: Loaded = getattr(import_module(module), name)(**json.loads(arguments))
        answers.write(json.dumps(loaded.facts) + "\n")
        for _ in sys.stdin:
            loaded.reset()
            began, passed = time.process_time(), time.perf_counter()
            work, counted = loaded.run()
            answer = {
                "seconds": time.process_time() - began,
                "elapsed": time.perf_counter() - passed,
                "work": work,
                "peak_memory": peak_memory(),
            }
            answers.write(json.dumps(answer | counted) + "\n")


if __name__ == "__main__":
    _stand(sys.argv[1], sys.argv[2], int(sys.argv[3]))
