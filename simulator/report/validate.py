"""The closed form against simulation on the terminal and on disk: terms three ways, and the
assumptions given up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simulator.report.blocks import Block, Column, Paragraph, table, with_total, words
from simulator.report.writing import Folder
from simulator.study.estimated import Estimated
from simulator.study.measured import Measured
from simulator.study.relaxations import BASE, Relaxed
from simulator.study.validate import Term, total
from simulator.units import show

TWIN = {"snn": "spiking", "qnn": "quantised"}
THREE_WAYS = ("paper", "measured", "ledger")
TERM_COLUMNS = (
    words("layer"),
    words("term"),
    *(Column(name, form=lambda joules: f"{joules * 1e12:,.3f}") for name in THREE_WAYS),
    Column("residual"),
    words("cause", wraps=True),
)
SYMBOLS = (
    words("layer"),
    Column("M", form=lambda number: f"{number:,}"),
    Column("N", form=lambda number: f"{number:,.4g}"),
    Column("T"),
    *(Column(name, form=lambda share: f"{share:.2%}") for name in ("s_r", "s_r out", "d")),
    *(Column(name, form=lambda value: f"{value:.3f}") for name in ("H", "R")),
    words("way"),
    Column("bits"),
)


def terms_view(mode: str, layers: Sequence[Measured], terms: Sequence[Term]) -> list[Block]:
    """Return the symbols one run measured, and every term three ways, in pJ per inference."""
    symbols = [
        (
            layer.name,
            layer.neurons,
            layer.fan_in,
            layer.timesteps,
            layer.spike_rate,
            layer.output_rate,
            layer.density,
            layer.hops,
            layer.reuse,
            layer.way,
            f"{layer.weight_bits}x{layer.value_bits}",
        )
        for layer in layers
    ]
    whole = total(list(terms))
    rows = [
        (*_cells(term), "agrees" if term.agrees else _residual(term), term.cause) for term in terms
    ]
    return [
        table(SYMBOLS, symbols, f"{TWIN[mode].capitalize()} twin: measured symbols"),
        with_total(
            TERM_COLUMNS,
            [*rows, (*_cells(whole), _residual(whole), "")],
            f"{TWIN[mode].capitalize()} twin: pJ per inference",
            keys=2,
        ),
        Paragraph(agreement(terms)),
    ]


ESTIMATED = (
    words("of an inference"),
    *(Column(name, form=lambda written: written) for name in ("estimate", "simulated")),
    Column("ratio", form=lambda ratio: "-" if ratio is None else f"{ratio:.2f}"),
)


def estimate_view(found: Estimated) -> list[Block]:
    """Return what the closed form of the mapping said beside what was simulated."""
    rows = [
        (
            name,
            *(show(each, unit) if unit else f"{each:,.0f}" for each in (estimate, simulated)),
            simulated / estimate if estimate else None,
        )
        for name, unit, estimate, simulated in found.rows
    ]
    note = (
        "Simulated over estimate. The estimate knows how much every core and link has to do, not "
        "when: what is above it are queues that fill and packets that wait for each other."
    )
    title = f"The estimate of the mapping, {found.cores} cores, spiking twin"
    return [table(ESTIMATED, rows, title), Paragraph(note, tone="faint")]


def _cells(term: Term) -> list[Any]:
    return [term.layer, term.name.replace("_", " "), term.paper, term.measured, term.ledger]


def _residual(term: Term) -> str:
    return f"{term.residual * 1e12:+,.3f}"


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


def _nanojoules(value: float) -> str:
    return f"{value * 1e9:,.2f}"


def _change(value: float | None) -> str:
    return "" if value is None else f"{value * 1e9:+,.2f}"


RELAXED_COLUMNS = (
    words("given up", wraps=True),
    Column("spiking", form=_nanojoules),
    Column("quantised", form=_nanojoules),
    Column("SNN/QNN", form=lambda ratio: f"{ratio:.3f}"),
    Column("residual, spiking", form=_change),
    Column("residual, quantised", form=_change),
    words("breakeven spike rate", wraps=True),
    Column("moved", form=lambda by: "" if by is None else f"{by * 100:+.2f} points"),
)


def relaxed_view(rows: Sequence[Relaxed], prices: str) -> list[Block]:
    """Return what each assumption costs when it is given up, and how far the breakeven moves."""
    cells = [
        (
            row.name,
            row.snn,
            row.qnn,
            row.ratio,
            *((None, None) if row.name == BASE else (row.snn_residual, row.qnn_residual)),
            row.breakeven.show(),
            row.moved,
        )
        for row in rows
    ]
    title = f"Assumptions given up one at a time, prices of {prices}: nJ per inference"
    note = (
        "Each twin sends by its cheapest encoding; the breakeven is of the mean spike rate, by "
        "simulation."
    )
    return [table(RELAXED_COLUMNS, cells, title), Paragraph(note, tone="faint")]


TERM_NAMES = ("twin", "layer", "term", "paper_j", "measured_j", "ledger_j", "residual_j")
TERMS_CSV = (*TERM_NAMES, "agrees", "cause")
RELAXED_NAMES = ("given_up", "snn_j", "qnn_j", "ratio", "snn_residual_j", "qnn_residual_j")
RELAXED_CSV = (*RELAXED_NAMES, "breakeven_rate", "cheaper_below", "moved")


def put_validation(
    folder: Folder,
    terms: dict[str, list[Term]],
    rows: Sequence[Relaxed],
    about: dict[str, Any],
    estimated: Estimated | None = None,
) -> None:
    """Write terms.csv, relaxed.csv and summary.json: what was asked, how many terms agree, the
    totals, and the mapping's estimate beside what was simulated.
    """
    folder.table(
        "terms.csv",
        TERMS_CSV,
        [
            (
                mode,
                term.layer,
                term.name,
                term.paper,
                term.measured,
                term.ledger,
                term.residual,
                int(term.agrees),
                term.cause,
            )
            for mode, found in terms.items()
            for term in found
        ],
    )
    folder.table(
        "relaxed.csv",
        RELAXED_CSV,
        [
            (
                row.name,
                row.snn,
                row.qnn,
                row.ratio,
                row.snn_residual,
                row.qnn_residual,
                row.breakeven.rate[0] if row.breakeven.rate else None,
                row.breakeven.below,
                row.moved,
            )
            for row in rows
        ],
    )
    folder.json(
        "summary.json",
        {
            "schema_version": 1,
            **about,
            "terms": {mode: _agreeing(found) for mode, found in terms.items()},
            "relaxed": len(rows),
            "mapping": None if estimated is None else estimated.as_json(),
        },
    )


def _agreeing(terms: list[Term]) -> dict[str, Any]:
    known, whole = [term for term in terms if term.layer != "-"], total(terms)
    return {
        "terms": len(known),
        "agreeing": sum(term.agrees for term in known),
        "paper_j": whole.paper,
        "measured_j": whole.measured,
        "ledger_j": whole.ledger,
        "residual_j": whole.residual,
    }
