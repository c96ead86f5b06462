"""Joules after the run: quantity × constant, by action, core, population and step.

A quantity is a count or a time: actions, seconds, bits times seconds.  It comes from the run alone,
a constant from the chip alone, so other constants need no other run (account/uncertainty.py).  The
four views add up to the same total to 1e-9; `Ledger.check` says so and the tests hold it to it.
What steps take is made in blocks of steps when it is asked for, for a long run has many.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulator import scratch
from simulator.account.standby import off_bits
from simulator.account.terms import (
    ACTION_OF_TERM,
    ACTIONS,
    COMPONENT,
    COMPONENTS,
    TERM,
    TERMS,
    constants,
    rates,
)
from simulator.describe.chip import Chip
from simulator.errors import CheckError
from simulator.mapping.core_mapping import CoreMapping
from simulator.mapping.machine import tiles_in_use
from simulator.mapping.plan import BARRIER, Plan
from simulator.timing.record import ACTIVE, COUNTER, GATED, IDLE, OFF, WAKING, Record

#: steps of a block; the last one has fewer than twice as many
BLOCK = 4096


@dataclass(frozen=True)
class StepQuantities:
    """How much of each term steps took."""

    chip: Chip
    record: Record
    barriers: int  # of each step
    weight: np.ndarray  # (n_operands,) of a multiply-accumulate of each pair of operand widths
    # (len(POWER_STATES),) cores without work, each in one state in every cycle [P8]
    resting: np.ndarray

    @property
    def n(self) -> int:
        """Steps of the run."""
        return len(self.record.step_start)

    def of(self, first: int, last: int) -> np.ndarray:
        """Return what steps first .. last - 1 took, (n_terms, last - first) float64."""
        record, rows = self.record, slice(first, last)
        found = np.zeros((len(TERMS), last - first))
        ports = record.step_port_counters[rows]
        everywhere = record.step_counters[rows]
        for name, count in _counted(everywhere, everywhere - ports, ports).items():
            found[TERM[(name,)]] = count
        macs = record.step_operand_macs[rows] @ self.weight
        found[TERM[("multiply_accumulate",)]] = macs
        found[TERM[("barrier",)]] = self.barriers
        found[TERM[("router_wake",)]] = record.step_router_wakes[rows]
        edges = np.append(record.step_start[first : last + 1], record.cycles)[: last - first + 1]
        if first == 0:  # what comes before the first step belongs to it
            edges[0] = 0
        length = np.diff(edges)
        resting = length[:, None] * self.resting
        _core_terms(self.chip, record.step_state_cycles[rows] - resting, found)
        _core_terms(self.chip, resting, found, unused=True)
        _shared_terms(self.chip, record.step_router_state_cycles[rows], length, found)
        return found

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the first step of each block of steps and what the block took; what was read of
        temporary files is given back.
        """
        # the last block takes what is left: a product with a matrix of one row is rounded otherwise
        edges = [*range(0, self.n - self.n % BLOCK, BLOCK)] or [0]
        for first, last in zip(edges, [*edges[1:], self.n]):
            yield first, self.of(first, last)
            scratch.give_back(self.record.step_counters)  # with all columns of the same file


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
    steps: StepQuantities
    rate: np.ndarray  # (n_terms,) joules per unit
    counts: dict[str, int]  # of each counted action over the run

    def _joules(self, quantity: np.ndarray) -> np.ndarray:
        joules = np.zeros((len(ACTIONS), quantity.shape[1]))
        np.add.at(joules, ACTION_OF_TERM, quantity * self.rate[:, None])
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
    def step_quantity(self) -> np.ndarray:
        """How much of each term each step took, (n_terms, n_steps) float64."""
        return scratch.filled((len(TERMS), self.steps.n), self.steps.blocks())

    @cached_property
    def by_step(self) -> np.ndarray:
        """Joules, (n_actions, n_steps) float64."""
        return scratch.filled((len(ACTIONS), self.steps.n), self._joules_of_blocks())

    def _joules_of_blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        return ((first, self._joules(quantity)) for first, quantity in self.steps.blocks())

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
        by_step = np.zeros(len(ACTIONS))
        for _, block in self._joules_of_blocks():
            by_step += block.sum(axis=1)
        for name, sums in (("population", self.by_population.sum(axis=1)), ("step", by_step)):
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
    n = plan.n_endpoints
    by_place = np.zeros((len(TERMS), n + 1))
    counts: dict[str, int] = {}
    is_core = np.arange(n)[:, None] < plan.n_cores
    everywhere = record.counters
    for name, count in _counted(everywhere, everywhere * is_core, everywhere * ~is_core).items():
        by_place[TERM[(name,)], :n] = count
        counts[name] = int(count.sum())
    weight = _multiplications(chip, record)
    by_place[TERM[("multiply_accumulate",)], :n] = record.operand_macs @ weight
    barriers = len(tiles_in_use(chip, mapping)) * (plan.synchronisation == BARRIER)
    counts["barrier"] = barriers * len(record.step_start)
    counts["router_wake"] = int(record.step_router_wakes.sum())
    for name in ("barrier", "router_wake"):
        by_place[TERM[(name,)], n] = counts[name]
    resting = record.state_cycles * ~mapping.is_used[:, None]
    cores = by_place[:, : plan.n_cores]
    _core_terms(chip, record.state_cycles - resting, cores)
    _core_terms(chip, resting, cores, unused=True)
    routers = record.router_state_cycles.sum(axis=0, keepdims=True)
    _shared_terms(chip, routers, np.array([record.cycles]), by_place[:, n : n + 1])
    steps = StepQuantities(chip, record, barriers, weight, _resting(record, resting))
    rest = len(mapping.cores)
    inputs = [number for number, cores in enumerate(mapping.cores) if not len(cores)]
    share = np.zeros((n + 1, rest + 1))  # of populations in what cores, ports and the chip do
    share[: plan.n_cores, :rest] = mapping.share
    share[: plan.n_cores, rest] = ~mapping.is_used
    share[plan.n_cores : n, inputs[0] if inputs else rest] = 1
    share[n, rest] = 1
    by_population = by_place @ share
    values = {name: constant.value for name, constant in constants(chip).items()}
    ledger = Ledger(by_place, by_population, steps, rates(values), counts)
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


def _counted(
    everywhere: np.ndarray, at_cores: np.ndarray, at_ports: np.ndarray
) -> dict[str, np.ndarray]:
    """Return how often each action happened, in each row of counters of all endpoints, of the cores
    alone and of the ports alone.
    """
    tables = ((_EVERYWHERE, everywhere), (_AT_CORES, at_cores), (_AT_PORTS, at_ports))
    return {
        action: table[:, [COUNTER[name] for name in names]].sum(axis=1)
        for actions, table in tables
        for action, names in actions.items()
    }


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


def _resting(record: Record, resting: np.ndarray) -> np.ndarray:
    """Return how many cores without work are in each power state in every cycle [P8], given the
    cycles of each, (n_cores, len(POWER_STATES)).
    """
    cycles = resting.sum(axis=0)
    cores = np.rint(cycles / max(record.cycles, 1)).astype(np.int64)
    if (cores * record.cycles != cycles).any():
        raise CheckError("cores that hold nothing must stay in one power state")
    return cores


def _shared_terms(chip: Chip, cycles: np.ndarray, length: np.ndarray, place: np.ndarray) -> None:
    """Book what all share: cycles of routers in power states, (n, len(POWER_STATES)), as clocked
    cycles and as time that leaks, and the length, (n,) in cycles, as static power.
    """
    clocked = cycles[:, [ACTIVE, IDLE, WAKING]].sum(axis=1)
    place[TERM[("router_clock",)]] = clocked
    place[TERM[("router_leakage",)]] = clocked * chip.period
    place[TERM[("router_leakage", "router_gated_share")]] = cycles[:, GATED] * chip.period
    place[TERM[("chip_static",)]] = length * chip.period
