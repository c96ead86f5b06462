"""The executable specification is estimated before it is built, neither too low nor by far too
high.
"""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from small_machines import Step, work

from simulator import memory
from simulator.mapping.plan import LOCAL, Plan
from simulator.mapping.traffic import noc_plan
from simulator.memory import MemoryLimitError
from simulator.timing import REFERENCE, engine_named
from simulator.timing.reference import size

#: width, height, VCs, cores of a tile
MACHINES = [(4, 4, 1, 1), (4, 4, 8, 1), (8, 8, 4, 1), (8, 8, 2, 4), (4, 4, 8, 4)]
STEPS = [Step(visits=3)]


def mesh(width: int, height: int, channels: int, cores: int) -> Plan:
    """Return a mesh of such tiles."""
    plan, tiles = noc_plan(width, height, buffer=8), width * height
    return replace(
        plan,
        virtual_channels=channels,
        class_channels=np.full(2, channels),
        local_ports=cores,
        n_cores=tiles * cores,
        endpoint_router=np.repeat(np.arange(tiles), cores).astype(np.int32),
        endpoint_local=(LOCAL + np.tile(np.arange(cores), tiles)).astype(np.int32),
        input_queue=8,
        reload_cycles=np.zeros(tiles * cores, np.int64),
    )


@pytest.mark.parametrize("machine", MACHINES)
def test_the_estimate_covers_what_is_taken(
    machine: tuple[int, int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, asked = mesh(*machine), []
    engine_named(REFERENCE)(plan, work(plan, [], STEPS))  # modules are imported
    monkeypatch.setattr(memory, "need", lambda what, bytes_: asked.append(bytes_))
    tracemalloc.start()
    try:
        engine_named(REFERENCE)(plan, work(plan, [], STEPS))
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert taken <= asked[0] <= 3 * taken


def test_a_machine_too_large_is_refused_before_it_is_built() -> None:
    plan = mesh(128, 128, 8, 8)
    with memory.limited("400MiB"), pytest.raises(MemoryLimitError) as error:
        size.need(plan, work(plan, [], STEPS))
    said = str(error.value)
    assert "128 x 128 routers and 131,072 endpoints as SimPy processes" in said
    assert "the compiled engine takes less" in said
