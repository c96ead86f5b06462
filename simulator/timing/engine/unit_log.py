"""The log of what units do, kept with events alone."""

from __future__ import annotations

import numpy as np

from simulator.jit import kernel


@kernel(inline=False)
def log_unit(
    chip, log: np.ndarray, core: int, unit: int, what: int, cycle: int, cycles: int, vc: int
) -> None:  # type: ignore[no-untyped-def]
    """Note a stretch of cycles in which a unit is busy or was blocked [K70], or in which a core's
    idle units waited, where `unit` is -1 [K71].
    """
    line = log[chip.n_units]
    line.cycle = cycle
    line.core = core
    line.unit = unit
    line.state = what
    line.cycles = cycles
    line.vc = vc
    chip.n_units += 1
