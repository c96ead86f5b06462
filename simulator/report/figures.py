"""The pictures of a run: where its time and its joules go, who fires when, how long each inference
takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from simulator.account.terms import COMPONENTS
from simulator.report.charts import Dot, Scale, safe, scatter
from simulator.report.page import Figure
from simulator.study.simulation import Result
from simulator.timing.record import UNIT_STATES
from simulator.units import show

#: classes of report/page.py, in the order of what is stacked
STACK = ("a", "b", "c", "d", "e", "f", "g", "h", "i", "j")
WIDTH = 640.0
#: rows of cores a picture has, the busiest first
MOST_CORES = 48
#: spikes a picture has
MOST_SPIKES = 6000
#: inferences a picture has
MOST_INFERENCES = 2000
TWIN = {"snn": "spiking", "qnn": "quantised"}


def stacked(
    label: str,
    parts: Sequence[str],
    rows: Sequence[tuple[str, Sequence[float]]],
    form: Callable[[float], str],
    total: bool = True,
) -> str:
    """Return horizontal bars made of parts, with a legend; rows: (name, a value per part)."""
    shown = [k for k in range(len(parts)) if any(values[k] > 0 for _, values in rows)]
    names = min(max([len(name) for name, _ in rows] or [0]), 30) * 6.4 + 12
    room = WIDTH - names - (96 if total else 12)
    most = max([float(sum(values)) for _, values in rows] or [0.0]) or 1.0
    drawn, legend_high = _legend([(parts[k], STACK[k % len(STACK)]) for k in shown])
    top = 24 + legend_high
    drawn.insert(0, f'<text x="0" y="14">{safe(label)}</text>')
    for number, (name, values) in enumerate(rows):
        y, x = top + 22.0 * number, names
        drawn.append(
            f'<text x="{names - 6:.1f}" y="{y + 12:.1f}" text-anchor="end">{safe(name[:30])}</text>'
        )
        for k in shown:
            wide = room * float(values[k]) / most
            if wide <= 0:
                continue
            said = f"{name}, {parts[k]}: {form(float(values[k]))}"
            drawn.append(
                f'<rect class="{STACK[k % len(STACK)]}" x="{x:.2f}" y="{y:.1f}" '
                f'width="{wide:.2f}" height="16"><title>{safe(said)}</title></rect>'
            )
            x += wide
        if total:
            drawn.append(f'<text x="{x + 6:.1f}" y="{y + 12:.1f}">{safe(form(sum(values)))}</text>')
    high = top + 22.0 * len(rows) + 4
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {high:.0f}" role="img" '
        f'aria-label="{safe(label)}">\n' + "\n".join(drawn) + "\n</svg>"
    )


def _legend(entries: Sequence[tuple[str, str]]) -> tuple[list[str], float]:
    parts, x, y = [], 0.0, 22.0
    for words, kind in entries:
        wide = 6.6 * len(words) + 30
        if x and x + wide > WIDTH:
            x, y = 0.0, y + 18
        parts.append(
            f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="10" height="10"/>'
            f'<text x="{x + 14:.1f}" y="{y + 10:.1f}">{safe(words)}</text>'
        )
        x += wide
    return parts, y + (0 if not entries else 2)


def unit_time(result: Result) -> Figure:
    """Return where the cycles of every used core's units go, the busiest cores first."""
    record, network = result.record, result.workload.network
    rows = []
    for number in network.computed:
        for core in np.unique(result.mapping.cores[number]).tolist():
            rows.append((core, network.populations[number].name))
    by_core: dict[int, list[str]] = {}
    for core, name in rows:
        by_core.setdefault(core, []).append(name)
    cycles = record.unit_cycles.sum(axis=1)
    order = sorted(by_core, key=lambda core: -int(cycles[core, 0]))
    some = order[:MOST_CORES]
    bars = [
        (f"{core} {', '.join(by_core[core])}", cycles[core] / max(cycles[core].sum(), 1))
        for core in some
    ]
    left = f"; the {len(some)} busiest of {len(order)} cores" if len(some) < len(order) else ""
    title = f"Time of the units of each core, {TWIN[result.mode]} twin"
    return Figure(
        stacked(title, UNIT_STATES, bars, lambda share: f"{share:.1%}", total=False),
        f"Share of the run's cycles in which a core's three units were in each state{left}.",
    )


def energy_bars(results: Sequence[Result]) -> Figure:
    """Return the joules of an inference by component, a bar for each twin."""
    rows = [
        (TWIN[one.mode], [one.ledger.by_component[c] / max(one.finished, 1) for c in COMPONENTS])
        for one in results
    ]
    return Figure(
        stacked("Energy per inference by component", COMPONENTS, rows, _joules),
        "The parts of the ledger; they add up to the energy of the table.",
    )


def population_energy(results: Sequence[Result]) -> Figure:
    """Return the joules of an inference by population, a bar for each twin."""
    network = results[0].workload.network
    names = [population.name for population in network.populations]
    rows = []
    for one in results:
        joules = one.ledger.by_population.sum(axis=0) / max(one.finished, 1)
        rows.append((TWIN[one.mode], [*joules.tolist()]))
    extra = len(rows[0][1]) - len(names)
    parts = [*names, *(["the chip"] if extra == 1 else [f"part {n}" for n in range(extra)])]
    return Figure(
        stacked("Energy per inference by population", parts, rows, _joules),
        "Each population's cores, and what belongs to no population.",
    )


def _joules(value: float) -> str:
    return show(value, "J")


def latency(results: Sequence[Result]) -> Figure:
    """Return the latency of each inference, in microseconds or what fits."""
    dots, colours = [], dict(zip(("snn", "qnn"), ("a", "b")))
    for one in results:
        for number, cycles in enumerate(one.latency_cycles[:MOST_INFERENCES].tolist()):
            seconds = cycles * one.chip.period
            said = f"{TWIN[one.mode]}, inference {number}: {show(seconds, 's')} ({cycles:,} cycles)"
            dots.append(Dot(number, seconds, said, colours[one.mode]))
    y = Scale.over("latency", [dot.y for dot in dots], lambda s: show(s, "s", 3), from_zero=True)
    key = [(colours[one.mode], TWIN[one.mode]) for one in results]
    n = max((one.finished for one in results), default=0)
    x = Scale("inference", -0.5, max(min(n, MOST_INFERENCES), 1) - 0.5, is_whole=True)
    some = f" of the first {MOST_INFERENCES} inferences" if n > MOST_INFERENCES else ""
    return Figure(
        scatter(x, y, dots, legend=key),
        f"From an inference's first step to its last output{some}.",
    )


def raster(result: Result, inference: int = 0) -> Figure:
    """Return who sends what in one inference: a point per event, populations one above the
    other.
    """
    network, window = result.workload.network, result.raster.timesteps
    dots: list[Dot] = []
    edge, left = 0, 0
    bands: list[tuple[str, int, int]] = []
    for number, population in enumerate(network.populations):
        trace = result.raster.traces[number]
        bands.append((population.name, edge, edge + population.n_neurons))
        first = trace.start[inference * window]
        for step in range(window):
            low, high = trace.start[inference * window + step : inference * window + step + 2]
            for neuron, value in zip(trace.neuron[low:high], trace.value[low:high]):
                said = f"{population.name} {neuron}, timestep {step}"
                said += "" if value == 1 else f", value {value}"
                kind = STACK[number % len(STACK)]
                dots.append(Dot(step, edge + int(neuron), said, kind, 2.0))
        left += int(trace.start[(inference + 1) * window] - first)
        edge += population.n_neurons
    some = dots[:: max(1, -(-len(dots) // MOST_SPIKES))]
    x = Scale("timestep", -0.5, window - 0.5, is_whole=True)
    y = Scale("neuron", -0.5, max(edge, 1) - 0.5, form=lambda value: f"{value:,.0f}")
    key = [(STACK[n % len(STACK)], name) for n, (name, _, _) in enumerate(bands)][-len(STACK) :]
    every = "" if len(some) == len(dots) else f", one of {-(-len(dots) // MOST_SPIKES)} drawn"
    return Figure(
        scatter(x, y, some, legend=key if sum(len(n) for _, n in key) < 60 else ()),
        f"Inference {inference} of the {TWIN[result.mode]} twin: {left:,} events{every}; "
        f"populations from the bottom: {', '.join(name for name, _, _ in bands)}.",
    )


def all_of(results: Sequence[Result]) -> list[Any]:
    """Return the pictures of one run, or of both twins, in the order a page has them."""
    times = [unit_time(one) for one in results]
    rasters = [raster(one) for one in results if one.finished]
    return [
        energy_bars(results),
        population_energy(results),
        *times,
        *([latency(results)] if any(one.finished for one in results) else []),
        *rasters,
    ]
