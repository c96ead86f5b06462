"""Work in processes: spawned once, fed one task at a time, ended with the one that made them.

A *job* is a generator function of a module: it takes a task and yields values, which arrive here as
they are made, so that a worker can tell its progress and loses nothing it has told.  Kernels are
compiled before the processes start, so that they load what is kept instead of compiling it each.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from multiprocessing import connection
from typing import Any

from simulator import memory
from simulator.errors import InputError, SpikemeshError
from simulator.study.threads import is_decided

Job = Callable[[Any], Iterator[Any]]
#: processes at most: more than any machine has use for
MOST_JOBS = 1024
#: seconds a process is given to end by itself
PATIENCE = 5.0
#: a task and its number
Given = tuple[int, Any]


class WorkerDied(SpikemeshError):
    """A process that ended in the middle of a task; `task` is the number of the task."""

    exit_code = 1

    def __init__(self, task: int, code: int | None) -> None:
        """Say what it ended with."""
        self.task = task
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        hint = ", which the system sends when memory runs out" if code == -signal.SIGKILL else ""
        super().__init__(f"a process ended in the middle of its work with {how}{hint}")


class Refused(SpikemeshError):
    """What a job in another process refused, in its words."""

    def __init__(self, text: str, exit_code: int) -> None:
        """Take the text and the exit code of the refusal."""
        super().__init__(text)
        self.exit_code = exit_code


def available() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Workers:
    """Some processes; a context that ends them all."""

    def __init__(self, jobs: int) -> None:
        """Have up to `jobs` processes, each with its share of the memory that may be taken."""
        if not 1 <= jobs <= MOST_JOBS:
            raise InputError(f"jobs: must be a whole number from 1 to {MOST_JOBS}, not {jobs}")
        self.jobs = jobs
        self.room = memory.room() // jobs
        self.idle: list[_Worker] = []
        self.busy: dict[Any, tuple[_Worker, deque[Given]]] = {}

    def __enter__(self) -> Workers:
        """Return itself; processes start when there is work for them."""
        return self

    def __exit__(self, *error: object) -> None:
        """End every process: those at work at once."""
        for worker, _ in self.busy.values():
            worker.process.terminate()
        for worker in [*self.idle, *(worker for worker, _ in self.busy.values())]:
            worker.end()
        self.idle, self.busy = [], {}

    def stream(
        self, job: Job, tasks: Iterable[Any], *, ahead: bool = False
    ) -> Iterator[tuple[int, Any]]:
        """Yield (number of the task, value) of every task, values as they come.

        ahead: a process at work has its next task already, so that it never waits for this one to
        see to what it told; for tasks of a few kilobytes, which wait in a pipe.  Raises Refused for
        what a job refused, of several the first in the order of the tasks, and yields WorkerDied
        for a task whose process died.
        """
        waiting = deque(enumerate(tasks))
        done: set[int] = set()
        failed: dict[int, BaseException] = {}
        while True:
            while waiting and len(self.busy) < self.jobs and not failed:
                self._give(job, waiting.popleft())
            if failed and (not self.busy or is_decided(failed, done)):
                raise failed[min(failed)]
            if not self.busy:
                return
            pipes: list[Any] = list(self.busy)
            for ready in connection.wait(pipes):
                worker, given = self.busy[ready]
                number = given[0][0]
                try:
                    kind, value = worker.pipe.recv()
                except (EOFError, ConnectionResetError):
                    del self.busy[ready]
                    worker.process.join(PATIENCE)
                    given.popleft()
                    waiting.extendleft(reversed(given))
                    yield number, WorkerDied(number, worker.process.exitcode)
                    continue
                if kind != "value":
                    given.popleft()
                if not given:
                    self.idle.append(self.busy.pop(ready)[0])
                elif ahead and len(given) < 2 and len(waiting) > self.jobs and not failed:
                    given.append(waiting.popleft())
                    worker.take(job, given[-1])
                if kind == "value":
                    yield number, value
                elif kind == "done":
                    done.add(number)
                elif kind == "refused":
                    failed[number] = Refused(value[0], value[1])
                else:
                    text = f"a task failed in a process of its own:\n{value}"
                    failed[number] = RuntimeError(text)

    def _give(self, job: Job, task: Given) -> None:
        worker = self.idle.pop() if self.idle else _Worker(self.room)
        self.busy[worker.pipe] = (worker, deque([task]))
        worker.take(job, task)


class _Worker:
    """One process and the pipe to it."""

    def __init__(self, room: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, room), daemon=True)
        # a Ctrl-C is the parent's to handle: the child begins, and stays, with it blocked
        masked = threading.current_thread() is threading.main_thread()
        if masked:
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self.process.start()
        finally:
            if masked:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
            theirs.close()

    def take(self, job: Job, task: Given) -> None:
        """Send a task to the process."""
        with suppress(BrokenPipeError):  # it died meanwhile: seen when its answer is read
            self.pipe.send((job, task[1]))

    def end(self) -> None:
        """Let the process end, and end it when it does not."""
        with suppress(OSError):
            self.pipe.send(None)
        self.pipe.close()
        self.process.join(PATIENCE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def _serve(pipe: Any, room: int) -> None:
    """Do tasks until the other side has no more, or is gone."""
    import traceback

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with memory.limited(room), suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while (given := pipe.recv()) is not None:
            job, task = given
            try:
                for value in job(task):
                    pipe.send(("value", value))
                answer: tuple[str, Any] = ("done", None)
            except SpikemeshError as error:
                answer = ("refused", (str(error), error.exit_code))
            except (BrokenPipeError, ConnectionResetError):
                raise
            except Exception:
                answer = ("failed", traceback.format_exc())
            pipe.send(answer)


def _end_with_parent() -> None:
    """End this process when the one that made it is gone, however that came."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)
