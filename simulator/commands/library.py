"""`spikemesh check`, `chips`, `workloads` and `schema`: what is there, and whether it is sound."""

from __future__ import annotations

import rich_click as click


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path())
def check(files: tuple[str, ...]) -> None:
    """Check chip and workload FILES (paths or names): every fault of every file, with file, line, key and what is allowed.

    \b
    spikemesh check chips/generic-22nm.yaml workloads/digits-mlp/workload.yaml
    """
    from simulator.describe.chip import Chip
    from simulator.describe.kind import kind_of
    from simulator.describe.workload import Workload
    from simulator.errors import DescriptionError, SpikemeshError

    faults: list[str] = []
    sound: list[str] = []
    for file in files:
        try:
            kind = kind_of(file)
            loaded = Chip.load(file) if kind == "chip" else Workload.load(file)
            sound.append(f"{file}: {kind} {loaded.name} is sound")
        except DescriptionError as error:
            faults += error.faults
        except SpikemeshError as error:
            faults.append(str(error))
    for line in sound:
        click.echo(line)
    if faults:
        raise DescriptionError(faults)


@click.command()
def chips() -> None:
    """List the chips that can be named in --chip."""
    from simulator.describe import library
    from simulator.describe.chip import Chip
    from simulator.units import show

    for name in library.names("chip"):
        chip = Chip.load(name)
        size = f"{chip.mesh.width}x{chip.mesh.height} tiles, {chip.n_cores} cores, {show(1 / chip.period, 'Hz')}"
        click.echo(f"{name}  ({size})\n    {' '.join(chip.about.split())}")


@click.command()
def workloads() -> None:
    """List the workloads that can be named."""
    from simulator.describe import library
    from simulator.describe.workload import Workload

    for name in library.names("workload"):
        workload = Workload.load(name)
        sizes = "-".join(str(layer.n_neurons) for layer in workload.network.layers)
        shape = f"{workload.network.n_inputs}-{sizes}, {workload.stimulus.n_inferences} inputs"
        click.echo(f"{name}  ({shape})\n    {' '.join(workload.about.split())}")


@click.command()
@click.argument("kind", type=click.Choice(["chip", "workload"]))
def schema(kind: str) -> None:
    """Print the JSON Schema of a chip's or a workload's YAML file, for editors and generators."""
    import json

    from simulator.describe.schema import schema_of

    click.echo(json.dumps(schema_of("chip" if kind == "chip" else "workload"), indent=2))


