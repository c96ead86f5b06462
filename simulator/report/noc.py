"""What a network study leaves behind: a summary for the terminal, tables of links, routers and
curves, a picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulator.account.router_energy import NetworkEnergy
from simulator.mapping.plan import LOOKAHEAD, Plan
from simulator.report.csv_rows import whole_file
from simulator.report.landscape import figure_class
from simulator.study.curve import Point, verdict
from simulator.study.multicast import Saving, Way
from simulator.study.noc import PORT_NAMES, Latency, NocResult
from simulator.study.synthetic import Traffic
from simulator.units import show

LINK_COLUMNS = ("router", "x", "y", "port", "flits", "utilisation", "blocked_cycles")
ROUTER_COLUMNS = ("router", "x", "y", "flits", "flit_cycles", "buffer_utilisation")
CURVE_COLUMNS = (
    "rate",
    "offered",
    "accepted",
    "latency_mean",
    "latency_median",
    "latency_99",
    "latency_max",
    "packets",
    "warm_up_cycles",
    "busiest_link",
    "state",
)


def network_name(plan: Plan, routing: str, engine: str) -> str:
    """Return one line that names a network."""
    pipeline = "lookahead" if plan.pipeline == LOOKAHEAD else "canonical"
    channels = (
        f"{plan.virtual_channels} VC{'s' if plan.virtual_channels > 1 else ''} of {plan.buffer} "
        f"flits"
    )
    atomic = ", atomic" if plan.atomic else ""
    return (
        f"{plan.width}x{plan.height} mesh, {pipeline}, {channels}{atomic}, {routing} routing, "
        f"{engine} engine"
    )


def _table(rows: Iterable[tuple[str, str]]) -> Table:
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*row)
    return table


def _latency(latency: Latency) -> str:
    if not latency.n:
        return "-"
    median, most_of, longest = (latency.quantile(share) for share in (0.5, 0.99, 1.0))
    return f"mean {latency.mean:,.2f}, median {median:,}, 99 % {most_of:,}, max {longest:,} cycles"


def _output(plan: Plan, router: int, port: int) -> str:
    return f"router {router} ({router % plan.width},{router // plan.width}) {PORT_NAMES[port]}"


def trace_view(
    name: str, network: str, result: NocResult, energy: tuple[str, NetworkEnergy] | None
) -> RenderableType:
    """Return the summary of a trace's run."""
    plan, cycles = result.plan, max(result.cycles, 1)
    rows = [
        ("packets", f"{result.packets:,}"),
        ("flits", f"{result.flits:,}"),
        ("flit-hops", f"{result.flit_hops:,}"),
        ("cycles", f"{result.cycles:,}"),
        ("throughput", f"{result.flits / (plan.n_routers * cycles):.4f} flits/node/cycle"),
        ("latency", _latency(result.all_latency)),
    ]
    if all(latency.n for latency in result.latency):
        rows += [
            (f"latency, class {k}", _latency(latency)) for k, latency in enumerate(result.latency)
        ]
    rows.append(("in the network", _latency(result.network_latency)))
    if result.flits:
        router, port = result.busiest
        blocked = result.record.link_blocked[router, port] / cycles
        used = (
            f"{result.link_utilisation[router, port]:.2%} of the cycles used, {blocked:.2%} blocked"
        )
        rows.append(("busiest link", f"{_output(plan, router, port)}: {used}"))
        buffers = result.buffer_utilisation
        fullest = f"fullest at router {int(buffers.argmax())}: {buffers.max():.2%}"
        rows.append(("buffers", f"{fullest}, mean {buffers.mean():.2%}"))
    if energy is not None:
        rows.append(_energy(*energy, result))
    return Group(Text.assemble((name, "bold"), f"  {network}"), _table(rows))


def _energy(technology: str, energy: NetworkEnergy, result: NocResult) -> tuple[str, str]:
    buffers = energy.buffer_write + energy.buffer_read
    parts = [
        ("buffers", buffers),
        ("crossbars", energy.crossbar),
        ("allocators", energy.allocation),
        ("links", energy.link),
        ("clock", energy.clock),
        ("leakage", energy.leakage),
    ]
    shown = ", ".join(f"{name} {show(joules, 'J')}" for name, joules in parts if joules is not None)
    unknown = "; leakage needs --clock" if energy.leakage is None else ""
    return f"energy, {technology}", f"{show(energy.total, 'J')}: {shown}{unknown}"


def curve_view(
    traffic: Traffic, cycles: int, network: str, points: Sequence[Point]
) -> RenderableType:
    """Return a curve as a table, and where it saturates."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in (
        "offered",
        "accepted",
        "mean",
        "median",
        "99 %",
        "max",
        "packets",
        "warm-up",
        "busiest link",
        "",
    ):
        table.add_column(column, justify="right", no_wrap=True)
    for point in points:
        late = ["-"] * 4
        if point.latency.n:
            late = [
                f"{point.latency.mean:,.2f}",
                *(f"{point.latency.quantile(share):,}" for share in (0.5, 0.99, 1.0)),
            ]
        table.add_row(
            f"{point.offered:.4f}",
            f"{point.accepted:.4f}",
            *late,
            f"{point.packets:,}",
            f"{point.warm_up:,}",
            f"{point.result.link_utilisation.max():.1%}",
            point.state,
        )
    what = (
        f"  {traffic.packet_size}-flit packets, {cycles:,} cycles, seed {traffic.seed}, {network}"
    )
    units = "loads in flits/node/cycle, latency and warm-up in cycles"
    return Group(
        Text.assemble((traffic.pattern, "bold"), what),
        Text(units, "dim"),
        table,
        Text(verdict(points)),
    )


def curve_rows(points: Sequence[Point]) -> list[str]:
    """Return the lines of a curve's CSV under CURVE_COLUMNS; numbers are written so that they read
    back to the bit.
    """
    lines = [",".join(CURVE_COLUMNS)]
    for point in points:
        late = [""] * 4
        if point.latency.n:
            late = [
                repr(point.latency.mean),
                *(str(point.latency.quantile(share)) for share in (0.5, 0.99, 1.0)),
            ]
        loads = [repr(load) for load in (point.rate, point.offered, point.accepted)]
        busiest = repr(float(point.result.link_utilisation.max()))
        lines.append(
            ",".join([*loads, *late, str(point.packets), str(point.warm_up), busiest, point.state])
        )
    return lines


def link_rows(result: NocResult) -> list[str]:
    """Return the lines of LINK_COLUMNS: one per output that leads anywhere."""
    width, used, record = result.plan.width, result.link_utilisation, result.record
    lines = [",".join(LINK_COLUMNS)]
    for router, port in zip(*(axis.tolist() for axis in result.link_exists.nonzero())):
        place = f"{router},{router % width},{router // width},{PORT_NAMES[port]}"
        flits, blocked = record.link_flits[router, port], record.link_blocked[router, port]
        lines.append(f"{place},{flits},{float(used[router, port])!r},{blocked}")
    return lines


def router_rows(result: NocResult) -> list[str]:
    """Return the lines of ROUTER_COLUMNS; flit_cycles sums, over all flits, the cycles spent in the
    router's buffers.
    """
    width, record, buffers = result.plan.width, result.record, result.buffer_utilisation.tolist()
    flits = record.link_flits.sum(axis=1)
    return [",".join(ROUTER_COLUMNS)] + [
        f"{router},{router % width},{router // width},"
        f"{flits[router]},{record.router_flit_cycles[router]},{buffers[router]!r}"
        for router in range(result.plan.n_routers)
    ]


def write_lines(path: Path, lines: Sequence[str]) -> None:
    """Write lines to a file that is there whole or not at all."""
    with whole_file(path) as file:
        file.write(("\n".join(lines) + "\n").encode())


def multicast_view(traffic: Traffic, cycles: int, network: str, saving: Saving) -> RenderableType:
    """Return trees and unicasts side by side."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, column in enumerate(("", "trees", "unicasts")):
        table.add_column(column, justify="right" if number else "left")

    def row(label: str, value: str, cells: Iterable[float]) -> None:
        table.add_row(label, *(format(cell, value) for cell in cells))

    ways: tuple[Way, Way] = (saving.tree, saving.unicast)
    row("flits injected", ",", (way.injected_flits for way in ways))
    row("flit-hops", ",", (way.flit_hops for way in ways))
    row("flits over the busiest link", ",", (way.busiest_link for way in ways))
    row("latency to the last copy, mean", ",.2f", (way.latency.mean for way in ways))
    row("latency to the last copy, max", ",", (way.latency.quantile(1.0) for way in ways))
    row("cycles", ",", (way.cycles for way in ways))
    messages = f"{saving.messages:,} messages to {saving.destinations} nodes each"
    what = f"  {messages}, {cycles:,} cycles, seed {traffic.seed}, {network}"
    closing = f"trees save {saving.flit_hops_saved:.1%} of the flit-hops"
    return Group(Text.assemble(("multicast", "bold"), what), table, Text(closing))


def draw_curve(points: Sequence[Point], title: str, path: Path) -> None:
    """Draw mean and 99 % latency over the offered load; saturated points are hollow."""
    figure = figure_class()(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    points = sorted((point for point in points if point.latency.n), key=lambda point: point.offered)
    load = [point.offered for point in points]
    for label, colour, late in (
        ("mean", "#1b6f8f", [point.latency.mean for point in points]),
        ("99 %", "#b3541e", [float(point.latency.quantile(0.99)) for point in points]),
    ):
        axes.plot(load, late, color=colour, label=label)
        faces = ["none" if point.is_saturated else colour for point in points]
        axes.scatter(load, late, edgecolors=colour, facecolors=faces)
    axes.set(xlabel="offered load (flits/node/cycle)", ylabel="latency (cycles)", yscale="log")
    axes.set_title(title, fontsize=9)
    axes.grid(alpha=0.3)
    axes.legend(title="hollow: saturated")
    with whole_file(path) as file:
        figure.savefig(file, dpi=160, format="png")
