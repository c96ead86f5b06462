"""Workloads on chips made so that one resource holds them back, and only one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simulator import Chip, Workload
from simulator.describe.connections import Connection
from simulator.describe.network import Layer, Neuron, chain, fed

#: a chip where nothing is in the way: everything takes a cycle, nothing sleeps
PLAIN: dict[str, Any] = {
    "mesh.width": 1,
    "mesh.height": 1,
    "barrier.tree": None,
    "barrier.points": [[1, "1 cycle"]],
    "gating.gate_after": "never",
    "gating.off_after": "never",
    "gating.router_gate_after": "never",
    "core.synapse.lookup": "0 cycles",
    "core.synapse.lanes": 256,
    "core.synapse.banks": 256,
    "core.synapse.accumulator": "24 bit",
    "core.soma.spike": "0 cycles",
}


def layer(name: str, n_in: int, n: int, threshold: int = 1) -> Layer:
    """Return dense neurons that all fire whenever anything comes."""
    weight = np.ones((n_in, n), np.int32)
    neuron = Neuron("if", np.full(n, threshold), np.zeros(n, np.int64), np.zeros(n, np.int64))
    return Layer(name, (n,), Connection("dense", weight, 8, (n_in,), (n,)), neuron)


def network(*sizes: int, timesteps: int = 8, per_core: int | None = None) -> Workload:
    """Return a chain of dense layers behind inputs that spike in every timestep."""
    layers = [layer(f"layer{k}", a, b) for k, (a, b) in enumerate(zip(sizes, sizes[1:]))]
    values = np.ones((2, timesteps, sizes[0]), np.int32)
    return Workload(
        "planted",
        chain((sizes[0],), tuple(layers)),
        fed("raster", values, 1),
        timesteps,
        neurons_per_core=per_core,
    )


@dataclass(frozen=True)
class Planted:
    """A workload, what its chip has otherwise than PLAIN, and the resource that holds it back."""

    resource: str
    workload: Workload
    changes: dict[str, Any] = field(default_factory=dict)
    with_tokens: bool = False

    def chip(self) -> Chip:
        """Return the chip."""
        tokens = {"step.synchronisation": "tokens"} if self.with_tokens else {}
        return Chip.load("generic-22nm", PLAIN | self.changes | tokens)


TWO_CORES = {"mesh.width": 2}

PLANTED = [
    Planted("lanes", network(32, 64), {"core.synapse.lanes": 1}),
    Planted("banks", network(32, 64), {"core.synapse.word": "8 bit", "core.synapse.banks": 1}),
    Planted("soma", network(1, 64), {"core.soma.visit": "32 cycles"}),
    Planted("axon-out", network(1, 64, 1), TWO_CORES | {"core.axon_out.packet": "32 cycles"}),
    Planted(
        "ejection link",
        network(1, 48, 2, per_core=16),
        {
            "mesh.width": 2,
            "mesh.height": 2,
            "link.flit": "2 bit",
            "packet.maximum": "16 flits",
            "core.input_queue": "64 flits",
        },
    ),
    Planted("mesh link", network(1, 64, 1), TWO_CORES | {"link.east_west.interval": "16 cycles"}),
    Planted("barrier", network(1, 1, timesteps=32), {"barrier.points": [[1, "400 cycles"]]}),
    Planted(
        "wake",
        network(1, 1, timesteps=32),
        {"gating.gate_after": "0 cycles", "gating.gate_wake": "400 cycles"},
    ),
    Planted(
        "VCs",
        network(1, 64, 1),
        TWO_CORES
        | {
            "router.atomic": True,
            "router.virtual_channels": 1,
            "router.spike_channels": [0, 0],
            "router.stream_channels": [0, 0],
            "packet.maximum": "2 flits",
        },
    ),
    Planted(
        "input queue",
        network(1, 64, 1),
        TWO_CORES
        | {
            "router.virtual_channels": 1,
            "router.spike_channels": [0, 0],
            "router.stream_channels": [0, 0],
            "core.input_queue": "2 flits",
            "packet.maximum": "1 flit",
        },
    ),
    Planted("lanes", network(32, 64), {"core.synapse.lanes": 1}, True),
    Planted(
        "planes",
        network(1, 1, 1, timesteps=64),
        TWO_CORES
        | {"link.east_west.latency": "40 cycles", "link.north_south.latency": "40 cycles"},
        True,
    ),
]
