"""docs/noc.md is a session at a terminal: every command runs, in order, and prints what the page
shows.
"""

import os
import subprocess
import sys
from pathlib import Path

from pages import ROOT, blocks

from simulator.describe.router_energy import router_energies
from simulator.study.synthetic import PATTERNS

PAGE = ROOT / "docs" / "noc.md"


def commands():
    """Return (command, output shown) of the page, in order."""
    found = []
    for block in blocks(PAGE):
        if block.language == "console":
            for line in block.text.splitlines():
                if line.startswith("$ "):
                    found.append((line[2:], []))
                else:
                    found[-1][1].append(line)
    return found


def test_every_command_prints_what_the_page_shows(tmp_path):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for command, shown in commands():
        done = subprocess.run(
            command,
            shell=True,
            cwd=tmp_path,
            env=os.environ | {"PATH": path},
            stdout=subprocess.PIPE,
            text=True,
            timeout=120,
        )
        assert (command, shown) == (command, [line.rstrip() for line in done.stdout.splitlines()])


def test_the_tables_are_complete():
    text = PAGE.read_text()
    for pattern in PATTERNS:
        assert f"| `{pattern}` |" in text
    for technology, rows in router_energies().technologies.items():
        for row in rows:
            start = f"| {technology} | {row.virtual_channels} × {row.depth} |"
            assert f"{start} {row.buffer_write * 1e12:.3f} pJ |" in text
