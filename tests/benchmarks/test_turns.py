"""Two programs run in turn, and a process that stands by answers once each time it is asked."""

from __future__ import annotations

import pytest

from benchmarks.figures import Figure, Sample, line
from benchmarks.measure import Failed
from benchmarks.turns import Standing, against, in_turn


def taking(name: str, seconds: list[float], asked: list[str]):
    def run() -> float:
        asked.append(name)
        return seconds.pop(0)

    return run


def test_programs_run_in_turn_and_each_round_has_its_ratio():
    asked: list[str] = []
    first = taking("A", [1.0, 3.0, 2.0, 2.0], asked)
    turns = in_turn(first, taking("B", [8.0, 12.0, 20.0, 28.0], asked), 2)
    assert "ABBAABBA" == "".join(asked)
    # 20 seconds to 4, then 48 to 4
    assert Sample.of([5.0, 12.0]) == turns.ratio
    assert (Sample.of([1.0, 2.0, 2.0, 3.0]), 16.0) == (turns.first, turns.second.median)
    figure = Figure("steps", turns.first.rate(1), "steps/s", None, peers=(turns.peer("peer"),))
    assert 8.5 == figure.ratio(figure.peers[0])
    assert "8.5 [5 .. 12] x peer: 0.0625 steps/s (same work in turn, 2 rounds of A B B A)" in (
        line(figure)
    )


def test_a_process_that_stands_by_loads_once_and_runs_when_asked():
    asked = {"period": 20, "timesteps": 40, "seed": 3}
    with Standing("benchmarks.races:load_lif", asked) as standing:
        assert standing.facts["load_seconds"] > 0
        found = [standing.seconds(), standing.elapsed()]
        assert all(seconds > 0 for seconds in found) and 40 == standing.last["work"]
        assert 2 * 512 == standing.last["spikes"] - standing.last["spikes"] % 512
        assert standing.last["peak_memory"] > 1 << 20


def test_a_process_that_dies_says_what_it_said_last():
    with pytest.raises(Failed, match="no_such") as failure:
        Standing("benchmarks.races:no_such", {}).__enter__()
    assert "benchmarks.races:no_such" == failure.value.what


def test_a_peer_that_fails_is_said_to_and_we_are_not_excused():
    with Standing("benchmarks.races:load_random", {"cores": 128, "timesteps": 2, "seed": 3}) as us:
        missing = against(us.seconds, "peer", "benchmarks.races:no_such", {}, 1)
        assert (None, None) == (missing.ours, missing.peer.value)
        assert "no_such" in missing.peer.failure
        asked = {"period": 20, "timesteps": 20, "seed": 3}
        raced = against(us.seconds, "peer", "benchmarks.races:load_lif", asked, 1)
        assert raced.ours is not None and raced.peer.ratio is not None
        assert raced.facts["load_seconds"] > 0 and 20 == raced.last["work"]
        us._process.kill()
        with pytest.raises(Failed, match="load_random"):
            against(us.seconds, "peer", "benchmarks.races:load_lif", asked, 1)
