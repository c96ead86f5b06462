"""Which neurons the somas visit in each moment."""

from __future__ import annotations

import numpy as np

from simulator.behaviour.raster import Raster
from simulator.describe.chip import Chip
from simulator.describe.network import Projection
from simulator.describe.neuron import MODELS
from simulator.describe.words import ACCUMULATING, CURRENT, QNN, STREAM
from simulator.describe.workload import Workload
from simulator.mapping import fan_out, sending


def visited(
    workload: Workload, chip: Chip, raster: Raster, formats: sending.Formats, number: int
) -> np.ndarray | None:
    """Return which neurons of a population the soma visits at each moment, (n_moments, n_neurons)
    bool.

    None: all of them (`core.soma.update: all`, or a population that sends a dense stream).
    `touched`: those that got input, fire, or must be visited anyway: because they have a bias, a
    leak, a synaptic current or a constant one, because a reset is due, or because every potential
    is read.
    """
    network = workload.network
    streams = raster.mode == QNN and any(
        formats.by_projection[k] == STREAM for k in network.outgoing[number]
    )
    if chip.core.soma.update == "all" or streams:
        return None
    moments, window = raster.timesteps * len(raster.outputs), raster.timesteps
    seen = np.broadcast_to(
        always(workload, number), (moments, network.populations[number].n_neurons)
    )
    seen = seen.copy()
    for projection, _ in network.drives(number):
        _arrivals(projection, raster, seen)
    when, neuron = sending.events(network, raster, number)
    seen[when, neuron] = True
    own = network.populations[number].neuron
    assert own is not None
    if own.fires and own.reset_at != "same":
        due = when + 1 < moments if raster.carries else when % window + 1 < window
        seen[when[due] + 1, neuron[due]] = True
    if not own.fires:
        seen[window - 1 :: window] = True
    return seen


def always(workload: Workload, number: int) -> np.ndarray:
    """Return which neurons of a population have something to do in every moment, (n_neurons,)
    bool.
    """
    network = workload.network
    population = network.populations[number]
    neuron = population.neuron
    assert neuron is not None
    feeds = dict(zip(network.inputs, workload.stimulus.feeds))
    busy = neuron.bias != 0
    for projection, _ in network.drives(number):
        if projection.bias is not None:
            busy = busy | (projection.bias != 0)
        if projection.source in feeds and feeds[projection.source].kind == CURRENT:
            return np.ones(population.n_neurons, bool)
    if neuron.decay or MODELS[neuron.model].has_current or neuron.read != "last":
        return np.ones(population.n_neurons, bool)
    return busy


def _arrivals(projection: Projection, raster: Raster, seen: np.ndarray) -> None:
    """Add the neurons that one projection brings something, moment by moment."""
    before, window = raster.traces[projection.source], raster.timesteps
    if raster.mode == QNN or raster.firing == ACCUMULATING:
        for first in range(0, len(seen), window):
            sources = before.neuron[before.start[first] : before.start[first + window]]
            seen[first] |= fan_out.touched(projection, np.unique(sources))
        return
    for own, connection in projection.connection.by_delay():
        delay = projection.delay + own
        part = Projection(0, 0, connection, projection.pool)
        for moment in range(len(seen)):
            if (moment if raster.carries else moment % window) >= delay:
                at = moment - delay
                sources = before.neuron[before.start[at] : before.start[at + 1]]
                seen[moment] |= fan_out.touched(part, np.unique(sources))
