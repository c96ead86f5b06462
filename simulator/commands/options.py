"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import rich_click as click

from simulator.commands.numbers import LARGEST_COUNT, LARGEST_SEED, Whole
from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.describe.chip import Chip
    from simulator.describe.workload import Workload
    from simulator.report.blocks import Block
    from simulator.report.writing import Folder

#: ranges that several options share
TIMESTEPS, COUNT, SEED = Whole(1, 4096), Whole(1, LARGEST_COUNT), Whole(0, LARGEST_SEED)


def _named(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value == "":
        raise click.BadParameter("must be the name of a folder, not ''", context, parameter)
    return value


workload = click.argument("workload")
chip = click.option(
    "--chip",
    default="generic-22nm",
    show_default=True,
    help="A name (`spikemesh chips` lists them) or a path to a YAML file.",
)
timesteps = click.option(
    "--timesteps",
    type=TIMESTEPS,
    help="T of the spiking twin; the quantised one has ceil(log2(T + 1)) bits.",
)
limit = click.option("--limit", type=COUNT, help="Run only the first inferences of the workload.")
engine = click.option(
    "--engine",
    type=click.Choice(["compiled", "reference"]),
    default="compiled",
    show_default=True,
    help="The fast engine, or the executable specification in SimPy; they agree to the bit.",
)
chunk = click.option(
    "--chunk",
    type=COUNT,
    help="Simulate so many inferences together, each such chunk from the chip's start. [default: "
    "as many as the network's size suggests, at most 500]",
)
jobs = click.option(
    "--jobs",
    type=Whole(1, 1024),
    help="How many simulations run at once; the results do not depend on it. [default: as many "
    "as there are processors]",
)
setting = click.option(
    "--set",
    "setting",
    multiple=True,
    metavar="KEY.PATH=VALUE",
    help="Change a number of the chip, or with `workload.` before it of the workload. May be "
    "repeated.",
)
overlap = click.option(
    "--overlap",
    is_flag=True,
    help="Throughput mode: an inference enters while those before it are deeper in the network.",
)
tick = click.option(
    "--tick",
    metavar="TIME",
    help="Steps start at its whole multiples, such as 1ms, or none: `--set step.tick=...`.  "
    "[default: the chip's]",
)
draws = click.option(
    "--draws",
    type=Whole(0, 1_000_000),
    default=0,
    help="Draw the chip's constants that often from their stated bands, and say how far the result "
    "can be trusted.",
)
corner = click.option(
    "--corner",
    default="nominal",
    show_default=True,
    help="An operating point of the chip, by its name in the file or as '0.7 V @ 250 MHz'.",
)
seed = click.option("--seed", type=SEED, default=0, show_default=True, help="Of the draws.")


def _limited(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        from simulator import memory

        try:
            context.with_resource(memory.limited(value))
        except memory.InputError as error:
            raise memory.InputError(f"--{error}") from None


memory = click.option(
    "--memory",
    metavar="SIZE",
    expose_value=False,
    callback=_limited,
    help="Memory that may be taken, such as 8GiB.  [default: three quarters of what is free]",
)
#: where a command's context keeps the folder of --mapping
_MAPPING = "spikemesh.mapping"


def _remembered(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    context.meta[_MAPPING] = _named(context, parameter, value)


mapping = click.option(
    "--mapping",
    type=click.Path(exists=True),
    metavar="DIR",
    expose_value=False,
    callback=_remembered,
    help="Place the workload as a folder of `spikemesh map`, or a mapping.yaml, says.",
)
_output = click.option(
    "-o",
    "output",
    type=click.Path(file_okay=False),
    callback=_named,
    metavar="DIR",
    help="Write summary.json, manifest.json and tables there.",
)
overwrite = click.option(
    "--overwrite", is_flag=True, help="Replace a folder of results at -o as a whole."
)


def output(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command -o and --overwrite, both for `folder`."""
    return _output(overwrite(command))


def simulated(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command how a workload is simulated on a chip, and where the results go."""
    for option in (output, memory, mapping, setting, engine, corner, limit):
        command = option(command)
    return command


#: options that say where results go and how they are made, not what they are
PLACES = ("output", "overwrite", "plot", "landscape", "timeline", "window", "memory", "jobs")


@contextmanager
def folder(output: str | None, overwrite: bool) -> Iterator[Folder | None]:
    """Yield the folder of -o while it is made, None where nobody asked for one; says that it was
    written.
    """
    if output is None:
        if overwrite:
            raise InputError("--overwrite: needs -o")
        yield None
        return
    from simulator.report.writing import result_folder

    with result_folder(output, overwrite) as made:
        yield made
    click.echo(f"wrote {output}", err=True)


def refuse_picture(plot: Path | None, output: str | None) -> None:
    """Raise before anything runs when the picture of --plot cannot be drawn, or not be written
    there.
    """
    if plot is None:
        return
    from simulator.report.landscape import figure_class
    from simulator.report.writing import refuse_file

    figure_class()
    if output is not None and Path(output).resolve() in (plot.resolve(), *plot.resolve().parents):
        raise InputError(f"--plot: must be outside the folder of -o, not {plot}")
    refuse_file(plot)


def picture(folder: Folder, name: str, draw: Callable[[BinaryIO], None]) -> None:
    """Draw a picture into a folder of results; says so where there is no matplotlib to draw it."""
    from simulator.errors import SpikemeshError
    from simulator.report.landscape import figure_class

    try:
        figure_class()
    except SpikemeshError as error:
        click.echo(f"no {name}: {error}", err=True)
        return
    with folder.file(name) as file:
        draw(file)


def put_view(folder: Folder, blocks: list[Block], title: str, files: list[Path]) -> None:
    """Write what a command shows into its folder, as a page, and what it was asked."""
    from simulator.report.files import provenance
    from simulator.report.page import PAGE
    from simulator.report.study_pages import blocks_page
    from simulator.report.writing import MANIFEST

    folder.text(PAGE, blocks_page(blocks, title=title))
    folder.json(MANIFEST, provenance(files, options=asked()))


def asked() -> dict[str, Any]:
    """Return the command's options as they are recorded beside its results."""
    found = dict(_context().params)
    if _context().meta.get(_MAPPING):
        found["mapping"] = _context().meta[_MAPPING]
    named = {"set" if name == "setting" else name: value for name, value in found.items()}
    return {name: _recorded(value) for name, value in named.items() if name not in PLACES}


def _context() -> click.Context:
    context = click.get_current_context()
    assert context is not None
    return context


def _recorded(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_recorded(each) for each in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return getattr(value, "text", None) or str(value)


def load(
    workload: str,
    chip: str,
    setting: tuple[str, ...],
    corner: str = "nominal",
    tick: str | None = None,
) -> tuple[Workload, Chip]:
    """Return workload and chip with the `--set` changes applied to the one they name, the chip at
    an operating point, its steps at a tick where one is asked for.
    """
    from simulator.describe.chip import Chip
    from simulator.describe.workload import Workload

    prefix = "workload."
    mine = tuple(text for text in setting if text.startswith(prefix))
    of_chip = tuple(text for text in setting if not text.startswith(prefix))
    if tick is not None:
        of_chip = (*of_chip, f"step.tick={tick}")
    return mapped(Workload.load(workload, mine)), Chip.load(chip, of_chip, corner)


def is_mapped() -> bool:
    """Return whether --mapping was given."""
    return _context().meta.get(_MAPPING) is not None


def mapped(workload: Workload) -> Workload:
    """Return the workload as --mapping places it, or as it is."""
    folder = _context().meta.get(_MAPPING)
    if folder is None:
        return workload
    from simulator.describe.mapping_file import load

    return load(folder, workload)


def how(choices: dict[str, Any]) -> dict[str, Any]:
    """Return the choices that say how to simulate, for the Python functions of the same names."""
    from simulator.study.workers import available

    names = ("timesteps", "limit", "engine", "overlap", "draws", "seed", "chunk")
    return {name: choices[name] for name in names} | {"jobs": choices["jobs"] or available()}
