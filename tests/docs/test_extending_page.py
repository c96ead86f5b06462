"""docs/extending.md is one story: its edits apply, its examples and commands run, from top to
bottom in one folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import ROOT, Block, blocks, furnish, run

from simulator.describe.routing import ROUTING
from simulator.describe.schema import schema_of

PAGE = ROOT / "docs" / "extending.md"


def hunks(lines: list[str]) -> Iterator[list[str]]:
    """Yield the lines of each change; the next one begins with a `-` behind a `+`."""
    hunk: list[str] = []
    for line in lines:
        if line[0] == "-" and any(earlier[0] == "+" for earlier in hunk):
            yield hunk
            hunk = []
        hunk.append(line)
    yield hunk


def apply(diff: Block) -> None:
    """Do what a diff says in this folder; the old lines of each change must stand in the file
    once.
    """
    source, target, *lines = diff.text.splitlines(keepends=True)
    text = Path(source[4:-1]).read_text()
    for hunk in hunks(lines):
        old, new = ("".join(line[1:] for line in hunk if line[0] in side) for side in (" -", " +"))
        assert 1 == text.count(old), f"{diff.place}: {source[4:-1]} has not once {old!r}"
        text = text.replace(old, new)
    Path(target[4:-1]).write_text(text)


@pytest.fixture
def reader(tmp_path, monkeypatch):
    """A reader's folder: the shipped files and a package of their own to edit; routing algorithms
    are forgotten afterwards.
    """
    furnish(tmp_path, PAGE)
    shutil.copytree(
        ROOT / "simulator", tmp_path / "simulator", ignore=shutil.ignore_patterns("__pycache__")
    )
    monkeypatch.chdir(tmp_path)
    known = dict(ROUTING)
    yield monkeypatch
    ROUTING.clear()
    ROUTING.update(known)


def run_edited(*words: str) -> str:
    """Run Python with the package of this folder, its kernels not compiled, and return what it
    prints.
    """
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.getcwd()}
    done = subprocess.run(
        [sys.executable, *words], env=environment, capture_output=True, text=True, timeout=300
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout


#: the new neuron with the settings and currents the page works out
LINEAR = """
import numpy as np
from simulator.behaviour import neurons
from simulator.describe.network import Neuron
one = np.ones(1, np.int64)
population = neurons.prepare("page", Neuron("linear", 10 * one, 0 * one, 0 * one, decay=3))
potential, seen = population.initial.copy(), []
for current in (9, 0, 0, 0):
    neurons.step(population, potential, current * one, np.zeros(1, np.int32))
    seen.append(int(potential[0]))
print(seen)
"""


def test_the_story_from_top_to_bottom(reader, capfd):
    told = {"diff": 0, "python": 0, "bash": 0, "edited": 0}
    for block in blocks(PAGE):
        told["edited" if block.mark == "edited" else block.language] += 1
        if block.language == "diff":
            apply(block)
        elif block.language == "python":
            exec(
                compile("\n" * block.line + block.text, str(PAGE), "exec"), {"__name__": "__main__"}
            )
        elif block.mark == "edited":
            for command in block.commands():
                run_edited("-m", "simulator", *command.split()[1:])
        else:
            for command in block.commands():
                assert 0 == run(command, reader), (
                    f"{block.place}: {command}: {capfd.readouterr().err}"
                )
    assert "north-last" in schema_of("chip")["$defs"]["Router"]["properties"]["routing"]["enum"]
    assert '"linear"' in run_edited("-m", "simulator", "schema", "workload")
    assert "[9, 6, 3, 0]" in run_edited("-c", LINEAR)
    assert {"diff": 5, "python": 5, "bash": 2, "edited": 1} == told
