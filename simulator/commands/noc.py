"""`spikemesh noc`: the network alone, fed by a trace or by synthetic traffic."""

from __future__ import annotations

from contextlib import ExitStack
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

_PIPELINE = click.Choice(["lookahead", "canonical"])
_FILE = click.Path(dir_okay=False, path_type=Path)
#: what only a trace, or only synthetic traffic, has a meaning for
OF_A_TRACE = ("grants", "links", "routers", "energy", "clock", "flit_bits", "link_length")
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
    help="Width and height in routers; each has one node, number x + W·y.",
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
    "-o",
    "output",
    type=_FILE,
    metavar="OUT.csv",
    help="Write every packet's times, or the points of a curve.",
)
@click.option("--grants", type=_FILE, metavar="FILE", help="Write every grant of every switch.")
@click.option(
    "--links",
    type=_FILE,
    metavar="FILE",
    help="Write flits, utilisation and blocked cycles of each link: east is +x (to the node of the "
    "next number), north +y (W numbers on).",
)
@click.option(
    "--routers",
    type=_FILE,
    metavar="FILE",
    help="Write flits and buffer utilisation of each router.",
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
@naming_options()
def noc(trace: Path | None, mesh: tuple[int, int], **choices: Any) -> None:
    """Study the network on chip alone: run TRACE, or measure latency against offered load.

    TRACE is a CSV file with the header cycle,src,dst,size or cycle,src,dst,size,class, sorted by
    cycle; size is in flits.

    \b
    spikemesh noc trace.csv --mesh 8x8 -o packets.csv --grants grants.csv --links links.csv
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
        if choices[name] is not None:
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
    _refuse_shared_files(choices)
    if trace is not None:
        _run_trace(trace, plan, choices)
    elif choices["multicast"] is not None:
        _compare_multicast(plan, choices)
    else:
        _measure_curve(plan, choices)


def _refuse_shared_files(choices: dict[str, Any]) -> None:
    from simulator.errors import InputError

    names = {
        "-o": "output",
        "--grants": "grants",
        "--links": "links",
        "--routers": "routers",
        "--plot": "plot",
    }
    taken: dict[Path, str] = {}
    for option, name in names.items():
        if choices[name] is None:
            continue
        path = choices[name].resolve()
        if path in taken:
            raise InputError(f"{option}: is the same file as {taken[path]}: {choices[name]}")
        taken[path] = option


def _run_trace(path: Path, plan: Plan, choices: dict[str, Any]) -> None:
    from simulator.commands.progress import shown
    from simulator.describe.trace_file import TraceFile
    from simulator.report import noc as report
    from simulator.report import terminal
    from simulator.report.csv_rows import rows_writer
    from simulator.report.writing import whole_file
    from simulator.study.noc import GRANT_COLUMNS, PACKET_COLUMNS, run_trace

    price = _price(plan, choices)
    file = TraceFile(path, plan.width, plan.height)
    if path.is_file():  # a pipe can be read only once: its faults show when they come
        file.check()
    with ExitStack() as files, shown() as progress:
        writers = [
            None
            if choices[name] is None
            else rows_writer(files.enter_context(whole_file(choices[name])), columns)
            for name, columns in (("output", PACKET_COLUMNS), ("grants", GRANT_COLUMNS))
        ]
        result = run_trace(
            plan,
            file.windows(),
            engine=choices["engine"],
            write_packets=writers[0],
            write_grants=writers[1],
            progress=lambda arrived: progress("flits", arrived, max(file.n_flits, arrived)),
        )
        for name, rows in (("links", report.link_rows), ("routers", report.router_rows)):
            if choices[name] is not None:
                files.enter_context(whole_file(choices[name])).write(
                    ("\n".join(rows(result)) + "\n").encode()
                )
    network = report.network_name(plan, choices["routing"], choices["engine"])
    terminal.show(
        report.trace_view(
            path.name,
            network,
            result,
            None if price is None else (choices["energy"], price(result)),
        )
    )


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


def _traffic(plan: Plan, choices: dict[str, Any], rate: float) -> Any:
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
    from simulator.report import terminal
    from simulator.study.curve import curve

    rates = choices["rate"] or RATES
    cycles = choices["cycles"] if choices["cycles"] is not None else CYCLES
    traffic = _traffic(plan, choices, rates[0])
    if choices["plot"] is not None:
        report.figure_class()  # refuse before anything runs
    with shown() as progress:
        points = curve(plan, traffic, rates, cycles, engine=choices["engine"], progress=progress)
    network = report.network_name(plan, choices["routing"], choices["engine"])
    if choices["output"] is not None:
        report.write_lines(choices["output"], report.curve_rows(points))
    if choices["plot"] is not None:
        report.draw_curve(points, f"{traffic.pattern}, {network}", choices["plot"])
    terminal.show(report.curve_view(traffic, cycles, network, points))


def _compare_multicast(plan: Plan, choices: dict[str, Any]) -> None:
    from simulator.errors import InputError
    from simulator.report import noc as report
    from simulator.report import terminal
    from simulator.study.multicast import compare

    for name in ("output", "plot"):
        if choices[name] is not None:
            raise InputError(
                f"{'-o' if name == 'output' else '--plot'}: has no meaning with --multicast"
            )
    if choices["rate"] is None or len(choices["rate"]) != 1:
        raise InputError("--multicast: needs one --rate, in messages per node and cycle")
    cycles = choices["cycles"] if choices["cycles"] is not None else CYCLES
    traffic = _traffic(plan, choices, choices["rate"][0])
    saving = compare(plan, traffic, choices["multicast"], cycles, engine=choices["engine"])
    terminal.show(
        report.multicast_view(
            traffic,
            cycles,
            report.network_name(plan, choices["routing"], choices["engine"]),
            saving,
        )
    )
