"""All that says when things happen and how they are sent, drawn together: both engines agree, and
no way to keep time changes what is done.
"""

import os

import numpy as np
import pytest
from drawn_runs import DONE, KEYS, Drawn, choices, draw

from simulator.errors import CheckError
from simulator.timing import ENGINES
from simulator.timing.record import COUNTER, first_divergence

N = int(os.environ.get("SPIKEMESH_SWEEP", "2000"))
BLOCK = 20
#: quick tests draw these, the sweep those after them
FEW = 40


def drawn(first: int) -> list[Drawn]:
    """Return the draws of a block of seeds whose parts may stand together."""
    found = (draw(seed) for seed in range(first, first + BLOCK))
    return [one for one in found if one is not None]


@pytest.mark.parametrize(
    "first",
    [
        *range(0, FEW, BLOCK),
        *(pytest.param(n, marks=pytest.mark.slow) for n in range(FEW, FEW + N // 10, BLOCK)),
    ],
)
def test_engines_agree_and_time_changes_nothing_that_is_done(first: int) -> None:
    found = drawn(first)
    assert len(found) > BLOCK / 2
    for one in found:
        runs = [one.scheduled.execute(name, events=True) for name in ENGINES]
        slow, fast = (each.record for each in runs)
        difference = first_divergence(slow, fast, one.scheduled.prepared.plan)
        assert difference is None, (one.choices, difference)
        if (
            fast.counters[:, COUNTER["state_losses"]].any()
            and "state" not in one.choices["gating.retention"]
        ):
            with pytest.raises(CheckError, match="state"):
                _ = runs[1].ledger
        else:
            ledger = runs[1].ledger
            assert sum(ledger.by_action.values()) == pytest.approx(ledger.total, rel=1e-9, abs=0)
        barriers = one.by_barriers.execute().record
        if one.choices["encoding"] == "auto":  # each may send in another way, the cheapest there
            continue
        for name in DONE:
            column = COUNTER[name]
            assert barriers.counters[:, column].tolist() == fast.counters[:, column].tolist()
        received = COUNTER["events_received"]
        assert barriers.counters[:, received].sum() == fast.counters[:, received].sum()


def test_the_draws_reach_every_value_of_every_key() -> None:
    reached = {item for seed in range(200) for item in choices(np.random.default_rng(seed)).items()}
    missing = [(key, value) for key in KEYS for value in KEYS[key] if (key, value) not in reached]
    assert [] == missing
    others = {"firing": 2, "mode": 2, "overlap": 2, "graph": 2, "encoding": 3}
    assert others == {name: len({v for k, v in reached if k == name}) for name in others}
