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
    what a job raises is raised here, and all others end.
    """
    waiting, lock = enumerate(tasks), Lock()
    told: SimpleQueue[tuple[int, Any, BaseException | None] | None] = SimpleQueue()
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
                    told.put((number, value, None))
        except _Left:
            pass
        except BaseException as error:
            told.put((number, None, error))
        told.put(None)

    with _soon_in_turn():
        threads = [Thread(target=serve, name=f"chunks {n}", daemon=True) for n in range(jobs)]
        for thread in threads:
            thread.start()
        at_work = jobs
        try:
            while at_work:
                found = told.get()
                if found is None:
                    at_work -= 1
                    continue
                number, value, error = found
                if error is not None:
                    raise error
                yield number, value
        finally:
            left.set()
            for thread in threads:
                thread.join()
