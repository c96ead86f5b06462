"""report.html: one file that needs nothing else, from blocks and figures; read on a screen of any
width, offline, and printed.

    page("digits-mlp on generic-22nm", [Title(...), Figure(scatter(...), "what it shows"), table])

`report/charts.py` draws figures; a Figure may be any SVG text.  Nothing here loads anything: no
script, no font and no picture come from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from simulator.report.blocks import Block, plain
from simulator.report.html import escape, html

#: the name of a page in a folder of results
PAGE = "report.html"
#: colours of a page on light and on dark paper
COLOURS = """
:root { --ink: #1b1f24; --faint: #5c6670; --line: #d5dae0; --paper: #fff; --shade: #f4f6f8;
  --a: #1f6fb4; --b: #c8502a; --c: #3f8f4f; --d: #8a5fb0; --e: #b08a1e;
  --f: #5aa9c9; --g: #8c8c8c; --h: #c06090; --i: #6b7a1f; --j: #a9b4bf; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ec; --faint: #9aa5b0; --line: #3a424b;
  --paper: #14181c; --shade: #1e242a; --a: #6cb2ee; --b: #f0875f; --c: #79c98a; --d: #c39ae8;
  --e: #e2bd55; --f: #8fd0ea; --g: #a8a8a8; --h: #ee9cc0; --i: #b5c75c; --j: #5d6873; } }
"""
#: what the classes of drawings look like, in a page and alone
DRAWING = """
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
svg .axis, svg .grid { stroke: var(--line); fill: none; }
svg .axis { stroke: var(--faint); }
svg .rest { fill: var(--faint); fill-opacity: .45; }
svg .a { fill: var(--a); } svg .b { fill: var(--b); } svg .c { fill: var(--c); }
svg .d { fill: var(--d); } svg .e { fill: var(--e); }
svg .f { fill: var(--f); } svg .g { fill: var(--g); } svg .h { fill: var(--h); }
svg .i { fill: var(--i); } svg .j { fill: var(--j); }
svg .core { stroke: var(--line); } svg .port { fill: var(--ink); }
.controls { display: flex; flex-wrap: wrap; gap: .3rem 1rem; font-size: .9rem; }
svg .line { fill: none; stroke-width: 2; }
svg .line.a { stroke: var(--a); } svg .line.b { stroke: var(--b); }
svg .line.c { stroke: var(--c); }
svg .line.d { stroke: var(--d); } svg .line.e { stroke: var(--e); }
svg .line.rest { stroke: var(--faint); stroke-dasharray: 4 3; }
"""
STYLE = """
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 75rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: .5rem 0; }
h2 { font-size: 1.15rem; margin: 1.5rem 0 .5rem; }
p, dd, dt, td, th { overflow-wrap: anywhere; }
.verdict { padding: .6rem .8rem; background: var(--shade); border-left: 4px solid var(--a); }
.faint, figcaption { color: var(--faint); font-size: .9rem; }
.warning, .bad { border-left: 4px solid var(--b); padding-left: .6rem; }
.wide { overflow-x: auto; }
.wide, figure { background: linear-gradient(to right, var(--paper) 40%, transparent) local left,
    linear-gradient(to left, var(--paper) 40%, transparent) local right,
    linear-gradient(to right, var(--line), transparent) left,
    linear-gradient(to left, var(--line), transparent) right;
  background-size: 3rem 100%, 3rem 100%, 1rem 100%, 1rem 100%; background-repeat: no-repeat; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; }
td, th { overflow-wrap: normal; }
th { background: var(--shade); position: sticky; top: 0; }
.number { text-align: right; white-space: nowrap; }
.total td { font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .5rem 0; }
dd { margin: 0; }
figure { margin: 1rem 0; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr));
  gap: 1rem; }
svg { width: 100%; height: auto; max-height: 34rem; } svg:not(.map) { max-width: 48rem; }
details { margin: 1rem 0; }
@media (max-width: 30rem) { body { padding: .6rem; font-size: 15px; }
  dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; }
  figure { overflow-x: auto; } svg:not(.map) { min-width: 33rem; } }
@media print { :root { --ink: #000; --faint: #444; --line: #bbb; --paper: #fff; --shade: #f2f2f2; }
  body { max-width: none; font-size: 10pt; } figure, tr { break-inside: avoid; }
  .controls { display: none; } .wide, figure { background: none; }
  .wide { overflow: visible; } th { position: static; } table { font-size: 8pt; } }
"""


@dataclass(frozen=True)
class Figure:
    """An SVG and the sentence below it."""

    svg: str
    caption: str


@dataclass(frozen=True)
class Figures:
    """Figures beside each other where there is room."""

    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Folded:
    """Blocks behind a line that opens them."""

    summary: str
    blocks: tuple[Block, ...]


Part = Block | Figure | Figures | Folded


def page(title: str, parts: Iterable[Part], script: str = "") -> str:
    """Return a whole page; every text in it is escaped.  script: a program of this package."""
    body = "\n".join(_part(part) for part in parts)
    return (
        "<!DOCTYPE html>\n"
        '<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(plain(title))}</title>\n<style>{COLOURS}{DRAWING}{STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n{_script(script)}</body>\n</html>\n"
    )


def _script(text: str) -> str:
    return f"<script>{text}</script>\n" if text else ""


def _part(part: Part) -> str:
    if isinstance(part, Figure):
        caption = f"<figcaption>{escape(plain(part.caption))}</figcaption>"
        return f"<figure>\n{part.svg}\n{caption}\n</figure>"
    if isinstance(part, Figures):
        return f'<div class="figures">\n{chr(10).join(map(_part, part.figures))}\n</div>'
    if isinstance(part, Folded):
        inner = "\n".join(map(_part, part.blocks))
        summary = f"<summary>{escape(plain(part.summary))}</summary>"
        return f"<details>\n{summary}\n{inner}\n</details>"
    text = html([part])
    return text.replace("<table>", '<div class="wide"><table>').replace(
        "</table>", "</table></div>"
    )
