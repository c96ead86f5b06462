"""The steps of one endpoint where tokens take the place of barriers (docs/machine.md, Tokens)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Protocol

from simpy import Environment

from simulator.mapping.plan import BACK, FORWARD, Activity, Plan
from simulator.timing.record import BARRIER, WAITING_FOR_A_PLANE, WAITING_FOR_TOKENS
from simulator.timing.reference.clock import ARRIVE, BEGIN, at, cycle_of
from simulator.timing.reference.packet import Packet


class Steps(Protocol):
    """What the steps of an endpoint tell and ask the chip."""

    last_step: int

    def begin_step(self, step: int) -> None:
        """An endpoint is about to start a step; the first one begins it for the chip [Q9]."""

    def own_done(self, step: int) -> None:
        """An endpoint has done its own step."""


class OwnSteps:
    """Which step an endpoint is in, and what it knows of the others."""

    def __init__(
        self,
        environment: Environment,
        plan: Plan,
        activity: Activity,
        endpoint: int,
        chip: Steps,
        start: Callable[[int], None],
        changed: Callable[[], None],
    ) -> None:
        """Before step 0; `start(step)` starts the endpoint's work, `changed` is told when what it
        waits for may be another thing.
        """
        self.environment, self.chip, self.start, self.changed = environment, chip, start, changed
        self.planes, self.release = plan.planes, activity.release.tolist()
        row = int(activity.token_row[endpoint]) if len(activity.token_row) else -1
        self.token_row = row
        entries = () if row < 0 else range(*activity.row_start[row : row + 2].tolist())
        partners: dict[int, set[int]] = {FORWARD: set(), BACK: set()}
        for entry in entries:  # [Q1]
            partners[int(activity.entry_kind[entry])].add(int(activity.entry_endpoint[entry]))
        self.destinations = partners[FORWARD]
        self.sources = partners[BACK] if endpoint < plan.n_cores else set()
        self.step, self.is_done, self.is_called = -1, True, False
        self.sent: Counter[int] = Counter()  # packets of the step by destination
        self.announced: defaultdict[int, dict[int, int]] = defaultdict(dict)
        self.integrated: Counter[tuple[int, int]] = Counter()
        self.freed: defaultdict[int, set[int]] = defaultdict(set)

    def put(self, packet: Packet) -> None:
        """Count a packet that is put, or write into a token what it says [Q4]."""
        if packet.kind == FORWARD:
            packet.announced = self.sent[packet.destination]
        elif packet.kind != BACK:
            self.sent.update(packet.entry.keys())

    def took(self, packet: Packet) -> None:
        """Learn from a token, or count a packet as integrated, in this cycle [Q5]."""
        if packet.kind == FORWARD:
            self.announced[packet.step][packet.source] = packet.announced
        elif packet.kind == BACK:
            self.freed[packet.step].add(packet.source)
        else:
            self.integrated[packet.step, packet.source] += 1
        self.look()

    def finish(self) -> None:
        """Note that the own step is done in this cycle [Q3]."""
        self.is_done = True
        self.chip.own_done(self.step)
        self.look()

    def is_complete(self) -> bool:
        """Return whether everything of the present step has come [Q6]."""
        announced = self.announced[self.step]
        return self.step < 0 or all(
            source in announced and self.integrated[self.step, source] == announced[source]
            for source in self.sources
        )

    def has_plane(self) -> bool:
        """Return whether all destinations have a plane for the next step [Q7]."""
        visited = self.step + 2 - self.planes
        return visited < 0 or self.freed[visited] == self.destinations

    def waits_for(self) -> int | None:
        """Return what an idle unit waits for, None within the own step [Q10]."""
        if not self.is_done or self.step < 0:
            return None
        if not self.is_complete():
            return WAITING_FOR_TOKENS
        return BARRIER if self.has_plane() else WAITING_FOR_A_PLANE

    def look(self) -> None:
        """See to the next start where everything for it has come by this cycle [Q8]."""
        self.changed()
        following = self.step + 1
        ready = self.is_done and self.is_complete() and self.has_plane()
        if ready and not self.is_called and following < self.chip.last_step:
            self.is_called = True
            now = cycle_of(self.environment)
            delay = self.release[following] - now
            if following > 0:
                delay = max(1, delay)
            at(self.environment, BEGIN, delay).callbacks.append(
                lambda _: self.chip.begin_step(following)
            )
            at(self.environment, ARRIVE, delay).callbacks.append(lambda _: self._start())

    def _start(self) -> None:
        if self.step + 1 >= self.chip.last_step:  # the run was stopped meanwhile
            self.chip.own_done(self.step + 1)
            return
        self.announced.pop(self.step, None)
        self.step += 1
        self.is_done = self.is_called = False
        self.sent.clear()
        self.changed()
        self.start(self.step)
