"""Compares the same messages sent along XY trees and as unicasts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simulator.errors import InputError
from simulator.mapping.plan import Plan
from simulator.mapping.routes import table
from simulator.mapping.traffic import multicast_activity
from simulator.study.noc import Latency
from simulator.study.simulation import Progress
from simulator.study.synthetic import Traffic
from simulator.timing import COMPILED, EngineName, engine_named
from simulator.timing.record import PACKET_SHIFT, Record
from simulator.timing.watch import watched

#: how often a run is looked at while its traffic is offered
LOOKS = 200


@dataclass(frozen=True)
class Way:
    """What one way of sending the messages takes."""

    flit_hops: int  # flits over mesh links
    injected_flits: int
    busiest_link: int  # flits over the busiest link of the mesh
    latency: Latency  # of each message, from injection to the last copy's arrival
    cycles: int


@dataclass(frozen=True)
class Saving:
    """Both ways side by side."""

    messages: int
    destinations: int  # of each message
    tree: Way
    unicast: Way

    @property
    def flit_hops_saved(self) -> float:
        """The share of the unicasts' flit-hops that trees do without."""
        return 1 - self.tree.flit_hops / self.unicast.flit_hops if self.unicast.flit_hops else 0.0


def compare_with_unicasts(
    plan: Plan,
    traffic: Traffic,
    n_destinations: int,
    cycles: int,
    *,
    engine: EngineName = COMPILED,
    progress: Progress | None = None,
) -> Saving:
    """Send each packet the traffic offers to n_destinations nodes, drawn anew for each, both ways;
    rate counts messages.

    progress('trees' or 'unicasts', cycles done, cycles of traffic) is called now and then.
    """
    if traffic.packet_size != 1:
        raise InputError(f"packet-size: a multicast packet has one flit, not {traffic.packet_size}")
    if not np.array_equal(plan.allowed, table("xy")):
        raise InputError("routing: must be xy: multicast trees are unions of XY ways")
    packets = np.concatenate([np.zeros((0, 5), np.int64), *traffic.windows(cycles)])
    if not len(packets):
        raise InputError(
            f"rate: no message is offered in {cycles} cycles at {traffic.rate:g}: raise the rate "
            f"or the cycles"
        )
    groups = traffic.groups(packets, n_destinations)
    simulate = engine_named(engine)
    ways = []
    for name, packets_of_message in (("trees", 1), ("unicasts", n_destinations)):
        activity = multicast_activity(plan, packets, groups, as_trees=name == "trees")
        environment = None
        if progress is not None:
            look = _told(progress, name, cycles)
            environment = watched(look, max(1, cycles // LOOKS), cycles)
        record = simulate(plan, activity, events=True, environment=environment)
        ways.append(_way(record, packets_of_message))
    return Saving(len(packets), n_destinations, *ways)


def _told(progress: Progress, name: str, cycles: int) -> Callable[[int], None]:
    return lambda done: progress(name, done, cycles)


def _way(record: Record, packets_of_message: int) -> Way:
    """Read one run; a source's messages are its packets, so many at a time, in the order of their
    names.
    """
    packets = record.packets
    source, number = packets["packet"] >> PACKET_SHIFT, packets["packet"] & (1 << PACKET_SHIFT) - 1
    message = (
        source << PACKET_SHIFT
    ) + number // packets_of_message  # rising, as the packets are sorted
    first = np.flatnonzero(np.diff(message, prepend=-1))
    latency = Latency()
    latency.add(
        np.maximum.reduceat(packets["tail_arrive_cycle"], first) - packets["inject_cycle"][first]
    )
    mesh = record.link_flits[:, :4]
    sent = int(record.counters[:, 1].sum())
    return Way(int(mesh.sum()), sent, int(mesh.max()), latency, record.cycles + 1)
