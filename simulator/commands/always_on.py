"""`spikemesh always-on`: average power of a chip that waits for rare signals."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import rich_click as click

from simulator.commands import options
from simulator.commands.numbers import Quantity, Real, Several, Share, Whole, Written
from simulator.commands.written import naming_options


@click.command("always-on")
@options.workload
@options.chip
@click.option(
    "--frame-rate",
    type=Quantity("frequency"),
    required=True,
    metavar="RATE",
    help="Frames per second, such as 10Hz.",
)
@click.option(
    "--duty",
    type=Several(Share()),
    required=True,
    metavar="D[,D...]",
    help="Share of the frames that carry a signal; several for a curve.",
)
@click.option(
    "--policy",
    type=click.Choice(["never", "gate", "off", "all"]),
    default="all",
    show_default=True,
    help="Cores never sleep, are clock-gated, or power-gated; where the chip is silent: at once, "
    "off after break-even.",
)
@click.option(
    "--mode",
    type=click.Choice(["snn", "qnn"]),
    default="snn",
    show_default=True,
    help="Which twin listens.",
)
@click.option(
    "--frames",
    type=Whole(1, 10**9),
    help="Length of the stream.  [default: 1000 or more, so that every duty is whole]",
)
@click.option(
    "--burst",
    type=click.Choice(["evenly", "bursty"]),
    default="evenly",
    show_default=True,
    help="How signals are spread.",
)
@click.option(
    "--background",
    type=Real(0, 1),
    default=0.0,
    show_default=True,
    help="Probability of a stray event per input line (and timestep of a raster) in a frame "
    "without a signal.",
)
@click.option(
    "--battery",
    type=Quantity("energy"),
    metavar="ENERGY",
    help="Say how long it lasts, such as 660mWh.",
)
@options.timesteps
@options.overlap
@options.corner
@options.engine
@options.jobs
@click.option(
    "--seed", type=options.SEED, default=0, show_default=True, help="Of bursts and background."
)
@options.setting
@options.mapping
@options.memory
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.png",
    help="Draw power against duty.",
)
@options.output
@naming_options()
def always_on(
    workload: str,
    frame_rate: Written,
    duty: list[Fraction],
    policy: str,
    output: str | None,
    overwrite: bool,
    **choices: Any,
) -> None:
    """Average power of WORKLOAD on a chip that waits for rare signals, by gating policy, beside the
    ideal formula.

    A stream of frames, of which a share carries a signal (an inference); the chip sleeps through
    the others.

    \b
    spikemesh always-on digits-mlp --frame-rate 10Hz --duty 0.001,0.01,0.1 --battery 660mWh
    spikemesh always-on digits-mlp --frame-rate 1kHz --duty 0.01 --burst bursty --plot power.png
    """
    from simulator.commands.progress import shown
    from simulator.report import always_on as report
    from simulator.report import terminal
    from simulator.report.page import PAGE
    from simulator.report.study_pages import always_on_page
    from simulator.study import always_on as study
    from simulator.study.workers import available

    battery = None if choices["battery"] is None else float(choices["battery"].exact)
    loaded, chip = options.load(workload, choices["chip"], choices["setting"], choices["corner"])
    how = {
        name: choices[name]
        for name in (
            "mode",
            "frames",
            "burst",
            "background",
            "timesteps",
            "seed",
            "engine",
            "overlap",
        )
    } | {"jobs": choices["jobs"] or available()}
    policies = study.policies_for(chip) if policy == "all" else (policy,)
    options.refuse_picture(choices["plot"], output)
    with options.folder(output, overwrite) as folder:
        with shown() as progress:
            outcomes = study.always_on(
                loaded, chip, frame_rate.exact, duty, policies, progress=progress, **how
            )
        if folder is not None:
            folder.text(PAGE, always_on_page(outcomes, battery))
            about = report.manifest(outcomes, chip, chip.file, options.asked())
            report.put(outcomes, folder, battery, about)
    terminal.show(report.always_on_view(outcomes, battery))
    if choices["plot"] is not None:
        report.draw(outcomes, choices["plot"])
        click.echo(f"wrote {choices['plot']}", err=True)
