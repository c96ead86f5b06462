"""Small random networks of every connection, pooling, neuron and stimulus kind, for hypothesis."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from simulator.describe.network import Connection, Layer, Network, Neuron, Pool, Stimulus


def connection(
    rng: np.random.Generator, kind: str, shape: tuple[int, ...], targets: int
) -> Connection:
    n_in = int(np.prod(shape))
    if kind == "dense":
        return Connection(
            kind, rng.integers(-128, 128, (n_in, targets)).astype(np.int32), 8, shape, (targets,)
        )
    if kind == "sparse":
        start = np.concatenate([[0], np.cumsum(rng.integers(0, 4, n_in))])
        index = rng.integers(0, targets, start[-1])
        weight = rng.integers(-128, 128, start[-1]).astype(np.int32)
        return Connection(kind, weight, 8, shape, (targets,), start=start, index=index)
    stride, padding = int(rng.integers(1, 4)), int(rng.integers(0, 3))
    height, width = (int(rng.integers(1, min(5, side + 2 * padding) + 1)) for side in shape[1:])
    weight = rng.integers(-128, 128, (int(rng.integers(1, 4)), shape[0], height, width)).astype(
        np.int32
    )
    sides = ((side + 2 * padding - k) // stride + 1 for side, k in zip(shape[1:], (height, width)))
    return Connection(kind, weight, 8, shape, (len(weight), *sides), stride, padding)


@st.composite
def networks(
    draw: st.DrawFn, exact: bool = False, kinds: tuple[str, ...] = ("current", "raster", "graded")
):
    """Return (network, stimulus, timesteps).  exact: what a quantised twin allows (IF, subtract, no
    overflow).
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape: tuple[int, ...] = draw(st.sampled_from([(1, 4, 5), (2, 3, 3), (3, 6, 4)]))
    input_shape, layers, depth = shape, [], draw(st.integers(1, 3))
    for number in range(depth):
        kind = draw(
            st.sampled_from(
                ["dense", "sparse", "convolution"] if len(shape) == 3 else ["dense", "sparse"]
            )
        )
        joined = connection(rng, kind, shape, draw(st.integers(1, 9)))
        shape, pool = joined.output_shape, None
        if kind == "convolution" and min(shape[1:]) >= 2 and draw(st.booleans()):
            pool = Pool(draw(st.sampled_from(["max", "sum"])), 2)
            shape = (shape[0], shape[1] // 2, shape[2] // 2)
        n = int(np.prod(shape))
        models = ["if"] if exact else ["if", "lif"]
        model = draw(st.sampled_from(models + ["readout"] * (number + 1 == depth)))
        bits = 40 if exact else draw(st.sampled_from([9, 11, 32]))
        neuron = Neuron(
            model,
            threshold=rng.integers(1, 250, n),
            initial=rng.integers(0, 100, n),
            bias=rng.integers(-40, 41, n),
            reset="subtract" if exact else draw(st.sampled_from(["subtract", "zero"])),
            compare=draw(st.sampled_from([">=", ">"])),
            decay=draw(st.sampled_from([0, 1, 600, 4096])) if model == "lif" else 0,
            potential_bits=bits,
            overflow=draw(st.sampled_from(["saturate", "wrap"])),
        )
        layers.append(Layer(f"layer{number + 1}", shape, joined, neuron, pool))
    n, timesteps, kind = (
        draw(st.integers(1, 3)),
        draw(st.integers(1, 7)),
        draw(st.sampled_from(kinds)),
    )
    n_inputs = int(np.prod(input_shape))
    size = (n, n_inputs) if kind == "current" else (n, timesteps, n_inputs)
    values = (
        rng.integers(0, 2, size)
        if kind == "raster"
        else rng.integers(-3, 8, size) * rng.integers(0, 2, size)
    )
    return (
        Network(input_shape, tuple(layers)),
        Stimulus(kind, values, 4, rng.integers(0, n, n)),
        timesteps,
    )
