"""The command: which figures, how often, where to write them."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import click

from benchmarks import (
    figures,
    growth,
    jobs,
    kernels,
    races,
    sanafe_peer,
    scale,
    start_up,
    sweeps,
    vgg,
)
from benchmarks.figures import Figure
from benchmarks.races import Settings
from simulator.commands.numbers import LARGEST_SEED, Whole

#: name -> what it measures; in the order of the table of targets
RACES: dict[str, Callable[[Settings], list[Figure]]] = {
    "noc": races.noc,
    "lif": races.lif,
    "random": races.random_targets,
    "gesture": races.gesture,
    "kernels": kernels.kernels,
    "memory": growth.memory,
    "large": scale.large,
    "vgg": vgg.vgg,
    "start-up": start_up.start_up,
    "growth": growth.growth,
    "sweep": sweeps.sweeps,
    "jobs": jobs.jobs,
}


@click.command()
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(list(RACES)),
    help="Measure only this group; may be repeated.",
)
@click.option(
    "--quick",
    is_flag=True,
    help="Small sizes, measured once: to see that it works, not how fast it is.",
)
@click.option(
    "--repeat",
    type=Whole(1, 1000),
    default=5,
    show_default=True,
    help="Measurements of each figure, and rounds in turn with a peer; the median counts.",
)
@click.option(
    "--seed",
    type=Whole(0, LARGEST_SEED),
    default=1,
    show_default=True,
    help="Of everything that is drawn.",
)
@click.option(
    "--booksim",
    metavar="PATH",
    type=click.Path(exists=True, dir_okay=False),
    help="A BookSim 2 binary to race against.",
)
@click.option(
    "--gesture",
    metavar="PATH",
    type=click.Path(exists=True, dir_okay=False),
    help="An npz file with the real network.",
)
@click.option(
    "-o",
    "output",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write every figure as JSON there.",
)
def bench(
    only: tuple[str, ...],
    quick: bool,
    repeat: int,
    seed: int,
    booksim: str | None,
    gesture: str | None,
    output: str | None,
) -> None:
    """Measure speed, memory and start-up against the targets and against other simulators on the
    same work.

    Times are processor seconds of one thread, medians with [least .. most]; a peer runs in turn
    with us where it can be had, A B B A, and the ratio of the rounds counts.  A peer that was asked
    for and failed is said to have failed, its targets are not judged, and the command ends with
    code 1.
    """
    settings = Settings(quick, seed, 1 if quick else repeat, booksim, gesture)
    peer = (
        f"SANA-FE {version('sanafe')}"
        if sanafe_peer.is_installed()
        else "SANA-FE is not installed (pip install -e '.[bench]')"
    )
    click.echo(
        f"{processor()}, Python {platform.python_version()}; {peer}; BookSim 2: "
        f"{booksim or 'no binary given (--booksim)'}\n"
    )
    found: list[Figure] = []
    for name in only or RACES:
        click.echo(f"{name}: {' '.join((RACES[name].__doc__ or '').split())}")
        for figure in RACES[name](settings):
            click.echo(figures.line(figure))
            found.append(figure)
        click.echo()
    judged = [figure for figure in found if figure.is_met is not None]
    missed = [figure.name for figure in judged if not figure.is_met]
    click.echo(
        f"{len(judged) - len(missed)} of {len(judged)} targets met"
        + "".join(f"\n  missed: {name}" for name in missed)
    )
    failed = [f"{p.name}: {figure.name}" for figure in found for p in figure.peers if p.failure]
    for name in failed:
        click.echo(f"  peer failed, not judged against it: {name}")
    if output is not None:
        content = {
            "processor": processor(),
            "peer": peer,
            "seed": seed,
            "quick": quick,
            "figures": [f.as_json() for f in found],
        }
        Path(output).write_text(json.dumps(content, indent=2) + "\n")
    if failed:
        raise SystemExit(1)


def processor() -> str:
    """Return the processor's name as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, {len(names)} cores" if names else platform.machine()
