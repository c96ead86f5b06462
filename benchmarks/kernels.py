"""The synaptic kernels alone: synaptic operations per second of dense, sparse and convolutional
rows.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks import measure
from benchmarks.figures import Figure, Peer
from benchmarks.races import Settings
from simulator.describe.connections import CONVOLUTION, DENSE, SPARSE, Connection
from simulator.describe.network import Layer, Neuron, chain

#: what SANA-FE does in all of its work
PEER = Peer("SANA-FE", 5.9e6, recorded=True)
N_IN, N_OUT, DENSITY = 2048, 1024, 0.05


def layers(seed: int) -> dict[str, tuple[Layer, float]]:
    """Return layers of int8 weights and the synapses of an average source."""
    rng = np.random.default_rng(seed)

    def layer(
        kind: str,
        weight: np.ndarray,
        before: tuple[int, ...],
        after: tuple[int, ...],
        **more: object,
    ) -> Layer:
        n = int(np.prod(after))
        neuron = Neuron("lif", np.ones(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64))
        return Layer(kind, after, Connection(kind, weight, 8, before, after, **more), neuron)  # type: ignore[arg-type]

    dense = layer(DENSE, rng.integers(-128, 128, (N_IN, N_OUT), np.int8), (N_IN,), (N_OUT,))
    present = rng.random((N_IN, N_OUT)) < DENSITY
    index = np.nonzero(present)[1].astype(np.int32)
    start = np.concatenate([[0], np.cumsum(present.sum(axis=1))])
    weight = rng.integers(-128, 128, len(index), np.int8)
    sparse = layer(SPARSE, weight, (N_IN,), (N_OUT,), start=start, index=index)
    kernel = rng.integers(-128, 128, (64, 32, 3, 3), np.int8)
    convolution = layer(CONVOLUTION, kernel, (32, 16, 16), (64, 16, 16), padding=1)
    inside = (3 * 16 - 2) ** 2  # kernel positions of a row or column that fall inside, both ways
    return {
        "dense int8 rows": (dense, float(N_OUT)),
        f"packed sparse int8 rows, {DENSITY:.0%}": (sparse, len(index) / N_IN),
        "3x3 convolution, 64 channels": (convolution, 64 * inside / 256),
    }


def kernels(settings: Settings) -> list[Figure]:
    """Add the rows of spikes of many timesteps to currents, and nothing else."""
    from simulator.behaviour import parts, synapses
    from simulator.behaviour.trace import Source
    from simulator.jit import kernel

    @kernel
    def gather(part, strand, current, neuron, value):
        synapses.gather(part, strand, 0, current, neuron, value, 0, len(neuron))

    rng = np.random.default_rng(settings.seed)
    figures = []
    for name, (layer, fan_out) in layers(settings.seed).items():
        network = chain(layer.connection.input_shape, [layer])
        ready = parts.prepare(network, (1,), {0: Source(1, False)}, delays=True)
        part, strand = ready.part, ready.part.strand[0]
        current = np.zeros(ready.n_out, ready.dtype)
        # every source equally often, so that the average fan-out is that of the run
        spikes = 1 << 13 if settings.is_quick else 1 << 18
        neuron = np.concatenate(
            [rng.permutation(layer.connection.n_in) for _ in range(spikes // layer.connection.n_in)]
        )
        value = np.ones(len(neuron), np.int32)
        neuron = neuron.astype(np.int32)
        gather(part, strand, current, neuron[:1], value[:1])
        seconds = measure.repeated(
            partial(gather, part, strand, current, neuron, value), settings.repeat
        )
        target = 5e9 if layer.connection.kind == DENSE else None
        figures.append(
            Figure(
                f"arithmetic alone: {name}",
                seconds.rate(len(neuron) * fan_out),
                "SOP/s",
                target,
                peers=(PEER,),
            )
        )
    return figures
