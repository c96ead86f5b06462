"""A chip in which nothing can happen any more says so at once, and names the circle of waiting
[D1].
"""

import re
from dataclasses import replace

import numpy as np
import pytest
from engines import ENGINES, simulate_with
from small_machines import CORE, Row, Step, core_and_port, work

from simulator.errors import DeadlockError
from simulator.mapping.plan import CANONICAL, EAST, LOOKAHEAD, NORTH, SOUTH, WEST
from simulator.mapping.routes import ROUTING, fill, is_deadlock_free
from simulator.mapping.traffic import noc_plan, trace_activity
from simulator.timing.waiting import explain

pytestmark = pytest.mark.parametrize("engine", ENGINES)


def clockwise(in_port, parity, dx, dy):
    """Around the corner always the same way: the four turns of a circle."""
    corner = {(1, 1): EAST, (-1, 1): NORTH, (-1, -1): WEST, (1, -1): SOUTH}
    return (corner[dx, dy],) if dx and dy else ROUTING["xy"](in_port, parity, dx, dy)


#: each corner of two by two sends a long packet to the opposite one, and every first hop is the
#: second of another
AROUND = [(0, 0, 3, 16), (0, 1, 2, 16), (0, 3, 0, 16), (0, 2, 1, 16)]


@pytest.mark.parametrize("pipeline", [LOOKAHEAD, CANONICAL])
@pytest.mark.parametrize("buffer", [1, 4])
def test_a_circle_of_packets_is_named(engine, pipeline, buffer):
    allowed = fill(clockwise)
    assert not is_deadlock_free(allowed)
    plan = noc_plan(2, 2, pipeline=pipeline, buffer=buffer, allowed=allowed)
    with pytest.raises(DeadlockError) as error:
        simulate_with(engine)(plan, trace_activity(plan, AROUND))
    text = str(error.value)
    cycle = int(re.match(r"cycle (\d+): deadlock: ", text).group(1))
    assert 4 <= cycle < 100  # as soon as the last event is over
    assert {"0->1", "1->3", "3->2", "2->0"} == set(re.findall(r"\d->\d", text))


@pytest.mark.parametrize("name", ROUTING)
@pytest.mark.parametrize("buffer", [1, 4])
def test_the_same_packets_get_through_without_a_circle(engine, name, buffer):
    plan = noc_plan(2, 2, buffer=buffer, routing=name)
    assert (
        4 * 16
        == simulate_with(engine)(plan, trace_activity(plan, AROUND * 3)).counters[:, 1].sum() / 3
    )


def test_a_packet_that_no_queue_can_hold_is_named(engine):
    plan = core_and_port(input_queue=2)
    with pytest.raises(DeadlockError, match=r"cycle \d+: deadlock: .*core 0"):
        simulate_with(engine)(plan, work(plan, [Row([(CORE, 3, 1, 0)])], [Step(injects=[(0, 0)])]))


def test_a_table_without_a_way_is_named(engine):
    plan = replace(noc_plan(2, 1), allowed=np.zeros((5, 2, 3, 3), np.uint8))
    with pytest.raises(DeadlockError, match=r"cycle \d+: deadlock: .*router 0"):
        simulate_with(engine)(plan, trace_activity(plan, [(0, 0, 1, 1)]))


# who waits for what, and the sentence
SENTENCES = [
    ({1: [("a", 2)], 2: [("b", 1)]}, "P1 waits for a, held by P2, which waits for b, held by P1"),
    ({1: [("a", 1)]}, "P1 waits for a, held by P1"),
    ({1: [("a", 2)], 2: [("b", 3)], 3: [("c", 2)]},
     "P2 waits for b, held by P3, which waits for c, held by P2"),
    ({1: [("a", 9), ("b", 2)], 2: [("c", 1)]},
     "P1 waits for b, held by P2, which waits for c, held by P1"),
    ({1: [("a", 2)], 2: [("b", None)]}, "P2 waits for b, which nothing can free"),
    ({1: [("a", 2)], 2: []}, "P2 has no way to go on"),
    ({}, "7 packets or work items are outstanding and nothing moves"),
]  # fmt: skip


@pytest.mark.parametrize("waits, sentence", SENTENCES)
def test_a_circle_or_a_dead_end_is_said_in_a_sentence(engine, waits, sentence):
    if engine == ENGINES[0]:  # the search and the words are the same for both
        assert sentence == explain(waits, lambda place: f"P{place}", 7)
