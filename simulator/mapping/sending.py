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
from simulator.describe.encoding import encoding_of
from simulator.describe.network import Feed, Network
from simulator.describe.words import BITMAP, CURRENT, EVENTS, GRADED, QNN, RASTER, SNN, STREAM
from simulator.describe.workload import Workload
from simulator.errors import MappingError
from simulator.mapping import encodings
from simulator.mapping.encodings import ONE_BY_ONE, Grouping, Reach, Rows
from simulator.mapping.partition import CoreMapping
from simulator.mapping.plan import Plan
from simulator.mapping.windows import Window


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
    by_projection: tuple[str, ...]  # the encoding of each
    window: Window | None = None  # each event stands for the spikes of a window [W20]

    def encoding(self, network: Network) -> tuple[str, ...]:
        """Return the encodings towards cores that each population's projections take, in words;
        what goes to a port alone goes as events.
        """
        found = [[self.by_projection[k] for k in out] or [EVENTS] for out in network.outgoing]
        return tuple("/".join(dict.fromkeys(one)) for one in found)

    def timesteps(self, raster: Raster) -> int:
        """Return T of the spiking twin, 1 of the quantised one."""
        return raster.timesteps if self.window is None else self.window.timesteps


def formats(
    workload: Workload, chip: Chip, raster: Raster, window: Window | None = None
) -> Formats:
    """Return how the events of each population travel."""
    network, quantised = workload.network, raster.mode == QNN
    found = []
    feeds = dict(zip(network.inputs, workload.stimulus.feeds))
    for number, population in enumerate(network.populations):
        if population.neuron is None:
            feed = feeds[number]
            bits = _input_bits(feed, raster, chip.packet.spike_payload, window)
            is_value = quantised or feed.kind != RASTER
            encoding = EVENTS if is_value or window is None else window.encoding
            found.append((bits, is_value, encoding))
        elif quantised:
            found.append((raster.bits, True, chip.packet.activations))
        elif population.neuron.graded_bits:
            found.append((population.neuron.graded_bits, True, chip.packet.spikes))
        elif window is not None:
            found.append((window.bits, False, window.encoding))
        else:
            bits = chip.packet.spike_payload * (chip.packet.spikes == EVENTS)
            found.append((bits, False, chip.packet.spikes))
    return Formats(
        tuple(bits for bits, _, _ in found),
        tuple(multiplies for _, multiplies, _ in found),
        tuple(
            _encoding(workload, window, k, found[projection.source][2])
            for k, projection in enumerate(network.projections)
        ),
        window,
    )


def _encoding(workload: Workload, window: Window | None, number: int, usual: str) -> str:
    """Return the encoding of a projection: what the workload asks for, else the `usual` one [W25].

    Raises MappingError where windows travel whole, whose encoding is the chip's.
    """
    network = workload.network
    asked = encoding_of(network, workload.encoding, number)
    if asked is None:
        return usual
    if window is not None:
        raise MappingError(
            f"workload {workload.name}: mapping.encoding: must be left out where packet.spikes is "
            f"{window.encoding}, not {asked} for {network.ends(network.projections[number])}"
        )
    return asked


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
    paths = _paths(workload, chip, mapping, plan, raster, formats, number)
    found = _each_path(workload, chip, mapping, raster, formats, number, paths)
    return found[0] if len(found) == 1 else _together(found, mapping.populations[number].bounds)


def over_projection(
    workload: Workload,
    chip: Chip,
    mapping: CoreMapping,
    plan: Plan,
    raster: Raster,
    formats: Formats,
    k: int,
) -> Sent:
    """Return what goes out over one projection alone."""
    number = workload.network.projections[k].source
    paths = _paths(workload, chip, mapping, plan, raster, formats, number)
    chosen = [path for path in paths if path.number == k]
    return _each_path(workload, chip, mapping, raster, formats, number, chosen)[0]


def _each_path(
    workload: Workload,
    chip: Chip,
    mapping: CoreMapping,
    raster: Raster,
    formats: Formats,
    number: int,
    paths: list[_Path],
) -> list[Sent]:
    """Return what goes out over some paths of a population."""
    moment, neuron = events(workload.network, raster, number)
    trace = raster.traces[number]
    beside: tuple[np.ndarray, ...] = ()
    if formats.window is not None and not formats.multiplies[number] and trace.fires:
        beside = (trace.value.astype(np.int64),)  # the spikes each event stands for
    moment, seat, *spikes = mapping.populations[number].seated(moment, neuron, *beside)
    each = spikes[0] if spikes else None
    moments = raster.timesteps * len(raster.outputs)
    return [_over(chip, path, moment, seat, each, moments) for path in paths]


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
            formats.window,
        )
        encoding, payload = formats.by_projection[k], formats.payload[number]
        if raster.mode == SNN and not formats.multiplies[number]:
            if encoding == STREAM:  # of one bit each
                encoding = BITMAP
            if formats.window is None and not population.is_input:
                payload = chip.packet.spike_payload * (encoding == EVENTS)
        paths.append(_Path(bounds, reach, encoding, payload, int(operand.reshape(-1)[k]), k))
    if number in network.outputs or not paths:
        reach = encodings.to_port(population.n_neurons, plan.n_cores + chip.output_port)
        if number not in network.outputs:  # its spikes go nowhere
            reach = replace(reach, **{name: getattr(reach, name)[..., :0] for name in _MATRICES})
        payload = formats.payload[number]
        if not population.fires:
            assert population.neuron is not None
            payload = population.neuron.output_bits(formats.timesteps(raster))
        elif raster.mode == SNN and not formats.multiplies[number] and formats.window is None:
            payload = chip.packet.spike_payload
        paths.append(_Path(bounds, reach, "events", payload, 0, OUTSIDE))
    return paths


_MATRICES = ("endpoint", "targets", "words", "accumulator_words", "cycles")


def _over(
    chip: Chip,
    path: _Path,
    moment: np.ndarray,
    seat: np.ndarray,
    spikes: np.ndarray | None,
    moments: int,
) -> Sent:
    """Return what goes out over one path."""
    slice_ = np.searchsorted(path.bounds, seat, side="right") - 1
    if path.encoding in ONE_BY_ONE and encodings.events_by_packet(chip, path.payload) == 1:
        first, row, each = _kinds(path, seat, spikes)
        rows = encodings.table(chip, path.reach.of(first), path.payload, each)
        row_slice = np.searchsorted(path.bounds, first, side="right") - 1
        sent = Sent(moment, slice_, seat, row, rows, row_slice)
    else:
        sent = _grouped(chip, path, moment, slice_, seat, spikes, moments)
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
    kinds, row = _distinct(choice)
    seat = keys % wide
    slice_ = np.searchsorted(bounds, seat, side="right") - 1
    row_slice = np.zeros(len(kinds), np.int64)
    row_slice[row] = slice_
    rows = encodings.combined([one.rows for one in found], kinds)
    return Sent(keys // wide, slice_, seat, row, rows, row_slice)


def _distinct(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct rows of integers of at least -1, in their order, and which of them each
    row is: as `np.unique` of rows, but by one number for each, which sorts several times as fast.
    """
    key = np.zeros(len(rows), np.int64)
    for column in rows.T:
        radix = int(column.max(initial=-1)) + 2
        if int(key.max(initial=0) + 1) * radix >= 1 << 62:
            key = np.unique(key, return_inverse=True)[1].reshape(-1)
        key = key * radix + column + 1
    _, first, which = np.unique(key, return_index=True, return_inverse=True)
    return rows[first], which.reshape(-1)


def _input_bits(feed: Feed, raster: Raster, spike_payload: int, window: Window | None) -> int:
    """Return the payload of one input event: that of a spike, its value, or its sum over T for the
    quantised twin and where windows travel whole.
    """
    if feed.kind == CURRENT:
        return feed.value_bits
    if window is not None:
        is_graded = feed.kind == GRADED
        return feed.value_bits + window.timesteps.bit_length() if is_graded else window.bits
    if raster.mode == QNN:
        return raster.bits + (feed.value_bits if feed.kind == GRADED else 0)
    return feed.value_bits if feed.kind == GRADED else spike_payload


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


def _kinds(
    path: _Path, seat: np.ndarray, spikes: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return a source of each kind of event, the kind of each event, and the spikes each kind
    stands for; one kind has one slice, the same targets and the same spikes.
    """
    kinds, kind_of = len(path.reach.targets), path.reach.kind_of
    home = np.repeat(np.arange(len(path.bounds) - 1), np.diff(path.bounds))
    each = np.zeros(1, np.int64) if spikes is None else spikes
    most = int(each.max(initial=0)) + 1
    _, first, kind = np.unique(
        (home[seat] * kinds + kind_of[seat]) * most + each, return_index=True, return_inverse=True
    )
    return seat[first], kind.reshape(-1), None if spikes is None else spikes[first]


def _grouped(
    chip: Chip,
    path: _Path,
    moment: np.ndarray,
    slice_: np.ndarray,
    seat: np.ndarray,
    spikes: np.ndarray | None,
    moments: int,
) -> Sent:
    """Return a path whose events share packets: k events, or the events of a stretch of neurons
    (bitmap, dense).
    """
    bounds, slices, wide = path.bounds, len(path.bounds) - 1, int(path.bounds[-1])
    local = seat - bounds[slice_]
    if path.encoding in ONE_BY_ONE:
        chunk = rank(moment * slices + slice_) // encodings.events_by_packet(chip, path.payload)
    else:
        stretch = encodings.neurons_by_packet(chip, path.encoding, path.payload)
        chunk = local // stretch
    members, key = seat, (moment * slices + slice_) * wide + chunk
    keys = np.unique(key)
    if path.encoding == STREAM:
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
    if path.encoding in ONE_BY_ONE:
        size, last = np.zeros(len(keys), np.int64), members[start[1:] - 1]
    else:
        first = bounds[group_slice] + keys % wide * stretch
        end = np.minimum(first + stretch, bounds[group_slice + 1])
        size, last = end - first, end - 1
    groups = Grouping(members, start, path.encoding == STREAM, size, spikes)
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
