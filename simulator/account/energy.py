"""Joules after the run: quantity × constant, by action, core, population and step.

A quantity is a count or a time: actions, seconds, bits times seconds.  It comes from the run alone,
a constant from the chip alone, so other constants need no other run (account/uncertainty.py).  The
four views add up to the same total to 1e-9; `Ledger.check` says so and the tests hold it to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from simulator.account.standby import off_bits
from simulator.describe.chip import Chip
from simulator.describe.energy import EnergyTable, PowerTable
from simulator.errors import CheckError
from simulator.mapping.core_mapping import CoreMapping
from simulator.mapping.machine import tiles_in_use
from simulator.mapping.plan import BARRIER, Plan
from simulator.timing.record import ACTIVE, COUNTER, GATED, IDLE, OFF, WAKING, Record

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
_ACTION_OF_TERM = np.array([ACTIONS.index(action) for action, _ in TERMS])


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


@dataclass(frozen=True)
class Ledger:
    """Quantity × constant.  The last place is what all share: routers' clock and leakage, barriers,
    static power.

    Quantities have one row per TERMS: a count, seconds, or bits times seconds.  Energies have one
    row per ACTIONS, in joules.
    """

    place_quantity: np.ndarray  # (n_terms, n_endpoints + 1)
    # (n_terms, n_populations + 1): ports on the first input, then shared with the unused cores
    population_quantity: np.ndarray
    step_quantity: np.ndarray  # (n_terms, n_steps)
    rate: np.ndarray  # (n_terms,) joules per unit
    counts: dict[str, int]  # of each counted action over the run

    def _joules(self, quantity: np.ndarray) -> np.ndarray:
        joules = np.zeros((len(ACTIONS), quantity.shape[1]))
        np.add.at(joules, _ACTION_OF_TERM, quantity * self.rate[:, None])
        return joules

    @cached_property
    def quantity(self) -> np.ndarray:
        """How much of each term the run took, (n_terms,) float64."""
        return self.place_quantity.sum(axis=1)

    @cached_property
    def by_place(self) -> np.ndarray:
        """Joules, (n_actions, n_endpoints + 1) float64."""
        return self._joules(self.place_quantity)

    @cached_property
    def by_population(self) -> np.ndarray:
        """Joules, (n_actions, n_populations + 1) float64."""
        return self._joules(self.population_quantity)

    @cached_property
    def by_step(self) -> np.ndarray:
        """Joules, (n_actions, n_steps) float64."""
        return self._joules(self.step_quantity)

    @property
    def by_action(self) -> dict[str, float]:
        """Joules of each action over the run."""
        return {name: float(joules) for name, joules in zip(ACTIONS, self.by_place.sum(axis=1))}

    @property
    def by_component(self) -> dict[str, float]:
        """Joules of each component over the run."""
        total = dict.fromkeys(COMPONENTS, 0.0)
        for name, joules in self.by_action.items():
            total[COMPONENT[name]] += joules
        return total

    @property
    def total(self) -> float:
        """Joules of the run."""
        return float(self.by_place.sum())

    def check(self) -> None:
        """Raise CheckError unless places, populations and steps add up to the same joules, action
        by action, to 1e-9.
        """
        places = self.by_place.sum(axis=1)
        for name, view in (("population", self.by_population), ("step", self.by_step)):
            sums = view.sum(axis=1)
            # floating-point sums in another order: 1e-9 relative, as docs/results.md states
            wrong = np.abs(sums - places) > 1e-9 * np.maximum(np.abs(places), 1e-30)
            if wrong.any():
                action = int(np.argmax(wrong))
                raise CheckError(
                    f"energy by {name} of {ACTIONS[action]} is {sums[action]!r} J, by place "
                    f"{places[action]!r} J"
                )


def refuse_all_in(chip: Chip) -> None:
    """Raise CheckError when the chip's tables hold an all-in number: it contains other entries and
    cannot be added up.
    """
    tables = (("energy", chip.energy), ("power", chip.power))
    wrong = [
        f"{table}.{name} ({getattr(entries, name).source})"
        for table, entries in tables
        for name in type(entries).model_fields
        if getattr(entries, name).scope == "all_in" and getattr(entries, name).value != 0
    ]
    if wrong:
        raise CheckError(
            f"chip {chip.name}: no energy total can be given: these entries are all-in numbers, "
            f"which contain others: " + "; ".join(wrong)
        )


def _refuse_losses(chip: Chip, record: Record) -> None:
    """Raise CheckError where cores without retained state were off within an inference."""
    times = int(record.counters[:, COUNTER["state_losses"]].sum())
    if times and not chip.gating.keeps("state"):
        raise CheckError(
            f"chip {chip.name}: gating: cores were switched off {times} times within an inference, "
            f"or between inferences whose state is carried, and their potentials and accumulators "
            f"would be lost: gating.retention must hold state, or gating.off_after be longer than "
            f"a core rests"
        )


def account(chip: Chip, mapping: CoreMapping, plan: Plan, record: Record) -> Ledger:
    """Return the ledger of a run, priced from its record alone.

    Raises CheckError for a chip whose tables hold all-in numbers, or no price for a pair of operand
    widths that the run multiplies, or whose cores lost their state within an inference.
    """
    refuse_all_in(chip)
    _refuse_losses(chip, record)
    n, steps = plan.n_endpoints, len(record.step_start)
    by_place = np.zeros((len(TERMS), n + 1))
    by_step = np.zeros((len(TERMS), steps))
    counts: dict[str, int] = {}
    for name, (at_place, at_step) in _counted(plan, record).items():
        by_place[TERM[(name,)], :n] = at_place
        by_step[TERM[(name,)]] = at_step
        counts[name] = int(at_step.sum())
    weight = _multiplications(chip, record)
    by_place[TERM[("multiply_accumulate",)], :n] = record.operand_macs @ weight
    by_step[TERM[("multiply_accumulate",)]] = record.step_operand_macs @ weight
    barriers = len(tiles_in_use(chip, mapping)) * (plan.synchronisation == BARRIER)
    shared = {
        "barrier": np.full(steps, barriers),
        "router_wake": record.step_router_wakes,
    }
    for name, count in shared.items():
        by_place[TERM[(name,)], n] = counts[name] = int(count.sum())
        by_step[TERM[(name,)]] = count
    _static(chip, plan, record, mapping.is_used, (by_place, by_step))
    rest = len(mapping.cores)
    inputs = [number for number, cores in enumerate(mapping.cores) if not len(cores)]
    share = np.zeros((n + 1, rest + 1))  # of populations in what cores, ports and the chip do
    share[: plan.n_cores, :rest] = mapping.share
    share[: plan.n_cores, rest] = ~mapping.is_used
    share[plan.n_cores : n, inputs[0] if inputs else rest] = 1
    share[n, rest] = 1
    by_population = by_place @ share
    values = {name: constant.value for name, constant in constants(chip).items()}
    ledger = Ledger(by_place, by_population, by_step, rates(values), counts)
    ledger.check()
    return ledger


#: what an action counts: counters of every endpoint, of the cores alone, or of the ports alone
_EVERYWHERE: dict[str, tuple[str, ...]] = {
    "accumulate": ("accumulates",),
    "count_accumulate": ("count_accumulates",),
    "multiply_accumulate": ("macs",),
    "accumulator": ("accumulator_words",),
    "weight_read": ("weight_read_words",),
    "threshold_test": ("threshold_tests",),
    "clamp": ("clamps",),
    "requantise": ("requantisations",),
    "membrane_read": ("membrane_reads",),
    "membrane_write": ("membrane_writes",),
    "state_clear": ("state_clears",),
    "reset": ("resets",),
    "event_generation": ("events_generated",),
    "injection": ("flits_sent",),
    "ejection": ("flits_received",),
    "buffer_write": ("router_traversals",),
    "buffer_read": ("router_grants",),
    "crossbar": ("router_grants",),
    "allocation": ("router_grants",),
    "link_east_west": ("flit_hops_east_west",),
    "link_north_south": ("flit_hops_north_south",),
    "payload_bit_hop": ("payload_bit_hops",),
    "header_bit_hop": ("header_bit_hops",),
    "stream_bit_hop": ("stream_bit_hops",),
    "gate_wake": ("gate_wakes",),
    "off_wake": ("off_wakes",),
    "reload": ("reload_cycles",),
    "reload_fetch": ("reload_cycles",),
    "token": ("tokens_sent",),
}
_AT_CORES: dict[str, tuple[str, ...]] = {
    "event": ("events_received",),
    "axon_lookup": ("packets_sent",),
    "input_queue": ("flits_received",),
    "output_queue": ("flits_sent",),
}
_AT_PORTS: dict[str, tuple[str, ...]] = {"port_flit": ("flits_sent", "flits_received")}


def _counted(plan: Plan, record: Record) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return how often each action happened, by endpoint and by step."""
    is_core = np.arange(plan.n_endpoints) < plan.n_cores
    everywhere, at_ports = record.step_counters, record.step_port_counters
    found = {}
    for actions, here, by_step in (
        (_EVERYWHERE, is_core | True, everywhere),
        (_AT_CORES, is_core, everywhere - at_ports),
        (_AT_PORTS, ~is_core, at_ports),
    ):
        for action, names in actions.items():
            columns = [COUNTER[name] for name in names]
            found[action] = (
                record.counters[:, columns].sum(axis=1) * here,
                by_step[:, columns].sum(axis=1),
            )
    return found


def _multiplications(chip: Chip, record: Record) -> np.ndarray:
    """Return what one multiply-accumulate of each pair of operand widths counts, in units of
    `energy.multiply_accumulate`; raises CheckError naming a pair that is used and has no price.
    """
    price, used = chip.energy.multiply_accumulate, record.operand_macs.sum(axis=0)
    weight = np.ones(len(used))
    if price.by_bits is None:
        return weight
    for number, (bits, value_bits) in enumerate(record.operand_bits.tolist()):
        pair = f"{bits}x{value_bits}"
        if pair in price.by_bits:
            weight[number] = price.by_bits[pair].value / price.value
        elif used[number]:
            raise CheckError(
                f"chip {chip.name}: energy.multiply_accumulate.by_bits: must hold {pair!r} (weight "
                f"bits x activation bits), "
                f"which this run multiplies; it holds {', '.join(price.by_bits)}"
            )
    return weight


def _core_terms(chip: Chip, cycles: np.ndarray, place: np.ndarray, unused: bool = False) -> None:
    """Book cycles of cores in power states, (n, len(POWER_STATES)), as clocked cycles and as time
    that leaks; those of cores that hold nothing under their own actions.
    """
    lost, kept = off_bits(chip)
    on = cycles[:, [ACTIVE, IDLE, GATED, WAKING]].sum(axis=1) * chip.period
    off = cycles[:, OFF] * chip.period
    leak, clock = (("unused_leakage",), ("unused_clock",)) if unused else ((), ())
    for name, size, lost_size in (("core_leakage", 1, 1), ("memory_leakage", lost + kept, lost)):
        place[TERM[(*leak, name)]] = on * size
        place[TERM[(*leak, name, "off_share")]] = off * lost_size
    place[TERM[(*leak, "memory_leakage", "retention_share")]] = off * kept
    place[TERM[(*clock, "core_clock_idle")]] = cycles[:, IDLE] + cycles[:, WAKING]
    if not unused:
        place[TERM[("core_clock_active",)]] = cycles[:, ACTIVE]


def _static(
    chip: Chip, plan: Plan, record: Record, used: np.ndarray, tables: tuple[np.ndarray, np.ndarray]
) -> None:
    """Book clocked cycles for the clocks and time in state for leakage, by place and by step."""
    by_place, by_step = tables
    n, period = plan.n_endpoints, chip.period
    length = np.diff(np.concatenate([[0], record.step_start[1:], [record.cycles]]))
    # cores that hold nothing are in one state in every cycle [P8]
    resting = record.state_cycles * ~used[:, None]
    share = resting.sum(axis=0) / max(record.cycles, 1)
    resting_by_step = length[:, None] * np.rint(share).astype(np.int64)
    if (resting_by_step.sum(axis=0) != resting.sum(axis=0)).any():
        raise CheckError("cores that hold nothing must stay in one power state")
    cores = by_place[:, : plan.n_cores]
    _core_terms(chip, record.state_cycles - resting, cores)
    _core_terms(chip, record.step_state_cycles - resting_by_step, by_step)
    _core_terms(chip, resting, cores, unused=True)
    _core_terms(chip, resting_by_step, by_step, unused=True)
    for cycles, place, time in (
        (
            record.router_state_cycles.sum(axis=0, keepdims=True),
            by_place[:, n : n + 1],
            np.array([record.cycles]),
        ),
        (record.step_router_state_cycles, by_step, length),
    ):
        clocked = cycles[:, [ACTIVE, IDLE, WAKING]].sum(axis=1)
        place[TERM[("router_clock",)]] = clocked
        place[TERM[("router_leakage",)]] = clocked * period
        place[TERM[("router_leakage", "router_gated_share")]] = cycles[:, GATED] * period
        place[TERM[("chip_static",)]] = time * period
