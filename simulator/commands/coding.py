"""`spikemesh coding`: the same inputs as rates, as first spikes and as bursts."""

from __future__ import annotations

from typing import Any

import rich_click as click

from simulator.commands import options


@click.command()
@options.workload
@options.chip
@click.option(
    "--timesteps",
    type=options.TIMESTEPS,
    help="The window T.  [default: the workload's]",
)
@options.simulated
def coding(workload: str, output: str | None, overwrite: bool, **choices: Any) -> None:
    """Present the inputs of WORKLOAD as rates, as first spikes and as bursts: operations, energy
    and accuracy of each.

    The spiking twin is simulated; the measured ratio of synaptic operations stands beside the
    published one. First spikes need neurons that hold a current beside their potential, so a chip
    needs room for both (core.soma.state).

    \b
    spikemesh coding digits-mlp --chip generic-22nm --timesteps 8
    spikemesh coding digits-cnn --chip loihi1 --timesteps 16 --limit 50 -o coding/
    """
    from simulator.commands.progress import shown
    from simulator.report import coding as report
    from simulator.report import terminal
    from simulator.study import coding as study

    loaded, chip = options.load(workload, choices["chip"], choices["setting"], choices["corner"])
    window = choices["timesteps"] or loaded.timesteps
    with options.folder(output, overwrite) as folder:
        with shown() as progress:
            found = study.compare(
                loaded,
                chip,
                window,
                limit=choices["limit"],
                engine=choices["engine"],
                progress=progress,
            )
        n = found[0].point.inferences
        about = f"{loaded.name} on {chip.name}, T = {window}, {n:,} inferences"
        view = report.coding_view(found, about)
        if folder is not None:
            options.put_view(folder, view, about, [*loaded.files, chip.file])
            asked = {"workload": loaded.name, "chip": chip.name, "timesteps": window}
            report.put_coding(folder, found, asked)
    terminal.show(view)
