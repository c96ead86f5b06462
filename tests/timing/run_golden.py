"""Compare an engine with recorded router vectors, packet by packet and grant by grant.

    python tests/timing/run_golden.py FOLDER [--engine reference|compiled]

FOLDER holds index.json, scenarios/S.csv, results/CONFIG/S.csv and, for some, grants/CONFIG/S.csv
(golden/README.md).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from engines import ENGINES, simulate_with

from simulator.mapping.plan import CANONICAL, LOOKAHEAD, Plan
from simulator.mapping.traffic import noc_plan, trace_activity
from simulator.timing.record import PACKET_SHIFT, Record

PIPELINE = {"lookahead": LOOKAHEAD, "canonical": CANONICAL}
#: columns of a results file, and of a Record's packets; the packet's number comes first
PACKET_COLUMNS = (
    "inject_cycle",
    "source",
    "destination",
    "size",
    "head_entry_cycle",
    "head_arrive_cycle",
    "tail_arrive_cycle",
    "hops",
)
GRANT_COLUMNS = ("cycle", "router", "in_port", "in_vc", "out_port", "out_vc")


def read(path: Path) -> np.ndarray:
    """Return the rows of a file of integers under one line of names."""
    return np.loadtxt(path, np.int64, delimiter=",", skiprows=1, ndmin=2)


def golden_plan(configuration: dict, side: int) -> Plan:
    """Return the mesh of a configuration in index.json."""
    latency = np.full(2, configuration["link_latency"], np.int64)
    return noc_plan(
        side,
        side,
        pipeline=PIPELINE[configuration["pipeline"]],
        virtual_channels=configuration["vcs"],
        buffer=configuration["buffer_flits"],
        atomic=configuration["atomic_vc"],
        link_latency=latency,
    )


def packet_names(trace: np.ndarray) -> np.ndarray:
    """Return the name of each packet of a trace: its source, and its number there in (cycle,
    line).
    """
    name = np.zeros(len(trace), np.int64)
    sent: dict[int, int] = {}
    for line in np.argsort(trace[:, 0], kind="stable"):
        source = int(trace[line, 1])
        name[line] = (source << PACKET_SHIFT) + sent.get(source, 0)
        sent[source] = sent.get(source, 0) + 1
    return name


def packets_of(record: Record, trace: np.ndarray) -> np.ndarray:
    """Return the packets as rows of a results file, in its order."""
    line_of = {int(name): line for line, name in enumerate(packet_names(trace))}
    rows = [
        [line_of[int(row["packet"])], *(int(row[name]) for name in PACKET_COLUMNS)]
        for row in record.packets
    ]
    return np.array(sorted(rows), np.int64).reshape(-1, 1 + len(PACKET_COLUMNS))


def grants_of(record: Record, trace: np.ndarray) -> np.ndarray:
    """Return the grants as cycle, router, ports and VCs, packet and number of the flit in it,
    sorted.
    """
    line_of = {int(name): line for line, name in enumerate(packet_names(trace))}
    rows = [
        [*(int(row[name]) for name in GRANT_COLUMNS), line_of[int(row["packet"])], int(row["flit"])]
        for row in record.grants
    ]
    return np.array(sorted(rows), np.int64)


def numbered_in_packets(grants: np.ndarray) -> np.ndarray:
    """Return recorded grants, whose flits are numbered through the whole run, with numbers within
    each packet.
    """
    grants = grants.copy()
    for packet in np.unique(grants[:, 6]):
        of_packet = grants[:, 6] == packet
        grants[of_packet, 7] -= grants[of_packet, 7].min()
    return np.array(sorted(grants.tolist()), np.int64)


def first_difference(what: str, expected: np.ndarray, got: np.ndarray) -> str | None:
    """Return None when both are equal, else the first row that differs."""
    if np.array_equal(expected, got):
        return None
    for row, (a, b) in enumerate(zip(expected.tolist(), got.tolist())):
        if a != b:
            return f"{what} {row}: expected {a}, got {b}"
    return f"{what}: expected {len(expected)}, got {len(got)}"


def compare(folder: Path, configuration: str, scenario: str, simulate) -> str | None:
    """Return the first difference of one scenario on one configuration."""
    index = json.loads((folder / "index.json").read_text())
    trace = read(folder / "scenarios" / f"{scenario}.csv")
    plan = golden_plan(index["configs"][configuration], index["scenarios"][scenario]["k"])
    record = simulate(plan, trace_activity(plan, trace), events=True)
    expected = read(folder / "results" / configuration / f"{scenario}.csv")
    difference = first_difference("packet", expected, packets_of(record, trace))
    grants = folder / "grants" / configuration / f"{scenario}.csv"
    if grants.exists():
        grant = first_difference(
            "grant", numbered_in_packets(read(grants)), grants_of(record, trace)
        )
        difference = grant or difference
    return difference


def cases(folder: Path) -> list[tuple[str, str]]:
    """Return every (configuration, scenario) of a folder that has results."""
    return sorted((path.parent.name, path.stem) for path in folder.glob("results/*/*.csv"))


def main() -> int:
    """Print every case that differs and how many do."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--engine", default="reference", choices=ENGINES)
    arguments = parser.parse_args()
    simulate = simulate_with(arguments.engine)
    differing, started = 0, time.perf_counter()
    todo = cases(arguments.folder)
    for configuration, scenario in todo:
        difference = compare(arguments.folder, configuration, scenario, simulate)
        if difference is not None:
            differing += 1
            print(f"{configuration}/{scenario}: {difference}", flush=True)
    seconds = time.perf_counter() - started
    print(
        f"{arguments.engine}: {len(todo) - differing} of {len(todo)} cases equal, in {seconds:.1f} "
        f"s"
    )
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
