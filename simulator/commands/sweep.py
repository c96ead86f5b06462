"""`spikemesh sweep`: a study's points, run and compared."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from simulator.commands import options
from simulator.commands.numbers import Whole


@click.command()
@click.argument("study", type=click.Path(dir_okay=False))
@click.option(
    "-o",
    "output",
    type=click.Path(file_okay=False),
    required=True,
    metavar="DIR",
    help="Write points.csv, pareto.csv, report.html and a folder for each point there.",
)
@click.option(
    "--jobs",
    type=Whole(1, 1024),
    help="Processes that run points.  [default: as many as there are processors]",
)
@click.option(
    "--dask",
    metavar="ADDRESS",
    help="Run points on a Dask cluster instead, such as tcp://127.0.0.1:8786.",
)
@click.option("--resume", is_flag=True, help="Go on with the sweep at -o; finished points stay.")
@options.overwrite
@options.memory
def sweep(
    study: str, output: str, jobs: int | None, dask: str | None, resume: bool, overwrite: bool
) -> None:
    """Run every point of STUDY, a YAML file that names workloads, chips, axes and objectives, and
    say which points are best and which axis moves what.

    The table is the same whatever the number of processes. A sweep that was stopped or killed goes
    on with --resume. A point that does not fit, or deadlocks, is a row that says why.

    \b
    spikemesh sweep examples/lanes-and-banks.yaml -o results/lanes --jobs 2
    spikemesh sweep examples/lanes-and-banks.yaml -o results/lanes --resume
    """
    from simulator.commands.progress import shown
    from simulator.describe.study_file import Study
    from simulator.errors import InputError
    from simulator.report import terminal
    from simulator.report.growing import sweep_folder
    from simulator.report.sweep import sweep_page, sweep_view
    from simulator.study import sweep as study_of_sweep
    from simulator.study.workers import available

    if resume and overwrite:
        raise InputError("--overwrite: must not be given with --resume, which keeps what is there")
    if dask is not None and jobs is not None:
        raise InputError("--jobs: must not be given with --dask, which has its own processes")
    loaded = Study.load(Path(study))
    how = options.asked() | {"study": Path(study).name}
    with sweep_folder(output, loaded, how, resume=resume, overwrite=overwrite) as folder:
        with shown() as progress:
            try:
                result = study_of_sweep.sweep(
                    loaded, jobs=jobs or available(), dask=dask, store=folder, progress=progress
                )
            except KeyboardInterrupt:
                click.echo(f"{output}: --resume goes on with what is finished", err=True)
                raise
        folder.put(result, sweep_page(result))
    click.echo(f"wrote {output}", err=True)
    terminal.show(sweep_view(result))
