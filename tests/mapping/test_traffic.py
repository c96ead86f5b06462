"""A trace of packets becomes one step of injections."""

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.mapping.traffic import noc_plan, trace_activity


def test_a_trace_keeps_the_order_of_each_source_and_cycle():
    plan = noc_plan(2, 2)
    activity = trace_activity(plan, [(5, 0, 3, 1), (0, 1, 2, 2), (5, 0, 2, 3), (0, 0, 0, 4)])
    assert [0, 4] == activity.inject_start.tolist()
    assert [0, 0, 5, 5] == activity.inject_offset.tolist()
    assert [1, 0, 0, 0] == activity.inject_port.tolist()
    assert [2, 0, 3, 2] == activity.entry_endpoint[activity.inject_row].tolist()
    assert [2, 4, 1, 3] == activity.entry_flits[activity.inject_row].tolist()


def test_a_fifth_column_is_the_class():
    activity = trace_activity(noc_plan(2, 2), [(0, 0, 3, 1, 1), (0, 0, 3, 1, 0)])
    assert [1, 0] == activity.entry_class.tolist()


def test_an_empty_trace_is_an_empty_step():
    assert 0 == len(trace_activity(noc_plan(2, 2), []).inject_port)


REFUSED = [
    ([(-1, 0, 0, 1)], "trace: packet 0: cycle must be at least 0, not -1"),
    (
        [(0, 0, 0, 1), (0, 4, 0, 1)],
        "trace: packet 1: source must be at least 0 and at most 3, not 4",
    ),
    ([(0, 0, 7, 1)], "trace: packet 0: destination must be at least 0 and at most 3, not 7"),
    ([(0, 0, 0, 0)], "trace: packet 0: flits must be at least 1, not 0"),
    ([(0, 0, 0, 1, 2)], "trace: packet 0: class must be at least 0 and at most 1, not 2"),
    (
        [(0, 0, 0)],
        "trace: a packet must be (cycle, source, destination, flits[, class]), not 3 numbers",
    ),
]


@pytest.mark.parametrize("trace, text", REFUSED)
def test_a_trace_that_cannot_be_sent_is_refused(trace, text):
    with pytest.raises(InputError) as error:
        trace_activity(noc_plan(2, 2), trace)
    assert text == str(error.value)


def test_a_field_of_the_plan_can_be_changed():
    plan = noc_plan(3, 2, link_latency=np.array([2, 3]), routing="yx")
    assert ([2, 3], 6, 0, 6) == (
        plan.link_latency.tolist(),
        plan.n_routers,
        plan.n_cores,
        plan.n_endpoints,
    )
