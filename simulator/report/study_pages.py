"""report.html of the studies: what the terminal shows, with the study's curve above it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from simulator.report.always_on import NAMES, always_on_view
from simulator.report.blocks import Block, Title
from simulator.report.charts import Dot, Scale, bars, scatter
from simulator.report.crossover import crossover_view
from simulator.report.page import Figure, Part, page
from simulator.study.always_on import Outcome
from simulator.study.crossover import METRICS, Finding
from simulator.study.curve import LoadPoint
from simulator.study.noc import NocResult
from simulator.units import show

POLICY_COLOUR = {"never": "b", "gate": "e", "off": "a"}
#: links a picture has, the busiest first
MOST_LINKS = 16
DIRECTIONS = ("east", "west", "north", "south")


def blocks_page(
    blocks: Sequence[Block], figures: Sequence[Figure] = (), title: str = "spikemesh"
) -> str:
    """Return a page of blocks with figures below its title."""
    titles = [block for block in blocks if isinstance(block, Title)][:1]
    first: list[Part] = [*(titles or [Title(title)]), *figures]
    name = titles[0].text if titles else title
    return page(name, [*first, *(block for block in blocks if block not in titles)])


def always_on_page(outcomes: list[Outcome], battery: float | None) -> str:
    """Return report.html of an always-on study: power against duty for each policy."""
    dots: list[Dot] = []
    lines: list[tuple[str, Sequence[Dot]]] = []
    policies = list(dict.fromkeys(outcome.policy for outcome in outcomes))
    for policy in policies:
        kind = POLICY_COLOUR[policy]
        mine = sorted(
            (one for one in outcomes if one.policy == policy), key=lambda one: one.stream.duty
        )
        simulated = [
            Dot(float(one.stream.duty), one.power, _power(NAMES[policy], one, one.power), kind)
            for one in mine
        ]
        ideal = [Dot(float(one.stream.duty), one.ideal_power) for one in mine]
        dots += simulated
        lines += [(kind, simulated), ("rest", ideal)]
    x = Scale.over("share of the frames with a signal", [dot.x for dot in dots])
    y = Scale.over("average power", [d.y for _, along in lines for d in along], _watts)
    legend = [(POLICY_COLOUR[policy], NAMES[policy]) for policy in policies]
    picture = Figure(
        scatter(x, y, dots, lines, legend),
        "Average power by gating policy; dashed, the ideal formula P_active·D + P_sleep·(1 - D).",
    )
    return blocks_page(always_on_view(outcomes, battery), [picture])


def _watts(value: float) -> str:
    return show(value, "W", 3)


def _power(name: str, outcome: Outcome, watts: float) -> str:
    return f"{name}, duty {float(outcome.stream.duty):g}: {show(watts, 'W')}"


def crossover_page(findings: Sequence[Finding], about: str, resolution: float) -> str:
    """Return report.html of a crossover study: spike rates at which the twins cost the same."""
    colours = dict(zip(METRICS, "abc"))
    dots = [
        Dot(one.timesteps, rate, f"T = {one.timesteps}{_setting(one)}, {metric}: {rate:.2%}", kind)
        for one in findings
        for metric, kind in colours.items()
        for rate in one.crossing[metric].rate
    ]
    formula = [
        Dot(one.timesteps, float(rate), f"T = {one.timesteps}, formula at H = 1: {rate:.2%}")
        for one in findings
        for rate in one.formula.crossing
    ]
    figures = []
    if dots or formula:
        windows = [dot.x for dot in (*dots, *formula)]
        x = Scale("timesteps T", min(windows) - 0.5, max(windows) + 0.5, is_whole=True)
        rates = [dot.y for dot in (*dots, *formula)]
        y = Scale.over("spike rate", rates, lambda r: f"{r:.1%}", is_log=False, from_zero=True)
        legend = [*((kind, metric) for metric, kind in colours.items()), ("rest", "formula")]
        figures = [
            Figure(
                scatter(x, y, [*formula, *dots], legend=legend),
                "Where both twins cost the same; below a point one twin is cheaper, above it the "
                "other (the table says which). The formula is the closed form at one hop.",
            )
        ]
    return blocks_page(crossover_view(findings, about, resolution), figures, about)


def _setting(finding: Finding) -> str:
    return "".join(f", {key} {value}" for key, value in finding.setting.items())


def curve_page(points: Sequence[LoadPoint], blocks: Sequence[Block], title: str) -> str:
    """Return report.html of a load curve: latency against what is offered."""
    dots = [
        Dot(
            point.offered, point.latency.mean,
            f"offered {point.offered:.4g}, accepted {point.accepted:.4g} flits per node and cycle: "
            f"{point.latency.mean:,.1f} cycles{', saturated' if point.is_saturated else ''}",
            "b" if point.is_saturated else "a",
        )
        for point in points
        if point.packets
    ]  # fmt: skip
    if not dots:
        return blocks_page(blocks, [], title)
    x = Scale.over("offered flits per node and cycle", [dot.x for dot in dots], is_log=False)
    y = Scale.over("mean latency, cycles", [dot.y for dot in dots], lambda c: f"{c:,.4g}")
    steady = [("a", [dot for dot in dots if dot.colour == "a"])]
    legend = [("a", "steady"), ("b", "saturated")]
    picture = Figure(
        scatter(x, y, dots, steady, legend),
        "Latency from injection to the last flit's arrival; a saturated point's grows with the "
        "cycles simulated.",
    )
    return blocks_page(blocks, [picture], title)


def trace_page(result: NocResult, blocks: Sequence[Block], title: str) -> str:
    """Return report.html of a trace on the network alone: its busiest links."""
    flits = result.record.link_flits[:, :4]
    cycles, width = max(result.record.cycles, 1), result.plan.width
    order = sorted(range(flits.size), key=lambda place: -int(flits.flat[place]))
    rows = [
        (f"{k // 4 % width},{k // 4 // width} {DIRECTIONS[k % 4]}", float(flits.flat[k]), "a")
        for k in order[:MOST_LINKS]
        if flits.flat[k]
    ]
    form: Callable[[float], str] = lambda n: f"{n:,.0f} ({n / cycles:.1%})"  # noqa: E731
    figures = []
    if rows:
        figures = [
            Figure(
                bars("flits over a mesh link (share of the run's cycles)", rows, form),
                f"The {len(rows)} busiest mesh links: the router they leave, and where to.",
            )
        ]
    return blocks_page(blocks, figures, title)
