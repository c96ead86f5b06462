"""What a deadlock looks like, in words: the circle of packets that wait for each other, or the dead
end where there is none [D1].

Each engine says which packets are stuck and what each waits for; the search and the wording are the
same for both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

#: what the packet at each place waits for: in words, and the place that has to move first (None:
#: nothing ever will); places are whatever the engine calls them
Waits = Mapping[Any, Sequence[tuple[str, Any]]]


def circle(waits: Waits) -> list[Any]:
    """Return the places of one circle, in the order of waiting; empty when there is none."""
    finished: set[Any] = set()
    for start in waits:
        way = [start]
        while way:
            following = [
                place for _, place in waits[way[-1]] if place in waits and place not in finished
            ]
            on_way = [place for place in following if place in way]
            if on_way:
                return way[way.index(on_way[0]) :]
            if following:
                way.append(following[0])
            else:
                finished.add(way.pop())
    return []


def explain(waits: Waits, packet_at: Callable[[Any], str], outstanding: int) -> str:
    """Return who waits for what, around the circle, or along a chain to what will never be free.

    packet_at: the name of the packet at a place, and where that is.  outstanding: what the step
    still owes, for a machine in which no packet is stuck.
    """
    around = circle(waits)
    if around:
        text = packet_at(around[0])
        for number, (place, following) in enumerate(zip(around, [*around[1:], around[0]])):
            link = next(link for link, first in waits[place] if first == following)
            text += (
                f"{', which' if number else ''} waits for {link}, held by {packet_at(following)}"
            )
        return text
    for place, asked in waits.items():
        if not asked:
            return f"{packet_at(place)} has no way to go on"
        for link, first in asked:
            if first not in waits:
                return f"{packet_at(place)} waits for {link}, which nothing can free"
    things = "packet or work item is" if outstanding == 1 else "packets or work items are"
    return f"{outstanding} {things} outstanding and nothing moves"
