"""`spikemesh map`."""

from __future__ import annotations

from typing import Any

import rich_click as click

from simulator.commands import options


@click.command()
@options.workload
@options.chip
@click.option(
    "--objective",
    type=click.Choice(["energy", "latency", "edp", "cores"]),
    default="energy",
    show_default=True,
    help="What the mapping should have least of: joules or cycles of an inference, their product, "
    "or cores.",
)
@click.option(
    "--effort",
    type=click.Choice(["quick", "normal", "thorough"]),
    default="normal",
    show_default=True,
    help="quick: no annealing, as `mapping: auto` does; normal: counted activity, places annealed, "
    "16 plans simulated; thorough: more of all, 64 plans.",
)
@click.option("--seed", type=options.SEED, default=0, show_default=True, help="Of the annealing.")
@click.option(
    "--activity",
    type=click.Choice(["counted", "stated"]),
    help="Of the first inference, run for it, or 10 % of neurons in every timestep.  [default: "
    "stated for quick, else counted]",
)
@click.option(
    "--silent",
    type=click.Choice(["ignore", "find", "drop"]),
    help="Neurons that never fire: find them, or leave them out of the network too, which is then "
    "written beside the mapping; what is read must stay the same.  [default: ignore for quick or "
    "stated activity, else find]",
)
@click.option(
    "--inputs",
    type=options.COUNT,
    default=100,
    show_default=True,
    help="How many inferences of the workload say which neurons are silent.",
)
@options.corner
@options.setting
@options.memory
@options.output
def map(workload: str, output: str | None, overwrite: bool, **choices: Any) -> None:
    """Find where WORKLOAD sits on a chip: cores and cut of every population, and their places.

    Prints the plan, how full the cores' memories are, the estimated cost, and the next best plans.
    With -o the mapping is written too; `run`, `twin` and the studies take it by --mapping.  A
    network without its silent neurons is in DIR/workload.

    \b
    spikemesh map digits-cnn --chip loihi1 --objective latency
    spikemesh map shd-like --effort thorough -o shd-mapping
    spikemesh map digits-mlp --silent drop --inputs 450 -o small
    """
    from functools import partial

    from simulator.commands.progress import shown
    from simulator.report import terminal
    from simulator.report.mapping import mapping_view, put_mapping
    from simulator.study import silent
    from simulator.study.plans import map_workload

    loaded, chip = options.load(workload, choices["chip"], choices["setting"], choices["corner"])
    with options.folder(output, overwrite) as folder:
        with shown() as progress:
            quiet, looked = choices["silent"], None
            if quiet is None:
                is_stated = choices["effort"] == "quick" or choices["activity"] == "stated"
                quiet = "ignore" if is_stated else "find"
            if quiet != "ignore":
                steps = partial(progress, "silent neurons looked for")
                looked = silent.look(loaded, choices["inputs"], quiet == "drop", steps)
                loaded = looked.workload
            found = map_workload(
                loaded,
                chip,
                choices["objective"],
                choices["effort"],
                choices["seed"],
                activity=choices["activity"],
                progress=progress,
            )
        if folder is not None:
            put_mapping(found, folder, options.asked(), looked)
    terminal.show(mapping_view(found, looked))
