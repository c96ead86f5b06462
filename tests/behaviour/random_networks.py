"""Small random graphs of every connection, pooling, neuron and stimulus kind, for hypothesis."""

from __future__ import annotations

import networkx
import numpy as np
from hypothesis import strategies as st

from simulator.describe.connections import Connection
from simulator.describe.network import (
    Feed,
    Network,
    Neuron,
    Pool,
    Population,
    Projection,
    Stimulus,
)

SHAPES = [(1, 4, 5), (2, 3, 3), (4, 4, 2), (7,)]
KINDS = ("dense", "sparse", "convolution", "one-to-one")


class Draw:
    """One random graph, from one seeded generator."""

    def __init__(self, seed: int, exact: bool, kinds: tuple[str, ...], timesteps: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.exact, self.timesteps = exact, timesteps
        #: weights that change need a source that sends in every timestep
        self.may_vary = not exact and "current" not in kinds

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def among(self, *choices):
        return choices[int(self.rng.integers(len(choices)))]

    def weights(self, *shape: int) -> tuple[np.ndarray, dict]:
        """Weights and what goes with them: ternary, or one plane per timestep."""
        more: dict = {}
        if self.may_vary and self.chance(0.2):
            more["per_timestep"] = True
            shape = (self.timesteps, *shape)
        if self.chance(0.2):
            return self.rng.integers(-1, 2, shape).astype(np.int8), more | {"weight_bits": 2}
        bits = self.among(4, 8, 12)
        weight = self.rng.integers(-(1 << (bits - 1)), 1 << (bits - 1), shape)
        return weight.astype(np.int32), more | {"weight_bits": bits}

    def connection(self, kind: str, shape: tuple[int, ...], after: tuple[int, ...] | None):
        """A connection from `shape` to `after` (any, where it is None), and its pooling; None where
        there is none.
        """
        n_in = int(np.prod(shape))
        if kind == "convolution":
            return self.convolution(shape, after)
        if kind == "one-to-one":
            if after is not None and np.prod(after) != n_in:
                return None
            weight, more = self.weights(n_in)
            return Connection(kind, weight, input_shape=shape, output_shape=(n_in,), **more), None
        n_out = int(self.rng.integers(1, 9)) if after is None else int(np.prod(after))
        if kind == "dense":
            weight, more = self.weights(n_in, n_out)
        else:
            start = np.concatenate([[0], np.cumsum(self.rng.integers(0, 4, n_in))])
            weight, more = self.weights(start[-1])
            more |= {"start": start, "index": self.rng.integers(0, n_out, start[-1])}
            if self.chance(0.5):
                more["delay"] = self.rng.integers(0, 4, start[-1])
        return Connection(kind, weight, input_shape=shape, output_shape=(n_out,), **more), None

    def convolution(self, shape: tuple[int, ...], after: tuple[int, ...] | None):
        if len(shape) != 3 or (after is not None and len(after) != 3):
            return None
        for _ in range(30 if after else 5):
            groups = self.among(*(g for g in (1, 2, 4) if shape[0] % g == 0))
            channels = groups * int(self.rng.integers(1, 4)) if after is None else after[0]
            size, stride, dilation = (tuple(self.rng.integers(1, 4, 2).tolist()) for _ in range(3))
            padding = tuple(int(self.rng.integers(0, 3)) for _ in range(2))
            sides = [
                (side + 2 * pad - step * (kernel - 1) - 1) // move + 1
                for side, pad, step, kernel, move in zip(shape[1:], padding, dilation, size, stride)
            ]
            if min(sides) < 1 or channels % groups:
                continue
            pool = None
            if min(sides) >= 2 and self.chance(0.5):
                pool = Pool(self.among("max", "sum"), 2)
            pooled = [side // 2 for side in sides] if pool else sides
            if after is not None and (channels, *pooled) != after:
                continue
            weight, more = self.weights(channels, shape[0] // groups, *size)
            more |= {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
            joined = Connection(
                "convolution", weight, input_shape=shape, output_shape=(channels, *sides), **more
            )
            return joined, pool
        return None

    def neuron(self, n: int, fires: bool) -> Neuron:
        rng, exact = self.rng, self.exact
        if exact:
            model = "if" if fires else "readout"
        else:
            model = self.among(
                *(("if", "lif", "cuba-lif") if fires else ("readout", "cuba-readout"))
            )
        reset = "subtract" if exact else self.among("subtract", "zero", "value")
        late = ("same", "next") if reset == "subtract" else ("same", "next", "held")
        leaks = model not in ("if",) and not exact
        compares = [">=", ">"]
        graded = self.among(0, 0, 1, 2, 5) if fires and not exact else 0
        late = "same" if exact else self.among(*late)
        if reset == "subtract" and late == "same" and not graded:
            compares += ["even", "odd"]
        return Neuron(
            model,
            threshold=rng.integers(1, 250, n),
            initial=rng.integers(0, 100, n),
            bias=rng.integers(-40, 41, n),
            reset=reset,
            compare=self.among(*compares),
            decay=self.among(0, 1, 600, 4096) if leaks else 0,
            potential_bits=40 if exact else self.among(9, 11, 32),
            overflow=self.among("saturate", "wrap"),
            reset_at=late,
            reset_value=rng.integers(-50, 50, n) if reset == "value" else None,
            lower_bound=rng.integers(-90, 1, n) if not exact and self.chance(0.3) else None,
            current_decay=self.among(0, 300, 2048, 4096) if "cuba" in model else 0,
            current_bits=self.among(8, 10, 24),
            graded_bits=graded,
            limit=self.among(None, 1, 2, 5) if fires and "even" in compares else None,
            gain=rng.integers(-3, 6, n) if "cuba" not in model and self.chance(0.3) else None,
            read="last" if exact or fires else self.among("last", "sum", "maximum"),
        )

    def network(self, n_inputs: int, n_computed: int) -> Network:
        populations = [Population(f"input{k}", self.among(*SHAPES)) for k in range(n_inputs)]
        projections: list[Projection] = []
        for number in range(n_inputs, n_inputs + n_computed):
            fires = number == n_inputs or number + 1 < n_inputs + n_computed or self.chance(0.4)
            sources = [k for k, p in enumerate(populations) if p.fires]
            source = self.among(*sources) if number > n_inputs else 0
            found = None
            while found is None:
                found = self.connection(self.among(*KINDS), populations[source].shape, None)
            connection, pool = found
            shape = connection.output_shape
            if pool is not None:
                shape = (shape[0], shape[1] // 2, shape[2] // 2)
            n = int(np.prod(shape))
            populations.append(Population(f"population{number}", shape, self.neuron(n, fires)))
            projections.append(self.projection(source, number, connection, pool, n))
        for _ in range(int(self.rng.integers(0, 5))):
            self.more(populations, projections, n_inputs)
        outputs = tuple(
            number
            for number in range(n_inputs, len(populations))
            if not populations[number].fires or number + 1 == len(populations) or self.chance(0.2)
        )
        return Network(tuple(populations), tuple(projections), outputs)

    def projection(self, source, target, connection, pool, n) -> Projection:
        bias = self.rng.integers(-30, 31, n) if self.chance(0.2) else None
        return Projection(source, target, connection, pool, self.among(0, 0, 1, 2, 3), bias)

    def more(self, populations, projections, n_inputs: int) -> None:
        """Another projection between any two populations; one that would close a cycle without
        delay gets a delay.
        """
        source = self.among(*(k for k, p in enumerate(populations) if p.fires))
        target = int(self.rng.integers(n_inputs, len(populations)))
        if self.exact and source >= target:
            return
        shapes = populations[source].shape, populations[target].shape
        found = self.connection(self.among(*KINDS), *shapes)
        if found is None:
            return
        new = self.projection(source, target, *found, populations[target].n_neurons)
        graph = networkx.DiGraph()
        graph.add_edges_from((p.source, p.target) for p in projections if p.least_delay == 0)
        graph.add_edge(source, target)
        if new.least_delay == 0 and not networkx.is_directed_acyclic_graph(graph):
            new = Projection(source, target, *found, 1, new.bias)
        projections.append(new)


def built(rng: Draw, kinds: tuple[str, ...], n_computed: int, n: int):
    """Return (network, stimulus) of so many populations behind one input of each kind, fed n
    times.
    """
    network = rng.network(len(kinds), n_computed)
    feeds, random = [], rng.rng
    for number, kind in zip(network.inputs, kinds):
        n_inputs = network.populations[number].n_neurons
        size = (n, n_inputs) if kind == "current" else (n, rng.timesteps, n_inputs)
        values = random.integers(0, 2, size)
        if kind != "raster":
            values = random.integers(-3, 8, size) * values
        feeds.append(Feed(kind, values, 4))
    first = network.populations[network.outputs[0]].n_neurons
    return network, Stimulus(tuple(feeds), random.integers(0, first, n))


FED = ("current", "raster", "graded")


@st.composite
def networks(draw: st.DrawFn, exact: bool = False, kinds: tuple[str, ...] = FED):
    """Return (network, stimulus, timesteps).  exact: what a quantised twin allows (no cycle, IF,
    subtract, no overflow).
    """
    timesteps = draw(st.integers(1, 7))
    chosen = tuple(draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=2)))
    random = Draw(draw(st.integers(0, 2**32)), exact, chosen, timesteps)
    network, stimulus = built(random, chosen, draw(st.integers(1, 4)), draw(st.integers(1, 3)))
    return network, stimulus, timesteps


def numbered(seed: int):
    """Return the same from a seed alone, for sweeps that count what they ran."""
    rng = np.random.default_rng([11, seed])
    timesteps = int(rng.integers(1, 8))
    chosen = tuple(str(kind) for kind in rng.choice(FED, int(rng.integers(1, 3))))
    random = Draw(int(rng.integers(1 << 32)), False, chosen, timesteps)
    network, stimulus = built(random, chosen, int(rng.integers(1, 5)), int(rng.integers(1, 4)))
    return network, stimulus, timesteps
