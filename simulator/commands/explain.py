"""`spikemesh explain`: what holds a run back, proven by relaxing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rich_click as click

if TYPE_CHECKING:
    from simulator.describe.words import Mode

from simulator.commands import options


@click.command()
@options.workload
@options.chip
@click.option(
    "--mode",
    type=click.Choice(["snn", "qnn"]),
    default="snn",
    show_default=True,
    help="The spiking or the quantised twin.",
)
@options.timesteps
@options.limit
@options.corner
@options.setting
@options.mapping
@options.memory
@options.output
def explain(workload: str, mode: Mode, output: str | None, overwrite: bool, **choices: Any) -> None:
    """Say what holds WORKLOAD back on a chip, and prove it: the same run with each resource relaxed
    in turn (twice the lanes, half the barrier, ...), measured in speed and energy.

    Beside it stands the floorline: how far each step lies above the work of its busiest core.

    \b
    spikemesh explain digits-mlp --chip generic-22nm --limit 20
    spikemesh explain digits-cnn --mode qnn --limit 5 -o results/why
    """
    from simulator.commands.progress import shown
    from simulator.report import terminal
    from simulator.report.explain import explain_view, put_explain
    from simulator.study import explain as study

    loaded, chip = options.load(workload, choices["chip"], choices["setting"], choices["corner"])
    how = {name: choices[name] for name in ("timesteps", "limit")}
    with options.folder(output, overwrite) as folder:
        with shown() as progress:
            found = study.explain(loaded, chip, mode, progress=progress, **how)
        if folder is not None:
            put_explain(found, folder, options.asked())
    terminal.show(explain_view(found))
