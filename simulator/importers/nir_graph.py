"""The graph of a NIR file: nodes that are no graphs themselves, and which leads to which."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator.errors import InputError
from simulator.importers import apart

Path_ = tuple[str, ...]


@dataclass(frozen=True)
class Node:
    """One node: its names from the outermost graph inwards, its type and its fields."""

    path: Path_
    type: str
    fields: dict[str, Any]

    @property
    def name(self) -> str:
        """Return its path as people read it."""
        return ".".join(self.path)


@dataclass
class Graph:
    """All nodes of a file that are no graphs themselves, and which leads to which."""

    file: str
    version: str = ""
    nodes: dict[Path_, Node] = field(default_factory=dict)
    edges: list[tuple[Path_, Path_]] = field(default_factory=list)


def load(path: Path) -> Graph:
    """Return the graph of a file, nested graphs opened up; raises InputError for whatever cannot be
    read or cannot be meant.
    """
    graph: Graph = apart.read(path, "simulator.importers.nir_file", "opened")
    if not graph.nodes:
        raise InputError(f"{path.name}: must hold nodes, not none")
    return graph
