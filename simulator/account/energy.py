"""Joules after the run: counts × energy per action + time in state × power, by action, core, layer and step.

The four views add up to the same total to 1e-9; `Ledger.check` says so and the tests hold it to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.describe.chip import Chip
from simulator.errors import CheckError
from simulator.mapping.activity import Schedule
from simulator.mapping.machine import tiles_in_use
from simulator.mapping.partition import Mapping
from simulator.mapping.plan import OUTPUT, Plan
from simulator.timing.record import ACTIVE, COUNTER, GATED, IDLE, OFF, WAKING, Record

#: what each action belongs to in reports
COMPONENT = {
    "accumulate": "compute", "multiply_accumulate": "compute", "threshold_test": "compute", "clamp": "compute",
    "reset": "compute", "event_generation": "compute",
    "accumulator": "memory", "weight_read": "memory", "membrane_read": "memory", "membrane_write": "memory",
    "event": "memory", "axon_lookup": "memory", "reload": "memory",
    "input_queue": "network interface", "output_queue": "network interface", "injection": "network interface",
    "ejection": "network interface", "port_flit": "network interface",
    "buffer_write": "routers", "buffer_read": "routers", "crossbar": "routers", "allocation": "routers",
    "link_east_west": "links", "link_north_south": "links",
    "barrier": "synchronisation",
    "gate_wake": "wake-up", "off_wake": "wake-up", "router_wake": "wake-up",
    "core_clock_active": "clock", "core_clock_idle": "clock", "router_clock": "clock",
    "core_leakage": "leakage", "memory_leakage": "leakage", "router_leakage": "leakage", "chip_static": "leakage",
}  # fmt: skip
ACTIONS = tuple(COMPONENT)
COMPONENTS = tuple(dict.fromkeys(COMPONENT.values()))


@dataclass(frozen=True)
class Ledger:
    """Energy in joules.  Rows are ACTIONS.  The last place is what all share: routers' clock and leakage, barriers, static."""

    by_place: np.ndarray  # (n_actions, n_endpoints + 1)
    by_layer: np.ndarray  # (n_actions, n_layers + 2): the input, the layers, then shared with the unused cores
    by_step: np.ndarray  # (n_actions, n_steps)
    counts: dict[str, int]  # of each counted action over the run

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
        """Raise CheckError unless places, layers and steps add up to the same joules, action by action, to 1e-9."""
        places = self.by_place.sum(axis=1)
        for name, view in (("layer", self.by_layer), ("step", self.by_step)):
            sums = view.sum(axis=1)
            # floating-point sums in another order: 1e-9 relative, as docs/results.md states
            wrong = np.abs(sums - places) > 1e-9 * np.maximum(np.abs(places), 1e-30)
            if wrong.any():
                action = int(np.argmax(wrong))
                raise CheckError(f"energy by {name} of {ACTIONS[action]} is {sums[action]!r} J, by place {places[action]!r} J")


def refuse_all_in(chip: Chip) -> None:
    """Raise CheckError when the chip's tables hold an all-in number: it contains other entries and cannot be added up."""
    tables = (("energy", chip.energy), ("power", chip.power))
    wrong = [
        f"{table}.{name} ({getattr(entries, name).source})"
        for table, entries in tables
        for name in type(entries).model_fields
        if getattr(entries, name).scope == "all_in" and getattr(entries, name).value != 0
    ]
    if wrong:
        raise CheckError(
            f"chip {chip.name}: no energy total can be given: these entries are all-in numbers, which contain others: "
            + "; ".join(wrong)
        )


def account(chip: Chip, mapping: Mapping, plan: Plan, schedule: Schedule, record: Record) -> Ledger:
    """Return the ledger of a run.  Raises CheckError for a chip whose tables hold all-in numbers."""
    refuse_all_in(chip)
    n, steps = plan.n_endpoints, len(record.step_start)
    by_place = np.zeros((len(ACTIONS), n + 1))
    by_step = np.zeros((len(ACTIONS), steps))
    counts: dict[str, int] = {}
    endpoint, step = _counted(plan, schedule, record)
    tiles = tiles_in_use(chip, mapping)
    row = {name: number for number, name in enumerate(ACTIONS)}
    for name, count in endpoint.items():
        joules = getattr(chip.energy, name).value
        by_place[row[name], :n] = count * joules
        by_step[row[name]] = step[name] * joules
        counts[name] = int(count.sum())
    shared = {"barrier": np.full(steps, tiles), "router_wake": record.step_router_wakes}
    for name, count in shared.items():
        joules = getattr(chip.energy, name).value
        by_place[row[name], n] = int(count.sum()) * joules
        by_step[row[name]] = count * joules
        counts[name] = int(count.sum())
    _static(chip, plan, record, row, by_place, by_step)
    layers = len(mapping.bounds)
    layer_of = np.concatenate([mapping.core_layer + 1, np.zeros(n - plan.n_cores, np.int64), [layers + 1]])
    layer_of[: plan.n_cores][mapping.core_layer < 0] = layers + 1
    by_layer = np.zeros((len(ACTIONS), layers + 2))
    for place, layer in enumerate(layer_of):
        by_layer[:, layer] += by_place[:, place]
    ledger = Ledger(by_place, by_layer, by_step, counts)
    ledger.check()
    return ledger


def _counted(plan: Plan, schedule: Schedule, record: Record) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return how often each action happened, by endpoint and by step."""
    place = {name: record.counters[:, number].astype(float) for name, number in COUNTER.items()}
    step = {name: record.step_counters[:, number].astype(float) for name, number in COUNTER.items()}
    core = np.arange(plan.n_endpoints) < plan.n_cores
    sent_packets, sent_flits, received_flits, received_events = _at_ports(schedule, len(record.step_start))

    def both(*names: str) -> tuple[np.ndarray, np.ndarray]:
        return sum(place[name] for name in names), sum(step[name] for name in names)  # type: ignore[return-value]

    def times(factor: int, name: str) -> tuple[np.ndarray, np.ndarray]:
        return factor * place[name], factor * step[name]

    spiking = int(schedule.mode == "snn")
    actions = {
        "accumulate": both("accumulates"),
        "multiply_accumulate": both("macs"),
        "accumulator": both("accumulates", "macs"),
        "weight_read": both("weight_read_words"),
        "event": (place["events_received"] * core, step["events_received"] - received_events),
        "threshold_test": times(spiking, "neuron_updates"),
        "clamp": times(2 * (1 - spiking), "neuron_updates"),
        "membrane_read": both("neuron_updates"),
        "membrane_write": both("neuron_updates"),
        "reset": times(spiking, "spikes"),
        "event_generation": both("spikes"),
        "axon_lookup": (place["packets_sent"] * core, step["packets_sent"] - sent_packets),
        "input_queue": (place["flits_received"] * core, step["flits_received"] - received_flits),
        "output_queue": (place["flits_sent"] * core, step["flits_sent"] - sent_flits),
        "injection": both("flits_sent"),
        "ejection": both("flits_received"),
        "buffer_write": both("router_traversals"),
        "buffer_read": both("router_traversals"),
        "crossbar": both("router_traversals"),
        "allocation": both("router_traversals"),
        "link_east_west": both("flit_hops_east_west"),
        "link_north_south": both("flit_hops_north_south"),
        "port_flit": (
            (place["flits_sent"] + place["flits_received"]) * ~core,
            sent_flits + received_flits,
        ),
        "gate_wake": both("gate_wakes"),
        "off_wake": both("off_wakes"),
        "reload": both("reload_cycles"),
    }
    return {name: pair[0] for name, pair in actions.items()}, {name: pair[1] for name, pair in actions.items()}


def _at_ports(schedule: Schedule, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return packets and flits ports sent, flits and events they received, by step: what is asked of them, step by step."""
    activity = schedule.activity
    flits, start = activity.entry_flits.astype(np.int64), activity.row_start

    def by_row(values: np.ndarray) -> np.ndarray:
        total = np.concatenate([[0], np.cumsum(values)])
        return total[start[1:]] - total[start[:-1]]

    def by_step(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
        total = np.concatenate([[0], np.cumsum(values)])
        return total[edges[1 : steps + 1]] - total[edges[:steps]]

    packets = np.where(activity.row_tree >= 0, 1, np.diff(start))
    row_flits = np.where(activity.row_tree >= 0, 1, by_row(flits))
    injected = activity.inject_row
    sent_packets = by_step(packets[injected], activity.inject_start)
    sent_flits = by_step(row_flits[injected], activity.inject_start)
    out = (activity.entry_kind == OUTPUT).astype(np.int64)
    sends = activity.message_row >= 0
    row = np.maximum(activity.message_row, 0)
    edges = activity.work_message[activity.work_start]
    received_flits = by_step(by_row(flits * out)[row] * sends, edges)
    received_events = by_step(by_row(activity.entry_events * out)[row] * sends, edges)
    return sent_packets, sent_flits, received_flits, received_events


def _static(
    chip: Chip, plan: Plan, record: Record, row: dict[str, int], by_place: np.ndarray, by_step: np.ndarray
) -> None:
    """Charge clocks by clocked cycle and leakage by time in state."""
    n, period, power = plan.n_endpoints, chip.period, chip.power
    memory = chip.core.memory
    bits = memory.synapses + memory.neurons + memory.axons
    share = power.off_share.value
    leaks = (("core_leakage", power.core_leakage.value), ("memory_leakage", power.memory_leakage.value * bits))
    for name, watts in leaks:
        for cycles, target in ((record.state_cycles, by_place[row[name], : plan.n_cores]), (record.step_state_cycles, by_step[row[name]])):
            on = cycles[:, [ACTIVE, IDLE, GATED, WAKING]].sum(axis=1)
            target[:] = (on + share * cycles[:, OFF]) * watts * period
    for cycles, place in ((record.state_cycles, by_place[:, : plan.n_cores]), (record.step_state_cycles, by_step)):
        place[row["core_clock_active"]] = cycles[:, ACTIVE] * power.core_clock_active.value
        place[row["core_clock_idle"]] = (cycles[:, IDLE] + cycles[:, WAKING]) * power.core_clock_idle.value
    length = np.diff(np.concatenate([record.step_start, [record.cycles]]))
    for cycles, place, time in (
        (record.router_state_cycles.sum(axis=0, keepdims=True), by_place[:, n : n + 1], np.array([record.cycles])),
        (record.step_router_state_cycles, by_step, length),
    ):
        clocked = cycles[:, [ACTIVE, IDLE, WAKING]].sum(axis=1)
        place[row["router_clock"]] = clocked * power.router_clock.value
        leaking = clocked + power.router_gated_share.value * cycles[:, GATED]
        place[row["router_leakage"]] = leaking * power.router_leakage.value * period
        place[row["chip_static"]] = time * power.chip_static.value * period
