"""Figures as SVG, drawn from numbers: points, lines and bars, with axes that say their units.

Colours are the classes of report/page.py, so that a figure follows the page's scheme and its print.
Whatever the mouse rests on says its numbers (`title` elements); nothing needs a script.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape

from simulator.report.blocks import plain

WIDTH, HEIGHT = 640.0, 400.0
LEFT, RIGHT, TOP, BOTTOM = 84.0, 16.0, 28.0, 52.0
COLOURS = ("a", "b", "c", "d", "e")


@dataclass(frozen=True)
class Scale:
    """Numbers along one direction of a figure."""

    label: str
    low: float
    high: float
    is_log: bool = False
    form: Callable[[float], str] = field(default=lambda value: f"{value:g}")
    is_whole: bool = False  # a count: nothing between whole numbers

    @classmethod
    def over(
        cls,
        label: str,
        values: Sequence[float],
        form: Callable[[float], str] = lambda value: f"{value:g}",
        *,
        is_log: bool | None = None,
        from_zero: bool = False,
    ) -> Scale:
        """Return a scale that holds all values; logarithmic where they are positive and span more
        than a decade and a half, unless said.
        """
        low, high = min(values, default=0.0), max(values, default=1.0)
        if is_log is None:
            is_log = low > 0 and high / low > 30
        if is_log:
            return cls(label, low / 1.15, high * 1.15, True, form)
        margin = (high - low or abs(high) or 1.0) * 0.06
        return cls(label, 0.0 if from_zero else low - margin, high + margin, False, form)

    def share(self, value: float) -> float:
        """Return where a value lies, 0 at the low end, 1 at the high one."""
        if self.is_log:
            return math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self, most: int = 6) -> list[float]:
        """Return round numbers inside the scale."""
        if self.is_log:
            first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            decades = [10.0**n for n in range(first, last + 1)]
            if len(decades) >= 3:
                return decades[:: -(-len(decades) // most)]
            steps = [m * 10.0**n for n in range(first - 1, last + 1) for m in (1, 2, 5)]
            return [step for step in steps if self.low <= step <= self.high]
        raw = max((self.high - self.low) / most, 1.0 if self.is_whole else 0.0)
        unit = 10.0 ** math.floor(math.log10(raw))
        step = next(m * unit for m in (1, 2, 2.5, 5, 10) if m * unit >= raw)
        first = math.ceil(self.low / step)
        return [n * step for n in range(first, math.floor(self.high / step) + 1)]


@dataclass(frozen=True)
class Dot:
    """One point of a figure, and what it says."""

    x: float
    y: float
    title: str = ""
    colour: str = "rest"
    size: float = 0.0  # radius; 0: 5, or 3.5 of the rest


def scatter(
    x: Scale,
    y: Scale,
    dots: Sequence[Dot],
    lines: Sequence[tuple[str, Sequence[Dot]]] = (),
    legend: Sequence[tuple[str, str]] = (),
) -> str:
    """Return points, and lines through points; lines: (colour, points in order); legend: (colour,
    words).
    """  # fmt: skip
    parts = [_frame(x, y), _legend(legend)]
    for colour, along in lines:
        path = " ".join(f"{_x(x, dot.x):.1f},{_y(y, dot.y):.1f}" for dot in along)
        parts.append(f'<polyline class="line {colour}" points="{path}"/>')
    for dot in dots:
        size = dot.size or (3.5 if dot.colour == "rest" else 5)
        parts.append(
            f'<circle class="{dot.colour}" cx="{_x(x, dot.x):.1f}" cy="{_y(y, dot.y):.1f}" '
            f'r="{size}">{_title(dot.title)}</circle>'
        )
    return _svg(parts, WIDTH, HEIGHT, f"{y.label} against {x.label}")


def bars(
    label: str,
    rows: Sequence[tuple[str, float, str]],
    form: Callable[[float], str],
    start: float = 0.0,
) -> str:
    """Return horizontal bars; rows: (name, value, colour); bars begin at `start`."""  # fmt: skip
    height = 22.0 * len(rows) + TOP + 8
    most = max([abs(value - start) for _, value, _ in rows] or [1.0]) or 1.0
    names = min(max([len(name) for name, _, _ in rows] or [0]), 34) * 6.6 + 12
    room = WIDTH - names - 110
    low = min([value - start for _, value, _ in rows] + [0.0])
    zero = names + room * (-low / (most - low if low < 0 else most))
    unit = room / (most - low if low < 0 else most)
    parts = [f'<text x="{names:.0f}" y="16">{safe(label)}</text>']
    for number, (name, value, colour) in enumerate(rows):
        y = TOP + 22.0 * number
        long = (value - start) * unit
        left, wide = (zero, long) if long >= 0 else (zero + long, -long)
        parts.append(
            f'<text x="{names - 6:.1f}" y="{y + 13:.1f}" text-anchor="end">'
            f"{safe(_cut(name))}</text>"
            f'<rect class="{colour}" x="{left:.1f}" y="{y:.1f}" width="{max(wide, 0.5):.1f}" '
            f'height="16">{_title(f"{name}: {form(value)}")}</rect>'
            f'<text x="{max(zero + long, zero) + 6:.1f}" y="{y + 13:.1f}">'
            f"{safe(form(value))}</text>"
        )
    return _svg(parts, WIDTH, height, label)


def _cut(name: str) -> str:
    return name if len(name) <= 34 else f"{name[:32]}…"


def _x(scale: Scale, value: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * scale.share(value)


def _y(scale: Scale, value: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * scale.share(value)


def _frame(x: Scale, y: Scale) -> str:
    low, bottom = LEFT, HEIGHT - BOTTOM
    parts = []
    for tick in x.ticks():
        at, said = _x(x, tick), x.form(tick)
        middle = min(at, WIDTH - 3.4 * len(said))  # nothing beyond the edge
        parts.append(
            f'<line class="grid" x1="{at:.1f}" y1="{TOP}" x2="{at:.1f}" y2="{bottom}"/>'
            f'<text x="{middle:.1f}" y="{bottom + 17}" text-anchor="middle">{safe(said)}</text>'
        )
    for tick in y.ticks():
        at = _y(y, tick)
        parts.append(
            f'<line class="grid" x1="{low}" y1="{at:.1f}" x2="{WIDTH - RIGHT}" y2="{at:.1f}"/>'
            f'<text x="{low - 6}" y="{at + 4:.1f}" text-anchor="end">{safe(y.form(tick))}</text>'
        )
    parts.append(f'<path class="axis" d="M{low},{TOP} V{bottom} H{WIDTH - RIGHT}"/>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(
        f'<text x="{middle}" y="{HEIGHT - 12}" text-anchor="middle">{safe(x.label)}</text>'
        f'<text x="{LEFT - 76}" y="16">{safe(y.label)}</text>'
    )
    return "\n".join(parts)


def _legend(legend: Sequence[tuple[str, str]]) -> str:
    parts, at = [], WIDTH - RIGHT
    for colour, words in reversed(legend):
        at -= 7.0 * len(words) + 22
        parts.append(
            f'<circle class="{colour}" cx="{at:.0f}" cy="12" r="5"/>'
            f'<text x="{at + 9:.0f}" y="16">{safe(words)}</text>'
        )
    return "\n".join(parts)


def _title(text: str) -> str:
    return f"<title>{safe(text)}</title>" if text else ""


def safe(text: str) -> str:
    """Return a text as it may stand in an element or an attribute."""
    return escape(plain(text))


def _svg(parts: Sequence[str], width: float, height: float, label: str) -> str:
    inner = "\n".join(part for part in parts if part)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'role="img" aria-label="{safe(label)}">\n{inner}\n</svg>'
    )
