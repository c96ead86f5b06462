"""What an exported file cannot say and the user may: how its neurons run, and how reals become
integers.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import isfinite

from simulator.describe.messages import alternatives, shown_value
from simulator.errors import InputError

#: what may be chosen by name; None stands for: not chosen, the file or its tool decides
RESETS, RESET_TIMES = ("zero", "subtract"), ("same", "next")
COMPARES, PER_STEP = ("gt", "ge"), ("one", "many")
INITIALS, LOWERS = ("zero", "half", "reset", "leak"), ("none", "threshold")
_NAMED = {
    "reset": RESETS,
    "reset_at": RESET_TIMES,
    "compare": COMPARES,
    "spikes_per_step": PER_STEP,
    "initial": INITIALS,
    "lower": LOWERS,
}


@dataclass(frozen=True)
class Choices:
    """Decisions of whoever imports; None where nothing was decided.

    tool: the tool that wrote the file, by name, which stands for all its habits.  dt: seconds of a
    timestep.  reset: 'zero' or 'subtract'.  reset_at: 'same' timestep or 'next'.  compare: a neuron
    fires at 'ge' or 'gt' its threshold.  spikes_per_step: 'one' or 'many'.  initial: potential an
    inference starts from.  lower: 'threshold' holds the potential above minus the threshold.
    weight_bits: width of the integers.  per_channel: a scale for each neuron or channel, else one
    for a population.  percentile: of magnitudes that a scale reaches, 100 for the largest.
    input_bits: width of what enters where it is real.  timesteps: of an inference.
    """

    tool: str | None = None
    dt: float | None = None
    reset: str | None = None
    reset_at: str | None = None
    compare: str | None = None
    spikes_per_step: str | None = None
    initial: str | None = None
    lower: str | None = None
    weight_bits: int = 8
    per_channel: bool = True
    percentile: float = 100.0
    input_bits: int = 8
    timesteps: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant, in the words of each choice."""
        for name, allowed in _NAMED.items():
            given = getattr(self, name)
            if given is not None and given not in allowed:
                raise InputError(
                    f"{name}: must be {alternatives(allowed)}, not {shown_value(given)}"
                )
        if self.dt is not None and not (isfinite(self.dt) and 0 < self.dt <= 1e9):
            raise InputError(f"dt: must be above 0 s and finite, not {self.dt}")
        if not 2 <= self.weight_bits <= 16:
            raise InputError(f"weight_bits: must be from 2 to 16, not {self.weight_bits}")
        if not 50 <= self.percentile <= 100:
            raise InputError(f"percentile: must be from 50 to 100, not {self.percentile}")
        if self.timesteps is not None and not 1 <= self.timesteps <= 4096:
            raise InputError(f"timesteps: must be from 1 to 4096, not {self.timesteps}")

    def chosen(self) -> dict[str, object]:
        """Return what was decided, by name."""
        found = ((each.name, getattr(self, each.name)) for each in fields(self))
        return {name: value for name, value in found if value is not None}
