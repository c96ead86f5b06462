"""Shapes along a NIR graph, inferred from its inputs, and its linear nodes as steps.

Own inference: the sizes a file states may be missing, wrong or carry a batch dimension.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import prod

import numpy as np

from simulator import memory
from simulator.importers.linear import (
    CONV,
    DELAY,
    DENSE,
    POOL,
    RESHAPE,
    SCALE,
    Op,
    Pair,
    Shape,
    slid,
)
from simulator.importers.nir_graph import Graph, Path_
from simulator.importers.nir_nodes import ENDS, FIRING, LARGEST, READ, Checked

Fault = Callable[[str], None]


class Shapes:
    """The output shape of every node, and the step of every linear one."""

    def __init__(self, graph: Graph, nodes: dict[Path_, Checked], dt: float, fault: Fault) -> None:
        """Infer all of it; what does not fit is noted."""
        self.nodes, self.dt, self.fault = nodes, dt, fault
        self.before: dict[Path_, list[Path_]] = {path: [] for path in nodes}
        self.after: dict[Path_, list[Path_]] = {path: [] for path in nodes}
        for source, target in graph.edges:
            if source in nodes and target in nodes:
                self.before[target].append(source)
                self.after[source].append(target)
        self.output: dict[Path_, Shape] = {}
        self.op: dict[Path_, Op] = {}
        self.wrong: set[Path_] = set()
        self._flow()
        self._check()

    def _flow(self) -> None:
        inputs = [
            path for path, node in self.nodes.items() if node.type == "Input" and len(path) == 1
        ]
        for first in inputs:
            self.output[first] = _without_batch(tuple(self.nodes[first].whole["shape"].reshape(-1)))
        ready = deque(p for path in inputs for p in self.after[path])
        while ready:
            path = ready.popleft()
            if path in self.output or path in self.wrong:
                continue
            known = [self.output[p] for p in self.before[path] if p in self.output]
            shape = self._behind(path, known[0])
            if shape is None or prod(shape) > LARGEST:
                if shape is not None:
                    self.fault(f"{self.nodes[path].name}: must have at most {LARGEST:,} outputs")
                self.wrong.add(path)
                continue
            self.output[path] = shape
            ready += self.after[path]

    def _check(self) -> None:
        """Note nodes that nothing reaches, and edges whose ends differ in size."""
        if self.wrong:
            return
        lost = [node.name for path, node in self.nodes.items() if path not in self.output]
        if lost:
            more = f" and {len(lost) - 10} more" if len(lost) > 10 else ""
            self.fault(
                f"must lead from an Input to every node, not past {', '.join(lost[:10])}{more}"
            )
            return
        for target, sources in self.before.items():
            node = self.nodes[target]
            wanted = self.op[target].input_shape if target in self.op else self.output[target]
            for source in sources:
                if prod(self.output[source]) != prod(wanted) and node.type not in ENDS:
                    self.fault(
                        f"{node.name} ({node.type}): must be given {prod(wanted)} values, not "
                        f"{prod(self.output[source])} by {self.nodes[source].name}"
                    )

    def _behind(self, path: Path_, shape: Shape) -> Shape | None:
        """Return the shape behind a node, its step noted; None after noting what is wrong."""
        node = self.nodes[path]
        try:
            if node.type in (*ENDS, *FIRING, *READ):
                return shape
            op = self._made(node, shape)
        except ValueError as error:
            self.fault(f"{node.name} ({node.type}): {error}")
            return None
        self.op[path] = op
        return op.output_shape

    def _made(self, node: Checked, shape: Shape) -> Op:
        if node.type in ("Affine", "Linear"):
            return _dense(node, shape)
        if node.type == "Scale":
            weight = spread("scale", node.real["scale"], shape)
            return Op(SCALE, node.name, shape, shape, weight.reshape(shape))
        if node.type == "Delay":
            steps = spread("delay", node.real["delay"], shape) / self.dt
            whole = np.rint(steps)
            if (abs(steps - whole) > 1e-3).any() or whole.max() > 4096:
                raise ValueError(
                    f"delay: must be a whole number of timesteps of {self.dt:g} s, at most 4096, "
                    f"not {float(steps.max()):g}"
                )
            return Op(DELAY, node.name, shape, shape, steps=whole.astype(np.int64))
        if node.type == "Flatten":
            return Op(RESHAPE, node.name, shape, _flattened(node, shape))
        if node.type in ("SumPool2d", "AvgPool2d"):
            return _pool(node, shape)
        return _conv(node, shape)


def spread(key: str, values: np.ndarray, shape: Shape) -> np.ndarray:
    """Return one value per element of a shape, flat; raises ValueError where they do not fit."""
    n = prod(shape)
    if values.size == 1:
        return np.full(n, float(values.reshape(-1)[0]))
    if values.size == n:
        return values.reshape(-1).astype(np.float64)
    if values.size == shape[0] and len(shape) > 1:  # one per channel
        return np.repeat(values.reshape(-1), n // shape[0]).astype(np.float64)
    raise ValueError(f"{key}: must have 1 or {n} values, not {values.size}")


def _without_batch(shape: Shape) -> Shape:
    """Return a shape of at most three sizes: those in front that are 1 are batch and time."""
    shape = tuple(int(size) for size in shape)
    while len(shape) > 3 and shape[0] == 1:
        shape = shape[1:]
    return shape if len(shape) <= 3 else (prod(shape),)


def _dense(node: Checked, shape: Shape) -> Op:
    weight = node.real["weight"]
    rows, columns = weight.shape
    if columns == prod(shape):
        out: Shape = (rows,)
    elif columns == shape[-1]:
        out = (*shape[:-1], rows)
    else:
        raise ValueError(f"weight: must have {prod(shape)} columns, not {columns}")
    bias = node.real.get("bias")
    if bias is not None:
        if bias.size not in (1, rows):
            raise ValueError(f"bias: must have {rows} values, not {bias.size}")
        bias = np.broadcast_to(bias.reshape(-1), out).copy()
    return Op(DENSE, node.name, shape, out, weight, bias)


def _flattened(node: Checked, shape: Shape) -> Shape:
    n = len(shape)
    start, end = (int(node.whole[key].reshape(-1)[0]) for key in ("start_dim", "end_dim"))
    start, end = (min(max(at + n if at < 0 else at, 0), n - 1) for at in (start, end))
    if start >= end:
        return shape
    return (*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :])


def _two(node: Checked, key: str) -> Pair:
    values = node.whole[key].reshape(-1)
    if values.size > 2:
        raise ValueError(f"{key}: must be one or two numbers, not {values.size}")
    first, last = int(values[0]), int(values[-1])
    return (0 if key == "padding" else 1, last) if node.type == "Conv1d" else (first, last)


def _image(shape: Shape, channels: int, sizes: np.ndarray | None) -> Shape:
    """Return a shape as (channels, height, width)."""
    if len(shape) == 3 and shape[0] == channels:
        return shape
    if len(shape) == 2 and shape[0] == channels:
        return (channels, 1, shape[1])
    if len(shape) == 2 and channels == 1:
        return (1, *shape)
    if sizes is not None and prod(shape) == channels * prod(sizes.tolist()):
        sides = sizes.tolist()
        return (channels, 1, sides[0]) if len(sides) == 1 else (channels, *sides[-2:])
    if len(shape) == 1 and channels == 1:
        return (1, 1, shape[0])
    raise ValueError(
        f"weight: must be for {shape[0]} channels of a shape {list(shape)}, not {channels}"
    )


def _conv(node: Checked, shape: Shape) -> Op:
    weight = node.real["weight"]
    if node.type == "Conv1d":
        weight = weight[:, :, None, :]
    groups = int(node.whole["groups"].reshape(-1)[0])
    if weight.shape[0] % groups:
        raise ValueError(f"groups: must divide {weight.shape[0]} channels, not {groups}")
    image = _image(shape, weight.shape[1] * groups, node.whole.get("input_shape"))
    stride, dilation = _two(node, "stride"), _two(node, "dilation")
    kernel: Pair = weight.shape[2:]
    before = behind = (0, 0)
    if node.words.get("padding") == "same":
        before, behind = _same(image, kernel, stride, dilation)
    elif "padding" in node.whole:
        before = behind = _two(node, "padding")
    out = slid(image, kernel, stride, before, behind, dilation)
    if min(out) < 1:
        raise ValueError(f"weight: must fit into {image[1]}x{image[2]}, not be {kernel}")
    _afford(node, image, before, behind, (weight.shape[0], *out))
    bias = node.real["bias"]
    if bias.size not in (1, weight.shape[0]):
        raise ValueError(f"bias: must have {weight.shape[0]} values, not {bias.size}")
    full = np.broadcast_to(bias.reshape(-1, 1, 1), (weight.shape[0], *out))
    return Op(
        CONV,
        node.name,
        image,
        (weight.shape[0], *out),
        weight,
        full,
        stride,
        before,
        behind,
        dilation,
        groups,
    )


def _afford(node: Checked, image: Shape, before: Pair, behind: Pair, out: Shape) -> None:
    """Refuse images that zeros around them make too large, before any is made."""
    sides = [side + first + last for side, first, last in zip(image[1:], before, behind)]
    if image[0] * prod(sides) > LARGEST or prod(out) > LARGEST:
        raise ValueError(f"padding: must leave at most {LARGEST:,} pixels")
    memory.need(f"{node.name}: {prod(out):,} outputs", 16 * (image[0] * prod(sides) + prod(out)))


def _same(image: Shape, kernel: Pair, stride: Pair, dilation: Pair) -> tuple[Pair, Pair]:
    """Return the zeros that give ⌈side / stride⌉ outputs; an odd one goes behind."""
    total = [
        max((-(-side // step) - 1) * step + gap * (size - 1) + 1 - side, 0)
        for side, size, step, gap in zip(image[1:], kernel, stride, dilation)
    ]
    before = (total[0] // 2, total[1] // 2)
    return before, (total[0] - before[0], total[1] - before[1])


def _pool(node: Checked, shape: Shape) -> Op:
    image = shape if len(shape) == 3 else (1, *shape) if len(shape) == 2 else (1, 1, shape[0])
    kernel, stride, padding = (_two(node, key) for key in ("kernel_size", "stride", "padding"))
    out = slid(image, kernel, stride, padding, padding, (1, 1))
    if min(out) < 1:
        raise ValueError(f"kernel_size: must fit into {image[1]}x{image[2]}, not be {kernel}")
    _afford(node, image, padding, padding, (image[0], *out))
    if prod(kernel) > prod(image[1:]) * 4 + 64:
        raise ValueError("kernel_size: must not be far larger than the image")
    return Op(
        POOL,
        node.name,
        image,
        (image[0], *out),
        np.ones(kernel),
        None,
        stride,
        padding,
        padding,
        groups=image[0],
        mean=node.type == "AvgPool2d",
    )
