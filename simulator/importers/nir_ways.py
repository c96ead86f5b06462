"""From nodes and edges to populations and the ways between them.

A way is a chain of linear steps from a population to another; where several edges lead into a
linear node, their sums are distributed.  Biases on the way are gathered once, as a constant current
of the target.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod

import numpy as np

from simulator.describe.offsets import strongly_connected
from simulator.importers.floating import Cell, Floating, Place, Way
from simulator.importers.imported import Stated
from simulator.importers.linear import DELAY, RESHAPE, Op
from simulator.importers.nir_graph import Path_
from simulator.importers.nir_nodes import FIRING, READ, Checked
from simulator.importers.nir_shapes import Fault, Shapes

#: ways into one population, and linear nodes on one way
MOST_WAYS, LONGEST_WAY = 2_000, 200


@dataclass
class Network:
    """Populations in an order that begins with the inputs; `made`: outputs that are linear."""

    shapes: Shapes
    fault: Fault
    order: list[Path_] = field(default_factory=list)
    found: list[tuple[Path_, Path_, tuple[Op, ...]]] = field(default_factory=list)
    outputs: list[Path_] = field(default_factory=list)
    stated: list[Stated] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    bias: dict[Path_, np.ndarray] = field(default_factory=dict)

    def floating(
        self, cell_of: Callable[[Checked, tuple[int, ...], bool], Cell | None]
    ) -> Floating:
        """Return the network in reals, each neuron's cell made by `cell_of(node, shape,
        is_recurrent)`.
        """
        number = {path: at for at, path in enumerate(self.order)}
        later, recurrent = self._later(number)
        places = []
        for path in self.order:
            node, shape = self.shapes.nodes[path], self.shapes.output[path]
            cell = None
            if node.type in (*FIRING, *READ):
                cell = cell_of(node, shape, path in recurrent)
            elif node.type == "Output":
                n = prod(shape)
                cell = Cell(np.ones(n), np.ones(n), np.zeros(n), np.zeros(n))
            places.append(Place(node.name, shape, cell, self.bias.get(path)))
        ways = []
        for at, (source, target, ops) in enumerate(self.found):
            try:
                ways.append(_way(number[source], number[target], ops, int(at in later)))
            except ValueError as error:
                self.fault(f"{self.shapes.nodes[target].name}: {error}")
        outputs = tuple(number[path] for path in self.outputs)
        return Floating(tuple(places), tuple(ways), outputs, self.shapes.dt)

    def _later(self, number: dict[Path_, int]) -> tuple[set[int], set[Path_]]:
        """Return the ways that close a circle, which take a timestep, and the populations in
        circles.
        """
        edges: list[list[int]] = [[] for _ in self.order]
        direct: list[list[int]] = [[] for _ in self.order]
        for source, target, ops in self.found:
            edges[number[source]].append(number[target])
            if not any(op.kind == DELAY and op.steps is not None and op.steps.min() for op in ops):
                direct[number[source]].append(number[target])
        part_of = {
            at: k for k, part in enumerate(strongly_connected(len(edges), direct)) for at in part
        }
        later, recurrent = set(), set()
        for at, (source, target, _) in enumerate(self.found):
            here, there = number[source], number[target]
            is_loop = part_of[here] == part_of[there] and there in direct[here]
            if is_loop and there <= here:
                later.add(at)
                self.stated.append(
                    Stated(
                        f"{self.shapes.nodes[source].name} to {self.shapes.nodes[target].name}",
                        "one timestep later",
                        "it closes a circle",
                    )
                )
        for part in strongly_connected(len(edges), edges):
            if len(part) > 1 or part[0] in edges[part[0]]:
                recurrent |= {self.order[at] for at in part}
        return later, recurrent


def _way(source: int, target: int, ops: tuple[Op, ...], later: int) -> Way:
    """Return a way whose delays are told apart: those all share, and those of single sources or
    targets; raises ValueError for delays in between.
    """
    delay, source_steps, target_steps = later, None, None
    kept = [op for op in ops if op.kind != DELAY]
    linear = [at for at, op in enumerate(ops) if op.kind not in (DELAY, RESHAPE)]
    for at, op in enumerate(ops):
        if op.kind != DELAY or op.steps is None:
            continue
        steps = op.steps.reshape(-1)
        if steps.min() == steps.max():
            delay += int(steps[0])
        elif not linear or at < linear[0]:
            source_steps = steps if source_steps is None else source_steps + steps
        elif at > linear[-1]:
            target_steps = steps if target_steps is None else target_steps + steps
        else:
            raise ValueError("delays that differ must stand before or behind all linear nodes")
    if source_steps is not None and target_steps is not None:
        raise ValueError("delays that differ must stand on one side of the linear nodes only")
    return Way(source, target, tuple(kept), delay, source_steps, target_steps)


def ways(shapes: Shapes, fault: Fault) -> Network:
    """Return all populations of a graph and the ways between them; what cannot be is noted."""
    nodes = shapes.nodes
    network = Network(shapes, fault)
    cells = [path for path, node in nodes.items() if node.type in (*FIRING, *READ)]
    inputs = [path for path in nodes if _is_outer(path, nodes[path], "Input")]
    outputs = [path for path in nodes if _is_outer(path, nodes[path], "Output")]
    if not inputs:
        fault("must have an Input")
        return network
    search = _Search(shapes, fault)
    made = []
    for path in outputs:
        found = search.into(path)
        is_plain = found and all(
            not ops and nodes[source].type in (*FIRING, *READ) for source, ops in found
        )
        if is_plain and len(found) == 1:
            network.outputs.append(found[0][0])
            if prod(shapes.output[found[0][0]]) != prod(nodes[path].whole["shape"].tolist()):
                network.warnings.append(
                    f"{nodes[path].name}: says {nodes[path].whole['shape'].tolist()}, and "
                    f"{prod(shapes.output[found[0][0]])} neurons lead to it"
                )
        elif found:
            made.append(path)
            network.outputs.append(path)
            network.stated.append(
                Stated(f"{nodes[path].name}", "the sum over all timesteps", "no neuron leads to it")
            )
    network.outputs = list(dict.fromkeys(network.outputs))
    network.order = _ordered([*inputs, *cells, *made], inputs, shapes)
    names = Counter(nodes[path].name for path in network.order)
    twice = [name for name, many in names.items() if many > 1]
    if twice:
        fault(f"must give its nodes different names, not {twice[0]} twice")
    for path in [*cells, *made]:
        found = search.into(path)
        if not found and not search.said:
            fault(f"{nodes[path].name}: must be led to by something that fires")
        network.found += [(source, path, ops) for source, ops in found]
        constant = search.constant(path)
        if constant is not None and constant.any():
            network.bias[path] = constant
    _check_read(network, fault)
    if not network.outputs:
        sends = {source for source, _, _ in network.found}
        network.outputs = [path for path in cells if path not in sends]
        network.stated.append(Stated("read", "what leads nowhere", "the file has no Output"))
    if not network.outputs:
        fault("must have an Output")
    return network


def _is_outer(path: Path_, node: Checked, kind: str) -> bool:
    return node.type == kind and len(path) == 1


def _ordered(paths: list[Path_], inputs: list[Path_], shapes: Shapes) -> list[Path_]:
    """Return populations in the order in which a signal first reaches them."""
    seen = dict.fromkeys(inputs)
    queue = list(inputs)
    for path in queue:
        for after in sorted(shapes.after[path]):
            if after not in seen:
                seen[after] = None
                queue.append(after)
    wanted = set(paths)
    return [path for path in seen if path in wanted]


def _check_read(network: Network, fault: Fault) -> None:
    for source, target, _ in network.found:
        node = network.shapes.nodes[source]
        if node.type in READ:
            fault(
                f"{node.name} ({node.type}): must lead to an Output alone: it sends no spikes, and "
                f"leads to {network.shapes.nodes[target].name}"
            )


class _Search:
    """Backwards from a node over linear ones to the populations that drive it."""

    def __init__(self, shapes: Shapes, fault: Fault) -> None:
        self.shapes, self.fault = shapes, fault
        self.held: dict[Path_, np.ndarray | None] = {}
        self.said = False

    def into(self, target: Path_) -> list[tuple[Path_, tuple[Op, ...]]]:
        """Return what leads to a node: populations, and the linear steps from each."""
        found: list[tuple[Path_, tuple[Op, ...]]] = []
        stack: list[tuple[Path_, tuple[Op, ...], tuple[Path_, ...]]] = [
            (path, (), ()) for path in self.shapes.before[target]
        ]
        steps = 0
        while stack:
            path, ops, passed = stack.pop()
            node = self.shapes.nodes[path]
            steps += 1
            if path in passed:
                self._refuse(f"{node.name} ({node.type}): must not drive itself without a neuron")
                return []
            if len(found) > MOST_WAYS or len(passed) > LONGEST_WAY or steps > 100 * MOST_WAYS:
                self._refuse(
                    f"{self.shapes.nodes[target].name}: must be driven over at most {MOST_WAYS} "
                    f"ways of at most {LONGEST_WAY} linear nodes"
                )
                return []
            if node.type in (*FIRING, *READ) or _is_outer(path, node, "Input"):
                found.append((path, ops))
                continue
            if path in self.shapes.op:
                ops = (self.shapes.op[path], *ops)
            stack += [(before, ops, (*passed, path)) for before in self.shapes.before[path]]
        return found[::-1]

    def _refuse(self, message: str) -> None:
        if not self.said:
            self.fault(message)
        self.said = True

    def constant(self, target: Path_) -> np.ndarray | None:
        """Return the current into a node while nothing fires, flat; None for none."""
        if self.said:
            return None
        parts = [self._sent(path) for path in self.shapes.before[target]]
        given = [part for part in parts if part is not None]
        return sum(given[1:], given[0]) if given else None

    def _sent(self, path: Path_) -> np.ndarray | None:
        """Return what a node passes on while nothing fires."""
        node = self.shapes.nodes[path]
        if node.type in (*FIRING, *READ) or _is_outer(path, node, "Input"):
            return None
        if path not in self.held:
            given = self.constant(path)
            op = self.shapes.op.get(path)
            if op is not None:
                has_bias = op.bias is not None and bool(op.bias.any())
                if given is not None or has_bias:
                    x = np.zeros((1, prod(op.input_shape))) if given is None else given[None]
                    given = op.forward(x, bias=True).reshape(-1)
            self.held[path] = given
        return self.held[path]
