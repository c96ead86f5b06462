"""A bare network fed window by window: a trace of any length runs in flat memory, and what happened
comes back in chunks.

The kernel stops before the last cycle a window has packets in, because more packets of that cycle
may follow; those left over begin the next window.  So a run does not depend on where the windows
are cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from simulator.errors import DeadlockError
from simulator.jit import handle
from simulator.mapping.plan import Plan
from simulator.mapping.traffic import trace_activity
from simulator.timing.engine import state as chip_state
from simulator.timing.engine.chip import advance, finish
from simulator.timing.engine.deadlock import deadlock
from simulator.timing.engine.layout import DEADLOCK, DONE, LOG_FULL, NEVER, POOL_FULL, State
from simulator.timing.engine.result import make_record
from simulator.timing.record import GRANT, PACKET, Record

#: eventful cycles and arrivals of flits between two looks at the user's Ctrl-C
SLICE = 1 << 16
#: packets a window holds at least
CAPACITY = 1 << 16

#: takes the grants and the packets that arrived since the last call, each in the order they
#: happened, cycle by cycle
Receiver = Callable[[np.ndarray, np.ndarray], object]


def run_windows(plan: Plan, windows: Iterable[np.ndarray], receive: Receiver) -> Record:
    """Run the packets of all windows on a mesh without cores and return what it counted, without
    its event logs.

    windows: (n, 5) int64 each (cycle, source, destination, flits, class), cycles never falling, not
    even across windows. receive(grants, packets): GRANT and PACKET rows, whole cycles at a time; a
    packet comes with or after its last grant.
    """
    network = _Network(plan, receive)
    for window in windows:
        network.feed(window)
        network.run(int(window[-1, 0]) if len(window) else network.now)
    return network.finish()


class _Network:
    """The chip's state, with a window of packets in place of the whole run's work."""

    def __init__(self, plan: Plan, receive: Receiver) -> None:
        """A mesh at cycle 0 with nothing to do yet."""
        self.plan, self.receive = plan, receive
        self._hold(self._built(CAPACITY))

    @property
    def now(self) -> int:
        """The network's cycle: every earlier one is done."""
        return int(self.state.chip[0].now)

    def _hold(self, state: State) -> None:
        """Go on with a state."""
        self.state, self.address = state, handle(state)

    def _built(self, capacity: int) -> State:
        """Return a fresh state whose window has room for `capacity` packets; the row of each place
        is the place itself.
        """
        blank = np.tile(np.array([0, self.plan.n_cores, self.plan.n_cores, 1, 0]), (capacity, 1))
        state = chip_state.build(self.plan, trace_activity(self.plan, blank), events=True)
        state.step["injection"][:] = 0
        own = {name: getattr(state, name).copy() for name in ("inject_port", "inject_offset")}
        return state._replace(**own)  # windows are written there; an Activity's arrays are frozen

    def feed(self, packets: np.ndarray) -> None:
        """Append packets to those of the window that did not join a source queue yet."""
        chip = self.state.chip[0]
        left = slice(int(chip.injection), int(chip.injection_end))
        n_left = left.stop - left.start
        n = n_left + len(packets)
        if n > len(self.state.inject_port):
            self._widen(2 * n)
        for array, column in (
            (self.state.inject_port, 1),
            (self.state.inject_offset, 0),
            (self.state.entry["endpoint"], 2),
            (self.state.entry["flits"], 3),
            (self.state.entry["traffic_class"], 4),
        ):
            array[:n_left] = array[left].copy()
            array[n_left:n] = packets[:, column]
        if chip.step == 0:  # the kernel takes the first window's size from the step it begins
            self.state.step["injection"][1] = chip.injection_end = n
            return
        chip.injection, chip.injection_end = 0, n
        chip.outstanding += len(packets)
        chip.next_injection = int(self.state.inject_offset[0]) if n else NEVER

    def _widen(self, capacity: int) -> None:
        """Make room for a window of `capacity` packets.

        A packet in flight still names the place its entry once had; all it reads there is the one
        event it carries.
        """
        wide = self._built(capacity)
        for name in ("inject_port", "inject_offset", "entry"):
            old = getattr(self.state, name)
            getattr(wide, name)[: len(old)] = old
        work = ("inject_port", "inject_offset", "inject_row", "row", "entry")
        self._hold(self.state._replace(**{name: getattr(wide, name) for name in work}))

    def run(self, until: int) -> int:
        """Run every cycle before `until`; return DONE when all that was fed has arrived, else
        UNTIL.
        """
        while True:
            status = int(advance(self.address, until, SLICE))
            if status == POOL_FULL:
                self._hold(chip_state.grow_pool(self.state, 1))
            if status == LOG_FULL:
                self._drain()
            if status == DEADLOCK:
                raise DeadlockError(
                    f"cycle {self.now}: deadlock: {deadlock(self.state, self.plan)}"
                )
            if status == DONE or self.now >= until:
                return status

    def _drain(self) -> None:
        chip = self.state.chip[0]
        grants = np.array(self.state.grant_log[: chip.n_grants], GRANT)
        packets = np.array(self.state.packet_log[: chip.n_packets], PACKET)
        chip.n_grants = chip.n_states = chip.n_packets = chip.n_units = 0
        self.receive(grants, packets)

    def finish(self) -> Record:
        """Run what is left to its end and return the Record."""
        self.run(NEVER)
        self._drain()
        finish(self.address)
        return make_record(self.state, self.plan, np.ones((1, 2), np.int64), ([], [], [], []))
