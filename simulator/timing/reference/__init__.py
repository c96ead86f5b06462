"""The executable specification: the whole machine of docs/machine.md as SimPy processes, slow and
readable.

`simulate` is the whole interface, that of `timing.Engine`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simpy import Environment

    from simulator.mapping.plan import Activity, Plan
    from simulator.timing import Steps
    from simulator.timing.record import Record


def simulate(
    plan: Plan,
    activity: Activity,
    *,
    events: bool = False,
    progress: Steps | None = None,
    steps_together: int = 1,
    environment: Environment | None = None,
) -> Record:
    """Run the work on the machine and return what it counted, as `timing.Engine` says.

    Any order of equal (time, priority) of the environment's events gives the same Record.
    """
    import simpy

    from simulator.errors import Interrupted
    from simulator.timing.reference import size
    from simulator.timing.reference.chip import Chip

    size.need(plan, activity)
    chip = Chip(
        environment or simpy.Environment(), plan, activity, events, progress, steps_together
    )
    record = chip.run()
    if chip.is_interrupted:
        raise Interrupted(record)
    return record
