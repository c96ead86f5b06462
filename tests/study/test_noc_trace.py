"""`spikemesh noc TRACE.csv`: the vectors' files, zero load, links and buffers, any windows."""

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from traces import everything, in_windows, random_packets, rows

from simulator.errors import DeadlockError
from simulator.mapping.plan import EAST, LOCAL
from simulator.study.noc import PIPELINE, InOrder, Latency, mesh, run_trace

GOLDEN = Path(__file__).parents[1] / "timing" / "golden"
INDEX = json.loads((GOLDEN / "index.json").read_text())
ENGINES = ["compiled", "reference"]
RECORDED = sorted((path.parent.name, path.stem) for path in GOLDEN.glob("results/*/*.csv"))


# ---------------------------------------------------------------- the vectors


@pytest.mark.parametrize("engine", ENGINES)
def test_the_files_are_those_of_the_vectors_to_the_byte(noc, tmp_path, engine):
    differ = []
    for configuration, scenario in RECORDED:
        chosen, side = INDEX["configs"][configuration], INDEX["scenarios"][scenario]["k"]
        noc(
            GOLDEN / "scenarios" / f"{scenario}.csv",
            "--mesh",
            f"{side}x{side}",
            "--pipeline",
            chosen["pipeline"],
            "--vcs",
            chosen["vcs"],
            "--buffer",
            chosen["buffer_flits"],
            "--engine",
            engine,
            "-o",
            "out",
            "--overwrite",
            "--grants",
        )
        for kind, got in (("results", "packets.csv"), ("grants", "grants.csv")):
            expected = GOLDEN / kind / configuration / f"{scenario}.csv"
            if expected.exists() and expected.read_bytes() != (tmp_path / "out" / got).read_bytes():
                differ.append(f"{kind}/{configuration}/{scenario}")
    assert not differ and len(RECORDED) >= 20


# ---------------------------------------------------------------- zero load


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("pipeline, stages", [("lookahead", 2), ("canonical", 4)])
@pytest.mark.parametrize("buffer", [2, 8])
def test_an_isolated_packet_takes_the_formula(engine, pipeline, stages, buffer):
    table = [(hops, size) for hops in range(15) for size in range(1, 9)]
    trace = rows(
        *(
            (200 * k, 0, min(hops, 7) + 8 * max(hops - 7, 0), size)
            for k, (hops, size) in enumerate(table)
        )
    )
    _, packets, _ = everything(
        mesh(8, 8, pipeline=PIPELINE[pipeline], buffer=buffer), [trace], engine=engine
    )
    expected = [
        hops * (stages + 1) + stages + 3 + (size - 1) + (size - 1) // buffer * max(0, 5 - buffer)
        for hops, size in table
    ]
    assert expected == (packets[:, 7] - packets[:, 1]).tolist()
    assert [hops + 1 for hops, _ in table] == packets[:, 8].tolist()


# ---------------------------------------------------------------- load, overload, idle time


@pytest.mark.parametrize("engine", ENGINES)
def test_a_hot_spot_takes_one_flit_a_cycle(engine):
    # sixteen nodes send one flit to node 5 at once; the arrivals by source, recorded from the
    # field's router
    _, packets, _ = everything(
        mesh(4, 4), [rows(*((0, node, 5, 1) for node in range(16)))], engine=engine
    )
    assert [16, 11, 14, 18, 9, 5, 8, 12, 15, 10, 13, 19, 21, 17, 20, 22] == packets[:, 7].tolist()


def test_an_overload_drains_to_the_last_flit():
    packets = random_packets(3000, 100, 16)
    result, arrived, _ = everything(mesh(4, 4), [packets])
    assert (3000, packets[:, 3].sum()) == (len(arrived), result.record.link_flits[:, LOCAL].sum())
    assert result.cycles > 4 * 100


@pytest.mark.parametrize("engine", ENGINES)
def test_twenty_thousand_idle_cycles_change_nothing_but_the_clock(engine):
    packets = random_packets(50, 60, 16)
    packets[:, 1] = 3  # from one source, so that no pointer of an arbiter remembers the first half
    shift = np.array([20_000, 0, 0, 0, 0])
    _, once, _ = everything(mesh(4, 4), [packets], engine=engine)
    _, twice, _ = everything(mesh(4, 4), [packets, packets + shift], engine=engine)
    assert once.tolist() == twice[:50].tolist()
    assert (once[:, [5, 6, 7]] - once[:, [1]]).tolist() == (
        twice[50:, [5, 6, 7]] - twice[50:, [1]]
    ).tolist()


def test_an_idle_gap_costs_nothing():
    from simulator.timing.engine import windows as module

    calls = []
    advance = module.advance

    def counted(state, until, budget):
        calls.append(budget)
        return advance(state, until, budget)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "advance", counted)
        patch.setattr(
            module, "SLICE", 8
        )  # eventful cycles: 10**15 idle ones pass within a few slices
        everything(mesh(4, 4), [rows((0, 0, 15, 1), (10**15, 15, 0, 1))])
    assert len(calls) <= 40


# ---------------------------------------------------------------- windows


@pytest.mark.parametrize("size", [1, 7, 100, 2000])
@pytest.mark.parametrize("load", ["sparse", "one cycle", "overload"])
def test_a_run_does_not_depend_on_where_the_windows_are_cut(size, load):
    packets = random_packets(2000, {"sparse": 4000, "one cycle": 1, "overload": 200}[load], 16)
    plan = mesh(4, 4, virtual_channels=3, buffer=3, class_vcs=(1, 2))
    expected = everything(plan, [packets], engine="reference" if load == "sparse" else "compiled")
    got = everything(plan, in_windows(packets, size))
    for a, b in zip(expected[1:], got[1:]):
        assert a.tolist() == b.tolist()
    assert expected[0].record.link_blocked.tolist() == got[0].record.link_blocked.tolist()
    assert (
        expected[0].record.router_flit_cycles.tolist() == got[0].record.router_flit_cycles.tolist()
    )
    assert (expected[0].cycles, expected[0].record.counters.tolist()) == (
        got[0].cycles,
        got[0].record.counters.tolist(),
    )


def test_a_cycle_with_more_packets_than_a_window_holds(monkeypatch):
    monkeypatch.setattr("simulator.timing.engine.windows.CAPACITY", 16)
    packets = random_packets(500, 3, 16)
    plan = mesh(4, 4)
    assert (
        everything(plan, [packets])[1].tolist()
        == everything(plan, in_windows(packets, 10))[1].tolist()
    )


def test_no_packets_at_all():
    result, packets, grants = everything(mesh(2, 2), [])
    assert (0, 0, 0, 0, 0) == (
        result.packets,
        result.cycles,
        len(packets),
        len(grants),
        result.flit_hops,
    )


def test_memory_does_not_grow_with_the_trace():
    plan = mesh(4, 4)
    window = random_packets(20_000, 20_000, 16, most_flits=1)

    def peak(n):
        tracemalloc.start()
        shifted = (window + np.array([20_000 * k, 0, 0, 0, 0]) for k in range(n))
        run_trace(plan, shifted, write_packets=lambda _: None)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1)
    assert peak(12) < 1.1 * peak(4)  # bytes, not physics: the interpreter's own objects come and go


def test_packets_are_written_in_the_order_of_the_trace():
    written = []
    in_order = InOrder(lambda part: written.append(part[:, 0].tolist()))
    for pids in ([2], [0], [4, 1], [3]):
        in_order.add(np.array([[pid] + [0] * 8 for pid in pids]))
    assert [[], [0], [1, 2], [3, 4]] == written


# ---------------------------------------------------------------- what is said about a run


def test_links_and_buffers_worked_out_by_hand(noc, tmp_path):
    (tmp_path / "t.csv").write_text("cycle,src,dst,size\n0,0,1,2\n")
    out = noc(
        "t.csv",
        "--mesh",
        "2x1",
        "--flit-interval",
        "3",
        "--buffer",
        "4",
        "-o",
        "out",
    )
    # head: router 0 in 2, router 1 in 5, arrives in 8; tail: router 0 in 3, leaves in 5, router 1
    # in 8, arrives in 11
    assert (tmp_path / "out" / "links.csv").read_text().splitlines() == [
        "router,x,y,port,flits,utilisation,blocked_cycles",
        "0,0,0,east,2,0.5,2",
        "0,0,0,local,0,0.0,0",
        "1,1,0,west,0,0.0,0",
        f"1,1,0,local,2,{2 / 12},0",
    ]
    assert (tmp_path / "out" / "routers.csv").read_text().splitlines() == [
        "router,x,y,flits,flit_cycles,buffer_utilisation",
        f"0,0,0,2,4,{4 / (2 * 4 * 12)}",
        f"1,1,0,2,2,{2 / (2 * 4 * 12)}",
    ]
    assert "busiest link    router 0 (0,0) east: 50.00% of the cycles used, 16.67% blocked" in out
    assert "throughput      0.0833 flits/node/cycle" in out


def test_latencies_are_counted_exactly():
    latency = Latency()
    for part in ([5, 5, 9], [7], [], [5, 100]):
        latency.add(np.array(part, np.int64))
    assert ([5, 7, 9, 100], [3, 1, 1, 1]) == (latency.cycles.tolist(), latency.packets.tolist())
    assert (6, 131 / 6) == (latency.n, latency.mean)
    assert [5, 5, 7, 9, 100, 100] == [
        latency.quantile(share) for share in (0.0, 0.5, 0.51, 5 / 6, 0.99, 1.0)
    ]


def test_options_reach_the_network(noc, tmp_path):
    (tmp_path / "t.csv").write_text("cycle,src,dst,size,class\n0,0,3,1,1\n")
    noc(
        "t.csv",
        "--mesh",
        "2x2",
        "--routing",
        "yx",
        "--link-latency",
        "1,4",
        *"--vcs 3 --class-vcs 2,1 --grants -o out".split(),
    )
    # north first (4 cycles of latency), then east; class 1 has VC 2 alone
    expected = ["2,0,4,2,2,2,0,0", "8,2,3,2,0,2,0,0", "11,3,1,2,4,2,0,0"]
    assert expected == (tmp_path / "out" / "grants.csv").read_text().splitlines()[1:]
    result, _, _ = everything(mesh(2, 1, atomic=True), [rows((0, 0, 1, 1), (0, 0, 1, 1))])
    assert (2, 14) == (result.record.link_flits[0, EAST], result.cycles)


# ---------------------------------------------------------------- deadlock


def test_a_deadlock_ends_the_stream_with_its_circle():
    from dataclasses import replace

    from simulator.mapping.routes import fill, xy

    # four worms turn round a square, each holding the link the next one wants
    turning = {(1, 1): (0,), (-1, 1): (2,), (-1, -1): (1,), (1, -1): (3,)}
    allowed = fill(
        lambda in_port, parity, dx, dy: turning.get((dx, dy)) or xy(in_port, parity, dx, dy)
    )
    plan = replace(mesh(2, 2, buffer=1), allowed=allowed)
    worms = rows(*((0, source, 3 - source, 20) for source in range(4)))
    with pytest.raises(DeadlockError, match=r"^cycle \d+: deadlock: "):
        run_trace(plan, [worms])
