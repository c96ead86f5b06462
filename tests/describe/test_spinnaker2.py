"""SpiNNaker 2 is printed with two energies per synaptic operation: both stand in the file, and a
result shows how far apart.
"""

from __future__ import annotations

import numpy as np
import pytest

from simulator import run, twin
from simulator.account.uncertainty import draw, moves_with
from simulator.describe.chip import Chip

NAME = "spinnaker2-like"
#: 450 pJ over 10 pJ
APART = 45


@pytest.fixture(scope="module")
def chip() -> Chip:
    return Chip.load(NAME)


# what follows from the printed numbers, and where it stands
PRINTED = [
    (
        "10 to 450 pJ per synaptic operation",
        [10e-12, 450e-12],
        lambda chip: chip.energy.accumulate.band,
    ),
    (
        "of which the value is the first, no average",
        10e-12,
        lambda chip: chip.energy.accumulate.value,
    ),
    ("2.19 nJ per neuron, beside 450 pJ", 2.19e-9, lambda chip: chip.energy.threshold_test.band[1]),
    (
        "6.4 TOPS/W of two operations",
        2 / 6.4e12,
        lambda chip: chip.energy.multiply_accumulate.value,
    ),
    (
        "7.1 uJ for a network of 390-256-256-29",
        round(7.1e6 / (390 * 256 + 256 * 256 + 256 * 29)) * 1e-12,
        lambda chip: chip.energy.multiply_accumulate.band[1],
    ),
    (
        "20 cycles per synaptic operation",
        20,
        lambda chip: chip.core.synapse.accumulate // chip.core.synapse.lanes,
    ),
    (
        "a neuron takes as many more as it costs",
        round(20 * 2.19 / 0.45),
        lambda chip: chip.core.soma.visit,
    ),
    ("38 quads and as few more as a compact rectangle has", 40, lambda chip: chip.n_tiles),
    (
        "128 KB, 24 of them code",
        104 * 8192,
        lambda chip: chip.core.memory.synapses + chip.core.memory.neurons + chip.core.memory.axons,
    ),
]


@pytest.mark.parametrize(("what", "expected", "found"), PRINTED, ids=[row[0] for row in PRINTED])
def test_the_file_holds_what_was_printed(chip, what, expected, found):
    assert found(chip) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["threshold_test", "clamp", "axon_lookup"])
def test_what_the_core_does_in_software_moves_together(chip, name):
    drawn = draw(chip, 1000, 0)
    assert "accumulate" == moves_with(chip)[name]
    spread = drawn["accumulate"] / chip.energy.accumulate.value
    assert np.allclose(
        spread, drawn[name] / getattr(chip.energy, name).value, rtol=1e-3
    )  # 48.7 pJ is rounded
    assert 1 == spread.min() and spread.max() > 0.9 * APART


def test_a_result_shows_the_width_of_the_band():
    uncertainty = run("digits-mlp", NAME, "snn", limit=2, draws=200).uncertainty
    assert uncertainty is not None and uncertainty.energy.high > 5 * uncertainty.energy.low


def test_both_twins_run():
    both = twin("digits-mlp", NAME, limit=2)
    assert both.snn.count("accumulates") > 0 and both.qnn.count("macs") > 0
