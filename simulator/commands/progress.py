"""Progress with an estimate of the time left, on stderr, when a task takes long and stderr is a
terminal.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

#: seconds before a bar is shown, and between lines where stderr is no terminal
PATIENCE, INTERVAL = 1.0, 10.0


class Noted(Protocol):
    """Told of work done, of how much, and of what else there is to say."""

    def __call__(self, what: str, done: int, total: int, note: str = "") -> None:
        """Be told now and then."""


@contextmanager
def shown() -> Iterator[Noted]:
    """Yield a progress(what, done, total) that draws a bar with the time left on stderr, or a line
    now and then; a note stands behind it.
    """
    began = time.monotonic()
    bars: list[Any] = []  # made when it is time to draw one: most commands are over before
    tasks: dict[str, Any] = {}
    state = {"started": False, "line": began}
    seen: dict[
        str, tuple[float, int]
    ] = {}  # when each job was first heard of, and how much was done: compiling is not work

    def report(what: str, done: int, total: int, note: str = "") -> None:
        now = time.monotonic()
        since, before = seen.setdefault(what, (now, done))
        if done < before:  # the next job of that name
            since, before = seen[what] = now, done
        if now - began < PATIENCE:
            return
        if not bars:
            bars.append(_bar())
        bar = bars[0]
        if bar.console.is_terminal:
            if not state["started"]:
                bar.start()
                state["started"] = True
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total, note=note)
            bar.update(tasks[what], completed=done, total=total, note=note)
        elif now - float(state["line"]) > INTERVAL and done > before:
            state["line"] = now
            left = (now - since) * (total - done) / (done - before)
            said = f"{what}: {done} of {total}, about {left:.0f} s left"
            print(f"{said}, {note}" if note else said, file=sys.stderr, flush=True)

    try:
        yield report
    finally:
        if state["started"]:
            bars[0].stop()


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
        transient=True,
    )
