"""A thousand damaged files of each format: a line for each fault, no traceback, less than 1 GB."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from damage import FORMATS

SCRIPT = Path(__file__).with_name("damage.py")
FILES, PARTS = 1000, 4
#: lines, which are faults of one file; most damage is one, forty flipped bits may be many
MOST_FAULTS = 40


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("form", FORMATS)
def test_a_damaged_file_gives_a_line_for_each_fault(form: str, part: int) -> None:
    first, last = (FILES * k // PARTS for k in (part, part + 1))
    done = subprocess.run(
        [sys.executable, str(SCRIPT), form, str(first), str(last)], capture_output=True, text=True
    )
    assert (0, "") == (done.returncode, done.stderr)
    *rows, peak = (line.split("\t") for line in done.stdout.splitlines())
    assert last - first == len(rows)
    fatal = import_module(FORMATS[form]).FATAL
    for name, _, said in rows:
        text = ast.literal_eval(said)
        if text == "imported":
            assert not name.startswith(fatal), name
            continue
        lines = text.splitlines()
        assert 1 <= len(lines) <= MOST_FAULTS, text
        for line in lines:
            assert name in line and line.isprintable() and len(line) < 600, text
    assert int(peak[1]) < 1 << 20  # KiB
