"""Measure the compiled engine: flit-hops per second under uniform traffic, and what each kind of event costs.

    python benchmarks/noc_rate.py [--seconds 1.0] [--repeat 3]

A flit-hop is one flit through one router.  Rates are the best of `repeat` runs, without building the chip's arrays.
"""

from __future__ import annotations

import argparse
import time

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


def main() -> None:
    """Print rates, then costs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hops", type=int, default=4_000_000, help="flit-hops per run, about")
    parser.add_argument("--repeat", type=int, default=3, help="runs of which the fastest counts")
    arguments = parser.parse_args()
    show_rates(arguments.repeat, arguments.hops)


if __name__ == "__main__":
    main()
