"""What a run is asked for: descriptions by name or path, and numbers that can be meant."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simulator.describe.chip import Chip
from simulator.describe.workload import Workload
from simulator.errors import InputError
from simulator.timing import engine_named

MAXIMUM_TIMESTEPS = 4096


def described(workload: Workload | str | Path, chip: Chip | str | Path) -> tuple[Workload, Chip]:
    """Return workload and chip, loaded where names or paths are given."""
    return (
        workload if isinstance(workload, Workload) else Workload.load(workload),
        chip if isinstance(chip, Chip) else Chip.load(chip),
    )


def check_run(
    *,
    timesteps: int | None,
    limit: int | None,
    engine: str,
    draws: int,
    seed: int,
    jobs: int = 1,
) -> None:
    """Raise InputError for arguments of a run that cannot be meant."""
    bounds: tuple[tuple[str, object, int, int | None], ...] = (
        ("timesteps", 1 if timesteps is None else timesteps, 1, MAXIMUM_TIMESTEPS),
        ("limit", 1 if limit is None else limit, 1, None),
        ("draws", draws, 0, None),
        ("seed", seed, 0, None),
        ("jobs", jobs, 1, None),
    )
    for name, value, least, most in bounds:
        is_whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not is_whole or value < least:  # type: ignore[operator]
            raise InputError(f"{name}: must be a whole number of at least {least}, not {value!r}")
        if most is not None and value > most:  # type: ignore[operator]
            raise InputError(f"{name}: must be at most {most}, not {value}")
    engine_named(engine)
