"""Everything counted while a chip runs, and the Record it becomes."""

from __future__ import annotations

import numpy as np

from simulator.mapping.plan import ACCUMULATE as ACCUMULATE_KIND
from simulator.mapping.plan import (
    BACK,
    COUNT,
    FORWARD,
    MULTIPLY_ACCUMULATE,
    WORK_COUNTERS,
    Activity,
    Plan,
)
from simulator.mapping.routes import distance
from simulator.timing.record import (
    COUNTER,
    COUNTERS,
    GATED,
    GRANT,
    OFF,
    PACKET,
    QUEUES,
    STATE,
    UNIT,
)
from simulator.timing.reference.packet import Flit, Packet, Way


class Book:
    """Counters by endpoint and by step, counters of links and routers, and the logs of events."""

    def __init__(self, plan: Plan, activity: Activity, events: bool) -> None:
        """An empty book; `events` says whether the logs are kept."""
        self.plan, self.activity, self.events = plan, activity, events
        self.step = 0
        self.inference_start = 0
        self.counters = np.zeros((plan.n_endpoints, len(COUNTERS)), np.int64)
        self.step_counters = np.zeros((activity.n_steps, len(COUNTERS)), np.int64)
        self.step_port_counters = np.zeros_like(self.step_counters)
        n_operands = len(activity.operand_bits)
        self.operand_macs = np.zeros((plan.n_endpoints, n_operands), np.int64)
        self.step_operand_macs = np.zeros((activity.n_steps, n_operands), np.int64)
        self.last_output = np.full(activity.n_steps, -1, np.int64)
        self.queue_peak = np.zeros((plan.n_cores, len(QUEUES)), np.int64)
        self.link_flits = np.zeros((plan.n_routers, plan.ports), np.int64)
        self.link_blocked = np.zeros((plan.n_routers, plan.ports), np.int64)
        self.router_flit_cycles = np.zeros(plan.n_routers, np.int64)
        self.router_wakes = np.zeros(plan.n_routers, np.int64)
        self.step_router_wakes = np.zeros(activity.n_steps, np.int64)
        self.now = lambda: 0
        self.grants: list[tuple] = []
        self.states: list[tuple] = []
        self.packets: list[tuple] = []
        self.units: list[tuple] = []

    def count(self, endpoint: int, counter: str, n: int = 1) -> None:
        """Book an action on an endpoint and on the step [K6]."""
        self.counters[endpoint, COUNTER[counter]] += n
        self.step_counters[self.step, COUNTER[counter]] += n
        if endpoint >= self.plan.n_cores:
            self.step_port_counters[self.step, COUNTER[counter]] += n

    def work_begun(self, core: int, item: int) -> None:
        """Book a work item that a soma begins [K4]."""
        activity = self.activity
        messages = int(activity.work_message[item + 1] - activity.work_message[item])
        self.count(core, "neuron_updates", int(activity.work_visits[item]))
        self.count(core, "spikes", messages)
        for counter, n in zip(WORK_COUNTERS, activity.work_counts[item].tolist()):
            self.count(core, counter, n)

    def router_woken(self, router: int) -> None:
        """Book a wake of a router."""
        self.router_wakes[router] += 1
        self.step_router_wakes[self.step] += 1

    def core_woken(self, core: int, state: int, idle_since: int) -> None:
        """Book a wake of a core from `state`, what it loads again, and whether it lost what it had
        gathered in this inference [K5].
        """
        self.count(core, "gate_wakes" if state == GATED else "off_wakes")
        if state == OFF:
            self.count(core, "state_losses", int(idle_since > self.inference_start))
            self.count(core, "reload_cycles", int(self.plan.reload_cycles[core]))

    def sent(self, packet: Packet, way: Way) -> None:
        """Book a packet that was put into its output or source queue, by its way [K3]."""
        self.count(packet.source, "packets_sent")
        self.count(packet.source, "flits_sent", packet.flits)
        self.count(packet.source, "tokens_sent", int(packet.kind in (FORWARD, BACK)))  # [K20]
        self.count(packet.source, "router_traversals", packet.flits * way.routers)
        self.count(packet.source, "router_grants", packet.flits * way.outputs)
        self.count(packet.source, "flit_hops_east_west", packet.flits * way.east_west)
        self.count(packet.source, "flit_hops_north_south", packet.flits * way.north_south)
        links, first = way.east_west + way.north_south, min(packet.entry.values())
        self.count(
            packet.source, "payload_bit_hops", links * int(self.activity.entry_payload_bits[first])
        )
        self.count(
            packet.source, "header_bit_hops", links * int(self.activity.entry_header_bits[first])
        )
        self.count(
            packet.source, "stream_bit_hops", links * int(self.activity.entry_stream_bits[first])
        )

    def received(self, packet: Packet, endpoint: int, is_first: bool = True) -> None:
        """Book a packet that a port consumed whole or a synapse unit took [K1]; only the first of a
        group reads and writes accumulators [K31].
        """
        entry = packet.entry[endpoint]
        self.count(endpoint, "packets_received")
        self.count(endpoint, "flits_received", packet.flits)
        self.count(endpoint, "events_received", int(self.activity.entry_events[entry]))
        if endpoint >= self.plan.n_cores:
            return
        self.count(endpoint, "weight_read_words", int(self.activity.entry_words[entry]))
        words = int(self.activity.entry_accumulator_words[entry])
        self.count(endpoint, "accumulator_words", words if is_first else 0)
        kind, operations = (
            self.activity.entry_kind[entry],
            int(self.activity.entry_operations[entry]),
        )
        if kind == ACCUMULATE_KIND:
            self.count(endpoint, "accumulates", operations)
        elif kind == COUNT:  # [K30]
            self.count(endpoint, "count_accumulates", operations)
        elif kind == MULTIPLY_ACCUMULATE:
            self.count(endpoint, "macs", operations)
            operands = self.activity.entry_operands[entry]  # [K7]
            self.operand_macs[endpoint, operands] += operations
            self.step_operand_macs[self.step, operands] += operations

    def waited_for_banks(self, core: int, cycles: int) -> None:
        """Book the cycles that packets taken now will wait for each other's banks [K50]."""
        self.count(core, "bank_conflicts", cycles)

    def grant(
        self, router: int, in_port: int, in_vc: int, out_port: int, out_vc: int, flit: Flit
    ) -> None:
        """Book a flit that won the switch [K8]."""
        self.link_flits[router, out_port] += 1
        if self.events:
            place = (router, in_port, in_vc, out_port, out_vc)
            self.grants.append((self.now(), *place, flit.packet.name, flit.number))

    def arrived(self, packet: Packet, endpoint: int, cycle: int) -> None:
        """Log a packet, or one copy of it, whose tail has come to its destination [K10]."""
        if self.events:
            routers = (int(self.plan.endpoint_router[end]) for end in (packet.source, endpoint))
            hops = distance(self.plan.width, *routers) + 1
            instants = (
                packet.inject_cycle,
                packet.head_entry_cycle,
                packet.head_arrive_cycle[endpoint],
                cycle,
            )
            what = (packet.name, packet.source, endpoint, packet.flits, packet.traffic_class)
            self.packets.append((*what, *instants, hops))

    def state(self, is_router: bool, index: int, state: int) -> None:
        """Log the power state of a core or router from this cycle on [K9]."""
        if self.events:
            self.states.append((self.now(), is_router, index, state))

    def unit(self, core: int, unit: int, state: int, since: int, vc: int = -1) -> None:
        """Log the cycles from `since` until now in which a unit was busy or blocked [K70]."""
        if self.events and (self.now() > since or vc >= 0):
            self.units.append((since, core, unit, state, self.now() - since, vc))

    def logs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return the grants, states, packets and units, in the order they happened."""
        return (
            np.array(self.grants, GRANT),
            np.array(self.states, STATE),
            np.array(self.packets, PACKET),
            np.array(self.units, UNIT),
        )
