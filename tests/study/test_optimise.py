"""The optimiser finds what a whole grid finds, with a fifth of its points, and the same ones for
every number of processes.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from sweeps import without_seconds, written
from test_sweep import swept

from simulator.describe.study_file import Study
from simulator.study import optimise
from simulator.study.sweep import sweep
from simulator.study.table import Row

#: 8 lanes x 5 words x 5 visits; energy and time want different ones
SPACE = """\
schema_version: 1
name: space
question: which core is best?
workloads: [digits-mlp]
limit: 1
axes:
  core.synapse.lanes: [1, 2, 3, 4, 5, 6, 7, 8]
  core.soma.visit: [1 cycle, 2 cycles, 3 cycles, 4 cycles, 5 cycles]
  core.synapse.lookup: {from: 0, to: 4, unit: cycles}
choose: CHOOSE
objectives: OBJECTIVES
"""
TIME = "{energy_delay_product_js: minimise}"


def space(folder, choose: str, objectives: str = TIME):
    text = SPACE.replace("CHOOSE", choose).replace("OBJECTIVES", objectives)
    return written(folder, text, f"{choose[9:14].strip('}, ')}.yaml")


BOTH = "{energy_j.per_inference: minimise, latency_cycles.mean: minimise}"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the whole space, with what one and what two objectives ask for."""
    both = BOTH[:-1] + ", energy_delay_product_js: minimise}"
    return sweep(space(tmp_path_factory.mktemp("whole"), "{method: grid}", both))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_tpe_finds_the_best_of_200_points_with_40(tmp_path, seed, whole):
    found = sweep(space(tmp_path, f"{{method: tpe, points: 40, seed: {seed}}}"))
    assert (200, 40) == (len(whole.rows), len(found.rows))
    name = "energy_delay_product_js"
    assert whole.best(name).values[2:] == found.best(name).values


def test_nsga2_finds_the_ends_of_the_front(tmp_path, whole):
    found = sweep(space(tmp_path, "{method: nsga2, points: 60, batch: 10}", BOTH))
    assert 60 == len(found.rows)
    for number, name in enumerate(found.study.objectives):
        assert whole.best(name).values[number] == found.best(name).values[number]


def test_the_points_are_the_same_for_two_processes(tmp_path):
    study = space(tmp_path, "{method: tpe, points: 12, batch: 4}")
    one = swept(tmp_path / "one", study)
    assert without_seconds(one) == without_seconds(swept(tmp_path / "two", study, jobs=2))
    assert one == swept(tmp_path / "one", study, resume=True)


def rows(study, points, value, status="done"):
    return [
        Row(p.number, p.labels, (value(p.labels),), status(p.labels), "", "", 0.0) for p in points
    ]


def test_a_space_smaller_than_the_budget_is_seen_once(tmp_path):
    study = Study.load(space(tmp_path, "{method: tpe, points: 1000}"))
    study = replace(study, axes=study.axes[:1])
    seen = []

    def evaluate(points):
        seen.extend(point.labels for point in points)
        return rows(study, points, lambda labels: float(labels[0]), lambda labels: "done")

    optimise.run(study, evaluate)
    assert [(n,) for n in range(1, 9)] == sorted(seen)


def test_failed_points_are_avoided(tmp_path):
    study = Study.load(space(tmp_path, "{method: tpe, points: 40}"))
    lost = []

    def evaluate(points):
        lost.extend(point.labels[0] > 3 for point in points)
        return rows(
            study,
            points,
            lambda labels: 0.0 if labels[0] > 3 else float(labels[0]),
            lambda labels: "failed" if labels[0] > 3 else "done",
        )

    optimise.run(study, evaluate)
    assert sum(lost[20:]) < sum(lost[:20])


def test_without_optuna_it_is_said_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    from simulator.errors import InputError

    with pytest.raises(InputError, match="choose.method: must be grid, random or latin-hypercube"):
        sweep(space(tmp_path, "{method: tpe, points: 4}"))
