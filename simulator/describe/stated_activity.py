"""Activity that a workload states for some numbers of timesteps, instead of having it computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from simulator.describe.documents import Description
from simulator.describe.fields import Natural

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


@dataclass(frozen=True)
class Rate:
    """At one number of timesteps, of every hidden population."""

    timesteps: int
    spike_rate: float  # spikes of a neuron per timestep of the spiking twin
    density: float  # share of the quantised twin's activations that are not 0


@dataclass(frozen=True)
class StatedActivity:
    """Who fires is drawn from a seed, at rates whose source is stated."""

    source: str
    seed: int
    at: tuple[Rate, ...]

    def of(self, timesteps: int) -> Rate | None:
        """Return what is stated for a number of timesteps, or None."""
        return next((one for one in self.at if one.timesteps == timesteps), None)

    def tree(self) -> dict[str, Any]:
        """Return it as a file has it."""
        return {"source": self.source, "seed": self.seed, "at": [vars(one) for one in self.at]}


class RateDocument(Description):
    """At one number of timesteps: spikes of a neuron per timestep, and the share of the quantised
    twin's activations that are not 0; of every hidden population.
    """

    timesteps: Annotated[int, Field(ge=1, le=4096)]
    spike_rate: Share
    density: Share


class ActivityDocument(Description):
    """Who fires is drawn from a seed, at rates whose source is stated."""

    source: Annotated[str, Field(min_length=1, max_length=400)]
    seed: Natural
    at: Annotated[list[RateDocument], Field(min_length=1, max_length=64)]

    @property
    def twice(self) -> int | None:
        """A number of timesteps that is stated more than once."""
        steps = [one.timesteps for one in self.at]
        return next((one for one in steps if steps.count(one) > 1), None)

    @property
    def stated(self) -> StatedActivity:
        """What it says."""
        rates = tuple(Rate(one.timesteps, one.spike_rate, one.density) for one in self.at)
        return StatedActivity(self.source, self.seed, rates)
