"""A Ctrl-C while a kernel is compiled or loaded."""

from __future__ import annotations

import signal
import threading
from typing import Any


class Waiting:
    """Keeps a Ctrl-C until a kernel is whole.

    One that is raised in a function LLVM calls back is lost, and with it the code LLVM asked for:
    the kernel would have none, and calling it would end the process by signal 11.
    """

    def __init__(self) -> None:
        """Nothing is kept yet, and nothing will be outside the main thread."""
        self.before: Any = None
        self.pressed: list[tuple] = []

    def __enter__(self) -> Waiting:
        """Take the place of what handles a Ctrl-C, where Python does."""
        if threading.current_thread() is threading.main_thread():
            handler = signal.getsignal(signal.SIGINT)
            if callable(handler):
                self.before = handler
                signal.signal(signal.SIGINT, lambda *what: self.pressed.append(what))
        return self

    def __exit__(self, *error: object) -> None:
        """Give the place back, and hand on what was kept."""
        if self.before is not None:
            signal.signal(signal.SIGINT, self.before)
            self.hand_on()

    def hand_on(self) -> None:
        """Let a Ctrl-C that was kept be handled now."""
        if self.pressed:
            what = self.pressed[0]
            self.pressed.clear()
            self.before(*what)
