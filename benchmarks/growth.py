"""How cost grows: with flit-hops, packets, idle cycles, steps, visits, spikes, neurons; and memory
with synapses.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks import measure, networks
from benchmarks.figures import Figure, Peer, Sample
from benchmarks.races import Settings, engine_time
from simulator.mapping.plan import Activity, Plan
from simulator.mapping.traffic import noc_plan, trace_activity

#: what SANA-FE holds per synapse
PEER_MEMORY = Peer("SANA-FE", 840.0, recorded=True)


def growth(settings: Settings) -> list[Figure]:
    """The cost of each kind of event."""
    return [*_network(settings), *_core(settings), _neurons(settings)]


def _network(settings: Settings) -> list[Figure]:
    """What a packet and each of its hops cost, from near and far traffic, and what idle cycles
    cost.
    """
    plan, n = noc_plan(8, 8, buffer=8), 10_000 if settings.is_quick else 200_000
    number = np.arange(n)
    times = []
    for distance in (1, 7):  # along each row, one packet in each of eight rows every four cycles
        trace = np.stack(
            [number // 8 * 4, number % 8 * 8, number % 8 * 8 + distance, np.ones(n, np.int64)],
            axis=1,
        )
        times.append(engine_time(plan, trace_activity(plan, trace), settings.repeat)[0])
    near, far = times
    per_hop = _difference(far, near, n * 6)
    # near packets make 2 hops, far ones 8: a third of the difference is what 2 hops cost
    packet = Sample.of([max(0.0, a - (b - a) / 3) / n for a, b in zip(_values(near), _values(far))])
    gaps = (10, 1_000_000)
    waits = [
        engine_time(
            plan,
            trace_activity(plan, [(k * (60 + gap), 0, 9, 1) for k in range(n // 20)]),
            settings.repeat,
        )[0]
        for gap in gaps
    ]
    flat = Sample(
        waits[1].median / waits[0].median,
        waits[1].low / waits[0].high,
        waits[1].high / waits[0].low,
        settings.repeat,
    )
    return [
        Figure("cost of a flit-hop", per_hop.scaled(1e9), "ns", is_lower_better=True),
        Figure("cost of a packet beside its hops", packet.scaled(1e9), "ns", is_lower_better=True),
        Figure(
            "cost of 10^6 idle cycles, as a multiple of that of 10",
            flat,
            "x",
            1.2,
            is_lower_better=True,
        ),
    ]


def _values(sample: Sample) -> tuple[float, float, float]:
    return sample.median, sample.low, sample.high


def _difference(more: Sample, less: Sample, work: float) -> Sample:
    """Return the cost of one unit of the work by which two runs differ."""
    middle, low, high = (
        max(0.0, value) / work
        for value in (more.median - less.median, more.low - less.high, more.high - less.low)
    )
    return Sample(middle, low, high, more.count)


def one_core(visits: int, messages: int, row: int, n_steps: int) -> tuple[Plan, Activity]:
    """Return a core beside a port that visits neurons in every step; `messages` of them fire and
    send `row` (-1: nothing).
    """
    plan = replace(
        noc_plan(1, 1, buffer=8),
        local_ports=2,
        n_cores=1,
        endpoint_router=np.zeros(2, np.int32),
        barrier_cycles=1,
        endpoint_local=np.array([4, 5], np.int32),
        spike_queue=64,
        output_queue=64,
        reload_cycles=np.zeros(1, np.int64),
    )
    position = np.linspace(0, visits - 1, messages).astype(np.int32)
    activity = replace(
        trace_activity(plan, [(0, 1, 1, 1)]),
        work_start=np.arange(n_steps + 1),
        work_core=np.zeros(n_steps, np.int32),
        work_visits=np.full(n_steps, visits),
        work_message=np.arange(n_steps + 1) * messages,
        message_position=np.tile(position, n_steps),
        message_row=np.full(n_steps * messages, row, np.int32),
        inject_start=np.zeros(n_steps + 1, np.int64),
        inject_port=np.zeros(0, np.int32),
        inject_offset=np.zeros(0, np.int64),
        inject_row=np.zeros(0, np.int32),
    )
    return plan, activity


def _core(settings: Settings) -> list[Figure]:
    """What a step, a visit, a spike and a spike that is sent cost."""
    n_steps, visits, spikes = 100 if settings.is_quick else 2000, 1000, 100
    kinds = ((1, 0, -1), (visits, 0, -1), (visits, spikes, -1), (visits, spikes, 0))
    step, silent, firing, sending = (
        engine_time(*one_core(*kind, n_steps), settings.repeat)[0] for kind in kinds
    )
    show = partial(Figure, unit="ns", is_lower_better=True)
    return [
        show("cost of a step of one core", step.scaled(1e9 / n_steps)),
        show(
            "cost of a silent neuron's visit",
            _difference(silent, step, n_steps * visits).scaled(1e9),
        ),
        show(
            "cost of a spike that is not sent",
            _difference(firing, silent, n_steps * spikes).scaled(1e9),
        ),
        show(
            "cost of a spike sent through one router and received",
            _difference(sending, firing, n_steps * spikes).scaled(1e9),
        ),
    ]


def _neurons(settings: Settings) -> Figure:
    """What the arithmetic of a neuron costs in a timestep without input: of many timesteps, less a
    run of few.
    """
    from simulator.behaviour import raster
    from simulator.describe.workload import Workload

    n, few, many = 1 << 14, 10, 20 if settings.is_quick else 1000
    with TemporaryDirectory() as folder:
        workload = Workload.load(networks.leaking(Path(folder), n, many).path)

    def taking(timesteps: int) -> Sample:
        run = partial(raster.run, workload.network, workload.stimulus, "snn", timesteps)
        run()
        return measure.repeated(run, settings.repeat)

    seconds = _difference(taking(many), taking(few), n * (many - few))
    return Figure(
        "cost of a neuron's arithmetic in a timestep", seconds.scaled(1e9), "ns", 3.0, True
    )


def memory(settings: Settings) -> list[Figure]:
    """Peak memory per synapse, from loading to the last spike: the difference of two sizes, each in
    a process of its own.
    """
    figures = []
    small, large = (8, 40) if settings.is_quick else (32, 160)
    for kind, target in (("dense", 2.0), ("sparse", 5.0)):
        peaks, synapses = [], []
        for size in (small, large):
            with TemporaryDirectory() as folder:
                if kind == "dense":
                    networks.deep(Path(folder), size, 1024, 64, 50, 2, settings.seed)
                    synapses.append((size - 1) << 20)
                else:
                    networks.sparse(Path(folder), 8192, 128 * size, 2, settings.seed)
                    synapses.append(8192 * 128 * size)
                answer = measure.fresh("benchmarks.growth:compute", path=f"{folder}/workload.yaml")
            peaks.append(answer["peak_memory"])
        each = max(1, peaks[1] - peaks[0]) / (synapses[1] - synapses[0])
        name = f"peak memory of a {'dense' if kind == 'dense' else 'packed sparse'} int8 synapse"
        figures.append(Figure(name, Sample(each, each, each, 1), "B", target, True, (PEER_MEMORY,)))
    return figures


def compute(path: str) -> dict[str, int]:
    """Load a workload, find what each source reaches on 64 slices of each layer, and run its
    arithmetic.
    """
    from simulator.behaviour import raster
    from simulator.describe.workload import Workload
    from simulator.mapping import fan_out

    workload = Workload.load(path)
    for projection in workload.network.projections:
        n = workload.network.populations[projection.target].n_neurons
        fan_out.targets(projection, np.arange(n) * 64 // n, 64)
    result = raster.run(workload.network, workload.stimulus, "snn", workload.timesteps)
    return {"spikes": sum(len(trace.neuron) for trace in result.traces)}
