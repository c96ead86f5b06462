"""A raster on a mapping, as the Activity an engine replays: who visits what in which step, and
every packet it becomes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from simulator.behaviour.raster import Raster
from simulator.describe.chip import Chip
from simulator.describe.words import Mode
from simulator.describe.workload import Workload
from simulator.errors import MappingError
from simulator.mapping import encodings, fan_out, sending, stages, work_size
from simulator.mapping.multicast import trees
from simulator.mapping.partition import CoreMapping
from simulator.mapping.plan import WORK_COUNTERS, Activity, Plan
from simulator.mapping.sending import Sent


@dataclass(frozen=True)
class Schedule:
    """The Activity of a run, and what it takes to read its Record by layer and inference.  Layer 0
    is the input.
    """

    activity: Activity
    mode: Mode
    window: int  # timesteps a layer works on an inference: T, or 1 for the quantised twin
    offsets: tuple[int, ...]  # per layer, the step of its first timestep within an inference
    steps_per_inference: int
    n_inferences: int
    encoding: tuple[str, ...]  # per layer
    # per layer, the input left out: bits of its weights and of the values that reach it
    operand_bits: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class _Work:
    """Work items sorted by (step, slice), and for each layer where its neurons stand in a visit."""

    key: np.ndarray  # step · n_slices + slice over all layers
    core: np.ndarray
    visits: np.ndarray


def compile_activity(
    workload: Workload, chip: Chip, mapping: CoreMapping, plan: Plan, raster: Raster
) -> Schedule:
    """Return the whole run's work: layer l works on timestep t of an inference in the inference's
    step offset(l) + t [W1].

    A layer that gathers its window first begins a window later [W3], any other a step later [W2];
    the quantised twin's window is one step [W5].
    """
    _check_currents(workload, chip, raster)
    work_size.need(workload, chip, mapping, raster)
    layers = workload.network.layers
    stretch = raster.timesteps if raster.firing == "accumulate" else 1
    offsets = tuple(number * stretch for number in range(len(layers) + 1))
    steps = offsets[-1] + raster.timesteps
    n_steps = steps * len(raster.outputs)
    sent = [
        sending.send(workload, chip, mapping, plan, raster, number)
        for number in range(len(layers) + 1)
    ]
    rows = encodings.joined([layer.rows for layer in sent])
    first_row = np.cumsum([0] + [len(layer.rows.start) - 1 for layer in sent])

    def step(number: int, moment: np.ndarray) -> np.ndarray:
        return moment // raster.timesteps * steps + offsets[number] + moment % raster.timesteps

    visited = [None] + [
        sending.visited(workload, chip, raster, number) for number in range(1, len(layers) + 1)
    ]
    work = _work(workload, mapping, raster, step, visited)
    key, position, row = _messages(workload, mapping, sent, first_row, step, visited)
    operands, entry_operands = _operands(workload, sent)
    row_endpoint = [np.full(first_row[1], plan.n_cores)]
    row_endpoint += [
        mapping.cores[number - 1][sent[number].row_slice] for number in range(1, len(layers) + 1)
    ]
    sends = np.diff(rows.start) > 0
    kept = np.where(sends, np.cumsum(sends) - 1, -1)  # a row without a packet is none
    rows = replace(rows, start=np.concatenate([rows.start[:-1][sends], rows.start[-1:]]))
    # a current is one event of its inference's first moment [W4]
    row, inject_step, inject_row = kept[row], step(0, sent[0].moment), kept[sent[0].row]
    inject_step, inject_row = inject_step[inject_row >= 0], inject_row[inject_row >= 0]
    n_slices = len(mapping.slices)
    tree = trees(plan, rows, np.concatenate(row_endpoint)[sends], chip.router.multicast)
    activity = Activity(
        work_start=np.searchsorted(work.key, np.arange(n_steps + 1) * n_slices).astype(np.int64),
        work_core=work.core.astype(np.int32),
        work_visits=work.visits.astype(np.int64),
        work_message=np.concatenate([np.searchsorted(key, work.key), [len(key)]]).astype(np.int64),
        message_position=position.astype(np.int32),
        message_row=row.astype(np.int32),
        inject_start=np.searchsorted(inject_step, np.arange(n_steps + 1)).astype(np.int64),
        inject_port=np.full(len(inject_step), plan.n_cores + chip.input_port, np.int32),
        inject_offset=(sending.rank(inject_step) * chip.ports[chip.input_port].interval).astype(
            np.int64
        ),
        inject_row=inject_row.astype(np.int32),
        row_start=rows.start,
        entry_endpoint=rows.endpoint.astype(np.int32),
        entry_flits=rows.flits.astype(np.int32),
        entry_class=rows.traffic_class,
        entry_cycles=rows.cycles.astype(np.int64),
        entry_operations=rows.operations.astype(np.int64),
        entry_kind=rows.kind,
        entry_words=rows.words.astype(np.int64),
        entry_accumulator_words=rows.accumulator_words.astype(np.int64),
        entry_events=rows.events.astype(np.int64),
        entry_payload_bits=rows.payload_bits.astype(np.int32),
        entry_header_bits=rows.header_bits.astype(np.int32),
        entry_stream_bits=rows.stream_bits.astype(np.int32),
        entry_operands=entry_operands,
        step_begins=(np.arange(n_steps) % steps == 0).astype(np.uint8),
        work_counts=_work_counts(workload, chip, mapping, raster, step, work),
        operand_bits=np.unique(np.array(operands, np.int64), axis=0),
        **tree,
    )
    return Schedule(
        activity,
        raster.mode,
        raster.timesteps,
        offsets,
        steps,
        len(raster.outputs),
        tuple(layer.encoding for layer in sent),
        operands,
    )


def _check_currents(workload: Workload, chip: Chip, raster: Raster) -> None:
    """Raise MappingError where the run's currents do not fit the accumulators."""
    width = chip.core.synapse.accumulator
    for layer, (low, high) in zip(workload.network.layers, raster.currents):
        needed = 1 + max((-low - 1).bit_length() if low < 0 else 0, high.bit_length())
        if needed > width:
            largest = low if -low > high else high
            raise MappingError(
                f"layer {layer.name!r} does not fit: its largest current in this run, {largest}, "
                f"needs accumulators of {needed} bits, core.synapse.accumulator of {chip.name} is "
                f"{width} bits"
            )


def _operands(
    workload: Workload, sent: list[Sent]
) -> tuple[tuple[tuple[int, int], ...], np.ndarray]:
    """Return the bits of each layer's weights and of the values that reach it, and for each entry
    its row among the pairs that differ, sorted; (n_entries,) int32.
    """
    layers = workload.network.layers
    pairs = tuple(
        (layer.connection.weight_bits, before.payload) for layer, before in zip(layers, sent)
    )
    _, row = np.unique(np.array(pairs, np.int64), axis=0, return_inverse=True)
    # what the last layer sends reaches no synapse
    of_layer = [*row.reshape(-1).tolist(), 0]
    count = [len(layer.rows.endpoint) for layer in sent]
    return pairs, np.repeat(np.array(of_layer, np.int32), count)


def _work_counts(
    workload: Workload,
    chip: Chip,
    mapping: CoreMapping,
    raster: Raster,
    step: object,
    work: _Work,
) -> np.ndarray:
    """Return what every work item counts, (n_work, len(WORK_COUNTERS)) int64.

    Every neuron visited has its accumulators read and cleared, and in the spiking twin its state
    read and written.  Where the largest of several currents counts, each after the first is
    compared.  Then the spiking twin compares with the threshold, the quantised one scales the
    current to an activation and clips it at both ends; a readout does neither [W9].
    """
    spiking = raster.mode == "snn"
    layers = workload.network.layers
    layer = mapping.core_layer[work.core]
    area = np.array([fan_out.currents(each) for each in layers])[layer]
    words = np.array([stages.visit_words(chip, fan_out.currents(each), spiking) for each in layers])
    fires = np.array([each.neuron.model != "readout" for each in layers])[layer]
    neurons = work.visits // area
    pooled = work.visits - neurons
    spikes, events = _fired(workload, mapping, raster, step, work)
    count = {
        "membrane_reads": words[layer] * neurons,
        "membrane_writes": words[layer] * neurons,
        "threshold_tests": spiking * (pooled + fires * neurons),
        "clamps": (not spiking) * (pooled + 2 * fires * neurons),
        "requantisations": (not spiking) * fires * neurons,
        "resets": spiking * spikes,
        "events_generated": events,
    }
    return np.stack([count[name] for name in WORK_COUNTERS], axis=1).astype(np.int64)


def _fired(
    workload: Workload, mapping: CoreMapping, raster: Raster, step: object, work: _Work
) -> tuple[np.ndarray, np.ndarray]:
    """Return the spikes and the events of every work item, (n_work,) int64 each; what a readout
    sends are events, but no spikes.
    """
    n_slices, first = len(mapping.slices), 0
    spikes, events = np.zeros(len(work.key), np.int64), np.zeros(len(work.key), np.int64)
    for number, layer in enumerate(workload.network.layers, start=1):
        moment, neuron = sending.events(workload, raster, number)
        slice_ = first + np.searchsorted(mapping.bounds[number - 1], neuron, side="right") - 1
        item = np.searchsorted(work.key, step(number, moment) * n_slices + slice_)  # type: ignore[operator]
        count = np.bincount(item, minlength=len(work.key))
        events += count
        spikes += 0 if not layer.fires else count
        first += len(mapping.cores[number - 1])
    return spikes, events


def _work(
    workload: Workload,
    mapping: CoreMapping,
    raster: Raster,
    step: object,
    visited: list[np.ndarray | None],
) -> _Work:
    """Return one item per slice and moment in which the slice visits at least one neuron."""
    moments = np.arange(raster.timesteps * len(raster.outputs))
    n_slices, first = len(mapping.slices), 0
    keys, cores, visits = [], [], []
    for number, layer in enumerate(workload.network.layers, start=1):
        bounds, where = mapping.bounds[number - 1], mapping.cores[number - 1]
        area = fan_out.currents(layer)
        seen = visited[number]
        if seen is None:
            count = np.broadcast_to(np.diff(bounds), (len(moments), len(where)))
        else:
            count = np.add.reduceat(seen.astype(np.int64), bounds[:-1], axis=1)
        slices = np.arange(first, first + len(where))
        keys.append((step(number, moments)[:, None] * n_slices + slices[None, :]).reshape(-1))  # type: ignore[operator]
        cores.append(np.tile(where, len(moments)))
        visits.append(count.reshape(-1) * area)
        first += len(where)
    key, core, visit = np.concatenate(keys), np.concatenate(cores), np.concatenate(visits)
    busy = np.flatnonzero(visit > 0)
    order = busy[np.argsort(key[busy], kind="stable")]
    return _Work(key[order], core[order], visit[order])


def _messages(
    workload: Workload,
    mapping: CoreMapping,
    sent: list[Sent],
    first_row: np.ndarray,
    step: object,
    visited: list[np.ndarray | None],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return every message's key (step · n_slices + slice), position in its visit and row, sorted
    by key.
    """
    n_slices, first = len(mapping.slices), 0
    keys, positions, rows = [], [], []
    for number, layer in enumerate(workload.network.layers, start=1):
        out, bounds = sent[number], mapping.bounds[number - 1]
        seen = visited[number]
        if seen is None:
            place = out.neuron - bounds[out.slice]
        else:
            before = np.concatenate(
                [np.zeros((len(seen), 1), np.int64), np.cumsum(seen, axis=1)], axis=1
            )
            place = before[out.moment, out.neuron + 1] - before[out.moment, bounds[out.slice]] - 1
            place = np.maximum(place, 0)
        keys.append(step(number, out.moment) * n_slices + first + out.slice)  # type: ignore[operator]
        positions.append((place + 1) * fan_out.currents(layer) - 1)
        rows.append(out.row + first_row[number])
        first += len(mapping.cores[number - 1])
    key, position = np.concatenate(keys), np.concatenate(positions)
    order = np.argsort(key, kind="stable")
    return key[order], position[order], np.concatenate(rows)[order]
