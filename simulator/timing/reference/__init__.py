"""The executable specification: the whole machine of docs/machine.md as SimPy processes, slow and
readable.

`simulate` is the whole interface; the compiled engine has the same one and leaves the same Record.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simpy import Environment

    from simulator.mapping.plan import Activity, Plan
    from simulator.timing.record import Record


def simulate(
    plan: Plan,
    activity: Activity,
    *,
    events: bool = False,
    progress: Callable[[int, int], object] | None = None,
    environment: Environment | None = None,
) -> Record:
    """Run the work on the machine and return what it counted; raise DeadlockError when nothing can
    move any more.

    events: keep every grant, state change and packet.  progress(steps done, steps) is called after
    each step. environment: a fresh SimPy environment to run on; any order of equal (time, priority)
    gives the same Record.
    """
    import simpy

    from simulator.timing.reference.chip import Chip

    return Chip(environment or simpy.Environment(), plan, activity, events, progress).run()
