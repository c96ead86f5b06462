"""The same networks from the definitions alone: plain numpy, whole matrices, no kernels, no event
lists, no parts.

docs/neurons.md line by line: connections are written out as matrices (n_in, n_out) and everything
is run one timestep after the other on arrays (inferences, neurons).
"""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np

from simulator.describe.connections import Connection
from simulator.describe.network import Network, Neuron, Pool, Projection, Stimulus


def matrices(connection: Connection, timestep: int) -> dict[int, np.ndarray]:
    """delay -> (n_in, n_out): the weights that arrive so many timesteps later."""
    weight = connection.weight[timestep] if connection.per_timestep else connection.weight
    weight = weight.astype(np.int64)
    full = np.zeros((connection.n_in, connection.n_out), np.int64)
    if connection.kind == "dense":
        return {0: weight}
    if connection.kind == "one-to-one":
        full[np.arange(len(weight)), np.arange(len(weight))] = weight
        return {0: full}
    if connection.kind == "sparse":
        found: dict[int, np.ndarray] = {} if connection.delay is not None else {0: full}
        for source in range(connection.n_in):
            for k in range(connection.start[source], connection.start[source + 1]):
                delay = 0 if connection.delay is None else int(connection.delay[k])
                found.setdefault(delay, np.zeros_like(full))
                found[delay][source, connection.index[k]] += weight[k]
        return found
    (c_in, h_in, w_in), (c_out, h_out, w_out) = connection.input_shape, connection.output_shape
    in_group, out_group = c_in // connection.groups, c_out // connection.groups
    for o, i, ky, kx in np.ndindex(weight.shape):
        channel = o // out_group * in_group + i
        for y, x in product(range(h_out), range(w_out)):
            row = y * connection.stride[0] + ky * connection.dilation[0] - connection.padding[0]
            column = x * connection.stride[1] + kx * connection.dilation[1] - connection.padding[1]
            if 0 <= row < h_in and 0 <= column < w_in:
                source = (channel * h_in + row) * w_in + column
                full[source, (o * h_out + y) * w_out + x] += weight[o, i, ky, kx]
    return {0: full}


def pooled(pool: Pool | None, shape: tuple[int, ...], current: np.ndarray) -> np.ndarray:
    """(n, n_out) to (n, n_neurons)."""
    if pool is None:
        return current
    (c, h, w), size = shape, pool.size
    height, width = h // size, w // size
    image = current.reshape(-1, c, h, w)[:, :, : height * size, : width * size]
    fields = image.reshape(-1, c, height, size, width, size)
    result = fields.max((3, 5)) if pool.kind == "max" else fields.sum((3, 5))
    return result.reshape(len(current), -1)


class Definition:
    """One network on one stimulus."""

    def __init__(self, network: Network, stimulus: Stimulus, timesteps: int) -> None:
        self.network, self.stimulus, self.timesteps = network, stimulus, timesteps
        self.n = stimulus.n_inferences
        self.overflows = 0
        self.matrices = cache(lambda k, t: matrices(network.projections[k].connection, t))

    def entering(self, number: int, timestep: int) -> np.ndarray:
        """What an input brings in a timestep; a current that enters once brings itself always."""
        feed = self.stimulus.feeds[self.network.inputs.index(number)]
        values = feed.values if feed.kind == "current" else feed.values[:, timestep]
        return values.reshape(self.n, -1).astype(np.int64)

    def brought(self, k: int, sent, timestep: int, delays: bool = True) -> np.ndarray:
        """The current projection k brings in a timestep; sent(population, timestep) -> (n, m)."""
        projection: Projection = self.network.projections[k]
        connection = projection.connection
        current = np.zeros((self.n, connection.n_out), np.int64)
        for own in self.matrices(k, 0):
            fired = timestep - (projection.delay + own if delays else 0)
            if fired >= 0:
                plane = fired if connection.per_timestep else 0
                current += sent(projection.source, fired) @ self.matrices(k, plane)[own]
        result = pooled(projection.pool, connection.output_shape, current)
        return result if projection.bias is None else result + projection.bias

    def within(self, neuron: Neuron, bits: int, values: np.ndarray) -> np.ndarray:
        """Saturate or wrap, and count."""
        half = 2 ** (bits - 1)
        self.overflows += int(((values < -half) | (values >= half)).sum())
        if neuron.overflow == "wrap":
            return (values + half) % (2 * half) - half
        return np.clip(values, -half, half - 1)


def leaked(values: np.ndarray, decay: int) -> np.ndarray:
    return np.sign(values) * (abs(values) * (4096 - decay) // 4096)


def strict(compare: str, number: np.ndarray | int) -> np.ndarray | int:
    """1 where a spike of that number needs a potential above the threshold, 0 where at it will
    do."""
    needs = {">=": number * 0, ">": number * 0 + 1, "even": number % 2, "odd": 1 - number % 2}
    return needs[compare]


class Cell:
    """The neurons of one population, one timestep after the other."""

    def __init__(self, neuron: Neuron, n: int, definition: Definition) -> None:
        self.neuron, self.definition = neuron, definition
        self.potential = np.tile(neuron.initial, (n, 1))
        self.current = np.zeros_like(self.potential)
        self.before = np.zeros_like(self.potential)  # what was sent in the timestep before
        self.number = np.ones_like(self.potential)  # of the spike it sends next
        self.seen: list[np.ndarray] = []

    def step(self, arriving: np.ndarray) -> np.ndarray:
        neuron, reset = self.neuron, self.neuron.reset
        target = neuron.reset_value if reset == "value" else np.zeros_like(neuron.threshold)
        late = self.before if neuron.reset_at == "next" else np.zeros_like(self.before)
        v = self.potential
        if reset != "subtract":
            v = np.where(late > 0, target, v)
        if neuron.model in ("lif", "cuba-lif", "readout", "cuba-readout"):
            v = leaked(v, neuron.decay)
        if neuron.model in ("cuba-lif", "cuba-readout"):
            self.current = leaked(self.current, neuron.current_decay) + arriving
            self.current = self.definition.within(neuron, neuron.current_bits, self.current)
            arriving = self.current
        v = v + arriving * (1 if neuron.gain is None else neuron.gain) + neuron.bias
        if reset == "subtract":
            v = v - late * neuron.threshold
        v = self.definition.within(neuron, neuron.potential_bits, v)
        if neuron.lower_bound is not None:
            v = np.maximum(v, neuron.lower_bound)
        if neuron.reset_at == "held":
            v = np.where(self.before > 0, target, v)
        sent = np.zeros_like(v)
        if neuron.model not in ("readout", "cuba-readout"):
            above = v - strict(neuron.compare, self.number)
            sent = np.clip(above // neuron.threshold, 0, 1)
            if neuron.limit is not None:
                sent = np.where(self.number <= neuron.limit, sent, 0)
            if neuron.graded_bits:
                sent = np.clip(above // neuron.threshold, 0, 2**neuron.graded_bits - 1)
            if neuron.reset_at == "same" and reset == "subtract":
                v = v - sent * neuron.threshold
            elif neuron.reset_at == "same":
                v = np.where(sent > 0, target, v)
            self.number = self.number + sent
        self.before, self.potential = sent, v
        self.seen.append(v)
        return sent

    def read(self) -> np.ndarray:
        if self.neuron.read == "sum":
            return np.sum(self.seen, 0)
        return np.max(self.seen, 0) if self.neuron.read == "maximum" else self.potential


def streamed(network: Network, stimulus: Stimulus, timesteps: int):
    """(sent[p] (n, T, m), potential[p] (n, m), outputs (n, k), overflows)."""
    here = Definition(network, stimulus, timesteps)
    cells = {
        number: Cell(network.populations[number].neuron, here.n, here)
        for number in network.computed
    }
    known: dict[tuple[int, int], np.ndarray] = {}

    def sent(number: int, timestep: int) -> np.ndarray:
        if network.populations[number].is_input:
            return here.entering(number, timestep)
        if (number, timestep) not in known:
            if timestep:
                sent(number, timestep - 1)
            arriving = np.zeros((here.n, network.populations[number].n_neurons), np.int64)
            for k, projection in enumerate(network.projections):
                if projection.target == number:
                    arriving = arriving + here.brought(k, sent, timestep)
            known[number, timestep] = cells[number].step(arriving)
        return known[number, timestep]

    for timestep in range(timesteps):
        for number in network.computed:
            sent(number, timestep)
    spikes = {
        number: np.stack([known[number, t] for t in range(timesteps)], 1)
        for number in network.computed
    }
    outputs = [
        spikes[number].sum(1) if network.populations[number].fires else cells[number].read()
        for number in network.outputs
    ]
    left = {
        number: cell.potential if cell.neuron.read == "last" else cell.read()
        for number, cell in cells.items()
    }
    return spikes, left, np.concatenate(outputs, 1), here.overflows


def in_order(network: Network) -> list[int]:
    """The populations of a graph without cycles, each after its sources."""
    order = list(network.inputs)
    while len(order) < len(network.populations):
        order += [
            number
            for number in network.computed
            if number not in order
            and all(p.source in order for p in network.projections if p.target == number)
        ]
    return order[len(network.inputs) :]


def accumulated(network: Network, stimulus: Stimulus, timesteps: int):
    """As `streamed`, with every window gathered before the first spike leaves."""
    here = Definition(network, stimulus, timesteps)
    spikes: dict[int, np.ndarray] = {}
    left: dict[int, np.ndarray] = {}

    def sent(number: int, timestep: int) -> np.ndarray:
        if network.populations[number].is_input:
            return here.entering(number, timestep)
        return spikes[number][:, timestep]

    for number in in_order(network):
        neuron = network.populations[number].neuron
        v = np.tile(neuron.initial, (here.n, 1))
        for timestep in range(timesteps):
            v = v + neuron.bias
            for k, projection in enumerate(network.projections):
                if projection.target == number:
                    gain = 1 if neuron.gain is None else neuron.gain
                    v = v + gain * here.brought(k, sent, timestep, delays=False)
            v = here.within(neuron, neuron.potential_bits, v)
        fired = np.zeros((here.n, timesteps, v.shape[1]), np.int64)
        for timestep in range(timesteps if neuron.model == "if" else 0):
            # the first timesteps in which it fires: as many as it owes, whatever their ties
            above = owed(neuron, v + fired.sum(1) * neuron.threshold, timesteps) > timestep
            fired[:, timestep] = above
            v = v - above * neuron.threshold
        spikes[number], left[number] = fired, v
    outputs = [
        spikes[number].sum(1) if network.populations[number].fires else left[number]
        for number in network.outputs
    ]
    return spikes, left, np.concatenate(outputs, 1), here.overflows


def owed(neuron: Neuron, total: np.ndarray, timesteps: int) -> np.ndarray:
    """The largest n up to T whose nth spike the total is enough for."""
    numbers = range(1, min(timesteps, neuron.limit or timesteps) + 1)
    enough = [total - strict(neuron.compare, n) >= n * neuron.threshold for n in numbers]
    found = np.zeros_like(total)
    for n, is_enough in zip(numbers, enough):
        found = np.where(is_enough, n, found)
    return found


def quantised(network: Network, stimulus: Stimulus, timesteps: int):
    """(activations[p] (n, m), total[p] (n, m), outputs (n, k))."""
    here = Definition(network, stimulus, timesteps)
    activations: dict[int, np.ndarray] = {}
    totals: dict[int, np.ndarray] = {}
    for number, feed in zip(network.inputs, stimulus.feeds):
        values = feed.values.astype(np.int64)
        if feed.kind != "current":
            values = values[:, :timesteps].sum(1)
        activations[number] = values.reshape(here.n, -1)
    held = {n for n, feed in zip(network.inputs, stimulus.feeds) if feed.kind == "current"}
    for number in in_order(network):
        neuron = network.populations[number].neuron
        total = np.tile(neuron.initial + timesteps * neuron.bias, (here.n, 1))
        for k, projection in enumerate(network.projections):
            if projection.target == number:
                bias = 0 if projection.bias is None else projection.bias
                sums = here.brought(k, lambda p, _: activations[p], 0, delays=False) - bias
                times = timesteps if projection.source in held else 1
                gain = 1 if neuron.gain is None else neuron.gain
                total = total + gain * (times * sums + timesteps * bias)
        activations[number] = owed(neuron, total, timesteps) * (neuron.model == "if")
        totals[number] = total
    outputs = [
        activations[number] if network.populations[number].fires else totals[number]
        for number in network.outputs
    ]
    return activations, totals, np.concatenate(outputs, 1)


def unpacked(trace, window: int) -> np.ndarray:
    """A trace as an array (inferences, window, neurons); checks that neurons rise within a step and
    nothing is 0.
    """
    steps = len(trace.start) - 1
    full = np.zeros((steps, trace.n_neurons), np.int64)
    assert trace.start[0] == 0 and trace.start[-1] == len(trace.neuron) == len(trace.value)
    for k in range(steps):
        events = slice(trace.start[k], trace.start[k + 1])
        assert (np.diff(trace.neuron[events]) > 0).all()
        full[k, trace.neuron[events]] = trace.value[events]
    assert (trace.value != 0).all()
    return full.reshape(-1, window, trace.n_neurons)
