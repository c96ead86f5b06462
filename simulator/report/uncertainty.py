"""How far the numbers of a run, or a verdict between twins, can be trusted, for people."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulator.account.uncertainty import Swing, Uncertainty, VerdictUncertainty
from simulator.units import show

#: the constants worth a line
TOP = 8


def energy_view(spread: Uncertainty, name: str) -> RenderableType:
    """Return the energy per inference of one run with its spread, and the constants it is owed
    to.
    """
    energy = spread.energy
    line = Text.assemble(
        (f"\nUncertainty, {name}  ", "bold"),
        f"energy per inference {show(energy.median, 'J')} (median of {spread.draws} draws, seed "
        f"{spread.seed}), "
        f"5-95 %: {show(energy.low, 'J')} to {show(energy.high, 'J')}; as the constants stand "
        f"{show(energy.nominal, 'J')}",
    )
    return Group(
        line, tornado(spread.tornado, "energy per inference", lambda value: show(value, "J"))
    )


def verdict_view(spread: VerdictUncertainty) -> RenderableType:
    """Return in how many draws the verdict holds, and the constants it hangs on."""
    line = Text.assemble(("\nUncertainty  ", "bold"), spread.sentence())
    return Group(
        line,
        tornado(
            spread.tornado, "energy ratio spiking / quantised", lambda value: f"{value:.3g}", 1.0
        ),
    )


def tornado(
    swings: list[Swing], what: str, shown: Callable[[float], str], line: float | None = None
) -> RenderableType:
    """Return the widest swings, each constant moved alone to the ends of its band; `line`: where
    the verdict turns.
    """
    title = Text(f"What one constant alone does to the {what}", "bold", no_wrap=True)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, column in enumerate(
        ["constant", "at its low end", "at its high end", "evidence", ""]
    ):
        table.add_column(column, justify="right" if number in (1, 2) else "left", no_wrap=True)
    for swing in swings[:TOP]:
        turns = line is not None and (swing.at_low < line) != (swing.at_high < line)
        verdict = "turns the verdict" if turns else ""
        table.add_row(
            swing.constant, shown(swing.at_low), shown(swing.at_high), swing.evidence, verdict
        )
    return Group(title, table)
