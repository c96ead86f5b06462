"""Time in state, and the power state of a core or a router."""

from __future__ import annotations

from collections.abc import Callable

from simpy import Environment

from simulator.timing.record import ACTIVE, GATED, IDLE, OFF, POWER_STATES, WAKING
from simulator.timing.reference.clock import ARRIVE, SETTLE, at, cycle_of

NEVER = -1


class TimeInState:
    """How many cycles something has been in each of its states; every cycle belongs to exactly
    one.
    """

    def __init__(self, n_states: int) -> None:
        """Nothing is known before cycle 0."""
        self.state = -1
        self.since = 0
        self.cycles = [0] * n_states

    def enter(self, state: int, cycle: int) -> bool:
        """Be in `state` from `cycle` on; return whether that is a change."""
        if state == self.state:
            return False
        if self.state >= 0:
            self.cycles[self.state] += cycle - self.since
        self.state, self.since = state, cycle
        return True

    def until(self, cycle: int) -> list[int]:
        """Return the cycles spent in each state before `cycle`."""
        cycles = list(self.cycles)
        if self.state >= 0:
            cycles[self.state] += cycle - self.since
        return cycles


class Power:
    """Active with work, idle without it, gated and off after a while; work that comes then has to
    wait for the wake.

    `has_work` is asked with everything of a cycle done.  `settled` is called after the state of a
    cycle is known.
    """

    def __init__(
        self,
        environment: Environment,
        has_work: Callable[[], bool],
        *,
        gate_after: int,
        off_after: int,
        wake_latency: dict[int, int],
        when_awake: Callable[[], None],
        when_woken: Callable[[int], None],
        when_changed: Callable[[int], None],
        settled: Callable[[], None] = lambda: None,
    ) -> None:
        """Start clocked, without work since cycle 0 [P1]."""
        self.environment, self.has_work = environment, has_work
        self.gate_after, self.off_after, self.wake_latency = gate_after, off_after, wake_latency
        self.when_awake, self.when_woken, self.when_changed = when_awake, when_woken, when_changed
        self.settled = settled
        self.time = TimeInState(len(POWER_STATES))
        self.state = IDLE
        self.awake_at = 0
        self.idle_since: int | None = None
        self.looks_at: set[int] = set()  # the cycles it will settle in
        self.look()

    def is_awake(self) -> bool:
        """Return whether units may start in this cycle."""
        return self.state not in (GATED, OFF) and cycle_of(self.environment) >= self.awake_at

    def work_comes(self) -> None:
        """Wake if the clock is off [P4]; called as things arrive, before the cycle settles [P5]."""
        if self.state in (GATED, OFF):
            latency = self.wake_latency[self.state]
            self.when_woken(self.state)
            self.state = WAKING
            self.awake_at = cycle_of(self.environment) + latency
            at(self.environment, ARRIVE, latency).callbacks.append(lambda _: self.when_awake())
            self.look(latency)
        self.look()

    def look(self, delay: int = 0) -> None:
        """Settle in this cycle, or in a later one: something ends, begins, or has lasted long
        enough there.
        """
        cycle = cycle_of(self.environment) + delay
        if cycle not in self.looks_at:
            self.looks_at.add(cycle)
            at(self.environment, SETTLE, delay).callbacks.append(lambda _: self._settle())

    def _settle(self) -> None:
        now = cycle_of(self.environment)
        self.looks_at.discard(now)
        self.state = self._state(now)
        if self.time.enter(self.state, now):
            self.when_changed(self.state)
        self.settled()

    def _state(self, now: int) -> int:
        """Return the state of this cycle [P3]."""
        if now < self.awake_at:
            return WAKING
        if self.has_work():
            self.idle_since = None
            return ACTIVE
        if self.idle_since is None:
            self.idle_since = now
            for after in (self.gate_after, self.off_after):
                if after > 0:
                    self.look(after)
        idle = now - self.idle_since
        if NEVER < self.off_after <= idle:
            return OFF
        return GATED if NEVER < self.gate_after <= idle else IDLE
