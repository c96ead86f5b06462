"""Builds the Plan that an engine reads from a chip and a mapping."""

from __future__ import annotations

import numpy as np

from simulator.describe.chip import Chip
from simulator.errors import MappingError
from simulator.mapping import routes, stages
from simulator.mapping.core_mapping import CoreMapping
from simulator.mapping.plan import BARRIER, CANONICAL, LOCAL, LOOKAHEAD, TOKENS, Plan

#: power states by name, as timing.record.POWER_STATES has them
UNUSED = {"clocked": 1, "gated": 2, "off": 3}


def compile_plan(chip: Chip, mapping: CoreMapping) -> Plan:
    """Return the chip as integers and tables; cores keep their numbers, ports to the outside follow
    in file order.

    Raises MappingError for multicast beside a routing it could close a circle of waiting with.
    """
    _check_trees(chip)
    tiles, per_tile = chip.n_tiles, chip.mesh.cores_per_tile
    core = np.arange(chip.n_cores)
    router, local = [], []  # of the ports to the outside
    occupied = np.full(tiles, per_tile)
    for port in chip.ports:
        tile = port.tile[0] + chip.mesh.width * port.tile[1]
        router.append(tile)
        local.append(LOCAL + int(occupied[tile]))
        occupied[tile] += 1
    everything = [0, chip.router.virtual_channels - 1]
    channels = [chip.router.spike_channels or everything, chip.router.stream_channels or everything]
    return Plan(
        width=chip.mesh.width,
        height=chip.mesh.height,
        local_ports=int(occupied.max()),
        n_cores=chip.n_cores,
        endpoint_router=np.concatenate([core // per_tile, router]).astype(np.int32),
        endpoint_local=np.concatenate([LOCAL + core % per_tile, local]).astype(np.int32),
        pipeline={"lookahead": LOOKAHEAD, "canonical": CANONICAL}[chip.router.pipeline],
        virtual_channels=chip.router.virtual_channels,
        buffer=chip.router.buffer,
        atomic=chip.router.atomic,
        link_latency=np.array(
            [chip.link.east_west.latency, chip.link.north_south.latency], np.int64
        ),
        link_interval=np.array(
            [chip.link.east_west.interval, chip.link.north_south.interval], np.int64
        ),
        class_first=np.array([first for first, _ in channels], np.int64),
        class_channels=np.array([last - first + 1 for first, last in channels], np.int64),
        allowed=routes.table(chip.router.routing),
        input_queue=chip.core.input_queue,
        spike_queue=chip.core.soma.queue,
        output_queue=chip.core.axon_out.queue,
        soma_cycles=chip.core.soma.visit,
        soma_spike_cycles=chip.core.soma.spike,
        axon_cycles=chip.core.axon_out.packet,
        event_group=chip.core.synapse.group,
        lanes=chip.core.synapse.lanes,
        banks=chip.core.synapse.banks,
        add_cycles=np.array(
            [chip.core.synapse.accumulate, chip.core.synapse.multiply_accumulate], np.int64
        ),
        shared_cycles=chip.core.synapse.shared,
        barrier_cycles=stages.barrier_cycles(chip, tiles_in_use(chip, mapping)),
        step_tick=chip.step.tick,
        synchronisation={"barrier": BARRIER, "tokens": TOKENS}[chip.step.synchronisation],
        planes=chip.step.planes,
        gate_after=chip.gating.gate_after,
        off_after=chip.gating.off_after,
        gate_wake=chip.gating.gate_wake,
        off_wake=chip.gating.off_wake,
        reload_cycles=reload_cycles(chip, mapping),
        router_gate_after=chip.gating.router_gate_after,
        router_wake=chip.gating.router_wake,
        unused=np.where(mapping.is_used, -1, UNUSED[chip.gating.unused]).astype(np.int8),
    )


def reload_cycles(chip: Chip, mapping: CoreMapping) -> np.ndarray:
    """Return the cycles in which each core loads its weights and axons again, (n_cores,) int64; 0
    where they survive off.
    """
    lost = mapping.synapse_bits + mapping.axon_bits
    return -(-lost // chip.gating.reload).astype(np.int64) * (not chip.gating.keeps("weights"))


def _check_trees(chip: Chip) -> None:
    """Refuse a routing whose packets could wait for multicast packets in a circle [W6]."""
    if chip.router.multicast and not routes.is_deadlock_free(
        routes.table(chip.router.routing), trees=True
    ):
        safe = [
            name
            for name in routes.ROUTING
            if routes.is_deadlock_free(routes.table(name), trees=True)
        ]
        raise MappingError(
            f"chip {chip.name}: router.routing must be one of {', '.join(safe)} with "
            f"router.multicast, not "
            f"{chip.router.routing}: its packets and the XY trees could wait for each other in a "
            f"circle"
        )


def tiles_in_use(chip: Chip, mapping: CoreMapping) -> np.ndarray:
    """Return the tiles that hold at least one slice, rising, (n,) int64."""
    return np.unique(np.flatnonzero(mapping.is_used) // chip.mesh.cores_per_tile)
