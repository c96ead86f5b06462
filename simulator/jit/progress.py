"""What is said on stderr while kernels compile."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from numba.core import event

from simulator import kernel_cache
from simulator.jit.waiting import Waiting

#: seconds of compiling after which something is said, and between two lines
PATIENCE, PAUSE = 1.0, 3.0
#: kernels below which nothing is said: they take a moment
FEW = 5
#: kernels compiled for each one written: numba adds some of its own, such as min
VERSIONS = 1.05


class Progress(event.Listener):
    """Says on stderr how far a compilation is, kernel by kernel, once it takes longer; between two
    kernels a Ctrl-C is handled.
    """

    def __init__(self, function: Callable, waiting: Waiting) -> None:
        """Nothing compiled yet of a kernel and those it calls."""
        self.waiting = waiting
        self.expected, self.n_done = round(VERSIONS * (len(called(function)) + 1)), 0
        self.started = self.said = time.monotonic()
        self.is_long = False

    def on_start(self, event: Any) -> None:
        """See a kernel begin."""
        self.waiting.hand_on()
        now = time.monotonic()
        if self.expected < FEW:
            return
        if not self.is_long and now - self.started > PATIENCE:
            self.is_long, self.said = True, now
            kernel_cache.say("compiling for this machine, once per version; usually 10 to 40 s")
        elif self.is_long and now - self.said > PAUSE:
            self.said = now
            expected = max(self.expected, self.n_done + 1)
            self._say(f"compiling: {self.n_done} of about {expected} kernels")

    def on_end(self, event: Any) -> None:
        """See a kernel end."""
        self.n_done += 1

    def finish(self) -> None:
        """Say that a long compilation is over."""
        if self.is_long:
            self._say(f"compiled: {self.n_done} kernels")

    def _say(self, what: str) -> None:
        kernel_cache.say(f"{what}, {time.monotonic() - self.started:.0f} s")


def called(function: Callable, known: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return every other kernel a kernel calls, and those they call, by name."""
    known = {} if known is None else known
    for name in function.__code__.co_names:
        inner = getattr(function.__globals__.get(name), "py_func", None)
        if inner is not None and inner.__qualname__ not in known:
            known[inner.__qualname__] = inner
            called(inner, known)
    return known
