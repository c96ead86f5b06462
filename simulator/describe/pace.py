"""When a chip's parts go on: steps and how cores keep them together, barriers, and what sleeps
when.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from simulator.describe.documents import Description
from simulator.describe.fields import (
    Duration,
    DurationOrNever,
    Positive,
    PositiveDuration,
    SomeBits,
    duration_or,
)
from simulator.describe.messages import shown_value

#: cycles, or 'none' (0)
Tick = Annotated[int, BeforeValidator(duration_or("none", 0, 1))]
#: the memories of a core that power takes or leaves: synapses and axons; neurons
Memories = Literal["weights", "state"]
Kept = Annotated[list[Memories], Field(max_length=2)]


class Step(Description):
    """How a step begins (docs/machine.md, Steps); a chip that says nothing waits for a barrier
    alone.
    """

    tick: Tick = 0  # a step starts at a whole multiple of it
    synchronisation: Literal["barrier", "tokens"] = "barrier"
    planes: Annotated[int, Field(ge=2, le=32)] = 2  # of accumulators

    @model_validator(mode="after")
    def _ticks_alone(self) -> Self:
        if self.tick and self.synchronisation == "tokens":
            raise ValueError("must have no tick beside tokens: a tick holds the whole chip")
        return self


class Barrier(Description):
    """From a quiet chip to the next step: cycles by tiles in use, linear between stated points,
    rounded to a cycle; or a tree of gates along the mesh, with `tree` cycles beside its links.
    """

    points: Annotated[list[tuple[Positive, PositiveDuration]], Field(min_length=1)] | None = None
    tree: PositiveDuration | None = None

    @field_validator("points", mode="before")
    @classmethod
    def _pairs(cls, points: Any) -> Any:
        if isinstance(points, list):
            return [tuple(point) if isinstance(point, list) else point for point in points]
        return points

    @field_validator("points")
    @classmethod
    def _rising(cls, points: list[tuple[int, int]] | None) -> list[tuple[int, int]] | None:
        tiles = [tile for tile, _ in points or ()]
        if any(b <= a for a, b in zip(tiles, tiles[1:])):
            raise ValueError(f"must have rising numbers of tiles, not {shown_value(tiles)}")
        return points

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.points is None) == (self.tree is None):
            both = "both" if self.tree is not None else "neither"
            raise ValueError(f"must have either points or tree (the other null), not {both}")
        return self


class Gating(Description):
    """When a core or a router is switched off, and what waking takes."""

    gate_after: DurationOrNever
    gate_wake: Duration
    off_after: DurationOrNever
    off_wake: Duration
    retention: Kept  # which memories survive off; the others lose what they hold
    reload: SomeBits  # of weights and axons per cycle, where they do not
    router_gate_after: DurationOrNever
    router_wake: Duration
    unused: Literal["off", "gated", "clocked"]  # cores that hold nothing, all through a run

    @field_validator("retention")
    @classmethod
    def _once(cls, retention: list[str]) -> list[str]:
        if len(set(retention)) < len(retention):
            raise ValueError(f"must name a memory once, not {shown_value(retention)}")
        return retention

    @field_validator("off_after")
    @classmethod
    def _order(cls, off_after: int, info: ValidationInfo) -> int:
        gate_after = info.data.get("gate_after", -1)
        if 0 <= off_after < gate_after:
            raise ValueError(
                f"must be at least gate_after ({gate_after} cycles), not {off_after} cycles"
            )
        return off_after

    def keeps(self, memory: str) -> bool:
        """Return whether `weights` or `state` survive off."""
        return memory in self.retention
