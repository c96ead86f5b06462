"""What cannot be computed, or not exactly: refused before it begins, in words."""

from __future__ import annotations

import numpy as np

from simulator.describe.connections import KINDS
from simulator.describe.network import Network, Neuron, Projection, Stimulus
from simulator.describe.neuron import (
    COMPARES,
    MODELS,
    OVERFLOWS,
    READS,
    RESET_TIMES,
    RESETS,
)
from simulator.describe.offsets import (
    cycle_of,
    shown_cycle,
    undelayed,
    undelayed_cycle,
)
from simulator.describe.words import (
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
from simulator.values import remembered

FEEDS = (CURRENT, RASTER, GRADED)


def check(network: Network, stimulus: Stimulus, mode: Mode, timesteps: int, firing: Firing) -> None:
    """Raise InputError for what is not defined in this mode, and for arrays that do not fit each
    other: kernels do not check their indices.
    """
    for name, value, allowed in (("mode", mode, MODES), ("firing", firing, FIRINGS)):
        if value not in allowed:
            words = " or ".join(f"'{word}'" for word in allowed)
            raise InputError(f"{name}: must be {words}, not {value!r}")
    if timesteps < 1:
        raise InputError(f"timesteps: must be at least 1, not {timesteps}")
    _check_stimulus(network, stimulus, timesteps)
    _check_network(network, mode, firing)
    if stimulus.carries:
        _check_carried(network, stimulus, mode, firing)
    _check_planes(network, stimulus, mode, timesteps)


@remembered
def _check_network(network: Network, mode: Mode, firing: Firing) -> None:
    for population in network.populations:
        if population.neuron is not None:
            _check_neuron(population.name, population.neuron)
    for projection in network.projections:
        _check_projection(network, projection)
    if mode == SNN and firing == STREAMING:
        cycle = undelayed_cycle(network)
        if cycle:
            raise InputError(undelayed(network, cycle))
    else:
        windows(network, "the quantised twin" if mode == QNN else "firing 'accumulate'")


def windows(network: Network, what: str) -> None:
    """Raise InputError where windows as a whole say nothing: a cycle, or neurons without a twin."""
    why = without_twin(network)
    if why is not None:
        name, colon, rest = why.partition(": ")
        raise InputError(f"{name}: {what} needs {rest}" if colon else f"{what} needs {why}")


def without_twin(network: Network) -> str | None:
    """Return why a network has no quantised twin: its cycle, or the population and what it has;
    None where it has one.
    """
    edges = [(p.source, p.target) for p in network.projections]
    cycle = cycle_of(len(network.populations), edges)
    if cycle:
        return f"a graph without cycles, not {shown_cycle(network, cycle)}"
    for population in network.populations:
        why = population.neuron.without_twin() if population.neuron is not None else None
        if why is not None:
            return f"{population.name}: {why}"
    return None


@remembered
def sums(
    network: Network, members: tuple[int, ...], bounds: tuple[int, ...], timesteps: int
) -> None:
    """Raise InputError where the currents of a window may need more than 62 bits."""
    for number, bound in zip(members, bounds):
        population = network.populations[number]
        neuron = population.neuron
        assert neuron is not None
        most = sum(int(abs(array).max(initial=0)) for array in (neuron.bias, neuron.initial))
        most += sum(
            int(abs(p.bias).max(initial=0)) for p, _ in network.drives(number) if p.bias is not None
        )
        gain = 1 if neuron.gain is None else int(abs(neuron.gain).max(initial=0))
        threshold = int(abs(neuron.threshold).max(initial=0))
        owed = neuron.largest_value * threshold if neuron.reset_at != "same" else 0
        if timesteps * (gain * bound + 2 * gain * most) + owed >= 1 << 62:
            raise InputError(
                f"{population.name}: the currents of {timesteps} timesteps may need more than 62 "
                f"bits"
            )


def _check_stimulus(network: Network, stimulus: Stimulus, timesteps: int) -> None:
    if len(stimulus.feeds) != len(network.inputs):
        raise InputError(
            f"stimulus: must feed {len(network.inputs)} inputs, not {len(stimulus.feeds)}"
        )
    for number, feed in zip(network.inputs, stimulus.feeds):
        population, shape = network.populations[number], feed.values.shape
        if feed.kind not in FEEDS:
            raise InputError(f"stimulus: must be one of {', '.join(FEEDS)}, not {feed.kind!r}")
        if feed.kind != CURRENT and timesteps > shape[1]:
            raise InputError(
                f"timesteps: must be at most the stimulus's {shape[1]}, not {timesteps}"
            )
        if shape[-1] != population.n_neurons:
            raise InputError(
                f"stimulus: must have {population.n_neurons} values per timestep for "
                f"{population.name!r}, not {shape[-1]}"
            )
        if len(feed.values) != stimulus.n_inferences:
            raise InputError(
                f"stimulus: must have {stimulus.n_inferences} inferences for every input, not "
                f"{len(feed.values)} for {population.name!r}"
            )


def _check_carried(network: Network, stimulus: Stimulus, mode: Mode, firing: Firing) -> None:
    """Refuse what says nothing where the state is carried from inference to inference."""
    asks = "must be 'reset', not 'carried'"
    if mode == QNN or firing != STREAMING:
        what = "the quantised twin" if mode == QNN else f"firing {firing!r}"
        raise InputError(f"stimulus.state: {asks}: {what} has no state to carry")
    for population in network.populations:
        neuron = population.neuron
        if neuron is None or (neuron.read == "last" and not neuron.counts):
            continue
        what = f"read: {neuron.read}" if not neuron.fires else "a count of its spikes"
        raise InputError(f"stimulus.state: {asks}: {population.name} begins anew with {what}")
    entering = {
        number for number, feed in zip(network.inputs, stimulus.feeds) if feed.kind == CURRENT
    }
    for projection in network.projections:
        if projection.source in entering and projection.largest_delay:
            raise InputError(
                f"stimulus.state: {asks}: {network.ends(projection)} delays a current that enters "
                f"once"
            )


def _check_neuron(name: str, neuron: Neuron) -> None:
    for key, value, allowed in (
        ("model", neuron.model, tuple(MODELS)),
        ("reset", neuron.reset, RESETS),
        ("reset_at", neuron.reset_at, RESET_TIMES),
        ("compare", neuron.compare, COMPARES),
        ("overflow", neuron.overflow, OVERFLOWS),
        ("read", neuron.read, READS),
    ):
        if value not in allowed:
            raise InputError(f"{name}: {key}: must be one of {', '.join(allowed)}, not {value!r}")
    model = MODELS[neuron.model]
    for key, given in (("decay", neuron.decay), ("current_decay", neuron.current_decay)):
        if given and key not in model.keys:
            raise InputError(f"{name}: {key}: must be 0 in a neuron of model {neuron.model!r}")
    if neuron.reset_at == "held" and neuron.reset == "subtract":
        raise InputError(f"{name}: reset_at: must not be 'held' with reset 'subtract'")
    if neuron.gain is not None and model.has_current:
        raise InputError(f"{name}: gain: must be left out in a neuron of model {neuron.model!r}")
    if neuron.limit is not None and not 1 <= neuron.limit <= 4096:
        raise InputError(f"{name}: limit: must be from 1 to 4096, not {neuron.limit}")
    if neuron.counts and (
        neuron.reset != "subtract" or neuron.reset_at != "same" or neuron.graded_bits
    ):
        key = "limit" if neuron.limit is not None else f"compare {neuron.compare!r}"
        raise InputError(f"{name}: {key}: needs spikes, reset 'subtract' and reset_at 'same'")
    if not 0 <= neuron.graded_bits <= 16:
        raise InputError(f"{name}: value_bits: must be between 1 and 16, not {neuron.graded_bits}")


def _check_projection(network: Network, projection: Projection) -> None:
    connection, ends = projection.connection, network.ends(projection)
    source = network.populations[projection.source]
    target = network.populations[projection.target]
    if target.is_input:
        raise InputError(f"{ends}: must not lead to an input")
    if not source.fires:
        raise InputError(f"{ends}: must not leave a readout: it never fires")
    if connection.kind not in KINDS:
        raise InputError(
            f"{ends}: connection: must be one of {', '.join(KINDS)}, not {connection.kind!r}"
        )
    if projection.delay < 0:
        raise InputError(f"{ends}: delay: must be 0 or more, not {projection.delay}")
    if connection.n_in != source.n_neurons:
        raise InputError(
            f"{ends}: its connection must have {source.n_neurons} sources, not {connection.n_in}"
        )
    pooled, pool = connection.n_out, projection.pool
    if pool is not None:
        if connection.kind != "convolution" or pool.kind not in ("max", "sum"):
            raise InputError(f"{ends}: pool: must be the max or sum of a convolution's currents")
        channels, height, width = connection.output_shape
        pooled = channels * (height // pool.size) * (width // pool.size)
    if pooled != target.n_neurons:
        raise InputError(
            f"{ends}: its connection must have {target.n_neurons} targets after pooling, not "
            f"{pooled}"
        )
    if projection.bias is not None and projection.bias.shape != (target.n_neurons,):
        raise InputError(f"{ends}: bias: must have shape ({target.n_neurons},)")
    if connection.kind == "sparse":
        _check_rows(ends, projection)
    expected = connection.of_kind.weight_shape(connection)
    if connection.plane_shape != expected:
        raise InputError(
            f"{ends}: weight: must have shape {expected}, not {connection.plane_shape}"
        )


def _check_rows(ends: str, projection: Projection) -> None:
    connection = projection.connection
    start, index, delay = connection.start, connection.index, connection.delay
    if start is None or index is None:
        raise InputError(f"{ends}: a sparse connection needs 'start' and 'index'")
    rises = len(start) == connection.n_in + 1 and start[0] == 0 and (np.diff(start) >= 0).all()
    if not rises or start[-1] != len(index):
        raise InputError(
            f"{ends}: start: must rise from 0 to the number of synapses, one entry per source + 1"
        )
    if len(index) and not 0 <= index.min() <= index.max() < connection.n_out:
        raise InputError(f"{ends}: index: must lie within 0..{connection.n_out - 1}")
    if delay is not None and (delay.shape != index.shape or (delay.size and delay.min() < 0)):
        raise InputError(f"{ends}: delay: must have one entry of 0 or more per synapse")


def _check_planes(network: Network, stimulus: Stimulus, mode: Mode, timesteps: int) -> None:
    kinds = {number: feed.kind for number, feed in zip(network.inputs, stimulus.feeds)}
    for projection in network.projections:
        if not projection.connection.per_timestep:
            continue
        ends, planes = network.ends(projection), projection.connection.planes
        if mode == QNN:
            raise InputError(
                f"{ends}: the quantised twin needs one set of weights, not one per timestep"
            )
        if kinds.get(projection.source) == CURRENT:
            raise InputError(
                f"{ends}: weights per timestep need a source that sends in every timestep, not a "
                f"current that enters once"
            )
        if timesteps > planes:
            raise InputError(
                f"{ends}: timesteps: must be at most {planes}, for which it has weights, not "
                f"{timesteps}"
            )
