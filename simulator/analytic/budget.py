"""Published yardsticks beside the energy model: bit budgets, efficiency, always-on power, fan-out,
ternary weights.

Bit budget and S-ACE: Shen et al., "Are Conventional SNNs Really Efficient?" (CVPR 2024).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from simulator.errors import InputError


def bit_budget(timesteps: int, weight_bits: int, spike_bits: int) -> int:
    """Return BB = T·b_w·b_s, the bits one synapse handles per inference; b_s > 1 are graded
    spikes.
    """
    for name, value in (
        ("timesteps", timesteps),
        ("weight_bits", weight_bits),
        ("spike_bits", spike_bits),
    ):
        if isinstance(value, bool) or value != int(value) or value < 1:
            raise InputError(f"{name}: must be a whole number, at least 1, not {value!r}")
    return timesteps * weight_bits * spike_bits


def synaptic_arithmetic_effort(
    macs: ArrayLike, timesteps: int, weight_bits: int, spike_bits: int
) -> float:
    """Return S-ACE = Σ n_MAC·BB over layers, in bit operations; `macs` (n_layers,)
    multiply-accumulates.
    """
    return float(
        np.sum(np.asarray(macs, dtype=np.float64)) * bit_budget(timesteps, weight_bits, spike_bits)
    )


def neuromorphic_arithmetic_effort(
    macs: ArrayLike, firing_rate: ArrayLike, timesteps: int, weight_bits: int, spike_bits: int
) -> float:
    """Return NS-ACE = Σ fr·n_MAC·BB over layers: only what a spike, binary or graded, asks for.

    With synaptic operations SOP = Σ fr·n_MAC·T it equals b_w·b_s·SOP (b_w·SOP for binary spikes).
    """
    active = np.asarray(macs, dtype=np.float64) * np.asarray(firing_rate, dtype=np.float64)
    return float(np.sum(active) * bit_budget(timesteps, weight_bits, spike_bits))


def efficiency_score(accuracy_percent: float, spikes_per_image: float) -> float:
    """Return accuracy in percent per spike of one image."""
    if spikes_per_image <= 0:
        raise InputError(f"spikes_per_image: must be more than 0, not {spikes_per_image:g}")
    return accuracy_percent / spikes_per_image


def always_on_power(
    active_power: float,
    sleep_power: float,
    duty: float,
    frequency: float = 0.0,
    wake_time: float = 0.0,
    hold_time: float = 0.0,
    wake_energy: float = 0.0,
) -> float:
    """Return average power, W: P_active·D + P_sleep·(1 - D) + f·(t_wake + t_hold)·P_active +
    f·E_wake.

    D is the share of time at work.  The wake-ups (f per second) come on top, as published: the time
    they take is not taken from the sleep, which overstates by at most f·(t_wake + t_hold)·P_sleep.
    """
    awake = duty + frequency * (wake_time + hold_time)
    if not 0 <= duty <= 1:
        raise InputError(f"duty: must be from 0 to 1, not {duty:g}")
    if awake > 1:
        raise InputError(
            f"duty + frequency x (wake_time + hold_time): must be at most 1, not {awake:g}"
        )
    ideal = active_power * duty + sleep_power * (1 - duty)
    return ideal + frequency * (wake_time + hold_time) * active_power + frequency * wake_energy


def fan_out_cycles(targets: int, cores: int = 1, lanes: int = 1) -> int:
    """Return the least cycles one spike keeps its busiest core: ⌈⌈targets / cores⌉ / lanes⌉,
    replicated locally.
    """
    for name, value in (("targets", targets), ("cores", cores), ("lanes", lanes)):
        if value < 1:
            raise InputError(f"{name}: must be at least 1, not {value}")
    return math.ceil(math.ceil(targets / cores) / lanes)


def information_bits(levels: int) -> float:
    """Return log2(levels), the bits a weight of so many values carries (ternary: 1.585)."""
    return math.log2(levels)


def packed_bits(levels: int, word_bits: int = 8) -> float:
    """Return stored bits per weight with as many `levels`-valued weights in a word as fit (ternary
    in a byte: 1.6).
    """
    if not 2 <= levels <= 2**word_bits:
        raise InputError(f"levels: must be from 2 to {2**word_bits}, not {levels}")
    n_packed = 1
    while levels ** (n_packed + 1) <= 2**word_bits:
        n_packed += 1
    return word_bits / n_packed
