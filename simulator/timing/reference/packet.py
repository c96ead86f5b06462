"""Packets and their flits, and the rows of an Activity they are made from."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulator.mapping.plan import EAST, NORTH, Activity, Plan
from simulator.mapping.routes import distance
from simulator.timing.record import PACKET_SHIFT


@dataclass(eq=False)
class Packet:
    """One message on its way; a multicast packet has a tree and one entry per copy."""

    source: int
    number: int  # at its source, in the order they were put
    flits: int
    traffic_class: int
    entry: dict[int, int]  # destination endpoint -> entry of the Activity
    kind: int  # of its first entry
    tree: dict[int, int] | None  # router -> mask of outputs
    inject_cycle: int
    step: int  # of its sender [Q4]
    announced: int = 0  # by a forward token: packets its sender has put in the step [Q4]
    head_entry_cycle: int = -1
    head_arrive_cycle: dict[int, int] = field(default_factory=dict)  # by destination

    @property
    def name(self) -> int:
        """The packet's name in every log."""
        return (self.source << PACKET_SHIFT) + self.number

    @property
    def destination(self) -> int:
        """The one destination of a unicast packet."""
        (endpoint,) = self.entry
        return endpoint

    def __str__(self) -> str:
        """Name the packet for people."""
        return f"packet {self.number} of endpoint {self.source}"


@dataclass(frozen=True)
class Flit:
    """What a link carries in one cycle."""

    packet: Packet
    number: int

    @property
    def is_head(self) -> bool:
        """The first flit, which is routed."""
        return self.number == 0

    @property
    def is_tail(self) -> bool:
        """The last flit, which frees what the packet holds."""
        return self.number == self.packet.flits - 1


@dataclass(frozen=True)
class Way:
    """How many routers, outputs of routers and mesh links of each direction a packet passes."""

    routers: int
    outputs: int
    east_west: int
    north_south: int


class RowPackets:
    """Make the packets of a row."""

    def __init__(self, plan: Plan, activity: Activity) -> None:
        """Read the rows and trees of an Activity."""
        self.plan, self.activity = plan, activity
        self.tree = [
            {
                int(activity.tree_router[node]): int(activity.tree_mask[node])
                for node in range(activity.tree_start[tree], activity.tree_start[tree + 1])
            }
            for tree in range(len(activity.tree_start) - 1)
        ]
        self.n_packets = [0] * plan.n_endpoints

    def parts(self, row: int) -> list[tuple[int, ...]]:
        """Return the entries of each packet of a row: one each, or all copies of the one multicast
        packet.
        """
        entries = range(int(self.activity.row_start[row]), int(self.activity.row_start[row + 1]))
        return (
            [tuple(entries)]
            if self.activity.row_tree[row] >= 0
            else [(entry,) for entry in entries]
        )

    def packet(
        self, source: int, row: int, entries: tuple[int, ...], step: int, cycle: int
    ) -> Packet:
        """Return the next packet of a source, for some entries of a row, as large as the first
        says [F4].
        """
        activity = self.activity
        tree = int(activity.row_tree[row])
        number = self.n_packets[source]
        self.n_packets[source] += 1
        return Packet(
            source=source,
            number=number,
            flits=int(activity.entry_flits[entries[0]]),
            traffic_class=int(activity.entry_class[entries[0]]),
            kind=int(activity.entry_kind[entries[0]]),
            entry={int(activity.entry_endpoint[entry]): entry for entry in entries},
            tree=self.tree[tree] if tree >= 0 else None,
            inject_cycle=cycle,
            step=step,
        )

    def way(self, packet: Packet) -> Way:
        """Return what the packet will pass on its way."""
        if packet.tree is not None:
            masks = packet.tree.values()
            return Way(
                routers=len(packet.tree),
                outputs=sum(mask.bit_count() for mask in masks),
                east_west=sum((mask >> EAST & 3).bit_count() for mask in masks),
                north_south=sum((mask >> NORTH & 3).bit_count() for mask in masks),
            )
        width = self.plan.width
        router = int(self.plan.endpoint_router[packet.source])
        destination = int(self.plan.endpoint_router[packet.destination])
        hops = distance(width, router, destination)
        east_west = abs(destination % width - router % width)
        return Way(hops + 1, hops + 1, east_west, hops - east_west)
