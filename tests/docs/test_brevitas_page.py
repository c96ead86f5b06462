"""The page from Brevitas to a verdict: its code, and the file that the code wrote."""

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from pages import ROOT, blocks

from simulator.importers.choices import Choices
from simulator.importers.formats import import_file

PAGE = ROOT / "docs" / "from-brevitas.md"
SHIPPED = ROOT / "docs" / "exported"


def code() -> str:
    (block,) = (block for block in blocks(PAGE) if "import brevitas" in block.text)
    return block.text


def read_right(file: Path, data: Path) -> int:
    """How many digits the quantised twin of an exported file reads right, by the definitions."""
    sys.path.insert(0, str(ROOT / "tests" / "behaviour"))
    from definitions import quantised

    from simulator.describe.network import Feed, Stimulus

    imported, held = import_file(file, Choices()), np.load(data)
    (entry,) = imported.entering
    feed = Feed("current", entry.integers(held["image"]), entry.bits)
    *_, outputs = quantised(imported.network, Stimulus((feed,)), imported.timesteps)
    return int((outputs.argmax(1) == held["labels"]).sum())


def test_the_shipped_file_reads_as_many_digits_right_as_brevitas_says():
    right = read_right(SHIPPED / "digits-brevitas.onnx", SHIPPED / "digits-brevitas.npz")
    assert f"`Brevitas reads {right} of 450 digits right`" in PAGE.read_text()


def test_the_code_is_code_and_runs_where_brevitas_is(tmp_path, monkeypatch, capsys):
    compiled = compile(code(), str(PAGE), "exec")
    if find_spec("brevitas") is None:
        return
    monkeypatch.chdir(tmp_path)
    exec(compiled, {})
    said = int(capsys.readouterr().out.split()[2])
    right = read_right(tmp_path / "digits-brevitas.onnx", tmp_path / "digits-brevitas.npz")
    assert said == right
