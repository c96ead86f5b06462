"""Activity that was recorded elsewhere takes the place of what is computed."""

from pathlib import Path

import numpy as np
import pytest

from simulator.behaviour import raster
from simulator.describe.workload import Workload
from simulator.errors import InputError
from simulator.importers.activity import load_activity
from simulator.study.simulation import run

NAMES = ("digits-mlp", "digits-cnn", "digits-recurrent", "digits-residual")


def computed(workload: Workload, mode: str = "snn", given=None) -> raster.Raster:
    return raster.run(
        workload.network, workload.stimulus, mode, workload.timesteps, limit=3, given=given
    )


def sent(found: raster.Raster, number: int) -> np.ndarray:
    return found.traces[number].unpacked(found.timesteps)


@pytest.mark.parametrize("mode", ["snn", "qnn"])
@pytest.mark.parametrize("name", NAMES)
def test_its_own_activity_changes_nothing(name: str, mode: str) -> None:
    workload = Workload.load(name)
    if name == "digits-recurrent" and mode == "qnn":
        return
    there = computed(workload, mode)
    firing = [n for n in workload.network.computed if workload.network.populations[n].fires]
    for some in (firing[:1], firing[-1:], firing):
        here = computed(workload, mode, {n: sent(there, n) for n in some})
        assert (there.outputs == here.outputs).all()
        for number, trace in enumerate(there.traces):
            assert (trace.start == here.traces[number].start).all()
            assert (trace.neuron == here.traces[number].neuron).all()
            assert (trace.value == here.traces[number].value).all()


def test_what_is_driven_follows_from_what_was_recorded() -> None:
    """Nothing recorded of the first layer: the second one has its bias alone."""
    workload = Workload.load("digits-mlp")
    first, second = workload.network.computed[:2]
    shape = (3, workload.timesteps, workload.network.populations[first].n_neurons)
    here = computed(workload, given={first: np.zeros(shape, np.int64)})
    neuron = workload.network.populations[second].neuron
    v, expected = neuron.initial.copy(), []
    for _ in range(workload.timesteps):
        v = v + neuron.bias
        expected.append(v >= neuron.threshold)
        v = v - expected[-1] * neuron.threshold
    assert (np.stack(expected) == sent(here, second)[0]).all()


def test_a_run_takes_a_trace_from_a_file(tmp_path: Path) -> None:
    workload = Workload.load("digits-mlp")
    there = computed(workload)
    names = {n: workload.network.populations[n].name for n in workload.network.computed[:2]}
    np.savez(tmp_path / "t.npz", **{f"{name}.spikes": sent(there, n) for n, name in names.items()})
    recorded = run(workload, trace=tmp_path / "t.npz")
    assert 3 == recorded.finished
    assert run(workload, limit=3).record.cycles == recorded.record.cycles
    np.savez(tmp_path / "quiet.npz", hidden1=np.zeros((2, 4, 128), np.int64))
    quiet = run(workload, trace=tmp_path / "quiet.npz")
    assert 0 == len(quiet.raster.traces[1].neuron)
    assert quiet.ledger.total < run(workload, limit=2).ledger.total


def hidden(n: int = 1, steps: int = 4, neurons: int = 128, value: float = 0) -> np.ndarray:
    return np.full((n, steps, neurons), value)


# what is said of a file                                             what it holds
REFUSED = [
    ("must name populations; 'hiden1' is none; did you mean 'hidden1'?", {"hiden1": hidden()}),
    ("output: must be left out: a readout sends nothing", {"output": hidden(neurons=10)}),
    ("hidden1: must have 4 timesteps an inference, not 5", {"hidden1": hidden(steps=5)}),
    (
        "hidden1: must have 128 values a timestep (shape [128]), not shape [1, 4, 127]",
        {"hidden1": hidden(neurons=127)},
    ),
    ("hidden1: must lie within 0..1, not 2..2", {"hidden1": hidden(value=2)}),
    ("hidden1: must hold whole numbers of at most 31 bits", {"hidden1": hidden(value=0.5)}),
    ("must be finite", {"hidden1": hidden(value=np.nan)}),
    (
        "input: must be left out: its values enter once, not every timestep",
        {"input": hidden(neurons=64)},
    ),
    (
        "must have as many inferences for every population",
        {"hidden1": hidden(), "hidden2": hidden(n=2, neurons=64)},
    ),
]


@pytest.mark.parametrize(("said", "held"), REFUSED, ids=[said[:40] for said, _ in REFUSED])
def test_a_trace_is_checked_against_the_graph(said: str, held: dict, tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", **held)
    with pytest.raises(InputError) as error:
        load_activity(tmp_path / "t.npz", Workload.load("digits-mlp"), "snn", 4)
    assert f"t.npz: {said}" == str(error.value)
