"""What `spikemesh noc -o` writes: one folder of results for a trace, a curve and a multicast."""

import csv
import hashlib
import json
import os
import threading

import pytest

from simulator.errors import InputError
from simulator.report.noc_folder import CURVE_COLUMNS, WAY_COLUMNS

TRACE = "cycle,src,dst,size,class\n0,0,3,2,0\n0,1,2,1,1\n7,3,0,3,0\n"
TRAFFIC = ["--mesh", "4x4", "--traffic", "uniform", "--cycles", "400", "--rate"]


def read(folder):
    """Return (summary, manifest, rows of every table by file) of a folder."""
    tables = {
        path.name: list(csv.DictReader(path.read_text().splitlines()))
        for path in folder.glob("*.csv")
    }
    documents = [
        json.loads((folder / f"{name}.json").read_text()) for name in ("summary", "manifest")
    ]
    return *documents, tables


@pytest.fixture
def trace(tmp_path):
    (tmp_path / "t.csv").write_text(TRACE)
    return "t.csv"


# more options, files beside summary.json and manifest.json
WRITTEN = [
    ([], ["links.csv", "packets.csv", "routers.csv"]),
    (["--grants"], ["grants.csv", "links.csv", "packets.csv", "routers.csv"]),
]


@pytest.mark.parametrize("more, files", WRITTEN)
def test_a_trace_gives_a_folder_whose_parts_tell_the_same(noc, tmp_path, trace, more, files):
    priced = ["--energy", "22nm", "--clock", "500 MHz"]
    noc(trace, "--mesh", "2x2", "-o", "out", *more, *priced)
    summary, manifest, tables = read(tmp_path / "out")
    assert files == sorted(tables)
    latency = [
        int(row["tail_arrive_cycle"]) - int(row["inject_cycle"]) for row in tables["packets.csv"]
    ]
    assert (3, 6, sum(latency) / 3, max(latency)) == (
        summary["packets"],
        summary["flits"],
        summary["latency_cycles"]["mean"],
        summary["latency_cycles"]["max"],
    )
    hops = sum(int(row["flits"]) for row in tables["links.csv"] if row["port"] != "local")
    assert summary["flit_hops"] == hops
    used = [float(row["buffer_utilisation"]) for row in tables["routers.csv"]]
    assert (sum(used) / 4, max(used)) == (
        pytest.approx(summary["buffer_utilisation"]["mean"], rel=1e-12),
        summary["buffer_utilisation"]["max"],
    )
    parts = {name: joules for name, joules in summary["energy_j"].items() if name != "technology"}
    assert parts.pop("total") == pytest.approx(sum(parts.values()), rel=1e-12)
    digest = hashlib.sha256(TRACE.encode()).hexdigest()
    assert [{"file": "t.csv", "sha256": digest}] == manifest["inputs"]
    assert (None, bool(more)) == (manifest["seed"], manifest["options"]["grants"])


def test_a_trace_without_packets_has_no_latency(noc, tmp_path):
    (tmp_path / "none.csv").write_text("cycle,src,dst,size\n")
    noc("none.csv", "--mesh", "2x2", "-o", "out")
    summary, _, tables = read(tmp_path / "out")
    assert (0, None, None, []) == (
        summary["packets"],
        summary["latency_cycles"],
        summary["busiest_link"],
        tables["packets.csv"],
    )


def test_a_pipe_has_no_digest(noc, tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    threading.Thread(target=(tmp_path / "pipe.csv").write_text, args=(TRACE,)).start()
    noc("pipe.csv", "--mesh", "2x2", "-o", "out")
    _, manifest, _ = read(tmp_path / "out")
    assert [{"file": "pipe.csv", "sha256": None}] == manifest["inputs"]


def test_a_curve_says_what_was_drawn(noc, tmp_path):
    noc(*TRAFFIC, "0.1,0.9", "-o", "out")
    summary, manifest, tables = read(tmp_path / "out")
    assert list(CURVE_COLUMNS) == list(tables["curve.csv"][0])
    numbers = [[point[name] for name in CURVE_COLUMNS[:-1]] for point in summary["points"]]
    assert numbers == [
        [float(row[name]) for name in CURVE_COLUMNS[:-1]] for row in tables["curve.csv"]
    ]
    assert ["steady", "saturated"] == [row["state"] for row in tables["curve.csv"]]
    # the seed that was left out is the one it was drawn with
    assert (1, 1, 1) == (
        manifest["seed"],
        manifest["options"]["packet_size"],
        summary["traffic"]["seed"],
    )


def test_a_multicast_sets_both_ways_side_by_side(noc, tmp_path):
    noc(*TRAFFIC, "0.05", "--multicast", "3", "--seed", "4", "-o", "out")
    summary, manifest, tables = read(tmp_path / "out")
    trees, unicasts = tables["ways.csv"]
    assert (list(WAY_COLUMNS), "trees", "unicasts") == (list(trees), trees["way"], unicasts["way"])
    assert 3 * int(trees["injected_flits"]) == int(unicasts["injected_flits"])
    assert summary["flit_hops_saved"] == 1 - int(trees["flit_hops"]) / int(unicasts["flit_hops"])
    assert (summary["messages"], 4) == (int(trees["injected_flits"]), manifest["seed"])


def test_both_engines_write_the_same_tables(noc, tmp_path, trace):
    for engine in ("compiled", "reference"):
        noc(trace, "--mesh", "2x2", "--grants", "--engine", engine, "-o", engine)
    for name in ("packets.csv", "grants.csv", "links.csv", "routers.csv"):
        expected = (tmp_path / "reference" / name).read_bytes()
        assert (name, expected) == (name, (tmp_path / "compiled" / name).read_bytes())


# what is measured, and the function that may not be reached
STUDIES = [
    (["t.csv", "--mesh", "2x2"], "noc.run_trace"),
    ([*TRAFFIC, "0.1"], "curve.curve"),
    ([*TRAFFIC, "0.1", "--multicast", "2"], "multicast.compare_with_unicasts"),
]


@pytest.mark.parametrize("arguments, study", STUDIES)
def test_a_folder_that_holds_files_is_refused_before_anything_runs(
    noc, tmp_path, trace, monkeypatch, arguments, study
):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    monkeypatch.setattr(f"simulator.study.{study}", lambda *_, **__: pytest.fail("it runs"))
    for more, said in (([], "a new or an empty folder"), (["--overwrite"], "a folder of results")):
        with pytest.raises(InputError, match=f"^out: must be {said}"):
            noc(*arguments, "-o", "out", *more)
    assert ["mine.txt"] == os.listdir(tmp_path / "out")
