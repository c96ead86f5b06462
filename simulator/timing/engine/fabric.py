"""SimPy is the master clock: the Fabric process runs the kernel up to the next thing anybody else
does, then waits for it.

Hosts, stimulus streams and probes are ordinary SimPy processes of the same environment; when one of
them runs in cycle c, the kernel has done every cycle before c and none from c on.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

import numpy as np
import simpy

from simulator import memory
from simulator.errors import DeadlockError
from simulator.jit import JIT_DISABLED, handle
from simulator.mapping.plan import Activity, Plan
from simulator.timing.engine import state as chip_state
from simulator.timing.engine.chip import advance, finish
from simulator.timing.engine.deadlock import deadlock
from simulator.timing.engine.layout import DEADLOCK, DONE, LOG_FULL, NEVER, POOL_FULL, State
from simulator.timing.engine.result import make_record
from simulator.timing.record import Record

#: eventful cycles and arrivals of flits, together, between two looks at signals and progress: some
#: milliseconds; handing over the state costs as much as some hundred of them
SLICE = 256 if JIT_DISABLED else 1 << 17


class Fabric:
    """The whole chip as one SimPy process; `done` is the event of its end."""

    def __init__(
        self,
        environment: simpy.Environment,
        plan: Plan,
        activity: Activity,
        *,
        events: bool = False,
        progress: Callable[[int, int], object] | None = None,
        stop_every: int | None = None,
        steps_together: int = 1,
    ) -> None:
        """Build the chip at cycle 0 of the environment and start it; stop_every, steps_together:
        see `simulate`.
        """
        self.environment, self.plan, self.activity = environment, plan, activity
        self.progress, self.stop_every, self.steps_together = progress, stop_every, steps_together
        self.origin = environment.now
        self.steps_shown = 0
        self.is_interrupted = False
        self.logs: tuple[list[np.ndarray], ...] = ([], [], [], [])
        self._hold(chip_state.build(plan, activity, events))
        self.done = environment.process(self._run())

    @property
    def now(self) -> int:
        """The chip's cycle: every earlier one is done."""
        return int(self.state.chip[0].now)

    def _hold(self, state: State) -> None:
        """Go on with a state."""
        self.state, self.address = state, handle(state)

    def _run(self) -> Generator[simpy.Event, None, None]:
        while True:
            if (
                self.environment.peek() <= self.environment.now
            ):  # somebody acts in this cycle before the chip does
                yield self.environment.timeout(0)
                continue
            status = self._advance(self._horizon())
            if status == DONE:
                break
            if status == DEADLOCK:
                raise DeadlockError(
                    f"cycle {self.now}: deadlock: {deadlock(self.state, self.plan)}"
                )
            if self.origin + self.now > self.environment.now:
                yield self.environment.timeout(self.origin + self.now - self.environment.now)
        if self.origin + self.now > self.environment.now:
            yield self.environment.timeout(self.origin + self.now - self.environment.now)
        self._drain()
        finish(self.address)
        self._drain()

    def _horizon(self) -> int:
        """Return the first cycle the kernel must not touch yet: somebody else acts in it, or a stop
        was asked for.
        """
        other = self.environment.peek()
        until = NEVER if other == float("inf") else int(other - self.origin)
        if self.stop_every is not None:
            until = min(until, self.now + self.stop_every)
        return until

    def _advance(self, until: int) -> int:
        """Run the kernel once and see to what it stopped for."""
        try:
            status = advance(self.address, until, SLICE)
            if status == LOG_FULL:
                self._drain()
            elif status == POOL_FULL:
                self._hold(chip_state.grow_pool(self.state, self._packets_needed()))
            self._show(done=status == DONE)
        except KeyboardInterrupt:
            if (
                self.is_interrupted or self.state.chip[0].step == 0
            ):  # the second time, or nothing has begun
                raise
            self.is_interrupted = True
            chip = self.state.chip[0]
            chip.last_step = min(
                -(-int(chip.step) // self.steps_together) * self.steps_together,
                self.activity.n_steps,
            )
            return -1
        return int(status)

    def _packets_needed(self) -> int:
        """Return the most packets one injection or all cores can ask for in a cycle."""
        return self.plan.n_cores + int(np.diff(self.activity.row_start).max(initial=1))

    def _show(self, done: bool) -> None:
        steps = int(self.state.chip[0].step) - (0 if done else 1)
        if self.progress is not None and steps > self.steps_shown:
            self.steps_shown = steps
            self.progress(steps, self.activity.n_steps)

    def _drain(self) -> None:
        """Take over what the logs hold and leave them empty."""
        chip, state = self.state.chip[0], self.state
        kernel_logs = (state.grant_log, state.state_log, state.packet_log, state.unit_log)
        held = sum(part.nbytes for kept in self.logs for part in kept)
        memory.need(f"the events of {self.now:,} cycles", 2 * held)  # sorted when all is done
        rows = (chip.n_grants, chip.n_states, chip.n_packets, chip.n_units)
        for kept, log, n in zip(self.logs, kernel_logs, rows):
            kept.append(np.array(log[:n]))
        chip.n_grants = chip.n_states = chip.n_packets = chip.n_units = 0

    def record(self) -> Record:
        """Return what a run that came to its end has counted."""
        return make_record(self.state, self.plan, self.activity.operand_bits, self.logs)
