"""What steps take is made in blocks: of any size the same numbers, and the check sees them all."""

from dataclasses import replace

import numpy as np
import pytest

from simulator import Chip, run
from simulator.account import energy
from simulator.errors import CheckError

#: steps of a block that are tried; a run of five inferences has 35
BLOCKS = (1, 3, 34, 35, 36)


@pytest.fixture(scope="module", params=["snn", "qnn"])
def result(request):
    chip = Chip.load("generic-22nm", ("gating.off_after=20 cycles", "gating.unused=off"))
    return run("digits-mlp", chip, request.param, limit=5)


@pytest.mark.parametrize("block", BLOCKS)
def test_blocks_of_any_size_are_the_whole(result, block, monkeypatch) -> None:
    whole = result.ledger
    monkeypatch.setattr(energy, "BLOCK", block)
    cut = replace(whole)  # a new one, which has made nothing yet
    sizes = [quantity.shape[1] for _, quantity in cut.steps.blocks()]
    assert len(result.record.step_start) == sum(sizes) and max(sizes) < max(2 * block, 36)
    for name in ("step_quantity", "by_step"):
        assert getattr(whole, name).tobytes() == getattr(cut, name).tobytes(), name
    cut.check()


@pytest.mark.parametrize("step", [0, 17, 34])
def test_a_joule_too_much_in_any_step_is_found(result, step, monkeypatch) -> None:
    monkeypatch.setattr(energy, "BLOCK", 4)
    counters = result.record.step_counters.copy()
    counters[min(step, len(counters) - 1), energy.COUNTER["accumulates"]] += 1
    record = replace(result.record, step_counters=counters)
    with pytest.raises(CheckError, match="^energy by step of accumulate is "):
        replace(result.ledger, steps=replace(result.ledger.steps, record=record)).check()


def test_prices_by_width_do_not_depend_on_blocks(monkeypatch) -> None:
    whole = run("digits-mlp", "yan-2024", "qnn", limit=5).ledger
    monkeypatch.setattr(energy, "BLOCK", 4)
    assert whole.step_quantity.tobytes() == replace(whole).step_quantity.tobytes()
    assert np.count_nonzero(whole.steps.weight != 1)
