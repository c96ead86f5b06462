"""Everything that takes more than a moment says how far it is and how long it will take."""

from contextlib import contextmanager
from pathlib import Path

import pytest

from simulator.commands import progress
from simulator.commands.verbs import cli

DIGITS = Path(__file__).resolve().parents[2] / "workloads/digits-mlp/digits-mlp.nir"
STUDY = """\
schema_version: 1
name: visits
question: how long may a visit take?
workloads: [digits-mlp]
limit: 1
axes: {core.soma.visit: [1 cycle, 2 cycles]}
objectives: {latency_cycles.mean: minimise}
"""
#: verbs that simulate several runs one after the other, each of which tells of the same jobs
SEVERAL = ("coding", "budget")
TRAFFIC = "noc --mesh 4x4 --traffic uniform --rate 0.1 --cycles 400"
# what is asked, the jobs it tells of
TELLS = [
    ("run digits-mlp --mode qnn --limit 1", {"qnn arithmetic", "qnn steps"}),
    (
        "twin digits-mlp --limit 1",
        {f"{mode} {job}" for mode in ("snn", "qnn") for job in ("arithmetic", "steps")},
    ),
    ("agree digits-mlp --limit 1", {"per cent compared"}),
    ("noc t.csv --mesh 2x2", {"flits"}),
    (TRAFFIC, {"rate 0.1"}),
    (f"{TRAFFIC} --multicast 2", {"trees", "unicasts"}),
    ("analytic --landscape out", {"grids", "pictures"}),
    ("validate digits-mlp --limit 1 --terms-only --density 0.2", {"snn steps", "qnn steps"}),
    (
        "validate mlp-4-2 --limit 1 --density 0.2 --timesteps 2",
        {"snn steps", "qnn steps", "simulations"},
    ),
    ("crossover mlp-8-2 --timesteps 2,3 --resolution 0.01 --seeds 2", {"simulations"}),
    (
        "always-on digits-mlp --frame-rate 10Hz --duty 0.1 --frames 10 --policy gate",
        {"duty 1 of 1, gate", "duty 1 of 1, never"},
    ),
    ("chips --check loihi1", {"claims"}),
    (
        "run digits-mlp --mode snn --limit 1 --timeline a.json",
        {"snn arithmetic", "snn steps", "timeline steps"},
    ),
    ("sweep study.yaml --jobs 1 -o out", {"points"}),
    ("explain digits-mlp --limit 1", {"snn arithmetic", "snn steps", "relaxations"}),
    ("timesteps digits-mlp --timesteps 1,2 --limit 1", {"twins"}),
    ("coding digits-mlp --timesteps 2 --limit 1", {"snn arithmetic", "snn steps"}),
    ("budget digits-mlp --budget 8 --limit 1", {"ways", "snn arithmetic", "snn steps"}),
    ("map digits-mlp", {"silent neurons looked for", "annealing", "plans simulated"}),
    (f"import {DIGITS} -o mine", {"in reals", "in integers"}),
]


@pytest.mark.parametrize(("asked", "jobs"), TELLS)
def test_every_verb_tells_how_far_it_is(asked, jobs, tmp_path, monkeypatch):
    told: list[tuple[str, int, int]] = []

    @contextmanager
    def heard():
        yield lambda *call: told.append(call[:3])

    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text("cycle,src,dst,size\n0,0,3,4\n")
    (tmp_path / "study.yaml").write_text(STUDY)
    monkeypatch.setattr(progress, "shown", heard)
    monkeypatch.setattr("sys.argv", ["spikemesh", *asked.split()])
    cli.main(asked.split(), standalone_mode=False)
    assert jobs == {job for job, _, _ in told}
    assert all(0 <= done <= total for _, done, total in told)
    for job in jobs:
        done = [done for name, done, _ in told if name == job]
        assert asked.startswith(SEVERAL) or done == sorted(done), job


@pytest.fixture
def clock(monkeypatch):
    """Return a clock that is set by hand, seconds in its only place."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


# (seconds, what, done, of) told one after the other, the lines on stderr
LINES = [
    ([(0.5, "steps", 1, 9), (1.9, "steps", 2, 9)], []),
    ([(0.0, "steps", 0, 100), (12, "steps", 40, 100)], ["steps: 40 of 100, about 18 s left"]),
    # what was done when it was first heard of took no time that is known
    ([(10.0, "steps", 50, 100), (20, "steps", 75, 100)], ["steps: 75 of 100, about 10 s left"]),
    # the next job of that name begins anew
    (
        [(0, "steps", 90, 100), (30, "steps", 0, 100), (50, "steps", 50, 100)],
        ["steps: 50 of 100, about 20 s left"],
    ),
    # a line now and then, not each time
    ([(0, "a", 0, 9), (11, "a", 1, 9), (12, "a", 2, 9)], ["a: 1 of 9, about 88 s left"]),
]


@pytest.mark.parametrize(("calls", "lines"), LINES)
def test_lines_where_nobody_has_a_terminal(calls, lines, clock, capsys):
    with progress.shown() as report:
        for seconds, what, done, total in calls:
            clock[0] = seconds
            report(what, done, total)
    assert lines == capsys.readouterr().err.splitlines()
