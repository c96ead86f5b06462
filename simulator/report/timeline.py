"""A run as a timeline for Perfetto and chrome://tracing: units, power states, packets and queues.

The file is JSON of the Trace Event Format, an event a line, written as it is made.  One cycle is
drawn as one microsecond, so that every edge is a whole number.  Every core is a process with a
thread for each unit and one for its power state; the slices of a unit are the states of machine.md
[U1], so that over a whole run they add up to the stall table.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, groupby
from pathlib import Path
from typing import Any

import numpy as np

from simulator.errors import InputError
from simulator.report.writing import json_text, whole_file
from simulator.study.simulation import Result
from simulator.study.window import Window
from simulator.timing.history import Change, Slice
from simulator.timing.record import POWER_STATES, UNIT_STATES, UNITS
from simulator.units import show

#: events a file has at most: a browser opens no more
MOST_EVENTS = 2_000_000
#: threads of a core after its units, and the processes beside the cores
POWER_THREAD = len(UNITS)
CHIP, PORTS, ROUTERS = 1_000_000, 1_000_001, 1_000_002
SYNAPSE, AXON_OUT = UNITS.index("synapse"), UNITS.index("axon_out")
#: what the depths of queues are counted in, in the order of QUEUES
QUEUE_UNITS = ("flits", "messages", "packets")
Event = dict[str, Any]
Told = Callable[[str, int, int], object]


def write_timeline(window: Window, path: Path, progress: Told | None = None) -> int:
    """Write a window of a run and return the number of events; raises InputError where they are
    too many.
    """
    expected = _expected(window)
    if expected > MOST_EVENTS:
        raise InputError(
            f"window: must hold at most {MOST_EVENTS:,} events, not about {expected:,}: choose "
            f"fewer cycles than {window.last - window.first:,}"
        )
    written = 0
    with whole_file(path) as file:
        about = json_text(_about(window.result)).strip()
        file.write(f'{{"displayTimeUnit":"ns","otherData":{about},"traceEvents":[\n'.encode())
        for event in events(window):
            line = json.dumps(event, separators=(",", ":"), allow_nan=False)
            file.write((",\n" if written else "").encode() + line.encode())
            written += 1
            if progress is not None and written % 10_000 == 0:
                progress("timeline", min(written, expected), expected)
        file.write(b"\n]}\n")
    return written


def _about(result: Result) -> dict[str, Any]:
    return {
        "workload": result.workload.name,
        "chip": result.chip.name,
        "mode": result.mode,
        "timesteps": result.timesteps,
        "period_s": result.chip.period,
        "scale": "1 us of the timeline is 1 cycle",
    }


def _expected(window: Window) -> int:
    record, first, last = window.history.record, window.first, window.last
    units, packets, states = record.units, record.packets, record.states
    inside = np.count_nonzero((units["cycle"] < last) & (units["cycle"] + units["cycles"] > first))
    flying = (packets["inject_cycle"] < last) & (packets["tail_arrive_cycle"] >= first)
    changes = np.count_nonzero((states["cycle"] < last) & (states["cycle"] >= first))
    return int(3 * inside + 10 * np.count_nonzero(flying) + 8 * changes)


def events(window: Window) -> Iterator[Event]:
    """Yield the events of a window."""
    cores = _cores(window.result)
    yield from _names(window, cores)
    yield from _steps(window)
    for core in cores:
        for unit, slices in enumerate(window.history.units(core)):
            yield from _slices(window, core, unit, UNIT_STATES, slices)
        states = window.history.power(core)
        yield from _slices(window, core, POWER_THREAD, POWER_STATES, states)
        yield from _states(window, core, states)
        depths = window.history.depths(core)
        for (queue, changes), unit_of in zip(depths.items(), QUEUE_UNITS):
            yield from _levels(window, core, queue.replace("_", " "), unit_of, changes)
    for router in _sleeping_routers(window):
        slices = window.history.power(router, is_router=True)
        yield from _slices(window, ROUTERS, router, POWER_STATES, slices)
    yield from _packets(window)


def _slices(
    window: Window, pid: int, tid: int, names: Sequence[str], slices: list[Slice]
) -> Iterator[Event]:
    """Yield what of some slices lies in the window."""
    for start, end, state in slices:
        begin, stop = max(start, window.first), min(end, window.last)
        if begin < stop:
            yield _slice(pid, tid, names[state], begin, stop)


def _slice(pid: int, tid: int, name: str, start: int, end: int, **more: Any) -> Event:
    event = {"ph": "X", "pid": pid, "tid": tid, "name": name, "ts": start, "dur": end - start}
    return event | ({"args": more} if more else {})


def _counter(pid: int, name: str, cycle: int, values: dict[str, int]) -> Event:
    return {"ph": "C", "pid": pid, "tid": 0, "name": name, "ts": cycle, "args": values}


def _mark(cycle: int, name: str) -> Event:
    return {"ph": "i", "s": "g", "pid": CHIP, "tid": 0, "name": name, "ts": cycle}


def _cores(result: Result) -> list[int]:
    """Return the cores that hold neurons."""
    found = [result.mapping.cores[number] for number in result.workload.network.computed]
    return np.unique(np.concatenate(found)).tolist()  # type: ignore[no-any-return]


def _sleeping_routers(window: Window) -> list[int]:
    """Return the routers that sleep at times: where none does there is nothing to show."""
    plan = window.history.plan
    return [] if plan.router_gate_after < 0 else list(range(plan.n_routers))


def _names(window: Window, cores: Sequence[int]) -> Iterator[Event]:
    def name(pid: int, words: str, tid: int | None = None) -> Event:
        kind = "process_name" if tid is None else "thread_name"
        return {"ph": "M", "pid": pid, "tid": tid or 0, "name": kind, "args": {"name": words}}

    result = window.result
    network, plan = result.workload.network, window.history.plan

    def place(router: int) -> str:
        return f"{router % plan.width},{router // plan.width}"

    held: dict[int, list[str]] = {core: [] for core in cores}
    for number in network.computed:
        for core in np.unique(result.mapping.cores[number]).tolist():
            held[core].append(network.populations[number].name)
    scale = f"1 us is 1 cycle of {show(result.chip.period, 's')}"
    yield name(CHIP, f"{result.workload.name} on {result.chip.name}: {scale}")
    yield name(CHIP, "steps", 0)
    yield name(CHIP, "barrier", 1)
    yield name(PORTS, "ports to the outside")
    for number, port in enumerate(result.chip.ports):
        yield name(PORTS, f"port {port.name}", number)
    for core in cores:
        router = int(plan.endpoint_router[core])
        yield name(core, f"core {core} at {place(router)}: {', '.join(held[core])}")
        for tid, unit in enumerate(UNITS):
            yield name(core, unit.replace("_", "-"), tid)
        yield name(core, "power", POWER_THREAD)
    routers = _sleeping_routers(window)
    if routers:
        yield name(ROUTERS, "routers")
    for router in routers:
        yield name(ROUTERS, f"router at {place(router)}", router)


def _steps(window: Window) -> Iterator[Event]:
    """Yield the steps, the barriers between them, and a mark where an inference enters."""
    record = window.history.record
    starts = [*record.step_start.tolist(), record.cycles]
    steps = list(zip(starts, starts[1:], range(len(starts))))
    yield from _slices(window, CHIP, 0, [f"step {number}" for _, _, number in steps], steps)
    if not window.history.has_tokens:
        barriers = [(a, b, 0) for a, b in zip(record.step_quiet.tolist(), starts[1:])]
        yield from _slices(window, CHIP, 1, ["barrier"], barriers)
    for inference, step in enumerate(window.result.schedule.first_step.tolist()):
        if step < len(steps) and window.first <= starts[step] < window.last:
            yield _mark(starts[step], f"inference {inference} begins")


def _states(window: Window, core: int, slices: list[Slice]) -> Iterator[Event]:
    """Yield the power state of a core as a counter."""
    for start, end, state in slices:
        if start < window.last and end > window.first:
            yield _counter(core, "power state", max(start, window.first), {"state": state})


def _packets(window: Window) -> Iterator[Event]:
    """Yield a flow from each packet's put to its take, a slice wherever packets meet a port, and
    how many are on the way.
    """
    n_cores, take = window.history.plan.n_cores, window.history.taken()
    packets = window.history.record.packets
    names = ("packet", "source", "destination", "size", "hops", "inject_cycle", "tail_arrive_cycle")
    met: set[tuple[int, str, int]] = set()
    flying: list[Change] = []
    rows = zip(*(packets[name].tolist() for name in names))
    for number, (packet, source, target, size, hops, put, arrived) in enumerate(rows):
        flying += [(put, 1), (arrived, -1)]
        end = take.get((packet, target), arrived)
        # axon-out's last cycle on a packet is the one before it is put
        least = window.first + (source < n_cores)
        if put < least or end >= window.last:
            continue
        flow = {"cat": "packet", "name": "packet", "id": number}
        about = {"put": put, "take": end, "flits": size, "hops": hops}
        if source >= n_cores:
            met.add((source - n_cores, "inject", put))
            begin = {"pid": PORTS, "tid": source - n_cores, "ts": put + 0.5}
        else:
            begin = {"pid": source, "tid": AXON_OUT, "ts": put - 0.5}
        if target >= n_cores:
            met.add((target - n_cores, "receive", end))
        is_core = target < n_cores
        place = (target, SYNAPSE) if is_core else (PORTS, target - n_cores)
        yield {"ph": "s", **begin, **flow, "args": about}
        yield {"ph": "f", "bp": "e", "pid": place[0], "tid": place[1], "ts": end + 0.5, **flow}
    for port, cycle, what in sorted(_at_ports(met)):
        yield _slice(PORTS, port, what, cycle, cycle + 1)
    yield from _levels(window, CHIP, "packets on the way", "packets", sorted(flying))


def _at_ports(met: set[tuple[int, str, int]]) -> set[tuple[int, int, str]]:
    """Return what each port does in each cycle; one that sends and receives at once does both."""
    found: dict[tuple[int, int], list[str]] = {}
    for port, what, cycle in sorted(met):
        found.setdefault((port, cycle), []).append(what)
    return {(port, cycle, " and ".join(what)) for (port, cycle), what in found.items()}


def _levels(
    window: Window, pid: int, name: str, unit: str, changes: list[Change]
) -> Iterator[Event]:
    """Yield how full something is, from the window's first cycle on, whenever that changes."""
    by_cycle = [(cycle, sum(n for _, n in some)) for cycle, some in groupby(changes, _cycle)]
    levels = list(accumulate(change for _, change in by_cycle))
    before = [level for (cycle, _), level in zip(by_cycle, levels) if cycle <= window.first]
    shown = before[-1] if before else 0
    yield _counter(pid, name, window.first, {unit: shown})
    for (cycle, _), level in zip(by_cycle, levels):
        if window.first < cycle < window.last and level != shown:
            yield _counter(pid, name, cycle, {unit: level})
            shown = level


def _cycle(change: Change) -> int:
    return change[0]
