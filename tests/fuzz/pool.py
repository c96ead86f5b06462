"""Workers that are watched: one that takes too long or dies is replaced, and the input is named."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
#: an input takes at most so many seconds of a processor, and its process at most so many bytes
SECONDS, MEMORY = 60.0, 2 << 30
#: seconds asleep that count as one
SLEEPING = 10
#: seconds of the first inputs of a process, which may compile the engine
FIRST = 400.0
#: inputs of one process, so that what one leaves behind is not held against the next for ever
LIFE = 2000


class Worker:
    """One process, started when first needed."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self.process: subprocess.Popen[str] | None = None
        self.left = 0
        self.is_warm = False

    def start(self) -> None:
        """Begin a fresh process."""
        self.stop()
        path = os.pathsep.join((str(ROOT), str(HERE)))
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            cwd=ROOT, env={**os.environ, "PYTHONPATH": path, "COLUMNS": "100"},
        )  # fmt: skip
        self.left = LIFE
        self.is_warm = False

    def stop(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def ask(self, kind: str, seed: int) -> None:
        """Give it the input of a kind and a seed to run."""
        self._send({"kind": kind, "seed": seed})

    def give(self, arguments: list[str], files: dict[str, bytes] | None = None) -> None:
        """Give it a command line and its files to run."""
        named = {name: data.hex() for name, data in (files or {}).items()}
        self._send({"arguments": arguments, "files": named})

    def _send(self, question: dict[str, Any]) -> None:
        if self.process is None or self.left == 0:
            self.start()
        assert self.process is not None and self.process.stdin is not None
        self.left -= 1
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()

    def _seconds(self) -> float:
        """Return the processor's seconds the process has taken, or the clock's where it does not
        say: a busy machine is no fault of the input.
        """
        assert self.process is not None
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
            waited = time.monotonic() / SLEEPING
            return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK") + waited
        except OSError:
            return time.monotonic()

    def answer(self, seconds: float = SECONDS) -> dict[str, Any]:
        """Return how the input ended; `wrong` says what was not as it must be."""
        assert self.process is not None and self.process.stdout is not None
        most = seconds if self.is_warm else FIRST  # kernels are loaded, or compiled
        began = used = self._seconds()
        ready: list[Any] = []
        while not ready and used - began < most:
            ready, _, _ = select.select([self.process.stdout], [], [], min(1.0, most))
            used = self._seconds()
        line = self.process.stdout.readline() if ready else ""
        if not line:
            if ready:
                wrong = f"the process died: code {self.process.wait()}"
            else:
                wrong = f"no end within {seconds:g} s"
            self.stop()
            return {"code": -1, "wrong": wrong, "seconds": seconds, "memory": 0, "said": ""}
        found: dict[str, Any] = json.loads(line)
        self.is_warm = self.left < LIFE - 30
        if found["memory"] > MEMORY:
            found["wrong"] = found["wrong"] or f"{found['memory'] >> 20} MiB"
            self.stop()
        return found
