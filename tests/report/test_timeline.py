"""A timeline keeps the rules of the Trace Event Format, and says what the run's record says."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from simulator import Chip, Workload, run
from simulator.commands.verbs import cli
from simulator.errors import InputError
from simulator.report import timeline
from simulator.report.timeline import CHIP, PORTS, POWER_THREAD, write_timeline
from simulator.study.window import window
from simulator.timing.record import COUNTER, POWER_STATES, QUEUES, UNIT_STATES, UNITS

#: keys an event of each phase has, of those this format knows
KEYS = {
    "M": {"ph", "pid", "tid", "name", "args"},
    "X": {"ph", "pid", "tid", "name", "ts", "dur"},
    "C": {"ph", "pid", "tid", "name", "ts", "args"},
    "i": {"ph", "pid", "tid", "name", "ts", "s"},
    "s": {"ph", "pid", "tid", "name", "ts", "cat", "id", "args"},
    "f": {"ph", "pid", "tid", "name", "ts", "cat", "id", "bp"},
}
RUNS = {
    "barrier": ({}, {"limit": 1}),
    "gated": (
        {"gating.gate_after": "20 cycle", "gating.router_gate_after": "50 cycle"},
        {"limit": 1},
    ),
    "tokens": ({"step.synchronisation": "tokens"}, {"limit": 2}),
    "overlap": ({}, {"limit": 3, "overlap": True}),
    "narrow": ({"core.axon_out.queue": 1, "core.soma.queue": 1}, {"limit": 1}),
}


@pytest.fixture(scope="module", params=list(RUNS))
def made(request, tmp_path_factory):
    """Return a run of the digits, and the timeline of all its cycles."""
    changes, how = RUNS[request.param]
    result = run("digits-mlp", Chip.load("generic-22nm", changes), "snn", timesteps=2, **how)
    path = tmp_path_factory.mktemp("timeline") / "one.json"
    looked_into = window(result, (0, result.record.cycles))
    assert write_timeline(looked_into, path) == len(read(path))
    return result, looked_into, read(path)


def read(path: Path) -> list[dict]:
    return json.loads(path.read_text())["traceEvents"]


def check(events: list[dict]) -> None:
    """Hold events against the rules of the format."""
    threads, flows = defaultdict(list), defaultdict(list)
    for event in events:
        phase = event["ph"]
        assert KEYS[phase] <= set(event) <= KEYS[phase] | {"args"}, event
        assert isinstance(event["pid"], int) and isinstance(event["tid"], int)
        assert isinstance(event["name"], str) and event["name"]
        if phase == "M":
            assert event["name"] in ("process_name", "thread_name")
            assert list(event["args"]) == ["name"]
            continue
        assert isinstance(event["ts"], (int, float)) and event["ts"] >= 0
        if phase == "X":
            assert isinstance(event["dur"], int) and event["dur"] > 0
            threads[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
        elif phase == "C":
            assert all(isinstance(value, int) and value >= 0 for value in event["args"].values())
        elif phase in "sf":
            flows[event["id"]].append(event)
        else:
            assert event["s"] in ("g", "p", "t")
    for slices in threads.values():  # each thread does one thing at a time
        slices.sort()
        assert all(before[1] <= after[0] for before, after in zip(slices, slices[1:]))
    for start, end in flows.values():  # one of each, in a slice of its thread
        assert ("s", "f") == (start["ph"], end["ph"]) and start["ts"] < end["ts"]
        assert (start["cat"], start["name"]) == (end["cat"], end["name"])
        for event in (start, end):
            spans = threads[event["pid"], event["tid"]]
            at = np.searchsorted([begin for begin, _ in spans], event["ts"], side="right") - 1
            assert at >= 0 and event["ts"] < spans[at][1], event


def test_the_rules_of_the_format_are_kept(made) -> None:
    check(made[2])


def test_unit_slices_add_up_to_the_stall_table(made) -> None:
    result, _, events = made
    units = np.zeros((result.plan.n_cores, len(UNITS), len(UNIT_STATES)), np.int64)
    power = np.zeros((result.plan.n_cores, len(POWER_STATES)), np.int64)
    for event in events:
        if event["ph"] == "X" and event["pid"] < CHIP:
            core, thread = event["pid"], event["tid"]
            if thread == POWER_THREAD:
                power[core, POWER_STATES.index(event["name"])] += event["dur"]
            else:
                units[core, thread, UNIT_STATES.index(event["name"])] += event["dur"]
    shown = sorted({event["pid"] for event in events if event["pid"] < CHIP})
    assert np.flatnonzero(result.mapping.neurons.any(axis=1)).tolist() == shown
    assert result.record.unit_cycles[shown].tolist() == units[shown].tolist()
    assert result.record.state_cycles[shown].tolist() == power[shown].tolist()


def test_a_flow_leads_from_each_packet_s_put_to_its_take(made) -> None:
    result, looked_into, events = made
    record, n_cores = looked_into.history.record, result.plan.n_cores
    starts = {event["id"]: event for event in events if event["ph"] == "s"}
    ends = {event["id"]: event for event in events if event["ph"] == "f"}
    assert set(range(len(record.packets))) == set(starts) == set(ends)
    assert result.count("packets_received") == len(ends)
    synapse = UNITS.index("synapse")
    takes = {(row["core"], row["cycle"]) for row in record.units if row["unit"] == synapse}
    for number, packet in enumerate(record.packets):
        start, end = starts[number], ends[number]
        source, target = int(packet["source"]), int(packet["destination"])
        assert packet["inject_cycle"] == start["args"]["put"]
        if source < n_cores:
            assert (source, UNITS.index("axon_out")) == (start["pid"], start["tid"])
            assert packet["inject_cycle"] == start["ts"] + 0.5
        else:
            assert (PORTS, source - n_cores) == (start["pid"], start["tid"])
        take = int(end["ts"])
        if target < n_cores:
            assert (target, synapse) == (end["pid"], end["tid"])
            assert (target, take) in takes and take > packet["tail_arrive_cycle"]
        else:
            assert packet["tail_arrive_cycle"] == take


def test_counter_tracks_reach_the_high_water_marks(made) -> None:
    result, _, events = made
    marks = np.zeros((result.plan.n_cores, len(QUEUES)), np.int64)
    names = [queue.replace("_", " ") for queue in QUEUES]
    for event in events:
        if event["ph"] == "C" and event["name"] in names and event["pid"] < CHIP:
            queue, (depth,) = names.index(event["name"]), event["args"].values()
            marks[event["pid"], queue] = max(marks[event["pid"], queue], depth)
    shown = np.flatnonzero(result.mapping.neurons.any(axis=1))
    assert result.record.queue_peak[shown].tolist() == marks[shown].tolist()


def test_a_window_holds_what_a_whole_timeline_shows_there(made, tmp_path) -> None:
    result, _, events = made
    first, last = result.record.cycles // 5, result.record.cycles // 3
    path = tmp_path / "window.json"
    write_timeline(window(result, (first, last)), path)
    part = read(path)
    check(part)
    clipped = sorted(
        (one["pid"], one["tid"], max(one["ts"], first), min(one["ts"] + one["dur"], last))
        for one in events
        if one["ph"] == "X" and one["pid"] < CHIP
        and one["ts"] < last and one["ts"] + one["dur"] > first
    )  # fmt: skip
    assert clipped == sorted(
        (one["pid"], one["tid"], one["ts"], one["ts"] + one["dur"])
        for one in part
        if one["ph"] == "X" and one["pid"] < CHIP
    )
    inside = [one for one in part if one["ph"] in "XCsfi"]
    assert min(one["ts"] for one in inside) >= first
    assert max(one["ts"] + one.get("dur", 0) for one in inside) <= last


def test_only_the_first_chunk_is_looked_into(tmp_path) -> None:
    chunks = run("digits-mlp", mode="snn", timesteps=1, limit=4, chunk=2)
    first = run("digits-mlp", mode="snn", timesteps=1, limit=2)
    end = first.record.cycles
    again = window(chunks, (0, end)).history.record
    assert again.unit_cycles.tolist() == first.record.unit_cycles.tolist()
    with pytest.raises(InputError) as refused:
        window(chunks, (0, end + 1))
    assert (
        f"window: must lie within 0:{end}, the cycles of the first chunk of 2 inferences, "
        f"not 0:{end + 1}"
    ) == str(refused.value)


def test_too_many_events_are_refused_and_nothing_is_written(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(timeline, "MOST_EVENTS", 100)
    result = run("digits-mlp", mode="snn", timesteps=1, limit=1)
    with pytest.raises(InputError, match="window: must hold at most 100 events, not about"):
        write_timeline(window(result), tmp_path / "one.json")
    assert not list(tmp_path.iterdir())


ASKED = [
    (["--window", "0:9"], "--window: needs --timeline"),
    (["--timeline", "a.json", "--window", "9:0"], "--window: must begin before it ends, not"),
    (["--timeline", "a.json", "--window", "0:9999999"], "--window: must lie within 0:"),
    (["--timeline", "a.json", "--window", "x"], "--window: must be two whole numbers"),
    (["--timeline", "out/a.json", "-o", "out"], "--timeline: must be outside the folder of -o"),
    (["--timeline", "there/a.json"], "there/a.json: cannot be written"),
]


@pytest.mark.parametrize("asked, message", ASKED)
def test_what_is_refused_on_the_command_line(asked, message, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["spikemesh", "run"])
    with pytest.raises(InputError) as refused:
        cli.main(
            ["run", "digits-mlp", "--mode", "snn", "--limit", "1", *asked], standalone_mode=False
        )
    assert str(refused.value).startswith(message)
    assert not list(tmp_path.iterdir())


def test_the_command_writes_the_first_inference(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    asked = "run digits-mlp --mode snn --timesteps 1 --limit 2 --timeline a.json"
    monkeypatch.setattr("sys.argv", ["spikemesh", *asked.split()])
    cli.main(asked.split(), standalone_mode=False)
    alone = run(Workload.load("digits-mlp"), mode="snn", timesteps=1, limit=1)
    events = read(tmp_path / "a.json")
    check(events)
    assert f"wrote a.json ({len(events):,} events)" in capsys.readouterr().err
    ends = [one["ts"] + one["dur"] for one in events if one["ph"] == "X"]
    assert alone.record.cycles == max(ends)
    sent = alone.record.counters[:, COUNTER["packets_sent"]].sum()
    assert sent == sum(one["ph"] == "s" for one in events)
