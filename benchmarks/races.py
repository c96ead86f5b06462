"""The whole simulator against its targets and its peers, one function for each group of figures."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import simpy

from benchmarks import booksim_peer, measure, networks, recurrent, sanafe_peer, traffic
from benchmarks.figures import Figure, Peer, Sample
from simulator.mapping.plan import Activity, Plan
from simulator.mapping.traffic import noc_plan, trace_activity
from simulator.timing.record import COUNTER, Record

#: what peers did where they could be measured, the best of it; shown where they are not measured in
#: this run
BOOKSIM_RECORDED = 0.45e6
RECORDED = {"lif": 254.0, "random": 10e3, "gesture": 38.0}
#: the axon tables of the published chip cannot hold a convolution whose slices are whole channels
GESTURE_CHIP = ("core.memory.axons=128 KiB",)
LIF_PERIODS = {1: 100, 5: 20, 10: 10, 20: 5}


@dataclass(frozen=True)
class Settings:
    """How a run of the benchmarks is asked for."""

    is_quick: bool = False
    seed: int = 1
    repeat: int = 5
    booksim: str | None = None
    gesture: str | None = None


def engine_time(plan: Plan, activity: Activity, repeat: int) -> tuple[Sample, Record]:
    """Return the processor seconds of the compiled engine alone, with its arrays built before, and
    what it counted.
    """
    from simulator.timing.engine.fabric import Fabric

    seconds = []
    for _ in range(repeat + 1):
        environment = simpy.Environment()
        fabric = Fabric(environment, plan, activity)
        began = time.process_time()
        environment.run(until=fabric.done)
        seconds.append(time.process_time() - began)
    return Sample.of(seconds[1:]), fabric.record()  # the first run loads or compiles the kernels


def packets_sent(record: Record) -> int:
    """Return the packets of a run."""
    return int(record.counters[:, COUNTER["packets_sent"]].sum())


def noc(settings: Settings) -> list[Figure]:
    """Bare meshes: flit-hops per second for three patterns on three sizes."""
    wanted = 100_000 if settings.is_quick else 2_000_000
    figures = []
    for side in (8, 16, 32):
        for pattern, rates in (
            ("uniform", (0.02, 0.05, 0.1, 0.2)),
            ("transpose", (0.05,)),
            ("bursty", (0.05,)),
        ):
            rates = rates if side < 32 else (0.02, 0.05)[: len(rates)]
            figures += [_mesh(settings, side, pattern, rate, wanted) for rate in rates]
    return figures


def _mesh(settings: Settings, side: int, pattern: str, rate: float, wanted: int) -> Figure:
    cycles = max(1, int(wanted / (rate * side * side * (2 * side / 3 + 1))))
    packets = traffic.trace(pattern, side, rate, cycles, settings.seed)
    hops = traffic.flit_hops(packets, side)
    plan = noc_plan(side, side, virtual_channels=1, buffer=8)
    seconds, _ = engine_time(plan, trace_activity(plan, packets), settings.repeat)
    peer = (
        Peer(booksim_peer.NAME, BOOKSIM_RECORDED, recorded=True)
        if settings.booksim is None
        else booksim_peer.race(settings.booksim, side, pattern, rate, cycles, settings.seed)
    )
    is_target = pattern == "uniform" and side < 32
    return Figure(
        f"flit-hops, {side}x{side} {pattern}, {rate:g} flits/node/cycle",
        seconds.rate(hops),
        "flit-hops/s",
        target=10e6 if is_target else None,
        least_ratio=20.0 if is_target else None,
        peers=(peer,),
        facts={"packets": len(packets), "flit_hops": hops},
    )


def lif(settings: Settings) -> list[Figure]:
    """512-256 neurons on 32 cores: the whole pipeline from arithmetic to joules."""
    timesteps = 50 if settings.is_quick else 1000
    figures = []
    for percent, period in LIF_PERIODS.items():
        with TemporaryDirectory() as folder:
            written = networks.lif(Path(folder), period, timesteps, settings.seed)
            seconds, facts = _whole_run(written, (), settings.repeat)
        common = {"period": period, "timesteps": min(timesteps, 200), "seed": settings.seed}
        peers = _peers(settings, "lif", RECORDED["lif"] if percent == 10 else None, common)
        target = 2500.0 if percent == 10 else None
        figures.append(
            Figure(
                f"512-256 LIF on 32 cores, {percent} % firing",
                seconds.rate(timesteps),
                "steps/s",
                target,
                peers=peers,
                note=_note(facts, timesteps),
                facts=facts,
            )
        )
    return figures


def _whole_run(
    written: networks.Written, changes: tuple[str, ...], repeat: int
) -> tuple[Sample, dict[str, Any]]:
    """Return the processor seconds of `simulation.run`, and what the run did."""
    from simulator.describe.chip import Chip
    from simulator.describe.workload import Workload
    from simulator.study.simulation import run

    workload, chip = Workload.load(written.path), Chip.load("loihi1", changes)
    result = run(workload, chip, "snn")
    gc.collect()
    seconds = measure.repeated(lambda: run(workload, chip, "snn"), repeat)
    spikes = sum(len(trace.neuron) for trace in result.raster.traces)
    hops = int(result.record.counters[:, COUNTER["router_traversals"]].sum())
    facts = {
        "spikes": spikes,
        "packets": packets_sent(result.record),
        "flit_hops": hops,
        "cycles": result.record.cycles,
    }
    return seconds, facts


def _note(facts: dict[str, Any], timesteps: int) -> str:
    per_step = ", ".join(
        f"{facts[name] / timesteps:.0f} {name.replace('_', '-')}"
        for name in ("spikes", "packets", "flit_hops")
    )
    return f"per timestep: {per_step}"


def _peers(
    settings: Settings,
    name: str,
    recorded: float | None,
    arguments: dict[str, Any],
    per: str = "timesteps",
) -> tuple[Peer, ...]:
    """Return the rates of the peer's two timing models on the same work, in `per` a second;
    recorded where they cannot be had.
    """
    if not sanafe_peer.is_installed():
        return (
            ()
            if recorded is None
            else (Peer(f"{sanafe_peer.NAME} detailed", recorded, recorded=True),)
        )
    found = []
    for model in ("detailed",) if settings.is_quick or name != "lif" else ("detailed", "cycle"):
        few = (
            {"timesteps": 3, "repeat": 1}
            if model == "cycle"
            else {"repeat": min(3, settings.repeat)}
        )
        peer = f"{sanafe_peer.NAME} {model}"
        try:
            answer = measure.fresh(
                f"benchmarks.sanafe_peer:{name}", model=model, **(arguments | few)
            )
        except measure.Failed as failure:
            found.append(Peer.failed(peer, failure.said))
        else:
            found.append(Peer(peer, Sample.of(answer["seconds"]).rate(answer[per]).median))
    return tuple(found)


def random_targets(settings: Settings) -> list[Figure]:
    """32,768 neurons with 16 random targets each, 1 % firing, on 128 and 1024 cores."""
    timesteps = 5 if settings.is_quick else 100
    figures = []
    for cores in recurrent.MESH:
        drawn = recurrent.draw(cores, settings.seed)
        plan = recurrent.plan(drawn)
        built = measure.repeated(partial(recurrent.activity, drawn, timesteps), 1).median
        seconds, record = engine_time(plan, recurrent.activity(drawn, timesteps), settings.repeat)
        messages = packets_sent(record)
        common = {"cores": cores, "timesteps": min(timesteps, 20), "seed": settings.seed}
        peers = _peers(
            settings,
            "random_targets",
            RECORDED["random"] if cores == 1024 else None,
            common,
            per="packets",
        )
        figures.append(
            Figure(
                f"32k neurons, random targets, {cores} cores",
                seconds.rate(messages),
                "messages/s",
                target=1e6 if cores == 1024 else None,
                peers=peers,
                note=f"{messages / timesteps:.0f} messages per timestep; building the arrays once "
                f"took {built:.2f} s more",
                facts={"messages": messages, "timesteps": timesteps},
            )
        )
    return figures


def gesture(settings: Settings) -> list[Figure]:
    """A convolutional network of 3.56 M synapses on 49 cores: rate, loading and memory, each in a
    process of its own.
    """
    timesteps = 20 if settings.is_quick else 300
    arguments = {
        "timesteps": timesteps,
        "seed": settings.seed,
        "repeat": settings.repeat,
        "path": settings.gesture,
    }
    measure.fresh(
        "benchmarks.races:gesture_run", **(arguments | {"timesteps": 2, "repeat": 1})
    )  # compiles, if need be
    ours = measure.fresh("benchmarks.races:gesture_run", **arguments)
    rate, load, memory = _gesture_peers(settings, timesteps)
    one = partial(Sample, count=1)
    load_time, peak = ours["load_seconds"], ours["peak_memory"]
    return [
        Figure(
            "gesture network, 3.56 M synapses, 49 cores",
            Sample.of(ours["seconds"]).rate(timesteps),
            "steps/s",
            400.0,
            peers=(rate,),
            note=_note(ours, timesteps),
            facts=ours,
        ),
        Figure(
            "gesture network, loaded and mapped",
            one(load_time, load_time, load_time),
            "s",
            2.0,
            True,
            (load,),
        ),
        Figure(
            "gesture network, peak memory of the process",
            one(peak, peak, peak),
            "B",
            300e6,
            True,
            (memory,),
        ),
    ]


def _gesture_peers(settings: Settings, timesteps: int) -> tuple[Peer, Peer, Peer]:
    """Return the peer's rate, its loading time and its memory on the generated network."""
    name = f"{sanafe_peer.NAME} detailed"
    if not sanafe_peer.is_installed() or settings.gesture is not None:
        recorded = (RECORDED["gesture"], 25.0, 4.5e9)
        rate, load, memory = (Peer(name, value, recorded=True) for value in recorded)
        return rate, load, memory
    try:
        answer = measure.fresh(
            "benchmarks.sanafe_peer:gesture",
            timesteps=timesteps,
            seed=settings.seed,
            repeat=min(3, settings.repeat),
        )
    except measure.Failed as failure:
        return (Peer.failed(name, failure.said),) * 3
    return (
        Peer(name, Sample.of(answer["seconds"]).rate(timesteps).median),
        Peer(name, answer["load_seconds"]),
        Peer(name, answer["peak_memory"]),
    )


def gesture_run(timesteps: int, seed: int, repeat: int, path: str | None) -> dict[str, Any]:
    """Load and run the gesture-sized network in this process."""
    from simulator.describe.chip import Chip
    from simulator.describe.workload import Workload
    from simulator.mapping.machine import compile_plan
    from simulator.mapping.partition import partition

    with TemporaryDirectory() as folder:
        written = networks.gesture(Path(folder), timesteps, seed, path)
        began = time.process_time()
        chip = Chip.load("loihi1", GESTURE_CHIP)
        compile_plan(chip, partition(Workload.load(written.path), chip))
        load = time.process_time() - began
        seconds, facts = _whole_run(written, GESTURE_CHIP, repeat)
    rates = [seconds.low, seconds.median, seconds.high] if repeat > 1 else [seconds.median]
    return {"seconds": rates, "load_seconds": load, **facts}
