"""A sweep's table is that of its points one by one, however many processes make it, and no stage
is made twice.
"""

from __future__ import annotations

import csv
import json
import threading
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from sweeps import MIXED, grid, without_seconds, written

from simulator import Chip, Workload, run, twin
from simulator.describe.study_file import Study
from simulator.errors import InputError
from simulator.report import parquet
from simulator.report.growing import sweep_folder
from simulator.report.sweep import sweep_page
from simulator.study import pipeline
from simulator.study import sweep as sweeping
from simulator.study.always_on import always_on
from simulator.study.sweep import sweep


def swept(folder, study, **how):
    """Return the text of points.csv of a sweep into a folder."""
    study = Study.load(study)
    with sweep_folder(folder, study, resume=how.pop("resume", False)) as store:
        result = sweep(study, store=store, **how)
        store.put(result, sweep_page(result))
    return (folder / "points.csv").read_text()


def test_a_row_says_what_the_run_says_and_a_lost_point_says_why(tmp_path):
    table = swept(tmp_path / "out", written(tmp_path, MIXED))
    rows = list(csv.DictReader(table.splitlines()))
    assert [row["point"] for row in rows] == [str(n) for n in range(32)]
    chip = Chip.load("generic-22nm", {"core.synapse.lanes": 8, "energy.weight_read.value": "9 pJ"})
    alone = run(Workload.load("digits-mlp"), chip, "qnn", limit=2).summary()
    (row,) = [
        row for row in rows
        if (row["mode"], row["core.synapse.lanes"], row["pay"]) == ("qnn", "8", "dear")
        and row["status"] == "done"
    ]  # fmt: skip
    assert alone["energy_j"]["per_inference"] == float(row["energy_j.per_inference"])
    assert alone["cycles"] == int(row["cycles"])
    assert alone["bottleneck"]["class"] == row["bottleneck.class"]
    lost = {row["core.memory.synapses"] + row["queues"]: row for row in rows}
    assert "does not fit" in lost["8 bitwide"]["reason"]
    assert "packet.maximum: must be at most core.input_queue" in lost["64 KiBnarrow"]["reason"]
    assert {"done": 8, "failed": 24} == {
        status: sum(row["status"] == status for row in rows) for status in ("done", "failed")
    }
    assert not [row for row in rows if (row["status"] == "done") != (row["reason"] == "")]


def test_parquet_holds_the_table_with_types(tmp_path):
    from pyarrow.parquet import read_table

    table = swept(tmp_path / "out", written(tmp_path, MIXED))
    found = read_table(tmp_path / "out/points.parquet").to_pydict()
    rows = list(csv.DictReader(table.splitlines()))
    assert list(rows[0]) == list(found)
    assert [int(row["point"]) for row in rows] == found["point"]
    for name in ("core.synapse.lanes", "energy_j.per_inference", "cycles"):
        assert [float(row[name]) if row[name] else None for row in rows] == found[name]
    for name in ("pay", "status", "digest"):
        assert [row[name] for row in rows] == found[name]


# cells of a column, and what is read back
COLUMNS = [
    ([1, None, -(2**63)], [1, None, -(2**63)]),
    ([1, 2.5], [1.0, 2.5]),
    ([2**63, 1], ["9223372036854775808", "1"]),
    ([10**400, None], [str(10**400), None]),
    ([2**53 + 1, 0.5], ["9007199254740993", "0.5"]),
    ([10**400, 0.5], [str(10**400), "0.5"]),
]


@pytest.mark.parametrize("cells, expected", COLUMNS)
def test_a_column_of_parquet_reads_back_to_the_last_digit(cells, expected):
    from pyarrow import BufferReader
    from pyarrow.parquet import read_table

    table = read_table(BufferReader(parquet.parquet(["a"], [[cell] for cell in cells])))
    assert expected == table.to_pydict()["a"]


def test_without_the_packages_there_is_no_parquet(monkeypatch):
    monkeypatch.setattr(parquet.importlib.util, "find_spec", lambda name: None)
    assert parquet.parquet(["a"], [[1]]) is None


def test_a_deadlock_is_a_row_that_names_it(tmp_path, monkeypatch):
    engine_named = pipeline.engine_named

    def with_a_dead_end(name):
        engine = engine_named(name)

        def simulate(plan, activity, **how):
            lost = plan.soma_cycles == 2  # whose routers know no way to the east
            table = np.where(plan.allowed == 1, 0, plan.allowed).astype(np.uint8)
            return engine(replace(plan, allowed=table) if lost else plan, activity, **how)

        return simulate

    monkeypatch.setattr(pipeline, "engine_named", with_a_dead_end)
    text = grid(1, 1).replace("axes:", "axes:\n  core.soma.visit: [1 cycle, 2 cycles]")
    sound, lost = sweep(written(tmp_path, text)).rows
    assert ("done", "failed") == (sound.status, lost.status)
    assert "deadlock: " in lost.reason and "\n" not in lost.reason


def test_a_point_has_its_manifest_and_summary(tmp_path):
    table = swept(tmp_path / "out", written(tmp_path, MIXED))
    rows = list(csv.DictReader(table.splitlines()))
    for row in rows:
        folder = tmp_path / "out/points" / row["digest"]
        known = json.loads((folder / "manifest.json").read_text())
        assert known["axes"]["pay"] == row["pay"] and known["reason"] == row["reason"]
        assert (folder / "summary.json").exists() == (row["status"] != "failed")


def test_what_breaks_a_constraint_is_excluded(tmp_path):
    study = written(tmp_path, MIXED.replace("at_least: 0.5", "at_most: 0.4"))
    result = sweep(study)
    assert {"excluded", "failed"} == {row.status for row in result.rows}
    assert "accuracy: must be at most 0.4, not 1" in {row.reason for row in result.rows}
    assert result.front == () and "8 break a constraint" in result.sentence()


def test_twins_are_measured_together(tmp_path):
    text = grid(2, 1).replace("objectives: {energy_j.per_inference: minimise, ", "objectives: {")
    text = text.replace("latency_cycles.mean: minimise", "energy_ratio: minimise")
    rows = sweep(written(tmp_path, text.replace("axes:", "measure: twin\naxes:"))).rows
    dear = {"energy.weight_read.value": "4.0 pJ"}
    chips = [Chip.load("generic-22nm", dear | {"core.synapse.lanes": n}) for n in (1, 2)]
    expected = [twin("digits-mlp", chip, limit=2).energy_ratio for chip in chips]
    assert expected == [row.values[0] for row in rows]


def test_a_stream_is_measured_at_every_duty(tmp_path):
    text = grid(1, 1).replace("objectives: {energy_j.per_inference: minimise, ", "objectives: {")
    text = text.replace("latency_cycles.mean: minimise", "power_w: minimise")
    stream = "measure: always-on\nstream: {frame_rate: 1 kHz, duty: 0.1, frames: 20}\naxes:\n"
    found = sweep(written(tmp_path, text.replace("axes:\n", f"{stream}  duty: [0.1, 0.5]\n"))).rows
    chip = Chip.load("generic-22nm", {"core.synapse.lanes": 1, "energy.weight_read.value": "4 pJ"})
    how = {"duties": [Fraction(1, 10), Fraction(1, 2)], "policies": ["gate"], "frames": 20}
    expected = [one.power for one in always_on("digits-mlp", chip, Fraction(1000), **how)]
    assert expected == [row.values[0] for row in found]


CLUSTER = {
    "n_workers": 2,
    "threads_per_worker": 1,
    "processes": False,
    "dashboard_address": None,
    "protocol": "tcp",
}


def test_one_and_two_processes_make_the_same_table(tmp_path):
    study = written(tmp_path, MIXED)
    one = swept(tmp_path / "one", study)
    two = swept(tmp_path / "two", study, jobs=2)
    assert without_seconds(one) == without_seconds(two)
    for name in ("pareto.csv",):
        assert without_seconds((tmp_path / "one" / name).read_text()) == without_seconds(
            (tmp_path / "two" / name).read_text()
        )


@pytest.mark.filterwarnings("ignore")  # of the cluster's own
def test_a_dask_cluster_makes_the_same_table(tmp_path):
    from distributed import LocalCluster

    study = written(tmp_path, MIXED)
    with LocalCluster(host="127.0.0.1", **CLUSTER) as cluster:
        there = swept(tmp_path / "there", study, dask=cluster.scheduler_address)
    assert without_seconds(swept(tmp_path / "here", study)) == without_seconds(there)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_two_hundred_points_are_the_same_for_one_two_and_a_cluster(tmp_path):
    from distributed import LocalCluster

    study = written(tmp_path, grid(20, 10))
    one = without_seconds(swept(tmp_path / "one", study))
    assert len(one) == 201
    assert one == without_seconds(swept(tmp_path / "two", study, jobs=2))
    how = CLUSTER | {"processes": True}
    with LocalCluster(host="127.0.0.1", **how) as cluster:
        there = swept(tmp_path / "there", study, dask=cluster.scheduler_address)
    assert one == without_seconds(there)


def test_no_scheduler_is_said_at_once(tmp_path):
    with pytest.raises(InputError, match="dask: no scheduler answers at tcp://127.0.0.1:9"):
        sweep(written(tmp_path, grid(2, 1)), dask="tcp://127.0.0.1:9")


@pytest.fixture
def made(monkeypatch):
    """Return the list that names every stage made from here on."""
    names: list[str] = []

    def counted(name, inner):
        def call(*arguments, **how):
            names.append(name)
            return inner(*arguments, **how)

        return call

    for module, name in ((pipeline.behaviour, "run"), (pipeline.mapper, "find")):
        monkeypatch.setattr(module, name, counted(name, getattr(module, name)))
    engine = pipeline.engine_named
    monkeypatch.setattr(pipeline, "engine_named", lambda name: counted("simulate", engine(name)))
    return names


# lanes, prices, then how often: arithmetic, mapping, timing
SHARED = [
    (1, 6, [1, 1, 1]),  # constants alone
    (5, 1, [1, 5, 5]),  # the chip alone
    (3, 4, [1, 3, 3]),
]


@pytest.mark.parametrize(("lanes", "prices", "expected"), SHARED)
def test_no_stage_is_made_twice(lanes, prices, expected, tmp_path, made, monkeypatch):
    monkeypatch.setattr(sweeping, "check", lambda study: None)  # which runs one inference
    result = sweep(written(tmp_path, grid(lanes, prices)))
    assert [made.count(name) for name in ("run", "find", "simulate")] == expected
    assert len(result.done) == lanes * prices


def test_processes_share_arithmetic_and_keep_prices_together(tmp_path, made, monkeypatch):
    """What two processes do, done by two threads, so that it can be counted."""
    monkeypatch.setattr(sweeping, "check", lambda study: None)

    class Pool:
        def __init__(self, jobs):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def stream(self, job, tasks, ahead=False):
            tasks = list(tasks)
            for number, task in enumerate(tasks):
                found = []
                thread = threading.Thread(target=lambda: found.extend(job(task)))  # noqa: B023
                thread.start()  # a thread has its own bench, as a process has
                thread.join()
                yield from ((number, value) for value in found)

    monkeypatch.setattr(sweeping, "Workers", Pool)
    result = sweep(written(tmp_path, grid(3, 4)), jobs=2)
    assert [made.count(name) for name in ("run", "find", "simulate")] == [1, 3, 3]
    assert len(result.done) == 12


def test_a_finished_sweep_is_resumed_without_running_anything(tmp_path, made):
    study = written(tmp_path, grid(2, 2))
    first = swept(tmp_path / "out", study)
    made.clear()
    assert first == swept(tmp_path / "out", study, resume=True)
    assert made.count("simulate") == 1  # the one inference that names the metrics
    assert made.count("run") == 1


# what is changed of a finished point, what stands there afterwards
CHANGED = [
    ("summary.json", '"cycles": ', '"cycles": 9'),
    ("manifest.json", '"status": "done"', '"status": "failed"'),
    ("manifest.json", '"reason": ""', '"reason": "it was too hot"'),
]


@pytest.mark.parametrize(("name", "old", "new"), CHANGED)
def test_a_point_that_was_changed_by_hand_is_run_again(tmp_path, made, name, old, new):
    study = written(tmp_path, grid(2, 2))
    first = swept(tmp_path / "out", study)
    file = sorted((tmp_path / "out" / "points").glob(f"*/{name}"))[1]
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    made.clear()
    table = swept(tmp_path / "out", study, resume=True)
    assert without_seconds(first) == without_seconds(table)
    assert new not in file.read_text()
    assert made.count("run") == 2  # that point, and the one that names the metrics


def test_a_changed_study_runs_what_is_new(tmp_path, made):
    swept(tmp_path / "out", written(tmp_path, grid(2, 2)))
    made.clear()
    table = swept(tmp_path / "out", written(tmp_path, grid(3, 2)), resume=True)
    assert len(table.splitlines()) == 7
    assert made.count("simulate") == 2  # the new lanes, and the one that names the metrics


def test_another_study_does_not_go_on_there(tmp_path):
    study = written(tmp_path, grid(1, 1))
    swept(tmp_path / "out", study)
    other = replace(Study.load(study), name="other")
    with (
        pytest.raises(InputError, match="must be the folder of study 'other' to go on, not of"),
        sweep_folder(tmp_path / "out", other, resume=True),
    ):
        pass
    with (
        pytest.raises(InputError, match="must be a new or an empty folder"),
        sweep_folder(tmp_path / "out", other),
    ):
        pass
    with (
        sweep_folder(tmp_path / "new", other),
        pytest.raises(InputError, match="must be free, not being written by another run"),
        sweep_folder(tmp_path / "new", other, resume=True),
    ):
        pass


def test_a_metric_or_a_key_that_nothing_has_is_refused_with_its_line(tmp_path):
    text = grid(2, 1).replace("latency_cycles.mean:", "latency.mean:")
    with pytest.raises(InputError) as refused:
        sweep(written(tmp_path, text))
    assert "study.yaml:11: objectives.latency.mean: must be a number of summary.json" in str(
        refused.value
    )
    with pytest.raises(InputError, match="axes.core.synapse.lane: .*did you mean 'lanes'"):
        sweep(written(tmp_path, grid(2, 1).replace("synapse.lanes", "synapse.lane")))


def test_the_page_says_what_the_table_says(tmp_path):
    study = written(tmp_path, MIXED)
    swept(tmp_path / "out", study)
    page = (tmp_path / "out/report.html").read_text()
    result = sweep(study)
    assert "http" not in page.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert result.sentence().split(".")[0] in page
    assert page.count("<circle") >= len(result.done)
    assert "does not fit" in page and "src=" not in page and "<script" not in page
