"""Work in threads: every value arrives, what fails ends all, and nobody works on unasked."""

import sys
import threading
import time

import pytest

from simulator.study.threads import INTERVAL, stream


def numbers(task, look):
    for k in range(task):
        look()
        yield 10 * task + k


def for_ever(task, look):
    if task == "fails":
        raise ValueError("no")
    while True:
        look()
        time.sleep(0.001)
        yield task


def working() -> int:
    return sum(thread.name.startswith("chunks") for thread in threading.enumerate())


@pytest.mark.parametrize("jobs", [1, 2, 3, 7])
def test_every_task_is_done_once_and_its_values_come_in_their_order(jobs) -> None:
    found: dict[int, list[int]] = {}
    for number, value in stream(numbers, [3, 0, 1, 2], jobs):
        found.setdefault(number, []).append(value)
    assert {0: [30, 31, 32], 2: [10], 3: [20, 21]} == found
    assert 0 == working()


def test_what_a_task_raises_is_raised_and_the_others_end() -> None:
    with pytest.raises(ValueError, match="^no$"):
        for _ in stream(for_ever, ["fails", "goes on"], 2):
            pass
    assert 0 == working()


def late(task, look):
    time.sleep(task)
    if task:
        raise ValueError(f"after {task} s")
    yield task


def test_of_several_that_fail_the_first_task_is_heard() -> None:
    found = []
    with pytest.raises(ValueError, match="^after 0.2 s$"):
        for number, _ in stream(late, [0, 0.2, 0.01, 0.02], 3):
            found.append(number)
    assert [0] == found and 0 == working()


def test_whoever_stops_listening_ends_them_all() -> None:
    for _ in stream(for_ever, ["a", "b"], 2):
        assert 2 == working()
        break
    assert 0 == working()


def test_two_tasks_are_at_work_at_once() -> None:
    met = threading.Barrier(2, timeout=20)

    def meet(task, look):
        met.wait()
        yield task

    assert {(0, "a"), (1, "b")} == set(stream(meet, ["a", "b"], 2))


def test_threads_take_turns_often_while_they_work_and_not_longer() -> None:
    before = sys.getswitchinterval()
    for _ in stream(for_ever, ["a", "b"], 2):
        assert INTERVAL == pytest.approx(sys.getswitchinterval())
        break
    assert before == sys.getswitchinterval() > INTERVAL
