"""`spikemesh bench`: the races of benchmarks/, which are not part of an installed package."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import rich_click as click

import simulator
from simulator.errors import InputError

REPOSITORY = Path(simulator.__file__).resolve().parent.parent


@click.command(
    add_help_option=False,
    context_settings={
        "ignore_unknown_options": True,
        "allow_extra_args": True,
        "allow_interspersed_args": False,
    },
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: tuple[str, ...]) -> None:
    """Measure speed, memory and start-up against their targets and against other simulators, as
    `make bench` does.

    \b
    spikemesh bench --only lif --quick
    """
    if not (REPOSITORY / "benchmarks" / "command.py").is_file():
        raise InputError(
            "bench: must be run from the repository: benchmarks/ is not part of an installed "
            "spikemesh"
        )
    if str(REPOSITORY) not in sys.path:
        sys.path.insert(0, str(REPOSITORY))
    command = importlib.import_module("benchmarks.command").bench
    command.main(args=list(arguments), prog_name="spikemesh bench", standalone_mode=False)
