"""Latency against offered load: one point per rate, with the warm-up cut off and saturation found.

A point is a run of `cycles` cycles of traffic, then a quarter more that loads the network but is
not measured, then the drain.  Packets count by the cycle they were injected in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulator import memory
from simulator.errors import InputError
from simulator.mapping.plan import Plan
from simulator.study.noc import Latency, NocResult, run_trace
from simulator.study.synthetic import Traffic
from simulator.timing import COMPILED, EngineName

#: a run's cycles in this many batches; a warm-up is a whole number of them
BATCHES = 40
#: a network is saturated when in the last quarter of the cycles more than this times as many
#: packets are under way as in the second (and one a node more), or when less than this share of
#: what is offered arrives
GROWTH, ACCEPTED = 1.5, 0.95
LEAST_CYCLES = 400
#: measured packets below which a point says nothing
LEAST_PACKETS = 100
#: of a packet measured: two instants, once more where they are put together, and what is sorted
PACKET_BYTES = 96


@dataclass(frozen=True)
class LoadPoint:
    """What one offered load gives; loads and throughput in flits per node and cycle, latencies in
    cycles.
    """

    rate: float
    offered: float  # in the measured cycles, as drawn
    accepted: float  # flits of packets that arrived in the measured cycles
    warm_up: int  # cycles cut off
    packets: int  # measured
    latency: Latency
    is_saturated: bool
    result: NocResult

    @property
    def is_known(self) -> bool:
        """Whether enough packets were measured to tell saturated from steady."""
        return self.packets >= LEAST_PACKETS

    @property
    def state(self) -> str:
        """'saturated', 'steady' or 'too few packets'."""
        if not self.is_known:
            return "too few packets"
        return "saturated" if self.is_saturated else "steady"


def measure(
    plan: Plan,
    traffic: Traffic,
    cycles: int,
    *,
    engine: EngineName = COMPILED,
    progress: Callable[[int], object] | None = None,
) -> LoadPoint:
    """Run one offered load and return its point; the same traffic gives the same bits."""
    expected = round(traffic.rate / traffic.packet_size * traffic.n_nodes * 1.25 * cycles)
    memory.need(
        f"{expected:,} packets: {cycles:,} cycles at a rate of {traffic.rate:g} on "
        f"{traffic.n_nodes:,} nodes",
        PACKET_BYTES * expected,
    )
    kept: list[np.ndarray] = []

    def arrived(packets: np.ndarray) -> None:
        kept.append(np.stack([packets["inject_cycle"], packets["tail_arrive_cycle"]]))

    def windows() -> Iterator[np.ndarray]:
        for window in traffic.windows(cycles + cycles // 4):
            if progress is not None:
                progress(int(window[-1, 0]))
            yield window

    result = run_trace(plan, windows(), engine=engine, arrived=arrived)
    inject, arrive = np.concatenate([np.zeros((2, 0), np.int64), *kept], axis=1)
    is_saturated = _grows(inject, arrive, cycles, traffic.n_nodes)
    warm_up = warm_up_cycles(inject, arrive - inject, cycles)
    measured = (inject >= warm_up) & (inject < cycles)
    per_flit = traffic.packet_size / (traffic.n_nodes * (cycles - warm_up))
    offered = float(np.count_nonzero(measured) * per_flit)
    accepted = float(np.count_nonzero((arrive >= warm_up) & (arrive < cycles)) * per_flit)
    latency = Latency()
    latency.add((arrive - inject)[measured])
    is_saturated |= accepted < ACCEPTED * offered
    return LoadPoint(
        traffic.rate, offered, accepted, warm_up, latency.n, latency, is_saturated, result
    )


def warm_up_cycles(inject: np.ndarray, latency: np.ndarray, cycles: int) -> int:
    """Return the cycles to cut off, one batch to half of all: those that leave the least standard
    error of the rest.

    The marginal standard error rule over batch means (White, 1997).  The first batch always goes:
    the mesh began empty. Batches without packets count as the mean.
    """
    batch = np.minimum(inject * BATCHES // cycles, BATCHES)
    n = np.bincount(batch, minlength=BATCHES + 1)[:BATCHES]
    total = np.bincount(batch, latency, BATCHES + 1)[:BATCHES]
    mean = np.where(n > 0, total / np.maximum(n, 1), total.sum() / max(n.sum(), 1))
    error = [
        np.sum((mean[k:] - mean[k:].mean()) ** 2) / (BATCHES - k) ** 2
        for k in range(1, BATCHES // 2 + 1)
    ]
    return (1 + int(np.argmin(error))) * cycles // BATCHES


def _grows(inject: np.ndarray, arrive: np.ndarray, cycles: int, n_nodes: int) -> bool:
    """Return whether ever more packets are under way."""

    def under_way(first: int, end: int) -> float:
        return float(
            np.clip(np.minimum(arrive, end) - np.maximum(inject, first), 0, None).sum()
            / (end - first)
        )

    early, late = under_way(cycles // 4, cycles // 2), under_way(cycles - cycles // 4, cycles)
    return late > GROWTH * early + n_nodes


def curve(
    plan: Plan,
    traffic: Traffic,
    rates: Sequence[float],
    cycles: int,
    *,
    engine: EngineName = COMPILED,
    progress: Callable[[str, int, int], object] | None = None,
) -> list[LoadPoint]:
    """Return the points of all rates, in the order given."""
    if cycles < LEAST_CYCLES:
        raise InputError(
            f"cycles: must be at least {LEAST_CYCLES} to tell a warm-up from a steady state, not "
            f"{cycles}"
        )
    points = []
    for rate in rates:
        at_rate = replace(traffic, rate=rate)  # refuses a rate before anything runs
        show = (
            None
            if progress is None
            else (lambda done, rate=rate: progress(f"rate {rate:g}", done, cycles + cycles // 4))
        )
        points.append((at_rate, show))
    return [
        measure(plan, at_rate, cycles, engine=engine, progress=show) for at_rate, show in points
    ]


def verdict(points: Sequence[LoadPoint]) -> str:
    """Return one sentence: where the network saturates, and the most it accepted."""
    few = [point.rate for point in points if not point.is_known]
    if few:
        rates = ", ".join(f"{rate:g}" for rate in few)
        silent = f"fewer than {LEAST_PACKETS} packets measured at {rates}: nothing follows from it"
        known = [point for point in points if point.is_known]
        return f"{verdict(known)}; {silent}" if known else silent
    most = max(point.accepted for point in points)
    steady = [point.rate for point in points if not point.is_saturated]
    saturated = [point.rate for point in points if point.is_saturated]
    accepts = f"the most accepted is {most:.4f} flits/node/cycle"
    if not saturated:
        return f"not saturated up to {max(steady):g} flits/node/cycle; {accepts}"
    if not steady:
        return f"saturated from {min(saturated):g} flits/node/cycle on, the least tried; {accepts}"
    below = [rate for rate in steady if rate < min(saturated)]
    between = (
        f"between {max(below):g} and {min(saturated):g}"
        if below
        else f"at or below {min(saturated):g}"
    )
    return f"saturates {between} flits/node/cycle; {accepts}"
