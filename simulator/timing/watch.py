"""An environment in which somebody looks at the clock while an engine runs."""

from __future__ import annotations

from collections.abc import Callable, Generator

import simpy


def watched(look: Callable[[int], object], every: int, until: int) -> simpy.Environment:
    """Return a fresh environment that calls look(cycle) every so many cycles, 1 or more, up to
    `until`; the run is the same as without.
    """
    environment = simpy.Environment()
    environment.process(_looking(environment, look, every, until))
    return environment


def _looking(
    environment: simpy.Environment, look: Callable[[int], object], every: int, until: int
) -> Generator[simpy.Event, None, None]:
    for cycle in range(every, until + 1, every):
        yield environment.timeout(every)
        look(cycle)
