"""The worked examples of graphs, cycle by cycle: when each step starts, what each core's units do
in which cycles, when each packet is put, sent and received; worked out by hand from docs/machine.md
([W1], [W2], [W11]), met by both engines.

Every population is one neuron on a core of its own; it fires in each of three timesteps. All cores
and the port to the outside sit at one router that nobody competes for, so a packet that is sent in
cycle t is at its destination in t + 5. There:

- a core's synapse unit takes it in t + 6 at the earliest and is busy for 3 cycles (2 of lookup, 1
  for the row);
- the port to the outside takes it at once.

In a step that starts in S, an input's packets are put in S and sent in S, S + 1, ...; the soma is
busy in S and S + 1, for a neuron's visit takes 1 cycle and 1 more for its spike, so its message is
ready in S + 2; axon-out takes it in S + 3 and is busy for a cycle with each packet, which are put
in S + 4, S + 5, ... and sent a cycle later. The step is quiet when the last of all this is done,
and the barrier ends 2 cycles later: the next step starts.

The first table in words: in step 0 the input's spike is put and sent in 0 and received in 5; A's
synapse unit takes it in 6 and is done at 9, so the step is quiet at 9 and step 1 starts in 11.
There A's soma is busy in 11 and 12, axon-out in 14 with the packet to A itself, put in 15, and in
15 with the one to the port, put in 16; meanwhile the input's second spike, put in 11, was received
in 16 and keeps the synapse unit busy from 17 to 19. A's own packet, sent in 16, is received in 21
and keeps it busy from 22 to 24, so the step is quiet at 25.
"""

import pytest
from test_graphs import graph

from simulator.describe.chip import Chip
from simulator.study.pipeline import compute, prepare
from simulator.timing import ENGINES
from simulator.timing.record import UNIT_STATES, UNITS

#: units as the tables call them
SHORT = {"synapse": "syn", "soma": "soma", "axon_out": "axon"}
ONE_ROUTER = (
    "mesh.width=1",
    "mesh.height=1",
    "mesh.cores_per_tile=4",
    "barrier.tree=null",
    "barrier.points=[[1, 2 cycles]]",
    "gating.unused=clocked",
    "gating.gate_after=never",
    "gating.router_gate_after=never",
)

# A -> A a timestep later: interval 1, no slack
ITSELF = ("ia", [("i", "a", 0), ("a", "a", 1)], [
    # step: start, quiet; packets: from to, put, sent, received; work: core, unit, from, cycles
    ((0, 9), ["ia 0 0 5"], ["a syn 6 3"]),
    ((11, 25), ["ia 11 11 16", "aa 15 16 21", "a> 16 17 22"],
     ["a soma 11 2", "a axon 14 1", "a axon 15 1", "a syn 17 3", "a syn 22 3"]),
    ((27, 41), ["ia 27 27 32", "aa 31 32 37", "a> 32 33 38"],
     ["a soma 27 2", "a axon 30 1", "a axon 31 1", "a syn 33 3", "a syn 38 3"]),
    # what comes after the last timestep is sent all the same, and forgotten
    ((43, 57), ["aa 47 48 53", "a> 48 49 54"],
     ["a soma 43 2", "a axon 46 1", "a axon 47 1", "a syn 54 3"]),
])  # fmt: skip

# A -> B at once, B -> A a timestep later: interval 2, so A and B take turns
EACH_OTHER = ("iab", [("i", "a", 0), ("a", "b", 0), ("b", "a", 1)], [
    ((0, 9), ["ia 0 0 5"], ["a syn 6 3"]),
    ((11, 25), ["ab 15 16 21"], ["a soma 11 2", "a axon 14 1", "b syn 22 3"]),
    ((27, 41), ["ia 27 27 32", "ba 31 32 37", "b> 32 33 38"],
     ["b soma 27 2", "b axon 30 1", "b axon 31 1", "a syn 33 3", "a syn 38 3"]),
    ((43, 57), ["ab 47 48 53"], ["a soma 43 2", "a axon 46 1", "b syn 54 3"]),
    ((59, 73), ["ia 59 59 64", "ba 63 64 69", "b> 64 65 70"],
     ["b soma 59 2", "b axon 62 1", "b axon 63 1", "a syn 65 3", "a syn 70 3"]),
    ((75, 89), ["ab 79 80 85"], ["a soma 75 2", "a axon 78 1", "b syn 86 3"]),
    ((91, 105), ["ba 95 96 101", "b> 96 97 102"],
     ["b soma 91 2", "b axon 94 1", "b axon 95 1", "a syn 102 3"]),
])  # fmt: skip

# around B: what A sends to C in a step, C works on two steps later, slack 1.  In the steps in which
# A and B both send to C, C is busy with B's packet for 3 cycles when A's arrives
AROUND_ONE = ("iabc", [("i", "a", 0), ("a", "b", 0), ("b", "c", 0), ("a", "c", 0)], [
    ((0, 9), ["ia 0 0 5"], ["a syn 6 3"]),
    ((11, 26), ["ia 11 11 16", "ab 15 16 21", "ac 16 17 22"],
     ["a soma 11 2", "a axon 14 1", "a axon 15 1", "a syn 17 3", "b syn 22 3", "c syn 23 3"]),
    ((28, 45), ["ia 28 28 33", "ab 32 33 38", "bc 32 33 38", "ac 33 34 39"],
     ["a soma 28 2", "b soma 28 2", "a axon 31 1", "b axon 31 1", "a axon 32 1", "a syn 34 3",
      "b syn 39 3", "c syn 39 3", "c syn 42 3"]),
    ((47, 64), ["ab 51 52 57", "bc 51 52 57", "c> 51 52 57", "ac 52 53 58"],
     ["a soma 47 2", "b soma 47 2", "c soma 47 2", "a axon 50 1", "b axon 50 1", "c axon 50 1",
      "a axon 51 1", "b syn 58 3", "c syn 58 3", "c syn 61 3"]),
    ((66, 80), ["bc 70 71 76", "c> 70 71 76"],
     ["b soma 66 2", "c soma 66 2", "b axon 69 1", "c axon 69 1", "c syn 77 3"]),
    ((82, 92), ["c> 86 87 92"], ["c soma 82 2", "c axon 85 1"]),
])  # fmt: skip

# around A and B: what the input sends to C in a step, C works on three steps later, slack 2
AROUND_TWO = ("iabc", [("i", "a", 0), ("a", "b", 0), ("b", "c", 0), ("i", "c", 0)], [
    ((0, 10), ["ia 0 0 5", "ic 0 1 6"], ["a syn 6 3", "c syn 7 3"]),
    ((12, 26), ["ia 12 12 17", "ic 12 13 18", "ab 16 17 22"],
     ["a soma 12 2", "a axon 15 1", "a syn 18 3", "c syn 19 3", "b syn 23 3"]),
    ((28, 42), ["ia 28 28 33", "ic 28 29 34", "ab 32 33 38", "bc 32 33 38"],
     ["a soma 28 2", "b soma 28 2", "a axon 31 1", "b axon 31 1", "a syn 34 3", "c syn 35 3",
      "b syn 39 3", "c syn 39 3"]),
    ((44, 58), ["ab 48 49 54", "bc 48 49 54", "c> 48 49 54"],
     ["a soma 44 2", "b soma 44 2", "c soma 44 2", "a axon 47 1", "b axon 47 1", "c axon 47 1",
      "b syn 55 3", "c syn 55 3"]),
    ((60, 74), ["bc 64 65 70", "c> 64 65 70"],
     ["b soma 60 2", "c soma 60 2", "b axon 63 1", "c axon 63 1", "c syn 71 3"]),
    ((76, 86), ["c> 80 81 86"], ["c soma 76 2", "c axon 79 1"]),
])  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("names, edges, steps", [ITSELF, EACH_OTHER, AROUND_ONE, AROUND_TWO])
def test_worked_examples_cycle_by_cycle(engine, names, edges, steps) -> None:
    workload, chip = graph(names, edges), Chip.load("generic-22nm", ONE_ROUTER)
    prepared = prepare(workload, chip)
    executed = prepared.schedule(compute(workload, "snn", limit=1)).execute(engine, events=True)
    record = executed.record
    ends = list(zip(record.step_start.tolist(), record.step_quiet.tolist()))
    assert [end for end, _, _ in steps] == ends
    assert ends[-1][1] + 2 == record.cycles
    owner = {int(prepared.mapping.cores[k][0]): name for k, name in enumerate(names) if k}
    seen = sorted(
        f"{owner.get(packet['source'], 'i')}{owner.get(packet['destination'], '>')} "
        f"{packet['inject_cycle']} {packet['head_entry_cycle']} {packet['tail_arrive_cycle']}"
        for packet in record.packets
    )
    assert sorted(packet for _, packets, _ in steps for packet in packets) == seen
    assert all(UNIT_STATES[stretch["state"]] == "busy" for stretch in record.units)
    for (start, quiet), _, work in steps:
        done = [
            f"{owner[stretch['core']]} {SHORT[UNITS[stretch['unit']]]} {stretch['cycle']} "
            f"{stretch['cycles']}"
            for stretch in record.units
            if start <= stretch["cycle"] < quiet
        ]
        assert sorted(work) == sorted(done)
    assert sum(len(work) for _, _, work in steps) == len(record.units)
