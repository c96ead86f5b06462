"""`spikemesh validate`: the closed-form model against simulation, term by term."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

if TYPE_CHECKING:
    from simulator.timing import EngineName

from simulator.commands import options
from simulator.commands.crossover import DENSITY


@click.command()
@options.workload
@click.option(
    "--chip",
    default="yan-2024",
    show_default=True,
    help="The chip: the model's own machine, or another one.",
)
@options.timesteps
@click.option("--limit", type=options.COUNT, default=2, show_default=True, help="Inferences.")
@options.engine
@click.option(
    "--prices",
    default="generic-22nm",
    show_default=True,
    help="The chip whose prices the assumptions given up have.",
)
@click.option(
    "--density",
    metavar="D",
    type=DENSITY,
    default="trace",
    show_default=True,
    help="Of the twin's activations: trace, or drawn activity of 0 to 1, best, average or worst.",
)
@click.option(
    "--seed", type=options.SEED, default=0, show_default=True, help="Of the drawn activity."
)
@click.option(
    "--terms-only", is_flag=True, help="Leave out the assumptions given up one at a time."
)
@options.setting
@options.mapping
@options.memory
@options.output
def validate(
    workload: str,
    chip: str,
    timesteps: int | None,
    limit: int,
    engine: EngineName,
    prices: str,
    density: float | str,
    seed: int,
    terms_only: bool,
    setting: tuple[str, ...],
    output: str | None,
    overwrite: bool,
) -> None:
    """Simulate both twins of WORKLOAD and print each term of the closed-form model three ways.

    From the formula with the paper's assumptions, from the formula with what the run measured (N,
    T, s_r, d, H, R), and from the simulator's ledger, per layer and in total, with the residual and
    its cause. Then the assumptions are given up one at a time: what each costs, and how far it
    moves the breakeven spike rate, on a chip that prices payload bits as the model does; a mesh too
    small for one neuron per core is made larger.

    \b
    spikemesh validate digits-mlp --chip yan-2024 --timesteps 4
    """
    from functools import partial

    from simulator.commands.crossover import chosen_density, load_workload
    from simulator.commands.progress import shown
    from simulator.describe.chip import Chip
    from simulator.describe.words import SNN
    from simulator.errors import InputError
    from simulator.report import terminal
    from simulator.report.blocks import Block, Paragraph
    from simulator.report.validate import (
        estimate_view,
        put_validation,
        relaxed_view,
        terms_view,
    )
    from simulator.study.controlled import TRACE, EventSource, natural_rate, replay
    from simulator.study.estimated import estimated
    from simulator.study.measured import measure
    from simulator.study.relaxations import Relaxed, mesh_for, relax
    from simulator.study.simulation import MODES, run
    from simulator.study.validate import Term, terms

    share = chosen_density(density, workload)
    mine = tuple(text for text in setting if not text.startswith("workload."))
    loaded = load_workload(workload, setting)
    window = timesteps or loaded.timesteps
    described = Chip.load(chip, mine)
    # a chip that prices payload bits is the model's machine, where every neuron has a core of its
    # own
    is_ideal = described.energy.payload_bit_hop.value > 0
    if is_ideal:
        if options.is_mapped():
            raise InputError(
                f"--mapping: must be left out on {described.name}, where every neuron has a core"
            )
        described = described.changed(mesh_for(loaded, described))
    priced = Chip.load(prices)
    found: dict[str, list[Term]] = {}
    files = [*loaded.files, described.file, priced.file]
    said: list[Block] = []
    rows: list[Relaxed] = []
    with options.folder(output, overwrite) as folder:
        with shown() as progress:
            for mode in MODES:
                if share == TRACE:
                    result = run(
                        loaded,
                        described,
                        mode,
                        timesteps=timesteps,
                        limit=limit,
                        engine=engine,
                        progress=progress,
                    )
                else:
                    activity = EventSource(loaded, window, limit, share, seed)
                    result = replay(
                        activity,
                        described,
                        mode,
                        natural_rate(window, share),
                        engine=engine,
                        progress=partial(progress, f"{mode} steps"),
                    )
                found[mode] = terms(result)
                if mode == SNN:
                    said_of = estimated(result)
                said += terms_view(mode, measure(result), found[mode])
            said += estimate_view(said_of)
            if is_ideal and not terms_only:
                rows = relax(
                    loaded,
                    described,
                    priced,
                    timesteps=timesteps,
                    inferences=limit,
                    density=share,
                    seed=seed,
                    engine=engine,
                    progress=progress,
                )
                said += relaxed_view(rows, prices)
            elif not terms_only:
                said.append(
                    Paragraph(
                        f"{described.name} is no idealised machine: its assumptions are given up "
                        f"already"
                    )
                )
        if folder is not None:
            about = {"workload": loaded.name, "chip": described.name, "timesteps": window}
            about |= {"inferences": limit, "prices": prices, "density": share}
            put_validation(folder, found, rows, about, said_of)
            options.put_view(folder, said, f"{loaded.name} on {described.name}", files)
    terminal.show(said)
