"""Silicon of a chip by part, and its floor: what it holds, leaks and can do at most."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.account.standby import state_power
from simulator.describe.chip import Chip
from simulator.timing.record import ACTIVE, IDLE, POWER_STATES

#: bits of a weight that a floor counts with
WEIGHT_BITS = 8


def core_area(chip: Chip) -> dict[str, float]:
    """Return the m² of one core by part."""
    area = chip.area
    return {
        "memory": area.memory.value,
        "lanes": area.lane.value * chip.core.synapse.lanes,
        "queues": area.queue.value,
        "logic": area.logic.value,
    }


def n_links(chip: Chip) -> int:
    """Return the mesh links of a chip, each way counted by itself."""
    width, height = chip.mesh.width, chip.mesh.height
    return 2 * ((width - 1) * height + width * (height - 1))


def chip_area(chip: Chip) -> dict[str, float]:
    """Return the m² of a whole chip by part, cores in use or not."""
    area = chip.area
    return {
        **{part: chip.n_cores * value for part, value in core_area(chip).items()},
        "routers": chip.n_tiles * area.router.value,
        "links": n_links(chip) * area.link.value,
        "chip": area.chip.value,
    }


def total_area(chip: Chip) -> float:
    """Return the m² of a whole chip; 0 where its file states none."""
    return sum(chip_area(chip).values())


@dataclass(frozen=True)
class Floor:
    """What a chip can do at most, and costs at least, before any workload."""

    leakage: float  # W, of the whole chip, nothing switched off
    idle: float  # W, clocked without work
    operations: float  # synaptic operations of spikes per second, all cores at it
    marginal: float  # J of one more of them, of a dense row
    all_in: float  # J of each at that rate, the chip's leakage and clocks shared among them
    memory: int  # bits of all cores


def operations_per_cycle(chip: Chip) -> float:
    """Return the synaptic operations of a core per cycle: as its lanes, or its banks, allow."""
    synapse = chip.core.synapse
    fed = synapse.banks * synapse.word / WEIGHT_BITS
    return min(synapse.lanes / synapse.accumulate, fed)


def marginal(chip: Chip) -> float:
    """Return the joules of one more synaptic operation of a spike in a dense row: its addition, its
    share of a weight word and of the accumulators' words.
    """
    synapse, energy = chip.core.synapse, chip.energy
    words = WEIGHT_BITS / synapse.word
    together = synapse.accumulator_word // synapse.accumulator
    accumulators = 1 / together if together else -(-synapse.accumulator // synapse.accumulator_word)
    return float(
        energy.accumulate.value
        + energy.weight_read.value * words
        + energy.accumulator.value * accumulators
    )


def floor(chip: Chip) -> Floor:
    """Return the floor of a chip."""
    state = state_power(chip)
    core, router = (dict(zip(POWER_STATES, watts.tolist())) for watts in (state.core, state.router))
    memory = chip.core.memory
    bits = memory.synapses + memory.neurons + memory.axons
    power = chip.power
    leakage = (
        chip.n_cores * (power.core_leakage.value + power.memory_leakage.value * bits)
        + chip.n_tiles * power.router_leakage.value
        + state.chip
    )
    rate = operations_per_cycle(chip) / chip.period * chip.n_cores
    busy = chip.n_cores * core[POWER_STATES[ACTIVE]] + chip.n_tiles * router[POWER_STATES[IDLE]]
    one = marginal(chip)
    return Floor(
        leakage=leakage,
        idle=chip.n_cores * core[POWER_STATES[IDLE]]
        + chip.n_tiles * router[POWER_STATES[IDLE]]
        + state.chip,
        operations=rate,
        marginal=one,
        all_in=one + (busy + state.chip) / rate,
        memory=chip.n_cores * bits,
    )
