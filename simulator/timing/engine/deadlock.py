"""Who waits for whom in arrays in which nothing can happen any more [D1]."""

from __future__ import annotations

from simulator.mapping.plan import LOCAL, Plan
from simulator.timing.engine.layout import State
from simulator.timing.record import PACKET_SHIFT
from simulator.timing.waiting import explain

#: what a packet waits for, in words, and the channel that has to move first (None: nothing will)
Wait = tuple[str, int | None]


class _Chip:
    """The state as a reader of places sees it: a place is the channel of a router's input VC."""

    def __init__(self, state: State, plan: Plan) -> None:
        self.state, self.plan = state, plan
        self.shift = int(state.chip[0].channel_shift)

    def port_of(self, channel: int) -> int:
        return channel >> self.shift

    def router_of(self, channel: int) -> int:
        return self.port_of(channel) // self.plan.ports

    def can_go_on(self, channel: int, output: int) -> bool:
        """Return whether the next flit to an output a packet holds is in the FIFO [F6]."""
        record = self.state.channel[channel]
        if not record.is_tree:
            return bool(int(record.held) >> output & 1)
        sent = int(self.state.branch_sent[channel, output])
        return sent - int(record.flit) < int(record.count)

    def vc_of(self, channel: int) -> int:
        return channel & (1 << self.shift) - 1

    def is_holding(self, channel: int) -> bool:
        """Return whether a packet is in this VC: its head started and its tail has not left."""
        port = self.state.port[self.port_of(channel)]
        return bool((port.active | port.waiting | port.routing) >> self.vc_of(channel) & 1)

    def packet_at(self, channel: int) -> str:
        name = int(self.state.packet[self.state.channel[channel].packet].name)
        where = f"at router {self.router_of(channel)}"
        return f"packet {name & (1 << PACKET_SHIFT) - 1} of endpoint {name >> PACKET_SHIFT} {where}"

    def output_vcs(self, channel: int) -> dict[int, int]:
        """Return the output VCs the packet in a VC holds, by output port."""
        port, record = self.state.port[self.port_of(channel)], self.state.channel[channel]
        if not int(port.active) >> self.vc_of(channel) & 1:
            return {}
        held = [o for o in range(self.plan.ports) if int(record.held) >> o & 1]
        return {
            o: int(self.state.branch_vc[channel, o] if record.is_tree else record.held_vc)
            for o in held
        }

    def holder(self, router: int, out_port: int, out_vc: int) -> int | None:
        """Return the input VC of a router whose packet holds an output VC."""
        first = router * self.plan.ports << self.shift
        for channel in range(first, first + (self.plan.ports << self.shift)):
            if self.is_holding(channel) and self.output_vcs(channel).get(out_port) == out_vc:
                return channel
        return None

    def downstream(self, router: int, out_port: int, out_vc: int) -> int | None:
        if out_port >= LOCAL:
            return None
        return int(self.state.port[router * self.plan.ports + out_port].downstream) | out_vc

    def link(self, router: int, out_port: int) -> str:
        channel = int(self.state.port[router * self.plan.ports + out_port].downstream)
        if channel < 0:
            return f"port {out_port} of router {router}, where there is nothing"
        if out_port < LOCAL:
            return f"link {router}->{self.router_of(channel)}"
        endpoint = channel - int(self.state.chip[0].n_channels) >> self.shift
        return (
            f"the input queue of core {endpoint}"
            if endpoint < self.plan.n_cores
            else f"port {endpoint}"
        )


def _upstream(chip: _Chip, channel: int) -> list[Wait]:
    """A packet whose next flits are still on their way waits for the place they are at."""
    port = chip.state.port[chip.port_of(channel)]
    if port.index >= LOCAL:
        return []
    before = chip.router_of(int(port.upstream))
    holder = chip.holder(before, int(port.index) ^ 1, chip.vc_of(channel))
    return [] if holder is None else [(f"its own flits at router {before}", holder)]


def _waits_for(chip: _Chip, channel: int) -> list[Wait]:
    """Return the links the packet in a VC waits for, each with the place that has to move first."""
    record = chip.state.channel[channel]
    if record.count == 0:
        return _upstream(chip, channel)
    router, mine = chip.router_of(channel), chip.output_vcs(channel)
    classes = int(chip.state.chip[0].class_mask[record.traffic_class])
    waits: list[Wait] = []
    for o in range(chip.plan.ports):
        if not (int(record.route) >> o & 1 or o in mine):
            continue
        is_behind = o in mine and not chip.can_go_on(channel, o)
        if is_behind:  # a branch ahead of the slowest
            waits += _upstream(chip, channel)
            continue
        out = chip.state.port[router * chip.plan.ports + o]
        for vc in (
            [mine[o]]
            if o in mine
            else [vc for vc in range(chip.plan.virtual_channels) if classes >> vc & 1]
        ):
            holder = chip.holder(router, o, vc)
            has_credit = bool(int(out.credited) >> vc & 1)
            following = (
                holder
                if has_credit and holder not in (None, channel)
                else chip.downstream(router, o, vc)
            )
            waits.append((chip.link(router, o), following))
    return waits


def deadlock(state: State, plan: Plan) -> str:
    """Return who waits for what."""
    chip = _Chip(state, plan)
    stuck = [
        channel for channel in range(int(state.chip[0].n_channels)) if chip.is_holding(channel)
    ]
    waits = {channel: _waits_for(chip, channel) for channel in stuck}
    return explain(waits, chip.packet_at, int(state.chip[0].outstanding))
