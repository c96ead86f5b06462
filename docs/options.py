"""The tables and the picture of docs/options.md, from the folder that docs/options.sh made.

`python docs/options.py FOLDER` prints the tables in Markdown and writes docs/figures/options.svg.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PRODUCT = "energy_delay_product_js"
#: study, heading, its axes
STUDIES = {
    "channels": ("VCs × flits of each", ("channels", "router.buffer")),
    "channels-single": ("VCs × flits of each, one-flit packets", ("channels", "router.buffer")),
    "lanes-and-banks": ("lanes × banks", ("core.synapse.lanes", "core.synapse.banks")),
    "memory": ("weight memory of a core", ("core.memory.synapses",)),
    "word": ("word of the weight memory", ("word",)),
    "voltage": ("supply voltage", ("technology.voltage",)),
}
#: what the picture shows: study, heading, axis
PANELS = (
    ("channels", "virtual channels", "channels"),
    ("channels", "flits of a channel", "router.buffer"),
    ("lanes-and-banks", "lanes", "core.synapse.lanes"),
    ("lanes-and-banks", "banks", "core.synapse.banks"),
    ("memory", "weight memory of a core", "core.memory.synapses"),
    ("word", "word of the weight memory", "word"),
    ("voltage", "supply voltage", "technology.voltage"),
)
WIDTH, HEIGHT, LEFT, TOP, ACROSS = 300, 210, 46, 40, 4
COLOURS = ("#0072b2", "#d55e00")
Row = dict[str, str]


def points(folder: Path, study: str) -> dict[str, list[Row]]:
    """Return the points of a study that ran to their end, by workload."""
    found: dict[str, list[Row]] = {}
    with open(folder / study / "points.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rows = found.setdefault(Path(row["workload"]).name, [])
            if row["status"] == "done":
                rows.append(row)
    return found


def product(row: Row) -> float:
    """Return a point's energy-delay product in J·s."""
    return float(row[PRODUCT])


def numbers(row: Row) -> str:
    """Return what a point costs, as cells of a table."""
    latency = float(row["latency_cycles.mean"]) * float(row["period_s"])
    joules, area = float(row["energy_j.per_inference"]), float(row["area_mm2.total"])
    clock = 1e-6 / float(row["period_s"])
    return f"{joules * 1e9:,.4g} nJ | {latency * 1e6:,.4g} µs | {clock:,.0f} MHz | {area:.3g} mm²"


def line(study: str, by_workload: dict[str, list[Row]]) -> list[str]:
    """Return a table of one axis: each value's product over the least, by workload."""
    heading, (axis,) = STUDIES[study]
    names = list(by_workload)
    text = [f"| {heading} | {' | '.join(names)} |", "|---|" + "---:|" * len(names)]
    values = list(dict.fromkeys(row[axis] for rows in by_workload.values() for row in rows))
    for value in sorted(values, key=lambda text: float(text.split()[0]) * _large(text)):
        cells = []
        for rows in by_workload.values():
            least = min(map(product, rows))
            here = [product(row) / least for row in rows if row[axis] == value]
            cells.append(_cell(here[0]) if here else "–")
        text.append(f"| {value} | {' | '.join(cells)} |")
    return text


def matrix(study: str, workload: str, rows: list[Row]) -> list[str]:
    """Return a table of two axes for one workload: each point's product over the least."""
    _, (first, second) = STUDIES[study]
    least = min(map(product, rows))
    across = sorted({row[second] for row in rows}, key=float)
    text = [f"| {workload} | {' | '.join(across)} |", "|---|" + "---:|" * len(across)]
    for value in sorted({row[first] for row in rows}, key=float):
        here = {row[second]: product(row) / least for row in rows if row[first] == value}
        cells = [_cell(here[other]) if other in here else "–" for other in across]
        text.append(f"| {value} | {' | '.join(cells)} |")
    return text


def _cell(ratio: float) -> str:
    return "**1**" if ratio == 1 else f"{ratio:.3f}" if ratio < 10 else f"{ratio:.1f}"


def _large(text: str) -> float:
    return {"MiB": 1024.0}.get(text.split()[-1], 1.0)


def panel(number: int, heading: str, axis: str, by_workload: dict[str, list[Row]]) -> list[str]:
    """Return one axis as a picture: the least product at each of its values."""
    x0, y0 = LEFT + (number % ACROSS) * WIDTH, TOP + number // ACROSS * HEIGHT
    wide, high = WIDTH - 70, HEIGHT - 80
    values = sorted(
        {row[axis] for rows in by_workload.values() for row in rows},
        key=lambda text: float(text.split()[0]) * _large(text),
    )
    best = {
        name: {
            value: min(product(row) for row in rows if row[axis] == value) / min(map(product, rows))
            for value in values
            if any(row[axis] == value for row in rows)
        }
        for name, rows in by_workload.items()
    }
    top = min(max(max(one.values()) for one in best.values()), 3.0)

    def x(value: str) -> float:
        return x0 + wide * (values.index(value) + 0.5) / len(values)

    def y(ratio: float) -> float:
        return y0 + high * (1 - (min(ratio, top) - 1) / max(top - 1, 1e-9))

    parts = [
        f'<text x="{x0}" y="{y0 - 12}" class="head">{heading}</text>',
        f'<path d="M{x0},{y0 - 4} V{y0 + high} H{x0 + wide}" class="axis"/>',
        f'<text x="{x0 - 6}" y="{y0 + high + 4}" class="end">1</text>',
        f'<text x="{x0 - 6}" y="{y0 + 4}" class="end">{top:.2f}</text>',
    ]
    every = -(-len(values) // 6)
    for place, value in enumerate(values):
        if place % every == 0:
            words = value.replace(" KiB", "K").replace(" bit", "").replace(" V", "")
            parts.append(
                f'<text x="{x(value):.0f}" y="{y0 + high + 16}" class="mid">{words}</text>'
            )
    for (_, one), colour in zip(best.items(), COLOURS):
        path = " ".join(f"{x(value):.1f},{y(ratio):.1f}" for value, ratio in one.items())
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        at, ratio = min(one.items(), key=lambda pair: pair[1])
        parts.append(f'<circle cx="{x(at):.1f}" cy="{y(ratio):.1f}" r="5" fill="{colour}"/>')
    return parts


def picture(found: dict[str, dict[str, list[Row]]]) -> str:
    """Return the five questions as one SVG."""
    names = list(next(iter(found.values())))
    parts = [
        part
        for n, (study, heading, axis) in enumerate(PANELS)
        for part in panel(n, heading, axis, found[study])
    ]
    x, y = LEFT + (ACROSS - 1) * WIDTH, TOP + HEIGHT
    for number, (name, colour) in enumerate(zip(names, COLOURS)):
        parts.append(f'<circle cx="{x + 6}" cy="{y + 20 * number}" r="5" fill="{colour}"/>')
        parts.append(f'<text x="{x + 18}" y="{y + 4 + 20 * number}">{name}</text>')
    said = ("energy-delay product over", "the least of the question;", "dots: the least")
    for number, words in enumerate(said):
        parts.append(f'<text x="{x}" y="{y + 60 + 18 * number}">{words}</text>')
    style = (
        "text{font:12px sans-serif;fill:#444}.head{font-weight:bold}.end{text-anchor:end}"
        ".mid{text-anchor:middle}.axis{stroke:#888;fill:none}"
    )
    inner = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {ACROSS * WIDTH} {2 * HEIGHT}">\n'
        f"<title>Five questions about a chip, each with its best answer inside the range</title>\n"
        f"<style>{style}</style>\n<rect width='100%' height='100%' fill='#fff'/>\n{inner}\n</svg>\n"
    )


def main(folder: Path) -> None:
    """Print the tables and write the picture."""
    found = {study: points(folder, study) for study in STUDIES}
    print("| question | workload | best | energy | latency | clock | area |")
    print("|---|---|---|---:|---:|---:|---:|")
    for study, by_workload in found.items():
        heading, axes = STUDIES[study]
        for workload, rows in by_workload.items():
            best = min(rows, key=product)
            at = " × ".join(best[axis] for axis in axes)
            print(f"| {heading} | {workload} | {at} | {numbers(best)} |")
    for study, by_workload in found.items():
        print(f"\n{STUDIES[study][0]}\n")
        if len(STUDIES[study][1]) == 1:
            print("\n".join(line(study, by_workload)))
        else:
            tables = [matrix(study, *pair) for pair in by_workload.items()]
            print("\n\n".join("\n".join(one) for one in tables))
    (HERE / "figures" / "options.svg").write_text(picture(found), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
