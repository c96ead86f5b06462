"""The whole chip: routers, interfaces, cores and ports wired together, and the steps they go
through.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from simpy import Environment
from simpy.core import EmptySchedule

from simulator.errors import DeadlockError
from simulator.mapping.plan import EAST, WEST, Activity, Plan
from simulator.mapping.routes import neighbour
from simulator.timing.record import (
    GATED,
    OFF,
    POWER_STATES,
    UNIT_STATES,
    UNITS,
    Record,
    sort_events,
)
from simulator.timing.reference.book import Book
from simulator.timing.reference.clock import (
    ARRIVE,
    QUIET,
    TICK,
    Doorbell,
    Process,
    at,
    cycle_of,
)
from simulator.timing.reference.core import Core
from simulator.timing.reference.deadlock import deadlock
from simulator.timing.reference.interface import CLASSES, Interface, Source, SourceQueue
from simulator.timing.reference.packet import Flit, RowPackets
from simulator.timing.reference.power import NEVER, Power
from simulator.timing.reference.router import Router
from simulator.timing.reference.wire import Wire

LOCAL_LATENCY = 1  # [B1]


class OutsidePort:
    """A port to the outside: it injects its packets at their cycles and consumes whatever
    arrives [C10].
    """

    def __init__(self, chip: Chip, endpoint: int) -> None:
        """A port without an interface; the chip connects both."""
        self.chip, self.endpoint = chip, endpoint
        self.source = tuple(SourceQueue() for _ in CLASSES)
        self.ejection_credit: Wire
        self.interface_bell: Doorbell

    def inject(self, injections: list[tuple[int, int]]) -> Process:
        """Put the packets of each (offset, row) into the source queue, counted from this cycle
        [N3].
        """
        chip, start = self.chip, cycle_of(self.chip.environment)
        for offset, row in injections:
            if start + offset > cycle_of(chip.environment):
                yield at(chip.environment, ARRIVE, start + offset - cycle_of(chip.environment))
            for entries in chip.rows.parts(row):
                packet = chip.rows.packet(self.endpoint, row, entries, cycle_of(chip.environment))
                chip.begin(len(packet.entry))
                chip.book.sent(packet, chip.rows.way(packet))
                self.source[packet.traffic_class].visible.append(packet)
            self.interface_bell.ring()
            chip.done()

    def receive(self, vc: int, flit: Flit) -> None:
        """Consume a flit and return its credit at once [N1]."""
        chip = self.chip
        self.ejection_credit.send(vc)
        chip.book.last_output[chip.book.step] = cycle_of(chip.environment)
        if flit.is_tail:
            chip.book.received(flit.packet, self.endpoint)
            chip.book.arrived(flit.packet, self.endpoint, cycle_of(chip.environment))
            chip.done()


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
        self.outstanding = 0
        self.is_waiting = False  # at the barrier
        self.is_over = False
        self.quiet = Doorbell(environment, QUIET)
        self.step_start: list[int] = []
        self.step_quiet: list[int] = []
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
        environment.process(self._steps())

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
        power = Power(
            self.environment,
            lambda: self.cores[number].has_work(),
            gate_after=plan.gate_after,
            off_after=plan.off_after,
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
        yield at(self.environment, ARRIVE, release[0])
        for step in range(self.activity.n_steps):
            self._start(step)
            while self.outstanding:
                yield self.quiet.wait()
            if cycle_of(self.environment) == self.step_start[step]:
                yield at(self.environment, QUIET)
            self._enter_barrier(True)
            self.step_quiet.append(cycle_of(self.environment))
            held = release[step + 1] - cycle_of(self.environment)
            yield at(self.environment, ARRIVE, max(self.plan.barrier_cycles, held))
            self.step_state_cycles.append(self._state_cycles())
            self._show(step + 1)
            if step + 1 == self.last_step:
                break
        self.is_over = True

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
        activity = self.activity
        self.book.step = step
        self.step_start.append(cycle_of(self.environment))
        if activity.begins[step]:
            self.book.inference_start = cycle_of(self.environment)
        self._enter_barrier(False)
        for item in range(activity.work_start[step], activity.work_start[step + 1]):
            self.begin()
            self.cores[activity.work_core[item]].start(item)
        injections: dict[int, list[tuple[int, int]]] = {}
        for injection in range(activity.inject_start[step], activity.inject_start[step + 1]):
            what = int(activity.inject_offset[injection]), int(activity.inject_row[injection])
            injections.setdefault(int(activity.inject_port[injection]), []).append(what)
            self.begin()
        for endpoint, of_port in injections.items():
            self.environment.process(self.ports[endpoint - self.plan.n_cores].inject(of_port))

    def _enter_barrier(self, is_waiting: bool) -> None:
        self.is_waiting = is_waiting
        for core in self.cores:
            core.power.look()

    def _state_cycles(self) -> tuple[np.ndarray, np.ndarray]:
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
        return self._record()

    def _record(self) -> Record:
        book, now = self.book, cycle_of(self.environment)
        core_cycles, router_cycles = self._state_cycles()
        core_steps, router_steps = (
            np.diff(
                [
                    np.zeros(cycles.shape[1], np.int64),
                    *(step[part].sum(axis=0) for step in self.step_state_cycles),
                ],
                axis=0,
            )
            for part, cycles in enumerate((core_cycles, router_cycles))
        )
        units = [[unit.time.until(now) for unit in core.units] for core in self.cores]
        grants, states, packets = sort_events(*book.logs())
        n_steps = len(self.step_start)
        return Record(
            cycles=now,
            step_start=np.array(self.step_start, np.int64),
            step_quiet=np.array(self.step_quiet, np.int64),
            step_last_output=book.last_output[:n_steps],
            counters=book.counters,
            step_counters=book.step_counters[:n_steps],
            step_port_counters=book.step_port_counters[:n_steps],
            operand_bits=self.activity.operand_bits,
            operand_macs=book.operand_macs,
            step_operand_macs=book.step_operand_macs[:n_steps],
            queue_peak=book.queue_peak,
            unit_cycles=np.array(units, np.int64).reshape(-1, len(UNITS), len(UNIT_STATES)),
            state_cycles=core_cycles,
            step_state_cycles=core_steps,
            link_flits=book.link_flits,
            link_blocked=book.link_blocked,
            router_flit_cycles=book.router_flit_cycles,
            router_wakes=book.router_wakes,
            router_state_cycles=router_cycles,
            step_router_state_cycles=router_steps,
            step_router_wakes=book.step_router_wakes[:n_steps],
            complete=n_steps == self.activity.n_steps,
            grants=grants,
            states=states,
            packets=packets,
        )
