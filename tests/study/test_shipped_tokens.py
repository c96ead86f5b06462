"""Tokens instead of barriers on the workloads that come with it: what comes out, and what is done
for it, are the same.
"""

import numpy as np
import pytest
from drawn_runs import DONE

from simulator import Chip, Workload, run
from simulator.describe import library
from simulator.timing.record import COUNTER

CHIP, TOKENS = "generic-22nm", "step.synchronisation=tokens"
GROWN = ("mesh.width=32", "mesh.height=32")
#: workload, its twins, the chip's changes, inferences
CASES = [
    ("digits-cnn", ("snn", "qnn"), (), 4),
    ("digits-mlp", ("snn", "qnn"), (), 20),
    ("digits-recurrent", ("snn",), (), 20),
    ("digits-residual", ("snn", "qnn"), (), 4),
    ("fanout", ("snn", "qnn"), (), 4),
    ("keyword-stream", ("snn",), (), 20),
    ("shd-like", ("snn",), (), 1),
    pytest.param("vgg16-cifar", ("snn", "qnn"), GROWN, 1, marks=pytest.mark.slow),
]
#: its chip keeps time by a tick, which holds all cores together
WITHOUT = {"recurrent-million"}


def test_every_workload_is_here() -> None:
    named = {getattr(case, "values", case)[0] for case in CASES}
    assert set(library.names("workload")) == named | WITHOUT


@pytest.mark.parametrize("name, modes, changes, limit", CASES)
def test_tokens_change_neither_outputs_nor_work(name, modes, changes, limit) -> None:
    workload = Workload.load(name)
    for mode in modes:
        by_barrier, by_token = (
            run(workload, Chip.load(CHIP, how), mode, limit=limit)
            for how in (changes, (*changes, TOKENS))
        )
        assert np.array_equal(by_barrier.raster.outputs, by_token.raster.outputs)
        assert np.array_equal(by_barrier.raster.predictions, by_token.raster.predictions)
        assert 0 == by_barrier.count("tokens_sent") < by_token.count("tokens_sent")
        for column in (COUNTER[each] for each in DONE):
            mine, other = by_barrier.record.counters, by_token.record.counters
            assert np.array_equal(mine[:, column], other[:, column]), mode
