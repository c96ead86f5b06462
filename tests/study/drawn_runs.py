"""Random networks on random chips, run in random ways: every key that says when things happen and
how they are sent is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator import Chip, Workload
from simulator.describe.connections import DENSE, SPARSE, Connection
from simulator.describe.network import Network, Neuron, Population, Projection, fed
from simulator.describe.words import Mode
from simulator.errors import MappingError
from simulator.study.pipeline import Scheduled, compute, prepare

#: keys of the chip, and what they are drawn from; a value of several words sets several keys
KEYS: dict[str, tuple[str, ...]] = {
    "router.multicast": ("false", "true"),
    "router.pipeline": ("lookahead", "canonical"),
    "packet.spikes": ("events", "bitmap", "counts", "train"),
    "packet.activations": ("events", "bitmap", "dense"),
    "packet.events_per_packet": ("1", "1", "3"),
    "core.synapse.group": ("1", "2", "8"),
    "core.synapse.counts": ("planes", "multiply"),
    "core.synapse.zero_weight_skip": ("none", "index", "bitmap", "run_length core.synapse.run=2"),
    "core.soma.update": ("all", "touched"),
    "core.soma.clear": ("1 cycle", "3 cycles", "bulk"),
    "core.synapse.reuse": ("none", "window"),
    "gating.gate_after": ("never", "0 cycles", "3 cycles"),
    "gating.off_after": ("never", "never", "9 cycles"),
    "gating.retention": ("[weights, state]", "[state]", "[weights]"),
    "gating.unused": ("off", "gated", "clocked"),
    "step.planes": ("2", "3", "4"),
    "step.tick": ("none", "none", "64 cycles", "700 cycles"),
    "step.synchronisation": ("barrier", "tokens step.tick=none"),
    "barrier.tree": ("2 cycles", "null barrier.points=[[1,1 cycle]]"),
}
ENCODINGS = ("events", "bitmap", "dense", "auto")
#: what is done, whenever it is done; tokens and what wakes a core come on top
DONE = (
    "neuron_updates", "spikes", "accumulates", "macs", "count_accumulates", "events_generated",
    "resets", "threshold_tests", "clamps", "state_clears",
)  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """One draw: what was drawn by key, and the work of it."""

    choices: dict[str, str]
    scheduled: Scheduled
    #: the same work by barriers
    by_barriers: Scheduled


def network(rng: np.random.Generator, loops: bool) -> Network:
    """Return two to four populations behind an input, each fed by the one before it and perhaps by
    others, over delays where that closes one of `loops`.
    """
    sizes = [int(n) for n in rng.integers(3, 24, int(rng.integers(3, 6)))]
    populations = [Population("in", (sizes[0],))]
    for number, n in enumerate(sizes[1:], start=1):
        neuron = Neuron("if", rng.integers(20, 90, n), rng.integers(0, 20, n), 0 * np.arange(n))
        populations.append(Population(f"p{number}", (n,), neuron))
    ends = [(number - 1, number, int(rng.integers(0, 2))) for number in range(1, len(sizes))]
    for _ in range(int(rng.integers(0, 3))):
        target = int(rng.integers(1, len(sizes)))
        source = int(rng.integers(0, len(sizes) if loops else target))
        ends.append((source, target, int(rng.integers(1, 3)) if source >= target else 0))
    projections = [
        Projection(a, b, _connection(rng, sizes[a], sizes[b]), delay=d) for a, b, d in ends
    ]
    return Network(tuple(populations), tuple(projections), (len(sizes) - 1,))


def _connection(rng: np.random.Generator, n_in: int, n: int) -> Connection:
    if rng.random() < 0.6:
        weight = rng.integers(-40, 90, (n_in, n)) * (rng.random((n_in, n)) < 0.7)
        return Connection(DENSE, weight.astype(np.int32), 8, (n_in,), (n,))
    fan_out = rng.integers(0, min(4, n) + 1, n_in)
    fan_out[0] = max(fan_out[0], 1)
    index = np.concatenate([rng.permutation(n)[:many] for many in fan_out])
    start = np.concatenate([[0], np.cumsum(fan_out)])
    weight = rng.integers(-40, 90, start[-1]).astype(np.int32)
    return Connection(SPARSE, weight, 8, (n_in,), (n,), start=start, index=index)


def choices(rng: np.random.Generator) -> dict[str, str]:
    """Return what is drawn by key, and of a run; nothing that cannot stand beside the rest."""
    picked = {key: str(rng.choice(values)) for key, values in KEYS.items()}
    picked["firing"] = str(rng.choice(["streaming", "accumulate"]))
    picked["mode"] = str(rng.choice(["snn", "snn", "qnn"]))
    loops = picked["firing"] == "streaming" and picked["mode"] == "snn"
    picked["graph"] = str(rng.choice(["loops", "none"])) if loops else "none"
    picked["overlap"] = str(rng.choice(["no", "yes"]))
    windows = picked["packet.spikes"] in ("counts", "train")
    if picked["firing"] == "streaming" and windows:
        picked["packet.spikes"] = str(rng.choice(["events", "bitmap"]))
        windows = False
    if not windows:
        picked["core.synapse.reuse"] = "none"
    picked["encoding"] = "none" if windows else str(rng.choice(["none", "auto", "each"]))
    return picked


def draw(seed: int) -> Drawn | None:
    """Return the draw of a seed; None where its parts may not stand together."""
    rng = np.random.default_rng([13, seed])
    picked = choices(rng)
    whole = network(rng, picked["graph"] == "loops")
    senders = {whole.populations[path.source].name for path in whole.projections} - {"in"}
    encoding = {name: str(rng.choice(ENCODINGS)) for name in sorted(senders) if rng.random() < 0.7}
    inferences, timesteps = int(rng.integers(1, 4)), int(rng.integers(1, 5))
    values = rng.random((inferences, timesteps, whole.populations[0].n_neurons)) < 0.4
    workload = Workload(
        "drawn",
        whole,
        fed("raster", values.astype(np.int32), 1),
        timesteps,
        firing=picked["firing"],
        neurons_per_core=int(rng.integers(3, 12)),
        encoding={"none": None, "auto": "auto", "each": encoding}[picked["encoding"]],
    )
    texts = [f"{key}={picked[key]}".split(" ") for key in KEYS]
    changes = [part for words in texts for part in _settings(words)]
    gaps = np.zeros(inferences - 1, np.int64) if picked["overlap"] == "yes" else None
    mode: Mode = "qnn" if picked["mode"] == "qnn" else "snn"
    try:
        both = []
        for more in ((), ("step.synchronisation=barrier",)):
            chip = Chip.load("generic-22nm", (*changes, *more))
            computed = compute(workload, mode)
            both.append(prepare(workload, chip).schedule(computed, gaps=gaps))
    except MappingError:
        return None
    return Drawn(picked, *both)


def _settings(words: list[str]) -> list[str]:
    """Return the settings in words that were split at spaces, which values may hold too."""
    found = [words[0]]
    for word in words[1:]:
        if "=" in word:
            found.append(word)
        else:
            found[-1] += f" {word}"
    return found
