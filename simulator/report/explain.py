"""What an explanation shows: the bottleneck, what each relaxation brings, and the floorline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simulator.report.blocks import Block, Column, Facts, Title, Verdict, table, words
from simulator.report.charts import COLOURS, Dot, Scale, bars, scatter
from simulator.report.files import manifest
from simulator.report.page import Figure, Figures, Part, page
from simulator.report.writing import MANIFEST, Folder
from simulator.study.explain import BOUNDS, Explanation, Floorline
from simulator.units import show

#: steps drawn: more are one cloud
MOST_DOTS = 2000
STEPS = ("step", "cycles", "barrier_cycles", *(f"{name}_cycles" for name in BOUNDS), "critical")
RELAXED = ("resource", "changed", "speed_up", "energy_ratio", "cycles", "why_not")


def explain_view(found: Explanation) -> list[Block]:
    """Return the explanation for a terminal."""
    base = found.base
    detail = f"{base.mode}, T = {base.timesteps}, {base.finished} inferences"
    blocks: list[Block] = [Title(f"{base.workload.name} on {base.chip.name}", detail)]
    blocks.append(_bounds(found))
    measured = [each for each in found.relaxations if each.speed_up is not None]
    blocks.append(
        table(
            [
                words("resource"),
                words("changed", wraps=True),
                Column("speed-up", form=_ratio),
                Column("energy", form=_ratio),
            ],
            [(e.resource, e.changed, e.speed_up, e.energy_ratio) for e in measured],
            "The same run with one resource relaxed, measured",
        )
    )
    rest = [each for each in found.relaxations if each.speed_up is None]
    if rest:
        blocks.append(
            table(
                [words("resource"), words("why not", wraps=True)],
                [(each.resource, each.why_not) for each in rest],
                "Not relaxed",
            )
        )
    blocks.append(Verdict(found.sentence(), "Bottleneck"))
    return blocks


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _bounds(found: Explanation) -> Facts:
    """Return how much of the run the bounds of its steps explain."""
    line, base = found.floorline, found.base
    shorter = "run" if line.overlaps else "steps"
    total = max(base.record.cycles, 1)

    def said(cycles: int) -> str:
        return f"{cycles:,} cycles, {cycles / total:.1%} of the run"

    rows = [("the run", f"{base.record.cycles:,} cycles ({show(base.seconds, 's')})")]
    rows += [
        (f"{name} work of the busiest core", said(int(line.total[number])))
        for number, name in enumerate(BOUNDS)
    ]
    if line.overlaps:
        rows.append(("the highest of them", said(line.run_floor)))
    else:
        rows.append(("the highest of them, step by step", said(line.run_floor)))
        rows.append(("barriers", said(int(line.barrier.sum()))))
    names, counts = np.unique(line.critical, return_counts=True)
    most = sorted(zip(counts.tolist(), names.tolist()), reverse=True)
    rows.append(("most of a step goes to", ", ".join(f"{name} ({n:,} steps)" for n, name in most)))
    return Facts(tuple(rows), f"Floorline: what the {shorter} could not be shorter than")


def explain_page(found: Explanation) -> str:
    """Return the explanation's report.html."""
    title, *rest = explain_view(found)
    verdict = rest.pop()
    parts: list[Part] = [title, verdict]
    parts.append(Figures((_relaxations(found), _floorline(found.floorline))))
    return page(f"{found.base.workload.name} on {found.base.chip.name}", [*parts, *rest])


def _relaxations(found: Explanation) -> Figure:
    best = found.bottleneck
    rows = [
        (each.resource, each.speed_up, "a" if best and each.resource == best.resource else "rest")
        for each in found.relaxations
        if each.speed_up is not None
    ]
    svg = bars("speed-up with the resource relaxed", rows, lambda value: f"{value:.3f}×", start=1.0)
    return Figure(
        svg, "How many times as fast the run is with one resource relaxed; bars begin at 1."
    )


def _floorline(line: Floorline) -> Figure:
    """Draw each step's time over the highest bound of it."""
    every = -(-len(line.cycles) // MOST_DOTS) or 1
    critical = line.critical
    names = [name for name in (*BOUNDS, "barrier", "waiting") if name in critical]
    colour = dict(zip((*BOUNDS, "barrier", "waiting"), COLOURS))
    x = np.maximum(line.floor, 1)
    dots = [
        Dot(
            float(x[n]),
            float(line.cycles[n]),
            f"step {n}: {line.cycles[n]:,} cycles, floor {line.floor[n]:,} ({critical[n]})",
            colour[critical[n]],
        )
        for n in range(0, len(x), every)
    ]
    across = Scale.over("floor: work of the busiest core (cycles)", x.tolist(), _count)
    up = Scale.over("time of the step (cycles)", [*line.cycles.tolist(), *x.tolist()], _count)
    low = max(across.low, up.low, 1.0 if across.is_log or up.is_log else 0.0)
    ends = [low, min(across.high, up.high)]
    bound = [Dot(end, end) for end in ends] if ends[1] > ends[0] else []
    if across.is_log != up.is_log:  # the bound is a line only where both are alike
        across = Scale.over(across.label, x.tolist(), _count, is_log=up.is_log)
    svg = scatter(across, up, dots, [("rest", bound)], [(colour[name], name) for name in names])
    said = "" if every == 1 else f", one of {every}"
    return Figure(
        svg,
        f"Every step of the run{said}; on the dashed line it takes no longer than its busiest core "
        f"works. Colours: what most of the step goes to.",
    )


def _count(value: float) -> str:
    return f"{value:,.0f}"


def put_explain(found: Explanation, folder: Folder, options: dict[str, Any] | None = None) -> None:
    """Write explain.json, relaxations.csv, floorline.csv, report.html and manifest.json."""
    folder.json("explain.json", found.summary())
    rows: Sequence[Any] = [[getattr(e, name) for name in RELAXED] for e in found.relaxations]
    folder.table("relaxations.csv", RELAXED, rows)
    line = found.floorline
    columns = zip(line.cycles.tolist(), line.barrier.tolist(), line.bounds.tolist(), line.critical)
    steps = [
        (n, cycles, barrier, *bounds, c) for n, (cycles, barrier, bounds, c) in enumerate(columns)
    ]
    folder.table("floorline.csv", STEPS, steps)
    folder.text("report.html", explain_page(found))
    folder.json(MANIFEST, manifest(found.base, None, options))
