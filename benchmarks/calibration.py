"""What a processor makes of plain Python at the moment: goals in seconds are held to it, so that
they mean the same on another machine, and on one that is busy.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from benchmarks.figures import Sample

#: so many rounds take a second of a quiet Intel Xeon of 2.5 GHz
ROUNDS = 1400


class _Thing:
    def __init__(self, number: int) -> None:
        self.number = number


def work(rounds: int = ROUNDS) -> int:
    """Make objects, dictionaries and texts, and sort: what commands do until kernels run, and what
    compiles kernels.
    """
    found = 0
    for _ in range(rounds):
        things = [_Thing(number) for number in range(1000)]
        table = {(thing.number % 97, str(thing.number)): thing for thing in things}
        for key, thing in sorted(table.items(), key=lambda pair: pair[0]):
            found += len(key[1]) + thing.number
    return found


def seconds() -> float:
    """Return the processor seconds the work takes now."""
    began = time.process_time()
    work()
    return time.process_time() - began


def held_to(measured: Callable[[], float], rounds: int) -> tuple[Sample, Sample]:
    """Return what is measured in seconds as multiples of the calibration, which is taken before and
    after each measurement, and the seconds themselves.
    """
    multiples, found = [], []
    before = seconds()
    for _ in range(rounds):
        taken = measured()
        after = seconds()
        multiples.append(taken / ((before + after) / 2))
        found.append(taken)
        before = after
    return Sample.of(multiples), Sample.of(found)
