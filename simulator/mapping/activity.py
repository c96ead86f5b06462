"""A raster on a mapping, as the Activity an engine replays: who visits what in which step, and
every packet it becomes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from simulator.behaviour.raster import Raster
from simulator.describe.chip import Chip
from simulator.describe.network import Network
from simulator.describe.offsets import Offsets, offsets, window_offsets
from simulator.describe.words import ACCUMULATING, QNN, SNN
from simulator.describe.workload import Workload
from simulator.errors import MappingError
from simulator.mapping import (
    choices,
    encodings,
    fan_out,
    sending,
    stages,
    visiting,
    windows,
    work_size,
)
from simulator.mapping.core_mapping import CoreMapping
from simulator.mapping.entering import begins, entries
from simulator.mapping.multicast import trees
from simulator.mapping.plan import WORK_COUNTERS, Activity, Plan
from simulator.mapping.schedule import Schedule
from simulator.mapping.sending import Formats, Sent


@dataclass(frozen=True)
class _Work:
    """What slices do, sorted by (step, core, population): a core's slices of one step are one work
    item, visited one after the other [W40].
    """

    key: np.ndarray  # as _Run.key
    slice: np.ndarray  # among all slices
    visits: np.ndarray
    before: np.ndarray  # visits of the item's slices before this one
    start: np.ndarray  # (n_items,) the first slice of each item

    def items(self, values: np.ndarray) -> np.ndarray:
        """Return the sums of what slices do over the work items."""
        if len(self.start) == len(values):  # a slice each, or nothing
            return values
        return np.add.reduceat(values, self.start)


@dataclass(frozen=True)
class _Run:
    """What the parts of an Activity are made from."""

    workload: Workload
    mapping: CoreMapping
    raster: Raster
    when: Offsets
    first_step: np.ndarray  # of each inference
    first_slice: dict[int, int]  # of each computed population, among all slices
    core: np.ndarray  # (n_slices,)
    population: np.ndarray  # (n_slices,)
    turn: np.ndarray  # (n_slices,) of its core, among the cores in the order of their first slice
    passes: int  # of the soma over a neuron that fires: T where its window goes out at once

    def visits(self, number: int) -> int:
        """Return the visits one neuron of a population takes: one per current, the last of which
        compares with the threshold, and more where it answers for a whole window [W21].
        """
        network = self.workload.network
        more = (self.passes - 1) * network.populations[number].fires
        return fan_out.currents(network, number) + more

    @property
    def n_slices(self) -> int:
        """Slices of all populations."""
        return len(self.core)

    def step(self, number: int, moment: np.ndarray) -> np.ndarray:
        """Return the chip step in which a population works on a moment."""
        window = self.raster.timesteps
        first = self.first_step[moment // window] + self.when.offset[number]
        return first + self.when.interval * (moment % window)

    def key(self, number: int, moment: np.ndarray, slice_: np.ndarray) -> np.ndarray:
        """Return what orders the work of all slices: step, then turn of the core, then slice."""
        own = self.first_slice[number] + slice_
        return (self.step(number, moment) * self.n_slices + self.turn[own]) * self.n_slices + own


def _run(
    workload: Workload,
    mapping: CoreMapping,
    raster: Raster,
    passes: int,
    gaps: np.ndarray | None,
) -> _Run:
    computed = workload.network.computed
    count = [len(mapping.cores[number]) for number in computed]
    core = np.concatenate([mapping.cores[number] for number in computed])
    _, first, place = np.unique(core, return_index=True, return_inverse=True)
    when = worked(workload.network, raster)
    return _Run(
        workload,
        mapping,
        raster,
        when,
        entries(when, raster, gaps),
        dict(zip(computed, np.cumsum([0, *count]).tolist())),
        core,
        np.repeat(np.array(computed), count),
        np.argsort(np.argsort(first))[place.reshape(-1)],
        passes,
    )


def worked(network: Network, raster: Raster) -> Offsets:
    """Return when the populations of a run work: as soon as their sources' spikes are there [W2],
    or window by window [W3][W5].
    """
    if raster.mode == QNN or raster.firing == ACCUMULATING:
        return window_offsets(network, raster.timesteps)
    return offsets(network)


def compile_activity(
    workload: Workload,
    chip: Chip,
    mapping: CoreMapping,
    plan: Plan,
    raster: Raster,
    gaps: np.ndarray | None = None,
) -> Schedule:
    """Return the whole run's work: population p works on timestep t of an inference in the
    inference's step interval · t + offset(p) [W1].

    gaps: (n_inferences - 1,) steps after which the next inference may enter; it enters no sooner
    than every population has done the window before it, and no later than the inference before it
    is done.  None: one after another.
    """
    _check_currents(workload, chip, raster)
    window = windows.window(chip, raster)
    if window is not None:
        raster = windows.gathered(raster)
    formats = sending.formats(workload, chip, raster, window)
    work_size.need(workload, chip, mapping, raster, formats)
    formats = choices.chosen(workload, chip, mapping, plan, raster, formats)
    passes = 1 if window is None else window.timesteps
    network, run = workload.network, _run(workload, mapping, raster, passes, gaps)
    steps = run.when.steps(raster.timesteps)
    n_steps = int(run.first_step[-1]) + steps if len(run.first_step) else 0
    sent = [
        sending.send(workload, chip, mapping, plan, raster, formats, number)
        for number in range(len(network.populations))
    ]
    rows = encodings.joined([one.rows for one in sent])
    first_row = np.cumsum([0] + [len(one.rows.start) - 1 for one in sent])
    visited = {number: _seen(run, chip, formats, number) for number in network.computed}
    work = _work(run, visited)
    cleared = _cleared(run, chip, work, visited)
    key, position, row = _messages(run, sent, first_row, visited, work)
    row_endpoint = [
        mapping.cores[number][one.row_slice]
        if number in run.first_slice
        else np.full(len(one.row_slice), plan.n_cores + chip.input_port)
        for number, one in enumerate(sent)
    ]
    sends = np.diff(rows.start) > 0
    kept = np.where(sends, np.cumsum(sends) - 1, -1)  # a row without a packet is none
    rows = replace(rows, start=np.concatenate([rows.start[:-1][sends], rows.start[-1:]]))
    row, (inject_step, inject_row) = kept[row], _injections(run, sent, first_row, kept)
    tree = trees(plan, rows, np.concatenate(row_endpoint)[sends], chip.router.multicast)
    operands = sending.operands(network, formats)
    activity = Activity(
        work_start=np.searchsorted(
            work.key[work.start], np.arange(n_steps + 1) * run.n_slices**2
        ).astype(np.int64),
        work_core=run.core[work.slice[work.start]].astype(np.int32),
        work_visits=work.items(work.visits).astype(np.int64),
        work_message=np.append(np.searchsorted(key, work.key[work.start]), len(key)).astype(
            np.int64
        ),
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
        entry_operands=rows.operands,
        entry_group=np.where(rows.is_grouped, rows.path, -1).astype(np.int32),
        entry_lookup_cycles=rows.lookup_cycles.astype(np.int64),
        entry_conflict_cycles=rows.conflict_cycles.astype(np.int64),
        entry_first_event=rows.first_event,
        event_address=rows.address,
        work_clear=work.items(cleared) * max(chip.core.soma.clear, 0),
        step_begins=begins(run.first_step, steps, raster.carries),
        work_counts=_work_counts(run, chip, work, cleared),
        operand_bits=np.unique(np.array(operands, np.int64), axis=0),
        **tree,
    )
    return Schedule(
        activity,
        raster.mode,
        raster.timesteps,
        run.when,
        steps,
        run.first_step,
        formats.encoding(network),
        operands,
    )


def _injections(
    run: _Run, sent: list[Sent], first_row: np.ndarray, kept: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the step and the row of everything that enters, in the order of steps and, within
    one, of the inputs; a current is one event of its inference's first moment [W4].
    """
    inputs = run.workload.network.inputs
    step = np.concatenate([run.step(number, sent[number].moment) for number in inputs])
    row = np.concatenate([kept[sent[number].row + first_row[number]] for number in inputs])
    step, row = step[row >= 0], row[row >= 0]
    order = np.argsort(step, kind="stable")
    return step[order], row[order]


def _check_currents(workload: Workload, chip: Chip, raster: Raster) -> None:
    """Raise MappingError where the run's currents do not fit the accumulators."""
    network, width = workload.network, chip.core.synapse.accumulator
    for number, (low, high) in zip(network.computed, raster.currents):
        needed = 1 + max((-low - 1).bit_length() if low < 0 else 0, high.bit_length())
        if needed > width:
            largest = low if -low > high else high
            raise MappingError(
                f"{network.populations[number].name!r} does not fit: its largest current in this "
                f"run, {largest}, needs accumulators of {needed} bits, core.synapse.accumulator of "
                f"{chip.name} is {width} bits"
            )


def _cleared(
    run: _Run, chip: Chip, work: _Work, visited: dict[int, np.ndarray | None]
) -> np.ndarray:
    """Return the neurons whose state every slice clears before its visits, as _Work has them: all,
    in the first visit on every inference but the run's first [W8]; none where it is carried [W30].
    """
    cleared, window = np.zeros(len(work.key), np.int64), run.raster.timesteps
    inferences = np.arange(1, len(run.first_step))
    if run.raster.mode != SNN or chip.core.soma.clear < 0 or not len(inferences):
        return cleared
    if run.raster.carries:
        return cleared
    for number, seen in visited.items():
        bounds = run.mapping.populations[number].bounds
        shape = len(inferences), len(bounds) - 1
        moment: np.ndarray = np.broadcast_to(inferences[:, None] * window, shape)
        visits: np.ndarray = np.ones(shape, bool)
        if seen is not None:
            any_of = np.add.reduceat(seen.astype(np.int64), bounds[:-1], axis=1) > 0
            by_moment = any_of.reshape(-1, window, len(bounds) - 1)[1:]
            moment = moment + by_moment.argmax(axis=1)
            visits = np.asarray(by_moment.any(axis=1))
        key = run.key(number, moment, np.arange(len(bounds) - 1))
        size = np.broadcast_to(np.diff(bounds), moment.shape)
        np.add.at(cleared, np.searchsorted(work.key, key[visits]), size[visits])
    return cleared


def _work_counts(run: _Run, chip: Chip, work: _Work, cleared: np.ndarray) -> np.ndarray:
    """Return what every work item counts, (n_work, len(WORK_COUNTERS)) int64: sums over its slices
    of what each neuron visited counts [W9], and what its spikes add.
    """
    spiking = run.raster.mode == SNN
    populations = run.workload.network.populations
    held = run.population[work.slice]
    neurons = work.visits // np.array([run.visits(n) for n in range(len(populations))])[held]
    of_neuron = np.zeros((len(populations), len(WORK_COUNTERS)), np.int64)
    for number, population in enumerate(populations):
        currents = fan_out.currents(run.workload.network, number)
        passes = run.passes if population.fires else 0
        for name, each in stages.neuron_counts(chip, currents, passes, spiking).items():
            of_neuron[number, WORK_COUNTERS.index(name)] = each
    spikes, events = _fired(run, work)
    found = np.take(of_neuron, held, axis=0)  # of_neuron[held] takes five times as long
    found *= neurons[:, None]
    more = {
        "resets": spiking * spikes,
        "events_generated": events,
        "state_clears": cleared * -(-chip.core.soma.state // chip.core.soma.word),
    }
    for name, count in more.items():
        found[:, WORK_COUNTERS.index(name)] = count
    return work.items(found)


def _fired(run: _Run, work: _Work) -> tuple[np.ndarray, np.ndarray]:
    """Return the spikes and the events of every slice that works, int64 each; what a readout sends
    are events, but no spikes.
    """
    network, n = run.workload.network, len(work.key)
    spikes, events = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for number in network.computed:
        moment, neuron = sending.events(network, run.raster, number)
        slice_ = run.mapping.populations[number].slice_of[neuron]
        at = np.searchsorted(work.key, run.key(number, moment, slice_))
        count = np.bincount(at, minlength=n)
        events += count
        if network.populations[number].fires:
            each = run.raster.traces[number].value if run.passes > 1 else None
            spikes += np.bincount(at, each, minlength=n).astype(np.int64)
    return spikes, events


def _seen(run: _Run, chip: Chip, formats: Formats, number: int) -> np.ndarray | None:
    """Return which seats of a population are visited at each moment, (n_moments, n_neurons) bool;
    None: all of them.
    """
    seen = visiting.visited(run.workload, chip, run.raster, formats, number)
    slices = run.mapping.populations[number]
    return seen if seen is None or slices.is_in_order else seen[:, slices.neuron_at]


def _work(run: _Run, visited: dict[int, np.ndarray | None]) -> _Work:
    """Return what every slice does in the moments in which it visits at least one neuron."""
    moments = np.arange(run.raster.timesteps * len(run.raster.outputs))
    keys, visits = [], []
    for number, seen in visited.items():
        bounds = run.mapping.populations[number].bounds
        if seen is None:
            count = np.broadcast_to(np.diff(bounds), (len(moments), len(bounds) - 1))
        else:
            count = np.add.reduceat(seen.astype(np.int64), bounds[:-1], axis=1)
        keys.append(run.key(number, moments[:, None], np.arange(len(bounds) - 1)).reshape(-1))
        visits.append(count.reshape(-1) * run.visits(number))
    key, visit = np.concatenate(keys), np.concatenate(visits)
    busy = np.flatnonzero(visit > 0)
    order = busy[np.argsort(key[busy], kind="stable")]
    key, visit = key[order], visit[order]
    item = key // run.n_slices
    start = np.flatnonzero(np.diff(item, prepend=-1))
    before = np.cumsum(visit) - visit
    before -= np.repeat(before[start], np.diff(np.append(start, len(key))))
    return _Work(key, key % run.n_slices, visit, before, start)


def _messages(
    run: _Run,
    sent: list[Sent],
    first_row: np.ndarray,
    visited: dict[int, np.ndarray | None],
    work: _Work,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return every message's key, position in its work item and row, sorted by key."""
    keys, positions, rows = [], [], []
    for number, seen in visited.items():
        out, bounds = sent[number], run.mapping.populations[number].bounds
        if seen is None:
            place = out.seat - bounds[out.slice]
        else:
            before = np.concatenate(
                [np.zeros((len(seen), 1), np.int64), np.cumsum(seen, axis=1)], axis=1
            )
            place = before[out.moment, out.seat + 1] - before[out.moment, bounds[out.slice]] - 1
            place = np.maximum(place, 0)
        key = run.key(number, out.moment, out.slice)
        keys.append(key)
        positions.append(
            (place + 1) * run.visits(number) - 1 + work.before[np.searchsorted(work.key, key)]
        )
        rows.append(out.row + first_row[number])
    key, position = np.concatenate(keys), np.concatenate(positions)
    order = np.argsort(key, kind="stable")
    return key[order], position[order], np.concatenate(rows)[order]
