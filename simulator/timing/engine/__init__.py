"""The compiled engine: cycle-exact, event-driven, the same interface and the same Record as the
executable specification.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.mapping.plan import Activity, Plan
    from simulator.timing.record import Record


def simulate(
    plan: Plan,
    activity: Activity,
    *,
    events: bool = False,
    progress: Callable[[int, int], object] | None = None,
    stop_every: int | None = None,
    steps_together: int = 1,
) -> Record:
    """Run the work on the machine and return what it counted; raise DeadlockError when nothing can
    move any more.

    events: keep every grant, state change and packet.  progress(steps done, steps) is called now
    and then. stop_every: return from the kernel every so many cycles, which changes nothing but the
    time it takes.  A first Ctrl-C ends the run after the group of `steps_together` steps it is in,
    an inference say (`complete` is False then), a second one at once.
    """
    import simpy

    from simulator.timing.engine.fabric import Fabric

    environment = simpy.Environment()
    choices = {
        "events": events,
        "progress": progress,
        "stop_every": stop_every,
        "steps_together": steps_together,
    }
    fabric = Fabric(environment, plan, activity, **choices)  # type: ignore[arg-type]
    environment.run(until=fabric.done)
    return fabric.record()
