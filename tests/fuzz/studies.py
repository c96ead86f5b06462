"""Hostile studies, and folders of results that are compared or gone on with."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: a command line, and the files of the folder it runs in
Command = tuple[list[str], dict[str, bytes]]
Changes = Callable[[random.Random, bytes], bytes]
STUDY = b"""\
schema_version: 1
name: lanes
question: which of them?
workloads: [digits-mlp]
chips: [generic-22nm, yan-2024]
modes: [snn]
limit: 1
timesteps: 1
axes:
  core.synapse.lanes: [1, 8]
ask: [bottleneck.class]
objectives: {energy_j.per_inference: minimise, latency_cycles.mean: minimise}
"""
#: what made the results
RUN = ["run", "digits-mlp", "--mode", "snn", "--limit", "1", "-o", "a"]


def study(some: random.Random, changed: Changes) -> Command:
    """A study."""
    return ["sweep", "s.yaml", "-o", "out", "--jobs", "1"], {"s.yaml": changed(some, STUDY)}


@cache
def _made(
    arguments: tuple[str, ...], files: tuple[tuple[str, bytes], ...] = ()
) -> dict[str, bytes]:
    """Return the files of the folder that a command writes, which its line ends with."""
    with tempfile.TemporaryDirectory() as place:
        for name, data in files:
            (Path(place) / name).write_bytes(data)
        code = "from simulator.__main__ import main; main()"
        command = [sys.executable, "-c", f"import sys; sys.path[0] = {str(ROOT)!r}; {code}"]
        subprocess.run([*command, *arguments], cwd=place, capture_output=True, check=True)
        folder = Path(place) / arguments[-1]
        return {
            str(path.relative_to(place)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }


def results(some: random.Random, changed: Changes) -> Command:
    """Two folders of results that are compared, one of them damaged."""
    one = _made(tuple(RUN))
    other = {name.replace("a/", "b/", 1): data for name, data in one.items()}
    name = some.choice((*(n for n in other if n.endswith(".json")), *other))
    kept = some.random()
    if kept < 0.1:
        del other[name]
    else:
        other[name] = changed(some, other[name])
    asked = some.choice((["a", "b"], ["b", "a"], ["b", "b"]))
    return ["compare", *asked, *(["--json"] if some.random() < 0.2 else [])], {**one, **other}


def resumed(some: random.Random, changed: Changes) -> Command:
    """A sweep that goes on in a folder that was damaged, of this study or of a changed one."""
    sweep = ["sweep", "s.yaml", "--jobs", "1", "-o", "out"]
    files = {**_made(tuple(sweep), (("s.yaml", STUDY),)), "s.yaml": STUDY}
    name = some.choice(list(files))
    if some.random() < 0.2:
        del files[name]
    else:
        files[name] = changed(some, files[name])
    files.setdefault("s.yaml", STUDY)
    return [*sweep, "--resume"], files


KINDS: dict[str, Callable[[random.Random, Changes], Command]] = {
    each.__name__: each for each in (study, results, resumed)
}
