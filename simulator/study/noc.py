"""The network alone: run a trace of packets, number what happens as its file does, and say what
links and buffers saw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simulator.errors import InputError
from simulator.mapping.plan import CANONICAL, LOCAL, LOOKAHEAD, Plan
from simulator.mapping.routes import ROUTING
from simulator.mapping.traffic import noc_plan, trace_activity
from simulator.timing import COMPILED, EngineName, engine_named
from simulator.timing.record import PACKET_SHIFT, Record

PIPELINE = {"lookahead": LOOKAHEAD, "canonical": CANONICAL}
PORT_NAMES = ("east", "west", "north", "south", "local")
PACKET_COLUMNS = (
    "pid",
    "inject_cycle",
    "src",
    "dst",
    "size",
    "head_entry_cycle",
    "head_arrive_cycle",
    "tail_arrive_cycle",
    "hops",
)
GRANT_COLUMNS = ("cycle", "router", "in_port", "in_vc", "out_port", "out_vc", "pid", "flit")
#: the columns of a Record's packets behind the pid
_RECORDED = (
    "inject_cycle",
    "source",
    "destination",
    "size",
    "head_entry_cycle",
    "head_arrive_cycle",
    "tail_arrive_cycle",
    "hops",
)
MOST_NODES = 1 << 20

#: takes rows of integers
WriteRows = Callable[[np.ndarray], object]


def mesh(
    width: int, height: int, *, class_vcs: tuple[int, int] | None = None, **choices: Any
) -> Plan:
    """Return the Plan of a bare mesh; class_vcs: how many VCs each traffic class has for itself,
    else both use all of them.

    Other choices are those of `noc_plan`.  Raises InputError for a network that cannot be built.
    """
    vcs = choices.get("virtual_channels", 1)
    limits = [
        ("mesh: width", width, 1, 1024),
        ("mesh: height", height, 1, 1024),
        ("nodes", width * height, 1, MOST_NODES),
        ("vcs", vcs, 1, 8),
        ("buffer", choices.get("buffer", 8), 1, 64),
        *(("link-latency", int(n), 1, 1 << 16) for n in choices.get("link_latency", ())),
        *(("flit-interval", int(n), 1, 1 << 16) for n in choices.get("link_interval", ())),
    ]
    for name, value, least, most in limits:
        if not least <= value <= most:
            raise InputError(f"{name}: must be {least} to {most}, not {value}")
    routing = choices.get("routing", "xy")
    if routing not in ROUTING:
        raise InputError(f"routing: must be one of {', '.join(ROUTING)}, not {routing!r}")
    if class_vcs is not None:
        if min(class_vcs) < 1 or sum(class_vcs) != vcs:
            raise InputError(
                f"class-vcs: must be two numbers, each at least 1, that add up to the {vcs} VCs, "
                f"not {class_vcs}"
            )
        choices["class_first"] = np.array([0, class_vcs[0]], np.int64)
        choices["class_channels"] = np.array(class_vcs, np.int64)
    return noc_plan(width, height, **choices)


@dataclass
class Latency:
    """How many packets took how many cycles, exactly; it grows with the number of different
    latencies alone.
    """

    cycles: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))  # rising
    packets: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def add(self, cycles: np.ndarray) -> None:
        """Count the latencies of more packets."""
        new, counts = np.unique(cycles, return_counts=True)
        self.cycles, place = np.unique(np.concatenate([self.cycles, new]), return_inverse=True)
        self.packets = np.bincount(
            place, np.concatenate([self.packets, counts]), len(self.cycles)
        ).astype(np.int64)

    @property
    def n(self) -> int:
        """Packets counted."""
        return int(self.packets.sum())

    @property
    def mean(self) -> float:
        """Mean in cycles, NaN of nothing."""
        return float(self.cycles @ self.packets / self.n) if self.n else float("nan")

    def quantile(self, share: float) -> int:
        """Return the least latency that at least this share of the packets does not exceed."""
        if not self.n:
            raise InputError("latency: no packets, no quantile")
        reached = int(np.searchsorted(np.cumsum(self.packets), np.ceil(share * self.n)))
        return int(self.cycles[min(reached, len(self.cycles) - 1)])


class Numbering:
    """From a packet's name in a Record back to its place in the trace; only packets under way are
    remembered.
    """

    def __init__(self, plan: Plan) -> None:
        """Nothing is under way."""
        self.n_packets = 0
        self.n_flits = 0
        self.sent = np.zeros(plan.n_endpoints, np.int64)
        self.name = np.zeros(0, np.int64)  # rising
        self.pid = np.zeros(0, np.int64)
        self.first_flit = np.zeros(0, np.int64)

    def begin(self, window: np.ndarray) -> None:
        """Number the next packets of the trace; a name is source << PACKET_SHIFT plus how many came
        before it there.
        """
        source, n = window[:, 1], len(window)
        order = np.argsort(source, kind="stable")
        n_of_source = np.bincount(source, minlength=len(self.sent))
        rank = np.arange(n) - np.repeat(np.cumsum(n_of_source) - n_of_source, n_of_source)
        name = (source[order] << PACKET_SHIFT) + self.sent[source[order]] + rank
        first_flit = self.n_flits + np.cumsum(window[:, 3]) - window[:, 3]
        everything = np.concatenate([self.name, name])
        rising = np.argsort(everything, kind="stable")
        self.name = everything[rising]
        self.pid = np.concatenate([self.pid, self.n_packets + order])[rising]
        self.first_flit = np.concatenate([self.first_flit, first_flit[order]])[rising]
        self.sent += n_of_source
        self.n_packets += n
        self.n_flits += int(window[:, 3].sum())

    def packet_rows(self, packets: np.ndarray) -> np.ndarray:
        """Return PACKET_COLUMNS of a Record's packets."""
        pid = self.pid[np.searchsorted(self.name, packets["packet"])]
        return np.stack([pid, *(packets[name].astype(np.int64) for name in _RECORDED)], axis=1)

    def grant_rows(self, grants: np.ndarray) -> np.ndarray:
        """Return GRANT_COLUMNS of a Record's grants, by cycle, router and input; flits are numbered
        through the trace.
        """
        place = np.searchsorted(self.name, grants["packet"])
        flit = self.first_flit[place] + grants["flit"]
        columns = [grants[name].astype(np.int64) for name in GRANT_COLUMNS[:6]]
        order = np.lexsort((grants["in_port"], grants["router"], grants["cycle"]))
        return np.stack([*columns, self.pid[place], flit], axis=1)[order]

    def end(self, packets: np.ndarray) -> None:
        """Forget packets that arrived."""
        stays = np.ones(len(self.name), bool)
        stays[np.searchsorted(self.name, packets["packet"])] = False
        self.name, self.pid, self.first_flit = (
            self.name[stays],
            self.pid[stays],
            self.first_flit[stays],
        )


class InOrder:
    """Passes packets on in the order of the trace: one that arrived waits for those before it."""

    def __init__(self, write: WriteRows) -> None:
        """Nothing has arrived yet."""
        self.write = write
        self.n_written = 0
        self.waiting = np.zeros((0, len(PACKET_COLUMNS)), np.int64)

    def add(self, rows: np.ndarray) -> None:
        """Take rows of PACKET_COLUMNS and write those nobody is missing before."""
        rows = np.concatenate([self.waiting, rows])
        rows = rows[np.argsort(rows[:, 0])]
        ready = int(np.count_nonzero(rows[:, 0] == self.n_written + np.arange(len(rows))))
        self.write(rows[:ready])
        self.n_written += ready
        self.waiting = rows[ready:]


@dataclass(frozen=True)
class NocResult:
    """What a trace did to a network."""

    plan: Plan
    record: Record  # without event logs
    packets: int
    flits: int
    latency: tuple[
        Latency, Latency
    ]  # by traffic class, from joining the source queue to the tail's arrival
    network_latency: Latency  # from leaving the source queue

    @property
    def cycles(self) -> int:
        """From cycle 0 to the last arrival, both included."""
        return self.record.cycles + 1 if self.packets else 0

    @property
    def all_latency(self) -> Latency:
        """Latency over both classes."""
        both = Latency()
        for part in self.latency:
            both.add(np.repeat(part.cycles, part.packets))
        return both

    @property
    def flit_hops(self) -> int:
        """Flits over mesh links."""
        return int(self.record.link_flits[:, :4].sum())

    @property
    def link_exists(self) -> np.ndarray:
        """Which outputs lead anywhere, (n_routers, ports) bool."""
        number = np.arange(self.plan.n_routers)
        x, y = number % self.plan.width, number // self.plan.width
        local = np.ones(self.plan.n_routers, bool)
        return np.stack(
            [x < self.plan.width - 1, x > 0, y < self.plan.height - 1, y > 0, local], axis=1
        )

    @property
    def link_utilisation(self) -> np.ndarray:
        """Share of the run's cycles in which an output is taken: flits x interval / cycles,
        (n_routers, ports).
        """
        interval = np.append(np.repeat(self.plan.link_interval, 2), 1)
        return self.record.link_flits * interval / max(self.cycles, 1)

    @property
    def buffer_utilisation(self) -> np.ndarray:
        """Mean share of a router's input buffers that holds flits, (n_routers,)."""
        places = self.link_exists.sum(axis=1) * self.plan.virtual_channels * self.plan.buffer
        return self.record.router_flit_cycles / (places * max(self.cycles, 1))

    @property
    def busiest(self) -> tuple[int, int]:
        """The router and output that passed most of what it can, the first among equals."""
        router, port = np.unravel_index(
            np.argmax(self.link_utilisation), self.link_utilisation.shape
        )
        return int(router), int(port)


def run_trace(
    plan: Plan,
    windows: Iterable[np.ndarray],
    *,
    engine: EngineName = COMPILED,
    write_packets: WriteRows | None = None,
    write_grants: WriteRows | None = None,
    arrived: Callable[[np.ndarray], object] | None = None,
    progress: Callable[[int], object] | None = None,
) -> NocResult:
    """Run the packets of all windows, (n, 5) int64 of (cycle, source, destination, flits, class),
    cycles never falling.

    write_packets: rows of PACKET_COLUMNS in the order of the trace.  write_grants: rows of
    GRANT_COLUMNS by cycle, router, input.  arrived: a Record's packets as they arrive.  progress:
    flits that arrived so far.  The compiled engine holds what is under way and one window; the
    reference engine holds everything.
    """
    numbering = Numbering(plan)
    in_order = InOrder(write_packets) if write_packets is not None else None
    latency, network_latency = (Latency(), Latency()), Latency()

    def numbered() -> Iterable[np.ndarray]:
        for window in windows:
            numbering.begin(window)
            yield window

    n_flits = 0  # that have left the network

    def receive(grants: np.ndarray, packets: np.ndarray) -> None:
        nonlocal n_flits
        n_flits += int(np.count_nonzero(grants["out_port"] >= LOCAL))
        if write_grants is not None and len(grants):
            write_grants(numbering.grant_rows(grants))
        if in_order is not None:
            in_order.add(numbering.packet_rows(packets))
        for traffic_class in range(2):
            of_class = packets[packets["traffic_class"] == traffic_class]
            latency[traffic_class].add(of_class["tail_arrive_cycle"] - of_class["inject_cycle"])
        network_latency.add(packets["tail_arrive_cycle"] - packets["head_entry_cycle"])
        if arrived is not None:
            arrived(packets)
        numbering.end(packets)
        if progress is not None:
            progress(n_flits)

    record = _run(plan, numbered(), receive, engine)
    return NocResult(plan, record, numbering.n_packets, numbering.n_flits, latency, network_latency)


def _run(
    plan: Plan,
    windows: Iterable[np.ndarray],
    receive: Callable[[np.ndarray, np.ndarray], object],
    engine: EngineName,
) -> Record:
    if engine == COMPILED:
        from simulator.timing.engine.windows import run_windows

        return run_windows(plan, windows, receive)
    everything = np.concatenate([np.zeros((0, 5), np.int64), *windows])
    record = engine_named(engine)(plan, trace_activity(plan, everything), events=True)
    receive(record.grants, record.packets)
    return record
