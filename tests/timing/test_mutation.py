"""A deliberate error of one cycle, one place or one turn in one engine is reported: the comparison
is no formality.
"""

import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from test_agreement import case

from simulator.timing.engine import chip, core, groups, interface, packets, router, simulate
from simulator.timing.record import Record, first_divergence
from simulator.timing.reference import simulate as specification

SEEDS = range(40)
#: cases for kernels that are not compiled
FEW = (0, 1, 2, 3, 5, 8, 13, 21)

#: fields of the Plan that are a number: given one more, the engine does something else than the
#: specification
NUMBERS = [
    "buffer",
    "input_queue",
    "spike_queue",
    "output_queue",
    "soma_cycles",
    "soma_spike_cycles",
    "axon_cycles",
    "event_group",
    "lanes",
    "banks",
    "add_cycles",
    "shared_cycles",
    "barrier_cycles",
    "gate_wake",
    "off_wake",
    "router_wake",
    "link_latency",
    "link_interval",
    "reload_cycles",
]


@cache
def specified(seed: int) -> Record:
    """Return what the specification says of a case."""
    return specification(*case(seed), events=True)


@pytest.mark.parametrize("name", NUMBERS)
def test_one_more_of_any_number_of_the_plan_is_noticed(name) -> None:
    def differs(seed: int) -> bool:
        plan, activity = case(seed)
        if name == "shared_cycles" and plan.shared_cycles + 1 >= plan.add_cycles.min():
            return False  # no machine: a group cannot share a whole operation
        other = replace(plan, **{name: getattr(plan, name) + 1})
        return first_divergence(simulate(other, activity, events=True), specified(seed)) is not None

    assert any(differs(seed) for seed in SEEDS)


@pytest.mark.parametrize("name", ["gate_after", "off_after", "router_gate_after"])
def test_one_idle_cycle_more_before_a_gate_closes_is_noticed(name) -> None:
    def differs(seed: int) -> bool:
        plan, activity = case(seed)
        value = getattr(plan, name)
        if value < 0:
            return False
        other = replace(plan, **{name: value + 1})
        return first_divergence(simulate(other, activity, events=True), specified(seed)) is not None

    assert any(differs(seed) for seed in SEEDS)


def late_credit(original):
    """Return every credit one cycle late."""
    return lambda state, lane, count, cycle: original(state, lane, count, cycle + 1)


def turned_one_further(original):
    """Let the turn pass over the one whose turn it is."""
    return lambda mask, pointer: original(mask, pointer + 1)


def late_wake(original):
    """Wake one cycle late."""
    return lambda state, number, now: original(state, number, now) + 1


def no_wait(original):
    """Take a message or a packet in the very cycle it was put."""
    return lambda state, number, cycle: original(state, number, cycle + 1)


def fewer_meet(original):
    """Let one event fewer meet in the busiest bank."""
    return lambda asked, events, banks: max(0, original(asked, events, banks) - 1)


def next_bank(original):
    """Let the rows of a packet that joins begin a bank further."""

    def ask(state, number, entry, events):
        original(state, number, entry, events)
        if events:
            state.asked[number, events : events + entry.events, 0] += 1

    return ask


def quiet_early(original):
    """Book one cycle too few until the chip is quiet."""
    return lambda state, now: original(state, now - 1)


#: name: modules whose kernel is replaced, its name, the error
MUTATIONS = {
    "credit of a router": ([router], "send_credit", late_credit),
    "credit of a core": ([core], "send_credit", late_credit),
    "credit of a port": ([interface], "send_credit", late_credit),
    "turn in a router": ([router], "turn", turned_one_further),
    "turn of the synapse unit": ([core, groups], "turn", turned_one_further),
    "events that meet in a bank": ([groups], "most_asked", fewer_meet),
    "bank of a row": ([groups], "ask_banks", next_bank),
    "turn in an interface": ([interface], "turn", turned_one_further),
    "wake of a core": ([core], "demand", late_wake),
    "wake of a router": ([router], "demand", late_wake),
    "barrier": ([core, interface, chip], "finish_one", quiet_early),
}


def mutants_noticed(seeds: tuple[int, ...] = FEW) -> dict[str, str | None]:
    """Return the first difference each mutation of interpreted kernels makes; None: nobody
    noticed.
    """
    noticed: dict[str, str | None] = {}
    for name, (modules, kernel, error) in MUTATIONS.items():
        original = getattr(packets if kernel == "finish_one" else modules[0], kernel)
        for module in modules:
            setattr(module, kernel, error(original))
        differences = (
            first_divergence(simulate(*case(seed), events=True), specified(seed)) for seed in seeds
        )
        noticed[name] = next(
            (difference for difference in differences if difference is not None), None
        )
        for module in modules:
            setattr(module, kernel, original)
    return noticed


@cache
def mutants_noticed_by_interpreter(seeds: tuple[int, ...] = FEW) -> dict[str, str | None]:
    """Return the result of `mutants_noticed` where kernels are not compiled."""
    here = Path(__file__).parent
    script = f"import json, test_mutation as t; print(json.dumps(t.mutants_noticed({seeds})))"
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(here)}
    run = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, cwd=here
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize("name", MUTATIONS)
def test_an_error_in_a_kernel_is_noticed(name) -> None:
    difference = mutants_noticed_by_interpreter()[name]
    assert difference is not None


def test_without_an_error_there_is_nothing_to_notice() -> None:
    assert [None] * len(FEW) == [
        first_divergence(simulate(*case(seed), events=True), specified(seed)) for seed in FEW
    ]


def test_a_single_event_moved_by_one_cycle_is_named() -> None:
    record = specified(0)
    grants = record.grants.copy()
    row = len(grants) // 2
    grants["cycle"][row] += 1
    moved = first_divergence(record, replace(record, grants=grants))
    assert moved is not None and moved.startswith(
        f"cycle {record.grants['cycle'][row]}: grants[{row}]"
    )
    counters = record.counters.copy()
    counters[tuple(np.argwhere(counters)[0])] += 1
    assert first_divergence(record, replace(record, counters=counters)) is not None
