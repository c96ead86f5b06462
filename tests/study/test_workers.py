"""Processes do tasks and tell values as they are made; whatever happens to one is said."""

from __future__ import annotations

import os
import signal
import time

import pytest

from simulator import memory
from simulator.errors import InputError
from simulator.study.workers import Refused, WorkerDied, Workers


def squares(task):
    """Yield the squares below a number, and the process that made them."""
    for number in range(task):
        yield number**2, os.getpid()


def room(task):
    """Yield what may be taken here, with what is taken already."""
    yield memory.room() + memory.resident()


def refuses(task):
    """Yield one value, then refuse."""
    yield task
    raise InputError("task: must be even, not 3")


def fails(task):
    """Fail as only a mistake in the code does."""
    yield task
    raise ZeroDivisionError("by hand")


def dies(task):
    """Yield a value, and die on an odd task."""
    yield task
    if task % 2:
        os.kill(os.getpid(), signal.SIGKILL)
    yield task


def test_every_task_tells_its_values_in_their_order():
    with Workers(2) as workers:
        found = list(workers.stream(squares, [3, 1, 2, 4]))
        again = list(workers.stream(squares, [2]))
    for number, task in enumerate([3, 1, 2, 4]):
        assert [n**2 for n in range(task)] == [value for n, (value, _) in found if n == number]
    made_by = {process for _, (_, process) in found}
    assert os.getpid() not in made_by and len(made_by) <= 2
    assert {process for _, (_, process) in again} <= made_by  # they live on between streams


def test_each_process_has_its_share_of_the_memory():
    with memory.limited(memory.resident() + (1 << 30)), Workers(4) as workers:
        shares = [value for _, value in workers.stream(room, [1])]
    assert shares == [pytest.approx(1 << 28, rel=0.1)]


def test_what_a_task_refuses_is_refused_here_in_its_words():
    with Workers(1) as workers, pytest.raises(Refused, match="task: must be even, not 3") as said:
        list(workers.stream(refuses, [3]))
    assert 2 == said.value.exit_code


def late(task):
    time.sleep(task)
    if task:
        raise InputError(f"task: must be 0, not {task}")
    yield task


def test_of_several_refusals_the_first_task_is_heard():
    with Workers(2) as workers, pytest.raises(Refused, match="task: must be 0, not 1"):
        list(workers.stream(late, [0, 1, 0.5, 0.25]))


def test_a_mistake_in_a_task_is_no_refusal():
    with Workers(1) as workers, pytest.raises(RuntimeError, match="ZeroDivisionError: by hand"):
        list(workers.stream(fails, [3]))


@pytest.mark.parametrize("ahead", [False, True])
def test_a_process_that_dies_is_told_and_the_other_tasks_are_done(ahead):
    with Workers(2) as workers:
        found = list(workers.stream(dies, [2, 3, 4, 6, 8, 10, 12], ahead=ahead))
    values = [(number, value) for number, value in found if not isinstance(value, WorkerDied)]
    others = [(number, 2 * number) for number in range(2, 7) for _ in range(2)]
    assert [(0, 2), (0, 2), (1, 3), *others] == sorted(values)
    ((number, died),) = [one for one in found if isinstance(one[1], WorkerDied)]
    assert 1 == number
    assert "with signal 9, which the system sends when memory runs out" in str(died)


@pytest.mark.parametrize("jobs", [0, -1, 1025])
def test_jobs_have_a_range(jobs):
    with pytest.raises(
        InputError, match=f"jobs: must be a whole number from 1 to 1024, not {jobs}"
    ):
        Workers(jobs)
