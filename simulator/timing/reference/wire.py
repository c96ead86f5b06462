"""Everything that crosses between two components: wires of a latency, and queues with room."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from simpy import Environment

from simulator.timing.reference.clock import ARRIVE, at


class Wire:
    """Deliver what is sent in cycle t in cycle t + latency + 1, before anything is evaluated
    there [B1].
    """

    def __init__(
        self, environment: Environment, latency: int, receive: Callable[[Any], None]
    ) -> None:
        """A wire into `receive`."""
        self.environment, self.latency, self.receive = environment, latency, receive

    def send(self, item: Any) -> None:
        """Put an item on its way."""
        arrival = at(self.environment, ARRIVE, self.latency + 1)
        arrival.callbacks.append(lambda _: self.receive(item))


class Queue:
    """A FIFO between two units: what is put is seen a cycle later, and so is the room that taking
    makes [T2].
    """

    def __init__(
        self,
        environment: Environment,
        depth: int,
        when_seen: Callable[[], None],
        when_room: Callable[[], None],
    ) -> None:
        """A queue of `depth` items that tells its consumer of an item and its producer of room."""
        self.room = depth  # the producer's view
        self.visible: deque[Any] = deque()  # the consumer's view
        self.held = 0  # with everything done so far in this cycle
        self.when_seen, self.when_room = when_seen, when_room
        self.forward = Wire(environment, 0, self._show)
        self.backward = Wire(environment, 0, self._make_room)

    def put(self, item: Any) -> None:
        """Append an item; the producer has seen that there is room."""
        self.room -= 1
        self.held += 1
        self.forward.send(item)

    def take(self) -> Any:
        """Remove and return the front item the consumer sees."""
        self.held -= 1
        self.backward.send(None)
        return self.visible.popleft()

    def _show(self, item: Any) -> None:
        self.visible.append(item)
        self.when_seen()

    def _make_room(self, _: None) -> None:
        self.room += 1
        self.when_room()
