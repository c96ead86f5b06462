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
from benchmarks.turns import Loaded, Standing, against, in_turn
from simulator.mapping.plan import Activity, Plan
from simulator.mapping.traffic import noc_plan, trace_activity
from simulator.timing.record import COUNTER, Record

#: what peers did where they could be measured, the best of it; shown where they are not measured in
#: this run
BOOKSIM_RECORDED = 0.45e6
#: it takes some ten seconds for each run
BOOKSIM_ROUNDS = 2
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
            some = rates if side < 32 else (0.02, 0.05)[: len(rates)]
            figures += [_mesh(settings, side, pattern, rate, wanted) for rate in some]
    return figures


def _mesh(settings: Settings, side: int, pattern: str, rate: float, wanted: int) -> Figure:
    cycles = max(1, int(wanted / (rate * side * side * (2 * side / 3 + 1))))
    packets = traffic.trace(pattern, side, rate, cycles, settings.seed)
    hops = traffic.flit_hops(packets, side)
    plan = noc_plan(side, side, virtual_channels=1, buffer=8)
    activity = trace_activity(plan, packets)
    seconds, _ = engine_time(plan, activity, settings.repeat)
    peer = Peer(booksim_peer.NAME, BOOKSIM_RECORDED, recorded=True)
    if settings.booksim is not None:
        binary = settings.booksim

        def ours() -> float:
            return engine_time(plan, activity, 1)[0].median / hops

        def theirs() -> float:
            return 1 / booksim_peer.rate(binary, side, pattern, rate, cycles, settings.seed)

        try:
            peer = in_turn(ours, theirs, min(BOOKSIM_ROUNDS, settings.repeat)).peer(peer.name)
        except measure.Failed as failure:
            peer = Peer.failed(peer.name, failure.said)
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
    """512-256 neurons on 32 cores: from arithmetic to joules, what is loaded and mapped once."""
    timesteps = 50 if settings.is_quick else 1000
    figures = []
    for percent, period in LIF_PERIODS.items():
        common = {"period": period, "seed": settings.seed}
        with Standing("benchmarks.races:load_lif", common | {"timesteps": timesteps}) as ours:
            seconds, peers = raced(
                ours,
                settings,
                "lif",
                RECORDED["lif"] if percent == 10 else None,
                common | {"timesteps": min(timesteps, 200)},
                ("detailed",) if settings.is_quick else ("detailed", "cycle"),
            )
            figures.append(
                Figure(
                    f"512-256 LIF on 32 cores, {percent} % firing",
                    seconds.rate(1),
                    "steps/s",
                    2500.0 if percent == 10 else None,
                    peers=peers,
                    least_ratio=5.0 if sanafe_peer.is_installed() else None,
                    note=_note(ours.last, timesteps),
                    facts=ours.last,
                )
            )
    return figures


def load_lif(period: int, timesteps: int, seed: int) -> Loaded:
    """Load and map the LIF network; the work is timesteps."""
    with TemporaryDirectory() as folder:
        return _load(networks.lif(Path(folder), period, timesteps, seed), ())


def _load(written: networks.Written, changes: tuple[str, ...]) -> Loaded:
    """Load and map a network, and run it once, so that kernels are there."""
    from simulator.describe.chip import Chip
    from simulator.describe.workload import Workload
    from simulator.study.pipeline import compute, prepare

    began = time.process_time()
    workload = Workload.load(written.path)
    prepared = prepare(workload, Chip.load("loihi1", changes))
    load = time.process_time() - began

    def run() -> tuple[float, dict[str, Any]]:
        computed = compute(workload, "snn")
        executed = prepared.schedule(computed).execute()
        record = executed.record
        return written.timesteps, {
            "joules": executed.ledger.total,
            "spikes": sum(len(trace.neuron) for trace in computed.raster.traces),
            "packets": packets_sent(record),
            "flit_hops": int(record.counters[:, COUNTER["router_traversals"]].sum()),
            "cycles": record.cycles,
        }

    run()
    gc.collect()
    return Loaded({"load_seconds": load}, run)


def _note(facts: dict[str, Any], timesteps: int) -> str:
    per_step = ", ".join(
        f"{facts[name] / timesteps:.0f} {name.replace('_', '-')}"
        for name in ("spikes", "packets", "flit_hops")
    )
    return f"per timestep: {per_step}"


def raced(
    ours: Standing,
    settings: Settings,
    name: str,
    recorded: float | None,
    arguments: dict[str, Any],
    models: tuple[str, ...] = ("detailed",),
) -> tuple[Sample, tuple[Peer, ...]]:
    """Return our seconds for a unit of work and the peer's timing models in turn with us on the
    same work; recorded where the peer cannot be had.  A slow model has one round.
    """
    peer = f"{sanafe_peer.NAME} "
    if not sanafe_peer.is_installed():
        seconds = Sample.of([ours.seconds() for _ in range(2 * settings.repeat)])
        known = () if recorded is None else (Peer(peer + "detailed", recorded, recorded=True),)
        return seconds, known
    found = []
    for model in models:
        few = {"timesteps": 3} if model == "cycle" else {}
        rounds = 1 if model == "cycle" else settings.repeat
        asked = arguments | few | {"model": model}
        function = f"benchmarks.sanafe_peer:{name}"
        found.append(against(ours.seconds, peer + model, function, asked, rounds))
    measured = [raced.ours for raced in found if raced.ours is not None]
    seconds = measured[0] if measured else Sample.of([ours.seconds()])
    return seconds, tuple(raced.peer for raced in found)


def random_targets(settings: Settings) -> list[Figure]:
    """32,768 neurons with 16 random targets each, 1 % firing, on 128 and 1024 cores."""
    timesteps = 5 if settings.is_quick else 100
    figures = []
    for cores in recurrent.MESH:
        common = {"cores": cores, "seed": settings.seed}
        with Standing("benchmarks.races:load_random", common | {"timesteps": timesteps}) as ours:
            seconds, peers = raced(
                ours,
                settings,
                "random_targets",
                RECORDED["random"] if cores == 1024 else None,
                common | {"timesteps": min(timesteps, 20)},
            )
            messages = ours.last["work"]
            figures.append(
                Figure(
                    f"32k neurons, random targets, {cores} cores",
                    seconds.rate(1),
                    "messages/s",
                    target=1e6 if cores == 1024 else None,
                    peers=peers,
                    note=f"{messages / timesteps:.0f} messages per timestep; building the arrays "
                    f"once took {ours.facts['load_seconds']:.2f} s more",
                    facts={"messages": messages, "timesteps": timesteps},
                )
            )
    return figures


def load_random(cores: int, timesteps: int, seed: int) -> Loaded:
    """Build the arrays of the neurons with random targets; what runs is the engine alone, and the
    work is messages.
    """
    drawn = recurrent.draw(cores, seed)
    plan = recurrent.plan(drawn)
    began = time.process_time()
    activity = recurrent.activity(drawn, timesteps)
    load = time.process_time() - began
    waiting: list[Any] = []

    def reset() -> None:
        from simulator.timing.engine.fabric import Fabric

        environment = simpy.Environment()
        waiting[:] = [environment, Fabric(environment, plan, activity)]

    def run() -> tuple[float, dict[str, Any]]:
        environment, fabric = waiting
        environment.run(until=fabric.done)
        return packets_sent(fabric.record()), {}

    reset()
    run()
    return Loaded({"load_seconds": load}, run, reset)


def gesture(settings: Settings) -> list[Figure]:
    """A convolutional network of 3.56 M synapses on 49 cores: rate, loading and memory, each in a
    process of its own.
    """
    timesteps = 20 if settings.is_quick else 300
    common = {"timesteps": timesteps, "seed": settings.seed}
    is_raced = sanafe_peer.is_installed() and settings.gesture is None
    name, one = f"{sanafe_peer.NAME} detailed", partial(Sample, count=1)
    with Standing("benchmarks.races:load_gesture", common | {"path": settings.gesture}) as ours:
        if is_raced:
            function = "benchmarks.sanafe_peer:gesture"
            other = against(ours.seconds, name, function, common, settings.repeat)
            seconds = other.ours or Sample.of([ours.seconds()])
            theirs = other.peer, other.peer, other.peer
            if other.ours is not None:
                loaded, held = other.facts["load_seconds"], other.last["peak_memory"]
                theirs = other.peer, Peer(name, loaded), Peer(name, held)
        else:
            recorded = (RECORDED["gesture"], 25.0, 4.5e9)
            first, second, third = (Peer(name, value, recorded=True) for value in recorded)
            theirs = first, second, third
            seconds = Sample.of([ours.seconds() for _ in range(2 * settings.repeat)])
        load, peak = ours.facts["load_seconds"], ours.last["peak_memory"]
        return [
            Figure(
                "gesture network, 3.56 M synapses, 49 cores",
                seconds.rate(1),
                "steps/s",
                400.0,
                peers=(theirs[0],),
                least_ratio=12.0 if is_raced else None,
                note=_note(ours.last, timesteps),
                facts=ours.last,
            ),
            Figure(
                "gesture network, loaded and mapped",
                one(load, load, load),
                "s",
                2.0,
                True,
                (theirs[1],),
            ),
            Figure(
                "gesture network, peak memory of the process",
                one(peak, peak, peak),
                "B",
                300e6,
                True,
                (theirs[2],),
            ),
        ]


def load_gesture(timesteps: int, seed: int, path: str | None) -> Loaded:
    """Load and map the gesture-sized network; the work is timesteps."""
    with TemporaryDirectory() as folder:
        return _load(networks.gesture(Path(folder), timesteps, seed, path), GESTURE_CHIP)
