"""What one waits for before anything is simulated: --help, the first result, the first
compilation.
"""

from __future__ import annotations

import sys
from tempfile import TemporaryDirectory

from benchmarks import measure
from benchmarks.figures import Figure
from benchmarks.races import Settings

SPIKEMESH = [sys.executable, "-m", "simulator"]
FIRST = [*SPIKEMESH, "run", "digits-mlp", "--mode", "snn", "--limit", "1"]


def start_up(settings: Settings) -> list[Figure]:
    """Processor seconds of whole commands; the first compilation in a cache of its own, less what
    the command takes warm.
    """
    shown = measure.of_command([*SPIKEMESH, "--help"], settings.repeat)
    measure.of_command(FIRST, 1)
    warm = measure.of_command(FIRST, settings.repeat)
    figures = [
        Figure("start-up: --help", shown, "s", 0.2, is_lower_better=True),
        Figure("start-up: first result, warm cache", warm, "s", 1.0, is_lower_better=True),
    ]
    if not settings.is_quick:
        with TemporaryDirectory() as cache:
            cold = measure.of_command(FIRST, 1, SPIKEMESH_CACHE=cache, NUMBA_CACHE_DIR=cache)
        figures.append(
            Figure(
                "start-up: first compilation",
                cold.scaled((cold.median - warm.median) / cold.median),
                "s",
                15.0,
                True,
            )
        )
    return figures
