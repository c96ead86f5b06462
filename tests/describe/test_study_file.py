"""A study's file: every fault at once, each with its line and what is allowed."""

from __future__ import annotations

import pytest

from simulator.describe.study_file import Study
from simulator.errors import DescriptionError

SOUND = """\
schema_version: 1
name: s
question: what?
workloads: [digits-mlp]
objectives: {cycles: minimise}
"""


def load(folder, text):
    path = folder / "study.yaml"
    path.write_text(text)
    return Study.load(path)


def test_what_is_left_out_has_its_default(tmp_path):
    study = load(tmp_path, SOUND)
    assert ("grid", "run", (), ("cycles",)) == (
        study.method,
        study.measure,
        study.axes,
        study.metrics,
    )
    assert {"workload": "digits-mlp", "chip": "generic-22nm", "corner": "nominal", "mode": "snn",
            "timesteps": None, "limit": None} == study.base  # fmt: skip


def test_several_of_a_kind_are_an_axis(tmp_path):
    study = load(tmp_path, SOUND + "modes: [snn, qnn]\nchips: [loihi1, odin]\n")
    assert [("chip", ["loihi1", "odin"]), ("mode", ["snn", "qnn"])] == [
        (axis.name, [choice.label for choice in axis.grid()]) for axis in study.axes
    ]


def test_a_workload_beside_the_study_is_found(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/workload.yaml").write_text("name: x\n")
    text = SOUND.replace("digits-mlp", "mine/workload.yaml")
    assert load(tmp_path, text).base["workload"] == str(tmp_path / "mine/workload.yaml")


# what is added or replaced, and what is said of it
FAULTS = [
    ("axes: {lanes: [1]}", "6: axes.lanes: must be a key of the chip such as core.synapse.lanes"),
    ("axes: {core.synapse.lanes: []}", "6: axes.core.synapse.lanes: must have at least 1"),
    ("axes: {core.synapse.lanes: [1, 1]}", "6: axes.core.synapse.lanes: must name each value once"),
    ("axes: {a.b: {values: [1], from: 1, to: 2}}", "must be a list of values, alternatives, or a"),
    ("axes: {a.b: {from: 3, to: 2}}", "6: axes.a.b: must have a to above its from, 3"),
    ("axes: {a.b: {from: 0, to: 2, scale: log}}", "must be above 0 on a scale of log, not 0"),
    ("axes: {a.b: {from: .nan, to: 2}}", "6: axes.a.b.from: must be a "),
    ("axes: {a.b: {value: [1]}}", "6: axes.a.b.value: unknown key; did you mean 'values'?"),
    ("axes: {duty: [0.1]}", "6: axes.duty: must stand in a study with measure: always-on"),
    ("axes: {k: {alternatives: {x: {lanes: 1}}}}", "axes.k.alternatives.x: must be a key of the"),
    ("choose: {method: grid, points: 3}", "6: choose.points: must not be given with a grid"),
    ("choose: {method: random}", "6: choose: must say how many points method random may use"),
    ("choose: {method: tp, points: 3}", "must be 'grid', 'random', 'latin-hypercube', 'tpe' or"),
    ("modes: [snn, snn]", "6: modes: must name each one once"),
    ("chips: [nowhere]", "6: chips: chip 'nowhere': must be a file or one of "),
    ("constraints: {cycles: {}}", "6: constraints.cycles: must have at_least, at_most or both"),
    ("measure: always-on", "stream must be given with measure: always-on, and only there"),
    ("measure: twin\nmodes: [snn, qnn]", "7: modes: must be left out with measure: twin"),
    ("question: again", "6: question: must be given once"),
    ("settings: {nothing: 1}", "6: settings.nothing: must be a key of the chip"),
]  # fmt: skip


@pytest.mark.parametrize(("added", "expected"), FAULTS)
def test_a_fault_is_said_with_its_line(tmp_path, added, expected):
    with pytest.raises(DescriptionError) as refused:
        load(tmp_path, SOUND + added + "\n")
    assert expected in str(refused.value)


def test_all_faults_are_said_at_once(tmp_path):
    with pytest.raises(DescriptionError) as refused:
        load(tmp_path, SOUND + "modes: [snn, snn]\nchoose: {method: random}\naxes: {x: [1]}\n")
    assert 3 == len(refused.value.faults)
