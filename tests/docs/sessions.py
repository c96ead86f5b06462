"""Pages that are a session at a terminal: their commands, run in one folder from top to bottom.

`python tests/docs/sessions.py` rewrites what the pages show with what the commands print today.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
#: a page is a session when it has blocks of this kind
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^<!-- file: (\S+) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_WAITING = re.compile(r"spikemesh: compil|[\w -]+: [\d,]+ of [\d,]+.* left")
PAGES = [page for page in sorted((ROOT / "docs").glob("*.md")) if _BLOCK.search(page.read_text())]


def steps(text: str) -> list[tuple[str, list[str]]]:
    """Return (command, lines shown) of a block or a page, in order."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def of_page(page: Path) -> list[tuple[str, list[str]]]:
    """Return the steps of all blocks of a page."""
    return [step for block in _BLOCK.findall(page.read_text()) for step in steps(block)]


def furnish(folder: Path, page: Path) -> None:
    """Put into a folder what a reader has: the shipped chips and workloads, the page's files."""
    for name in ("chips", "workloads", "examples"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "exported").symlink_to(ROOT / "docs" / "exported")
    for name, text in _FILE.findall(page.read_text()):
        (folder / name).write_text(text)


def printed(command: str, folder: Path) -> list[str]:
    """Return the lines a command prints there; errors go to the same place, as on a terminal.

    What a slow machine says while it is waited for is left out: compilation, progress.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=os.environ | {"PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1800,  # a first compilation, on a busy machine
    )
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    return [line for line in lines if not _WAITING.match(line)]


def rewrite(page: Path) -> None:
    """Write the page again with what its commands print today."""
    with TemporaryDirectory() as folder:
        furnish(Path(folder), page)

        def block(found: re.Match[str]) -> str:
            lines = []
            for command, _ in steps(found[1]):
                lines += [f"$ {command}", *printed(command, Path(folder))]
            return "\n".join(["```console", *lines, "```"])

        page.write_text(_BLOCK.sub(block, page.read_text()))


if __name__ == "__main__":
    for page in PAGES:
        rewrite(page)
