"""`spikemesh agree`: both engines on the same work, and the first difference if there is any."""

from __future__ import annotations

import rich_click as click

from simulator.commands import options
from simulator.commands.numbers import Whole


@click.command()
@options.workload
@options.chip
@click.option(
    "--seeds",
    type=Whole(1, 10_000),
    default=1,
    show_default=True,
    help="How many stretches of the inputs to run.",
)
@click.option(
    "--limit", type=options.COUNT, default=2, show_default=True, help="Inferences per stretch."
)
@options.timesteps
@options.setting
@options.mapping
@options.memory
def agree(
    workload: str,
    chip: str,
    seeds: int,
    limit: int,
    timesteps: int | None,
    setting: tuple[str, ...],
) -> None:
    """Run WORKLOAD through both engines and show that they agree on every grant, state change,
    packet and counter.

    Both twins are run. Seed 0 takes the first inputs, further seeds take inputs drawn with that
    seed. Exit 1 and the first difference when they do not agree.

    \b
    spikemesh agree digits-mlp --chip generic-22nm --seeds 3
    """
    from simulator.commands.progress import shown
    from simulator.errors import CheckError
    from simulator.report import terminal
    from simulator.report.library import agree_view
    from simulator.study.agree import compare_engines

    loaded, described = options.load(workload, chip, setting)
    with shown() as progress:
        outcomes = compare_engines(
            loaded, described, seeds=seeds, limit=limit, timesteps=timesteps, progress=progress
        )
    terminal.show(agree_view(outcomes))
    wrong = [outcome for outcome in outcomes if outcome.difference is not None]
    if wrong:
        raise CheckError(f"{len(wrong)} of {len(outcomes)} runs differ")
