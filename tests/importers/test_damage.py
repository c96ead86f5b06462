"""A thousand damaged NIR files: one line each, no traceback, less than 1 GB."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("damage.py")
FILES, PARTS = 1000, 4
#: kinds of damage that no importer may take for sound
FATAL = ("cut", "no_number", "zero", "dangling", "circles", "unknown")


@pytest.mark.parametrize("part", range(PARTS))
def test_a_damaged_file_gives_one_line(part: int) -> None:
    first, last = (FILES * k // PARTS for k in (part, part + 1))
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(first), str(last)], capture_output=True, text=True
    )
    assert (0, "") == (done.returncode, done.stderr)
    *rows, peak = (line.split("\t") for line in done.stdout.splitlines())
    assert last - first == len(rows)
    for name, _, said in rows:
        text = ast.literal_eval(said)
        if text == "imported":
            assert not name.startswith(FATAL), name
            continue
        assert 1 == len(text.splitlines()), text
        assert text.startswith(f"{name}: ") and text.isprintable() and len(text) < 600, text
    assert int(peak[1]) < 1 << 20  # KiB
