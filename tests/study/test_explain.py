"""An explanation names the resource that a workload was built to wait for, and proves it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from planted import PLANTED, network

from simulator import Chip, run
from simulator.report.explain import explain_page, put_explain
from simulator.report.writing import result_folder
from simulator.study.explain import explain, floorline


@pytest.fixture(
    scope="module",
    params=PLANTED,
    ids=lambda planted: planted.resource + " with tokens" * planted.with_tokens,
)
def planted(request):
    """Return a planted workload and its explanation."""
    return request.param, explain(request.param.workload, request.param.chip())


def test_the_planted_bottleneck_is_named_and_its_relaxation_is_the_largest(planted):
    asked, found = planted
    assert asked.resource == found.bottleneck.resource
    largest, second = found.relaxations[:2]
    assert asked.resource == largest.resource
    assert largest.speed_up > 1.25 and largest.speed_up > 1.1 * second.speed_up


def test_the_relaxation_is_what_a_run_of_the_changed_chip_says(planted):
    asked, found = planted
    best = found.bottleneck
    changes = dict(one.split(" = ") for one in best.changed.split(", ") if "[" not in best.changed)
    if changes:
        alone = run(asked.workload, asked.chip().changed([f"{k}={v}" for k, v in changes.items()]))
        assert found.base.record.cycles / alone.record.cycles == best.speed_up
        assert alone.ledger.total / found.base.ledger.total == best.energy_ratio


def test_no_step_is_shorter_than_its_bounds(planted):
    line = planted[1].floorline
    assert planted[1].base.record.cycles == line.cycles.sum()
    assert line.run_floor <= line.cycles.sum() - line.barrier.sum()
    if not planted[0].with_tokens:  # where steps overlap only the run has a bound
        assert (line.floor <= line.cycles - line.barrier).all()


def test_every_resource_is_either_measured_or_says_why_not(planted):
    for each in planted[1].relaxations:
        assert (each.speed_up is None) == bool(each.why_not)
    names = [each.resource for each in planted[1].relaxations]
    assert len(names) == len(set(names)) == 19


def test_the_floorline_is_the_work_of_the_busiest_core():
    found = network(3, 4, timesteps=2)
    chip = Chip.load("generic-22nm", {"core.soma.visit": "5 cycles", "core.soma.spike": "2 cycles"})
    line = floorline(run(found, chip))
    # a step brings three packets: lookup 2 and a row of 1 cycle; its soma visits four, all fire
    assert [3 * 3, 3 * 3, 0, 3 * 3, 3 * 3, 0] == line.bounds[:, 0].tolist()
    visits = 4 * (5 + 2)
    clear = 4  # of the state of the inference before, a word a cycle
    assert [0, visits, visits, 0, visits + clear, visits] == line.bounds[:, 1].tolist()
    assert ["barrier", "neuron", "neuron"] * 2 == line.critical


def test_what_is_written_is_what_was_found(tmp_path):
    asked = PLANTED[0]
    found = explain(asked.workload, asked.chip())
    with result_folder(tmp_path / "out") as folder:
        folder.json("manifest.json", {})
        folder.json("explain.json", found.summary())
        folder.text("report.html", explain_page(found))
    known = json.loads((tmp_path / "out/explain.json").read_text())
    assert "lanes" == known["bottleneck"]["resource"] == known["relaxations"][0]["resource"]
    assert {"resource", "changed", "speed_up", "energy_ratio", "cycles", "why_not"} == set(
        known["relaxations"][0]
    )
    assert {"synaptic", "neuron", "message", "floor", "barrier"} == set(known["bounds"])
    page = (tmp_path / "out/report.html").read_text()
    assert f"{known['relaxations'][0]['speed_up']:.3f}" in page and "<script" not in page


def test_the_command_writes_everything(tmp_path):
    found = explain("digits-mlp", limit=2)
    with result_folder(tmp_path / "out") as folder:
        put_explain(found, folder, {})
    names = {"explain.json", "relaxations.csv", "floorline.csv", "report.html", "manifest.json"}
    assert names == {path.name for path in (tmp_path / "out").iterdir()}
    rows = (tmp_path / "out/floorline.csv").read_text().splitlines()
    assert len(found.floorline.cycles) == len(rows) - 1
    cycles = np.array([int(row.split(",")[1]) for row in rows[1:]])
    assert found.base.record.cycles == cycles.sum()


def test_nothing_is_named_where_nothing_helps():
    chip = Chip.load("generic-22nm", {"barrier.tree": None, "barrier.points": [[1, "1 cycle"]],
                                      "mesh.width": 1,
                                      "mesh.height": 1, "gating.gate_after": "never",
                                      "gating.router_gate_after": "never"})  # fmt: skip
    found = explain(network(1, 1, timesteps=64), chip)
    if found.bottleneck is None:
        assert "No single resource" in found.sentence()
    else:
        assert found.bottleneck.speed_up >= 1.01
