"""The closed form against simulation on the terminal and on disk: terms three ways, and the
assumptions given up.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulator.report.files import write_json
from simulator.study.relaxations import BASE, Relaxed
from simulator.study.validate import Measured, Term, total

TWIN = {"snn": "spiking", "qnn": "quantised"}


def terms_view(mode: str, layers: Sequence[Measured], terms: Sequence[Term]) -> RenderableType:
    """Return the symbols one run measured, and every term three ways, in pJ per inference."""
    title = f"{TWIN[mode]} twin: measured symbols"
    symbols = _table(
        title, ("layer", "M", "N", "T", "s_r", "s_r out", "d", "H", "R", "way", "bits")
    )
    for layer in layers:
        symbols.add_row(
            layer.name,
            f"{layer.neurons:,}",
            f"{layer.fan_in:,.4g}",
            str(layer.timesteps),
            f"{layer.spike_rate:.2%}",
            f"{layer.output_rate:.2%}",
            f"{layer.density:.2%}",
            f"{layer.hops:.3f}",
            f"{layer.reuse:.3f}",
            layer.way,
            f"{layer.weight_bits}x{layer.value_bits}",
        )
    table = _table(
        f"\n{TWIN[mode]} twin: pJ per inference",
        ("layer", "term", "paper", "measured", "ledger", "residual", "cause"),
    )
    for term in terms:
        table.add_row(
            *_cells(term), "agrees" if term.agrees else f"{term.residual * 1e12:+,.3f}", term.cause
        )
    whole = total(list(terms))
    table.add_section()
    table.add_row(*_cells(whole), f"{whole.residual * 1e12:+,.3f}", "", style="bold")
    return Group(symbols, table)


def _cells(term: Term) -> list[str]:
    three = (f"{value * 1e12:,.3f}" for value in (term.paper, term.measured, term.ledger))
    return [term.layer, term.name.replace("_", " "), *three]


def agreement(terms: Sequence[Term]) -> str:
    """Return one sentence: how many terms agree, and what the others are."""
    known = [term for term in terms if term.layer != "-"]
    differ = sorted(
        {f"{term.name.replace('_', ' ')} ({term.cause})" for term in known if not term.agrees}
    )
    sentence = (
        f"{sum(term.agrees for term in known)} of {len(known)} terms agree with the formula to 1e-9"
    )
    return sentence + (f"; these do not: {', '.join(differ)}" if differ else "")


def relaxed_view(rows: Sequence[Relaxed], prices: str) -> RenderableType:
    """Return what each assumption costs when it is given up, and how far the breakeven moves."""
    table = _table(
        f"\nAssumptions given up one at a time, prices of {prices}: nJ per inference",
        (
            "given up",
            "spiking",
            "quantised",
            "SNN/QNN",
            "residual, spiking",
            "quantised",
            "breakeven spike rate",
            "moved",
        ),
    )
    for row in rows:
        is_base = row.name == BASE
        table.add_row(
            row.name,
            f"{row.snn * 1e9:,.2f}",
            f"{row.qnn * 1e9:,.2f}",
            f"{row.ratio:.3f}",
            "" if is_base else f"{row.snn_residual * 1e9:+,.2f}",
            "" if is_base else f"{row.qnn_residual * 1e9:+,.2f}",
            row.breakeven.show(),
            "" if row.moved is None else f"{row.moved * 100:+.2f} points",
        )
    note = (
        "Each twin sends by its cheapest encoding; the breakeven is of the mean spike rate, by "
        "simulation.\n"
    )
    return Group(table, Text(note))


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    words = {"layer", "term", "cause", "given up", "way", "breakeven spike rate"}
    for name in columns:
        table.add_column(
            name, justify="left" if name in words else "right", no_wrap=name != "cause"
        )
    return table


def write_validation(
    folder: str | Path, terms: dict[str, list[Term]], rows: Sequence[Relaxed], about: dict[str, Any]
) -> None:
    """Write validate.json: every term of both twins in J per inference, and the relaxations."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    content = {
        "schema_version": 1,
        **about,
        "terms": {
            mode: [
                {
                    "layer": term.layer,
                    "term": term.name,
                    "paper_j": term.paper,
                    "measured_j": term.measured,
                    "ledger_j": term.ledger,
                    "residual_j": term.residual,
                    "agrees": term.agrees,
                    "cause": term.cause,
                }
                for term in found
            ]
            for mode, found in terms.items()
        },
        "relaxed": [
            {
                "given_up": row.name,
                "snn_j": row.snn,
                "qnn_j": row.qnn,
                "ratio": row.ratio,
                "snn_residual_j": row.snn_residual,
                "qnn_residual_j": row.qnn_residual,
                "breakeven_rate": list(row.breakeven.rate),
                "cheaper_below": row.breakeven.below,
                "moved": row.moved,
            }
            for row in rows
        ],
    }
    write_json(place / "validate.json", content)
