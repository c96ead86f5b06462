"""The committed digit workloads: every spike against the definitions, and the accuracy their
training claims.
"""

from pathlib import Path

import numpy as np
import pytest
from definitions import accumulated, quantised, streamed, unpacked

from simulator.behaviour.raster import run
from simulator.behaviour.twins import compare, require_equal
from simulator.describe.workload import Workload

FOLDER = Path(__file__).parents[2] / "workloads"
DIGITS = ["digits-mlp", "digits-cnn"]


@pytest.fixture(params=DIGITS, scope="module")
def workload(request):
    return Workload.load(FOLDER / request.param / "workload.yaml")


@pytest.mark.parametrize("firing", ["streaming", "accumulate"])
def test_every_spike_is_that_of_the_definitions(workload, firing):
    raster = run(workload.network, workload.stimulus, "snn", workload.timesteps, firing, limit=20)
    defined = streamed if firing == "streaming" else accumulated
    spikes, _, outputs, overflows = defined(
        workload.network, first(workload.stimulus, 20), workload.timesteps
    )
    for number in workload.network.computed:
        trace = raster.traces[number]
        assert np.array_equal(spikes[number], unpacked(trace, workload.timesteps))
    assert np.array_equal(outputs, raster.outputs)
    assert (overflows, raster.overflows) == (0, 0)


def test_every_activation_is_that_of_the_definitions(workload):
    raster = run(workload.network, workload.stimulus, "qnn", workload.timesteps, limit=20)
    activations, _, outputs = quantised(
        workload.network, first(workload.stimulus, 20), workload.timesteps
    )
    for number in workload.network.computed:
        assert np.array_equal(activations[number], unpacked(raster.traces[number], 1)[:, 0])
    assert np.array_equal(outputs, raster.outputs)


def first(stimulus, n):
    return stimulus.chosen(np.arange(n))


# workload: right answers of 450 by the float network, the quantised and the spiking twin; spikes of
# the hidden layers
LINES = {"digits-mlp": (446, 447, 446, 26153), "digits-cnn": (447, 445, 446, 133286)}


@pytest.mark.parametrize("name", DIGITS)
def test_accuracy_and_spike_rate_are_those_of_the_training(name):
    workload = Workload.load(FOLDER / name / "workload.yaml")
    snn, qnn = (
        run(workload.network, workload.stimulus, mode, workload.timesteps)
        for mode in ("snn", "qnn")
    )
    labels = workload.stimulus.labels
    spikes = sum(len(trace.neuron) for trace in snn.traces[1:])
    right = [
        int((found == labels).sum())
        for found in (by_float(workload), qnn.predictions, snn.predictions)
    ]
    assert LINES[name] == (*right, spikes)
    assert right[0] / 450 >= 0.97 and right[1] / 450 >= 0.965 and right[2] / 450 >= 0.965
    assert (qnn.accuracy, snn.accuracy) == (right[1] / 450, right[2] / 450)
    assert snn.spike_rate <= 0.15
    neurons = sum(one.n_neurons for one in workload.network.populations[1:-1])
    assert spikes == round(snn.spike_rate * neurons * 450 * workload.timesteps)


def by_float(workload):
    """Predictions of the float network the integers were tuned from: activations clip(z, 0, 1)."""
    entering, network = workload.stimulus.feeds[0].values / 16, workload.network
    with np.load(workload.files[1].with_name("float.npz")) as arrays:
        for layer, path in zip(network.populations[1:], network.projections):
            weight, bias = arrays[f"{layer.name}.weight"], arrays[f"{layer.name}.bias"]
            z = (
                convolved(path.connection, entering, weight)
                if weight.ndim == 4
                else entering @ weight
            )
            entering = np.clip(z + np.repeat(bias, z.shape[1] // len(bias)), 0, 1)
    return (z + bias).argmax(1)


def convolved(connection, entering, weight):
    images = entering.reshape(-1, *connection.input_shape)
    width, stride = connection.padding[0], connection.stride[0]
    images = np.pad(images, [(0, 0), (0, 0), (width, width), (width, width)])
    windows = np.lib.stride_tricks.sliding_window_view(images, weight.shape[2:], (2, 3))
    windows = windows[:, :, ::stride, ::stride]
    return np.einsum("niyxab,oiab->noyx", windows, weight).reshape(len(images), -1)


def test_the_constant_current_of_the_first_layer_is_exact_and_gathering_first_is_exact(workload):
    twin = run(workload.network, workload.stimulus, "qnn", workload.timesteps)
    streaming = compare(run(workload.network, workload.stimulus, "snn", workload.timesteps), twin)
    assert streaming.populations[0].differing == 0 < streaming.populations[1].differing
    require_equal(
        run(workload.network, workload.stimulus, "snn", workload.timesteps, "accumulate"), twin
    )


def test_weights_are_stored_as_bytes_and_a_workload_stays_small(workload):
    with np.load(workload.files[1]) as arrays:
        assert {array.dtype for key, array in arrays.items() if key.endswith("weight")} == {
            np.dtype(np.int8)
        }
    assert sum(path.stat().st_size for path in workload.files[1].parent.iterdir()) < 200_000


def test_kernels_are_compiled_for_dense_rows_alone_where_a_network_has_no_others():
    from simulator.behaviour import parts
    from simulator.behaviour.trace import Source

    def is_dense(name):
        network = Workload.load(FOLDER / name / "workload.yaml").network
        sources = {n: Source(1, False) for n in range(len(network.populations))}
        found = [parts.prepare(network, (n,), sources, delays=True) for n in network.computed]
        return [one.part.target is None for one in found]

    assert [True, True, True] == is_dense("digits-mlp")
    assert [False, False, False] == is_dense("digits-cnn")
    assert [False, False] == is_dense("fanout")
