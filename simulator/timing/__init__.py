"""Timing: two engines with one interface, compared cycle for cycle.

`engine_named` is the door, `ENGINES` the registry: a name and the module that holds its `simulate`,
imported when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Literal, Protocol, get_args

from simulator.errors import InputError

if TYPE_CHECKING:
    from simpy import Environment

    from simulator.mapping.plan import Activity, Plan
    from simulator.timing.record import Record

EngineName = Literal["compiled", "reference"]
#: the module of every engine, whose `simulate` is the engine
ENGINES: dict[EngineName, str] = {
    "compiled": "simulator.timing.engine",
    "reference": "simulator.timing.reference",
}
assert tuple(ENGINES) == get_args(EngineName)
COMPILED: EngineName = "compiled"
REFERENCE: EngineName = "reference"
#: told of steps done, of how many, now and then
Steps = Callable[[int, int], None]


class Engine(Protocol):
    """The machine of docs/machine.md at work; every engine leaves the same Record, to the bit."""

    def __call__(
        self,
        plan: Plan,
        activity: Activity,
        *,
        events: bool = False,
        progress: Steps | None = None,
        steps_together: int = 1,
        environment: Environment | None = None,
    ) -> Record:
        """Run the work on the machine and return what it counted.

        events: keep every grant, state change and packet.  progress(steps done, steps) is called
        now and then.  steps_together: how many steps belong together, an inference's say; a first
        Ctrl-C lets the run come to the end of such a group and raises Interrupted with the record
        so far, a second one stops it at once.  environment: a fresh SimPy environment to run on.
        Raises DeadlockError when nothing can move any more.
        """


def engine_named(name: str) -> Engine:
    """Return the engine of that name and import only that one; raises InputError for another."""
    if not isinstance(name, str) or name not in ENGINES:
        raise InputError(f"engine: must be one of {', '.join(ENGINES)}, not {name!r}")
    return import_module(ENGINES[name]).simulate  # type: ignore[index,no-any-return]
