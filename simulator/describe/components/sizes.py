"""The parts of a chip as its own keys size them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.describe.components.parts import Memory, NoNode, Queue, Router
from simulator.describe.components.scaling import nearest

if TYPE_CHECKING:
    from simulator.describe.chip import Chip

_NODE = re.compile(r"(\d+(?:\.\d+)?) ?nm\b")
#: bits of the operands of a lane: a weight and an activation
OPERANDS = 16
#: classes of traffic that have an output queue of their own
CLASSES = 2


def node_of_chip(chip: Chip) -> float:
    """Return the technology node in nm; raises NoNode for a text that begins with none."""
    found = _NODE.match(chip.technology.node)
    if found is None or float(found[1]) == 0:
        raise NoNode(f"must begin with a node such as '22 nm', not {chip.technology.node!r}")
    return float(found[1])


@dataclass(frozen=True)
class Sizes:
    """The parts of one chip, at a technology node of the tables."""

    chip: Chip
    node: float

    def weights(self, cell: str, word: int | None = None) -> Memory:
        """Return the weight memory in its banks."""
        synapse = self.chip.core.synapse
        bits = self.chip.core.memory.synapses
        return Memory(self.node, cell, bits, word or synapse.word, synapse.banks)

    def neurons(self, cell: str) -> Memory:
        """Return the neuron memory: states and accumulators."""
        return Memory(self.node, cell, self.chip.core.memory.neurons, self.chip.core.soma.word)

    def axons(self, cell: str) -> Memory:
        """Return the axon table."""
        return Memory(self.node, cell, self.chip.core.memory.axons, self.chip.core.axon_out.entry)

    def accumulators(self, cell: str) -> Memory:
        """Return one of the two planes of accumulators: its share of the neuron memory."""
        synapse, state = self.chip.core.synapse, self.chip.core.soma.state
        share = synapse.accumulator / (state + 2 * synapse.accumulator)
        bits = math.ceil(self.chip.core.memory.neurons * share)
        return Memory(self.node, cell, bits, synapse.accumulator_word)

    def memories(self, cell: str) -> tuple[Memory, Memory, Memory]:
        """Return the three memories of a core."""
        return self.weights(cell), self.neurons(cell), self.axons(cell)

    def router(self) -> Router:
        """Return a router with the ports of a tile within the mesh."""
        router, ports = self.chip.router, 4 + self.chip.mesh.cores_per_tile
        width = self.chip.link.flit
        return Router(self.node, width, ports, router.virtual_channels, router.buffer)

    def input_queue(self) -> Queue:
        """Return a core's input queue: all VCs together."""
        entries = self.chip.router.virtual_channels * self.chip.core.input_queue
        return Queue(self.node, entries, self.chip.link.flit)

    def output_queue(self) -> Queue:
        """Return a core's output queues: packets of one flit, of both classes."""
        return Queue(self.node, CLASSES * self.chip.core.axon_out.queue, self.chip.link.flit)

    def spike_queue(self) -> Queue:
        """Return the queue between soma and axon-out, of one axon field per spike."""
        bits = max(self.chip.packet.axon, 1)
        return Queue(self.node, self.chip.core.soma.queue, bits)

    def registers(self) -> int:
        """Return the bits of a core that are clocked every cycle: lanes, and a word of each
        memory.
        """
        core = self.chip.core
        lanes = core.synapse.lanes * (core.synapse.accumulator + OPERANDS)
        words = core.synapse.banks * core.synapse.word + core.synapse.accumulator_word
        return lanes + words + core.soma.word + core.axon_out.entry + self.chip.link.flit


def sized_for_area(chip: Chip, name: str, node: float) -> tuple[Sizes, float]:
    """Return the parts at the node of a table that is next to the chip's, and the factor on their
    areas.
    """
    at, factor = nearest(name, node)
    return Sizes(chip, at), factor
