"""The report of a network study on the terminal, and the picture of a curve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from simulator.account.router_energy import NetworkEnergy
from simulator.mapping.plan import LOOKAHEAD, Plan
from simulator.report.blocks import Block, Column, Facts, Paragraph, Title, table
from simulator.report.landscape import figure_class
from simulator.report.writing import whole_file
from simulator.study.curve import LoadPoint, verdict
from simulator.study.multicast import Saving, Way
from simulator.study.noc import PORT_NAMES, Latency, NocResult
from simulator.study.synthetic import Traffic
from simulator.units import show


def network_name(plan: Plan, routing: str, engine: str) -> str:
    """Return one line that names a network."""
    pipeline = "lookahead" if plan.pipeline == LOOKAHEAD else "canonical"
    channels = (
        f"{plan.virtual_channels} VC{'s' if plan.virtual_channels > 1 else ''} of {plan.buffer} "
        f"flit{'s' if plan.buffer > 1 else ''}"
    )
    atomic = ", atomic" if plan.atomic else ""
    return (
        f"{plan.width}x{plan.height} mesh, {pipeline}, {channels}{atomic}, {routing} routing, "
        f"{engine} engine"
    )


def _latency(latency: Latency) -> str:
    if not latency.n:
        return "-"
    median, most_of, longest = (latency.quantile(share) for share in (0.5, 0.99, 1.0))
    return f"mean {latency.mean:,.2f}, median {median:,}, 99 % {most_of:,}, max {longest:,} cycles"


def _output(plan: Plan, router: int, port: int) -> str:
    return f"router {router} ({router % plan.width},{router // plan.width}) {PORT_NAMES[port]}"


def trace_view(
    name: str, network: str, result: NocResult, energy: tuple[str, NetworkEnergy] | None
) -> list[Block]:
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
    return [Title(name, network), Facts(tuple(rows))]


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
    unknown = "; leakage needs the clock" if energy.leakage is None else ""
    return f"energy, {technology}", f"{show(energy.total, 'J')}: {shown}{unknown}"


def _load(value: float) -> str:
    return f"{value:.4f}"


def _cycles(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"


CURVE_VIEW = (
    Column("offered", form=_load),
    Column("accepted", form=_load),
    Column("mean", form=_cycles),
    Column("median", form=_cycles),
    Column("99 %", form=_cycles),
    Column("max", form=_cycles),
    Column("packets", form=_cycles),
    Column("warm-up", form=_cycles),
    Column("busiest link", form=lambda share: f"{share:.1%}"),
    Column(""),
)


def _times(latency: Latency) -> list[Any]:
    """Return mean, median, 99 % and longest latency; None where nothing arrived."""
    if not latency.n:
        return [None] * 4
    return [latency.mean, *(latency.quantile(share) for share in (0.5, 0.99, 1.0))]


def curve_view(
    traffic: Traffic, cycles: int, network: str, points: Sequence[LoadPoint]
) -> list[Block]:
    """Return a curve as a table, and where it saturates."""
    rows = [
        (
            point.offered,
            point.accepted,
            *_times(point.latency),
            point.packets,
            point.warm_up,
            float(point.result.link_utilisation.max()),
            point.state,
        )
        for point in points
    ]
    what = f"{traffic.packet_size}-flit packets, {cycles:,} cycles, seed {traffic.seed}, {network}"
    return [
        Title(traffic.pattern, what),
        Paragraph("loads in flits/node/cycle, latency and warm-up in cycles", tone="faint"),
        table(CURVE_VIEW, rows),
        Paragraph(verdict(points)),
    ]


#: what is compared of trees and unicasts
WAYS: dict[str, Callable[[Way], str]] = {
    "flits injected": lambda way: f"{way.injected_flits:,}",
    "flit-hops": lambda way: f"{way.flit_hops:,}",
    "flits over the busiest link": lambda way: f"{way.busiest_link:,}",
    "latency to the last copy, mean": lambda way: f"{way.latency.mean:,.2f}",
    "latency to the last copy, max": lambda way: f"{way.latency.quantile(1.0):,}",
    "cycles": lambda way: f"{way.cycles:,}",
}


def multicast_view(traffic: Traffic, cycles: int, network: str, saving: Saving) -> list[Block]:
    """Return trees and unicasts side by side."""
    rows = [(label, cell(saving.tree), cell(saving.unicast)) for label, cell in WAYS.items()]
    messages = f"{saving.messages:,} messages to {saving.destinations} nodes each"
    return [
        Title("multicast", f"{messages}, {cycles:,} cycles, seed {traffic.seed}, {network}"),
        table(["", "trees", "unicasts"], rows),
        Paragraph(f"trees save {saving.flit_hops_saved:.1%} of the flit-hops"),
    ]


def draw_curve(points: Sequence[LoadPoint], title: str, path: Path) -> None:
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
