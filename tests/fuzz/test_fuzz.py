"""Whatever is typed or read ends in a result whose sums hold, or in one clear message, soon.

About a minute of what `make fuzz N=...` does for hours: the same inputs in every run.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parent))

from inputs import KINDS, hostile, mutated, shipped  # noqa: E402
from pool import MEMORY, Worker  # noqa: E402
from worker import judged  # noqa: E402

#: inputs of each kind, and where their seeds begin
EACH, FIRST = 25, 10**9


@pytest.fixture(scope="module")
def worker():
    one = Worker()
    yield one
    one.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_inputs_end_well(worker: Worker, kind: str) -> None:
    for seed in range(FIRST, FIRST + EACH):
        worker.ask(kind, seed)
        found = worker.answer()
        assert not found["wrong"], (kind, seed, found)
        assert found["memory"] < MEMORY


# a value of a key, whatever it is made of; the rest of the command is sound
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=40)


@settings(max_examples=60, deadline=None, derandomize=True, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(st.sampled_from(["link.flit", "workload.twin.timesteps", "x", "ports.0.tile"]), TEXT)
def test_any_text_behind_set_ends_well(worker: Worker, key: str, value: str) -> None:
    worker.give(["run", "digits-mlp", "--mode", "snn", "--limit", "1",
                 "--set", f"{key}={value}"])  # fmt: skip
    found = worker.answer()
    assert not found["wrong"], found


@settings(max_examples=60, deadline=None, derandomize=True, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(st.sampled_from([["check", "f"], ["noc", "f", "--mesh", "2x2"]]), st.binary(max_size=200))
def test_any_bytes_in_a_file_end_well(worker: Worker, arguments: list[str], data: bytes) -> None:
    worker.give(arguments, {"f": data})
    found = worker.answer()
    assert not found["wrong"], found


def test_a_kind_and_a_seed_are_one_input() -> None:
    for kind in KINDS:
        assert hostile(kind, 5) == hostile(kind, 5)


# what looks like a number, and is none that Python reads
@pytest.mark.parametrize(("kind", "seed"), [("mapping", 9009899), ("recording", 9037230)])
def test_every_seed_is_an_input(kind: str, seed: int) -> None:
    assert hostile(kind, seed).files


def test_most_mutations_change_something() -> None:
    text = shipped("chip", "generic-22nm")[0]
    same = sum(mutated(random.Random(seed), text) == text for seed in range(200))
    assert same < 20


# how a command ended, what is wrong with it
ENDS = [
    (0, "a table", "", ""),
    (0, "", "", "no output"),
    (2, "", "x.yaml:3: key: must be 1, not 2\n", ""),
    (2, "", "", "0 lines of errors"),
    (2, "", "Traceback (most recent call last):\n", "a traceback"),
    (2, "", "something\n", "no clear message: 'something'"),
    (2, "", "a: \x1b[31m\n", "not printable: 'a: \\x1b[31m'"),
    (2, "", "a: b\n" * 99, "99 lines of errors"),
    (-11, "", "", "exit code -11"),
    (130, "", "stopped\n", "exit code 130"),
]


@pytest.mark.parametrize(("code", "out", "errors", "wrong"), ENDS)
def test_a_bad_end_is_noticed(code: int, out: str, errors: str, wrong: str) -> None:
    assert wrong == judged(code, out, errors)


# what is broken inside, what is said of it
BROKEN = [
    ("ledger.place_quantity[0, 0] += 1", "law: energy by population of"),
    ("record.unit_cycles[0, 0, 0] += 1", "law: cycles of a unit"),
    ("raise ZeroDivisionError", "ZeroDivisionError"),
    ("while True: pass", "no end within 3 s"),
    ("import os; os._exit(3)", "the process died: code 3"),
]


def test_a_fault_of_the_fuzzer_is_called_one(worker: Worker) -> None:
    worker.ask("no such kind", 1)
    assert worker.answer()["wrong"].startswith("the fuzzer itself: ")


@pytest.mark.parametrize(("breakage", "said"), BROKEN)
def test_a_broken_simulator_is_noticed(breakage: str, said: str, monkeypatch) -> None:
    monkeypatch.setenv("SPIKEMESH_FUZZ_BREAK", breakage)
    one = Worker()
    one.give(["schema", "chip"])
    one.answer()
    one.is_warm = True
    one.give(["run", "digits-mlp", "--mode", "snn", "--limit", "1"])
    found = one.answer(60 if "while" not in breakage else 3)
    one.stop()
    assert said in found["wrong"], json.dumps(found)
