"""Why tokens change no prediction: whenever packets come, each is added to the accumulators of its
own step, which are free by then; and no machine with the proof waits for ever.
"""

import os
from collections import defaultdict

import numpy as np
import pytest
from engines import simulate_with
from random_machines import random_activity, random_plan

from simulator.mapping.plan import BACK, FORWARD, TOKENS
from simulator.mapping.tokens import refuse_deadlock
from simulator.timing.reference import chip as specification
from simulator.timing.reference.clock import cycle_of
from simulator.timing.reference.tokens import OwnSteps

N = int(os.environ.get("SPIKEMESH_SWEEP", "2000"))
BLOCK = 500


def drawn(seed: int):
    """Return a random machine with tokens, and its work."""
    rng = np.random.default_rng([90_000, seed])
    plan = random_plan(rng, synchronisation=TOKENS, step_tick=0, planes=2 + seed % 4)
    return plan, random_activity(rng, plan)


class Log:
    """What every endpoint starts, puts and takes, with its cycle."""

    def __init__(self, monkeypatch) -> None:
        self.starts: dict[tuple[int, int], int] = {}  # endpoint, step
        self.backs: dict[tuple[int, int], int] = {}  # the first token back of a step
        self.integrated: list[tuple[int, int, int]] = []  # endpoint, step, cycle
        log = self

        class Logged(OwnSteps):
            def __init__(self, environment, plan, activity, endpoint, *rest) -> None:
                super().__init__(environment, plan, activity, endpoint, *rest)
                self.endpoint = endpoint

            def put(self, packet) -> None:
                if packet.kind == BACK:
                    key = self.endpoint, packet.step
                    log.backs.setdefault(key, cycle_of(self.environment))
                super().put(packet)

            def took(self, packet) -> None:
                if packet.kind not in (BACK, FORWARD):
                    now = cycle_of(self.environment)
                    log.integrated.append((self.endpoint, packet.step, now))
                super().took(packet)

            def _start(self) -> None:
                super()._start()
                log.starts[self.endpoint, self.step] = cycle_of(self.environment)

        monkeypatch.setattr(specification, "OwnSteps", Logged)


# [Q6] [Q7] [Q8]
@pytest.mark.parametrize(
    "first", [0, 20, *(pytest.param(n, marks=pytest.mark.slow) for n in range(40, N // 10, 20))]
)
def test_every_packet_comes_to_free_accumulators_before_its_step_is_over(monkeypatch, first):
    packets = 0
    for seed in range(first, first + 20):
        plan, activity = drawn(seed)
        log = Log(monkeypatch)
        simulate_with("reference")(plan, activity)
        packets += len(log.integrated)
        for endpoint, step, cycle in log.integrated:
            if endpoint >= plan.n_cores:
                continue
            following = log.starts.get((endpoint, step + 1))
            assert following is None or cycle < following, (seed, endpoint, step)
            # the plane it adds to was last read in these visits, after which tokens went back
            visited = step + 1 - plan.planes
            assert visited < 0 or log.backs[endpoint, visited] < cycle, (seed, endpoint, step)
    assert packets > 100


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, N, BLOCK))
def test_no_machine_with_the_proof_waits_for_ever(first) -> None:
    ends = defaultdict(int)
    for seed in range(first, min(first + BLOCK, N)):
        plan, activity = drawn(seed)
        refuse_deadlock(plan, activity)
        record = simulate_with("compiled")(plan, activity)  # raises where nothing can happen again
        ends[record.complete and len(record.step_start) == activity.n_steps] += 1
    assert [True] == list(ends)
