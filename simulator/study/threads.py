"""Work in threads of this process: for jobs that are nearly all compiled kernels, which run beside
each other.  Nothing is imported, loaded or copied for them, unlike for a process (workers.py).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import Any

#: a generator function: it takes a task and what it calls now and then, which ends it when nobody
#: waits for it any more
Job = Callable[[Any, Callable[..., None]], Iterator[Any]]


#: seconds a thread that comes out of a kernel waits for one that is in Python, at most
INTERVAL = 5e-4


class _Left(BaseException):
    """Nobody waits for this work any more."""


@contextmanager
def _soon_in_turn() -> Iterator[None]:
    """Let threads take turns often: with Python's own 5 ms one can wait so long after a kernel."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(INTERVAL)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def stream(job: Job, tasks: Iterable[Any], jobs: int) -> Iterator[tuple[int, Any]]:
    """Yield (number of the task, value) of every task, up to `jobs` at once, values as they come;
    what a job raises is raised here, of several the first in the order of the tasks, whichever came
    first, and all others end.
    """
    waiting, lock = enumerate(tasks), Lock()
    told: SimpleQueue[tuple[str, int, Any]] = SimpleQueue()
    left = Event()

    def look(*_: Any) -> None:
        if left.is_set():
            raise _Left

    def serve() -> None:
        number = -1
        try:
            while True:
                look()
                with lock:
                    number, task = next(waiting, (-1, None))
                if number < 0:
                    break
                for value in job(task, look):
                    told.put(("value", number, value))
                told.put(("done", number, None))
        except _Left:
            pass
        except BaseException as error:
            told.put(("failed", number, error))
        told.put(("left", number, None))

    with _soon_in_turn():
        threads = [Thread(target=serve, name=f"chunks {n}", daemon=True) for n in range(jobs)]
        for thread in threads:
            thread.start()
        at_work = jobs
        done: set[int] = set()
        failed: dict[int, BaseException] = {}
        try:
            while at_work and not is_decided(failed, done):
                kind, number, value = told.get()
                if kind == "value":
                    yield number, value
                elif kind == "done":
                    done.add(number)
                elif kind == "failed":
                    failed[number] = value
                else:
                    at_work -= 1
            if failed:
                raise failed[min(failed)]
        finally:
            left.set()
            for thread in threads:
                thread.join()


def is_decided(failed: dict[int, BaseException], done: set[int]) -> bool:
    """Return whether every task before the first that failed is done."""
    return bool(failed) and all(number in done for number in range(min(failed)))
