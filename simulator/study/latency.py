"""When inferences end, and how many end in a second."""

from __future__ import annotations

import numpy as np

from simulator.describe.network import Network
from simulator.mapping.schedule import Schedule
from simulator.timing.record import Record


def end_cycles(record: Record, schedule: Schedule, network: Network) -> np.ndarray:
    """Return the cycle of the last output of each inference that was finished, int64; where nothing
    is read, that in which its last step was quiet.
    """
    n = schedule.finished(len(record.step_start))
    last = record.step_last_output[schedule.output_steps(network)[:n]].max(axis=1, initial=-1)
    quiet = record.step_quiet[schedule.first_step[:n] + schedule.steps_per_inference - 1]
    return np.where(last >= 0, last, quiet)


def throughput(end: np.ndarray, cycles: int, period: float) -> float | None:
    """Return the inferences per second from the first one's end to the last one's; of a single one
    the reciprocal of the run's length, None of none.
    """
    if not len(end) or not cycles:
        return None
    if len(end) == 1 or end[-1] == end[0]:
        return float(len(end) / (cycles * period))
    return float((len(end) - 1) / (int(end[-1] - end[0]) * period))
