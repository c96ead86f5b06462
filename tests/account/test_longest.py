"""The mean of the busiest of several units, against draws."""

import numpy as np
import pytest

from simulator.account.longest import Working, larger, largest_of

# means  relative deviations, of units for different events
UNITS = [
    ((100.0, 100.0), (0.2, 0.1)),
    ((100.0, 90.0, 80.0), (0.1, 0.2, 0.3)),
    ((100.0, 20.0), (0.1, 0.1)),
    ((0.0, 50.0), (0.3, 0.0)),
]


@pytest.mark.parametrize("means, shares", UNITS)
def test_it_is_the_mean_of_the_largest_that_is_drawn(means, shares):
    draws = np.random.default_rng(0).normal(
        means, np.multiply(means, shares), (200_000, len(means))
    )
    work = [
        Working(mean, share, "unit", (k,)) for k, (mean, share) in enumerate(zip(means, shares))
    ]
    assert draws.max(axis=1).mean() == pytest.approx(largest_of(work), rel=0.01)
    assert max(means) <= largest_of(work)


def test_units_that_work_for_the_same_events_are_as_long_as_the_slowest():
    work = [Working(mean, 0.5, "unit", (7,)) for mean in (30.0, 50.0, 40.0)]
    assert 50.0 == largest_of(work)


def test_what_does_not_vary_is_the_largest():
    assert (5.0, 0.0) == larger(3.0, 0.0, 5.0, 0.0)
    assert 5.0 == largest_of([Working(3.0, 0.0, "a", (0,)), Working(5.0, 0.0, "b", (1,))])
