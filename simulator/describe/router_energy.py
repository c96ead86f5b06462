"""Published energies of mesh routers and their links, from router_energy.yaml, checked."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from simulator.describe.documents import Description, Document
from simulator.describe.fields import Bits, Energy, Length, Power
from simulator.errors import DescriptionError

FILE = Path(__file__).with_name("router_energy.yaml")


class RouterRow(Description):
    """One router: joules per flit; clock in joules per cycle, leakage in watts; the link in joules
    per flit.
    """

    virtual_channels: int = Field(ge=1)
    depth: int = Field(ge=1)
    buffer_write: Energy
    buffer_read: Energy
    crossbar: Energy
    allocation: Energy
    clock: Energy
    leakage: Power
    link: Energy


class RouterEnergies(Description):
    """The rows of each technology, and the flit (bits) and link (m) they hold for."""

    schema_version: Literal[1]
    source: str = Field(min_length=1)
    evidence: Literal["measured", "published", "derived", "assumed"]
    scope: Literal["marginal", "all_in"]
    flit: Bits
    link_length: Length
    technologies: dict[str, Annotated[list[RouterRow], Field(min_length=1)]]


@cache
def router_energies(file: Path = FILE) -> RouterEnergies:
    """Return the shipped table; raises DescriptionError with all its faults."""
    document = Document(file)
    found = document.validate(RouterEnergies)
    document.refuse()
    if found is None:
        raise DescriptionError([f"{file}: cannot be read"])
    return found
