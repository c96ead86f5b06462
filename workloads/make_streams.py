"""Make the workloads keyword-stream and fanout: `python workloads/make_streams.py`.

keyword-stream: 16 bands of sound, 24 frames of an utterance, one frame a timestep; 48 LIF neurons
that feed themselves a frame later and keep their potentials from frame to frame; 5 readouts: four
words and silence. The utterances are made here: each word is a path of two formants through the
bands, spoken at a drawn pace and pitch, with stray spikes. Weights into and among the neurons are
drawn with a seed, the readouts are fitted by ridge regression on 400 utterances; 100 others are
shipped. No recording of anybody is in it.

fanout: 4 neurons, each driven by one input line and each leading to 1,024 others, to see what a
spike costs that goes to many (a core that holds all of them adds 1,024 weights for each spike).
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from simulator.behaviour.raster import run
from simulator.describe.connections import Connection
from simulator.describe.network import Network, Neuron, Population, Projection, Stimulus, fed
from simulator.describe.workload import Workload

FOLDER = Path(__file__).parent
SEED = 23
BANDS, FRAMES, NEURONS = 16, 24, 48
FITTED, SHIPPED = 400, 100
#: bands of two formants at the beginning, in the middle and at the end of a word
WORDS = {
    "go": ((3, 4, 2), (9, 7, 6)),
    "stop": ((8, 5, 3), (14, 12, 13)),
    "left": ((4, 4, 9), (7, 11, 14)),
    "right": ((9, 6, 4), (6, 12, 15)),
}
TARGETS, SOURCES = 1024, 4


def utterance(rng: np.random.Generator, word: str | None) -> np.ndarray:
    """Return the spikes of one utterance, (frames, bands); None is silence."""
    spikes = rng.random((FRAMES, BANDS)) < 0.02
    if word is None:
        return spikes
    begin, length, shift = rng.integers(0, 5), rng.integers(15, 20), rng.normal(0, 0.4)
    place = np.linspace(0, 2, length)
    for formant in WORDS[word]:
        centre = np.interp(place, (0, 1, 2), formant) + shift
        distance = np.arange(BANDS)[None, :] - centre[:, None]
        chance = 0.9 * np.exp(-((distance / 0.8) ** 2))
        spikes[begin : begin + length] |= rng.random((length, BANDS)) < chance
    return spikes


def utterances(rng: np.random.Generator, n: int) -> Stimulus:
    """Return n utterances with their labels; the last label is silence."""
    words = [*WORDS, None]
    labels = rng.permutation(np.arange(n) % len(words))
    values = np.array([utterance(rng, words[label]) for label in labels])
    return fed("raster", values.astype(np.int32), 1, labels)


def drawn(rng: np.random.Generator, n_in: int, n_out: int, gain: float) -> Connection:
    """Return drawn weights of 8 bits from all to all."""
    weight = np.clip(np.rint(rng.normal(0, gain, (n_in, n_out))), -127, 127).astype(np.int8)
    return Connection("dense", weight, 8, (n_in,), (n_out,))


def listener(rng: np.random.Generator) -> Network:
    """Return the recurrent part, read by nothing but its spikes."""
    level = np.full(NEURONS, 90)
    zero = np.zeros(NEURONS, np.int64)
    cell = Neuron("lif", level, zero, zero, decay=512, potential_bits=16, lower_bound=-level)
    return Network(
        (Population("bands", (BANDS,)), Population("hidden", (NEURONS,), cell)),
        (
            Projection(0, 1, drawn(rng, BANDS, NEURONS, 45)),
            Projection(1, 1, drawn(rng, NEURONS, NEURONS, 14), delay=1),
        ),
        (1,),
    )


def counts(network: Network, stimulus: Stimulus) -> np.ndarray:
    """Return how often each hidden neuron fires in each utterance."""
    return run(network, stimulus, "snn", FRAMES).outputs


def keyword_stream() -> Workload:
    """Return the fitted network and the utterances it was not fitted to."""
    rng = np.random.default_rng(SEED)
    network = listener(rng)
    known, unknown = utterances(rng, FITTED), utterances(rng, SHIPPED)
    features = counts(network, known).astype(float)
    classes = len(WORDS) + 1
    wanted = np.eye(classes)[known.labels] - 1 / classes
    mean = features.mean(0)
    square = (features - mean).T @ (features - mean) + 30 * np.eye(NEURONS)
    weight = np.linalg.solve(square, (features - mean).T @ wanted)
    scale = 127 / abs(weight).max()
    whole = np.clip(np.rint(weight * scale), -127, 127).astype(np.int8)
    start = np.rint(-(mean @ weight) * scale).astype(np.int64)
    zero = np.zeros(classes, np.int64)
    read = Neuron("readout", zero + 1, start, zero, potential_bits=24)
    joined = Connection("dense", whole, 8, (NEURONS,), (classes,))
    network = Network(
        (*network.populations, Population("words", (classes,), read)),
        (*network.projections, Projection(1, 2, joined)),
        (2,),
    )
    about = (
        f"A listener {BANDS}-{NEURONS}-{classes} of LIF neurons that feed themselves and keep "
        f"their potentials from frame to frame, on {SHIPPED} utterances of {FRAMES} frames: "
        f"{', '.join(WORDS)} and silence. Utterances, weights and readouts are made by "
        f"workloads/make_streams.py."
    )
    return Workload("keyword-stream", network, unknown, FRAMES, about=about)


def fanout() -> Workload:
    """Return a few neurons that each lead to many."""
    rng = np.random.default_rng(SEED)
    few, many = np.ones(SOURCES, np.int64), np.ones(TARGETS, np.int64)
    relay = Neuron("if", few, 0 * few, 0 * few, potential_bits=16)
    cell = Neuron("if", 400 * many, 0 * many, 0 * many, potential_bits=16)
    entry = Connection("one-to-one", few.astype(np.int8), 2, (SOURCES,), (SOURCES,))
    network = Network(
        (
            Population("lines", (SOURCES,)),
            Population("sources", (SOURCES,), relay),
            Population("targets", (TARGETS,), cell),
        ),
        (Projection(0, 1, entry), Projection(1, 2, drawn(rng, SOURCES, TARGETS, 40))),
        (2,),
    )
    spikes = (rng.random((20, 10, SOURCES)) < 0.25).astype(np.int32)
    about = (
        f"{SOURCES} neurons that each lead to {TARGETS:,} others, spikes at random: what a spike "
        f"costs that goes to many. Made by workloads/make_streams.py."
    )
    return Workload("fanout", network, fed("raster", spikes, 1), 10, about=about)


def main() -> None:
    """Write both folders, and say how well the words are read."""
    for workload in (keyword_stream(), fanout()):
        folder = FOLDER / workload.name
        shutil.rmtree(folder, ignore_errors=True)
        workload.save(folder)
        read = run(workload.network, workload.stimulus, "snn", workload.timesteps)
        right = "" if read.accuracy is None else f", {read.accuracy:.0%} of them read right"
        n = workload.stimulus.n_inferences
        print(f"{workload.name}: {n} inferences{right}, {read.spike_rate:.3f} spikes a timestep")


if __name__ == "__main__":
    main()
