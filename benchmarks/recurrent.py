"""32,768 neurons with random targets, as the arrays an engine sees: one core's neurons reach
neurons anywhere on the chip.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.mapping.plan import ACCUMULATE, LOCAL, NO_TREES, Activity, Plan, uncounted
from simulator.mapping.traffic import noc_plan

NEURONS = 1 << 15
#: targets of each neuron; each of them drawn by itself
FAN_OUT = 16
#: a neuron fires once in so many timesteps
PERIOD = 100
CORES_PER_TILE = 4
#: tiles by number of cores
MESH = {128: (8, 4), 1024: (16, 16)}


@dataclass(frozen=True)
class Drawn:
    """Who reaches whom, and who fires when: neuron n in the timesteps t with t mod PERIOD ==
    phase[n].
    """

    cores: int
    width: int
    height: int
    target: np.ndarray  # (NEURONS, FAN_OUT)
    phase: np.ndarray  # (NEURONS,)

    def firing(self, timesteps: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (timestep, neuron) of every spike, in order."""
        by_phase = [np.flatnonzero(self.phase == phase) for phase in range(PERIOD)]
        neurons = [by_phase[timestep % PERIOD] for timestep in range(timesteps)]
        return np.repeat(np.arange(timesteps), [len(some) for some in neurons]), np.concatenate(
            neurons
        )


def draw(cores: int, seed: int) -> Drawn:
    """Return random targets on a chip of so many cores."""
    rng = np.random.default_rng(seed)
    return Drawn(
        cores,
        *MESH[cores],
        rng.integers(0, NEURONS, (NEURONS, FAN_OUT)),
        rng.permutation(NEURONS) % PERIOD,
    )


def plan(drawn: Drawn) -> Plan:
    """Return the machine: four cores per tile, two virtual channels, clock gating after 16 idle
    cycles.
    """
    core = np.arange(drawn.cores, dtype=np.int32)
    return noc_plan(
        drawn.width,
        drawn.height,
        virtual_channels=2,
        local_ports=CORES_PER_TILE,
        n_cores=drawn.cores,
        endpoint_router=core // CORES_PER_TILE,
        endpoint_local=LOCAL + core % CORES_PER_TILE,
        input_queue=8,
        spike_queue=16,
        output_queue=16,
        barrier_cycles=20,
        gate_after=16,
        gate_wake=2,
        reload_cycles=np.zeros(drawn.cores, np.int64),
    )


def activity(drawn: Drawn, timesteps: int) -> Activity:
    """Return the work of so many timesteps: every core visits all its neurons, every spike goes
    once to each core it reaches.
    """
    per_core = NEURONS // drawn.cores
    when, who = drawn.firing(timesteps)
    # one packet per source and destination core
    pair = np.unique(
        np.repeat(np.arange(NEURONS), FAN_OUT) * drawn.cores + drawn.target.ravel() // per_core,
        return_counts=True,
    )
    source, destination, synapses = pair[0] // drawn.cores, pair[0] % drawn.cores, pair[1]
    n_entries = len(source)
    steps, work = np.arange(timesteps + 1, dtype=np.int64), np.arange(timesteps * drawn.cores)
    return Activity(
        work_start=steps * drawn.cores,
        work_core=(work % drawn.cores).astype(np.int32),
        work_visits=np.full(len(work), per_core, np.int64),
        work_message=np.searchsorted(
            when * drawn.cores + who // per_core, np.arange(len(work) + 1)
        ).astype(np.int64),
        message_position=(who % per_core).astype(np.int32),
        message_row=who.astype(np.int32),
        inject_start=np.zeros(timesteps + 1, np.int64),
        inject_port=np.zeros(0, np.int32),
        inject_offset=np.zeros(0, np.int64),
        inject_row=np.zeros(0, np.int32),
        row_start=np.searchsorted(source, np.arange(NEURONS + 1)).astype(np.int64),
        entry_endpoint=destination.astype(np.int32),
        entry_flits=np.ones(n_entries, np.int32),
        entry_class=np.zeros(n_entries, np.uint8),
        entry_cycles=synapses.astype(np.int64),
        entry_operations=synapses.astype(np.int64),
        entry_kind=np.full(n_entries, ACCUMULATE, np.uint8),
        entry_words=synapses.astype(np.int64),
        entry_events=np.ones(n_entries, np.int64),
        **uncounted(len(work), n_entries),
        **{**NO_TREES, "row_tree": np.full(NEURONS, -1, np.int32)},
    )
