"""Make the workloads keyword-stream and fanout: `python workloads/make_streams.py`.

keyword-stream: a listener that never stops. 16 bands of sound, one frame an inference of one
timestep; 48 LIF neurons that feed themselves a frame later, and 5 leaky readouts: four words and
silence. The state of all of them is carried from frame to frame (`stimulus.state: carried`). The
stream is made here: each utterance is 24 frames, a word a path of two formants through the bands,
spoken at a drawn pace and pitch, with stray spikes. A frame's label is the word that has been
spoken for HEARD frames, until LAG frames after its end; else silence. Weights into and among the
neurons are drawn with a seed, the readouts are fitted by ridge regression on the frames of 400
utterances; 100 others are shipped. No recording of anybody is in it.

fanout: 4 neurons, each driven by one input line and each leading to 1,024 others, to see what a
spike costs that goes to many (a core that holds all of them adds 1,024 weights for each spike).
"""

from __future__ import annotations

import shutil
from dataclasses import replace
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
#: frames of a word before it can be known, and frames after its end in which it still is
HEARD, LAG = 6, 2
#: of a readout's potential per frame, in 1/4096
READ_DECAY = 640
#: bands of two formants at the beginning, in the middle and at the end of a word
WORDS = {
    "go": ((3, 4, 2), (9, 7, 6)),
    "stop": ((8, 5, 3), (14, 12, 13)),
    "left": ((4, 4, 9), (7, 11, 14)),
    "right": ((9, 6, 4), (6, 12, 15)),
}
TARGETS, SOURCES = 1024, 4


def utterance(rng: np.random.Generator, word: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the spikes of one utterance, (frames, bands), and in which frames its word is known,
    (frames,) bool; None is silence.
    """
    spikes, known = rng.random((FRAMES, BANDS)) < 0.02, np.zeros(FRAMES, bool)
    if word is None:
        return spikes, known
    begin, length, shift = rng.integers(0, 5), rng.integers(15, 20), rng.normal(0, 0.4)
    place = np.linspace(0, 2, length)
    for formant in WORDS[word]:
        centre = np.interp(place, (0, 1, 2), formant) + shift
        distance = np.arange(BANDS)[None, :] - centre[:, None]
        chance = 0.9 * np.exp(-((distance / 0.8) ** 2))
        spikes[begin : begin + length] |= rng.random((length, BANDS)) < chance
    known[begin + HEARD : begin + length + LAG] = True
    return spikes, known


def stream(rng: np.random.Generator, n: int) -> Stimulus:
    """Return n utterances one after the other, a frame an inference; the last label is silence."""
    words = [*WORDS, None]
    spoken = rng.permutation(np.arange(n) % len(words))
    heard = [utterance(rng, words[word]) for word in spoken]
    values = np.concatenate([spikes for spikes, _ in heard])[:, None]
    known = np.concatenate([known for _, known in heard])
    labels = np.where(known, np.repeat(spoken, FRAMES), len(WORDS))
    return replace(fed("raster", values.astype(np.int32), 1, labels), carries=True)


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


def traces(network: Network, stimulus: Stimulus) -> np.ndarray:
    """Return the spikes of each hidden neuron up to each frame, fading as a readout does."""
    fading, seen = np.zeros(NEURONS), []
    for spikes in run(network, stimulus, "snn", 1).outputs:
        fading = fading * (1 - READ_DECAY / 4096) + spikes
        seen.append(fading)
    return np.array(seen)


def keyword_stream() -> Workload:
    """Return the fitted network and a stream it was not fitted to."""
    rng = np.random.default_rng(SEED)
    network = listener(rng)
    known, unknown = stream(rng, FITTED), stream(rng, SHIPPED)
    features = traces(network, known)
    classes = len(WORDS) + 1
    wanted = np.eye(classes)[known.labels]
    mean = features.mean(0)
    square = (features - mean).T @ (features - mean) + 30 * np.eye(NEURONS)
    weight = np.linalg.solve(square, (features - mean).T @ (wanted - wanted.mean(0)))
    scale = 127 / abs(weight).max()
    whole = np.clip(np.rint(weight * scale), -127, 127).astype(np.int8)
    level = np.rint((wanted.mean(0) - mean @ weight) * scale).astype(np.int64)
    each = np.rint(level * READ_DECAY / 4096).astype(np.int64)  # in every frame, against the leak
    read = Neuron("readout", level * 0, level, each, decay=READ_DECAY, potential_bits=24)
    joined = Connection("dense", whole, 8, (NEURONS,), (classes,))
    network = Network(
        (*network.populations, Population("words", (classes,), read)),
        (*network.projections, Projection(1, 2, joined)),
        (2,),
    )
    about = (
        f"A listener {BANDS}-{NEURONS}-{classes} of LIF neurons that feed themselves; its state is "
        f"carried from frame to frame of a stream of {SHIPPED} utterances of {FRAMES} frames: "
        f"{', '.join(WORDS)} and silence. Utterances, weights and readouts are made by "
        f"workloads/make_streams.py."
    )
    return Workload("keyword-stream", network, unknown, 1, about=about)


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
