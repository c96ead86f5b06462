"""`spikemesh check`, `chips`, `workloads` and `schema`: what is there, and whether it is sound."""

from __future__ import annotations

import rich_click as click

from simulator.commands import options

#: the file a folder is named for
OWN = ("chip.yaml", "workload.yaml")


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path())
def check(files: tuple[str, ...]) -> None:
    """Check chip and workload FILES (paths, names or folders of them): every fault of every file,
    with file, line, key and what is allowed. Of a workload also the graph of its network, when each
    population works, and how many chip steps a timestep takes.

    \b
    spikemesh check chips/generic-22nm.yaml workloads/digits-mlp/workload.yaml
    """
    from simulator.describe.chip import Chip
    from simulator.describe.kind import kind_of
    from simulator.describe.workload import Workload
    from simulator.errors import DescriptionError, SpikemeshError
    from simulator.report import terminal
    from simulator.report.graph import graph_view

    faults: list[str] = []
    sound: list[str] = []
    networks: list[Workload] = []
    for file in [file for given in files for file in _files(given)]:
        try:
            kind = kind_of(file)
            loaded = Chip.load(file) if kind == "chip" else Workload.load(file)
            networks += [loaded] if isinstance(loaded, Workload) else []
            sound.append(f"{file}: {kind} {loaded.name} is sound")
        except DescriptionError as error:
            faults += error.faults
        except SpikemeshError as error:
            faults.append(str(error))
    for line in sound:
        click.echo(line)
    for workload in networks:
        terminal.show(graph_view(workload))
    if faults:
        raise DescriptionError(faults)


def _files(given: str) -> list[str]:
    """Return what a path stands for: itself, or the files of a folder that is no workload's."""
    from pathlib import Path

    from simulator.errors import InputError

    folder = Path(given)
    try:
        if not folder.is_dir() or any((folder / name).is_file() for name in OWN):
            return [given]
        found = sorted([*folder.glob("*.yaml"), *folder.glob("*/workload.yaml")])
    except OSError:  # what cannot be looked at is said by what reads it
        return [given]
    if not found:
        raise InputError(f"{given}: must hold chip or workload files (*.yaml), not nothing")
    return [str(file) for file in found]


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "--check",
    is_flag=True,
    help="Run what each chip's file claims to reproduce; exit 1 when a claim does not hold.",
)
@options.setting
@options.corner
@options.memory
@click.option("--markdown", is_flag=True, help="Print the table of --check as Markdown.")
@options.output
def chips(
    names: tuple[str, ...],
    check: bool,
    setting: tuple[str, ...],
    corner: str,
    markdown: bool,
    output: str | None,
    overwrite: bool,
) -> None:
    """List the chips that can be named in --chip; show what those of NAMES (names or paths) hold,
    leak, measure and can do at most; or hold them to what was published about them.

    \b
    spikemesh chips
    spikemesh chips generic-22nm --set router.virtual_channels=8
    spikemesh chips --check
    spikemesh chips --check loihi1 mine/chip.yaml -o results/claims
    """
    if (check or markdown) and (setting or corner != "nominal"):
        raise click.UsageError("--set and --corner are for NAMES without --check")
    if check or markdown:
        _hold_to_claims(list(names) or None, markdown, output, overwrite)
    elif output is not None or overwrite:
        raise click.UsageError("-o is for --check; --check is missing")
    elif not names and (setting or corner != "nominal"):
        raise click.UsageError("--set and --corner are for NAMES; NAMES are missing")
    elif names:
        _show_chips(names, setting, corner)
    else:
        _list_chips()


def _hold_to_claims(
    names: list[str] | None, markdown: bool, output: str | None, overwrite: bool
) -> None:
    from simulator.commands.progress import shown
    from simulator.describe import library
    from simulator.describe.chip import Chip
    from simulator.errors import CheckError
    from simulator.report import terminal
    from simulator.report.claims import claims_markdown, claims_view, put_claims, summary
    from simulator.report.files import provenance
    from simulator.report.writing import MANIFEST
    from simulator.study.claims import check

    with options.folder(output, overwrite) as folder:
        with shown() as progress:
            predictions = check(names, progress)
        if folder is not None:
            put_claims(folder, predictions)
            files = [Chip.load(name).file for name in names or library.names("chip")]
            folder.json(MANIFEST, provenance(files, options=options.asked()))
    for name in names or []:
        if not Chip.load(name).published:
            click.echo(f"{name} claims nothing", err=markdown)
    if not predictions:
        return
    if markdown:
        click.echo(claims_markdown(predictions), nl=False)
    else:
        terminal.show(claims_view(predictions))
        click.echo(f"\n{summary(predictions)}")
    wrong = [prediction for prediction in predictions if not prediction.holds]
    if wrong:
        said = "; ".join(
            f"{prediction.chip}: {prediction.claim.claim}: {prediction.deviation:+.2%}"
            for prediction in wrong
        )
        raise CheckError(f"{len(wrong)} of {len(predictions)} claims do not hold: {said}")


def _show_chips(names: tuple[str, ...], setting: tuple[str, ...], corner: str) -> None:
    from simulator.describe.chip import Chip
    from simulator.report import terminal
    from simulator.report.library import chip_view

    for chip in [Chip.load(name, setting, corner) for name in names]:
        terminal.show(chip_view(chip))


def _list_chips() -> None:
    from simulator.describe import library
    from simulator.describe.chip import Chip
    from simulator.report import terminal
    from simulator.report.library import chips_view

    terminal.show(chips_view([Chip.load(name) for name in library.names("chip")]))


@click.command()
def workloads() -> None:
    """List the workloads that can be named."""
    from simulator.describe import library
    from simulator.describe.workload import Workload
    from simulator.report import terminal
    from simulator.report.library import workloads_view

    terminal.show(workloads_view([Workload.load(name) for name in library.names("workload")]))


@click.command()
@click.argument("kind", type=click.Choice(["chip", "workload"]))
def schema(kind: str) -> None:
    """Print the JSON Schema of a chip's or a workload's YAML file, for editors and generators."""
    import json

    from simulator.describe.schema import schema_of

    click.echo(json.dumps(schema_of("chip" if kind == "chip" else "workload"), indent=2))
