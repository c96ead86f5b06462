"""A NIR file as plain arrays, read with h5py in a process of its own (apart.py): every size is
checked before anything is allocated.

The file is hostile until shown otherwise: no links to elsewhere, no external or virtual data, no
Python objects, nothing that says it holds far more than a file of its size can hold.
"""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from simulator import memory
from simulator.describe.messages import shown_value
from simulator.errors import InputError
from simulator.importers.nir_graph import Graph, Node, Path_

#: nested graphs in nested graphs, nodes, edges, letters of a name
DEEPEST, MOST_NODES, MOST_EDGES, LONGEST = 16, 20_000, 200_000, 200
#: bytes that one stored byte may stand for: gzip packs at most 1032 to 1
DENSEST = 1100
#: bytes that need no proof
FREE = 1 << 16
GRAPH = "NIRGraph"


def opened(path: Path) -> Graph:
    """Return the graph of a file, nested graphs opened up; raises InputError for what cannot be
    meant, and whatever h5py raises.
    """
    with h5py.File(path, "r") as file:
        if not isinstance(_child(path.name, file, "node"), h5py.Group):
            raise InputError(f"{path.name}: must hold a group 'node', as NIR files do")
        graph = Graph(path.name, _version(file))
        _open(graph, (file["node"],), ())
    return graph


def _version(file: h5py.File) -> str:
    if "version" not in file:
        return ""
    held = file["version"]
    return str(_value(f"{file.filename}: version", held)) if isinstance(held, h5py.Dataset) else ""


def _child(where: str, group: h5py.Group, name: str) -> Any:
    """Return a member of a group that is really in the file; None where there is none."""
    link = group.get(name, getlink=True)
    if link is None:
        return None
    if not isinstance(link, h5py.HardLink):
        raise InputError(f"{where}: must hold {shown_value(name)} itself, not a link to elsewhere")
    return group[name]


def _open(graph: Graph, groups: tuple[h5py.Group, ...], path: Path_) -> None:
    """Add a graph's nodes and edges; nested graphs are opened, their inputs and outputs stay as
    nodes that pass on what they are given.  groups: the graph, behind those it is in.
    """
    group = groups[-1]
    where = f"{graph.file}: {'.'.join(path) or 'the graph'}"
    if group in groups[:-1]:
        raise InputError(f"{where}: must not hold itself")
    if len(groups) > DEEPEST:
        raise InputError(f"{where}: must be nested at most {DEEPEST} deep")
    nodes, edges = _child(where, group, "nodes"), _child(where, group, "edges")
    if not isinstance(nodes, h5py.Group) or not isinstance(edges, h5py.Dataset):
        raise InputError(f"{where}: must have a group 'nodes' and a table 'edges'")
    kinds: dict[str, str] = {}
    for name in nodes:
        if len(name) > LONGEST or not name.isprintable():
            raise InputError(f"{where}: must name its nodes in at most {LONGEST} plain letters")
        here = f"{graph.file}: {'.'.join((*path, name))}"
        node = _child(where, nodes, name)
        if not isinstance(node, h5py.Group):
            raise InputError(f"{here}: must be a node, not an array")
        held = _child(here, node, "type")
        kind = _value(f"{here}: type", held) if isinstance(held, h5py.Dataset) else None
        if not isinstance(kind, str):
            raise InputError(f"{here}: must have a type in words")
        kinds[name] = kind
        if kind == GRAPH:
            _open(graph, (*groups, node), (*path, name))
        else:
            graph.nodes[(*path, name)] = Node((*path, name), kind, _fields(here, node))
        if len(graph.nodes) > MOST_NODES:
            raise InputError(f"{graph.file}: must have at most {MOST_NODES:,} nodes")
    _join(graph, where, path, kinds, _pairs(where, edges))


def _fields(where: str, node: h5py.Group) -> dict[str, Any]:
    found = {}
    for key in node:
        held = _child(where, node, key)
        if key not in ("type", "metadata", "input_type", "output_type") and isinstance(
            held, h5py.Dataset
        ):
            found[key] = _value(f"{where}: {key}", held)
    return found


def _value(where: str, held: h5py.Dataset) -> Any:
    """Return an array of numbers, a text, or a table of texts; its size is believed only when the
    bytes for it are there.
    """
    if held.external or held.is_virtual:
        raise InputError(f"{where}: must be stored in the file, not outside it")
    text = h5py.check_string_dtype(held.dtype)
    if text is None and held.dtype.kind not in "fiub":
        raise InputError(f"{where}: must hold numbers or texts, not {str(held.dtype)[:40]}")
    if held.shape is None:
        return np.zeros(0)
    size = prod(held.shape) * held.dtype.itemsize
    stored = held.id.get_storage_size()
    chunk = prod(held.chunks) * held.dtype.itemsize if held.chunks else 0
    if max(size, chunk) > FREE + DENSEST * stored:
        shape = " x ".join(map(str, held.shape))
        raise InputError(f"{where}: must hold its {shape} values; only {stored:,} bytes are there")
    memory.need(f"{where}", 3 * size + chunk)
    if text is None:
        return held[()]
    if size > FREE * 64:
        raise InputError(f"{where}: must hold at most {FREE * 4:,} texts")
    words = held.asstr(errors="replace")[()]
    return words if isinstance(words, str) else np.asarray(words, object)


def _pairs(where: str, held: h5py.Dataset) -> list[tuple[str, str]]:
    table = _value(f"{where}: edges", held)
    if not isinstance(table, np.ndarray) or not table.size:
        return []
    if table.ndim != 2 or table.shape[1] != 2 or table.dtype != object:
        raise InputError(f"{where}: edges: must be pairs of names")
    if len(table) > MOST_EDGES:
        raise InputError(f"{where}: edges: must be at most {MOST_EDGES:,}, not {len(table):,}")
    return [(str(source), str(target)) for source, target in table]


def _join(
    graph: Graph,
    where: str,
    path: Path_,
    kinds: dict[str, str],
    pairs: list[tuple[str, str]],
) -> None:
    """Add edges; those to and from a nested graph end at its one input and begin at its one
    output.
    """
    missing = sorted({name for pair in pairs for name in pair if name not in kinds})
    if missing:
        named = ", ".join(shown_value(name) for name in missing[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise InputError(f"{where}: edges: must join nodes that are there; {named}{more} are not")
    for source, target in dict.fromkeys(pairs):
        ends = []
        for name, kind in ((source, "Output"), (target, "Input")):
            if kinds[name] != GRAPH:
                ends.append((*path, name))
                continue
            inner = [
                node.path
                for node in graph.nodes.values()
                if node.path[:-1] == (*path, name) and node.type == kind
            ]
            if len(inner) != 1:
                raise InputError(
                    f"{where}: {shown_value(name)} must have one {kind} to be joined by, not "
                    f"{len(inner)}"
                )
            ends.append(inner[0])
        graph.edges.append((ends[0], ends[1]))
