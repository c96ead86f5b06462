"""Progress with an estimate of the time left, on stderr, when a task takes long and stderr is a
terminal.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from simulator.study.simulation import Progress

#: seconds before a bar is shown, and between lines where stderr is no terminal
PATIENCE, INTERVAL = 1.0, 10.0


@contextmanager
def shown() -> Iterator[Progress]:
    """Yield a progress(what, done, total) that draws a bar with the time left on stderr, or a line
    now and then.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    began = time.monotonic()
    tasks: dict[str, TaskID] = {}
    state = {"started": False, "line": began}
    seen: dict[
        str, tuple[float, int]
    ] = {}  # when each job was first heard of, and how much was done: compiling is not work

    def report(what: str, done: int, total: int) -> None:
        now = time.monotonic()
        since, before = seen.setdefault(what, (now, done))
        if done < before:  # the next job of that name
            since, before = seen[what] = now, done
        if now - began < PATIENCE:
            return
        if console.is_terminal:
            if not state["started"]:
                bar.start()
                state["started"] = True
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)
        elif now - float(state["line"]) > INTERVAL and done > before:
            state["line"] = now
            left = (now - since) * (total - done) / (done - before)
            print(
                f"{what}: {done} of {total}, about {left:.0f} s left", file=sys.stderr, flush=True
            )

    try:
        yield report
    finally:
        if state["started"]:
            bar.stop()
