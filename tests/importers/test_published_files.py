"""Published graphs and a trained CNN, which are not shipped: SPIKEMESH_DATA names their folder.

It holds nir/ (paper/ of github.com/neuromorphs/NIR: 01_lif, 02_cnn, 03_rnn, and others/) and
spikingcnn-mnist/spikingcnn_int8.npz (the checkpoint of github.com/Vivekk-007/Quantized_SNN, in
int8).
Without it these tests are skipped.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from simulator.behaviour import raster
from simulator.describe.chip import Chip
from simulator.describe.connections import Connection
from simulator.describe.network import (
    Network,
    Neuron,
    Pool,
    Population,
    Projection,
    Stimulus,
    fed,
)
from simulator.describe.workload import Workload
from simulator.errors import SpikemeshError
from simulator.importers.checks import compare, expected
from simulator.importers.choices import Choices
from simulator.importers.entering import in_reals
from simulator.importers.formats import import_file
from simulator.importers.nir import floating_of
from simulator.study.importing import bring
from simulator.study.simulation import run
from simulator.study.timesteps import sweep

DATA = Path(os.environ.get("SPIKEMESH_DATA", "/nowhere"))
NIR = DATA / "nir"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="SPIKEMESH_DATA names no folder")
BRAILLE = {"noDelay_bias_zero": "zero", "noDelay_noBias_subtract": "subtract"}


def test_lif_norse_spikes_as_recorded() -> None:
    floating, _, _ = floating_of(NIR / "01_lif/lif_norse.nir", Choices(dt=1e-4))
    given = expected(NIR / "01_lif/lif_norse.csv", floating)
    (one,) = compare(floating, given, in_reals(floating, given.stimulus, None))
    assert (460, 510, 710, 760) == one.instants
    assert 0 == one.differing and one.furthest < 3e-8
    brought = bring(
        NIR / "01_lif/lif_norse.nir", Choices(dt=1e-4), check=NIR / "01_lif/lif_norse.csv"
    )
    assert [0] == [one.differing for one in brought.changed]


def test_every_file_imports_or_is_refused_in_one_line() -> None:
    files = sorted(NIR.rglob("*.nir"))
    assert 13 <= len(files)
    refused = []
    for file in files:
        try:
            imported = import_file(file, Choices(dt=1e-4))
            assert imported.network.computed
        except SpikemeshError as error:
            assert 1 == len(str(error).splitlines())
            refused.append(file.parent.name)
    assert ["extras", "extras"] == refused  # their edges name nodes that are not there


def test_the_cnn_maps_and_runs() -> None:
    brought = bring(NIR / "02_cnn/cnn_sinabs.nir", Choices(timesteps=8), rate=0.05, limit=1)
    neurons = [p.n_neurons for p in brought.workload.network.populations if p.neuron is not None]
    assert 8970 == sum(neurons)
    found = run(brought.workload, "generic-22nm", "snn", limit=1)
    assert 1 == found.finished and 0 == found.raster.overflows


def test_the_cnn_reads_the_digits_of_a_chip_s_first_layer() -> None:
    """What the first layer fired on Speck for the digits 0 to 9 drives the second one: published
    are counts, which are spread evenly over 100 timesteps here; the 3 is taken for a 5.
    """
    counts = np.load(NIR / "02_cnn/speck_activity.npy").reshape(10, 1, -1).astype(int)
    t = np.arange(100)[None, :, None]
    spikes = ((t + 1) * counts // 100 > t * counts // 100).astype(int)
    assert counts.sum() == spikes.sum()
    imported = import_file(NIR / "02_cnn/cnn_sinabs.nir", Choices(timesteps=100))
    nothing = fed("raster", np.zeros((10, 100, 2312), np.int32), 1)
    found = raster.run(imported.network, nothing, "snn", 100, given={1: spikes})
    assert [0, 1, 2, 5, 4, 5, 6, 7, 8, 9] == found.predictions.tolist()
    assert 0 == found.overflows


def recorded(path: Path, n: int) -> np.ndarray:
    array = np.load(path)
    return array.T if array.shape[0] == n else array


@pytest.mark.parametrize("model", BRAILLE)
def test_braille_networks_run_and_give_the_published_class(model: str, tmp_path: Path) -> None:
    """The first layer's recorded spikes drive the second one: all simulators see one letter."""
    file = NIR / f"03_rnn/braille_{model}.nir"
    choices = Choices(reset=BRAILLE[model], reset_at="same", timesteps=256)
    brought = bring(file, choices, rate=0.05, limit=1)
    first = brought.workload.network.populations[1]
    for tool in ("snntorch", "norse", "spyx", "nengo", "s2"):
        spikes = recorded(NIR / f"03_rnn/{tool}_activity_{model}.npy", first.n_neurons)
        floating = brought.imported.floating
        ran = floating.run({0: np.zeros((1, 256, 12))}, given={1: (spikes > 0).astype(float)[None]})
        assert 1 == ran.sent[2].sum(axis=1).argmax(), tool
        np.savez(tmp_path / f"{tool}.npz", **{first.name: (spikes > 0).astype(np.uint8)[None]})
        chip = "loihi1" if tool != "snntorch" else "generic-22nm"
        if tool in ("snntorch", "norse"):
            found = run(brought.workload, chip, "snn", trace=tmp_path / f"{tool}.npz")
            assert [1] == found.raster.predictions.tolist()


def spiking_cnn() -> tuple[dict, Network, Stimulus]:
    held = dict(np.load(DATA / "spikingcnn-mnist/spikingcnn_int8.npz"))
    shapes = [(32, 28, 28), (64, 7, 7), (256,)]
    populations = [Population("image", (1, 28, 28))]
    for k, shape in enumerate(shapes):
        n = int(np.prod(shape))
        level = np.full(n, held["threshold"][k], np.int64)
        bias = np.repeat(held[f"bias{k + 1}"].astype(np.int64), n // shape[0])
        zero = np.zeros(n, np.int64)
        neuron = Neuron("if", level, zero, bias, reset="zero", compare=">")
        populations.append(Population(f"layer{k + 1}", shape, neuron))
    zero = np.zeros(10, np.int64)
    last = Neuron("readout", zero, zero, held["bias4"].astype(np.int64))
    populations.append(Population("output", (10,), last))
    first = Connection("convolution", held["conv1"], 8, (1, 28, 28), (32, 28, 28), padding=1)
    second = Connection("convolution", held["conv2"], 8, (32, 28, 28), (64, 28, 28), padding=1)
    third = Connection("dense", held["fc1"].T, 8, (64, 7, 7), (256,))
    fourth = Connection("dense", held["fc2"].T, 8, (256,), (10,))
    projections = (
        Projection(0, 1, first),
        Projection(1, 2, second, Pool("max", 4)),
        Projection(2, 3, third),
        Projection(3, 4, fourth),
    )
    network = Network(tuple(populations), projections, (4,))
    images = held["images"].reshape(500, -1).astype(np.int64) - 33
    return held, network, fed("current", images, 9, held["labels"].astype(np.int64))


def slid(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """A 3x3 cross-correlation with one row of zeros around, tap by tap; float32 holds it whole."""
    x = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    out = np.zeros((len(x), len(weight), 28, 28), np.float32)
    for ky, kx in np.ndindex(3, 3):
        seen = x[:, :, ky : ky + 28, kx : kx + 28]
        out += np.einsum("oc,ncyx->noyx", weight[:, :, ky, kx], seen, optimize=True)
    return out


def plain(held: dict, images: np.ndarray, timesteps: int):
    """The network as its code has it, in numpy: spikes of each layer and timestep, and outputs."""
    weight = {name: held[name].astype(np.float32) for name in ("conv1", "conv2", "fc1", "fc2")}
    bias = [held[f"bias{k}"].astype(np.float32) for k in (1, 2, 3, 4)]
    n = len(images)
    first = slid(images.reshape(n, 1, 28, 28).astype(np.float32), weight["conv1"])
    first += bias[0][:, None, None]
    v = [np.zeros((n, *shape), np.float32) for shape in ((32, 28, 28), (64, 7, 7), (256,))]
    spikes, outs, out = [], [], np.zeros((n, 10), np.float32)
    for _ in range(timesteps):
        sent = []
        for k in range(3):
            if k == 0:
                current = first
            elif k == 1:
                pooled = slid(sent[0], weight["conv2"]).reshape(n, 64, 7, 4, 7, 4)
                current = pooled.max((3, 5)) + bias[1][:, None, None]
            else:
                current = sent[1].reshape(n, -1) @ weight["fc1"].T + bias[2]
            v[k] = v[k] + current
            fired = v[k] > held["threshold"][k]
            v[k] = np.where(fired, np.float32(0), v[k])
            sent.append(fired.astype(np.float32))
        out = out + sent[2] @ weight["fc2"].T + bias[3]
        outs.append(out)
        spikes.append([layer.reshape(n, -1).astype(bool) for layer in sent])
    return spikes, outs


#: T, spikes of an image on average, images of 500 that are read right
SPIKES = [(1, 2981, 467), (2, 7321, 479), (4, 16228, 485), (8, 33695, 485)]


def test_the_spiking_cnn_gives_the_spikes_of_plain_numpy() -> None:
    """All 500 images, every spike of every timestep; a shorter window is the beginning of a longer
    one.
    """
    held, network, stimulus = spiking_cnn()
    images, longest = stimulus.feeds[0].values, SPIKES[-1][0]
    ran = {t: raster.run(network, stimulus, "snn", t) for t, _, _ in SPIKES}
    found, total, right = ran[longest], np.zeros(longest, int), np.zeros(longest, int)
    for first in range(0, 500, 25):
        spikes, outs = plain(held, images[first : first + 25], longest)
        for t in range(longest):
            right[t] += (outs[t].argmax(1) == stimulus.labels[first : first + 25]).sum()
            total[t] += sum(int(layer.sum()) for layer in spikes[t])
            if t + 1 in ran:
                assert (outs[t] == ran[t + 1].outputs[first : first + 25]).all()
        for k in range(3):
            trace = found.traces[k + 1]
            for image, t in np.ndindex(25, longest):
                step = (first + image) * longest + t
                mine = trace.neuron[trace.start[step] : trace.start[step + 1]]
                assert (np.flatnonzero(spikes[t][k][image]) == mine).all()
    for t, each, known in SPIKES:
        sent = sum(len(trace.neuron) for trace in ran[t].traces[1:4])
        assert (total[:t].sum(), right[t - 1]) == (sent, round(ran[t].accuracy * 500))
        assert (each, known) == (round(sent / 500), right[t - 1])


def test_the_timestep_study_counts_those_spikes(tmp_path: Path) -> None:
    """By path; `spikemesh timesteps` without a limit does the same for all images."""
    held, network, stimulus = spiking_cnn()
    Workload("spikingcnn", network, stimulus, 4).save(tmp_path / "cnn")
    chip = Chip.load("generic-22nm")
    points = sweep(Workload.load(tmp_path / "cnn"), chip, (1, 2, 4), limit=3)
    spikes, outs = plain(held, stimulus.feeds[0].values[:3], 4)
    by_timestep = np.cumsum([sum(int(layer.sum()) for layer in one) for one in spikes])
    for point in points:
        t = point.timesteps
        assert by_timestep[t - 1] / 3 == point.events
        assert (outs[t - 1].argmax(1) == stimulus.labels[:3]).mean() == point.accuracy
