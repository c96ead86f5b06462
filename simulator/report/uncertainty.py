"""The report of how far the numbers of a run, or the verdict between twins, can be trusted."""

from __future__ import annotations

from collections.abc import Callable

from simulator.account.uncertainty import Swing, Uncertainty, VerdictUncertainty
from simulator.report.blocks import Block, Column, Paragraph, Table, table, words
from simulator.units import show

#: the constants worth a line
TOP = 8


def energy_view(spread: Uncertainty, name: str) -> list[Block]:
    """Return the energy per inference of one run with its spread, and the constants it is owed
    to.
    """
    energy = spread.energy
    said = (
        f"energy per inference {show(energy.median, 'J')} (median of {spread.draws} draws, seed "
        f"{spread.seed}), 5-95 %: {show(energy.low, 'J')} to {show(energy.high, 'J')}; as the "
        f"constants stand {show(energy.nominal, 'J')}"
    )
    return [
        Paragraph(said, f"Uncertainty, {name}"),
        tornado(spread.tornado, "energy per inference", lambda value: show(value, "J")),
    ]


def verdict_view(spread: VerdictUncertainty) -> list[Block]:
    """Return in how many draws the verdict holds, and the constants it hangs on."""
    return [
        Paragraph(spread.sentence(), "Uncertainty"),
        tornado(
            spread.tornado, "energy ratio spiking / quantised", lambda value: f"{value:.3g}", 1.0
        ),
    ]


def tornado(
    swings: list[Swing], what: str, shown: Callable[[float], str], line: float | None = None
) -> Table:
    """Return the widest swings, each constant moved alone to the ends of its band; `line`: where
    the verdict turns.
    """
    columns = (
        words("constant"),
        Column("at its low end", form=shown),
        Column("at its high end", form=shown),
        words("evidence"),
        words("", wraps=True),
    )
    rows = []
    for swing in swings[:TOP]:
        turns = line is not None and (swing.at_low < line) != (swing.at_high < line)
        verdict = "turns the verdict" if turns else ""
        rows.append((swing.constant, swing.at_low, swing.at_high, swing.evidence, verdict))
    return table(columns, rows, f"What one constant alone does to the {what}")
