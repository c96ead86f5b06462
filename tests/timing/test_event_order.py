"""The law of one cycle [T2]: in whatever order components act inside a cycle [T3], the Record is
the same; and credits come home.
"""

import random
from heapq import heappush
from itertools import count

import numpy as np
import pytest
import simpy
from random_machines import random_activity, random_plan

from simulator.timing.record import first_divergence
from simulator.timing.reference import simulate, wire
from simulator.timing.reference.chip import Chip


class ShuffledEnvironment(simpy.Environment):
    """SimPy that breaks ties between events of equal (time, priority) at random instead of by
    age.
    """

    def __init__(self, seed):
        super().__init__()
        self.draw, self.number = random.Random(seed), count()

    def schedule(self, event, priority=simpy.events.NORMAL, delay=0):
        heappush(
            self._queue,
            (self._now + delay, priority, (self.draw.random(), next(self.number)), event),
        )


def drawn(seed, load=1.0):
    rng = np.random.default_rng(seed)
    plan = random_plan(rng)
    return plan, random_activity(rng, plan, load)


@pytest.mark.parametrize("seed", range(40))
def test_the_order_inside_a_cycle_does_not_matter(seed):
    plan, activity = drawn(seed)
    expected = simulate(plan, activity, events=True)
    for order in range(2):
        got = simulate(plan, activity, events=True, environment=ShuffledEnvironment(order))
        assert first_divergence(expected, got, plan) is None


def test_a_wire_without_latency_is_found(monkeypatch):
    """The test above can fail: it does, once what is put into a queue may be seen in that very
    cycle.
    """
    init = wire.Wire.__init__

    def instant(self, environment, latency, receive):
        init(self, environment, -1 if latency == 0 else latency, receive)

    monkeypatch.setattr(wire.Wire, "__init__", instant)
    divergences = []
    for seed in range(10):
        plan, activity = drawn(seed)
        expected = simulate(plan, activity, events=True)
        got = simulate(plan, activity, events=True, environment=ShuffledEnvironment(seed))
        divergences.append(first_divergence(expected, got, plan))
    assert any(divergences)


@pytest.mark.parametrize("seed", range(40))
def test_credits_come_home(seed):
    plan, activity = drawn(seed)
    chip = Chip(simpy.Environment(), plan, activity, False, None)
    chip.run()
    chip.environment.run()  # what is still on its way: credits, and the timers of power states
    senders = [*chip.interfaces, *chip.routers]
    channels = [vc for part in chip.routers for port in part.output.values() for vc in port]
    channels += [vc for part in chip.interfaces for vc in part.output]
    assert len(senders) == plan.n_routers + plan.n_endpoints
    assert all(vc.credit == vc.buffer and vc.owner is None for vc in channels)
    queues = [queue for core in chip.cores for queue in (core.spike_queue, *core.output_queue)]
    assert all(queue.held == 0 and not queue.visible for queue in queues)
    assert {plan.output_queue, plan.spike_queue} >= {queue.room for queue in queues}
