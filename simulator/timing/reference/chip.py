"""The whole chip: routers, interfaces, cores and ports wired together, and the steps they go
through.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from simpy import Environment
from simpy.core import EmptySchedule

from simulator.errors import DeadlockError
from simulator.mapping.plan import EAST, WEST, Activity, Plan
from simulator.mapping.routes import neighbour
from simulator.mapping.tokens import takes_part
from simulator.timing.record import (
    GATED,
    IDLE,
    OFF,
    POWER_STATES,
    Record,
)
from simulator.timing.reference.agenda import by_step
from simulator.timing.reference.book import Book
from simulator.timing.reference.clock import (
    ARRIVE,
    BEGIN,
    QUIET,
    TICK,
    Doorbell,
    Process,
    at,
    cycle_of,
)
from simulator.timing.reference.core import Core
from simulator.timing.reference.deadlock import deadlock
from simulator.timing.reference.interface import Interface, Source
from simulator.timing.reference.packet import Flit, RowPackets
from simulator.timing.reference.port import OutsidePort
from simulator.timing.reference.power import NEVER, Power
from simulator.timing.reference.result import make_record
from simulator.timing.reference.router import Router
from simulator.timing.reference.tokens import OwnSteps
from simulator.timing.reference.wire import Wire

LOCAL_LATENCY = 1  # [B1]


class Chip:
    """All components of one machine, and the barrier that takes them from step to step."""

    def __init__(
        self,
        environment: Environment,
        plan: Plan,
        activity: Activity,
        events: bool,
        progress: Callable[[int, int], object] | None,
        steps_together: int = 1,
    ) -> None:
        """Build and wire the machine at its start [S20]; `run` brings it to its end."""
        activity.refuse_misfit(plan)
        self.steps_together, self.last_step = steps_together, activity.n_steps
        self.is_interrupted = False
        self.environment, self.plan, self.activity, self.progress = (
            environment,
            plan,
            activity,
            progress,
        )
        self.book = Book(plan, activity, events)
        self.book.now = lambda: cycle_of(environment)
        self.rows = RowPackets(plan, activity)
        self.work, self.injections = by_step(activity)
        self.outstanding = 0
        self.is_waiting = False  # at the barrier
        self.is_over = False
        self.quiet = Doorbell(environment, QUIET)
        self.step_start: list[int] = []
        self.step_quiet: list[int] = []
        self.step_overrun: list[int] = []
        self.step_state_cycles: list[tuple[np.ndarray, np.ndarray]] = []
        self.routers = [self._router(number) for number in range(plan.n_routers)]
        self.cores = [self._core(number) for number in range(plan.n_cores)]
        self.ports = [
            OutsidePort(self, endpoint) for endpoint in range(plan.n_cores, plan.n_endpoints)
        ]
        for router in self.routers:
            self._connect_mesh(router)
        owners: list[Core | OutsidePort] = [*self.cores, *self.ports]
        self.interfaces = [
            self._interface(endpoint, owner) for endpoint, owner in enumerate(owners)
        ]
        self.tick = Doorbell(environment, TICK)
        environment.process(self._tick_routers())
        self.own = self._own_steps()
        environment.process(self._run_steps() if self.own else self._steps())

    # construction

    def _router(self, number: int) -> Router:
        """Return a router with its power state [P6]."""
        power = Power(
            self.environment,
            lambda: self.routers[number].has_work(),
            gate_after=self.plan.router_gate_after,
            off_after=NEVER,
            wake_latency={GATED: self.plan.router_wake},
            when_awake=lambda: self.routers[number].bell.ring(),
            when_woken=lambda _: self.book.router_woken(number),
            when_changed=lambda state: self.book.state(True, number, state),
        )
        return Router(self.environment, self.plan, number, power, self.book)

    def _core(self, number: int) -> Core:
        plan = self.plan
        gate_after, off_after = plan.gate_after, plan.off_after
        if len(plan.unused) and plan.unused[number] >= 0:  # the same state in every cycle [P8]
            gate_after, off_after = {IDLE: (NEVER, NEVER), GATED: (0, NEVER), OFF: (NEVER, 0)}[
                int(plan.unused[number])
            ]
        power = Power(
            self.environment,
            lambda: self.cores[number].has_work(),
            gate_after=gate_after,
            off_after=off_after,
            wake_latency={
                GATED: plan.gate_wake,
                OFF: plan.off_wake + int(plan.reload_cycles[number]),
            },
            when_awake=lambda: self.cores[number].wake_units(),
            when_woken=lambda state: self.book.core_woken(number, state, power.idle_since or 0),
            when_changed=lambda state: self.book.state(False, number, state),
            settled=lambda: self.cores[number].settle(),
        )
        return Core(
            self.environment, plan, self.activity, self.rows, self.book, number, self, power
        )

    def _connect_mesh(self, router: Router) -> None:
        """Lead every mesh output to the facing input of its neighbour, and that input's credits
        back [M1] [B2].
        """
        plan = self.plan
        for port in range(4):
            there = neighbour(plan.width, plan.height, router.number, port)
            if there >= 0:
                latency = int(plan.link_latency[0 if port in (EAST, WEST) else 1])
                self._link(router, port, self.routers[there], latency)

    def _link(self, router: Router, port: int, there: Router, latency: int) -> None:
        facing = port ^ 1
        # one cycle of the flit's way is the switch: granted in t, it is usable at t + 2 + latency
        flits = Wire(
            self.environment, latency + 1, lambda sent: self._arrives(there, facing, *sent)
        )
        router.connect_output(port, self.plan.buffer, flits)
        there.connect_input(
            facing, Wire(self.environment, latency, lambda vc: router.receive_credit(port, vc))
        )

    def _interface(self, endpoint: int, owner: Core | OutsidePort) -> Interface:
        """Connect an endpoint to the local port of its router [M2], before its buffer [B4]."""
        router = self.routers[int(self.plan.endpoint_router[endpoint])]
        port = int(self.plan.endpoint_local[endpoint])
        sources: Sequence[Source] = owner.output_queue if isinstance(owner, Core) else owner.source
        interface = Interface(self.environment, self.plan, endpoint, sources, owner.receive)
        buffer = self.plan.input_queue if isinstance(owner, Core) else self.plan.buffer
        ejection = Wire(
            self.environment, LOCAL_LATENCY + 1, lambda sent: interface.receive_flit(*sent)
        )
        router.connect_output(port, buffer, ejection)
        router.connect_input(port, Wire(self.environment, LOCAL_LATENCY, interface.receive_credit))
        interface.flit_wire = Wire(
            self.environment, LOCAL_LATENCY, lambda sent: self._arrives(router, port, *sent)
        )
        owner.ejection_credit = Wire(
            self.environment, LOCAL_LATENCY, lambda vc: router.receive_credit(port, vc)
        )
        owner.interface_bell = interface.bell
        return interface

    def _arrives(self, router: Router, port: int, vc: int, flit: Flit) -> None:
        """Hand a flit to a router and let the routers' clock run."""
        router.receive_flit(port, vc, flit)
        self.tick.ring()

    def _own_steps(self) -> dict[int, OwnSteps]:
        """Return the steps of every endpoint that takes part, none with barriers [Q1]."""
        own: dict[int, OwnSteps] = {}
        for endpoint in np.flatnonzero(takes_part(self.plan, self.activity)).tolist():
            is_core = endpoint < self.plan.n_cores
            owner = self.cores[endpoint] if is_core else self.ports[endpoint - self.plan.n_cores]
            own[endpoint] = owner.own = OwnSteps(
                self.environment,
                self.plan,
                self.activity,
                endpoint,
                self,
                partial(self._start_own, endpoint),
                owner.power.look if isinstance(owner, Core) else lambda: None,
            )
        return own

    # steps

    def begin(self, n: int = 1) -> None:
        """Count something outstanding in this step."""
        self.outstanding += n

    def done(self) -> None:
        """Count something done in this cycle; when it was the last, the step is quiet [S2]."""
        self.outstanding -= 1
        if self.outstanding == 0:
            self.quiet.ring()

    def _steps(self) -> Process:
        """Take the chip from step to step: quiet, barrier [S3], and no step before its release
        [S4].

        Waiting is one event, however long [S5]; what passes before the first step is the first
        step's [S6].
        """
        release = self.activity.release.tolist()
        yield at(self.environment, ARRIVE, self._next_tick(release[0]))
        for step in range(self.activity.n_steps):
            self._start(step)
            while self.outstanding:
                yield self.quiet.wait()
            if cycle_of(self.environment) == self.step_start[step]:
                yield at(self.environment, QUIET)
            self._enter_barrier(True)
            self.step_quiet.append(cycle_of(self.environment))
            now = cycle_of(self.environment)
            following = self._next_tick(max(now + self.plan.barrier_cycles, release[step + 1]))
            due = self._next_tick(max(self.step_start[step] + 1, release[step + 1]))  # [S8]
            self.step_overrun.append(following - due if self.plan.step_tick else 0)
            yield at(self.environment, ARRIVE, following - now)
            self.step_state_cycles.append(self.state_cycles())
            self._show(step + 1)
            if step + 1 == self.last_step:
                break
        self.is_over = True

    def _next_tick(self, cycle: int) -> int:
        """Return the first cycle from `cycle` on in which the chip may start a step [S7]."""
        tick = self.plan.step_tick
        return cycle + -cycle % tick if tick else cycle

    def _run_steps(self) -> Process:
        """Let every endpoint go from step to step by itself, until all is done [Q11]."""
        self.begin(len(self.own))  # their last steps
        for own in self.own.values():
            own.look()
        while self.outstanding:
            yield self.quiet.wait()
        now = cycle_of(self.environment)
        held = int(self.activity.release[-1]) - now
        yield at(self.environment, BEGIN, max(1, held))
        self.step_state_cycles.append(self.state_cycles())
        self._show(self.last_step)
        self.is_over = True

    def begin_step(self, step: int) -> None:
        """Begin a step for the chip when the first endpoint is about to start it [Q9]."""
        if len(self.step_start) == step < self.last_step:
            if step:
                self.step_state_cycles.append(self.state_cycles())
                self._show(step)
            self._begin(step)
            self.step_quiet.append(-1)
            self.step_overrun.append(0)

    def own_done(self, step: int) -> None:
        """Note that an endpoint has done its own step in this cycle; after the last it goes."""
        if step < len(self.step_quiet):
            self.step_quiet[step] = cycle_of(self.environment)
        if step + 1 >= self.last_step:
            self.done()

    def _start_own(self, endpoint: int, step: int) -> None:
        """Start an endpoint's work of a step [Q2]."""
        if endpoint >= self.plan.n_cores:
            self._inject(endpoint, step)
            return
        item = self.work[step].get(endpoint, -1)
        self.begin(int(item >= 0))
        self.cores[endpoint].start(item)

    def _show(self, done: int) -> None:
        """Tell of the steps done; a run stopped while telling ends with its group of steps."""
        if self.progress is None:
            return
        try:
            self.progress(done, self.activity.n_steps)
        except KeyboardInterrupt:
            if self.is_interrupted:
                raise
            self.is_interrupted = True
            groups = -(-done // self.steps_together)
            self.last_step = min(groups * self.steps_together, self.activity.n_steps)

    def _tick_routers(self) -> Process:
        """Let every router that holds a flit be evaluated in every cycle.

        The clock stops only when nothing can ever change: nobody else has anything to do, and no
        router has moved anything for longer than any link's interval.
        """
        longest = int(self.plan.link_interval.max())
        while True:
            yield self.tick.wait()
            while holding := [router for router in self.routers if router.holds_flits()]:
                moved_at = max(router.moved_at for router in self.routers)
                nobody_else = self.environment.peek() == float("inf")
                if nobody_else and cycle_of(self.environment) > moved_at + longest:
                    break
                for router in holding:
                    router.bell.ring(1)
                yield at(self.environment, TICK, 1)

    def _start(self, step: int) -> None:
        """Start the step's work items and injections in this cycle [S1]."""
        self._begin(step)
        self._enter_barrier(False)
        for core, item in self.work[step].items():
            self.begin()
            self.cores[core].start(item)
        for endpoint in sorted(self.injections[step]):
            self._inject(endpoint, step)

    def _begin(self, step: int) -> None:
        """Note that a step begins in this cycle."""
        self.book.step = step
        self.step_start.append(cycle_of(self.environment))
        if self.activity.begins[step]:
            self.book.inference_start = cycle_of(self.environment)

    def _inject(self, endpoint: int, step: int) -> None:
        """Let a port begin to inject what it has in a step."""
        of_port = self.injections[step].get(endpoint, [])
        self.begin(len(of_port))
        self.environment.process(self.ports[endpoint - self.plan.n_cores].inject(of_port))

    def _enter_barrier(self, is_waiting: bool) -> None:
        self.is_waiting = is_waiting
        for core in self.cores:
            core.power.look()

    def state_cycles(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the cycles of each core, and of each router, in each power state so far."""
        now = cycle_of(self.environment)

        def cycles(parts: Sequence[Core] | Sequence[Router]) -> np.ndarray:
            return np.array([part.power.time.until(now) for part in parts], np.int64).reshape(
                -1, len(POWER_STATES)
            )

        return cycles(self.cores), cycles(self.routers)

    # the run

    def run(self) -> Record:
        """Run all steps; when nothing can ever happen again before the end, name the circle of
        waiting [D1].
        """
        while not self.is_over:
            try:
                self.environment.step()
            except EmptySchedule:
                raise DeadlockError(
                    f"cycle {cycle_of(self.environment)}: deadlock: {deadlock(self)}"
                ) from None
        return make_record(self)
