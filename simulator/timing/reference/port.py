"""A port to the outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.mapping.plan import BACK
from simulator.timing.reference.clock import ARRIVE, Doorbell, Process, at, cycle_of
from simulator.timing.reference.interface import CLASSES, SourceQueue
from simulator.timing.reference.packet import Flit
from simulator.timing.reference.tokens import OwnSteps
from simulator.timing.reference.wire import Wire

if TYPE_CHECKING:
    from simulator.timing.reference.chip import Chip


class OutsidePort:
    """A port to the outside: it injects its packets at their cycles and consumes whatever
    arrives [C10].
    """

    def __init__(self, chip: Chip, endpoint: int) -> None:
        """A port without an interface; the chip connects both."""
        self.chip, self.endpoint = chip, endpoint
        self.own: OwnSteps | None = None  # with tokens
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
            self._put(row)
            chip.done()
        if self.own is not None:
            self._put(self.own.token_row)
            self.own.finish()

    def _put(self, row: int) -> None:
        """Put all packets of a row into the source queue in this cycle."""
        chip = self.chip
        now = cycle_of(chip.environment)
        step = chip.book.step if self.own is None else self.own.step
        for entries in () if row < 0 else chip.rows.parts(row):
            packet = chip.rows.packet(self.endpoint, row, entries, step, now)
            if self.own is not None:
                self.own.put(packet)
            chip.begin(len(packet.entry))
            chip.book.sent(packet, chip.rows.way(packet))
            self.source[packet.traffic_class].visible.append(packet)
        self.interface_bell.ring()

    def receive(self, vc: int, flit: Flit) -> None:
        """Consume a flit and return its credit at once [N1]."""
        chip = self.chip
        self.ejection_credit.send(vc)
        if flit.packet.kind != BACK:
            chip.book.last_output[flit.packet.step] = cycle_of(chip.environment)
        if flit.is_tail:
            chip.book.received(flit.packet, self.endpoint)
            chip.book.arrived(flit.packet, self.endpoint, cycle_of(chip.environment))
            if self.own is not None:
                self.own.took(flit.packet)
            chip.done()
