"""The timestep study: each point is the run of that twin at that T, and says it per inference."""

import csv

import numpy as np
import pytest
from small_workloads import dense, raster, workload

from simulator import Chip, Workload, run
from simulator.describe.network import chain, fed
from simulator.errors import InputError
from simulator.report.timesteps import put_timesteps
from simulator.report.writing import result_folder
from simulator.study.timesteps import alone, sweep


@pytest.fixture(scope="module")
def chip():
    return Chip.load("generic-22nm")


@pytest.fixture(scope="module")
def points(chip):
    return sweep(Workload.load("digits-mlp"), chip, (4, 1, 2), limit=6)


def test_windows_rise_and_the_spiking_twin_stands_first(points):
    expected = [(1, "snn"), (1, "qnn"), (2, "snn"), (2, "qnn"), (4, "snn"), (4, "qnn")]
    assert expected == [(point.timesteps, point.mode) for point in points]


@pytest.mark.parametrize("place", range(6))
def test_a_point_is_the_run_of_that_twin_at_that_window(points, chip, place):
    point = points[place]
    alone_run = run("digits-mlp", chip, point.mode, timesteps=point.timesteps, limit=6)
    summary = alone_run.summary()
    assert summary["energy_j"]["per_inference"] == point.energy
    assert summary["counters"]["spikes"] / 6 == point.events
    assert summary["counters"]["synaptic_operations"] / 6 == point.operations
    assert summary["latency_cycles"]["mean"] * chip.period == pytest.approx(point.latency)
    assert 6 / summary["seconds"] == point.throughput
    assert summary["accuracy"] == point.accuracy
    assert 100 * point.accuracy / point.events == point.efficiency


def test_spikes_grow_with_the_window(points):
    spikes = [point.events for point in points if point.mode == "snn"]
    assert sorted(spikes) == spikes and spikes[0] < spikes[-1]


def test_a_network_without_a_twin_is_shown_alone(chip):
    recurrent = Workload.load("digits-recurrent")
    why = "the quantised twin needs a graph without cycles, not hidden -> hidden"
    assert why == alone(recurrent)
    assert ["snn"] == [point.mode for point in sweep(recurrent, chip, (16,), limit=1)]


def test_a_window_beyond_the_stimulus_is_refused_before_anything_runs(chip):
    short = workload(chain((2,), (dense([[1], [2]], 3),)), raster([[[0, 1], [1, 1]]]), 2)
    heard = []
    with pytest.raises(InputError, match="timesteps: must be at most the stimulus's 2, not 3"):
        sweep(short, chip, (1, 3), progress=lambda *all: heard.append(all))
    assert heard == []


def test_a_silent_network_has_no_score(chip):
    quiet = workload(
        chain((2,), (dense([[1], [2]], 3),)),
        fed("current", np.array([[0, 0]]), 1, np.array([0])),
        2,
    )
    assert [None, None] == [point.efficiency for point in sweep(quiet, chip, (2,))]


def test_the_table_on_disk_has_a_row_per_point(points, tmp_path):
    with result_folder(tmp_path / "out") as folder:
        put_timesteps(folder, points, {})
        folder.json("manifest.json", {})
    with open(tmp_path / "out" / "timesteps.csv") as file:
        rows = list(csv.DictReader(file))
    assert [str(point.energy) for point in points] == [
        row["energy_per_inference_j"] for row in rows
    ]
