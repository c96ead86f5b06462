"""What a file says populations sent, for a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simulator.describe.words import Mode
from simulator.describe.workload import Workload


def recorded_by(
    trace: str | Path | None, workload: Workload, mode: Mode, timesteps: int | None
) -> dict[int, np.ndarray] | None:
    """Return the activity that a file recorded, None where there is no file."""
    if trace is None:
        return None
    from simulator.importers.activity import load_activity

    return load_activity(trace, workload, mode, timesteps or workload.timesteps)
