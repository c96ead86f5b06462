"""What one waits for before anything is simulated: --help, the first result, the first
compilation.
"""

from __future__ import annotations

import sys
from functools import partial
from tempfile import TemporaryDirectory

from benchmarks import calibration, measure
from benchmarks.figures import Figure, Sample, shown
from benchmarks.races import Settings

SPIKEMESH = [sys.executable, "-m", "simulator"]
FIRST = [*SPIKEMESH, "run", "digits-mlp", "--mode", "snn", "--limit", "1"]
#: goals, in seconds of a machine on which the calibration takes one
HELP, WARM, COLD = 0.2, 1.0, 15.0


def start_up(settings: Settings) -> list[Figure]:
    """Whole commands in multiples of a calibration that takes a second of a quiet Intel Xeon of 2.5
    GHz; the first compilation in a cache of its own, less what the command takes warm.
    """
    measure.of_command(FIRST)
    figures, warm = [], 0.0
    for name, command, goal in (
        ("--help", [*SPIKEMESH, "--help"], HELP),
        ("first result, warm cache", FIRST, WARM),
    ):
        multiples, seconds = calibration.held_to(
            partial(measure.of_command, command), settings.repeat
        )
        warm = seconds.median
        figures.append(_figure(name, multiples, seconds, goal))
    if not settings.is_quick:
        with TemporaryDirectory() as cache:
            cold = partial(measure.of_command, FIRST, SPIKEMESH_CACHE=cache, NUMBA_CACHE_DIR=cache)
            multiples, seconds = calibration.held_to(lambda: cold() - warm, 1)
        figures.append(_figure("first compilation", multiples, seconds, COLD))
    return figures


def _figure(name: str, multiples: Sample, seconds: Sample, goal: float) -> Figure:
    return Figure(
        f"start-up: {name}",
        multiples,
        "calibrations",
        goal,
        is_lower_better=True,
        note=f"{shown(seconds.median, 's')} of processor time here, now",
    )
