"""`spikemesh budget`: ways to spend a bit budget, simulated."""

from __future__ import annotations

from typing import Any

import rich_click as click

from simulator.commands import options
from simulator.commands.numbers import Several, Whole


@click.command()
@options.workload
@options.chip
@click.option(
    "--budget",
    type=Whole(1, 1 << 20),
    default=32,
    show_default=True,
    help="BB = T x weight bits x spike bits.",
)
@click.option(
    "--weight-bits",
    type=Several(Whole(1, 16)),
    default="1,2,4,8",
    show_default=True,
    metavar="B[,B...]",
    help="Widths of weights, separated by commas.",
)
@click.option(
    "--spike-bits",
    type=Several(Whole(1, 16)),
    default="1,2,4",
    show_default=True,
    metavar="B[,B...]",
    help="Widths of what a neuron sends in a timestep, separated by commas.",
)
@options.simulated
def budget(workload: str, output: str | None, overwrite: bool, **choices: Any) -> None:
    """Spend one bit budget on weights, spikes and timesteps of WORKLOAD in every way: accuracy and
    simulated energy beside the published yardsticks S-ACE and NS-ACE.

    The budget is T x weight bits x spike bits (Shen et al., CVPR 2024). Weights are rounded, not
    trained again.

    \b
    spikemesh budget digits-mlp --chip generic-22nm --budget 32
    spikemesh budget digits-cnn --budget 16 --weight-bits 2,4,8 --limit 50 -o budget/
    """
    from simulator.commands.progress import shown
    from simulator.commands.written import naming_options
    from simulator.report import budget as report
    from simulator.report import terminal
    from simulator.study import budget as study

    loaded, chip = options.load(workload, choices["chip"], choices["setting"], choices["corner"])
    with naming_options():
        spends, left = study.ways(
            loaded, choices["budget"], choices["weight_bits"], choices["spike_bits"]
        )
    with options.folder(output, overwrite) as folder:
        with shown() as progress:
            found = study.sweep(
                loaded,
                chip,
                spends,
                limit=choices["limit"],
                engine=choices["engine"],
                progress=progress,
            )
        n = found[0].point.inferences
        about = f"{loaded.name} on {chip.name}, budget {choices['budget']}, {n:,} inferences"
        view = report.budget_view(found, about, left)
        if folder is not None:
            options.put_view(folder, view, about, [*loaded.files, chip.file])
            asked = {"workload": loaded.name, "chip": chip.name, "budget": choices["budget"]}
            report.put_budget(folder, found, left, asked)
    terminal.show(view)
