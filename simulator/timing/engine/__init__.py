"""The compiled engine: cycle-exact, event-driven, the same interface and the same Record as the
executable specification.
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
    """Run the work on the machine and return what it counted, as `timing.Engine` says."""
    import simpy

    from simulator.errors import Interrupted
    from simulator.timing.engine.fabric import Fabric

    environment = environment or simpy.Environment()
    fabric = Fabric(
        environment,
        plan,
        activity,
        events=events,
        progress=progress,
        steps_together=steps_together,
    )
    environment.run(until=fabric.done)
    record = fabric.record()
    if fabric.is_interrupted:
        raise Interrupted(record)
    return record
