"""Cycles and the phases inside a cycle, on SimPy's clock: first everything arrives, then everything
is evaluated.

SimPy orders events by (time, priority).  What crosses between components arrives one cycle later at
the earliest [T2], so the order of events of one phase cannot matter [T3].
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from simpy import Environment, Event
from simpy.events import EventPriority

#: what a component does, from event to event
Process = Generator[Event, Any, None]

#: a step begins for the chip [Q9]
BEGIN = 0
#: wires deliver, queues show what was put, steps start
ARRIVE = 1
#: routers, interfaces and units decide on what has arrived
EVALUATE = 2
#: the barrier looks whether the step is quiet
QUIET = 3
#: power states and time accounts see the cycle with everything of it done
SETTLE = 4
#: the clock of the routers looks who is to be evaluated in the next cycle
TICK = 5


def cycle_of(environment: Environment) -> int:
    """Return the present cycle, one integer for the whole chip [T1]."""
    return int(environment.now)


def at(environment: Environment, phase: int, delay: int = 0) -> Event:
    """Return an event that happens in a phase of this cycle, or of one `delay` cycles later."""
    return _schedule(Event(environment), phase, delay)


def _schedule(event: Event, phase: int, delay: int) -> Event:
    event._ok, event._value = (
        True,
        None,
    )  # SimPy's own succeed() would schedule it in the NORMAL phase
    event.env.schedule(event, EventPriority(phase), delay)
    return event


class Doorbell:
    """What a process sleeps on while nothing can happen to it: rung in ARRIVE, it wakes in EVALUATE
    of that cycle.
    """

    def __init__(self, environment: Environment, phase: int = EVALUATE) -> None:
        """A bell that wakes its owner in `phase`."""
        self.environment, self.phase = environment, phase
        self.event = Event(environment)

    def wait(self) -> Event:
        """Return the event of the next ring; earlier rings are forgotten, for their news has been
        seen.
        """
        self.event = Event(self.environment)
        return self.event

    def ring(self, delay: int = 0) -> None:
        """Wake the owner in this cycle, or some cycles later; the first ring counts."""
        if not self.event.triggered:
            _schedule(self.event, self.phase, delay)
