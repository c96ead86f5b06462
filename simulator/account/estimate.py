"""What a mapping will cost, in closed form: joules and cycles of an inference, and which bound
holds it back (docs/mapping.md).

A step takes as long as the busiest unit that works in it: cycles = max over cores of the synapse,
soma and axon-out load, and of the input port, plus the way of the last spike, plus the barrier.
Joules are counts times constants, and static power times the time.  What it leaves out is
contention: that is what the simulation is for.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import attrgetter, itemgetter

import numpy as np

from simulator.account.longest import Working, largest_in_order, largest_of
from simulator.account.standby import StatePower, deepest, state_power
from simulator.describe.chip import Chip
from simulator.describe.network import Network
from simulator.describe.offsets import Offsets
from simulator.describe.workload import Workload
from simulator.mapping import fan_out, flows, stages
from simulator.mapping.core_mapping import CoreMapping
from simulator.mapping.loads import Arriving, Load, Rates, arriving, load
from simulator.mapping.memories import schedules
from simulator.timing.record import ACTIVE, IDLE

#: what holds a step back
BOUNDS = ("synapse", "soma", "axon_out", "input port", "link", "barrier")
#: how much of its time a hot link carries flits at most, assumed: packets wait for each other
CARRIES = 0.75
_cycles = attrgetter("cycles")


@dataclass(frozen=True)
class Estimate:
    """Of one inference of the spiking twin."""

    energy_j: float
    cycles: float
    dynamic_j: float
    static_j: float
    packets: float
    hop_energy_j: float
    bound: dict[str, float]  # the share of the cycles that each of BOUNDS holds

    def cost(self, objective: str, cores: int) -> float:
        """Return what an objective minimises."""
        return {
            "energy": self.energy_j,
            "latency": self.cycles,
            "edp": self.energy_j * self.cycles,
            "cores": float(cores),
        }[objective]


@dataclass(frozen=True, eq=False)
class Estimator:
    """Estimates mappings of one network on one chip, with one activity; what all of them have in
    common is found once.
    """

    chip: Chip
    network: Network
    when: Offsets
    timesteps: int
    rates: Rates

    def of(
        self,
        loads: dict[int, Load],
        arriving: dict[int, Arriving],
        cores: int,
        hops: float | None = None,
        hottest: float = 0.0,
    ) -> Estimate:
        """Return the estimate of a mapping.

        loads, arriving: by computed population and by projection.  cores: in use.  hops: mean mesh
        links of a packet; None: two thirds of the side of the square that the tiles in use fill.
        hottest: packets that the hottest link carries per timestep; 0 where places are not known.
        """
        network, rates = self.network, self.rates
        tiles = min(self.chip.n_tiles, -(-cores // self.chip.mesh.cores_per_tile))
        if hops is None:
            hops = 2 / 3 * tiles**0.5 if tiles > 1 else 0.0
        sent = {
            number: sum(arriving[k].packets for k in network.outgoing[number])
            + rates.total(number) * (number in network.outputs)
            for number in range(len(network.populations))
        }
        cycles, bound = self._time(loads, arriving, sent, tiles, hops, hottest)
        dynamic, moving = self._dynamic(loads, sent, hops)
        dynamic += self.chip.energy.barrier.value * tiles * self.when.steps(self.timesteps)
        static = self._static(loads, sent, cores, hops, cycles)
        total = sum(sent.values()) * self.timesteps
        return Estimate(dynamic + static, cycles, dynamic, static, total, moving, bound)

    @cached_property
    def _price(self) -> dict[str, float]:
        """Joules of each action."""
        energy = self.chip.energy
        return {name: getattr(energy, name).value for name in type(energy).model_fields}

    @cached_property
    def _power(self) -> tuple[StatePower, int, int]:
        """What the power states draw, and those in which a core and a router rest."""
        return state_power(self.chip), *deepest(self.chip)

    @cached_property
    def _visits(self) -> dict[int, tuple[int, int]]:
        """Of each population: words of neuron memory that a visit of a neuron reads, and writes,
        and the accumulators it has.
        """
        found = {}
        for number in self.network.computed:
            area = fan_out.currents(self.network, number)
            found[number] = stages.visit_words(self.chip, area, True), area
        return found

    @cached_property
    def _ways(self) -> dict[int, tuple[list[int], bool]]:
        """Of each population: those that drive it, and whether it takes what they send while it
        sends itself.
        """
        found = {}
        for number in self.network.computed:
            sources = [self.network.projections[k].source for k in self.network.incoming[number]]
            offset = self.when.offset
            apart = min((offset[number] - offset[one] for one in sources), default=0)
            found[number] = sources, apart < self.timesteps * self.when.interval
        return found

    @cached_property
    def _gathering(self) -> list[int]:
        """The populations that several projections lead to."""
        return [one for one in self.network.computed if len(self.network.incoming[one]) > 1]

    def _time(
        self,
        loads: dict[int, Load],
        arriving: dict[int, Arriving],
        sent: dict[int, float],
        tiles: int,
        hops: float,
        hottest: float,
    ) -> tuple[float, dict[str, float]]:
        """Return the cycles of an inference, and the share of each bound: step by step the maximum
        of what works in it.
        """
        chip, network, rates = self.chip, self.network, self.rates
        link = chip.link
        hop = (link.east_west.latency + link.north_south.latency) / 2 + 2
        way = hops * hop + 8 + chip.core.axon_out.packet + chip.core.soma.visit
        barrier = stages.barrier_cycles(chip, np.arange(tiles))
        held = 1.0 * max(link.east_west.interval, link.north_south.interval)
        held *= hottest / CARRIES / max(sum(sent.values()), 1e-9)
        bound = dict.fromkeys(BOUNDS, 0.0)
        total = 0.0
        alone = sorted(self._alone(loads, arriving, sent), key=_cycles, reverse=True)
        for active, steps in _together(self.when, self.timesteps):
            work = [one for one in alone if one.source[0] in active]
            for number in self._gathering:
                paths = network.incoming[number]
                here = [k for k in paths if network.projections[k].source in active]
                if len(here) > 1:
                    work.append(self._gathered(arriving, here))
            if held:
                sends = [(sent[number], rates.spread(number)) for number in sorted(active)]
                moving = held * sum(mean for mean, _ in sends)
                work.append(Working(moving, _spread(sends), "link", tuple(sorted(active))))
            busiest = max(work, key=_cycles)
            is_ordered = not held and not self._gathering
            longest = largest_in_order(work) if is_ordered else largest_of(work)
            bound[busiest.what] += steps * longest
            bound["barrier"] += steps * (barrier + way)
            total += steps * (longest + way + barrier)
        return total, {name: cycles / total for name, cycles in bound.items()}

    def _alone(
        self, loads: dict[int, Load], arriving: dict[int, Arriving], sent: dict[int, float]
    ) -> list[Working]:
        """Return by population the slowest of the units that work for its events, one projection
        at a time: they vary together.
        """
        chip, network, found = self.chip, self.network, []
        for number in range(len(network.populations)):
            share, mine = self.rates.spread(number), loads.get(number)
            events = max((arriving[k].busiest for k in network.outgoing[number]), default=0.0)
            work = [(events, share, "synapse")]
            if mine is None:
                port = chip.ports[chip.input_port].interval or 1
                work.append((sent[number] * port, share, "input port"))
            else:
                axon = sent[number] * mine.largest * chip.core.axon_out.packet
                work += [(mine.soma, 0.0, "soma"), (axon, share, "axon_out")]
            found.append(Working(*max(work, key=itemgetter(0)), (number,)))
        return found

    def _gathered(self, arriving: dict[int, Arriving], here: list[int]) -> Working:
        """Return a synapse unit that works for the events of several projections."""
        cycles = sum(arriving[k].cycles for k in here)
        sources = [self.network.projections[k].source for k in here]
        spreads = [self.rates.spread(one) for one in sources]
        share = _spread([(arriving[k].busiest, spread) for k, spread in zip(here, spreads)])
        most = float(np.max(cycles, initial=0.0))
        return Working(most, share, "synapse", tuple(sorted(sources)))

    def _dynamic(
        self, loads: dict[int, Load], sent: dict[int, float], hops: float
    ) -> tuple[float, float]:
        """Return the joules of what happens in an inference, and those of them that hops take."""
        chip, network, rates, price = self.chip, self.network, self.rates, self._price
        total = 0.0
        for number, mine in loads.items():
            read, area = self._visits[number]
            words = read * mine.visits / area
            total += mine.operations[0] * price["accumulate"]
            total += mine.operations[1] * price["multiply_accumulate"]
            total += mine.words * price["weight_read"]
            total += mine.accumulator_words * price["accumulator"]
            total += words * (price["membrane_read"] + price["membrane_write"])
            total += mine.visits * price["threshold_test"]
            total += mine.spikes * (price["event_generation"] + price["reset"])
            total += mine.packets_in * (price["event"] + price["input_queue"])
            total += sent[number] * (price["axon_lookup"] + price["output_queue"])
        packets = sum(sent.values())
        router = sum(
            price[name] for name in ("buffer_write", "buffer_read", "crossbar", "allocation")
        )
        bits = chip.packet.destination + chip.packet.axon
        link = (price["link_east_west"] + price["link_north_south"]) / 2
        link += bits * price["header_bit_hop"]
        payload = sum(many * (rates.bits[number] or chip.packet.spike_payload) for number, many in
                      sent.items())  # fmt: skip
        moving = hops * (packets * (router + link) + payload * price["payload_bit_hop"])
        total += packets * (price["injection"] + price["ejection"] + router) + moving
        outside = sum(sent[number] for number in network.inputs)
        outside += sum(rates.total(number) for number in network.outputs)
        total += outside * price["port_flit"]
        return total * self.timesteps, moving * self.timesteps

    def _static(
        self,
        loads: dict[int, Load],
        sent: dict[int, float],
        cores: int,
        hops: float,
        cycles: float,
    ) -> float:
        """Return the joules of leakage and clocks.

        A core is clocked while its soma or its synapse unit works, and after that until its clock
        stops; where packets come further apart than the synapse unit takes for them, between them
        too.  A router is clocked for each flit.  All else rests as deep as the chip lets it.
        """
        chip, network, when, timesteps = self.chip, self.network, self.when, self.timesteps
        power, rest, router_rest = self._power
        step = cycles / when.steps(timesteps)
        wait, tail = max(chip.gating.gate_after, 0), max(chip.gating.router_gate_after, 0) + 4
        busy = 0.0
        sending = [self._sending(loads, sent, one) for one in range(len(network.populations))]
        for number, mine in loads.items():
            axon = sent[number] * chip.core.axon_out.packet / mine.tiles
            sends, came = max(mine.soma, axon), mine.packets_in / mine.tiles
            sources, overlaps = self._ways[number]
            window = max((sending[one] for one in sources), default=0.0)
            takes = mine.synapse + min(came * wait, max(0.0, window - mine.synapse))
            overlap = max(sends, takes) if overlaps else sends + takes
            busy += timesteps * min(step, overlap + wait) * mine.tiles
        busy = min(busy, cores * cycles)
        joules = busy * power.core[ACTIVE] + (chip.n_cores * cycles - busy) * power.core[rest]
        tiles = min(chip.n_tiles, -(-cores // chip.mesh.cores_per_tile))
        moving = min(cycles * tiles, timesteps * sum(sent.values()) * (hops + 1) * tail)
        joules += moving * power.router[IDLE]
        joules += (chip.n_tiles * cycles - moving) * power.router[router_rest]
        return float(joules + cycles * power.chip) * chip.period

    def _sending(self, loads: dict[int, Load], sent: dict[int, float], number: int) -> float:
        """Return the cycles in a step in which a population sends what it sends."""
        chip = self.chip
        if number not in loads:
            return sent[number] * (chip.ports[chip.input_port].interval or 1)
        mine = loads[number]
        return max(mine.soma, sent[number] * mine.largest * chip.core.axon_out.packet)


def of_mapping(workload: Workload, chip: Chip, mapping: CoreMapping, rates: Rates) -> Estimate:
    """Return the estimate of a mapping there is, at the hops its places have; slices that share a
    core are taken as if they worked side by side.
    """
    network = workload.network
    came = {k: arriving(chip, network, k, found, rates) for k, found in enumerate(mapping.targets)}
    loads = {}
    for number in network.computed:
        sizes = np.diff(mapping.populations[number].bounds)
        here = [came[k] for k in network.incoming[number]]
        loads[number] = load(chip, network, number, sizes, rates, here)
    flowing = flows.flows(chip, mapping, workload, rates)
    hops, hottest = flows.measured(chip, flowing, np.arange(chip.n_cores))
    when = schedules(workload)[-1]
    estimator = Estimator(chip, network, when, workload.timesteps, rates)
    return estimator.of(loads, came, mapping.n_used, hops, hottest / flows.WINDOW)


@lru_cache(maxsize=64)
def _together(when: Offsets, timesteps: int) -> list[tuple[frozenset[int], int]]:
    """Return which populations work in the same steps, and in how many steps they do."""
    found: Counter[frozenset[int]] = Counter()
    for step in range(when.steps(timesteps)):
        moments = [step - offset for offset in when.offset]
        found[
            frozenset(
                number
                for number, moment in enumerate(moments)
                if moment >= 0 and not moment % when.interval
                and moment // when.interval < timesteps
            )
        ] += 1  # fmt: skip
    return list(found.items())


def _spread(parts: list[tuple[float, float]]) -> float:
    """Return the relative deviation of a sum of independent parts: mean and relative deviation."""
    total = sum(mean for mean, _ in parts)
    return math.sqrt(sum((mean * share) ** 2 for mean, share in parts)) / total if total else 0.0
