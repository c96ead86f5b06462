"""What each layer sends in a run: messages in time order, and the rows of packets they become.

A *moment* is one timestep of one inference: inference · window + timestep, where the window is T
for spikes and 1 for the quantised twin.  The input is layer 0 and is sent by a port; its
pseudo-slice is all input lines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.behaviour.raster import Raster
from simulator.describe.chip import Chip
from simulator.describe.workload import Workload
from simulator.mapping import encodings, fan_out
from simulator.mapping.encodings import Grouping, Reach, Rows
from simulator.mapping.partition import CoreMapping
from simulator.mapping.plan import Plan


@dataclass(frozen=True)
class Sent:
    """The messages of one layer, sorted by (moment, slice, position)."""

    moment: np.ndarray
    slice: np.ndarray  # within the layer
    neuron: np.ndarray  # the last neuron the message waits for
    row: np.ndarray  # number within `rows`
    rows: Rows
    row_slice: np.ndarray  # (n_rows,) the slice that sends a row
    encoding: str
    payload: int  # bits of one event's value


@dataclass(frozen=True)
class _Layer:
    """How one layer sends: its slices, what an event costs where it goes, and how events become
    packets.
    """

    bounds: np.ndarray
    reach: Reach
    encoding: str
    payload: int


def send(
    workload: Workload, chip: Chip, mapping: CoreMapping, plan: Plan, raster: Raster, number: int
) -> Sent:
    """Return what layer `number` of the raster (0: the input) sends."""
    layer = _how(workload, chip, mapping, plan, raster, number)
    moment, neuron = events(workload, raster, number)
    slice_ = np.searchsorted(layer.bounds, neuron, side="right") - 1
    if layer.encoding == "events" and encodings.events_by_packet(chip, layer.payload) == 1:
        first, row = _kinds(layer, neuron)
        rows = encodings.table(chip, layer.reach.of(first), layer.payload)
        row_slice = np.searchsorted(layer.bounds, first, side="right") - 1
        return Sent(moment, slice_, neuron, row, rows, row_slice, layer.encoding, layer.payload)
    moments = raster.timesteps * len(raster.outputs)
    return _grouped(chip, layer, moment, slice_, neuron, moments)


def _how(
    workload: Workload, chip: Chip, mapping: CoreMapping, plan: Plan, raster: Raster, number: int
) -> _Layer:
    layers, stimulus = workload.network.layers, workload.stimulus
    quantised = raster.mode == "qnn"
    bounds = mapping.bounds[number - 1] if number else np.array([0, workload.network.n_inputs])
    if number == len(layers):
        reach = encodings.to_port(layers[-1].n_neurons, plan.n_cores + chip.output_port)
        readout = not layers[-1].fires
        payload = (
            layers[-1].neuron.potential_bits
            if readout
            else raster.bits
            if quantised
            else chip.packet.spike_payload
        )
        return _Layer(bounds, reach, "events", payload)
    graded = quantised or (number == 0 and stimulus.kind != "raster")
    if number == 0:
        payload = _input_bits(stimulus.kind, stimulus.value_bits, raster, chip.packet.spike_payload)
        encoding = "events"
    else:
        encoding = chip.packet.activations if quantised else chip.packet.spikes
        payload = raster.bits if quantised else chip.packet.spike_payload * (encoding == "events")
    reach = encodings.reach(
        chip, layers[number].connection, mapping.targets[number], mapping.cores[number], graded
    )
    return _Layer(bounds, reach, encoding, payload)


def _input_bits(kind: str, value_bits: int, raster: Raster, spike_payload: int) -> int:
    """Return the payload of one input event: that of a spike, its value, or its sum over T for the
    quantised twin.
    """
    if kind == "current":
        return value_bits
    if raster.mode == "qnn":
        return raster.bits + (value_bits if kind == "graded" else 0)
    return value_bits if kind == "graded" else spike_payload


def events(workload: Workload, raster: Raster, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (moment, neuron) of every event; a readout sends all its potentials after the last
    timestep.
    """
    layers = workload.network.layers
    if number == len(layers) and not layers[-1].fires:
        n, neurons = len(raster.outputs), layers[-1].n_neurons
        moment = np.repeat((np.arange(n) + 1) * raster.timesteps - 1, neurons)
        return moment, np.tile(np.arange(neurons), n)
    trace = raster.layers[number]
    counts = np.diff(trace.start)
    return np.repeat(np.arange(len(counts)), counts), trace.neuron.astype(np.int64)


def _kinds(layer: _Layer, neuron: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a source neuron of each kind that fires, and the kind of each event; one kind has one
    slice and the same targets.

    A dense layer has one kind per slice, so its rows of packets take no memory that grows with its
    synapses.
    """
    fired, event = np.unique(neuron, return_inverse=True)
    targets = layer.reach.targets
    if targets.strides[0] == 0:  # every source has the same
        targets = targets[:, :0]
    home = np.searchsorted(layer.bounds, fired, side="right") - 1
    _, first, kind = np.unique(
        np.column_stack([home, targets[fired]]), axis=0, return_index=True, return_inverse=True
    )
    return fired[first], kind.reshape(-1)[event]


def _grouped(
    chip: Chip,
    layer: _Layer,
    moment: np.ndarray,
    slice_: np.ndarray,
    neuron: np.ndarray,
    moments: int,
) -> Sent:
    """Return a layer whose events share packets: k events, or the events of a stretch of neurons
    (bitmap, dense).
    """
    bounds, slices, wide = layer.bounds, len(layer.bounds) - 1, int(layer.bounds[-1])
    local = neuron - bounds[slice_]
    if layer.encoding == "events":
        chunk = rank(moment * slices + slice_) // encodings.events_by_packet(chip, layer.payload)
    else:
        stretch = encodings.neurons_by_packet(chip, layer.encoding, layer.payload)
        chunk = local // stretch
    members, key = neuron, (moment * slices + slice_) * wide + chunk
    keys = np.unique(key)
    if layer.encoding == "dense":
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
    if layer.encoding == "events":
        size, last = np.zeros(len(keys), np.int64), members[start[1:] - 1]
    else:
        first = bounds[group_slice] + keys % wide * stretch
        end = np.minimum(first + stretch, bounds[group_slice + 1])
        size, last = end - first, end - 1
    groups = Grouping(members, start, layer.encoding == "dense", size)
    rows = encodings.rows(chip, layer.reach, groups, layer.encoding, layer.payload)
    return Sent(
        keys // wide // slices,
        group_slice,
        last,
        np.arange(len(keys)),
        rows,
        group_slice,
        layer.encoding,
        layer.payload,
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


def visited(workload: Workload, chip: Chip, raster: Raster, number: int) -> np.ndarray | None:
    """Return which neurons of layer `number` (1 ..) the soma visits at each moment, (n_moments,
    n_neurons) bool.

    None: all of them (`core.soma.update: all`, or a layer that sends a dense stream).  `touched`:
    those that got input, fire, or must be visited anyway because they have a bias, a leak or a
    constant current.
    """
    streams = (
        raster.mode == "qnn"
        and chip.packet.activations == "dense"
        and number < len(workload.network.layers)
    )
    if chip.core.soma.update == "all" or streams:
        return None
    layer = workload.network.layers[number - 1]
    always = layer.neuron.bias != 0
    if layer.neuron.decay or (number == 1 and workload.stimulus.kind == "current"):
        always = np.ones(layer.n_neurons, bool)
    before = raster.layers[number - 1]
    moments, window = len(before.start) - 1, raster.timesteps
    seen = np.empty((moments, layer.n_neurons), bool)
    for moment in range(moments):
        if raster.firing == "accumulate":
            first = moment // window * window
            gathered = slice(
                before.start[first],
                before.start[first + window] if moment == first else before.start[first],
            )
        else:
            gathered = slice(before.start[moment], before.start[moment + 1])
        seen[moment] = always | fan_out.touched(layer, np.unique(before.neuron[gathered]))
    if number < len(raster.layers):
        when, neuron = events(workload, raster, number)
        seen[when, neuron] = True
    if not layer.fires:
        seen[window - 1 :: window] = True
    return seen
