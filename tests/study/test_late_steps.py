"""Steps that overrun their tick, from the engine's record to summary.json and the report."""

import numpy as np
import pytest

from simulator import Chip, run
from simulator.report.run import run_view
from simulator.report.terminal import text

#: of a tick in cycles, how many of the 14 steps of two inferences are late: none, some, all
TICKS = [(1000, 0, 0), (200, 1, 13), (2, 14, 14)]


@pytest.mark.parametrize("tick, least, most", TICKS)
def test_late_steps_are_counted_and_said(tick, least, most) -> None:
    chip = Chip.load("generic-22nm", (f"step.tick={tick} cycles",))
    result = run("digits-mlp", chip, "snn", timesteps=4, limit=2)
    starts = np.append(result.record.step_start, result.record.cycles)
    assert 14 == len(result.record.step_start) and not (starts % tick).any()
    late = int((np.diff(starts) > tick).sum())
    assert least <= late <= most
    assert late == result.late_steps == result.summary()["late_steps"]
    said = f"{late} of 14 steps of the spiking twin took longer than the tick"
    assert bool(late) == (said in " ".join(text(run_view(result)).split()))


def test_a_tick_changes_no_prediction() -> None:
    free, held = (
        run("digits-mlp", Chip.load("generic-22nm", changes), "snn", timesteps=4, limit=10)
        for changes in ((), ("step.tick=1 us",))
    )
    assert (free.raster.outputs == held.raster.outputs).all()
    assert held.record.cycles == 500 * len(held.record.step_start) > free.record.cycles
