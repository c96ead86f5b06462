"""NIR files for tests: nodes as dicts of arrays, nested graphs as (nodes, edges)."""

from pathlib import Path

import h5py
import numpy as np

WORDS = h5py.string_dtype()
Edges = list[tuple[str, str]]


def graph(place: h5py.Group, nodes: dict, edges: Edges) -> None:
    place.create_dataset("type", data="NIRGraph", dtype=WORDS)
    table = np.array(edges, object).reshape(-1, 2)
    place.create_dataset("edges", data=table, dtype=WORDS)
    inner = place.create_group("nodes")
    for name, node in nodes.items():
        here = inner.create_group(name)
        if isinstance(node, tuple):
            graph(here, *node)
            continue
        for key, value in node.items():
            is_text = isinstance(value, str)
            here.create_dataset(key, data=value, dtype=WORDS if is_text else None)


def write(path: Path, nodes: dict, edges: Edges) -> Path:
    with h5py.File(path, "w") as file:
        file.create_dataset("version", data="1.0.8", dtype=WORDS)
        graph(file.create_group("node"), nodes, edges)
    return path


def chain(path: Path, shape: tuple[int, ...], *nodes: dict, out: int = 1) -> Path:
    """Input, the nodes one after the other named a, b, c..., Output."""
    named = {"input": {"type": "Input", "shape": np.array(shape)}}
    named |= {chr(97 + k): node for k, node in enumerate(nodes)}
    named["output"] = {"type": "Output", "shape": np.array([out])}
    names = list(named)
    return write(path, named, list(zip(names, names[1:])))


def conv(weight: np.ndarray, bias=None, stride=1, padding=0, dilation=1, groups=1) -> dict:
    return {
        "type": "Conv2d" if weight.ndim == 4 else "Conv1d",
        "weight": weight,
        "bias": np.zeros(len(weight)) if bias is None else bias,
        "stride": np.array(stride),
        "padding": padding if isinstance(padding, str) else np.array(padding),
        "dilation": np.array(dilation),
        "groups": np.array(groups),
    }


def pool(kind: str, kernel, stride=None, padding=0) -> dict:
    stride = kernel if stride is None else stride
    named = {"kernel_size": kernel, "stride": stride, "padding": padding}
    return {"type": kind} | {key: np.array(value) for key, value in named.items()}


def integrator(n=1) -> dict:
    return {"type": "I", "r": np.ones(n)}
