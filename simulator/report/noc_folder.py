"""A network study on disk: its summary, its packets and grants, and tables of links, routers,
curves and multicasts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import numpy as np

from simulator.account.router_energy import NetworkEnergy
from simulator.mapping.plan import LOOKAHEAD, Plan
from simulator.report.csv_rows import rows_writer
from simulator.report.writing import Folder
from simulator.study.curve import LoadPoint, verdict
from simulator.study.multicast import Saving, Way
from simulator.study.noc import GRANT_COLUMNS, PACKET_COLUMNS, PORT_NAMES, Latency, NocResult
from simulator.study.synthetic import Traffic

LINK_COLUMNS = ("router", "x", "y", "port", "flits", "utilisation", "blocked_cycles")
ROUTER_COLUMNS = ("router", "x", "y", "flits", "flit_cycles", "buffer_utilisation")
CURVE_COLUMNS = (
    "rate",
    "offered",
    "accepted",
    "latency_mean_cycles",
    "latency_median_cycles",
    "latency_99_cycles",
    "latency_max_cycles",
    "packets",
    "warm_up_cycles",
    "busiest_link",
    "state",
)
WAY_COLUMNS = (
    "way",
    "injected_flits",
    "flit_hops",
    "busiest_link_flits",
    "latency_mean_cycles",
    "latency_max_cycles",
    "cycles",
)


def network(plan: Plan, routing: str, engine: str) -> dict[str, Any]:
    """Return what every summary says of the network and of what ran it."""
    return {
        "schema_version": 1,
        "engine": engine,
        "network": {
            "width": plan.width,
            "height": plan.height,
            "pipeline": "lookahead" if plan.pipeline == LOOKAHEAD else "canonical",
            "virtual_channels": plan.virtual_channels,
            "buffer_flits": plan.buffer,
            "is_atomic": bool(plan.atomic),
            "routing": routing,
        },
    }


def _latency(latency: Latency) -> dict[str, float | int] | None:
    if not latency.n:
        return None
    shares = {"median": 0.5, "99": 0.99, "max": 1.0}
    return {"mean": latency.mean} | {name: latency.quantile(at) for name, at in shares.items()}


@contextmanager
def trace_tables(
    folder: Folder | None, with_grants: bool
) -> Iterator[tuple[Callable[[np.ndarray], None] | None, Callable[[np.ndarray], None] | None]]:
    """Yield what writes rows of packets.csv and of grants.csv while they come; None for a file
    nobody asked for.
    """
    if folder is None:
        yield None, None
        return
    with folder.file("packets.csv") as packets:
        write_packets = rows_writer(packets, PACKET_COLUMNS)
        if not with_grants:
            yield write_packets, None
            return
        with folder.file("grants.csv") as grants:
            yield write_packets, rows_writer(grants, GRANT_COLUMNS)


def put_trace(
    folder: Folder,
    about: dict[str, Any],
    result: NocResult,
    energy: tuple[str, NetworkEnergy] | None,
) -> None:
    """Write summary.json, links.csv and routers.csv of a trace's run; `about`: of `network`."""
    folder.json("summary.json", about | trace_summary(result, energy))
    folder.table("links.csv", LINK_COLUMNS, link_rows(result))
    folder.table("routers.csv", ROUTER_COLUMNS, router_rows(result))


def trace_summary(result: NocResult, energy: tuple[str, NetworkEnergy] | None) -> dict[str, Any]:
    """Return the numbers of a trace's run; None for what does not exist without packets."""
    plan, cycles = result.plan, max(result.cycles, 1)
    busiest, buffers = None, result.buffer_utilisation
    if result.flits:
        router, port = result.busiest
        busiest = {
            "router": router,
            "port": PORT_NAMES[port],
            "utilisation": float(result.link_utilisation[router, port]),
            "blocked": float(result.record.link_blocked[router, port] / cycles),
        }
    priced = None
    if energy is not None:
        priced = {"technology": energy[0], **asdict(energy[1]), "total": energy[1].total}
    return {
        "packets": result.packets,
        "flits": result.flits,
        "flit_hops": result.flit_hops,
        "cycles": result.cycles,
        "throughput": result.flits / (plan.n_routers * cycles),
        "latency_cycles": _latency(result.all_latency),
        "latency_cycles_of_class": [_latency(latency) for latency in result.latency],
        "network_latency_cycles": _latency(result.network_latency),
        "busiest_link": busiest,
        "buffer_utilisation": {
            "mean": float(buffers.mean()),
            "max": float(buffers.max()),
            "router": int(buffers.argmax()),
        },
        "energy_j": priced,
    }


def link_rows(result: NocResult) -> list[tuple[Any, ...]]:
    """Return rows of LINK_COLUMNS: one per output that leads anywhere."""
    width, used, record = result.plan.width, result.link_utilisation, result.record
    rows = []
    for router, port in zip(*(axis.tolist() for axis in result.link_exists.nonzero())):
        flits, blocked = record.link_flits[router, port], record.link_blocked[router, port]
        place = (router, router % width, router // width, PORT_NAMES[port])
        rows.append((*place, int(flits), float(used[router, port]), int(blocked)))
    return rows


def router_rows(result: NocResult) -> list[tuple[Any, ...]]:
    """Return rows of ROUTER_COLUMNS; flit_cycles sums, over all flits, the cycles spent in the
    router's buffers.
    """
    number = np.arange(result.plan.n_routers)
    columns = (
        number,
        number % result.plan.width,
        number // result.plan.width,
        result.record.link_flits.sum(axis=1),
        result.record.router_flit_cycles,
        result.buffer_utilisation,
    )
    return list(zip(*(column.tolist() for column in columns)))


def _traffic(traffic: Traffic, cycles: int) -> dict[str, Any]:
    found = {
        "pattern": traffic.pattern,
        "packet_size_flits": traffic.packet_size,
        "seed": traffic.seed,
    }
    if traffic.pattern == "hotspot":
        found |= {"hot_node": traffic.the_hot_node, "hot_share": traffic.hot_share}
    return {"traffic": found, "traffic_cycles": cycles}


def put_curve(
    folder: Folder,
    about: dict[str, Any],
    traffic: Traffic,
    cycles: int,
    points: Sequence[LoadPoint],
) -> None:
    """Write summary.json and curve.csv of latency against load; `about`: of `network`."""
    rows = [curve_row(point) for point in points]
    found = {
        "most_accepted": max(point.accepted for point in points),
        "verdict": verdict(points),
        "points": [dict(zip(CURVE_COLUMNS, row)) for row in rows],
    }
    folder.json("summary.json", about | _traffic(traffic, cycles) | found)
    folder.table("curve.csv", CURVE_COLUMNS, rows)


def curve_row(point: LoadPoint) -> tuple[Any, ...]:
    """Return the cells of CURVE_COLUMNS; None where no packet was measured."""
    late = _latency(point.latency)
    return (
        point.rate,
        point.offered,
        point.accepted,
        *([None] * 4 if late is None else late.values()),
        point.packets,
        point.warm_up,
        float(point.result.link_utilisation.max()),
        point.state,
    )


def put_multicast(
    folder: Folder, about: dict[str, Any], traffic: Traffic, cycles: int, saving: Saving
) -> None:
    """Write summary.json and ways.csv of trees beside unicasts; `about`: of `network`."""
    ways = {"trees": saving.tree, "unicasts": saving.unicast}
    rows = [(name, *_way(way)) for name, way in ways.items()]
    found = {
        "rate": traffic.rate,
        "messages": saving.messages,
        "destinations": saving.destinations,
        "flit_hops_saved": saving.flit_hops_saved,
        "ways": [dict(zip(WAY_COLUMNS, row)) for row in rows],
    }
    folder.json("summary.json", about | _traffic(traffic, cycles) | found)
    folder.table("ways.csv", WAY_COLUMNS, rows)


def _way(way: Way) -> tuple[Any, ...]:
    late = way.latency
    counts = (way.injected_flits, way.flit_hops, way.busiest_link)
    return (*counts, late.mean, late.quantile(1.0), way.cycles)
