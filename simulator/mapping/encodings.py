"""How a population's output becomes packets: events, groups of events, bitmaps, dense streams.

A *table* holds one row per kind of source neuron: the packets its spike becomes whenever it fires.
Where neurons share a packet, each group that occurs in the run is a row of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from simulator.describe.chip import Chip
from simulator.describe.connections import DENSE, Connection
from simulator.describe.words import BITMAP, STREAM
from simulator.errors import MappingError
from simulator.mapping import banks, stages
from simulator.mapping.fan_out import FanOut
from simulator.mapping.plan import ACCUMULATE, COUNT, MULTIPLY_ACCUMULATE, OUTPUT
from simulator.mapping.windows import COUNTS, TRAIN, Window

SPIKES, STREAMS = 0, 1  # traffic classes
#: encodings whose packets hold events one by one, each with its axon
ONE_BY_ONE = ("events", COUNTS, TRAIN)


@dataclass(frozen=True)
class Reach:
    """What one event costs at each destination core, (n_kinds, n_destinations) int64 for every kind
    of source.
    """

    endpoint: np.ndarray  # (n_destinations,) int32
    kind_of: np.ndarray  # (n_sources,) of sources by their seats: a row of the matrices
    targets: np.ndarray  # synapses
    words: np.ndarray
    accumulator_words: np.ndarray
    cycles: np.ndarray  # without the lookup
    kind: int  # of what is done there
    #: of an event that stands for several spikes: whether operations are done, and whether the rest
    #: is paid, once for each of them [W22]
    adds_each: bool = False
    reads_each: bool = False
    #: what is done together with events on the same accumulators; None: each is served alone
    together: banks.Together | None = None
    #: (n_sources,) of the source on each seat: its row among those of the projection
    place: np.ndarray | None = None

    def of(self, sources: np.ndarray) -> Reach:
        """Return the reach of some of the sources."""
        place = None if self.place is None else self.place[sources]
        return replace(self, kind_of=self.kind_of[sources], place=place)


def reach(
    chip: Chip,
    connection: Connection,
    targets: FanOut,
    seats: np.ndarray,
    cores: np.ndarray,
    multiply: bool,
    window: Window | None = None,
) -> Reach:
    """Return the cost of the events of a projection on the slices of its target; seats: the neuron
    on each seat of its source; window: each stands for the spikes of one.
    """
    count, kind = targets.count, MULTIPLY_ACCUMULATE if multiply else ACCUMULATE
    bits = stages.row_bits(chip, connection, count) if targets.bits is None else targets.bits
    sums = targets.words
    if sums is None:
        sums = stages.accumulator_words(chip, connection, count)
    cycles = stages.row_cycles(chip, bits, count, multiply)
    spikes = window is not None and not multiply
    reuses = spikes and chip.core.synapse.reuse == "window"
    if reuses:
        assert window is not None
        cycles = stages.window_cycles(chip, bits, count, window.timesteps)
        kind = COUNT if chip.core.synapse.counts == "multiply" else ACCUMULATE
    is_alike = connection.kind == DENSE and targets.bits is None  # rows of the same targets
    is_grouped = chip.core.synapse.group > 1 and is_alike and not spikes
    return Reach(
        endpoint=cores.astype(np.int32),
        kind_of=targets.kind[seats],
        targets=targets.count,
        words=stages.row_words(chip, bits),
        accumulator_words=sums,
        cycles=cycles,
        kind=kind,
        adds_each=spikes and kind == ACCUMULATE,
        reads_each=spikes and not reuses,
        together=banks.Together.of(chip, multiply) if is_grouped else None,
        place=seats if is_grouped else None,
    )


def to_port(n_sources: int, port: int) -> Reach:
    """Return the reach of an output: every event goes to one port to the outside and costs nothing
    there.
    """
    nothing, one_kind = np.zeros((1, 1), np.int64), np.zeros(n_sources, np.int64)
    return Reach(
        np.array([port], np.int32), one_kind, nothing + 1, nothing, nothing, nothing + 1, OUTPUT
    )


@dataclass(frozen=True)
class Rows:
    """Rows of packets: CSR `start` over rows into entries, as in Activity."""

    start: np.ndarray
    endpoint: np.ndarray
    flits: np.ndarray
    traffic_class: np.ndarray
    cycles: np.ndarray
    operations: np.ndarray
    kind: np.ndarray
    words: np.ndarray
    accumulator_words: np.ndarray
    events: np.ndarray
    # of fields in the packet, before padding to flits; a stream's payload counts apart
    payload_bits: np.ndarray
    header_bits: np.ndarray
    stream_bits: np.ndarray
    operands: np.ndarray  # the row of Activity.operand_bits
    path: np.ndarray  # the projection, or -1 to the outside
    is_grouped: np.ndarray  # whether it may join others of its path at its core [W24]
    lookup_cycles: np.ndarray  # of `cycles`, those that reading and adding rows do not take
    conflict_cycles: np.ndarray  # more, in which its own events wait for banks
    first_event: np.ndarray  # where those of its events begin in `address`, if it may join others
    address: np.ndarray  # (n,) of no length of the others: the first word of each event's row


@dataclass(frozen=True)
class Grouping:
    """Which events share packets: groups of consecutive members, each sent after one neuron of its
    slice was visited.
    """

    members: np.ndarray  # (n_members,) seat of a source neuron, groups in order
    start: np.ndarray  # (n_groups + 1,)
    always: bool  # sent to every destination even when it holds no event for it
    size: np.ndarray  # (n_groups,) neurons covered, for bitmaps and streams
    spikes: np.ndarray | None = None  # (n_members,) each event stands for; None: one


def rows(chip: Chip, reach: Reach, groups: Grouping, encoding: str, payload: int) -> Rows:
    """Return one row per group: a packet to every destination that gets at least one of its events.

    encoding 'events', 'counts' and 'train': destination + (axon + payload) per event; 'bitmap':
    destination + axon + a bit per neuron + payload per event; 'dense': destination + axon + payload
    per neuron.  Streams go to all destinations of the projection.  Raises MappingError for a packet
    longer than a core's input queue.
    """
    n_groups, n_destinations = len(groups.start) - 1, len(reach.endpoint)
    members = reach.kind_of[groups.members]
    paid_each = (reach.adds_each, *[reach.reads_each] * 3)
    costs = (reach.targets, reach.words, reach.accumulator_words, reach.cycles)
    spikes = 1 if groups.spikes is None else groups.spikes[:, None]
    sums = [
        _sums(matrix[members] * (spikes if each else 1), groups.start)
        for matrix, each in zip(costs, paid_each)
    ]
    has = (reach.targets[members] > 0).astype(np.int64)
    events = _sums(has, groups.start)
    sent = events > 0 if not groups.always else np.ones((n_groups, n_destinations), bool)
    group, destination = np.nonzero(sent)
    targets, words, accumulator_words, cycles = (total[group, destination] for total in sums)
    count = events[group, destination]
    waits = np.zeros_like(count)
    if reach.together is not None:
        # [W24]: of the events of one packet, all to the same targets, each group opens the
        # accumulators once
        opened = -(-count // chip.core.synapse.group)
        accumulator_words = accumulator_words // np.maximum(count, 1) * opened
        cycles, waits = _served(reach, groups, group, destination, count)
    served, size = cycles, groups.size[group]
    synapse, packet = chip.core.synapse, chip.packet
    if encoding in ONE_BY_ONE:
        payload_bits = count * payload
        bits = packet.destination + count * packet.axon + payload_bits
        cycles = cycles + count * synapse.lookup
        traffic_class = SPIKES
    elif encoding == BITMAP:
        payload_bits = size + count * payload
        bits = packet.destination + packet.axon + payload_bits
        cycles = cycles + synapse.lookup
        traffic_class = SPIKES
    else:
        payload_bits = size * payload
        bits = packet.destination + packet.axon + payload_bits
        cycles = cycles + synapse.lookup + (size - count) * synapse.zero * synapse.zero_skip
        traffic_class = STREAMS
    streams = int(encoding not in ONE_BY_ONE)
    if reach.kind == OUTPUT:
        targets = np.zeros_like(targets)
    elif len(bits) and (longest := int(stages.flits(chip, bits).max())) > chip.core.input_queue:
        raise MappingError(
            f"chip {chip.name}: core.input_queue must hold the longest packet, {longest} flits for "
            f"{bits.max()} bits, not only "
            f"{chip.core.input_queue} flits: a core takes whole packets"
        )
    return Rows(
        start=np.concatenate([[0], np.cumsum(sent.sum(axis=1))]).astype(np.int64),
        endpoint=reach.endpoint[destination],
        flits=stages.flits(chip, bits),
        traffic_class=np.full(len(group), traffic_class, np.uint8),
        cycles=np.maximum(cycles, 1),
        operations=targets,
        kind=np.full(len(group), reach.kind, np.uint8),
        words=words,
        accumulator_words=accumulator_words,
        events=count,
        payload_bits=payload_bits * (not streams),
        header_bits=bits - payload_bits,
        stream_bits=payload_bits * streams,
        operands=np.zeros(len(group), np.int32),
        path=np.zeros(len(group), np.int32),
        is_grouped=(count > 0) & (reach.together is not None),
        lookup_cycles=cycles - served,
        conflict_cycles=waits,
        **_addresses(reach, groups, group, destination, count),
    )


def _served(
    reach: Reach, groups: Grouping, group: np.ndarray, destination: np.ndarray, count: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the cycles in which the events of each packet are read and added, at most so many of
    them together, and those in which they wait for banks besides [W24].
    """
    assert reach.together is not None and reach.place is not None
    do, place = reach.together, reach.place[groups.members]
    start, packet = banks.parts(groups.start, do.group)
    n_packets, n_destinations = len(groups.start) - 1, len(reach.endpoint)
    busy, waits = (np.zeros((n_packets, n_destinations), np.int64) for _ in range(2))
    words, targets = reach.words[0], reach.targets[0]  # of a dense row: one kind
    for each in np.unique(words):
        reading = banks.busiest(place * each, int(each), start, do.banks)
        for to in np.flatnonzero((words == each) & (targets > 0)):
            spent = do.cycles(np.diff(start), each, targets[to], reading)
            for total, cycles in zip((busy, waits), spent):
                np.add.at(total[:, to], packet, cycles)
    is_served = count > 0
    return busy[group, destination] * is_served, waits[group, destination] * is_served


def _addresses(
    reach: Reach, groups: Grouping, group: np.ndarray, destination: np.ndarray, count: np.ndarray
) -> dict[str, np.ndarray]:
    """Return where the rows of the events lie that may join those of other packets [C20]."""
    listed = np.zeros_like(count)
    if reach.together is not None:
        listed = np.where(count < reach.together.group, count, 0)
    first = np.cumsum(listed) - listed
    address = np.zeros(0, np.int64)
    if listed.any():
        assert reach.place is not None
        member = np.arange(int(listed.sum())) + np.repeat(groups.start[group] - first, listed)
        words = np.repeat(reach.words[0][destination], listed)
        address = reach.place[groups.members[member]] * words
    return {"first_event": first, "address": address}


def _sums(values: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return the sums of rows start[g] .. start[g + 1] - 1 for each group; empty groups sum to
    0.
    """
    total = np.zeros((len(values) + 1, values.shape[1]), np.int64)
    np.cumsum(values, axis=0, out=total[1:])
    return total[start[1:]] - total[start[:-1]]


def table(chip: Chip, reach: Reach, payload: int, spikes: np.ndarray | None = None) -> Rows:
    """Return the static rows of single events: row r is what source r sends when it fires, or what
    stands for so many spikes of it.
    """
    n = len(reach.kind_of)
    single = Grouping(np.arange(n), np.arange(n + 1), False, np.ones(n, np.int64), spikes)
    return rows(chip, reach, single, "events", payload)


def events_by_packet(chip: Chip, payload: int) -> int:
    """Return how many events fit in one packet, at most packet.events_per_packet."""
    room = chip.packet.maximum * chip.link.flit - chip.packet.destination
    return max(1, min(chip.packet.events_per_packet, room // max(chip.packet.axon + payload, 1)))


def neurons_by_packet(chip: Chip, encoding: str, payload: int) -> int:
    """Return how many neurons one packet of a bitmap or a dense stream covers."""
    room = chip.packet.maximum * chip.link.flit - chip.packet.destination - chip.packet.axon
    each = payload if encoding == STREAM else 1 + payload
    return max(1, room // max(each, 1))


def joined(parts: list[Rows]) -> Rows:
    """Return all rows of `parts`, in order."""
    names = [name for name in Rows.__dataclass_fields__ if name not in ("start", "first_event")]
    fields = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    offsets = np.cumsum([0] + [len(part.endpoint) for part in parts])
    starts = [part.start[:-1] + offset for part, offset in zip(parts, offsets)]
    before = np.cumsum([0] + [len(part.address) for part in parts])
    first = [part.first_event + offset for part, offset in zip(parts, before)]
    return Rows(
        start=np.concatenate([*starts, offsets[-1:]]).astype(np.int64),
        first_event=np.concatenate(first).astype(np.int64),
        **fields,
    )


def combined(parts: list[Rows], choice: np.ndarray) -> Rows:
    """Return rows put together from rows of several tables, in their order.

    choice: (n_rows, n_tables) the row of each table; -1: none of it.
    """
    whole = joined(parts)
    first_row = np.cumsum([0] + [len(part.start) - 1 for part in parts])
    row = np.where(choice >= 0, choice + first_row[:-1], -1).reshape(-1)
    size = np.append(np.diff(whole.start), 0)[row]
    ends = np.cumsum(size)
    entry = np.arange(int(size.sum())) - np.repeat(ends - size, size)
    entry += np.repeat(whole.start[row], size)
    names = [name for name in Rows.__dataclass_fields__ if name not in ("start", "address")]
    fields = {name: getattr(whole, name)[entry] for name in names}
    edges = np.concatenate([[0], ends])[:: len(parts)]
    return Rows(start=edges.astype(np.int64), address=whole.address, **fields)
