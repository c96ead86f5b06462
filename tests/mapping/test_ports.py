"""Input enters by the port that takes it and results leave by theirs, whatever their order."""

import pytest

from simulator.behaviour import raster as behaviour
from simulator.describe.chip import Chip
from simulator.describe.workload import Workload
from simulator.mapping.activity import compile_activity
from simulator.mapping.machine import compile_plan
from simulator.mapping.partition import partition

IN = "{name: in, role: input, tile: [0, 0], interval: 3 cycles}"
OUT = "{name: out, role: output, tile: [7, 0]}"


@pytest.mark.parametrize(("ports", "enters", "leaves"), [((IN, OUT), 0, 1), ((OUT, IN), 1, 0)])
def test_packets_enter_and_leave_by_the_ports_of_that_role(ports, enters, leaves) -> None:
    chip = Chip.load("generic-22nm", (f"ports=[{', '.join(ports)}]",))
    workload = Workload.load("digits-mlp")
    mapping = partition(workload, chip)
    plan = compile_plan(chip, mapping)
    network = workload.network
    raster = behaviour.run(network, workload.stimulus, "snn", 4, "streaming", 1)
    activity = compile_activity(workload, chip, mapping, plan, raster).activity
    assert {plan.n_cores + enters} == set(activity.inject_port.tolist())
    first = activity.inject_offset[: activity.inject_start[1]]
    assert [3 * packet for packet in range(len(first))] == first.tolist()
    outside = activity.entry_endpoint[activity.entry_endpoint >= plan.n_cores]
    assert {plan.n_cores + leaves} == set(outside.tolist())
