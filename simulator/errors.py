"""One exception tree: everything the simulator refuses, with the place and the reason.

`SpikemeshError` is what callers catch; the command line prints its text and exits with `exit_code`.
"""

from __future__ import annotations

from typing import Any

#: faults written out; the others are counted
MOST_FAULTS = 50


class SpikemeshError(Exception):
    """Base of every error the simulator raises on purpose; its text is complete and meant for
    people.
    """

    exit_code = 2


class DescriptionError(SpikemeshError):
    """All faults of one or more descriptions at once, one per line, each `file:line: key: what is
    wrong`; beyond MOST_FAULTS they are counted.
    """

    def __init__(self, faults: list[str]) -> None:
        """Keep the faults in the order found; the text is one fault per line, the first ones."""
        self.faults = list(faults)
        more = len(self.faults) - MOST_FAULTS
        counted = [f"and {more:,} more faults"] if more > 0 else []
        super().__init__("\n".join([*self.faults[:MOST_FAULTS], *counted]))


class UnitError(SpikemeshError, ValueError):
    """A quantity that cannot be read, has the wrong dimension, or is no whole number of cycles."""


class MappingError(SpikemeshError):
    """A network that does not fit on a chip: what, where, by how much."""


class InputError(SpikemeshError):
    """An option, trace or array given by the user that cannot be used; says which and what is
    allowed.
    """


class CheckError(SpikemeshError):
    """A check that ran to its end and did not hold (exit code 1)."""

    exit_code = 1


class DeadlockError(SpikemeshError):
    """No progress while packets are in flight; the text names the circle of waiting."""

    exit_code = 1


class Interrupted(KeyboardInterrupt):
    """A run stopped by the user; `record` is what it had counted by then, over whole groups of
    steps: all of it where the last group was under way.

    It is a KeyboardInterrupt, so that no loop that goes on after an Exception goes on after it.
    """

    def __init__(self, record: Any) -> None:
        """Keep the record of the steps that were done."""
        self.record = record
        super().__init__(f"stopped after {len(record.step_start)} steps")
