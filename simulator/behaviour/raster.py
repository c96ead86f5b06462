"""Run a network once and keep what every population sends: the raster that both engines replay.

`run` computes either twin of one network: the spiking one ('snn') over T timesteps, or the
quantised one ('qnn') in one pass with activations 0..T.  Nothing here depends on a chip, and
nothing on a chip changes what is computed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from simulator import memory
from simulator.behaviour import checks
from simulator.behaviour.trace import Source, Trace
from simulator.describe.network import Feed, Network, Stimulus
from simulator.describe.offsets import strongly_connected
from simulator.describe.words import CURRENT, SNN, STREAMING, Firing, Mode
from simulator.errors import InputError
from simulator.values import remembered

#: entries of the buffer one call of a kernel may fill; pages that are never written cost nothing
_BUFFER = 1 << 22


@dataclass(frozen=True)
class Raster:
    """One run of one twin.  Traces are numbered as Network.populations; a `current` input sends in
    an inference's first timestep only.
    """

    mode: Mode
    timesteps: int  # the window: T of the spiking twin, 1 of the quantised one
    firing: Firing
    bits: int  # of an event's value: 1, or ceil(log2(T + 1)) for activations
    traces: tuple[Trace, ...]
    outputs: np.ndarray  # (n_inferences, n_outputs) int64, output populations side by side: what is
    # read of a readout, else spike counts, sums of values, or activations
    predictions: np.ndarray  # (n_inferences,) int64: the first largest neuron of the first output
    accuracy: float | None  # share of right predictions; None without labels
    inputs: tuple[int, ...]  # populations that are fed
    hidden: tuple[int, ...]  # populations that fire and are not read
    overflows: int  # potentials and synaptic currents that left their width, neurons × timesteps
    # per computed population, the lowest and the highest current an accumulator has to hold; empty
    # where events were drawn and no current was computed
    currents: tuple[tuple[int, int], ...] = ()
    potentials: tuple[np.ndarray, ...] = ()  # where asked for: of each population as the windows
    # end, (n_inferences, n_neurons) int64
    carries: bool = False  # inferences begin with the state that the one before them left

    @property
    def n_inferences(self) -> int:
        """Inputs presented."""
        return len(self.outputs)

    def first(self, inferences: int) -> Raster:
        """Return the first inferences alone; accuracy and overflows, which belong to the whole run,
        are left out.
        """
        traces = tuple(trace.first(inferences * self.timesteps) for trace in self.traces)
        outputs, predictions = self.outputs[:inferences], self.predictions[:inferences]
        return replace(
            self,
            traces=traces,
            outputs=outputs,
            predictions=predictions,
            accuracy=None,
            overflows=0,
            potentials=tuple(potential[:inferences] for potential in self.potentials),
        )

    @property
    def spike_rate(self) -> float:
        """Events of the hidden populations per neuron and timestep of the window; 0 when none is
        hidden.
        """
        hidden = [self.traces[number] for number in self.hidden]
        places = sum(trace.n_neurons for trace in hidden) * self.n_inferences * self.timesteps
        return sum(int(trace.start[-1]) for trace in hidden) / places if places else 0.0


def run(
    network: Network,
    stimulus: Stimulus,
    mode: Mode,
    timesteps: int,
    firing: Firing = STREAMING,
    limit: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    potentials: bool = False,
    given: Mapping[int, np.ndarray] | None = None,
) -> Raster:
    """Return the raster of the first `limit` inferences of a stimulus; T = `timesteps` for both
    twins.

    firing 'streaming': spikes arrive after the delay of their projection, 0 the same timestep.
    'accumulate': a neuron gathers its sources' whole windows, whatever the delays (its bias T
    times), then sends n = clip(floor(V / threshold), 0, T) spikes, one in each of the first n
    timesteps.  A `raster` or `graded` stimulus may be longer than T: its first T timesteps are
    used.  Where the stimulus carries, an inference begins with the state and the delayed spikes
    that the one before it left.  progress(done, total) is called with inferences times populations.
    potentials: keep those of every population.  given: what some populations send, (inferences,
    window, n_neurons) by number, recorded elsewhere: they are not computed, what they drive is.
    Raises InputError for what cannot be computed exactly.
    """
    checks.check(network, stimulus, mode, timesteps, firing)
    n = stimulus.n_inferences if limit is None else min(limit, stimulus.n_inferences)
    traces: dict[int, Trace] = {}
    sources: dict[int, Source] = {}
    currents: dict[int, tuple[int, int]] = {}
    residual: dict[int, np.ndarray] = {}
    for number, feed in zip(network.inputs, stimulus.feeds):
        traces[number], largest = _input(feed, mode, timesteps, n)
        sources[number] = Source(largest, feed.kind == CURRENT)
        residual[number] = np.zeros((n, 0), np.int64)
    for number, values in (given or {}).items():
        traces[number], largest = recorded(values[:n])
        sources[number] = Source(largest, False)
        residual[number] = np.zeros((n, 0), np.int64)
        currents[number] = 0, 0
    overflows = done = 0
    carries = stimulus.carries

    def report(inferences: int) -> None:
        nonlocal done
        done += inferences
        if progress is not None:
            progress(done, n * len(network.computed))

    for members in parts_in_order(network, tuple(given or ())):
        for number in members:
            neuron = network.populations[number].neuron
            assert neuron is not None
            sources[number] = Source(neuron.largest_value if mode == SNN else timesteps, False)
        keep = potentials or any(
            number in network.outputs and not network.populations[number].fires
            for number in members
        )
        answer = _run_part(
            network, members, sources, traces, keep, mode, timesteps, firing, n, report, carries
        )
        traces |= answer.traces
        residual |= answer.residual
        currents |= answer.currents
        overflows += answer.overflows
    outputs = _outputs(network, traces, residual, n, timesteps if mode == SNN else 1)
    predictions = outputs[:, : network.populations[network.outputs[0]].n_neurons].argmax(1)
    accuracy = None
    if stimulus.labels is not None and n:
        accuracy = float((predictions == stimulus.labels[:n]).mean())
    return Raster(
        mode,
        timesteps if mode == SNN else 1,
        firing,
        1 if mode == SNN else timesteps.bit_length(),
        tuple(traces[number] for number in range(len(network.populations))),
        outputs,
        predictions.astype(np.int64),
        accuracy,
        network.inputs,
        network.hidden,
        overflows,
        tuple(currents[number] for number in network.computed),
        tuple(residual[n] for n in range(len(network.populations))) if potentials else (),
        carries,
    )


def recorded(values: np.ndarray) -> tuple[Trace, int]:
    """Return what a population sent elsewhere, (inferences, window, n_neurons), as a trace, and its
    largest magnitude in one step.
    """
    steps = values.reshape(-1, values.shape[2])
    row, neuron = np.nonzero(steps)
    value = steps[row, neuron].astype(np.int32)
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(steps)))])
    trace = Trace(values.shape[2], True, start.astype(np.int64), neuron.astype(np.int32), value)
    return trace, int(abs(value).max(initial=0))


@remembered
def parts_in_order(network: Network, given: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    """Return the strongly connected parts of the computed populations but those `given`, each after
    those that drive it; the populations of a part in the order of its projections without delay.
    """
    n = len(network.populations)
    after: list[list[int]] = [[] for _ in range(n)]
    at_once: list[list[int]] = [[] for _ in range(n)]
    for projection in network.projections:
        if projection.target in given:
            continue
        after[projection.source].append(projection.target)
        if projection.least_delay == 0:
            at_once[projection.source].append(projection.target)
    order = [part[0] for part in strongly_connected(n, at_once)]
    place = {number: at for at, number in enumerate(order)}
    return [
        tuple(sorted(part, key=place.__getitem__))
        for part in strongly_connected(n, after)
        if not network.populations[part[0]].is_input and part[0] not in given
    ]


def _outputs(
    network: Network,
    traces: dict[int, Trace],
    residual: dict[int, np.ndarray],
    n: int,
    window: int,
) -> np.ndarray:
    """Return what is read, (n, n_outputs) int64."""
    columns = []
    for number in network.outputs:
        if network.populations[number].fires:
            columns.append(traces[number].all_totals(0, n, window))
        else:
            columns.append(residual[number])
    return columns[0] if len(columns) == 1 else np.concatenate(columns, axis=1)


def _input(feed: Feed, mode: Mode, timesteps: int, n: int) -> tuple[Trace, int]:
    """Return what an input sends, and its largest magnitude in one step."""
    values = feed.values[:n]
    if feed.kind == CURRENT:
        steps, window = values.reshape(n, -1), timesteps if mode == SNN else 1
    elif mode == SNN:
        steps, window = values[:, :timesteps].reshape(n * timesteps, -1), 1
    else:
        steps, window = values[:, :timesteps].sum(1, dtype=np.int64), 1
    n_events = int(np.count_nonzero(steps))
    memory.need(f"the stimulus: {n_events:,} events of {n:,} inferences", 40 * n_events)
    row, neuron = np.nonzero(steps)
    value = steps[row, neuron]
    largest = max(-int(value.min()), int(value.max())) if len(value) else 0
    if largest >= 1 << 31:
        raise InputError(f"stimulus: a value must fit in 32 bits, not {largest}")
    # a current enters in the first timestep of its window
    start = np.zeros(len(steps) * window + 1, np.int64)
    start[1:] = np.repeat(np.cumsum(np.bincount(row, minlength=len(steps))), window)
    return Trace(
        steps.shape[1], True, start, neuron.astype(np.int32), value.astype(np.int32)
    ), largest


@dataclass(frozen=True)
class _Answer:
    """What the populations of a part send, what is left in them, and their overflows."""

    traces: dict[int, Trace]
    residual: dict[int, np.ndarray]
    currents: dict[int, tuple[int, int]]
    overflows: int


def _run_part(
    network: Network,
    members: tuple[int, ...],
    sources: dict[int, Source],
    traces: dict[int, Trace],
    keep: bool,
    mode: Mode,
    timesteps: int,
    firing: Firing,
    n: int,
    report: Callable[[int], None],
    carries: bool,
) -> _Answer:
    """Run one part over n inferences; keep: what is left of it is wanted."""
    # imported here: whoever only reads a raster does not pay for numba
    from simulator.behaviour import parts, passes
    from simulator.jit import handle

    streams = mode == SNN and firing == STREAMING
    ready = parts.prepare(network, members, sources, delays=streams)
    checks.sums(network, members, ready.bounds, timesteps)
    answer = passes.stream if streams else passes.accumulate if mode == SNN else passes.activate
    window, wide = timesteps if mode == SNN else 1, len(members)
    n_neurons = len(ready.cells.initial)
    many = max(1, min(n, _BUFFER // max(1, n_neurons * window)))
    if carries and ready.part.strand["is_inside"].any():
        many = max(
            1, n
        )  # spikes of the part itself may be on their way from inference to inference
    names = ", ".join(repr(network.populations[number].name) for number in members)
    memory.need(
        f"{names}: {many * window * n_neurons:,} places for the events of {many:,} inferences",
        many * n_neurons * 8 * (window + keep),
    )
    given = parts.given([traces[number] for number in ready.outside])
    state = parts.state(ready)
    sent = passes.EventBuffer(
        np.zeros(many * window * wide + 1, np.int64),
        np.empty(many * window * n_neurons, np.int32),
        np.empty(many * window * n_neurons, np.int32),
        np.zeros((many if keep else 0, n_neurons), np.int64),
    )
    found: list[list[parts.Events]] = [[] for _ in members]
    residual: list[np.ndarray] = []
    overflows = sent_so_far = 0
    part, cells, arriving, working, leaving = map(
        handle, (ready.part, ready.cells, given, state, sent)
    )
    for begin in range(0, n, many):
        end = min(n, begin + many)
        overflows += answer(part, cells, timesteps, carries, arriving, begin, end, working, leaving)
        for pieces, one in zip(found, parts.apart(sent, (end - begin) * window, wide)):
            pieces.append(one)
            sent_so_far += len(one.neuron)
        memory.need(f"{names}: {sent_so_far:,} events of {end:,} inferences", 8 * sent_so_far)
        if keep:
            residual.append(sent.residual[: end - begin].copy())
        report((end - begin) * wide)
    left = (
        residual[0]
        if len(residual) == 1
        else np.concatenate([np.zeros((0, n_neurons), np.int64), *residual])
    )
    answers = _Answer({}, {}, {}, overflows)
    for number, pieces, span, currents in zip(members, found, ready.spans, state.extreme.tolist()):
        population = network.populations[number]
        answers.traces[number] = Trace(
            population.n_neurons, population.fires, *parts.joined(pieces)
        )
        answers.currents[number] = (currents[0], currents[1])
        answers.residual[number] = left[:, span]
    return answers
