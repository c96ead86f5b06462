"""A workload is a value: made in Python or loaded, saved and loaded again it is the same."""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from simulator.describe.connections import Connection
from simulator.describe.library import names
from simulator.describe.network import (
    Feed,
    Layer,
    Network,
    Neuron,
    Population,
    Projection,
    Stimulus,
    chain,
    fed,
)
from simulator.describe.workload import Workload
from simulator.errors import InputError, SpikemeshError

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "study"))
from small_workloads import random_workloads  # noqa: E402


def parts(workload: Workload) -> dict:
    given = workload.placement or {}
    placement = {name: np.asarray(cores).tolist() for name, cores in given.items()}
    return {
        "name": workload.name,
        "about": workload.about,
        "network": workload.network.digest(),
        "stimulus": workload.stimulus.digest(),
        "twin": (workload.timesteps, workload.firing),
        "mapping": (placement, workload.neurons_per_core),
    }


@pytest.mark.parametrize("name", names("workload"))
def test_a_shipped_workload_is_the_same_after_saving(name: str, tmp_path: Path) -> None:
    workload = Workload.load(name)
    workload.save(tmp_path / "again")
    again = Workload.load(tmp_path / "again")
    assert parts(again) == parts(workload)
    assert again.digest() == workload.digest()
    assert sorted(path.name for path in (tmp_path / "again").iterdir()) == [
        "arrays.npz",
        "workload.yaml",
    ]


@settings(max_examples=30, deadline=None)
@given(workload=random_workloads())
def test_a_random_workload_is_the_same_after_saving(workload: Workload) -> None:
    with tempfile.TemporaryDirectory() as folder:
        workload.save(Path(folder) / "again")
        assert parts(Workload.load(Path(folder) / "again")) == parts(workload)


def small(**changes) -> Workload:
    """Return two inputs and three neurons, worked out by hand."""
    weight = np.array([[1, 2, 3], [-4, 5, 6]])
    neuron = Neuron("if", np.array([7, 7, 9]), np.zeros(3, int), np.zeros(3, int))
    layer = Layer("out", (3,), Connection("dense", weight, 8, (2,), (3,)), neuron)
    stimulus = fed("raster", np.array([[[0, 1], [1, 1]]]), 1)
    return Workload(**{
        "name": "small", "network": chain((2,), (layer,)), "stimulus": stimulus, "timesteps": 2,
    } | changes)  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"placement": {"out": [3, 1]}},
        {"neurons_per_core": 2, "firing": "accumulate"},
        {"about": "no: yes\n- [x] # 'ä'"},
        {"name": "null"},
    ],
    ids=str,
)
def test_every_part_of_a_workload_is_kept(changes: dict, tmp_path: Path) -> None:
    small(**changes).save(tmp_path / "again")
    again = Workload.load(tmp_path / "again")
    assert parts(again) == parts(small(**changes)) != parts(small())


def test_names_that_are_no_words_are_kept(tmp_path: Path) -> None:
    workload = small()
    entering, read = workload.network.populations
    populations = entering, replace(read, name="features[relu]/../x")
    workload = replace(workload, network=replace(workload.network, populations=populations))
    workload.save(tmp_path / "again")
    assert parts(Workload.load(tmp_path / "again")) == parts(workload)


def test_what_no_file_may_say_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    workload = replace(small(), stimulus=fed("raster", np.full((1, 2, 2), 5), 1))
    with pytest.raises(SpikemeshError, match="must lie within 0..1"):
        workload.save(tmp_path / "again")
    assert not list(tmp_path.iterdir())


def test_a_folder_with_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(InputError, match="must be a new or an empty folder"):
        small().save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


# what is passed, what is said
WRONG = [
    ({"name": ""}, "name: must be a text, not ''"),
    ({"network": None}, "network: must be a Network, not nothing"),
    ({"stimulus": [1]}, "stimulus: must be a Stimulus, not [1]"),
    ({"timesteps": 0}, "timesteps: must be a whole number of at least 1, not 0"),
    ({"timesteps": 2.0}, "timesteps: must be a whole number of at least 1, not 2.0"),
    ({"firing": "later"}, "firing: must be 'streaming' or 'accumulate', not 'later'"),
    ({"placement": {}}, "placement: must place every layer; 'out' is missing"),
    ({"placement": {"out": [1, 1]}}, "placement.out: must not use core 1 again: it holds 'out'"),
]


@pytest.mark.parametrize(("changes", "said"), WRONG, ids=[row[1] for row in WRONG])
def test_what_cannot_be_meant_is_refused(changes: dict, said: str) -> None:
    with pytest.raises(InputError) as error:
        small(**changes)
    assert str(error.value) == f"workload: {said}"


def test_arrays_are_integers_and_frozen() -> None:
    with pytest.raises(InputError, match="weight: must be an array of integers, not of float64"):
        Connection("dense", np.ones((2, 3)), 8, (2,), (3,))
    workload = small()
    for array in (
        workload.stimulus.feeds[0].values,
        workload.network.projections[0].connection.weight,
        workload.network.populations[1].neuron.threshold,
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_values_are_compared_by_digest_whatever_their_arrays_were_made_of() -> None:
    assert small() != small()
    assert small().digest() == small().digest() == pickle.loads(pickle.dumps(small())).digest()
    assert small(timesteps=1).digest() != small().digest()


#: of `small`, worked out once: another process, another Python, another numpy give the same
DIGESTS = {
    "network": "be31beb921d342fc9b7e08d7088f366d2d9d75973b715f1dea1f5fa3e819d573",
    "stimulus": "ef1e241a59e5a0b22652ad426b4fbfa69c45feacdadc2880ba53b7b69bf0d159",
}
PRINTED = """
import sys
sys.path[:0] = [{describe!r}, {study!r}]
from test_saving import small
from simulator.describe.chip import Chip
from simulator.study.pipeline import compute, prepare
workload = small()
prepared = prepare(workload, Chip.load("odin"))
scheduled = prepared.schedule(compute(workload, "snn"))
print(workload.network.digest(), workload.stimulus.digest(), workload.digest())
print(prepared.plan.digest(), scheduled.activity.digest(), prepared.digest, scheduled.digest)
"""


def test_digests_are_the_same_in_every_process() -> None:
    here = Path(__file__).resolve().parent
    code = PRINTED.format(describe=str(here), study=str(here.parent / "study"))
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1
    digests = said.pop().split()
    assert len(set(digests)) == 7
    assert digests[:2] == list(DIGESTS.values())


def graph() -> Workload:
    """Two inputs, a loop, delays of synapses and a residual sum: what only a graph can say."""
    one = np.ones(4, np.int64)
    spiking = Neuron(
        "cuba-lif", 9 * one, 0 * one, one, "value", decay=3, reset_at="held", reset_value=-one,
        lower_bound=-5 * one, current_decay=7, current_bits=12, graded_bits=3,
    )  # fmt: skip
    populations = (
        Population("a", (4,)),
        Population("b", (1, 2, 2)),
        Population("c", (4,), spiking),
        Population("d", (2,), Neuron("readout", one[:2], one[:2], one[:2], read="sum", decay=2)),
    )
    rows = dict(
        start=np.array([0, 1, 1, 2, 3]), index=np.array([3, 0, 0]), delay=np.array([0, 2, 1])
    )
    kernel = dict(stride=(1, 2), padding=(0, 1), dilation=(1, 2), groups=1)
    shape = (2, 2, 1)
    paths = (
        Projection(0, 2, Connection("sparse", np.array([1, -2, 3]), 8, (4,), (4,), **rows)),
        Projection(
            1,
            2,
            Connection("convolution", np.ones((2, 1, 1, 2), int), 8, (1, 2, 2), shape, **kernel),
        ),
        Projection(
            2,
            2,
            Connection("one-to-one", np.ones((3, 4), int), 2, (4,), (4,), per_timestep=True),
            None,
            1,
        ),
        Projection(
            2, 3, Connection("dense", np.ones((4, 2), int), 8, (4,), (2,)), bias=np.array([1, 2])
        ),
    )
    feeds = (
        Feed("current", np.array([[1, -2, 0, 3]]), 4),
        Feed("raster", np.ones((1, 3, 4), int), 1),
    )
    network = Network(populations, paths, (3, 2))
    return Workload("graph", network, Stimulus(feeds, np.array([1])), 3)


def test_every_part_of_a_graph_is_kept(tmp_path: Path) -> None:
    graph().save(tmp_path / "again")
    again = Workload.load(tmp_path / "again")
    assert parts(again) == parts(graph())
