"""`--timeline` and `--window` of a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import rich_click as click

from simulator.commands.numbers import Pair
from simulator.commands.written import naming_options
from simulator.errors import InputError

#: cycles a window may name
MOST_CYCLES = 2**62
#: writes the timeline of a result, and tells how far it is
Writer = Callable[[Any, Any], None]

_timeline = click.option(
    "--timeline",
    type=click.Path(path_type=Path),
    metavar="FILE.json",
    help="Write what every unit, queue and packet did in each cycle, for ui.perfetto.dev.",
)
_window = click.option(
    "--window",
    type=Pair(":", 0, MOST_CYCLES, "0:5000"),
    metavar="FIRST:LAST",
    help="The cycles of --timeline, up to but without LAST.  [default: the first inference]",
)


def timeline(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --timeline and --window, both for `writer`."""
    return _timeline(_window(command))


def writer(path: Path | None, window: tuple[int, int] | None, output: str | None) -> Writer | None:
    """Return what writes the timeline, None where nobody asked for one; refuses what cannot be
    written before anything runs.
    """
    if path is None:
        if window is not None:
            raise InputError("--window: needs --timeline")
        return None
    if window is not None and window[0] >= window[1]:
        raise InputError(f"--window: must begin before it ends, not {window[0]}:{window[1]}")
    from simulator.report.writing import refuse_file

    if output is not None and Path(output).resolve() in (path.resolve(), *path.resolve().parents):
        raise InputError(f"--timeline: must be outside the folder of -o, not {path}")
    refuse_file(path)

    def write(result: Any, progress: Any) -> None:
        if not result.is_complete:
            click.echo(f"no {path}: the run was stopped", err=True)
            return
        from simulator.report.timeline import write_timeline
        from simulator.study.window import window as looked_into

        def told(done: int, total: int) -> None:
            progress("timeline steps", done, total)

        with naming_options():
            events = write_timeline(looked_into(result, window, told), path, progress)
        click.echo(f"wrote {path} ({events:,} events)", err=True)

    return write
