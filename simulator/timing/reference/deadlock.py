"""Who waits for whom in a chip in which nothing can happen any more [D1]."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.mapping.plan import LOCAL
from simulator.mapping.routes import neighbour
from simulator.timing.waiting import explain

if TYPE_CHECKING:
    from simulator.timing.reference.chip import Chip

#: an input VC of a router: router, port, VC
Place = tuple[int, int, int]


def deadlock(chip: Chip) -> str:
    """Return who waits for what."""
    waits = {place: _waits_for(chip, place) for place in _stuck(chip)}
    return explain(waits, lambda place: _packet_at(chip, place), chip.outstanding)


def _stuck(chip: Chip) -> list[Place]:
    return [
        (router.number, port, number)
        for router in chip.routers
        for port, vcs in enumerate(router.input)
        for number, vc in enumerate(vcs)
        if vc.packet is not None
    ]


def _packet_at(chip: Chip, place: Place) -> str:
    router, port, vc = place
    return f"{chip.routers[router].input[port][vc].packet} at router {router}"


def _waits_for(chip: Chip, place: Place) -> list[tuple[str, Place | None]]:
    """Return the links the packet at a place waits for, each with the place that has to move
    first.
    """
    router, port, number = place
    vc = chip.routers[router].input[port][number]
    if not vc.fifo:
        return _upstream(chip, place)
    asked: list[tuple[str, Place | None]] = []
    for out_port in sorted(vc.wanted_ports()):
        if vc.place(out_port) >= len(vc.fifo):  # a branch ahead of the slowest
            asked += _upstream(chip, place)
            continue
        output = chip.routers[router].output[out_port]
        first, channels = (
            int(of[vc.front.packet.traffic_class])
            for of in (chip.plan.class_first, chip.plan.class_channels)
        )
        for out_vc in (
            [vc.output[out_port]] if out_port in vc.output else range(first, first + channels)
        ):
            holder = _holder(chip, router, out_port, out_vc)
            has_credit = output[out_vc].credit > 0
            next = (
                holder
                if has_credit and holder not in (None, place)
                else _downstream(chip, router, out_port, out_vc)
            )
            asked.append((_link(chip, router, out_port), next))
    return asked


def _upstream(chip: Chip, place: Place) -> list[tuple[str, Place | None]]:
    """A packet whose next flits are still on their way waits for the place they are at."""
    router, port, number = place
    if port >= LOCAL:
        return []
    before = neighbour(chip.plan.width, chip.plan.height, router, port)
    holder = _holder(chip, before, port ^ 1, number)
    return [] if holder is None else [(f"its own flits at router {before}", holder)]


def _holder(chip: Chip, router: int, out_port: int, out_vc: int) -> Place | None:
    for port, vcs in enumerate(chip.routers[router].input):
        for number, vc in enumerate(vcs):
            if vc.output.get(out_port) == out_vc:
                return router, port, number
    return None


def _downstream(chip: Chip, router: int, out_port: int, out_vc: int) -> Place | None:
    if out_port >= LOCAL:
        return None
    return neighbour(chip.plan.width, chip.plan.height, router, out_port), out_port ^ 1, out_vc


def _link(chip: Chip, router: int, out_port: int) -> str:
    if out_port < LOCAL:
        return f"link {router}->{neighbour(chip.plan.width, chip.plan.height, router, out_port)}"
    for endpoint in range(chip.plan.n_endpoints):
        if (chip.plan.endpoint_router[endpoint], chip.plan.endpoint_local[endpoint]) == (
            router,
            out_port,
        ):
            return (
                f"the input queue of core {endpoint}"
                if endpoint < chip.plan.n_cores
                else f"port {endpoint}"
            )
    return f"local port {out_port} of router {router}, where there is nothing"
