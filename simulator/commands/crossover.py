"""`spikemesh crossover`: the spike rate at which the twins cost the same, by simulation."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING

import rich_click as click

from simulator.commands import options
from simulator.commands.numbers import NumberOrWord, Real, Several, Whole

if TYPE_CHECKING:
    from simulator.describe.words import Firing
    from simulator.describe.workload import Workload
    from simulator.timing import EngineName

#: of activations: a share, a case of Theorem 2, or what the workload does
DENSITY = NumberOrWord(Real(0, 1), ("best", "average", "worst", "trace"))


@click.command()
@options.workload
@options.chip
@click.option(
    "--timesteps",
    type=Several(options.TIMESTEPS),
    default="4",
    show_default=True,
    help="Windows T, separated by commas.",
)
@click.option(
    "--density",
    metavar="D",
    type=DENSITY,
    default="0.2",
    show_default=True,
    help="Of the twin's activations: 0 to 1, held; best, average or worst, tied to the rate "
    "(Theorem 2); or trace: the real "
    "activity, its spikes thinned or filled up.",
)
@click.option(
    "--chip-set",
    multiple=True,
    metavar="KEY=V1,V2,...",
    help="Sweep a number of the chip; several sweeps multiply.",
)
@click.option(
    "--firing",
    type=click.Choice(["streaming", "accumulate"]),
    help="How neurons fire: as they integrate, or after the window; else as the workload says.",
)
@click.option("--neurons-per-core", type=options.COUNT, help="At most so many neurons on a core.")
@click.option(
    "--spread",
    type=Several(Whole(1, 1 << 20)),
    default="1",
    show_default=True,
    help="Use every k-th core only: longer ways; several, separated by commas.",
)
@click.option(
    "--encodings",
    type=click.Choice(["cheapest", "chip"]),
    default="cheapest",
    show_default=True,
    help="Each twin by its cheapest encoding, or as the chip file says.",
)
@click.option(
    "--limit",
    type=options.COUNT,
    default=2,
    show_default=True,
    help="Inferences per spike rate.",
)
@click.option(
    "--seed", type=options.SEED, default=0, show_default=True, help="Of the drawn activity."
)
@click.option(
    "--seeds",
    type=options.COUNT,
    default=1,
    show_default=True,
    help="Draw the activity with so many seeds, and say how far each crossing moves.",
)
@click.option(
    "--resolution",
    type=Real(1e-6, 0.1),
    default=0.0005,
    show_default=True,
    help="Of the spike rate.",
)
@options.overlap
@options.engine
@options.jobs
@options.setting
@options.mapping
@options.memory
@options.output
def crossover(
    workload: str,
    chip: str,
    timesteps: list[int],
    density: float | str,
    chip_set: tuple[str, ...],
    firing: Firing | None,
    neurons_per_core: int | None,
    spread: list[int],
    encodings: str,
    limit: int,
    seed: int,
    seeds: int,
    resolution: float,
    overlap: bool,
    engine: EngineName,
    jobs: int | None,
    setting: tuple[str, ...],
    output: str | None,
    overwrite: bool,
) -> None:
    """Find the spike rate at which both twins of WORKLOAD cost the same: in energy, latency and
    energy-delay product.

    Both twins are simulated on the same mapping with drawn activity of controlled spike rate and
    density, or with the real one thinned; with --overlap latency is the time from one inference's
    end to the next one's. The rate is narrowed by bisection. WORKLOAD may also be
    mlp-N-M-...: a dense network of N inputs, M outputs, ...

    \b
    spikemesh crossover digits-mlp --chip generic-22nm --timesteps 2,4,8
    spikemesh crossover mlp-1024-64 --chip yan-2024 --chip-set "packet.axon=0 bit,12 bit"
    """
    from dataclasses import replace

    from simulator.commands.progress import shown
    from simulator.describe.chip import Chip
    from simulator.errors import InputError
    from simulator.report import terminal
    from simulator.report.crossover import crossover_view, put_crossover
    from simulator.report.files import provenance
    from simulator.report.page import PAGE
    from simulator.report.study_pages import crossover_page
    from simulator.report.writing import MANIFEST
    from simulator.study.crossover import sweep
    from simulator.study.workers import available

    loaded = load_workload(workload, setting)
    if firing is not None:
        loaded = replace(loaded, firing=firing)
    if neurons_per_core is not None:
        if loaded.placement is not None and options.is_mapped():
            raise InputError("--neurons-per-core: must not be given with --mapping, which says it")
        loaded = replace(loaded, neurons_per_core=neurons_per_core, placement=None)
    mine = tuple(text for text in setting if not text.startswith("workload."))
    chips = [
        (swept, Chip.load(chip, (*mine, *(f"{key}={value}" for key, value in swept.items()))))
        for swept in sweeps(chip_set)
    ]
    share = chosen_density(density, workload)
    title = f"{loaded.name} on {chip}, density {density}, seed {seed}, {limit} inferences per rate"
    with options.folder(output, overwrite) as folder:
        with shown() as progress:
            findings = sweep(
                loaded,
                chips,
                timesteps,
                density=share,
                inferences=limit,
                seed=seed,
                seeds=seeds,
                spread=spread,
                encodings=encodings,
                engine=engine,
                overlap=overlap,
                resolution=resolution,
                jobs=jobs or available(),
                progress=progress,
            )
        if folder is not None:
            about = {"workload": loaded.name, "chip": chip, "density": share, "seed": seed}
            about |= {"seeds": seeds}
            about |= {"inferences": limit, "resolution": resolution, "encodings": encodings}
            about |= {"overlap": overlap}
            put_crossover(folder, findings, about)
            folder.text(PAGE, crossover_page(findings, title, resolution))
            files = [*loaded.files, chips[0][1].file]
            folder.json(MANIFEST, provenance(files, options=options.asked()))
    terminal.show(crossover_view(findings, title, resolution))


def load_workload(workload: str, setting: tuple[str, ...]) -> Workload:
    """Return the workload of that name or path, as --mapping places it, or the dense network that
    mlp-N-M-... asks for, which has no file whose keys could be set.
    """
    from simulator.describe.workload import Workload
    from simulator.errors import InputError
    from simulator.study.controlled import named

    prefix = "workload."
    mine = [text for text in setting if text.startswith(prefix)]
    drawn = named(workload)
    if drawn is not None and mine:
        raise InputError(
            f"--set {mine[0]}: must be a key of the chip for {workload}, which has no file, not of "
            f"the workload"
        )
    changes = tuple(text.removeprefix(prefix) for text in mine)
    return options.mapped(drawn or Workload.load(workload, changes))


def sweeps(texts: tuple[str, ...]) -> list[dict[str, str]]:
    """Return every combination of KEY=V1,V2,... texts; commas within brackets belong to a value."""
    from simulator.errors import InputError

    values: dict[str, list[str]] = {}
    for text in texts:
        key, equals, written = text.partition("=")
        if not equals or not key.strip() or not written.strip():
            raise InputError(f"--chip-set: must be key.path=v1,v2,..., not {text!r}")
        values[key.strip()] = [value.strip() for value in re.split(r",(?![^\[]*\])", written)]
    return [dict(zip(values, chosen)) for chosen in product(*values.values())]


def chosen_density(density: float | str, workload: str) -> float | str:
    """Return the density; refuses the trace of a network that has none."""
    from simulator.errors import InputError
    from simulator.study.controlled import TRACE, named

    if density == TRACE and named(workload) is not None:
        raise InputError(
            f"--density: must be 0 to 1, best, average or worst for {workload}, which has no "
            f"trace, not {density!r}"
        )
    return density
