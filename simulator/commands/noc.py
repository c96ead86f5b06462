"""`spikemesh noc`: the network alone, fed by a trace or by synthetic traffic."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from simulator.commands import options
from simulator.commands.numbers import Pair, Quantity, Real, Several, Whole
from simulator.commands.written import naming_options
from simulator.describe.routing import ROUTING

if TYPE_CHECKING:
    from simulator.mapping.plan import Plan
    from simulator.study.noc import NocResult
    from simulator.study.synthetic import Traffic

_PIPELINE = click.Choice(["lookahead", "canonical"])
_FILE = click.Path(dir_okay=False, path_type=Path)
#: what only a trace, or only synthetic traffic, has a meaning for
OF_A_TRACE = ("grants", "energy", "clock", "flit_bits", "link_length")
OF_TRAFFIC = ("rate", "packet_size", "cycles", "seed", "hot_node", "hot_share", "multicast", "plot")
RATES, CYCLES = [0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5], 10_000
#: flits of one packet
MOST_FLITS = 1_000_000
#: cycles of links, one number or east-west and north-south
CYCLES_BY_DIRECTION = Pair(",", 1, 1 << 16, "41,65", single=True)


@click.command()
@click.argument("trace", required=False, type=click.Path(path_type=Path))
@click.option(
    "--mesh",
    type=Pair("x", 1, 1024, "8x8"),
    required=True,
    metavar="WxH",
    help="Width and height in routers; each has one node, number x + W·y: east is +x, north +y.",
)
@click.option(
    "--pipeline",
    type=_PIPELINE,
    default="lookahead",
    show_default=True,
    help="3 or 5 cycles a hop.",
)
@click.option(
    "--vcs",
    type=Whole(1, 8),
    default=1,
    show_default=True,
    help="Virtual channels of a link.",
)
@click.option(
    "--class-vcs",
    type=Pair(",", 1, 8, "1,3"),
    metavar="A,B",
    help="VCs that traffic classes 0 and 1 have for themselves.  [default: both use all]",
)
@click.option("--buffer", type=Whole(1, 64), default=8, show_default=True, help="Flits a VC holds.")
@click.option(
    "--atomic-vc",
    is_flag=True,
    help="A VC takes the next packet only when its buffer behind the link is empty.",
)
@click.option(
    "--link-latency",
    type=CYCLES_BY_DIRECTION,
    default="1",
    show_default=True,
    metavar="L",
    help="Cycles; L, or EW,NS by direction.",
)
@click.option(
    "--flit-interval",
    type=CYCLES_BY_DIRECTION,
    default="1",
    show_default=True,
    metavar="I",
    help="Cycles between flits on a link; I, or EW,NS.",
)
@click.option("--routing", default="xy", show_default=True, help=f"One of {', '.join(ROUTING)}.")
@options.engine
@click.option(
    "--grants", is_flag=True, help="Write grants.csv too: every grant of every switch, much of it."
)
@click.option("--energy", metavar="TECHNOLOGY", help="Price the run: 45nm, 22nm or 11nm.")
@click.option(
    "--clock",
    type=Quantity("frequency"),
    metavar="FREQUENCY",
    help="Such as '500 MHz': leakage needs to know how long a cycle is.",
)
@click.option(
    "--flit-bits", type=Whole(1, 4096), help="Width of a flit for --energy.  [default: 32]"
)
@click.option(
    "--link-length",
    type=Quantity("length"),
    metavar="LENGTH",
    help="Of a mesh link for --energy.  [default: 1 mm]",
)
@click.option(
    "--traffic",
    help="Instead of a trace: uniform, transpose, bitcomp, tornado, neighbor or hotspot.",
)
@click.option(
    "--rate",
    type=Several(Real(1e-9, MOST_FLITS)),
    metavar="R[,R...]",
    help=f"Flits offered per node and cycle.  [default: {','.join(map(str, RATES))}]",
)
@click.option("--packet-size", type=Whole(1, MOST_FLITS), help="Flits.  [default: 1]")
@click.option(
    "--cycles", type=Whole(1, 10**9), help=f"Cycles of traffic for each rate.  [default: {CYCLES}]"
)
@click.option(
    "--seed",
    type=options.SEED,
    help="The same seed gives the same bits.  [default: 1]",
)
@click.option(
    "--hot-node", type=Whole(0, (1 << 20) - 1), help="Of hotspot traffic.  [default: the middle]"
)
@click.option(
    "--hot-share", type=Real(0, 1), help="Share of hotspot traffic that goes there.  [default: 0.2]"
)
@click.option(
    "--multicast",
    type=Whole(1, 1 << 20),
    metavar="K",
    help="Send each packet to K nodes, by trees and by unicasts, and compare.",
)
@click.option(
    "--plot", type=_FILE, metavar="FILE.png", help="Draw the curve (needs the extra `plot`)."
)
@options.memory
@options.output
@naming_options()
def noc(trace: Path | None, mesh: tuple[int, int], **choices: Any) -> None:
    """Study the network on chip alone: run TRACE, or measure latency against offered load.

    TRACE is a CSV file with the header cycle,src,dst,size or cycle,src,dst,size,class, sorted by
    cycle; size is in flits.

    \b
    spikemesh noc trace.csv --mesh 8x8 -o results/trace --grants
    spikemesh noc --mesh 8x8 --traffic transpose --rate 0.05,0.1,0.15,0.2 --vcs 2 --plot curve.png
    spikemesh noc --mesh 8x8 --traffic uniform --rate 0.01 --multicast 8
    """
    import numpy as np

    from simulator.errors import InputError
    from simulator.study import noc as study

    traffic = choices["traffic"]
    if (trace is None) == (traffic is None):
        raise InputError("noc: needs a TRACE.csv or --traffic, one of them")
    for name in OF_TRAFFIC if traffic is None else OF_A_TRACE:
        if choices[name] not in (None, False):
            needs = "--traffic" if traffic is None else "a TRACE.csv"
            raise InputError(f"--{name.replace('_', '-')}: needs {needs}")
    plan = study.mesh(
        *mesh,
        pipeline=study.PIPELINE[choices["pipeline"]],
        virtual_channels=choices["vcs"],
        class_vcs=choices["class_vcs"],
        buffer=choices["buffer"],
        atomic=choices["atomic_vc"],
        routing=choices["routing"],
        link_latency=np.array(choices["link_latency"], np.int64),
        link_interval=np.array(choices["flit_interval"], np.int64),
    )
    if choices["grants"] and choices["output"] is None:
        raise InputError("--grants: needs -o")
    if trace is not None:
        _run_trace(trace, plan, choices)
    elif choices["multicast"] is not None:
        _compare_multicast(plan, choices)
    else:
        _measure_curve(plan, choices)


def _run_trace(path: Path, plan: Plan, choices: dict[str, Any]) -> None:
    from simulator.commands.progress import shown
    from simulator.describe.trace_file import TraceFile
    from simulator.report import noc as report
    from simulator.report import noc_folder, terminal
    from simulator.report.files import provenance
    from simulator.report.page import PAGE
    from simulator.report.study_pages import trace_page
    from simulator.report.writing import MANIFEST
    from simulator.study.noc import run_trace

    price = _price(plan, choices)
    file = TraceFile(path, plan.width, plan.height)
    if path.is_file():  # a pipe can be read only once: its faults show when they come
        file.check()
    named = plan, choices["routing"], choices["engine"]
    with options.folder(choices["output"], choices["overwrite"]) as folder:
        with noc_folder.trace_tables(folder, choices["grants"]) as writers, shown() as progress:
            result = run_trace(
                plan,
                file.windows(),
                engine=choices["engine"],
                write_packets=writers[0],
                write_grants=writers[1],
                progress=lambda arrived: progress("flits", arrived, max(file.n_flits, arrived)),
            )
        energy = None if price is None else (choices["energy"], price(result))
        said = report.trace_view(path.name, report.network_name(*named), result, energy)
        if folder is not None:
            noc_folder.put_trace(folder, noc_folder.network(*named), result, energy)
            folder.text(PAGE, trace_page(result, said, path.name))
            folder.json(MANIFEST, provenance([path], options=options.asked()))
    terminal.show(said)


def _price(plan: Plan, choices: dict[str, Any]) -> Any:
    """Return what prices a result, None when nobody asked; refuses what is outside the table before
    anything runs.
    """
    from simulator.account.router_energy import network_energy, router_energy
    from simulator.errors import InputError

    if choices["energy"] is None:
        for name in ("clock", "flit_bits", "link_length"):
            if choices[name] is not None:
                raise InputError(f"--{name.replace('_', '-')}: needs --energy")
        return None
    length = None if choices["link_length"] is None else float(choices["link_length"].exact)
    width = choices["flit_bits"]
    table = router_energy(choices["energy"], plan.virtual_channels, plan.buffer, width, length)
    frequency = None if choices["clock"] is None else float(choices["clock"].exact)

    def price(result: NocResult) -> Any:
        return network_energy(
            table,
            traversals=int(result.record.link_flits.sum()),
            flit_hops=result.flit_hops,
            router_cycles=plan.n_routers * result.cycles,
            period=None if frequency is None else 1 / frequency,
        )

    return price


def _traffic(plan: Plan, choices: dict[str, Any], rate: float) -> Traffic:
    from simulator.study.synthetic import Traffic

    given = {
        name: choices[name]
        for name in ("packet_size", "seed", "hot_node", "hot_share")
        if choices[name] is not None
    }
    return Traffic(choices["traffic"], plan.width, plan.height, rate, **given)


def _measure_curve(plan: Plan, choices: dict[str, Any]) -> None:
    from simulator.commands.progress import shown
    from simulator.report import noc as report
    from simulator.report import noc_folder, terminal
    from simulator.report.page import PAGE
    from simulator.report.study_pages import curve_page
    from simulator.report.writing import MANIFEST
    from simulator.study.curve import curve

    rates = choices["rate"] or RATES
    cycles = choices["cycles"] if choices["cycles"] is not None else CYCLES
    traffic = _traffic(plan, choices, rates[0])
    options.refuse_picture(choices["plot"], choices["output"])
    named = plan, choices["routing"], choices["engine"]
    network = report.network_name(*named)
    with options.folder(choices["output"], choices["overwrite"]) as folder:
        with shown() as progress:
            points = curve(
                plan, traffic, rates, cycles, engine=choices["engine"], progress=progress
            )
        said = report.curve_view(traffic, cycles, network, points)
        if folder is not None:
            noc_folder.put_curve(folder, noc_folder.network(*named), traffic, cycles, points)
            folder.text(PAGE, curve_page(points, said, f"{traffic.pattern}, {network}"))
            folder.json(MANIFEST, _manifest(traffic, rates, cycles))
    if choices["plot"] is not None:
        report.draw_curve(points, f"{traffic.pattern}, {network}", choices["plot"])
    terminal.show(said)


def _manifest(traffic: Traffic, rates: Sequence[float], cycles: int) -> dict[str, Any]:
    """Return what produced a study of drawn traffic; options left out as they were understood."""
    from simulator.report.files import provenance

    understood = {
        "rate": list(rates),
        "cycles": cycles,
        "packet_size": traffic.packet_size,
        "seed": traffic.seed,
    }
    if traffic.pattern == "hotspot":
        understood |= {"hot_node": traffic.the_hot_node, "hot_share": traffic.hot_share}
    return provenance([], options=options.asked() | understood)


def _compare_multicast(plan: Plan, choices: dict[str, Any]) -> None:
    from simulator.commands.progress import shown
    from simulator.errors import InputError
    from simulator.report import noc as report
    from simulator.report import noc_folder, terminal
    from simulator.report.page import PAGE
    from simulator.report.study_pages import blocks_page
    from simulator.report.writing import MANIFEST
    from simulator.study.multicast import compare_with_unicasts

    if choices["plot"] is not None:
        raise InputError("--plot: has no meaning with --multicast")
    if choices["rate"] is None or len(choices["rate"]) != 1:
        raise InputError("--multicast: needs one --rate, in messages per node and cycle")
    cycles = choices["cycles"] if choices["cycles"] is not None else CYCLES
    traffic = _traffic(plan, choices, choices["rate"][0])
    named = plan, choices["routing"], choices["engine"]
    with options.folder(choices["output"], choices["overwrite"]) as folder:
        with shown() as progress:
            saving = compare_with_unicasts(
                plan,
                traffic,
                choices["multicast"],
                cycles,
                engine=choices["engine"],
                progress=progress,
            )
        said = report.multicast_view(traffic, cycles, report.network_name(*named), saving)
        if folder is not None:
            noc_folder.put_multicast(folder, noc_folder.network(*named), traffic, cycles, saving)
            folder.text(PAGE, blocks_page(said))
            folder.json(MANIFEST, _manifest(traffic, choices["rate"], cycles))
    terminal.show(said)
