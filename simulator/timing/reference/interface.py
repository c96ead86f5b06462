"""The network interface of an endpoint: what a core or a port to the outside sends and receives."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from simpy import Environment

from simulator.mapping.plan import Plan
from simulator.timing.reference.clock import EVALUATE, Doorbell, Process, at, cycle_of
from simulator.timing.reference.packet import Flit, Packet
from simulator.timing.reference.router import OutputVC
from simulator.timing.reference.wire import Wire

CLASSES = (0, 1)


class Source(Protocol):
    """Where an interface finds the packets of one class: a core's output queue, or a port's source
    queue.
    """

    visible: deque[Packet]

    def take(self) -> Packet:
        """Remove and return the front packet."""


class SourceQueue:
    """The unbounded queue of a port to the outside; it is the interface's own, so it is seen at
    once.
    """

    def __init__(self) -> None:
        """Empty."""
        self.visible: deque[Packet] = deque()

    def take(self) -> Packet:
        """Remove and return the front packet."""
        return self.visible.popleft()


class Interface:
    """Send at most one flit a cycle into the router, and hand what arrives to the endpoint."""

    def __init__(
        self,
        environment: Environment,
        plan: Plan,
        endpoint: int,
        sources: Sequence[Source],
        consume: Callable[[int, Flit], None],
    ) -> None:
        """An interface that takes packets from `sources`, one per class, and gives flits to
        `consume(vc, flit)`.
        """
        self.environment, self.plan, self.endpoint = environment, plan, endpoint
        self.sources, self.consume = sources, consume
        self.output = [OutputVC(plan.buffer, plan.atomic) for _ in range(plan.virtual_channels)]
        self.sending: list[tuple[Packet, int, int] | None] = [
            None,
            None,
        ]  # packet, its next flit, its VC
        self.next_vc = [0, 0]  # within the class
        self.next_class = 0
        self.flit_wire: Wire | None = None
        self.bell = Doorbell(environment)
        environment.process(self.run())

    def receive_flit(self, vc: int, flit: Flit) -> None:
        """Take the flit that arrives on the ejection link in this cycle [N1]."""
        if flit.is_head:
            flit.packet.head_arrive_cycle[self.endpoint] = cycle_of(self.environment)
        self.consume(vc, flit)

    def receive_credit(self, vc: int) -> None:
        """Apply an injection credit [N2]."""
        self.output[vc].credit_returns()
        self.bell.ring()

    def run(self) -> Process:
        """Send a flit in every cycle in which one can go."""
        while True:
            yield self.bell.wait()
            while self.send():
                yield at(self.environment, EVALUATE, 1)

    def send(self) -> bool:
        """Send one flit of the class whose turn it is among those that can; return whether there
        was one [N5].
        """
        for turn in CLASSES:
            traffic_class = (self.next_class + turn) % len(CLASSES)
            vc = self._ready_vc(traffic_class)
            if vc is not None:
                self._send_flit(traffic_class, vc)
                self.next_class = (traffic_class + 1) % len(CLASSES)
                return True
        return False

    def _ready_vc(self, traffic_class: int) -> int | None:
        """Return the VC on which the next flit of a class can go now [N4]."""
        in_progress = self.sending[traffic_class]
        if in_progress is not None:
            vc = in_progress[2]
            return vc if self.output[vc].credit > 0 else None
        if not self.sources[traffic_class].visible:
            return None
        first, channels = (
            int(of[traffic_class]) for of in (self.plan.class_first, self.plan.class_channels)
        )
        for turn in range(channels):
            vc = first + (self.next_vc[traffic_class] + turn) % channels
            if self.output[vc].owner is None and self.output[vc].credit > 0:
                return vc
        return None

    def _send_flit(self, traffic_class: int, vc: int) -> None:
        in_progress = self.sending[traffic_class]
        if in_progress is None:
            packet, number = self.sources[traffic_class].take(), 0
            packet.head_entry_cycle = cycle_of(self.environment)
            self.next_vc[traffic_class] = vc - int(self.plan.class_first[traffic_class]) + 1
        else:
            packet, number, _ = in_progress
        flit = Flit(packet, number)
        self.output[vc].send(flit)
        assert self.flit_wire is not None
        self.flit_wire.send((vc, flit))
        self.sending[traffic_class] = None if flit.is_tail else (packet, number + 1, vc)
