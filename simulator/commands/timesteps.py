"""`spikemesh timesteps`: what the window of the twins costs and gives."""

from __future__ import annotations

from typing import Any

import rich_click as click

from simulator.commands import options
from simulator.commands.numbers import Several


@click.command()
@options.workload
@options.chip
@click.option(
    "--timesteps",
    type=Several(options.TIMESTEPS),
    default="1,2,4,8,16",
    show_default=True,
    metavar="T[,T...]",
    help="Windows T, separated by commas.",
)
@options.simulated
def timesteps(workload: str, output: str | None, overwrite: bool, **choices: Any) -> None:
    """Simulate both twins of WORKLOAD at several windows T: accuracy, spikes, efficiency score,
    energy, latency and throughput of each.

    The score is the accuracy in percent per spike of one inference. With -o the points are written
    as timesteps.csv and drawn as timesteps.png (the picture needs matplotlib).

    \b
    spikemesh timesteps digits-mlp --chip generic-22nm --timesteps 1,2,4,8,16 -o timesteps/
    spikemesh timesteps digits-cnn --timesteps 1,3,7 --limit 50
    """
    from simulator.commands.progress import shown
    from simulator.report import terminal
    from simulator.report import timesteps as report
    from simulator.study import timesteps as study

    loaded, chip = options.load(workload, choices["chip"], choices["setting"], choices["corner"])
    with options.folder(output, overwrite) as folder:
        with shown() as progress:
            points = study.sweep(
                loaded,
                chip,
                choices["timesteps"],
                limit=choices["limit"],
                engine=choices["engine"],
                progress=progress,
            )
        n = points[0].inferences
        about = f"{loaded.name} on {chip.name}, {loaded.firing} firing, {n:,} inferences"
        view = report.timesteps_view(points, about, study.alone(loaded))
        if folder is not None:
            options.put_view(folder, view, about, [*loaded.files, chip.file])
            asked = {"workload": loaded.name, "chip": chip.name, "firing": loaded.firing}
            report.put_timesteps(folder, points, asked)
            options.picture(folder, report.PICTURE, lambda file: report.draw(points, about, file))
    terminal.show(view)
