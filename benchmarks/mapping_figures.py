"""Draws docs/figures/mapping-good.svg and mapping-bad.svg: one network mapped twice, every core
coloured by how long its busiest unit works, every link as wide as its load.

    python -m benchmarks.mapping_figures
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simulator.describe.chip import Chip
from simulator.describe.workload import Workload
from simulator.mapping.core_mapping import moved
from simulator.mapping.partition import partition
from simulator.report.chip_map import colour
from simulator.study import plans
from simulator.study.pipeline import compute
from simulator.study.simulation import Result
from simulator.timing.record import BUSY
from simulator.units import show

FIGURES = Path(__file__).resolve().parents[1] / "docs" / "figures"
PITCH, SIDE, TOP = 44, 30, 46


def drawn(result: Result, name: str, most: float) -> str:
    """Return a chip map: `most` busy cycles and link flits are the darkest and the widest."""
    plan, record = result.plan, result.record
    busy = record.unit_cycles[:, :, BUSY].max(axis=1)
    wide, high = plan.width * PITCH + 20, plan.height * PITCH + TOP + 10
    each = result.ledger.total / result.finished
    said = (
        f"{name}: {result.mapping.n_used} cores, {show(each, 'J')}, "
        f"{record.cycles / result.finished:,.0f} cycles, "
        f"{result.count('packets_sent') / result.finished:,.0f} packets per inference"
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}">',
        f"<title>{said}</title>",
        f'<rect width="{wide}" height="{high}" fill="#fff"/>',
        f'<text x="10" y="18" font-family="sans-serif" font-size="13">{name}</text>',
        f'<text x="10" y="36" font-family="sans-serif" font-size="10">{said.split(": ")[1]}</text>',
    ]
    names = [population.name for population in result.workload.network.populations]
    flits = record.link_flits[:, :4]
    for router in range(plan.n_routers):
        x, y = router % plan.width, router // plan.width
        for way, (dx, dy) in enumerate(((1, 0), (-1, 0), (0, 1), (0, -1))):
            load = flits[router, way] / max(flits.max(), 1)
            if load and 0 <= x + dx < plan.width and 0 <= y + dy < plan.height:
                parts.append(line(x, y, dx, dy, load))
    for core in range(plan.n_cores):
        x, y = core % plan.width * PITCH + 10, core // plan.width * PITCH + TOP
        held = [names[n][0] + names[n][-1] for n in np.flatnonzero(result.mapping.neurons[core])]
        fill = colour(busy[core] / most) if held else "#f4f4f4"
        parts.append(
            f'<rect x="{x}" y="{y}" width="{SIDE}" height="{SIDE}" fill="{fill}" stroke="#888"/>'
        )
        ink = "#fff" if busy[core] > most / 2 else "#000"
        parts.append(
            f'<text x="{x + SIDE / 2}" y="{y + 19}" font-size="10" text-anchor="middle" '
            f'font-family="sans-serif" fill="{ink}">{",".join(held)}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])


def line(x: int, y: int, dx: int, dy: int, load: float) -> str:
    """Return half a link, as wide as its load."""
    a, b = x * PITCH + 10 + SIDE / 2, y * PITCH + TOP + SIDE / 2
    off = 4 if dx > 0 or dy > 0 else -4
    a, b = (a, b + off) if dx else (a + off, b)
    return (
        f'<line x1="{a}" y1="{b}" x2="{a + dx * PITCH}" y2="{b + dy * PITCH}" stroke="#b3541e" '
        f'stroke-width="{1 + 5 * load:.1f}" opacity="0.7"/>'
    )


def main() -> None:
    """Draw both."""
    workload, chip = Workload.load("digits-cnn"), Chip.load("generic-22nm")
    computed = compute(workload, "snn", limit=10)
    good = plans.map_workload(workload, chip).mapping
    bad = moved(partition(workload, chip), plans.at_random(chip, 3))
    results = [plans.simulate(workload, chip, each, computed) for each in (good, bad)]
    most = max(float(one.record.unit_cycles[:, :, BUSY].max()) for one in results)
    for result, file, name in zip(results, ("good", "bad"), ("Spatial tiles", "Channels")):
        place = "annealed places" if file == "good" else "at random places"
        (FIGURES / f"mapping-{file}.svg").write_text(drawn(result, f"{name}, {place}", most))
        print(file, result.ledger.total / 10, result.record.cycles / 10)


if __name__ == "__main__":
    main()
