"""The benchmarks measure what they say: sizes, firing rates and loads of the workloads, and a table
that is complete.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks import figures, kernels, networks, recurrent, sanafe_peer, traffic
from benchmarks.command import RACES, bench
from benchmarks.figures import Figure, Peer, Sample
from benchmarks.races import Settings
from simulator.behaviour import raster
from simulator.describe.network import chain
from simulator.describe.workload import Workload
from simulator.errors import InputError
from simulator.mapping.fan_out import targets

SEED = 3


def spikes_by_layer(written: networks.Written) -> list[int]:
    workload = Workload.load(written.path)
    run = raster.run(workload.network, workload.stimulus, "snn", written.timesteps)
    return [len(trace.neuron) for trace in run.traces]


def synapses(path) -> int:
    return int(targets(path, np.zeros(path.connection.n_out, np.int64), 1).synapses.sum())


def initial_phases(written: networks.Written) -> int:
    return len(np.unique(written.arrays["initial"]))


# period  spikes of the 512 neurons in 200 timesteps: exactly one in each period
FIRING = [(100, 2 * 512), (20, 10 * 512), (10, 20 * 512), (5, 40 * 512)]


@pytest.mark.parametrize("period, first", FIRING)
def test_lif_neurons_fire_at_the_rate_they_are_named_after(tmp_path, period, first):
    written = networks.lif(tmp_path, period, 200, SEED)
    silent, fired, second = spikes_by_layer(written)
    assert (0, first) == (silent, fired)
    assert initial_phases(written) == min(period, 512)
    assert (
        abs(second * 2 - first) <= 2 * 256
    )  # half as many neurons as often, but for the last period of each
    assert 512 * 256 == synapses(Workload.load(written.path).network.projections[1])
    assert 32 == sum(networks.LIF_CORES)


def test_the_gesture_network_has_the_size_it_is_named_after(tmp_path):
    written = networks.gesture(tmp_path, 80, SEED)
    network = Workload.load(written.path).network
    assert [1024, 3600, 5408, 7744, 891, 11] == [one.n_neurons for one in network.populations[1:]]
    assert networks.GESTURE_SYNAPSES == sum(synapses(path) for path in network.projections[1:])
    assert 49 == sum(networks.GESTURE_CORES)
    _, first, *rest = spikes_by_layer(written)
    assert 2 * 1024 == first - first % 1024  # two periods of 40 timesteps
    assert all(rest[:4])


def test_the_deep_network_has_a_weight_for_every_synapse_and_fires_once_a_period(tmp_path):
    written = networks.deep(tmp_path, 5, 64, 8, 20, 20, SEED)
    weights = [path.connection.weight for path in Workload.load(written.path).network.projections]
    assert 4 * 64 * 64 == sum(weight.size for weight in weights[1:])
    assert all(weight.dtype == np.int8 for weight in weights)
    assert 64 == spikes_by_layer(written)[1]


def test_sparse_rows_have_the_fan_out_asked_for(tmp_path):
    path = Workload.load(networks.sparse(tmp_path, 50, 7, 2, SEED).path).network.projections[1]
    assert [7] * 50 == np.diff(path.connection.start).tolist()


@pytest.mark.parametrize("cores", recurrent.MESH)
def test_random_targets_reach_every_core_once_per_spike(cores):
    drawn = recurrent.draw(cores, SEED)
    activity = recurrent.activity(drawn, 7)
    counts = np.diff(activity.row_start)
    assert recurrent.NEURONS * recurrent.FAN_OUT == activity.entry_operations.sum()
    assert counts.max() <= recurrent.FAN_OUT
    first = activity.entry_endpoint[activity.row_start[5] : activity.row_start[6]]
    assert sorted(set((drawn.target[5] // (recurrent.NEURONS // cores)).tolist())) == first.tolist()
    assert [7 * cores] * 2 == [len(activity.work_core), activity.work_start[-1]]
    assert [timestep * recurrent.NEURONS // 100 for timestep in (7,)] == pytest.approx(
        [len(activity.message_row)], abs=7
    )
    work = np.repeat(np.arange(len(activity.work_core)), np.diff(activity.work_message))
    assert (work // cores == drawn.phase[activity.message_row]).all()
    assert (activity.work_core[work] == activity.message_row // (recurrent.NEURONS // cores)).all()


# pattern      packets of 0.05 a node and cycle on 8x8 in 2000 cycles
LOADS = [("uniform", 6400), ("transpose", 5600), ("bursty", 6400)]


@pytest.mark.parametrize("pattern, expected", LOADS)
def test_traffic_has_the_load_and_the_pattern_asked_for(pattern, expected):
    cycle, source, destination, flits = traffic.trace(pattern, 8, 0.05, 2000, SEED).T
    assert abs(len(cycle) - expected) < 0.15 * expected
    assert (source != destination).all() and (flits == 1).all() and (np.diff(cycle) >= 0).all()
    if pattern == "transpose":
        assert (destination == source % 8 * 8 + source // 8).all()
    # a burst goes on with a chance of 7 in 8; others only by accident
    pairs = set(zip(cycle.tolist(), source.tolist()))
    follows = np.mean([(c + 1, s) in pairs for c, s in pairs])
    assert (follows > 0.8) == (pattern == "bursty")


def test_flit_hops_are_the_routers_on_the_way():
    assert 1 + 2 + 15 == traffic.flit_hops(np.array([[0, 3, 3, 1], [0, 3, 4, 1], [0, 0, 63, 1]]), 8)


def test_kernels_are_given_the_synapses_their_rate_is_counted_in():
    for layer, fan_out in kernels.layers(SEED).values():
        path = chain(layer.connection.input_shape, [layer]).projections[0]
        assert layer.connection.n_in * fan_out == synapses(path)


# value target lower peer least ratio | met
VERDICTS = [
    (10.0, 10.0, False, None, None, True),
    (9.9, 10.0, False, None, None, False),
    (9.9, 10.0, True, None, None, True),
    (10.0, None, False, 1.0, 20.0, False),
    (20.0, 10.0, False, 1.0, 20.0, True),
    (1.0, None, False, None, None, None),
]


@pytest.mark.parametrize("value, target, lower, peer, ratio, met", VERDICTS)
def test_a_target_is_met_or_missed(value, target, lower, peer, ratio, met):
    peers = () if peer is None else (Peer("peer", peer, recorded=True),)
    figure = Figure("name", Sample.of([value]), "steps/s", target, lower, peers, ratio)
    assert met is figure.is_met
    text = figures.line(figure)
    assert ("MISSED" in text) == (met is False)
    assert ("recorded, not measured in this run" in text) == bool(peers)


SHOWN = [
    (12_345_678, "hops/s", "12.3 M hops/s"),
    (1.43e9, "B", "1.43 GB"),
    (999, "B", "999 B"),
    (0.0123, "s", "0.0123 s"),
]


@pytest.mark.parametrize("value, unit, text", SHOWN)
def test_numbers_have_three_digits(value, unit, text):
    assert text == figures.shown(value, unit)


def test_the_median_counts_and_the_spread_is_shown():
    assert Sample(2.0, 1.0, 9.0, 3) == Sample.of([9.0, 1.0, 2.0])
    assert Sample(50.0, 100 / 9, 100.0, 3) == Sample.of([9.0, 1.0, 2.0]).rate(100)


def test_the_table_has_every_group():
    assert [
        "noc",
        "lif",
        "random",
        "gesture",
        "kernels",
        "memory",
        "large",
        "vgg",
        "start-up",
        "growth",
        "sweep",
        "jobs",
    ] == list(RACES)


#: what needs neither minutes nor a peer, and figures that are no differences, which can be 0;
#: `python -m benchmarks --quick` runs the other groups
QUICK = {
    "random": ["32k neurons, random targets, 128 cores", "32k neurons, random targets, 1024 cores"],
    "growth": ["cost of 10^6 idle cycles, as a multiple of that of 10"],
}


@pytest.mark.parametrize("group", QUICK)
def test_a_group_has_figures_without_a_peer(group, monkeypatch):
    monkeypatch.setattr(sanafe_peer, "is_installed", lambda: False)
    found = {figure.name: figure for figure in RACES[group](Settings(is_quick=True, repeat=1))}
    assert all(found[name].value.median > 0 for name in QUICK[group])
    assert {"random": 2, "growth": 8}[group] == len(found)
    assert all(peer.recorded for figure in found.values() for peer in figure.peers)


def test_a_quick_run_prints_and_writes_its_figures(tmp_path):
    file = tmp_path / "figures.json"
    result = CliRunner().invoke(
        bench, ["--quick", "--only", "kernels", "-o", str(file)], catch_exceptions=False
    )
    assert 0 == result.exit_code
    content = json.loads(file.read_text())
    assert 3 == len(content["figures"]) and content["quick"] is True
    for figure in content["figures"]:
        assert figure["name"] in result.output and figure["value"]["median"] > 0
    assert "of 1 targets met" in result.output


def test_the_verb_says_what_it_needs_where_benchmarks_are_missing(tmp_path, monkeypatch):
    from simulator.commands import bench as verb

    assert "--booksim" in CliRunner().invoke(verb.bench, ["--help"], catch_exceptions=False).output
    monkeypatch.setattr(verb, "REPOSITORY", tmp_path)
    with pytest.raises(InputError) as error:
        CliRunner().invoke(verb.bench, ["--quick"], catch_exceptions=False)
    assert (
        "bench: must be run from the repository: benchmarks/ is not part of an installed spikemesh"
        == str(error.value)
    )
