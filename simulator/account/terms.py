"""What is added up: actions, the components of a chip they belong to, and the terms of each action,
a quantity times constants.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from simulator.describe.chip import Chip
from simulator.describe.energy import EnergyTable, PowerTable

#: what each action belongs to in reports
COMPONENT = {
    "accumulate": "compute",
    "multiply_accumulate": "compute",
    "count_accumulate": "compute",
    "threshold_test": "compute",
    "clamp": "compute",
    "requantise": "compute",
    "reset": "compute",
    "event_generation": "compute",
    "accumulator": "memory",
    "weight_read": "memory",
    "membrane_read": "memory",
    "membrane_write": "memory",
    "state_clear": "memory",
    "event": "memory",
    "axon_lookup": "memory",
    "reload": "memory",
    "reload_fetch": "memory",
    "input_queue": "network interface",
    "output_queue": "network interface",
    "injection": "network interface",
    "ejection": "network interface",
    "port_flit": "network interface",
    "buffer_write": "routers",
    "buffer_read": "routers",
    "crossbar": "routers",
    "allocation": "routers",
    "link_east_west": "links",
    "link_north_south": "links",
    "payload_bit_hop": "links",
    "header_bit_hop": "links",
    "stream_bit_hop": "links",
    "barrier": "synchronisation",
    "token": "synchronisation",
    "gate_wake": "wake-up",
    "off_wake": "wake-up",
    "router_wake": "wake-up",
    "core_clock_active": "clock",
    "core_clock_idle": "clock",
    "router_clock": "clock",
    "core_leakage": "leakage",
    "memory_leakage": "leakage",
    "router_leakage": "leakage",
    "chip_static": "leakage",
    "unused_leakage": "unused cores",
    "unused_clock": "unused cores",
}
ACTIONS = tuple(COMPONENT)
#: actions of cores that hold nothing
UNUSED = ("unused_leakage", "unused_clock")
COMPONENTS = tuple(dict.fromkeys(COMPONENT.values()))
#: the constants of a chip, in the order of its tables
CONSTANTS = (*EnergyTable.model_fields, *PowerTable.model_fields)
_LEAKING = (
    ("core_leakage",),  # seconds on
    ("core_leakage", "off_share"),  # seconds off
    ("memory_leakage",),  # bit-seconds on
    ("memory_leakage", "off_share"),  # off, of what is lost
    ("memory_leakage", "retention_share"),  # off, of what is kept
)
#: what is added up: (action, the constants whose product is paid per unit of its quantity); first
#: one term per action that has a constant
TERMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    *((action, (action,)) for action in ACTIONS if action in CONSTANTS),
    ("core_leakage", ("core_leakage", "off_share")),  # seconds off
    ("memory_leakage", ("memory_leakage", "off_share")),  # bit-seconds off, of what is lost
    ("memory_leakage", ("memory_leakage", "retention_share")),  # of what is kept
    ("router_leakage", ("router_leakage", "router_gated_share")),  # seconds gated
    *(("unused_leakage", constants) for constants in _LEAKING),  # the same of cores without work
    ("unused_clock", ("core_clock_idle",)),
)
#: terms by their constants, those of cores that hold nothing by their action and their constants
TERM = {
    (action, *constants) if action in UNUSED else constants: number
    for number, (action, constants) in enumerate(TERMS)
}
#: the number of the action that each term is part of
ACTION_OF_TERM = np.array([ACTIONS.index(action) for action, _ in TERMS])


def constants(chip: Chip) -> dict[str, Any]:
    """Return the chip's constants by name, each with its value, band and provenance."""
    return {
        name: getattr(chip.energy if name in EnergyTable.model_fields else chip.power, name)
        for name in CONSTANTS
    }


def rates(values: Mapping[str, Any]) -> np.ndarray:
    """Return what one unit of each term costs, (n_terms, ...) float64, from the values of the
    constants.
    """
    return np.array(
        [np.prod([values[name] for name in names], axis=0) for _, names in TERMS], float
    )
