"""A core: synapse, soma and axon-out with the queues between them, each unit a process
(docs/machine.md, "Core").
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import Protocol

from simpy import Environment

from simulator.mapping.plan import Activity, Plan
from simulator.timing.record import (
    BANK_CONFLICT,
    BARRIER,
    BLOCKED,
    BUSY,
    GATED,
    OFF,
    STARVED,
    UNIT_GATED,
    UNIT_OFF,
    UNIT_STATES,
    UNIT_WAKING,
    UNITS,
    WAKING,
)
from simulator.timing.reference.banks import served
from simulator.timing.reference.book import Book
from simulator.timing.reference.clock import EVALUATE, Doorbell, Process, at, cycle_of
from simulator.timing.reference.interface import CLASSES
from simulator.timing.reference.packet import Flit, Packet, RowPackets
from simulator.timing.reference.power import Power, TimeInState
from simulator.timing.reference.tokens import OwnSteps
from simulator.timing.reference.wire import Queue, Wire


class Barrier(Protocol):
    """What a core tells and asks the chip: what is outstanding in the step, and whether the step is
    over.
    """

    is_waiting: bool

    def begin(self, n: int = 1) -> None:
        """Something more is outstanding."""

    def done(self) -> None:
        """Something outstanding is done in this cycle."""


class Unit(ABC):
    """One unit of a core: what it does in this cycle, and how it sleeps."""

    number: int  # in UNITS

    def __init__(self, environment: Environment, core: Core) -> None:
        """A starved unit; its process is `run`."""
        self.environment, self.core = environment, core
        self.status = STARVED
        self.time = TimeInState(len(UNIT_STATES))
        self.bell = Doorbell(environment)
        environment.process(self.run())

    @abstractmethod
    def run(self) -> Process:
        """What the unit does, forever."""

    def be(self, status: int) -> None:
        """Be busy, blocked or starved from this cycle on."""
        self.status = status
        self.core.power.look()

    def busy(self, cycles: int) -> Process:
        """Be busy for some cycles; resume in the cycle in which the unit is done [T1]."""
        if cycles:
            self.be(BUSY)
            yield at(self.environment, EVALUATE, cycles)

    def room_in(self, queue: Queue) -> Process:
        """Be blocked until the queue has room."""
        since = cycle_of(self.environment)
        while queue.room == 0:
            self.be(BLOCKED)
            yield self.bell.wait()
        self.note(BLOCKED, since)

    def note(self, state: int, since: int, vc: int = -1) -> None:
        """Log what the unit was from a cycle until now [K70]."""
        self.core.book.unit(self.core.number, self.number, state, since, vc)


class Synapse(Unit):
    """Take complete packets from the input queue and serve their synapses: one at a time, or those
    of a group together.
    """

    number = UNITS.index("synapse")
    next_vc = 0

    def run(self) -> Process:
        """Serve packets, round-robin over VCs [C2]; credits go back when one is taken [C3]."""
        core = self.core
        while True:
            self.be(STARVED)
            vc = self._next()
            if vc is None or not core.power.is_awake():
                yield self.bell.wait()
                continue
            first, since = vc, cycle_of(self.environment)
            taken = [self._take(vc, is_first=True)]
            while (vc := self._next()) is not None and self._joins(taken, core.complete[vc][0]):
                taken.append(self._take(vc, is_first=False))
                self.note(BUSY, since, vc)
            entries = [packet.entry[core.number] for packet in taken]
            cycles, waits = served(core.plan, core.activity, entries)
            core.book.waited_for_banks(core.number, waits)
            yield from self.busy(cycles)
            self.note(BUSY, since, first)
            yield from self.in_conflict(waits)
            for packet in taken:
                if core.own is not None:
                    core.own.took(packet)
                core.barrier.done()

    def in_conflict(self, cycles: int) -> Process:
        """Wait for banks for some cycles [C22]."""
        if cycles:
            since = cycle_of(self.environment)
            self.be(BANK_CONFLICT)
            yield at(self.environment, EVALUATE, cycles)
            self.note(BANK_CONFLICT, since)

    def _next(self) -> int | None:
        """Return the VC whose packet is taken next."""
        n = self.core.plan.virtual_channels
        turns = ((self.next_vc + turn) % n for turn in range(n))
        return next((vc for vc in turns if self.core.complete[vc]), None)

    def _joins(self, taken: list[Packet], packet: Packet) -> bool:
        """Return whether a packet is served together with those taken, on accumulators that are
        read and written once [C11], which are those of one step [Q12].
        """
        activity, number = self.core.activity, self.core.number
        entry, group = packet.entry[number], activity.entry_group[taken[0].entry[number]]
        events = sum(int(activity.entry_events[one.entry[number]]) for one in (*taken, packet))
        return bool(
            group >= 0
            and packet.step == taken[0].step
            and activity.entry_group[entry] == group
            and events <= self.core.plan.event_group
        )

    def _take(self, vc: int, is_first: bool) -> Packet:
        """Take and return the front packet of a VC."""
        core = self.core
        self.next_vc = vc + 1
        packet = core.complete[vc].popleft()
        core.input_held -= packet.flits
        for _ in range(packet.flits):
            core.ejection_credit.send(vc)
        core.book.received(packet, core.number, is_first)
        return packet


class Soma(Unit):
    """Visit the neurons of a work item in order; those that fire send their message to axon-out."""

    number = UNITS.index("soma")

    def run(self) -> Process:
        """Work through one item per step: visits [C4], messages [C5], those without a row [C6]."""
        core, plan = self.core, self.core.plan
        while True:
            self.be(STARVED)
            if not (core.work_item is not None and core.power.is_awake()):
                yield self.bell.wait()
                continue
            item, visits, messages = core.work_item
            visited, since = 0, cycle_of(self.environment)
            if item >= 0:
                core.book.work_begun(core.number, item)
                yield from self.busy(int(core.activity.clear[item]))  # [S9]
            for position, row in messages:
                cycles = (position + 1 - visited) * plan.soma_cycles + plan.soma_spike_cycles
                yield from self.busy(cycles)
                visited = position + 1
                if row >= 0:
                    self.note(BUSY, since)
                    yield from self.room_in(core.spike_queue)
                    since = cycle_of(self.environment)
                    core.barrier.begin()
                    core.spike_queue.put(row)
            yield from self.busy((visits - visited) * plan.soma_cycles)
            self.note(BUSY, since)
            core.work_item = None
            if core.own is not None:
                core.token_queue.put(core.own.token_row)
            if item >= 0:
                core.barrier.done()


class AxonOut(Unit):
    """Turn each message into the packets of its row."""

    number = UNITS.index("axon_out")

    def run(self) -> Process:
        """Take message after message [C7], and put the packets of each row [C8]."""
        core, plan = self.core, self.core.plan
        while True:
            self.be(STARVED)
            messages = core.spike_queue.visible or core.token_queue.visible
            if not (messages and core.power.is_awake()):
                yield self.bell.wait()
                continue
            is_tokens = not core.spike_queue.visible  # after every message [Q3]
            row = (core.token_queue if is_tokens else core.spike_queue).take()
            for entries in () if row < 0 else core.rows.parts(row):
                since = cycle_of(self.environment)
                yield from self.busy(plan.axon_cycles)
                self.note(BUSY, since)
                queue = core.output_queue[int(core.activity.entry_class[entries[0]])]
                yield from self.room_in(queue)
                step = core.book.step if core.own is None else core.own.step
                now = cycle_of(self.environment)
                packet = core.rows.packet(core.number, row, entries, step, now)
                if core.own is not None:
                    core.own.put(packet)
                core.barrier.begin(len(packet.entry))
                core.book.sent(packet, core.rows.way(packet))
                queue.put(packet)
                core.power.look()
            if is_tokens:
                assert core.own is not None
                core.own.finish()
            else:
                core.barrier.done()


class Core:
    """One core: its queues, its units and its power state."""

    def __init__(
        self,
        environment: Environment,
        plan: Plan,
        activity: Activity,
        rows: RowPackets,
        book: Book,
        number: int,
        barrier: Barrier,
        power: Power,
    ) -> None:
        """A core without an interface; the chip connects `ejection_credit` and rings the
        interface's bell.
        """
        self.environment, self.plan, self.activity, self.rows, self.book = (
            environment,
            plan,
            activity,
            rows,
            book,
        )
        self.number, self.barrier, self.power = number, barrier, power
        self.own: OwnSteps | None = None  # with tokens
        self.waiting: tuple[int | None, int] = (None, 0)  # for what, and since when [Q10]
        self.ejection_credit: Wire
        self.interface_bell: Doorbell
        #: the input queue: flits it holds, and per VC the whole packets the synapse unit can see
        self.input_held = 0
        self.complete: list[deque[Packet]] = [deque() for _ in range(plan.virtual_channels)]
        self.completed = Wire(environment, 0, self._complete)
        self.work_item: tuple[int, int, list[tuple[int, int]]] | None = None
        self.synapse, self.soma, self.axon_out = (
            unit(environment, self) for unit in (Synapse, Soma, AxonOut)
        )
        self.units = (self.synapse, self.soma, self.axon_out)
        self.spike_queue = Queue(
            environment, plan.spike_queue, self.axon_out.bell.ring, self.soma.bell.ring
        )
        #: the row of tokens that waits for axon-out, once the soma is done with a step [Q3]
        self.token_queue = Queue(environment, 1, self.axon_out.bell.ring, lambda: None)
        self.output_queue = tuple(  # [C9]
            Queue(
                environment,
                plan.output_queue,
                lambda: self.interface_bell.ring(),
                self.axon_out.bell.ring,
            )
            for _ in CLASSES
        )

    def start(self, item: int) -> None:
        """Give the soma its work item of this step: neurons to visit, and (position, row) of those
        that fire; -1: a step without visits.
        """
        activity = self.activity
        if item < 0:
            self.work_item = item, 0, []
            self.power.work_comes()
            self.soma.bell.ring()
            return
        messages = slice(activity.work_message[item], activity.work_message[item + 1])
        position = activity.message_position[messages].tolist()
        row = activity.message_row[messages].tolist()
        self.work_item = item, int(activity.work_visits[item]), list(zip(position, row))
        self.power.work_comes()
        self.soma.bell.ring()

    def receive(self, vc: int, flit: Flit) -> None:
        """Put an arriving flit into the input queue; with the tail, the packet can be taken from
        the next cycle on [C1].
        """
        self.input_held += 1
        if flit.is_tail:
            self.book.arrived(flit.packet, self.number, cycle_of(self.environment))
            self.completed.send((vc, flit.packet))
        self.power.work_comes()

    def _complete(self, arrival: tuple[int, Packet]) -> None:
        vc, packet = arrival
        self.complete[vc].append(packet)
        self.synapse.bell.ring()

    def wake_units(self) -> None:
        """Let the units look again: the core is awake."""
        for unit in self.units:
            unit.bell.ring()

    def has_work(self) -> bool:
        """Return whether, with everything of this cycle done, a unit is at work or a queue of the
        core is not empty [P2].
        """
        at_work = any(unit.status != STARVED for unit in self.units)
        return (
            at_work
            or self.work_item is not None
            or self.input_held > 0
            or self.spike_queue.held > 0
            or self.token_queue.held > 0  # [Q11]
        )

    def settle(self) -> None:
        """Account for this cycle: where each unit's time goes [U1], and how full the queues are
        [K2].
        """
        waits = None if self.own is None else self.own.waits_for()
        self.wait_for(waits)
        asleep = {OFF: UNIT_OFF, GATED: UNIT_GATED, WAKING: UNIT_WAKING}.get(self.power.state)
        for unit in self.units:
            state = BARRIER if self.barrier.is_waiting else unit.status
            if state == STARVED:
                state = waits or STARVED
            unit.time.enter(state if asleep is None else asleep, cycle_of(self.environment))
        held = (
            self.input_held,
            self.spike_queue.held,
            sum(queue.held for queue in self.output_queue),
        )
        peak = self.book.queue_peak[self.number]
        for queue, now in enumerate(held):
            peak[queue] = max(peak[queue], now)

    def wait_for(self, waits: int | None) -> None:
        """Be waiting between steps for something from this cycle on, or for nothing; log for how
        long it was something else [K71].
        """
        what, since = self.waiting
        if waits != what:
            if what is not None:
                self.book.unit(self.number, -1, what, since)
            self.waiting = waits, cycle_of(self.environment)


assert len(UNITS) == len((Synapse, Soma, AxonOut))
