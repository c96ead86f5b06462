"""Synthetic traffic: who sends where, curves that repeat to the bit, and saturation."""

import builtins
from dataclasses import replace

import numpy as np
import pytest
from traces import packets_of

from simulator.describe.trace_file import TraceFile
from simulator.errors import InputError, SpikemeshError
from simulator.study.curve import (
    ACCEPTED,
    BATCHES,
    LEAST_PACKETS,
    LoadPoint,
    _grows,
    curve,
    measure,
    verdict,
    warm_up_cycles,
)
from simulator.study.noc import Latency, mesh, run_trace
from simulator.study.synthetic import PATTERNS, Traffic, draw

# ---------------------------------------------------------------- patterns

# pattern, width, height, destinations of nodes 0, 1, 2, ...
DESTINATIONS = [
    ("transpose", 3, 3, [0, 3, 6, 1, 4, 7, 2, 5, 8]),
    ("bitcomp", 4, 2, [7, 6, 5, 4, 3, 2, 1, 0]),
    ("bitcomp", 3, 1, [2, 1, 0]),
    ("tornado", 4, 1, [1, 2, 3, 0]),
    ("tornado", 5, 1, [2, 3, 4, 0, 1]),
    ("tornado", 4, 4, [5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12, 1, 2, 3, 0]),
    ("neighbor", 3, 2, [4, 5, 3, 1, 2, 0]),
]


@pytest.mark.parametrize("pattern, width, height, expected", DESTINATIONS)
def test_permutations(pattern, width, height, expected):
    traffic = Traffic(pattern, width, height, 0.1)
    node = np.arange(traffic.n_nodes)
    assert expected == PATTERNS[pattern](traffic, node, node).tolist()


def test_the_draw_is_the_published_mixer():
    # splitmix64's first output from state 0, and each word stirred in after the other, by Python's
    # integers
    def mix(z):
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
        return z ^ z >> 31

    assert 0xE220A8397B1DCDAF == mix(0x9E3779B97F4A7C15)
    for seed, purpose, node, cycle in [(0, 0, 0, 0), (1, 3, 63, 10**12), (2**63, 2, 5, 1)]:
        state = seed
        for word in (purpose, node, cycle):
            state = mix((state + (word + 1) * 0x9E3779B97F4A7C15) % 2**64)
        assert [state >> 11] == draw(seed, purpose, np.array([node]), np.array([cycle])).tolist()


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("rate, size", [(0.02, 1), (0.3, 4), (1.0, 1)])
def test_the_rate_is_what_is_offered(pattern, rate, size):
    packets = packets_of(Traffic(pattern, 4, 4, rate, size), 5000)
    expected, spread = 80_000 * rate / size, (80_000 * rate / size * (1 - rate / size)) ** 0.5
    assert abs(len(packets) - expected) <= 4 * spread
    assert (np.diff(packets[:, 0]) >= 0).all() and {size} == set(packets[:, 3].tolist())


def test_what_is_offered_at_a_rate_is_offered_at_every_higher_one():
    few, many = (
        set(map(tuple, packets_of(Traffic("uniform", 4, 4, rate), 3000).tolist()))
        for rate in (0.1, 0.15)
    )
    assert few < many


def test_a_seed_is_all_that_tells_two_traffics_apart():
    one, same, other = (
        packets_of(Traffic("uniform", 4, 4, 0.1, seed=seed), 500).tolist() for seed in (5, 5, 6)
    )
    assert one == same and one != other


@pytest.mark.parametrize(
    "share, hot, expected", [(1.0, 3, 1.0), (0.5, None, 0.5 + 0.5 / 16), (0.0, 3, 1 / 16)]
)
def test_the_hot_node_gets_its_share(share, hot, expected):
    packets = packets_of(Traffic("hotspot", 4, 4, 0.5, hot_node=hot, hot_share=share), 2000)
    got = np.count_nonzero(packets[:, 2] == (10 if hot is None else hot))
    assert (
        abs(got - len(packets) * expected) <= 4 * (len(packets) * expected * (1 - expected)) ** 0.5
    )


def test_uniform_reaches_every_node_alike():
    count = np.bincount(packets_of(Traffic("uniform", 5, 3, 1.0), 4000)[:, 2], minlength=15)
    assert (abs(count - 4000) <= 4 * 4000**0.5).all()


# changes of a traffic, the message
REFUSED = [
    (
        {"pattern": "random"},
        "traffic: must be one of uniform, transpose, bitcomp, tornado, neighbor, hotspot, not "
        "'random'",
    ),
    ({"pattern": "transpose", "width": 8}, "traffic: transpose needs a square mesh, not 8x4"),
    ({"rate": 0.0}, "rate: must be above 0 and at most 1, a packet per node and cycle, not 0"),
    (
        {"rate": 2.5, "packet_size": 2},
        "rate: must be above 0 and at most 2, a packet per node and cycle, not 2.5",
    ),
    (
        {"rate": float("nan")},
        "rate: must be above 0 and at most 1, a packet per node and cycle, not nan",
    ),
    ({"packet_size": 0}, "packet-size: must be 1 to 1000000 flits, not 0"),
    ({"hot_node": 16}, "hot-node: must be a node of the mesh, 0 to 15, not 16"),
    ({"hot_share": 1.5}, "hot-share: must be 0 to 1, not 1.5"),
]


@pytest.mark.parametrize("changes, message", REFUSED)
def test_traffic_that_cannot_be_is_refused(changes, message):
    with pytest.raises(InputError) as refused:
        Traffic(**{"pattern": "uniform", "width": 4, "height": 4, "rate": 0.1} | changes)
    assert message == str(refused.value)


# ---------------------------------------------------------------- curves


def test_the_same_seed_gives_the_same_bytes(noc, tmp_path):
    asked = (
        "--mesh",
        "4x4",
        "--traffic",
        "uniform",
        "--rate",
        "0.1,0.3",
        "--cycles",
        "800",
        "--seed",
        "9",
    )
    said = {noc(*asked, "-o", name).replace("\n", "") for name in "ab"}
    noc(*asked, "--engine", "reference", "-o", "c")
    noc(*asked[:-1], "10", "-o", "d")
    a, b, c, d = ((tmp_path / name / "curve.csv").read_bytes() for name in "abcd")
    assert 1 == len(said) and a == b == c != d and 3 == a.count(b"\n")


def test_a_point_does_not_depend_on_the_other_rates():
    plan, traffic = mesh(4, 4), Traffic("uniform", 4, 4, 0.1)
    alone = measure(plan, replace(traffic, rate=0.3), 600)
    among = curve(plan, traffic, [0.1, 0.3], 600)[1]
    assert (alone.offered, alone.accepted, alone.latency.mean) == (
        among.offered,
        among.accepted,
        among.latency.mean,
    )


def test_latency_rises_with_the_load_and_the_knee_is_found():
    points = curve(
        mesh(8, 8, virtual_channels=2), Traffic("uniform", 8, 8, 0.1), [0.02, 0.2, 0.4, 0.6], 1500
    )
    assert [False, False, False, True] == [point.is_saturated for point in points]
    mean = [point.latency.mean for point in points]
    assert mean == sorted(mean)
    # far below saturation: the zero-load latency of the mean distance, 2 * (8 - 1/8) / 3 hops of 3
    # cycles, and 5
    assert abs(mean[0] - (3 * 2 * (8 - 1 / 8) / 3 + 5)) < 1
    assert verdict(points).startswith(
        "saturates between 0.4 and 0.6 flits/node/cycle; the most accepted is 0.4"
    )


# bitcomp on a row of 4, one flit a packet: 0 <-> 3, 1 <-> 2; the middle links carry two nodes'
# packets, so at most 0.5 each
@pytest.mark.parametrize(
    "rate, is_saturated", [(0.3, False), (0.4, False), (0.6, True), (0.9, True)]
)
def test_saturation_lies_where_the_bisection_says(rate, is_saturated):
    assert is_saturated == measure(mesh(4, 1), Traffic("bitcomp", 4, 1, rate), 4000).is_saturated


def test_a_short_run_is_saturated_when_too_little_arrives():
    # 400 cycles are too few to see the queues grow by half, but not to see that they take more than
    # they give
    point = measure(mesh(8, 8, virtual_channels=2), Traffic("uniform", 8, 8, 0.46), 400)
    assert point.is_saturated and point.accepted < ACCEPTED * point.offered


# latency of a packet injected in cycle c of 4000, whether ever more are under way
GROWTHS = [
    (lambda c: 20 + 0 * c, False),
    (lambda c: 20 + c // 1000, False),
    (lambda c: 300 - c // 20, False),
    (lambda c: 20 + c, True),
    (lambda c: 9999 + 0 * c, True),  # nothing arrives at all
]


@pytest.mark.parametrize("latency, grows", GROWTHS)
def test_saturation_is_ever_more_under_way(latency, grows):
    inject = np.repeat(np.arange(4000), 4)
    assert grows == _grows(inject, inject + latency(inject), 4000, 4)


def test_the_warm_up_ends_where_the_latency_settles():
    inject = np.arange(4000)
    latency = np.where(inject < 1000, 1000 - inject, 20)
    assert 1000 == warm_up_cycles(inject, latency, 4000)
    assert 4000 // BATCHES == warm_up_cycles(inject, np.full(4000, 20), 4000)


STEADY, SATURATED = False, True
# (rate, saturated, accepted) of the points, the sentence
VERDICTS = [
    (
        [(0.1, STEADY, 0.1), (0.2, STEADY, 0.2)],
        "not saturated up to 0.2 flits/node/cycle; the most accepted is 0.2000",
    ),
    (
        [(0.1, STEADY, 0.1), (0.2, SATURATED, 0.15)],
        "saturates between 0.1 and 0.2 flits/node/cycle; the most accepted is 0.1500",
    ),
    (
        [(0.4, SATURATED, 0.3)],
        "saturated from 0.4 flits/node/cycle on, the least tried; the most accepted is 0.3000",
    ),
    (
        [(0.1, SATURATED, 0.05), (0.2, STEADY, 0.2)],
        "saturates at or below 0.1 flits/node/cycle; the most accepted is 0.2000",
    ),
]


@pytest.mark.parametrize("points, sentence", VERDICTS)
def test_the_verdict_names_the_knee(points, sentence):
    made = [
        LoadPoint(rate, rate, accepted, 0, 1000, Latency(), is_saturated, None)
        for rate, is_saturated, accepted in points
    ]
    assert f"{sentence} flits/node/cycle" == verdict(made)


def few(rate: float) -> LoadPoint:
    return LoadPoint(rate, rate, rate, 0, LEAST_PACKETS - 1, Latency(), False, None)


def test_a_rate_with_too_few_packets_says_so():
    enough = LoadPoint(0.2, 0.2, 0.2, 0, LEAST_PACKETS, Latency(), False, None)
    words = "fewer than 100 packets measured at 1e-09, 0.1: nothing follows from it"
    assert "too few packets" == few(0.1).state
    assert words == verdict([few(1e-9), few(0.1)])
    said = verdict([few(1e-9), enough, few(0.1)])
    steady = (
        "not saturated up to 0.2 flits/node/cycle; the most accepted is 0.2000 flits/node/cycle"
    )
    assert f"{steady}; {words}" == said


def test_no_packets_are_no_steady_network(noc):
    said = noc("--mesh", "4x4", "--traffic", "uniform", "--rate", "0.000000001", "--cycles", "400")
    assert "too few packets" in said and "not saturated" not in said


def test_progress_counts_flits(tmp_path):
    (tmp_path / "t.csv").write_text("cycle,src,dst,size\n0,0,1,300000\n0,1,0,2\n")
    file, done = TraceFile(tmp_path / "t.csv", 2, 1), []
    file.check()
    run_trace(mesh(2, 1), file.windows(), progress=done.append)
    assert (300_002, 300_002) == (file.n_flits, done[-1])
    assert 3 < len(done) and done == sorted(done)


def test_too_few_cycles_are_refused(noc):
    with pytest.raises(InputError) as refused:
        noc("--mesh", "4x4", "--traffic", "uniform", "--cycles", "399")
    assert "--cycles: must be at least 400 to tell a warm-up from a steady state, not 399" == str(
        refused.value
    )


def test_a_plot_is_a_picture(noc, tmp_path):
    pytest.importorskip("matplotlib")
    noc(
        "--mesh",
        "4x4",
        "--traffic",
        "uniform",
        "--rate",
        "0.1,0.2,0.9",
        "--cycles",
        "400",
        "--plot",
        "c.png",
    )
    assert b"\x89PNG" == (tmp_path / "c.png").read_bytes()[:4]


def test_without_matplotlib_the_extra_is_named_before_anything_runs(noc, tmp_path, monkeypatch):
    imported = builtins.__import__

    def refuse(name, *rest):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return imported(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(SpikemeshError, match=r"pip install -e '\.\[plot\]'"):
        noc("--mesh", "4x4", "--traffic", "uniform", "-o", "c", "--plot", "c.png")
    assert not list(tmp_path.iterdir())
