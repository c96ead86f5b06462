"""What a mapping will cost, in closed form: joules and cycles of an inference, and which bound
holds it back (docs/mapping.md).

A step takes as long as the busiest unit that works in it: cycles = max over cores of the synapse,
soma and axon-out load, and of the input port, plus the way of the last spike, plus the barrier.
Joules are counts times constants, and static power times the time.  What it leaves out is
contention: that is what the simulation is for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.account.standby import deepest, state_power
from simulator.describe.chip import Chip
from simulator.describe.network import Network
from simulator.describe.offsets import Offsets
from simulator.describe.workload import Workload
from simulator.mapping import fan_out, flows, stages
from simulator.mapping.core_mapping import CoreMapping
from simulator.mapping.loads import Arriving, Load, Rates, arriving, load
from simulator.mapping.memories import schedules
from simulator.timing.record import ACTIVE, IDLE

#: what holds a step back
BOUNDS = ("synapse", "soma", "axon_out", "input port", "barrier")


@dataclass(frozen=True)
class Estimate:
    """Of one inference of the spiking twin."""

    energy_j: float
    cycles: float
    dynamic_j: float
    static_j: float
    packets: float
    hop_energy_j: float
    bound: dict[str, float]  # the share of the cycles that each of BOUNDS holds

    def cost(self, objective: str, cores: int) -> float:
        """Return what an objective minimises."""
        return {
            "energy": self.energy_j,
            "latency": self.cycles,
            "edp": self.energy_j * self.cycles,
            "cores": float(cores),
        }[objective]


def estimate(
    chip: Chip,
    network: Network,
    when: Offsets,
    timesteps: int,
    rates: Rates,
    loads: dict[int, Load],
    arriving: dict[int, Arriving],
    cores: int,
    hops: float | None = None,
) -> Estimate:
    """Return the estimate of a mapping.

    loads, arriving: by computed population and by projection.  cores: in use.  hops: mean mesh
    links of a packet; None: two thirds of the side of the square that the tiles in use fill.
    """
    tiles = min(chip.n_tiles, -(-cores // chip.mesh.cores_per_tile))
    if hops is None:
        hops = 2 / 3 * tiles**0.5 if tiles > 1 else 0.0
    sent = {
        number: sum(arriving[k].packets for k in network.outgoing[number])
        + rates.total(number) * (number in network.outputs)
        for number in range(len(network.populations))
    }
    cycles, bound = _time(chip, network, when, timesteps, loads, arriving, sent, tiles, hops)
    dynamic, moving = _dynamic(chip, network, timesteps, rates, loads, sent, hops)
    dynamic += chip.energy.barrier.value * tiles * when.steps(timesteps)
    static = _static(chip, when, timesteps, loads, sent, cores, hops, cycles)
    total = sum(sent.values()) * timesteps
    return Estimate(dynamic + static, cycles, dynamic, static, total, moving, bound)


def of_mapping(workload: Workload, chip: Chip, mapping: CoreMapping, rates: Rates) -> Estimate:
    """Return the estimate of a mapping there is, at the hops its places have; slices that share a
    core are taken as if they worked side by side.
    """
    network = workload.network
    came = {k: arriving(chip, network, k, found, rates) for k, found in enumerate(mapping.targets)}
    loads = {}
    for number in network.computed:
        sizes = np.diff(mapping.populations[number].bounds)
        here = [came[k] for k in network.incoming[number]]
        loads[number] = load(chip, network, number, sizes, rates, here)
    flowing = flows.flows(chip, mapping, workload, rates)
    hops, _ = flows.measured(chip, flowing, np.arange(chip.n_cores))
    when = schedules(workload)[-1]
    return estimate(
        chip, network, when, workload.timesteps, rates, loads, came, mapping.n_used, hops
    )


def _time(
    chip: Chip,
    network: Network,
    when: Offsets,
    timesteps: int,
    loads: dict[int, Load],
    arriving: dict[int, Arriving],
    sent: dict[int, float],
    tiles: int,
    hops: float,
) -> tuple[float, dict[str, float]]:
    """Return the cycles of an inference, and the share of each bound: step by step the maximum of
    what works in it.
    """
    link = chip.link
    hop = (link.east_west.latency + link.north_south.latency) / 2 + 2
    way = hops * hop + 8 + chip.core.axon_out.packet + chip.core.soma.visit
    barrier = stages.barrier_cycles(chip, np.arange(tiles))
    port = chip.ports[chip.input_port].interval or 1
    bound = dict.fromkeys(BOUNDS, 0.0)
    total = 0.0
    for step in range(when.steps(timesteps)):
        busiest = (0.0, "synapse")
        for number in range(len(network.populations)):
            moment = step - when.offset[number]
            if moment < 0 or moment % when.interval or moment // when.interval >= timesteps:
                continue
            if number in loads:
                mine = loads[number]
                axon = sent[number] * mine.largest * chip.core.axon_out.packet
                busiest = max(busiest, (mine.soma, "soma"), (axon, "axon_out"))
            else:
                busiest = max(busiest, (sent[number] * port, "input port"))
            for k in network.outgoing[number]:
                busiest = max(busiest, (arriving[k].busiest, "synapse"))
        bound[busiest[1]] += busiest[0]
        bound["barrier"] += barrier + way
        total += busiest[0] + way + barrier
    return total, {name: cycles / total for name, cycles in bound.items()}


def _dynamic(
    chip: Chip,
    network: Network,
    timesteps: int,
    rates: Rates,
    loads: dict[int, Load],
    sent: dict[int, float],
    hops: float,
) -> tuple[float, float]:
    """Return the joules of what happens in an inference, and those of them that hops take."""
    price = {name: getattr(chip.energy, name).value for name in type(chip.energy).model_fields}
    total = 0.0
    for number, mine in loads.items():
        area = fan_out.currents(network, number)
        words = stages.visit_words(chip, area, True) * mine.visits / area
        total += mine.operations[0] * price["accumulate"]
        total += mine.operations[1] * price["multiply_accumulate"]
        total += mine.words * price["weight_read"]
        total += mine.accumulator_words * price["accumulator"]
        total += words * (price["membrane_read"] + price["membrane_write"])
        total += mine.visits * price["threshold_test"]
        total += mine.spikes * (price["event_generation"] + price["reset"])
        total += mine.packets_in * (price["event"] + price["input_queue"])
        total += sent[number] * (price["axon_lookup"] + price["output_queue"])
    packets = sum(sent.values())
    router = sum(price[name] for name in ("buffer_write", "buffer_read", "crossbar", "allocation"))
    bits = chip.packet.destination + chip.packet.axon
    link = (price["link_east_west"] + price["link_north_south"]) / 2
    link += bits * price["header_bit_hop"]
    moving = packets * hops * (router + link)
    total += packets * (price["injection"] + price["ejection"] + router) + moving
    outside = sum(sent[number] for number in network.inputs)
    outside += sum(rates.total(number) for number in network.outputs)
    total += outside * price["port_flit"]
    return total * timesteps, moving * timesteps


def _static(
    chip: Chip,
    when: Offsets,
    timesteps: int,
    loads: dict[int, Load],
    sent: dict[int, float],
    cores: int,
    hops: float,
    cycles: float,
) -> float:
    """Return the joules of leakage and clocks.

    A core is clocked while its soma works, and for each packet that comes, until its clock stops; a
    router for each flit.  All else rests as deep as the chip lets it.
    """
    power = state_power(chip)
    rest, router_rest = deepest(chip)
    step = cycles / when.steps(timesteps)
    wait, tail = max(chip.gating.gate_after, 0), max(chip.gating.router_gate_after, 0) + 4
    busy = 0.0
    for number, mine in loads.items():
        axon = sent[number] * chip.core.axon_out.packet / mine.tiles
        came = mine.packets_in / mine.tiles
        each = max(mine.soma, axon) + wait + mine.synapse + came * wait
        busy += timesteps * min(step, each) * mine.tiles
    busy = min(busy, cores * cycles)
    joules = busy * power.core[ACTIVE] + (chip.n_cores * cycles - busy) * power.core[rest]
    tiles = min(chip.n_tiles, -(-cores // chip.mesh.cores_per_tile))
    moving = min(cycles * tiles, timesteps * sum(sent.values()) * (hops + 1) * tail)
    joules += moving * power.router[IDLE]
    joules += (chip.n_tiles * cycles - moving) * power.router[router_rest]
    return float(joules + cycles * power.chip) * chip.period
