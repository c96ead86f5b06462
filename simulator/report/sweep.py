"""What a sweep shows: its answer, its front, which axis moves what, and every point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simulator.report.blocks import Block, Column, Paragraph, Table, Title, Verdict, table, words
from simulator.report.charts import COLOURS, Dot, Scale, scatter
from simulator.report.page import Figure, Figures, Folded, Part, page
from simulator.study.front import Effect
from simulator.study.table import Row, SweepResult, shown

#: rows of points that a page holds; points.csv has them all
MOST_ROWS = 500


def sweep_view(result: SweepResult) -> list[Block]:
    """Return the sweep for a terminal."""
    blocks: list[Block] = [Title(result.study.name, result.study.question)]
    if result.front:
        blocks.append(_rows(result, result.front, _front_title(result)))
    if any(each.ratio > 1 for each in result.effects):
        blocks.append(_effects(result.effects))
    blocks += _decisions(result)
    lost = [row for row in result.rows if row.reason]
    if lost:
        blocks.append(_lost(lost[:5], f"{len(lost)} points are not counted; the first of them"))
    blocks.append(Verdict(result.sentence(), "Answer"))
    return blocks


def sweep_page(result: SweepResult) -> str:
    """Return the sweep's report.html."""
    study = result.study
    parts: list[Part] = [
        Title(study.name, study.question),
        Verdict(result.sentence(), "Answer"),
    ]
    if result.front:
        if len(study.objectives) > 1:
            parts.append(_picture(result))
        parts.append(_rows(result, result.front, _front_title(result)))
    if any(each.ratio > 1 for each in result.effects):
        parts.append(Figures(tuple(_effect(each) for each in result.effects[:8])))
        parts.append(_effects(result.effects))
    parts += _decisions(result)
    lost = [row for row in result.rows if row.reason]
    if lost:
        parts.append(Folded(f"{len(lost)} points that are not counted", (_lost(lost, ""),)))
    first = result.rows[:MOST_ROWS]
    title = f"All {len(result.rows)} points" if len(first) == len(result.rows) else (
        f"The first {len(first)} of {len(result.rows)} points; points.csv has all")  # fmt: skip
    parts.append(Folded(title, (_rows(result, first, ""),)))
    axes = ", ".join(axis.name for axis in study.axes) or "none"
    parts.append(
        Paragraph(f"Axes: {axes}. Points by {study.method}, seed {study.seed}.", tone="faint")
    )
    return page(study.name, parts)


def _front_title(result: SweepResult) -> str:
    if len(result.study.objectives) == 1:
        return "Best point"
    n = len(result.front)
    many = "1 point that no other one beats" if n == 1 else f"{n} points that no other one beats"
    return f"Front: {many} in everything"


def _number(name: str) -> Column:
    return Column(name, form=lambda value: shown(name, value))


def _rows(result: SweepResult, rows: Sequence[Row], title: str) -> Table:
    columns: list[Column | str] = [Column("point"), *(Column(a.name) for a in result.study.axes)]
    columns += [_number(name) for name in result.study.metrics]
    return table(columns, [(row.number, *row.labels, *row.values) for row in rows], title)


def _effects(effects: Sequence[Effect]) -> Table:
    def group(each: tuple[str, float, int], metric: str) -> str:
        return f"{each[0]}: {shown(metric, each[1])}"

    return table(
        [words("axis"), words("metric"), Column("least"), Column("largest"), Column("ratio")],
        [
            (e.axis, e.metric, group(e.least, e.metric), group(e.most, e.metric), f"{e.ratio:.3g}")
            for e in effects
            if e.ratio > 1
        ],
        "What each axis moves: means over all other axes",
        keys=2,
    )


def _decisions(result: SweepResult) -> list[Block]:
    """Return the best points at each value of an axis, where that changes the best choice."""
    blocks: list[Block] = []
    for each in result.decisions:
        names = [axis.name for axis in result.study.axes]
        rest = [n for n in range(len(names)) if n != each.place]
        place = result.study.metrics.index(each.objective)
        columns: list[Column | str] = [words(each.axis), *(Column(names[n]) for n in rest)]
        rows = [
            (row.labels[each.place], *(row.labels[n] for n in rest), row.values[place])
            for row in each.rows
        ]
        title = f"The best {each.objective} at each {each.axis}"
        blocks.append(table([*columns, _number(each.objective)], rows, title))
    return blocks


def _lost(rows: Sequence[Row], title: str) -> Table:
    return table(
        [Column("point"), words("status"), words("why", wraps=True)],
        [(row.number, row.status, row.reason) for row in rows],
        title,
    )


def _picture(result: SweepResult) -> Figure:
    """Draw the first two objectives of every point that is done, the front joined."""
    names = list(result.study.objectives)[:2]
    place = [result.study.metrics.index(name) for name in names]
    on_front = {row.number for row in result.front}

    def dot(row: Row) -> Dot:
        x, y = (float(row.values[at]) for at in place)
        said = f"point {row.number}: {result.described(row)}; " + ", ".join(
            f"{name} {shown(name, row.values[at])}" for name, at in zip(names, place)
        )
        return Dot(x, y, said, "a" if row.number in on_front else "rest")

    dots = sorted((dot(row) for row in result.done), key=lambda each: each.colour != "rest")
    scales = [
        Scale.over(name, [float(row.values[at]) for row in result.done], _form(name))
        for name, at in zip(names, place)
    ]
    along = sorted((dot(row) for row in result.front), key=lambda each: each.x)
    lines = [("a", along)] if len(names) == len(result.study.objectives) else []
    svg = scatter(scales[0], scales[1], dots, lines, [("a", "front"), ("rest", "other points")])
    return Figure(svg, f"{names[1]} against {names[0]} of {len(dots)} points.")


def _form(metric: str) -> Any:
    return lambda value: shown(metric, value)


def _effect(each: Effect) -> Figure:
    """Draw the means of one metric along one axis."""
    means = [mean for _, mean, _ in each.groups]
    dots = [
        Dot(float(n), mean, f"{label}: {shown(each.metric, mean)} over {count} points", "a")
        for n, (label, mean, count) in enumerate(each.groups)
    ]
    names = [label for label, _, _ in each.groups]

    def named(value: float) -> str:
        is_one = value == int(value) and 0 <= value < len(names)
        return names[int(value)] if is_one else ""

    x = Scale(each.axis, -0.5, len(names) - 0.5, False, named)
    y = Scale.over(each.metric, means, _form(each.metric))
    svg = scatter(x, y, dots, [(COLOURS[0], dots)])
    return Figure(svg, f"Mean {each.metric} by {each.axis}, over all other axes.")
