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
LINEAR = f"""
import sys
sys.path.insert(0, {str(ROOT / "tests" / "behaviour")!r})
from one_neuron import described, traced
print(traced(described("model linear, decay 3"), [9, 0, 0, 0])[1])
"""

#: three neurons that take the values 1, 2 and 3 five times
SCALED = """
import numpy as np
from simulator.behaviour.raster import run
from simulator.describe.connections import Connection
from simulator.describe.network import Layer, Neuron, chain, fed
one = np.ones(3, np.int64)
joined = Connection("scaled", np.array([5]), 8, (3,), (3,))
layers = [Layer("out", (3,), joined, Neuron("readout", one, 0 * one, 0 * one))]
print(run(chain((3,), layers), fed("current", np.array([[1, 2, 3]]), 4), "snn", 1).outputs.tolist())
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
    assert "[[5, 10, 15]]" in run_edited("-c", SCALED)
    assert {"diff": 6, "python": 5, "bash": 2, "edited": 2} == told
