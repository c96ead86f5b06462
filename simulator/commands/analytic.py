"""`spikemesh analytic`: the published closed-form energy of both twins, its published numbers, its
pictures.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from simulator.commands import options
from simulator.commands.numbers import LARGEST_COUNT, NumberOrWord, Real, Whole

CASES = ("best", "average", "worst")
#: asked of a network when no configuration is named: T and s_r
TIMESTEPS, RATE, FAN_IN = 5, 0.06, 4096


@click.command()
@click.option(
    "--configuration",
    metavar="NAME",
    help="Take T, rate and fan-in from efficient, typical or high-performance.",
)
@click.option(
    "--setting",
    default="typical",
    show_default=True,
    help="Price of transfers: theoretical-minimum, typical or worst-case.",
)
@click.option(
    "--version",
    default="v3",
    show_default=True,
    help="Paper revision: v3, or v4 (adds the membrane).",
)
@click.option(
    "--timesteps", type=Whole(1, 1_000_000), help=f"Time window T.  [default: {TIMESTEPS}]"
)
@click.option(
    "--rate",
    type=Real(0, 1),
    help=f"Mean spike rate per input and timestep, 0 to 1.  [default: {RATE}]",
)
@click.option(
    "--density",
    metavar="D",
    type=NumberOrWord(Real(0, 1), CASES),
    default="average",
    show_default=True,
    help="Active share of the twin's inputs, 0 to 1, or the case of Theorem 2: best, average, "
    "worst.",
)
@click.option(
    "--weight-bits", type=Whole(1, 64), default=8, show_default=True, help="Bits of a weight."
)
@click.option(
    "--fan-in",
    type=Whole(1, LARGEST_COUNT),
    help=f"Inputs N of the output neuron.  [default: {FAN_IN}]",
)
@click.option(
    "--hops",
    type=Real(0, 1e6),
    default=1.0,
    show_default=True,
    help="Mean hops of a transfer.",
)
@click.option(
    "--reuse-snn",
    type=Real(1, 1e9),
    default=1.0,
    show_default=True,
    help="Uses per weight read, spiking network.",
)
@click.option(
    "--reuse-qnn",
    type=Real(1, 1e9),
    default=1.0,
    show_default=True,
    help="Uses per weight read, quantised twin.",
)
@click.option(
    "--aggregated", is_flag=True, help="Send spike counts once per window instead of spikes."
)
@click.option(
    "--allow-extrapolated", is_flag=True, help="Use constants that are neither read nor solved."
)
@click.option(
    "--published", is_flag=True, help="Print every published number beside the computed one."
)
@click.option(
    "--constants", is_flag=True, help="Print the constants, with source and how each is known."
)
@click.option(
    "--landscape",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write pictures (PNG) and their data (CSV) into a folder of results.",
)
@options.overwrite
def analytic(
    published: bool, constants: bool, landscape: Path | None, overwrite: bool, **asked: Any
) -> None:
    """Energy of a spiking network and of its quantised twin by the published closed-form model.

    Per output neuron and inference.  Exits with 1 when --published finds a number beyond its
    printed digit.
    """
    if published:
        _show_published()
    elif constants:
        _show_constants()
    elif landscape is not None:
        _write_landscape(landscape, asked, overwrite)
    else:
        _show_energy(asked)


def _show_published() -> None:
    from simulator.analytic.published import published_table
    from simulator.errors import CheckError
    from simulator.report import terminal
    from simulator.report.analytic import published_view

    rows = published_table()
    terminal.show(published_view(rows))
    beyond = [row.what for row in rows if row.verdict == "beyond its printed digit"]
    if beyond:
        raise CheckError(f"beyond the printed digit: {'; '.join(beyond)}")


def _show_constants() -> None:
    from simulator.analytic.constants import constants
    from simulator.report import terminal
    from simulator.report.analytic import constants_view

    terminal.show(constants_view(constants()))


def _write_landscape(place: Path, asked: dict[str, Any], overwrite: bool) -> None:
    from simulator.commands.progress import shown
    from simulator.report.files import provenance
    from simulator.report.landscape import draw, figure_class
    from simulator.report.writing import MANIFEST, result_folder
    from simulator.study.landscape import landscapes

    figure_class()  # refuse before anything is written
    setting, version = asked["setting"], asked["version"]
    with result_folder(place, overwrite) as folder:
        with shown() as progress:
            grids = landscapes(setting, version, asked["allow_extrapolated"], progress)
            drawn = draw(grids, folder.path, setting, version, progress)
        pictures = [path.name for path in drawn]
        for grid in grids:
            folder.table(f"{grid.name}.csv", grid.columns, grid.rows())
        titles = {grid.name: grid.title for grid in grids}
        about = {"schema_version": 1, "setting": setting, "version": version}
        folder.json("summary.json", about | {"grids": titles, "pictures": pictures})
        folder.json(MANIFEST, provenance([], options=options.asked()))
    for name in (*(f"{grid.name}.csv" for grid in grids), *pictures):
        click.echo(place / name)


def _show_energy(asked: dict[str, Any]) -> None:
    from dataclasses import replace

    from simulator.analytic.breakeven import hop_breakeven, rate_breakeven
    from simulator.analytic.constants import CONFIGURATIONS, hardware, named
    from simulator.analytic.model import (
        Operation,
        dense_rate,
        quantised,
        spiking,
    )
    from simulator.report import terminal
    from simulator.report.analytic import energy_view

    name = asked["configuration"]
    base = named(CONFIGURATIONS, "configuration", name) if name is not None else None
    timesteps = _first(asked["timesteps"], base and base.timesteps, TIMESTEPS)
    rate = _first(asked["rate"], base and base.rate, RATE)
    fan_in = _first(asked["fan_in"], base and base.fan_in, FAN_IN)
    same = {
        key: asked[key] for key in ("weight_bits", "hops", "reuse_snn", "reuse_qnn", "aggregated")
    }
    operation = Operation(timesteps, rate, asked["density"], fan_in, **same)
    energies = hardware(asked["setting"], asked["version"], asked["allow_extrapolated"])
    snn, qnn = spiking(operation, energies), quantised(operation, energies)
    density, switch = float(operation.twin_density), float(dense_rate(operation, energies))
    fixed = replace(operation, density=density)
    tied = {}
    if isinstance(operation.density, str):
        what = f"breakeven spike rate, d following it ({operation.density} case)"
        tied[what] = rate_breakeven(operation, energies).show()
    facts = {
        "for": f"T = {timesteps}, s_r = {rate:g}, d = {density:.4g}, N = {fan_in}, "
        f"{asked['weight_bits']}-bit weights, H = {asked['hops']:g}",
        "cheaper on compute alone": "SNN" if snn.compute < qnn.compute else "QNN",
        f"breakeven spike rate at d = {density:.4g}": rate_breakeven(fixed, energies).show(),
        **tied,
        "breakeven hops": hop_breakeven(operation, energies).show(),
        "spike rate above which dense transfer wins": f"{switch:.4g}" if switch < 1 else "none",
    }
    terminal.show(energy_view(snn, qnn, facts))


def _first(*choices: Any) -> Any:
    """Return the first choice that was made."""
    return next(choice for choice in choices if choice is not None)
