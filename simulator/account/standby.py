"""Standby power: what each state of a core and a router draws, and how long a core must sleep to
save more than its wake costs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulator.describe.chip import Chip
from simulator.timing.record import ACTIVE, GATED, IDLE, OFF, POWER_STATES, WAKING


@dataclass(frozen=True)
class StatePower:
    """Watts by power state, without what actions cost: of one core, of one router, and of the chip
    beyond them.
    """

    core: np.ndarray  # (len(POWER_STATES),)
    router: np.ndarray  # (len(POWER_STATES),)
    chip: float


def off_bits(chip: Chip) -> tuple[int, int]:
    """Return the bits of a core's memories that lose what they hold when off, and that keep it."""
    memory = chip.core.memory
    weights, state = memory.synapses + memory.axons, memory.neurons
    kept = weights * chip.gating.keeps("weights") + state * chip.gating.keeps("state")
    return weights + state - kept, kept


def state_power(chip: Chip) -> StatePower:
    """Return what the states draw: leakage, and the clock while clocked (docs/machine.md,
    Power).
    """
    power, memory = chip.power, chip.core.memory
    bits = memory.synapses + memory.neurons + memory.axons
    leakage = power.core_leakage.value + power.memory_leakage.value * bits
    lost, kept = off_bits(chip)
    core = np.full(len(POWER_STATES), leakage)
    core[ACTIVE] += power.core_clock_active.value / chip.period
    core[[IDLE, WAKING]] += power.core_clock_idle.value / chip.period
    off = (power.core_leakage.value + power.memory_leakage.value * lost) * power.off_share.value
    core[OFF] = off + power.memory_leakage.value * kept * power.retention_share.value
    router = np.full(len(POWER_STATES), power.router_leakage.value)
    router[[ACTIVE, IDLE, WAKING]] += power.router_clock.value / chip.period
    router[GATED] *= power.router_gated_share.value
    return StatePower(core, router, power.chip_static.value)


def deepest(chip: Chip) -> tuple[int, int]:
    """Return the states a core and a router end in when they are left alone."""
    core = OFF if chip.gating.off_after >= 0 else GATED if chip.gating.gate_after >= 0 else IDLE
    return core, GATED if chip.gating.router_gate_after >= 0 else IDLE


def breakeven_cycles(chip: Chip, state: int, reload_cycles: int = 0) -> int | None:
    """Return from how many cycles in GATED or OFF on a core has saved what its wake costs; None
    when it never has.

    A wake from `state` costs its energy, the reload of the weights, and the idle power of the
    cycles it takes.
    """
    watts, energy = state_power(chip).core, chip.energy
    saved = (watts[IDLE] - watts[state]) * chip.period
    if state == OFF:
        latency = chip.gating.off_wake + reload_cycles
        wake = energy.off_wake.value + reload_cycles * (
            energy.reload.value + energy.reload_fetch.value
        )
    else:
        latency, wake = chip.gating.gate_wake, energy.gate_wake.value
    wake += latency * watts[IDLE] * chip.period
    if saved <= 0:
        return None
    return math.ceil(wake / saved - 1e-9)
