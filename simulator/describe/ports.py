"""Ports to the outside: where the input of a network enters a chip, and where its results leave."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simulator.describe.documents import Description, Document
from simulator.describe.fields import Natural, PositiveDuration

Tile = Annotated[list[Natural], Field(min_length=2, max_length=2)]
Role = Literal["input", "output", "both"]
#: what a port of each role does, as messages say it
TAKES: dict[str, tuple[Role, Role]] = {"input": ("input", "both"), "output": ("output", "both")}


class Port(Description):
    """Where the outside world is attached, what it is for, and how often it may send a packet."""

    name: str = Field(min_length=1)
    role: Role
    tile: Tile
    interval: PositiveDuration | None = None  # between packets it injects; of ports that take input


def check(document: Document, ports: list[Port], width: int, height: int) -> None:
    """Report ports off the mesh, names used twice, roles without or with several ports."""
    names: set[str] = set()
    for number, port in enumerate(ports):
        x, y = port.tile
        if x >= width or y >= height:
            document.fault(
                ("ports", number, "tile"),
                f"must lie on the {width}x{height} mesh, not at {port.tile}",
            )
        if port.name in names:
            document.fault(
                ("ports", number, "name"),
                f"must be used by one port only, not again: {port.name!r}",
            )
        names.add(port.name)
        if port.interval is None and port.role != "output":
            document.fault(
                ("ports", number, "interval"),
                f"missing key: a port of role {port.role} sends packets",
            )
        if port.interval is not None and port.role == "output":
            document.fault(
                ("ports", number, "interval"),
                "must be left out: a port of role output sends nothing",
            )
    for role, roles in TAKES.items():
        having = [port.name for port in ports if port.role in roles]
        if len(having) != 1:
            found = ", ".join(map(repr, having)) or "none"
            document.fault(
                ("ports",), f"must have exactly one port of role {role} or both, not {found}"
            )


def number_of(ports: list[Port], role: str) -> int:
    """Return the number of the one port that takes a network's `input` or its `output`."""
    return next(number for number, port in enumerate(ports) if port.role in TAKES[role])
