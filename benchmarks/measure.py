"""How time and memory are taken: processor seconds, so that other work on the machine counts
little, and fresh processes.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from benchmarks.figures import Sample

ROOT = Path(__file__).resolve().parent.parent
#: a child's longest life in seconds
PATIENCE = 900.0


def repeated(function: Callable[[], object], repeat: int) -> Sample:
    """Return the processor seconds of `repeat` calls."""
    seconds = []
    for _ in range(repeat):
        began = time.process_time()
        function()
        seconds.append(time.process_time() - began)
    return Sample.of(seconds)


def of_command(command: list[str], **environment: str) -> float:
    """Return the processor seconds a command takes from start to end, with its bytecode kept: an
    environment that forbids it would measure Python's compiler.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = children_seconds()
    subprocess.run(
        command,
        check=True,
        cwd=ROOT,
        env=kept | environment,
        capture_output=True,
        timeout=PATIENCE,
    )
    return children_seconds() - before


def children_seconds() -> float:
    """Return the processor seconds of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def peak_memory() -> int:
    """Return the most memory this process has held so far, in bytes.

    Where the system says it, by its own image alone: what getrusage counts includes the parent's
    before the exec.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Failed(click.ClickException):
    """A process of its own did not run to its end; `said` is the end of what it printed."""

    def __init__(self, what: str, said: str) -> None:
        """Take what was run, and what it said last."""
        super().__init__(f"{what} did not run to its end: {said}")
        self.what, self.said = what, said


def last_lines(text: str, count: int = 4) -> str:
    """Return the last lines of a text that are not blank."""
    return "\n".join([line.rstrip() for line in text.splitlines() if line.strip()][-count:])


def fresh(function: str, **arguments: Any) -> dict[str, Any]:
    """Return what `module:function` returns in a process of its own, with its `peak_memory`.

    Raises Failed, with what the process said last, when it dies or outlives PATIENCE.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        command = [
            sys.executable,
            "-m",
            "benchmarks.measure",
            function,
            json.dumps(arguments),
            str(answer),
        ]
        try:
            subprocess.run(
                command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=PATIENCE
            )
        except subprocess.CalledProcessError as death:
            said = last_lines(death.stderr) or f"it ended with code {death.returncode}"
            raise Failed(function, said) from None
        except subprocess.TimeoutExpired:
            raise Failed(function, f"it was stopped after {PATIENCE:g} s") from None
        content: dict[str, Any] = json.loads(answer.read_text())
        return content


def _child(function: str, arguments: str, answer: str) -> None:
    module, name = function.split(":")
    result = getattr(import_module(module), name)(**json.loads(arguments))
    Path(answer).write_text(json.dumps({**result, "peak_memory": peak_memory()}))


if __name__ == "__main__":
    _child(*sys.argv[1:4])
