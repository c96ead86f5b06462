"""What a run left in the arrays, as a Record."""

from __future__ import annotations

import numpy as np

from simulator.mapping.plan import Plan
from simulator.timing.engine.layout import (
    FOR_A_PLANE,
    FOR_THE_START,
    FOR_TOKENS,
    MACS,
    SYNAPSE,
    State,
)
from simulator.timing.record import (
    BANK_CONFLICT,
    BARRIER,
    BLOCKED,
    BUSY,
    COUNTERS,
    GATED,
    GRANT,
    OFF,
    PACKET,
    STARVED,
    STATE,
    UNIT,
    UNIT_GATED,
    UNIT_OFF,
    UNIT_STATES,
    UNIT_WAKING,
    UNITS,
    WAITING_FOR_A_PLANE,
    WAITING_FOR_TOKENS,
    WAKING,
    Record,
    sort_events,
)


def _unit_cycles(state: State, plan: Plan, cycles: int) -> np.ndarray:
    """Return where each cycle of each unit went [U1]; what is nothing else is starved."""
    unit = np.zeros((plan.n_cores, len(UNITS), len(UNIT_STATES)), np.int64)
    power = state.power["cycles"][: plan.n_cores]
    for unit_state, power_state in ((UNIT_OFF, OFF), (UNIT_GATED, GATED), (UNIT_WAKING, WAKING)):
        unit[:, :, unit_state] = power[:, None, power_state]
    unit[:, :, BARRIER] = state.core["barrier"][:, None]
    waited = state.core["waited"]
    unit[:, :, WAITING_FOR_TOKENS] = waited[:, FOR_TOKENS - 1]
    unit[:, :, WAITING_FOR_A_PLANE] = waited[:, FOR_A_PLANE - 1]
    unit[:, :, BARRIER] += waited[:, FOR_THE_START - 1]
    unit[:, :, BUSY] = state.core["busy"]
    unit[:, :, BLOCKED] = state.core["blocked"]
    unit[:, SYNAPSE, BANK_CONFLICT] = state.core["conflicts"]
    unit[:, SYNAPSE, BUSY] -= state.core["conflicts"]  # occupied, but waiting [C22]
    unit[:, :, STARVED] = cycles - unit.sum(axis=2)
    return unit


def _with_macs(counter: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the counters, their macs summed over widths, and the macs by widths."""
    counters = np.array(counter[..., : len(COUNTERS)])
    by_operands = np.array(counter[..., len(COUNTERS) :])
    counters[..., MACS] = by_operands.sum(axis=-1)
    return counters, by_operands


def make_record(
    state: State, plan: Plan, operand_bits: np.ndarray, logs: tuple[list[np.ndarray], ...]
) -> Record:
    """Return the Record of a finished run whose books are closed."""
    chip = state.chip[0]
    n_steps, cycles = int(chip.last_step), int(chip.now)
    power = np.array(state.power["cycles"])
    step_power = np.diff(state.step_power[: n_steps + 1], axis=0)
    per_port = (plan.n_routers, plan.ports)
    grants, states, packets, units = sort_events(
        *(
            np.concatenate([np.zeros(0, dtype), *kept])
            for dtype, kept in zip((GRANT, STATE, PACKET, UNIT), logs)
        )
    )
    core, interface = state.core, state.interface
    peaks = np.stack(
        [core["input_peak"], core["spike_peak"], interface["peak"][: plan.n_cores]], axis=1
    )
    counters, operand_macs = _with_macs(state.counter)
    step_counters, step_operand_macs = _with_macs(
        np.diff(state.step_counter[: n_steps + 1], axis=0)
    )
    router_power = state.power[plan.n_cores :]
    return Record(
        cycles=cycles,
        step_start=np.array(state.step["start"][:n_steps]),
        step_quiet=np.array(state.step["quiet"][:n_steps]),
        step_last_output=np.array(state.step["last_output"][:n_steps]),
        step_overrun=np.array(state.step["overrun"][:n_steps]),
        counters=counters,
        step_counters=step_counters.sum(axis=1),
        step_port_counters=step_counters[:, 1],
        operand_bits=operand_bits,
        operand_macs=operand_macs,
        step_operand_macs=step_operand_macs.sum(axis=1),
        queue_peak=peaks.astype(np.int64),
        unit_cycles=_unit_cycles(state, plan, cycles),
        state_cycles=power[: plan.n_cores],
        step_state_cycles=step_power[:, 0],
        link_flits=np.array(state.port["flits"]).reshape(per_port),
        link_blocked=np.array(state.port["blocked"]).reshape(per_port),
        router_flit_cycles=np.array(state.router["flit_cycles"]),
        router_wakes=np.array(router_power["gate_wakes"]),
        router_state_cycles=power[plan.n_cores :],
        step_router_state_cycles=step_power[:, 1],
        step_router_wakes=np.diff(state.step_router_wakes[: n_steps + 1]),
        complete=n_steps == int(chip.n_steps),
        grants=grants,
        states=states,
        packets=packets,
        units=units,
    )
