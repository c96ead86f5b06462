"""`spikemesh run` and `spikemesh twin`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

if TYPE_CHECKING:
    from simulator.describe.words import Mode

from simulator.commands import options
from simulator.commands.timeline import timeline as timeline_options
from simulator.commands.timeline import writer


@click.command()
@options.workload
@options.chip
@click.option(
    "--mode",
    type=click.Choice(["snn", "qnn"]),
    required=True,
    help="The spiking or the quantised twin.",
)
@click.option(
    "--trace",
    type=click.Path(),
    metavar="FILE",
    help="What populations sent elsewhere (npz, csv, NIR data): it is taken as it is, and only "
    "what is not in FILE is computed.",
)
@options.timesteps
@options.limit
@options.corner
@options.overlap
@options.tick
@options.engine
@options.chunk
@options.jobs
@options.draws
@options.seed
@options.setting
@options.mapping
@options.memory
@timeline_options
@options.output
def run(
    workload: str,
    mode: Mode,
    trace: str | None,
    timeline: Path | None,
    window: tuple[int, int] | None,
    output: str | None,
    overwrite: bool,
    **choices: Any,
) -> None:
    """Simulate one twin of WORKLOAD on a chip: energy, latency, stalls, cycle by cycle.

    WORKLOAD is a name (`spikemesh workloads` lists them) or a path to a workload.yaml.

    \b
    spikemesh run digits-mlp --chip generic-22nm --mode snn --timesteps 4 --limit 20
    spikemesh run digits-cnn --mode qnn --set packet.activations=dense -o results/
    spikemesh run digits-mlp --mode snn --limit 1 --timeline one.json
    """
    from simulator.report.run import run_view
    from simulator.study import simulation

    def put(result: Any, folder: Any, options: Any) -> None:
        from simulator.report.files import put_run

        put_run(result, folder, options=options)

    def simulate(loaded: Any, chip: Any, progress: Any) -> Any:
        return simulation.run(
            loaded, chip, mode, partial=True, progress=progress, trace=trace, **options.how(choices)
        )

    also = writer(timeline, window, output)
    _go(workload, choices, simulate, run_view, put, output, overwrite, also)


@click.command()
@options.workload
@options.chip
@options.timesteps
@options.limit
@options.corner
@options.overlap
@options.tick
@options.engine
@options.chunk
@options.jobs
@options.draws
@options.seed
@options.setting
@options.mapping
@options.memory
@options.output
def twin(workload: str, output: str | None, overwrite: bool, **choices: Any) -> None:
    """Simulate both twins of WORKLOAD on the same chip and mapping, and say which wins, by how
    much, and why.

    WORKLOAD is a name (`spikemesh workloads` lists them) or a path to a workload.yaml.

    \b
    spikemesh twin digits-mlp --chip generic-22nm --timesteps 4
    spikemesh twin digits-cnn --set core.synapse.lanes=16 --set workload.twin.firing=accumulate
    """
    from simulator.report.run import twin_view
    from simulator.study import twin as study

    def put(result: Any, folder: Any, options: Any) -> None:
        from simulator.report.files import put_twin

        put_twin(result, folder, options=options)

    def simulate(loaded: Any, chip: Any, progress: Any) -> Any:
        return study.twin(loaded, chip, partial=True, progress=progress, **options.how(choices))

    _go(workload, choices, simulate, twin_view, put, output, overwrite)


def _go(
    workload: str,
    choices: dict[str, Any],
    simulate: Callable[[Any, Any, Any], Any],
    view: Callable[[Any], Any],
    put: Callable[..., None],
    output: str | None,
    overwrite: bool,
    also: Callable[[Any, Any], None] | None = None,
) -> None:
    from simulator.commands.progress import shown
    from simulator.report import terminal

    named = (choices[name] for name in ("chip", "setting", "corner", "tick"))
    loaded, chip = options.load(workload, *named)
    with options.folder(output, overwrite) as folder:
        with shown() as progress:
            result = simulate(loaded, chip, progress)
            if also is not None:
                also(result, progress)
        if folder is not None:
            put(result, folder, options=options.asked())
    terminal.show(view(result))
    if not result.is_complete:
        raise SystemExit(130)
