"""Run a network once and keep what every layer sends: the raster that both engines replay.

`run` computes either twin of one network: the spiking one ('snn') over T timesteps, or the
quantised one ('qnn') in one pass with activations 0..T.  Nothing here depends on a chip, and
nothing on a chip changes what is computed here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from simulator import memory
from simulator.describe.network import CONVOLUTION, DENSE, MODELS, Layer, Network, Stimulus
from simulator.describe.words import (
    ACCUMULATE,
    CURRENT,
    FIRINGS,
    GRADED,
    MODES,
    QNN,
    RASTER,
    SNN,
    STREAMING,
    Firing,
    Mode,
)
from simulator.errors import InputError

#: entries of the buffer one call of a kernel may fill; pages that are never written cost nothing
_BUFFER = 1 << 22


@dataclass(frozen=True)
class Trace:
    """What one layer sends: events start[k] .. start[k + 1] - 1 belong to step k = inference *
    window + timestep.

    A readout sends nothing: `fires` is False and there are no events.
    """

    n_neurons: int
    fires: bool
    start: np.ndarray  # (n_inferences * window + 1,) int64
    neuron: np.ndarray  # (n_events,) int32, rising within a step
    value: np.ndarray  # (n_events,) int32: 1 for a spike, else the activation or the input's value

    def first(self, steps: int) -> Trace:
        """Return the first `steps` steps alone."""
        last = int(self.start[steps])
        return replace(
            self, start=self.start[: steps + 1], neuron=self.neuron[:last], value=self.value[:last]
        )

    def totals(self, inference: int, window: int) -> np.ndarray:
        """Return the sum of values of each neuron over one inference, (n_neurons,) int64."""
        first, last = self.start[inference * window], self.start[(inference + 1) * window]
        total = np.zeros(self.n_neurons, np.int64)
        np.add.at(total, self.neuron[first:last], self.value[first:last])
        return total


@dataclass(frozen=True)
class Raster:
    """One run of one twin.  Layer 0 is the input; a `current` stimulus is sent in an inference's
    first timestep only.
    """

    mode: Mode
    timesteps: int  # the window: T of the spiking twin, 1 of the quantised one
    firing: Firing
    bits: int  # of an event's value between layers: 1, or ceil(log2(T + 1)) for activations
    layers: tuple[Trace, ...]
    outputs: (
        np.ndarray
    )  # (n_inferences, n_outputs) int64: a readout's potentials, else spike counts or activations
    predictions: np.ndarray  # (n_inferences,) int64: the first largest output
    accuracy: float | None  # share of right predictions; None without labels
    overflows: int  # potentials that left their width, over neurons and timesteps
    # per layer but the input, the lowest and the highest current an accumulator has to hold; empty
    # where events were drawn and no current was computed
    currents: tuple[tuple[int, int], ...] = ()

    @property
    def n_inferences(self) -> int:
        """Inputs presented."""
        return len(self.outputs)

    def first(self, inferences: int) -> Raster:
        """Return the first inferences alone; accuracy and overflows, which belong to the whole run,
        are left out.
        """
        layers = tuple(trace.first(inferences * self.timesteps) for trace in self.layers)
        outputs, predictions = self.outputs[:inferences], self.predictions[:inferences]
        return replace(
            self,
            layers=layers,
            outputs=outputs,
            predictions=predictions,
            accuracy=None,
            overflows=0,
        )

    @property
    def spike_rate(self) -> float:
        """Events of the hidden layers per neuron and timestep of the window; 0 when no layer is
        hidden.
        """
        hidden = self.layers[1:-1]
        places = sum(trace.n_neurons for trace in hidden) * self.n_inferences * self.timesteps
        return sum(len(trace.neuron) for trace in hidden) / places if places else 0.0


def run(
    network: Network,
    stimulus: Stimulus,
    mode: Mode,
    timesteps: int,
    firing: Firing = STREAMING,
    limit: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Raster:
    """Return the raster of the first `limit` inferences of a stimulus; T = `timesteps` for both
    twins.

    firing 'streaming': a layer's timestep t uses the spikes of timestep t of the layer before.
    'accumulate': a neuron gathers its whole window (its bias T times), then sends n = clip(floor(V
    / threshold), 0, T) spikes, one in each of the first n timesteps.  A `raster` or `graded`
    stimulus may be longer than T: its first T timesteps are used. progress(done, total) is called
    with inferences times layers.  Raises InputError for what cannot be computed exactly.
    """
    check(network, stimulus, mode, timesteps, firing)
    n = stimulus.n_inferences if limit is None else min(limit, stimulus.n_inferences)
    window = timesteps if mode == SNN else 1
    trace, largest = _input(stimulus, mode, timesteps, n)
    traces, overflows, done = [trace], 0, 0
    currents: list[tuple[int, int]] = []

    def report(inferences: int) -> None:
        nonlocal done
        done += inferences
        if progress is not None:
            progress(done, n * len(network.layers))

    for number, layer in enumerate(network.layers):
        hold = number == 0 and stimulus.kind == CURRENT
        trace, residual, left, extreme = _layer(
            layer, traces[-1], largest, hold, mode, timesteps, firing, n, report
        )
        traces.append(trace)
        overflows += left
        currents.append(extreme)
        largest = 1 if mode == SNN else timesteps
    if not traces[-1].fires:
        outputs = residual
    else:
        outputs = np.array(
            [traces[-1].totals(inference, window) for inference in range(n)], np.int64
        )
        outputs = outputs.reshape(n, traces[-1].n_neurons)
    predictions = outputs.argmax(1).astype(np.int64)
    accuracy = None
    if stimulus.labels is not None and n:
        accuracy = float((predictions == stimulus.labels[:n]).mean())
    bits = 1 if mode == SNN else timesteps.bit_length()
    return Raster(
        mode,
        window,
        firing,
        bits,
        tuple(traces),
        outputs,
        predictions,
        accuracy,
        overflows,
        tuple(currents),
    )


def check(network: Network, stimulus: Stimulus, mode: Mode, timesteps: int, firing: Firing) -> None:
    """Raise InputError for what is not defined, or not exactly computable, in this mode."""
    if mode not in MODES:
        raise InputError(f"mode: must be '{SNN}' or '{QNN}', not {mode!r}")
    if firing not in FIRINGS:
        raise InputError(f"firing: must be '{STREAMING}' or '{ACCUMULATE}', not {firing!r}")
    if stimulus.kind not in (CURRENT, RASTER, GRADED):
        raise InputError(
            f"stimulus: must be '{CURRENT}', '{RASTER}' or '{GRADED}', not {stimulus.kind!r}"
        )
    if timesteps < 1:
        raise InputError(f"timesteps: must be at least 1, not {timesteps}")
    if stimulus.kind != CURRENT and timesteps > stimulus.values.shape[1]:
        raise InputError(
            f"timesteps: must be at most the stimulus's {stimulus.values.shape[1]}, not {timesteps}"
        )
    if stimulus.values.shape[-1] != network.n_inputs:
        raise InputError(
            f"stimulus: must have {network.n_inputs} values per timestep, not "
            f"{stimulus.values.shape[-1]}"
        )
    n_in = network.n_inputs
    for number, layer in enumerate(network.layers):
        neuron = layer.neuron
        if layer.connection.n_in != n_in:
            raise InputError(
                f"{layer.name}: its connection must have {n_in} sources, not "
                f"{layer.connection.n_in}"
            )
        n_in = layer.n_neurons
        if not layer.fires:
            if number + 1 < len(network.layers):
                raise InputError(
                    f"{layer.name}: a readout never fires, so it must be the last layer"
                )
            continue
        if mode == SNN and firing == STREAMING:
            continue
        what = "the quantised twin" if mode == QNN else "firing 'accumulate'"
        if not MODELS[neuron.model].has_twin:
            raise InputError(
                f"{layer.name}: {what} needs neurons without leak, model 'if', not {neuron.model!r}"
            )
        if neuron.reset != "subtract":
            raise InputError(f"{layer.name}: {what} needs reset 'subtract', not {neuron.reset!r}")


def _input(stimulus: Stimulus, mode: Mode, timesteps: int, n: int) -> tuple[Trace, int]:
    """Return what the input sends, as layer 0 of the raster, and its largest magnitude in one
    step.
    """
    values = stimulus.values[:n]
    if stimulus.kind == CURRENT:
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


def _layer(
    layer: Layer,
    before: Trace,
    largest: int,
    hold: bool,
    mode: Mode,
    timesteps: int,
    firing: Firing,
    n: int,
    report: Callable[[int], None],
) -> tuple[Trace, np.ndarray, int, tuple[int, int]]:
    """Return what one layer sends in n inferences, its potentials as their windows end, its
    overflows, and its lowest and highest current.
    """
    # imported here: whoever only reads a raster does not pay for numba
    from simulator.behaviour import neurons, passes, synapses

    rows, dtype, bound = synapses.prepare(layer, largest)
    population = neurons.prepare(layer.name, layer.neuron)
    _check_shapes(layer, population.bias)
    most = max(
        int(abs(population.bias).max(initial=0)), int(abs(population.initial).max(initial=0))
    )
    if timesteps * (bound + 2 * most) >= 1 << 62:
        raise InputError(
            f"{layer.name}: the currents of {timesteps} timesteps may need more than 62 bits"
        )
    window = timesteps if mode == SNN else 1
    answer = (
        passes.activate
        if mode == QNN
        else passes.stream
        if firing == STREAMING
        else passes.accumulate
    )
    n_neurons = layer.n_neurons
    many = max(1, min(n, _BUFFER // max(1, n_neurons * window)))
    scratch = passes.Scratch(
        np.zeros(rows.n_out, dtype),
        np.zeros(n_neurons, np.int64),
        np.zeros(n_neurons, np.int64),
        np.zeros(n_neurons, np.int64),
        np.zeros(2, np.int64),
    )
    memory.need(
        f"layer {layer.name!r}: {many * window * n_neurons:,} places for the events of "
        f"{many:,} inferences",
        many * n_neurons * 8 * (window + 1),
    )
    source = passes.Source(before.start, before.neuron, before.value, int(hold))
    start = np.zeros(n * window + 1, np.int64)
    sent = passes.Sent(
        np.zeros(many * window + 1, np.int64),
        np.empty(many * window * n_neurons, np.int32),
        np.empty(many * window * n_neurons, np.int32),
        np.zeros((many, n_neurons), np.int64),
    )
    neuron, value, residual = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)], []
    fires, overflows, sent_so_far = layer.neuron.model != "readout", 0, 0
    for begin in range(0, n, many):
        end = min(n, begin + many)
        overflows += answer(rows, population, timesteps, source, begin, end, scratch, sent)
        here = sent.start[1 : (end - begin) * window + 1]
        start[begin * window + 1 : end * window + 1] = start[begin * window] + here
        neuron.append(sent.neuron[: here[-1]].copy())
        value.append(sent.value[: here[-1]].copy())
        sent_so_far += int(here[-1])
        memory.need(
            f"layer {layer.name!r}: {sent_so_far:,} events of {end:,} inferences", 8 * sent_so_far
        )
        if not fires:
            residual.append(sent.residual[: end - begin].copy())
        report(end - begin)
    trace = Trace(n_neurons, fires, start, np.concatenate(neuron), np.concatenate(value))
    residuals = np.concatenate([np.zeros((0, n_neurons), np.int64), *residual])
    return trace, residuals, overflows, (int(scratch.extreme[0]), int(scratch.extreme[1]))


def _check_shapes(layer: Layer, bias: np.ndarray) -> None:
    """Raise InputError where arrays do not fit each other: kernels do not check their indices."""
    connection, n_neurons = layer.connection, layer.n_neurons
    for key in ("threshold", "initial", "bias"):
        if getattr(layer.neuron, key).shape != (n_neurons,):
            raise InputError(f"{layer.name}: {key}: must have shape ({n_neurons},)")
    size = layer.pool.size if layer.pool else 1
    pooled = connection.n_out
    if layer.pool:
        channels, height, width = connection.output_shape
        pooled = channels * (height // size) * (width // size)
    if pooled != n_neurons:
        raise InputError(
            f"{layer.name}: its connection must have {n_neurons} targets after pooling, not "
            f"{pooled}"
        )
    if connection.kind == DENSE:
        expected: tuple[int, ...] = (connection.n_in, connection.n_out)
    elif connection.kind == CONVOLUTION:
        expected = (
            connection.output_shape[0],
            connection.input_shape[0],
            *connection.weight.shape[2:],
        )
    else:
        expected = (len(connection.weight),)
        start, index = connection.start, connection.index
        assert start is not None and index is not None
        rises = len(start) == connection.n_in + 1 and start[0] == 0 and (np.diff(start) >= 0).all()
        if not rises or start[-1] != len(index) or len(index) != len(connection.weight):
            raise InputError(
                f"{layer.name}: start: must rise from 0 to the number of synapses, one entry per "
                f"source + 1"
            )
        if len(index) and not 0 <= index.min() <= index.max() < connection.n_out:
            raise InputError(f"{layer.name}: index: must lie within 0..{connection.n_out - 1}")
    if connection.weight.shape != expected:
        raise InputError(
            f"{layer.name}: weight: must have shape {expected}, not {connection.weight.shape}"
        )
