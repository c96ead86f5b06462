"""The input-queued wormhole router with virtual channels, in both pipelines (docs/machine.md,
"Router").
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from simpy import Environment

from simulator.mapping.plan import CANONICAL, EAST, LOCAL, WEST, Plan
from simulator.mapping.routes import allowed_ports
from simulator.timing.reference.allocator import Allocator, round_robin
from simulator.timing.reference.book import Book
from simulator.timing.reference.clock import Doorbell, Process, cycle_of
from simulator.timing.reference.packet import Flit, Packet
from simulator.timing.reference.power import Power
from simulator.timing.reference.wire import Wire

#: priorities at the switch: `lookahead` heads come after packets that hold an output VC, but for
#: urgent ones
STARTED, BODY = 0, 1


class OutputVC:
    """The sending side of one virtual channel: who holds it, and room at the other end."""

    def __init__(self, credit: int, atomic: bool) -> None:
        """A free channel in front of `credit` flits of empty buffer."""
        self.credit = self.buffer = credit
        self.atomic = atomic
        self.owner: Packet | None = None
        self.tail_sent = False

    def send(self, flit: Flit) -> None:
        """Use a credit; a tail frees the channel [R6], with `atomic` once all credits are back
        [R8].
        """
        self.credit -= 1
        self.owner = flit.packet
        self.tail_sent = flit.is_tail
        self._free()

    def credit_returns(self) -> None:
        """Count the room the other end has made."""
        self.credit += 1
        self._free()

    def _free(self) -> None:
        if self.tail_sent and (not self.atomic or self.credit == self.buffer):
            self.owner, self.tail_sent = None, False


class InputVC:
    """The receiving side of one virtual channel: its flits, and where the packet at the front is
    going.
    """

    IDLE, ROUTING, VC_ALLOC, ACTIVE = range(4)

    def __init__(self) -> None:
        """Empty and idle."""
        self.fifo: deque[tuple[int, Flit]] = deque()  # with the cycle each flit arrived in
        self.state = InputVC.IDLE
        self.packet: Packet | None = None
        #: mask of ports: those a unicast packet may take, or those a multicast packet still owes
        #: flits
        self.wanted = 0
        self.output: dict[int, int] = {}  # output port -> output VC it holds
        self.sent: dict[int, int] = {}  # of a multicast packet: flits that went to each branch
        self.popped = 0  # and flits that went to all of them

    @property
    def front(self) -> Flit:
        """The flit that leaves next."""
        return self.fifo[0][1]

    def start(self, state: int, ports: int) -> None:
        """Begin with the packet whose head is at the front."""
        self.state, self.packet, self.wanted = state, self.front.packet, ports
        if self.packet.tree is not None:
            self.sent, self.popped = dict.fromkeys(self.wanted_ports(), 0), 0

    def place(self, port: int) -> int:
        """Return where in the FIFO the next flit for a port is: at the front, or for a branch as
        far behind it as the branch is ahead of the slowest [F6].
        """
        return self.sent[port] - self.popped if self.sent else 0

    def flit_sent(self, port: int, flit: Flit) -> bool:
        """Note a flit that went to a port; return whether it now leaves the FIFO [F3]."""
        if not self.sent:
            return True
        self.sent[port] += 1
        if flit.is_tail:
            self.wanted &= ~(1 << port)
            del self.output[port]
        is_owed = any(self.sent[port] == self.popped for port in self.wanted_ports())
        self.popped += not is_owed
        return not is_owed

    def hold(self, port: int, vc: int) -> None:
        """Own an output VC; for a unicast packet that settles the way."""
        assert self.packet is not None
        self.output[port] = vc
        if self.packet.tree is None:
            self.wanted = 1 << port
        if self.wanted_ports() == set(self.output):
            self.state = InputVC.ACTIVE

    def wanted_ports(self) -> set[int]:
        """Return the ports in the mask."""
        return {port for port in range(self.wanted.bit_length()) if self.wanted >> port & 1}

    def known_ports(self) -> set[int]:
        """Return the ports the flit at the front could go to; none while its route is unknown."""
        if self.state not in (InputVC.VC_ALLOC, InputVC.ACTIVE):
            return set()
        return {port for port in self.wanted_ports() if self.place(port) < len(self.fifo)}

    def finish(self) -> None:
        """Be idle again: the packet has left."""
        self.state, self.packet, self.wanted, self.output = InputVC.IDLE, None, 0, {}
        self.sent, self.popped = {}, 0


class Router:
    """One router of the mesh."""

    def __init__(
        self, environment: Environment, plan: Plan, number: int, power: Power, book: Book
    ) -> None:
        """A router without neighbours; `connect_*` give it wires."""
        self.environment, self.plan, self.number, self.power, self.book = (
            environment,
            plan,
            number,
            power,
            book,
        )
        first, second = (
            range(first, first + n) for first, n in zip(plan.class_first, plan.class_channels)
        )
        self.spikes_are_urgent = not set(first) & set(second)
        ports, vcs = plan.ports, plan.virtual_channels
        self.input = [[InputVC() for _ in range(vcs)] for _ in range(ports)]
        self.output: dict[int, list[OutputVC]] = {}
        self.flit_wire: dict[int, Wire] = {}
        self.credit_wire: dict[int, Wire] = {}
        self.switch = Allocator(ports)
        self.vc_allocator = Allocator(ports * vcs)
        self.input_turn = [0] * ports  # which VC represents its input
        self.output_turn = [-1] * ports  # the VC `lookahead` gives away first, if it is free [A7]
        self.open_at = [0] * ports  # when a link with an interval takes the next flit
        self.held = 0  # flits in all FIFOs
        self.left_at = -1  # when the last flit left
        self.moved_at = -1  # when an evaluation last changed anything
        self.bell = Doorbell(environment)
        environment.process(self.run())

    def connect_output(self, port: int, buffer: int, flits: Wire) -> None:
        """Lead an output to a neighbour or an interface with `buffer` flits of room in each VC."""
        self.output[port] = [
            OutputVC(buffer, self.plan.atomic) for _ in range(self.plan.virtual_channels)
        ]
        self.flit_wire[port] = flits

    def connect_input(self, port: int, credits: Wire) -> None:
        """Give the credits of an input a way back to whoever sends to it."""
        self.credit_wire[port] = credits

    # what arrives

    def receive_flit(self, port: int, vc: int, flit: Flit) -> None:
        """Append an arriving flit to its FIFO [R1]."""
        self.input[port][vc].fifo.append((cycle_of(self.environment), flit))
        self.held += 1
        self.power.work_comes()
        self.bell.ring()

    def receive_credit(self, port: int, vc: int) -> None:
        """Apply an arriving credit [R1]."""
        self.output[port][vc].credit_returns()

    def has_work(self) -> bool:
        """Return whether a FIFO holds a flit in this cycle, or held one that left in it."""
        return self.left_at == cycle_of(self.environment) or self.holds_flits()

    def holds_flits(self) -> bool:
        """Return whether any FIFO is not empty."""
        return self.held > 0

    # what happens in a cycle

    def run(self) -> Process:
        """Evaluate in every cycle in which a FIFO holds a flit; while the router wakes nothing
        happens [P7] [L2].
        """
        while True:
            yield self.bell.wait()
            if self.power.is_awake() and self.holds_flits():
                self.evaluate()

    def evaluate(self) -> None:
        """Start heads, allocate on that one state [R3], and update [R4].

        Outputs wanted and not granted are blocked in this cycle [L1] [L3].
        """
        now = cycle_of(self.environment)
        self._start_heads()
        routing = [vc for vcs in self.input for vc in vcs if vc.state == InputVC.ROUTING]
        wanted = {port for vcs in self.input for vc in vcs for port in vc.known_ports()}
        allocated = self._allocate_vcs() if self.plan.pipeline == CANONICAL else []
        granted = self._allocate_switch(now)
        for vc in routing:
            vc.state = InputVC.VC_ALLOC
        for in_port, in_vc, port, out_vc in allocated:
            self.output[port][out_vc].owner = self.input[in_port][in_vc].packet
            self.input[in_port][in_vc].hold(port, out_vc)
        for in_port, in_vc, port in granted:
            self._leave(in_port, in_vc, port, now)
        for port in wanted - {port for _, _, port in granted}:
            self.book.link_blocked[self.number][port] += 1
        if routing or allocated or granted:
            self.moved_at = now

    def _start_heads(self) -> None:
        """Begin with every head at the front of an idle VC [R2], whenever it got there [R7]."""
        for in_port, vcs in enumerate(self.input):
            for vc in vcs:
                if vc.state == InputVC.IDLE and vc.fifo:
                    state = InputVC.ROUTING if self.plan.pipeline == CANONICAL else InputVC.VC_ALLOC
                    vc.start(state, self._route(in_port, vc.front.packet))

    def _route(self, in_port: int, packet: Packet) -> int:
        """Return the mask of ports allowed [F1] [F2], or of all branches of the tree [F3]."""
        if packet.tree is not None:
            return packet.tree[self.number]
        destination = int(self.plan.endpoint_router[packet.destination])
        if destination == self.number:
            return 1 << int(self.plan.endpoint_local[packet.destination])
        return allowed_ports(self.plan.allowed, self.plan.width, in_port, self.number, destination)

    def free_vcs(self, port: int, packet: Packet) -> list[int]:
        """Return the free output VCs of the packet's class."""
        first = int(self.plan.class_first[packet.traffic_class])
        channels = range(first, first + int(self.plan.class_channels[packet.traffic_class]))
        return [vc for vc in channels if self.output[port][vc].owner is None]

    def _free_with_credit(self, port: int, packet: Packet) -> list[int]:
        return [vc for vc in self.free_vcs(port, packet) if self.output[port][vc].credit > 0]

    def _allocate_vcs(self) -> list[tuple[int, int, int, int]]:
        """Match waiting input VCs to free output VCs, as (input port, VC, output port, VC) [A4]
        [F5].
        """
        n = self.plan.virtual_channels
        requests = {
            in_port * n + in_vc: {
                port * n + free: 0
                for port in vc.wanted_ports() - set(vc.output)
                for free in self.free_vcs(port, vc.front.packet)
            }
            for in_port, vcs in enumerate(self.input)
            for in_vc, vc in enumerate(vcs)
            if vc.state == InputVC.VC_ALLOC
        }
        return [
            (*divmod(input, n), *divmod(output, n))
            for input, output in self.vc_allocator.match(requests)
        ]

    def _allocate_switch(self, now: int) -> list[tuple[int, int, int]]:
        """Match inputs to outputs [A2], as (input port, its representative [A3], output port)."""
        representative: dict[tuple[int, int], int] = {}
        requests: dict[int, dict[int, int]] = {}
        for in_port, vcs in enumerate(self.input):
            asking: dict[int, dict[int, int]] = {}
            for in_vc, vc in enumerate(vcs):
                for port, priority in self._switch_requests(vc):
                    if now >= self.open_at[port]:
                        asking.setdefault(port, {})[in_vc] = priority
            for port, priorities in asking.items():
                in_vc = round_robin(
                    priorities, self.input_turn[in_port], self.plan.virtual_channels
                )
                representative[in_port, port] = in_vc
                requests.setdefault(in_port, {})[port] = priorities[in_vc]
        return [
            (in_port, representative[in_port, port], port)
            for in_port, port in self.switch.match(requests)
        ]

    def _switch_requests(self, vc: InputVC) -> Iterator[tuple[int, int]]:
        """Yield the ports the flit at the front asks for, with its priority: [A5] and [A6], or
        [A8].
        """
        for port in vc.known_ports():
            if port in vc.output:
                if self.output[port][vc.output[port]].credit > 0:
                    yield port, BODY
            elif self.plan.pipeline != CANONICAL and self._free_with_credit(port, vc.front.packet):
                yield (
                    port,
                    BODY
                    if self.spikes_are_urgent and vc.front.packet.traffic_class == 0
                    else STARTED,
                )

    def _leave(self, in_port: int, in_vc: int, port: int, now: int) -> None:
        """Let the next flit of a VC, or one copy of it [F3], go to an output [R5]."""
        vc = self.input[in_port][in_vc]
        arrived, flit = vc.fifo[vc.place(port)]
        if port not in vc.output:
            free = dict.fromkeys(self._free_with_credit(port, flit.packet), 0)
            self.output_turn[port] = round_robin(
                free, self.output_turn[port], self.plan.virtual_channels
            )
            out_vc = self.output_turn[port]
            self.output_turn[port] += 1
            vc.hold(port, out_vc)
        out_vc = vc.output[port]
        self.output[port][out_vc].send(flit)
        self.flit_wire[port].send((out_vc, flit))
        self.book.grant(self.number, in_port, in_vc, port, out_vc, flit)
        if port < LOCAL:  # [B3]
            self.open_at[port] = now + int(
                self.plan.link_interval[0 if port in (EAST, WEST) else 1]
            )
        self.input_turn[in_port] = (in_vc + 1) % self.plan.virtual_channels
        if vc.flit_sent(port, flit):
            self._pop(vc, in_port, in_vc, now - arrived + 1)

    def _pop(self, vc: InputVC, in_port: int, in_vc: int, stay: int) -> None:
        _, flit = vc.fifo.popleft()
        self.held -= 1
        self.credit_wire[in_port].send(in_vc)
        self.book.router_flit_cycles[self.number] += stay
        self.left_at = cycle_of(self.environment)
        self.power.look(1)
        if flit.is_tail:
            vc.finish()
