"""`spikemesh import`: a trained network of another tool as a workload."""

from __future__ import annotations

from typing import Any

import rich_click as click

from simulator.commands import options
from simulator.commands.numbers import Real, Whole
from simulator.errors import InputError

#: names in importers/habits.py
TOOLS = ("nir", "snntorch", "sinabs", "norse", "spikingjelly", "rockpool", "spyx", "lava", "nengo")


@click.command(name="import")
@click.argument("file", type=click.Path())
@click.option(
    "-o",
    "output",
    type=click.Path(file_okay=False),
    metavar="DIR",
    required=True,
    help="Folder of the workload: workload.yaml, arrays.npz, summary.json, manifest.json.",
)
@options.overwrite
@click.option(
    "--from",
    "tool",
    type=click.Choice(TOOLS),
    help="The tool that wrote FILE, for all its habits at once; nir: the specification alone.",
)
@click.option("--dt", type=Real(1e-12, 1e6), help="Seconds of a timestep.")
@click.option("--reset", type=click.Choice(["zero", "subtract"]), help="After a spike.")
@click.option(
    "--reset-at",
    type=click.Choice(["same", "next"]),
    help="Timestep in which a reset takes effect.",
)
@click.option(
    "--compare", type=click.Choice(["gt", "ge"]), help="Fire above the threshold, or at it too."
)
@click.option(
    "--spikes-per-step",
    type=click.Choice(["one", "many"]),
    help="At most one spike of a neuron in a timestep, or as many as thresholds fit.",
)
@click.option(
    "--initial",
    type=click.Choice(["zero", "half", "reset", "leak"]),
    help="Potential an inference starts from; half: of the threshold.",
)
@click.option(
    "--lower",
    type=click.Choice(["none", "threshold"]),
    help="Hold potentials above minus the threshold.",
)
@click.option(
    "--weight-bits", type=Whole(2, 16), default=8, show_default=True, help="Of the integers."
)
@click.option(
    "--per",
    type=click.Choice(["channel", "population"]),
    default="channel",
    show_default=True,
    help="A scale for each neuron or channel, or one for a population.",
)
@click.option(
    "--percentile",
    type=Real(50, 100),
    default="100",
    show_default=True,
    help="Of the magnitudes that the largest integer stands for; 100: the largest one.",
)
@click.option(
    "--input-bits", type=Whole(2, 16), default=8, show_default=True, help="Of inputs that are real."
)
@click.option(
    "--stimulus",
    type=click.Path(),
    metavar="FILE",
    help="Recorded inputs (npz, npy, csv, NIR data), with labels where there are some: the "
    "workload's stimulus, and what scales and widths are calibrated on.",
)
@click.option(
    "--check",
    type=click.Path(),
    metavar="FILE",
    help="What the tool itself recorded of populations, held against the network in reals; exit 1 "
    "when a spike differs.",
)
@options.timesteps
@click.option("--rate", type=Real(0, 1), help="Of spikes that are drawn without --stimulus. [0.1]")
@click.option("--seed", type=options.SEED, default=0, show_default=True, help="Of what is drawn.")
@click.option(
    "--compared",
    type=options.COUNT,
    default=100,
    show_default=True,
    help="Inferences that are run in reals and in integers, to say what rounding changed.",
)
@options.memory
def import_(
    file: str,
    output: str,
    overwrite: bool,
    stimulus: str | None,
    check: str | None,
    rate: float | None,
    seed: int,
    compared: int,
    per: str,
    **choices: Any,
) -> None:
    """Turn a trained network of another tool into a workload of integers, and say what that
    changes.

    FILE is a NIR file (.nir) or a quantised ONNX file (.onnx: QDQ, QCDQ or QONNX). What a NIR file
    cannot say (how long a timestep is, how neurons reset, when they fire) follows from its numbers
    and the habits of its tool, is stated, and can be chosen. An ONNX file says it all: at a T of as
    many levels as its activations have, the quantised twin is the file's own arithmetic.

    \b
    spikemesh import net.nir -o mine/ --from snntorch --stimulus test.npz
    spikemesh import lif.nir -o lif/ --dt 1e-4 --check recorded.csv
    spikemesh import digits.onnx -o digits/ --stimulus test.npz
    """
    from simulator.commands.progress import shown
    from simulator.commands.written import naming_options
    from simulator.importers.choices import Choices
    from simulator.report import terminal
    from simulator.report.importing import import_view, put_import
    from simulator.study.importing import bring, refuse_difference

    if rate is not None and (stimulus is not None or check is not None):
        raise InputError("--rate: must be left out beside --stimulus or --check")
    with naming_options(), options.folder(output, overwrite) as folder:
        with shown() as progress:
            brought = bring(
                file,
                Choices(per_channel=per == "channel", **choices),
                stimulus=stimulus,
                check=check,
                rate=0.1 if rate is None else rate,
                seed=seed,
                limit=compared,
                progress=progress,
            )
        assert folder is not None
        put_import(brought, folder, stimulus, check, options.asked())
    terminal.show(import_view(brought))
    refuse_difference(brought)
