"""Measure the compiled engine: flit-hops per second under uniform traffic, and what each kind of event costs.

    python benchmarks/noc_rate.py [--hops 4000000] [--repeat 3]

A flit-hop is one flit through one router.  Processor time, the best of `repeat` runs, without building the chip's arrays.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np
import simpy

from simulator.mapping.plan import Activity, Plan
from simulator.mapping.traffic import noc_plan, trace_activity
from simulator.timing.engine.fabric import Fabric
from simulator.timing.record import COUNTER, Record


def uniform_trace(side: int, rate: float, cycles: int, seed: int = 1) -> np.ndarray:
    """Return single-flit packets (cycle, source, destination, flits): each node injects with `rate` to a uniform other."""
    rng = np.random.default_rng(seed)
    n_nodes = side * side
    cycle, source = np.nonzero(rng.random((cycles, n_nodes)) < rate)
    destination = (source + rng.integers(1, n_nodes, len(source))) % n_nodes
    return np.stack([cycle, source, destination, np.ones(len(source), np.int64)], axis=1)


def timed(plan: Plan, activity: Activity, repeat: int) -> tuple[float, Record]:
    """Return the shortest processor time of `repeat` runs in seconds, and the record."""
    best = float("inf")
    for _ in range(repeat):
        environment = simpy.Environment()
        fabric = Fabric(environment, plan, activity)
        started = time.process_time()
        environment.run(until=fabric.done)
        best = min(best, time.process_time() - started)
    return best, fabric.record()


def flit_hops(record: Record) -> int:
    """Return how many flits went through how many routers."""
    return int(record.counters[:, COUNTER["router_traversals"]].sum())


def show_rates(repeat: int, hops: int) -> None:
    """Print the rate of each mesh and load."""
    print("mesh    rate   packets   flit-hops  cycles/s  flit-hops/s  ns per flit-hop")
    for side in (8, 16):
        for rate in (0.02, 0.05, 0.1, 0.2):
            cycles = int(hops / (rate * side * side * (2 * side / 3 + 1)))
            plan = noc_plan(side, side, buffer=8)
            activity = trace_activity(plan, uniform_trace(side, rate, cycles))
            seconds, record = timed(plan, activity, repeat)
            n = flit_hops(record)
            packets = int(record.counters[:, COUNTER["packets_sent"]].sum())
            print(
                f"{side:2}x{side:<2}   {rate:4.2f}  {packets:8}  {n:10}  {record.cycles / seconds:8.3g}"
                f"  {n / seconds / 1e6:9.2f} M  {seconds / n * 1e9:8.1f}"
            )


def time_of(plan: Plan, activity: Activity, repeat: int) -> float:
    """Return the shortest processor time of a run in seconds."""
    return timed(plan, activity, repeat)[0]


def show_network_costs(repeat: int) -> None:
    """Print what a packet and each of its hops cost, from near and far traffic, and what an idle cycle costs."""
    plan, n = noc_plan(8, 8, buffer=8), 200_000
    number = np.arange(n)
    times, hops = [], []
    for distance in (1, 7):  # along each row, one packet in each of eight rows every four cycles
        trace = np.stack([number // 8 * 4, number % 8 * 8, number % 8 * 8 + distance, np.ones(n, np.int64)], axis=1)
        times.append(time_of(plan, trace_activity(plan, trace), repeat))
        hops.append(n * (distance + 1))
    per_hop = (times[1] - times[0]) / (hops[1] - hops[0])
    print(f"flit-hop     {per_hop * 1e9:8.1f} ns")
    print(f"packet       {(times[0] - hops[0] * per_hop) / n * 1e9:8.1f} ns   beside its hops")
    waits = [time_of(plan, trace_activity(plan, [(k * gap, 0, 9, 1) for k in range(10_000)]), repeat) for gap in (100, 10**9)]
    print(f"idle cycle   {(waits[1] - waits[0]) / 1e4 / 1e9 * 1e9:8.1g} ns")


def one_core(visits: int, messages: int, row: int, n_steps: int) -> tuple[Plan, Activity]:
    """Return a core beside a port that visits neurons in every step; `messages` of them fire and send `row` (-1: nothing)."""
    plan = replace(
        noc_plan(1, 1, buffer=8), local_ports=2, n_cores=1, endpoint_router=np.zeros(2, np.int32), barrier_cycles=1,
        endpoint_local=np.array([4, 5], np.int32), spike_queue=64, output_queue=64, reload_cycles=np.zeros(1, np.int64),
    )  # fmt: skip
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


def show_core_costs(repeat: int) -> None:
    """Print what a step, a visit, a spike and a spike that is sent cost."""
    n_steps, visits, spikes = 1000, 1000, 100
    step = time_of(*one_core(1, 0, -1, n_steps), repeat)
    silent = time_of(*one_core(visits, 0, -1, n_steps), repeat)
    firing = time_of(*one_core(visits, spikes, -1, n_steps), repeat)
    sending = time_of(*one_core(visits, spikes, 0, n_steps), repeat)
    print(f"step         {step / n_steps * 1e9:8.1f} ns   of a chip of one core")
    print(f"neuron visit {(silent - step) / n_steps / visits * 1e9:8.2g} ns   silent")
    print(f"spike        {(firing - silent) / n_steps / spikes * 1e9:8.1f} ns   without a row")
    print(f"spike        {(sending - silent) / n_steps / spikes * 1e9:8.1f} ns   sent through one router and received")


def main() -> None:
    """Print rates, then costs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hops", type=int, default=4_000_000, help="flit-hops per run, about")
    parser.add_argument("--repeat", type=int, default=3, help="runs of which the fastest counts")
    arguments = parser.parse_args()
    show_rates(arguments.repeat, arguments.hops)
    show_network_costs(arguments.repeat)
    show_core_costs(arguments.repeat)


if __name__ == "__main__":
    main()
