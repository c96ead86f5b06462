"""The chip as a map: every core coloured by a number, every mesh link by what it carries.

The map stands by itself, in print too; in a page, buttons choose the number and a slider goes
through the steps of the first inferences (`SCRIPT`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulator.account.step_load import loads
from simulator.errors import InputError
from simulator.report.charts import safe
from simulator.study.simulation import Result
from simulator.timing.record import BUSY, UNITS
from simulator.units import show, shown_value

#: pixels from tile to tile, at most; the whole map is at most so wide
PITCH, MOST = 64.0, 640.0
MARGIN, LEGEND = 26.0, 40.0
#: steps the slider goes through, at most
MOST_STEPS = 64
#: numbers of cores times steps that a page holds
MOST_CELLS = 1 << 16
#: from little to much (the ends and four between of viridis, light to dark so that print is kind)
RAMP = ((253, 231, 37), (122, 209, 81), (34, 168, 132), (42, 120, 142), (65, 68, 135), (68, 1, 84))
DIRECTIONS = ("east", "west", "north", "south")


@dataclass(frozen=True)
class Shading:
    """One number for every core or link: its name, shares from 0 to 1 for colours, and words."""

    name: str
    share: np.ndarray
    words: list[str]
    most: str  # what a share of 1 is, with its unit


def chip_map(
    result: Result, name: str = "chip-map", cores: str = "busy", links: str = "load"
) -> str:
    """Return the map of a run as SVG, with what a page's script needs beside it.

    cores: 'busy', 'energy' or 'memory', links: 'load' or 'blocked': what is shown first.  Raises
    InputError for another name.
    """
    core_by = _first(core_shadings(result), "cores", cores)
    link_by = _first(link_shadings(result), "links", links)
    plan = result.plan
    pitch = min(PITCH, MOST / max(plan.width, plan.height))
    wide = pitch * plan.width + 2 * MARGIN
    high = pitch * plan.height + MARGIN + LEGEND
    parts = [*_tiles(result, core_by[0], pitch), *_links(result, link_by[0], pitch)]
    parts += [*_ports(result, pitch), *_ramp(pitch * plan.height + MARGIN, wide, core_by[0])]
    svg = (
        f'<svg id="{safe(name)}" class="map" xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="0 0 {wide:.0f} {high:.0f}" role="img" '
        f'aria-label="cores by {cores}, links by {links}">\n' + "\n".join(parts) + "\n</svg>"
    )
    return svg + _controls(result, name, core_by, link_by)


def _first(shadings: list[Shading], what: str, name: str) -> list[Shading]:
    """Return the shadings with the one of that name in front."""
    names = [shading.name for shading in shadings]
    if name not in names:
        raise InputError(f"{what}: must be one of {', '.join(names)}, not {shown_value(name)}")
    return sorted(shadings, key=lambda shading: shading.name != name)


def core_shadings(result: Result) -> list[Shading]:
    """Return what cores can be coloured by: busy, energy, memory."""
    record, n = result.record, result.plan.n_cores
    cycles = max(record.cycles, 1)
    busy = record.unit_cycles[:, :, BUSY]
    unit = busy.argmax(axis=1) if n else np.zeros(0, np.int64)
    share = busy.max(axis=1, initial=0) / cycles
    energy = result.ledger.by_place[:, :n].sum(axis=0)
    finished = max(result.finished, 1)
    memory = result.chip.core.memory
    parts = {
        "weights": (result.mapping.synapse_bits, memory.synapses),
        "neurons": (result.mapping.neuron_bits, memory.neurons),
        "axons": (result.mapping.axon_bits, memory.axons),
    }
    used = np.stack([bits / max(most, 1) for bits, most in parts.values()])
    fullest = used.argmax(axis=0)
    names = tuple(parts)
    return [
        _shading(
            "busy", share, [f"{UNITS[u]} busy {s:.1%} of the run" for u, s in zip(unit, share)],
            lambda most: f"{most:.3g} %", 100.0,
        ),
        _shading(
            "energy", energy, [f"{show(e / finished, 'J')} per inference" for e in energy],
            lambda most: f"{show(most / finished, 'J')} per inference",
        ),
        _shading(
            "memory", used.max(axis=0),
            [f"{names[k]} memory {used[k, core]:.1%} full" for core, k in enumerate(fullest)],
            lambda most: f"{most:.3g} % full", 100.0,
        ),
    ]  # fmt: skip


def link_shadings(result: Result) -> list[Shading]:
    """Return what mesh links can be coloured by: load, blocked; (n_routers, 4) each."""
    record, cycles = result.record, max(result.record.cycles, 1)
    interval = np.repeat(result.plan.link_interval, 2)
    load = record.link_flits[:, :4] * interval / cycles
    blocked = record.link_blocked[:, :4] / cycles
    flits = record.link_flits[:, :4] / max(result.finished, 1)
    said = [f"{f:,.1f} flits per inference" for f in flits.reshape(-1)]
    waits = [f"a flit waits {b:.1%} of the run" for b in blocked.reshape(-1)]

    def percent(most: float) -> str:
        return f"{most:.3g} %"

    return [
        _shading("load", load.reshape(-1), said, percent, 100.0),
        _shading("blocked", blocked.reshape(-1), waits, percent, 100.0),
    ]


def _shading(name, values, words, most, factor=1.0):  # type: ignore[no-untyped-def]
    top = float(values.max(initial=0.0))
    return Shading(name, values / top if top > 0 else values * 0.0, words, most(top * factor))


def colour(share: float) -> str:
    """Return the colour of a share from 0 to 1."""
    at = min(max(float(share), 0.0), 1.0) * (len(RAMP) - 1)
    low = min(int(at), len(RAMP) - 2)
    mixed = (round(a + (b - a) * (at - low)) for a, b in zip(RAMP[low], RAMP[low + 1]))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _held(result: Result) -> list[str]:
    """Return which populations each core holds, in words; nothing for an unused one."""
    held: list[list[str]] = [[] for _ in range(result.plan.n_cores)]
    for number in result.workload.network.computed:
        name = result.workload.network.populations[number].name
        for core in np.unique(result.mapping.cores[number]).tolist():
            held[core].append(name)
    return [", ".join(names) for names in held]


def _tiles(result: Result, shading: Shading, pitch: float) -> list[str]:
    plan, held, parts = result.plan, _held(result), []
    size = pitch * 0.66
    in_tile: dict[int, list[int]] = {}
    for core, router in enumerate(plan.endpoint_router[: plan.n_cores].tolist()):
        in_tile.setdefault(router, []).append(core)
    for router, cores in in_tile.items():
        x, y = _corner(result, router, pitch)
        across = int(np.ceil(np.sqrt(len(cores))))
        each = size / across
        for place, core in enumerate(cores):
            fill = colour(shading.share[core]) if held[core] else "none"
            what = f"core {core} at {router % plan.width},{router // plan.width}: "
            about = f"{held[core]}: {shading.words[core]}" if held[core] else "unused"
            parts.append(
                f'<rect class="core" data-core="{core}" data-used="{int(bool(held[core]))}" '
                f'x="{x + each * (place % across):.1f}" y="{y + each * (place // across):.1f}" '
                f'width="{each * 0.94:.1f}" height="{each * 0.94:.1f}" fill="{fill}" '
                f'data-what="{safe(what + (held[core] + ": " if held[core] else ""))}">'
                f"<title>{safe(what + about)}</title></rect>"
            )
    return parts


def _corner(result: Result, router: int, pitch: float) -> tuple[float, float]:
    """Return the corner of a tile: x to the right, y to the top, as the mesh counts."""
    width, height = result.plan.width, result.plan.height
    x, y = router % width, height - 1 - router // width
    return MARGIN + pitch * (x + 0.17), MARGIN + pitch * (y + 0.17)


def _links(result: Result, shading: Shading, pitch: float) -> list[str]:
    plan, parts = result.plan, []
    size, gap = pitch * 0.66, pitch * 0.34
    aside = size * 0.08
    for router in range(plan.n_routers):
        x, y = router % plan.width, router // plan.width
        left, top = _corner(result, router, pitch)
        middle = left + size / 2, top + size / 2
        ends = (
            (x + 1 < plan.width, left + size, middle[1] - aside, gap, 0.0),
            (x > 0, left, middle[1] + aside, -gap, 0.0),
            (y + 1 < plan.height, middle[0] + aside, top, 0.0, -gap),
            (y > 0, middle[0] - aside, top + size, 0.0, gap),
        )
        for port, (is_there, at, up, dx, dy) in enumerate(ends):
            if not is_there:
                continue
            link = 4 * router + port
            share = float(shading.share[link])
            ink = colour(share) if share else "var(--line)"
            what = f"link {x},{y} {DIRECTIONS[port]}: "
            parts.append(
                f'<line class="link" data-link="{link}" x1="{at:.1f}" y1="{up:.1f}" '
                f'x2="{at + dx:.1f}" y2="{up + dy:.1f}" stroke="{ink}" '
                f'stroke-width="{max(pitch * 0.05, 1.5):.1f}" data-what="{what}">'
                f"<title>{safe(what + shading.words[link])}</title></line>"
            )
    return parts


def _ports(result: Result, pitch: float) -> list[str]:
    plan, parts = result.plan, []
    for number, router in enumerate(plan.endpoint_router[plan.n_cores :].tolist()):
        left, top = _corner(result, router, pitch)
        port = result.chip.ports[number]
        parts.append(
            f'<circle class="port" cx="{left - pitch * 0.08:.1f}" cy="{top - pitch * 0.08:.1f}" '
            f'r="{pitch * 0.07:.1f}"><title>{safe(f"port {port.name}: {port.role}")}</title>'
            "</circle>"
        )
    return parts


def _ramp(top: float, wide: float, shading: Shading) -> list[str]:
    steps, left = 40, MARGIN
    each = (wide - 2 * MARGIN) / steps
    parts = [
        f'<rect x="{left + each * n:.1f}" y="{top + 6:.1f}" width="{each + 0.5:.1f}" height="10" '
        f'fill="{colour((n + 0.5) / steps)}"/>'
        for n in range(steps)
    ]
    parts.append(f'<text x="{left}" y="{top + 31:.1f}">{safe(shading.name)}: 0</text>')
    parts.append(
        f'<text class="most" x="{wide - MARGIN:.1f}" y="{top + 31:.1f}" text-anchor="end">'
        f"{safe(shading.most)}</text>"
    )
    return parts


def _controls(result: Result, name: str, cores: Sequence[Shading], links: Sequence[Shading]) -> str:
    """Return the numbers a page's script draws from, and the empty place for its controls."""
    plan, activity = result.plan, result.schedule.activity
    n_steps = min(MOST_STEPS, len(result.record.step_start), MOST_CELLS // max(plan.n_cores, 1))
    work = loads(plan, activity, 0, n_steps).max(axis=2)
    entry = result.schedule.first_step
    of_step = np.searchsorted(entry, np.arange(n_steps), side="right") - 1
    names = [f"inference {i}, step {s - entry[i]}" for s, i in enumerate(of_step.tolist())]
    data = {
        "cores": [_plain(shading) for shading in cores],
        "links": [_plain(shading) for shading in links],
        "steps": {
            "work": work.tolist(),
            "names": names,
        },
        "ramp": RAMP,
    }
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'\n<div class="controls" data-map="{safe(name)}"></div>'
        f'\n<script type="application/json" data-for="{safe(name)}">{text}</script>'
    )


def _plain(shading: Shading) -> dict[str, object]:
    share = [round(float(value), 4) for value in shading.share]
    return {"name": shading.name, "share": share, "words": shading.words, "most": shading.most}


#: draws what the controls of every map on a page choose; without it the map stays as it is
SCRIPT = """
for (const place of document.querySelectorAll('.controls')) {
  const name = place.dataset.map, svg = document.getElementById(name);
  const data = JSON.parse(document.querySelector(`script[data-for="${name}"]`).textContent);
  const mix = s => { const at = Math.min(Math.max(s, 0), 1) * (data.ramp.length - 1);
    const k = Math.min(Math.floor(at), data.ramp.length - 2);
    const a = data.ramp[k], b = data.ramp[k + 1];
    return 'rgb(' + a.map((v, i) => Math.round(v + (b[i] - v) * (at - k))).join() + ')'; };
  const title = (mark, words) => {
    mark.querySelector('title').textContent = mark.dataset.what + words; };
  const cores = [...svg.querySelectorAll('.core')].filter(c => c.dataset.used === '1');
  const links = [...svg.querySelectorAll('.link')];
  const legend = svg.querySelector('.most'), label = legend.previousElementSibling;
  const paint = (n) => { const by = data.cores[n];
    for (const c of cores) { const k = +c.dataset.core;
      c.setAttribute('fill', mix(by.share[k])); title(c, by.words[k]); }
    label.textContent = by.name + ': 0'; legend.textContent = by.most; };
  const string = (n) => { const by = data.links[n];
    for (const l of links) { const k = +l.dataset.link, s = by.share[k];
      l.setAttribute('stroke', s ? mix(s) : 'var(--line)'); title(l, by.words[k]); } };
  const said = document.createElement('output');
  const most = data.steps.work.reduce((m, row) => Math.max(m, ...row), 1);
  const step = (n) => { const work = data.steps.work[n];
    for (const c of cores) { const k = +c.dataset.core;
      c.setAttribute('fill', mix(work[k] / most)); title(c, work[k] + ' cycles of work'); }
    said.textContent = data.steps.names[n]; label.textContent = 'work in the step: 0';
    legend.textContent = most + ' cycles'; };
  const choice = (words, options, act) => { const box = document.createElement('label');
    const list = document.createElement('select');
    options.forEach((o, n) => list.add(new Option(o.name, n)));
    list.onchange = () => act(+list.value); box.append(words + ' ', list); place.append(box); };
  choice('cores by', data.cores, n => { said.textContent = 'the whole run'; paint(n); });
  choice('links by', data.links, string);
  if (data.steps.work.length > 1) { const box = document.createElement('label');
    const slide = document.createElement('input'); slide.type = 'range'; slide.min = 0;
    slide.max = data.steps.work.length - 1; slide.value = 0;
    slide.oninput = () => step(+slide.value);
    said.textContent = 'the whole run'; box.append('step ', slide, ' ', said); place.append(box); }
}
"""
