"""What each population sends in a run: messages in time order, and the rows of packets they become.

A *moment* is one timestep of one inference: inference · window + timestep, where the window is T
for spikes and 1 for the quantised twin.  An input is sent by a port; its pseudo-slice is all of its
lines.  Neurons go by their seats (core_mapping.py).  A *path* is one way out of a population: a
projection, or the port to the outside where it is read.  Each path has packets of its own; what a
neuron sends over all of them is one message.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from simulator.behaviour.raster import Raster
from simulator.describe.chip import Chip
from simulator.describe.network import Feed, Network
from simulator.describe.workload import Workload
from simulator.mapping import encodings
from simulator.mapping.encodings import Grouping, Reach, Rows
from simulator.mapping.partition import CoreMapping
from simulator.mapping.plan import Plan


@dataclass(frozen=True)
class Sent:
    """The messages of one population, sorted by (moment, slice, position)."""

    moment: np.ndarray
    slice: np.ndarray  # within the population
    seat: np.ndarray  # of the last neuron the message waits for
    row: np.ndarray  # number within `rows`
    rows: Rows
    row_slice: np.ndarray  # (n_rows,) the slice that sends a row


#: the path to the port
OUTSIDE = -1


@dataclass(frozen=True)
class _Path:
    """One way out: slices, what an event costs where it goes, and how events become packets."""

    bounds: np.ndarray
    reach: Reach
    encoding: str
    payload: int
    operand: int  # the row of Activity.operand_bits
    number: int  # of the projection; OUTSIDE: to the port


@dataclass(frozen=True)
class Formats:
    """How the events of each population travel: bits of a value, whether it multiplies weights, and
    the encoding towards cores.
    """

    payload: tuple[int, ...]
    multiplies: tuple[bool, ...]
    encoding: tuple[str, ...]


def formats(workload: Workload, chip: Chip, raster: Raster) -> Formats:
    """Return how the events of each population travel."""
    network, quantised = workload.network, raster.mode == "qnn"
    found = []
    feeds = dict(zip(network.inputs, workload.stimulus.feeds))
    for number, population in enumerate(network.populations):
        if population.neuron is None:
            feed = feeds[number]
            bits = _input_bits(feed, raster, chip.packet.spike_payload)
            found.append((bits, quantised or feed.kind != "raster", "events"))
        elif quantised:
            found.append((raster.bits, True, chip.packet.activations))
        elif population.neuron.graded_bits:
            found.append((population.neuron.graded_bits, True, chip.packet.spikes))
        else:
            bits = chip.packet.spike_payload * (chip.packet.spikes == "events")
            found.append((bits, False, chip.packet.spikes))
    for number, (bits, multiplies, _) in enumerate(found):
        if not network.outgoing[number]:  # what goes to a port alone goes as events
            found[number] = (bits, multiplies, "events")
    return Formats(*(tuple(column) for column in zip(*found)))  # type: ignore[arg-type]


def operands(network: Network, formats: Formats) -> tuple[tuple[int, int], ...]:
    """Return for each projection the bits of its weights and of the values that reach them."""
    return tuple((p.connection.weight_bits, formats.payload[p.source]) for p in network.projections)


def send(
    workload: Workload,
    chip: Chip,
    mapping: CoreMapping,
    plan: Plan,
    raster: Raster,
    formats: Formats,
    number: int,
) -> Sent:
    """Return what population `number` sends: a packet for each path and destination [W10]."""
    slices = mapping.populations[number]
    moment, seat = slices.seated(*events(workload.network, raster, number))
    paths = _paths(workload, chip, mapping, plan, raster, formats, number)
    moments = raster.timesteps * len(raster.outputs)
    found = [_over(chip, path, moment, seat, moments) for path in paths]
    return found[0] if len(found) == 1 else _together(found, slices.bounds)


def _paths(
    workload: Workload,
    chip: Chip,
    mapping: CoreMapping,
    plan: Plan,
    raster: Raster,
    formats: Formats,
    number: int,
) -> list[_Path]:
    network, slices = workload.network, mapping.populations[number]
    bounds = slices.bounds
    population = network.populations[number]
    _, operand = np.unique(
        np.array(operands(network, formats), np.int64), axis=0, return_inverse=True
    )
    paths = []
    for k in network.outgoing[number]:
        projection = network.projections[k]
        reach = encodings.reach(
            chip,
            projection.connection,
            mapping.targets[k],
            slices.neuron_at,
            mapping.cores[projection.target],
            formats.multiplies[number],
        )
        encoding, payload = formats.encoding[number], formats.payload[number]
        paths.append(_Path(bounds, reach, encoding, payload, int(operand.reshape(-1)[k]), k))
    if number in network.outputs or not paths:
        reach = encodings.to_port(population.n_neurons, plan.n_cores + chip.output_port)
        if number not in network.outputs:  # its spikes go nowhere
            reach = replace(reach, **{name: getattr(reach, name)[..., :0] for name in _MATRICES})
        payload = formats.payload[number]
        if not population.fires:
            assert population.neuron is not None
            payload = population.neuron.output_bits(raster.timesteps)
        elif raster.mode == "snn" and not formats.multiplies[number]:
            payload = chip.packet.spike_payload
        paths.append(_Path(bounds, reach, "events", payload, 0, OUTSIDE))
    return paths


_MATRICES = ("endpoint", "targets", "words", "accumulator_words", "cycles")


def _over(chip: Chip, path: _Path, moment: np.ndarray, seat: np.ndarray, moments: int) -> Sent:
    """Return what goes out over one path."""
    slice_ = np.searchsorted(path.bounds, seat, side="right") - 1
    if path.encoding == "events" and encodings.events_by_packet(chip, path.payload) == 1:
        first, row = _kinds(path, seat)
        rows = encodings.table(chip, path.reach.of(first), path.payload)
        row_slice = np.searchsorted(path.bounds, first, side="right") - 1
        sent = Sent(moment, slice_, seat, row, rows, row_slice)
    else:
        sent = _grouped(chip, path, moment, slice_, seat, moments)
    n = len(sent.rows.endpoint)
    operands, number = np.full(n, path.operand, np.int32), np.full(n, path.number, np.int32)
    return replace(sent, rows=replace(sent.rows, operands=operands, path=number))


def _together(found: list[Sent], bounds: np.ndarray) -> Sent:
    """Return the messages of several paths as those of one: what waits for the same neuron in the
    same moment is one message, its packets path by path.
    """
    wide = int(bounds[-1])
    key = [one.moment * wide + one.seat for one in found]
    keys = np.unique(np.concatenate(key))
    choice = np.full((len(keys), len(found)), -1, np.int64)
    for place, one in enumerate(found):
        choice[np.searchsorted(keys, key[place]), place] = one.row
    kinds, row = np.unique(choice, axis=0, return_inverse=True)
    seat = keys % wide
    slice_ = np.searchsorted(bounds, seat, side="right") - 1
    row = row.reshape(-1)
    row_slice = np.zeros(len(kinds), np.int64)
    row_slice[row] = slice_
    rows = encodings.combined([one.rows for one in found], kinds)
    return Sent(keys // wide, slice_, seat, row, rows, row_slice)


def _input_bits(feed: Feed, raster: Raster, spike_payload: int) -> int:
    """Return the payload of one input event: that of a spike, its value, or its sum over T for the
    quantised twin.
    """
    if feed.kind == "current":
        return feed.value_bits
    if raster.mode == "qnn":
        return raster.bits + (feed.value_bits if feed.kind == "graded" else 0)
    return feed.value_bits if feed.kind == "graded" else spike_payload


def events(network: Network, raster: Raster, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (moment, neuron) of every event; a readout sends all that is read of it after the last
    timestep.
    """
    population = network.populations[number]
    if not population.fires:
        n, neurons = len(raster.outputs), population.n_neurons
        moment = np.repeat((np.arange(n) + 1) * raster.timesteps - 1, neurons)
        return moment, np.tile(np.arange(neurons), n)
    trace = raster.traces[number]
    counts = np.diff(trace.start)
    return np.repeat(np.arange(len(counts)), counts), trace.neuron.astype(np.int64)


def _kinds(path: _Path, seat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a source of each kind that fires, and the kind of each event; one kind has one slice
    and the same targets.
    """
    kinds, kind_of = len(path.reach.targets), path.reach.kind_of
    home = np.repeat(np.arange(len(path.bounds) - 1), np.diff(path.bounds))
    _, first, kind = np.unique(
        home[seat] * kinds + kind_of[seat], return_index=True, return_inverse=True
    )
    return seat[first], kind.reshape(-1)


def _grouped(
    chip: Chip,
    path: _Path,
    moment: np.ndarray,
    slice_: np.ndarray,
    seat: np.ndarray,
    moments: int,
) -> Sent:
    """Return a path whose events share packets: k events, or the events of a stretch of neurons
    (bitmap, dense).
    """
    bounds, slices, wide = path.bounds, len(path.bounds) - 1, int(path.bounds[-1])
    local = seat - bounds[slice_]
    if path.encoding == "events":
        chunk = rank(moment * slices + slice_) // encodings.events_by_packet(chip, path.payload)
    else:
        stretch = encodings.neurons_by_packet(chip, path.encoding, path.payload)
        chunk = local // stretch
    members, key = seat, (moment * slices + slice_) * wide + chunk
    keys = np.unique(key)
    if path.encoding == "dense":
        everyone = np.arange(wide)
        home = np.searchsorted(bounds, everyone, side="right") - 1
        place = home * wide + (everyone - bounds[home]) // stretch
        start_of_moment = np.arange(moments)[:, None] * slices * wide
        keys = (start_of_moment + np.unique(place)[None, :]).reshape(-1)
        if not chip.core.synapse.zero_skip:
            members = np.tile(everyone, moments)
            key = (start_of_moment + place[None, :]).reshape(-1)
    start = np.concatenate([np.searchsorted(key, keys), [len(key)]])
    group_slice = keys // wide % slices
    if path.encoding == "events":
        size, last = np.zeros(len(keys), np.int64), members[start[1:] - 1]
    else:
        first = bounds[group_slice] + keys % wide * stretch
        end = np.minimum(first + stretch, bounds[group_slice + 1])
        size, last = end - first, end - 1
    groups = Grouping(members, start, path.encoding == "dense", size)
    rows = encodings.rows(chip, path.reach, groups, path.encoding, path.payload)
    return Sent(
        keys // wide // slices,
        group_slice,
        last,
        np.arange(len(keys)),
        rows,
        group_slice,
    )


def rank(group: np.ndarray) -> np.ndarray:
    """Return each element's number within its run of equal values of a sorted array: 0, 1, 2,
    ...
    """
    if not len(group):
        return np.zeros(0, np.int64)
    starts = np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]]))
    return np.arange(len(group)) - np.repeat(
        starts, np.diff(np.concatenate([starts, [len(group)]]))
    )
