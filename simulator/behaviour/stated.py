"""Who fires where a workload states rates: drawn from its seed and from what is presented, so that
the same inference is the same in any run, piece of a run and order.
"""

from __future__ import annotations

import zlib

import numpy as np

from simulator import memory
from simulator.describe.network import Network, Stimulus
from simulator.describe.stated_activity import Rate, StatedActivity
from simulator.describe.words import SNN, Mode

#: of one neuron and timestep: its rank, its draw and what it sends
PLACE_BYTES = 32


def drawn(
    stated: StatedActivity, rate: Rate, network: Network, stimulus: Stimulus, mode: Mode, n: int
) -> dict[int, np.ndarray]:
    """Return what the hidden populations send in the first n inferences, by their numbers:
    (n, T, n_neurons) spikes, or (n, 1, n_neurons) activations of the quantised twin, the active
    ones 1..T alike.  Counts are exact to one event of an inference and population.
    """
    window = rate.timesteps if mode == SNN else 1
    share = rate.spike_rate if mode == SNN else rate.density
    sizes = {number: network.populations[number].n_neurons for number in network.hidden}
    memory.need(
        f"stated activity: {n:,} inferences of {window} timesteps on {sum(sizes.values()):,} "
        f"neurons",
        PLACE_BYTES * n * window * sum(sizes.values()),
    )
    found = {number: np.zeros((n, window, size), np.int64) for number, size in sizes.items()}
    for inference in range(n):
        shown = 0
        for feed in stimulus.feeds:
            shown = zlib.crc32(np.ascontiguousarray(feed.values[inference], "<i4").tobytes(), shown)
        for number, size in sizes.items():
            draw = np.random.default_rng([stated.seed, shown, number, mode == SNN])
            places = draw.permutation(window * size)[: round(share * window * size)]
            values = 1 if mode == SNN else draw.integers(1, rate.timesteps + 1, len(places))
            found[number][inference].reshape(-1)[places] = values
    return found
