"""The worked examples of graphs, cycle by cycle: when each step starts, when each packet is put,
sent and received; worked out by hand from docs/machine.md ([W1], [W2], [W11]), met by both engines.

Every population is one neuron on a core of its own; it fires in each of three timesteps. All cores
and the port to the outside sit at one router that nobody competes for, so a packet that is sent in
cycle t is at its destination in t + 5. There:

- a core takes it in t + 6 at the earliest and is busy for 3 cycles (2 of lookup, 1 for the row);
- the port to the outside takes it at once.

In a step that starts in S, an input's packets are put in S and sent in S, S + 1, ...; a neuron's
visit takes 1 cycle and 1 more for its spike, so its message is ready in S + 2, taken by axon-out in
S + 3, and its packets are put in S + 4, S + 5, ... and sent a cycle later. The next step starts 2
cycles after the last of all this.
"""

import pytest
from test_graphs import graph

from simulator.describe.chip import Chip
from simulator.study.pipeline import compute, prepare
from simulator.timing import ENGINES

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
    # step: start, quiet; packets: from to, put, sent, received
    ((0, 9), ["ia 0 0 5"]),
    ((11, 25), ["ia 11 11 16", "aa 15 16 21", "a> 16 17 22"]),
    ((27, 41), ["ia 27 27 32", "aa 31 32 37", "a> 32 33 38"]),
    # what comes after the last timestep is sent all the same, and forgotten
    ((43, 57), ["aa 47 48 53", "a> 48 49 54"]),
])  # fmt: skip

# A -> B at once, B -> A a timestep later: interval 2, so A and B take turns
EACH_OTHER = ("iab", [("i", "a", 0), ("a", "b", 0), ("b", "a", 1)], [
    ((0, 9), ["ia 0 0 5"]),
    ((11, 25), ["ab 15 16 21"]),
    ((27, 41), ["ia 27 27 32", "ba 31 32 37", "b> 32 33 38"]),
    ((43, 57), ["ab 47 48 53"]),
    ((59, 73), ["ia 59 59 64", "ba 63 64 69", "b> 64 65 70"]),
    ((75, 89), ["ab 79 80 85"]),
    ((91, 105), ["ba 95 96 101", "b> 96 97 102"]),
])  # fmt: skip

# around B: what A sends to C in a step, C works on two steps later, slack 1.  In the steps in which
# A and B both send to C, C is busy with B's packet for 3 cycles when A's arrives
AROUND_ONE = ("iabc", [("i", "a", 0), ("a", "b", 0), ("b", "c", 0), ("a", "c", 0)], [
    ((0, 9), ["ia 0 0 5"]),
    ((11, 26), ["ia 11 11 16", "ab 15 16 21", "ac 16 17 22"]),
    ((28, 45), ["ia 28 28 33", "ab 32 33 38", "bc 32 33 38", "ac 33 34 39"]),
    ((47, 64), ["ab 51 52 57", "bc 51 52 57", "c> 51 52 57", "ac 52 53 58"]),
    ((66, 80), ["bc 70 71 76", "c> 70 71 76"]),
    ((82, 92), ["c> 86 87 92"]),
])  # fmt: skip

# around A and B: what the input sends to C in a step, C works on three steps later, slack 2
AROUND_TWO = ("iabc", [("i", "a", 0), ("a", "b", 0), ("b", "c", 0), ("i", "c", 0)], [
    ((0, 10), ["ia 0 0 5", "ic 0 1 6"]),
    ((12, 26), ["ia 12 12 17", "ic 12 13 18", "ab 16 17 22"]),
    ((28, 42), ["ia 28 28 33", "ic 28 29 34", "ab 32 33 38", "bc 32 33 38"]),
    ((44, 58), ["ab 48 49 54", "bc 48 49 54", "c> 48 49 54"]),
    ((60, 74), ["bc 64 65 70", "c> 64 65 70"]),
    ((76, 86), ["c> 80 81 86"]),
])  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("names, edges, steps", [ITSELF, EACH_OTHER, AROUND_ONE, AROUND_TWO])
def test_worked_examples_cycle_by_cycle(engine, names, edges, steps) -> None:
    workload, chip = graph(names, edges), Chip.load("generic-22nm", ONE_ROUTER)
    prepared = prepare(workload, chip)
    executed = prepared.schedule(compute(workload, "snn", limit=1)).execute(engine, events=True)
    record = executed.record
    ends = list(zip(record.step_start.tolist(), record.step_quiet.tolist()))
    assert [end for end, _ in steps] == ends
    assert ends[-1][1] + 2 == record.cycles
    owner = {int(prepared.mapping.cores[k][0]): name for k, name in enumerate(names) if k}
    seen = sorted(
        f"{owner.get(packet['source'], 'i')}{owner.get(packet['destination'], '>')} "
        f"{packet['inject_cycle']} {packet['head_entry_cycle']} {packet['tail_arrive_cycle']}"
        for packet in record.packets
    )
    assert sorted(packet for _, packets in steps for packet in packets) == seen
