"""State that is carried from inference to inference, on a chip [W30]."""

from dataclasses import replace

import numpy as np
import pytest
from test_graphs import graph

from simulator.describe.chip import Chip
from simulator.describe.workload import Workload
from simulator.errors import InputError
from simulator.mapping.memories import size_of
from simulator.mapping.plan import WORK_COUNTERS
from simulator.study import chunks
from simulator.study.pipeline import compute, prepare
from simulator.study.stream import make_stream
from simulator.timing.record import first_divergence


def carrying(workload: Workload, carries: bool = True) -> Workload:
    return replace(workload, stimulus=replace(workload.stimulus, carries=carries))


# populations, projections, planes of accumulators of each but the input where state is carried
PLANES = [
    ("iab", [("i", "a", 0), ("a", "b", 0)], (2, 2)),
    ("ia", [("i", "a", 0), ("a", "a", 1)], (2,)),
    ("ia", [("i", "a", 0), ("a", "a", 4)], (5,)),
    # C works two steps after A: when an inference ends, three timesteps of A are on their way
    ("iabc", [("i", "a", 0), ("a", "b", 0), ("b", "c", 0), ("c", "a", 3)], (3, 2, 2)),
]


@pytest.mark.parametrize("names, edges, expected", PLANES)
def test_planes_hold_what_is_on_its_way_between_inferences(names, edges, expected) -> None:
    workload, chip = carrying(graph(names, edges)), Chip.load("generic-22nm")
    found = [size_of(workload, chip, number).planes for number in workload.network.computed]
    assert expected == tuple(found)


def test_the_chain_of_three_needs_fewer_where_state_is_reset() -> None:
    workload = graph(*PLANES[-1][:2])
    assert 2 == size_of(workload, Chip.load("generic-22nm"), 1).planes


@pytest.mark.parametrize("carries", [False, True])
def test_state_that_is_carried_is_not_written_anew(carries) -> None:
    workload = carrying(Workload.load("keyword-stream"), carries)
    chip = Chip.load("generic-22nm")
    scheduled = prepare(workload, chip).schedule(compute(workload, "snn", limit=5))
    activity = scheduled.activity
    assert (1 if carries else 5) == activity.begins.sum() and 1 == activity.begins[0]
    clears = activity.work_counts[:, WORK_COUNTERS.index("state_clears")]
    assert carries == (0 == clears.sum()) and carries == (0 == activity.work_clear.sum())


def test_touched_neurons_are_those_that_a_frame_before_reaches() -> None:
    """A spike that is under way for two inferences is a visit of the neuron it reaches."""
    workload = carrying(graph("ia", [("i", "a", 0), ("a", "a", 2)], n=3, timesteps=1))
    network = workload.network
    cell = replace(network.populations[1].neuron, bias=np.zeros(3, int))
    network = replace(
        network, populations=(network.populations[0], replace(network.populations[1], neuron=cell))
    )
    values = np.zeros((7, 1, 3), int)
    values[1, 0, 2] = 1
    stimulus = replace(workload.stimulus.chosen(np.zeros(7, int)))
    stimulus = replace(stimulus, feeds=(replace(stimulus.feeds[0], values=values),))
    workload = replace(workload, network=network, stimulus=stimulus)
    chip = Chip.load("generic-22nm", ("core.soma.update=touched",))
    activity = prepare(workload, chip).schedule(compute(workload, "snn")).activity
    visits = np.zeros(activity.n_steps, int)
    np.add.at(
        visits,
        np.repeat(np.arange(activity.n_steps), np.diff(activity.work_start)),
        activity.work_visits,
    )
    steps = activity.n_steps // 7
    assert [0, 1, 0, 1, 0, 1, 0] == visits.reshape(7, steps).sum(1).tolist()


def test_both_engines_agree_on_it() -> None:
    workload = Workload.load("keyword-stream")
    for changes in ((), ("core.soma.update=touched", "gating.off_after=20 cycles")):
        prepared = prepare(workload, Chip.load("generic-22nm", changes))
        scheduled = prepared.schedule(compute(workload, "snn", limit=6))
        records = [
            scheduled.execute(name, events=True).record for name in ("compiled", "reference")
        ]
        assert first_divergence(*records) is None


def test_a_stream_is_one_chunk() -> None:
    workload = Workload.load("keyword-stream")
    assert 2400 == chunks.size_of(workload, 1)
    with pytest.raises(InputError) as error:
        chunks.size_of(workload, 1, 100)
    assert (
        "chunk: must be left out where stimulus.state is 'carried' from inference to inference, "
        "not 100"
    ) == str(error.value)


def test_every_frame_of_a_stream_is_worked_on() -> None:
    from fractions import Fraction

    workload = Workload.load("keyword-stream")
    stream = make_stream(workload, Fraction(10), 20, Fraction(1, 4), "evenly", 0.0, 0)
    assert list(range(20)) == stream.active.tolist() and stream.stimulus.carries
    assert [2, 6, 10, 14, 18] == stream.signal.tolist()
    shown, given = stream.stimulus.feeds[0].values, workload.stimulus.feeds[0].values
    assert np.array_equal(given[:5], shown[stream.signal])
    assert 0 == np.delete(shown, stream.signal, axis=0).sum()


def test_it_is_written_and_read_again(tmp_path) -> None:
    workload = carrying(graph("ia", [("i", "a", 0)]))
    workload.save(tmp_path / "one")
    assert "state: carried" in (tmp_path / "one/workload.yaml").read_text()
    assert Workload.load(tmp_path / "one").stimulus.carries
    text = (tmp_path / "one/workload.yaml").read_text()
    (tmp_path / "one/workload.yaml").write_text(text.replace("streaming", "accumulate"))
    with pytest.raises(Exception, match="must be 'reset' with twin.firing 'accumulate'"):
        Workload.load(tmp_path / "one")
