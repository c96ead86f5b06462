"""The pages a reader sees, taken apart: fenced blocks with the marks before them, commands, links
and headings.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = re.compile(r"<!-- ([^>]*) -->\s*\Z")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """One fenced block; `mark` is the text of an HTML comment on the line before it: `slow`, `shown
    only`, `file: NAME`.
    """

    page: Path
    line: int
    language: str
    text: str
    mark: str

    @property
    def place(self) -> str:
        """Where it stands, as test ids name it."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def is_slow(self) -> bool:
        """Whether it takes minutes."""
        return self.mark == "slow"

    def commands(self) -> list[str]:
        """Return the commands of a block, continued lines joined; in a `text` block what follows
        two blanks is remark.
        """
        lines = [
            line
            for line in self.text.replace("\\\n", " ").splitlines()
            if line.startswith("spikemesh ")
        ]
        return [
            re.split(r" {2,}", line)[0] if self.language == "text" else " ".join(line.split())
            for line in lines
        ]


def blocks(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page, in order."""
    text = page.read_text()
    for found in _FENCE.finditer(text):
        mark = _MARK.search(text, 0, found.start())
        line = text.count("\n", 0, found.start()) + 1
        yield Block(page, line, found[1], found[2], mark[1] if mark else "")


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", page.read_text())


def links(page: Path) -> list[str]:
    """Return the targets of a page's links that lead to a file or a heading, not to the outside
    world.
    """
    return [target for target in _LINK.findall(prose(page)) if not re.match(r"[a-z]+:", target)]


def headings(page: Path) -> set[str]:
    """Return the anchors of a page's headings as renderers make them: lower case, no punctuation,
    hyphens for blanks.
    """
    titles = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def furnish(folder: Path, page: Path) -> None:
    """Put into a folder what a reader of the page has: the shipped chips and workloads, and the
    files the page shows.
    """
    for name in ("chips", "workloads", "examples"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "exported").symlink_to(ROOT / "docs" / "exported")
    for block in blocks(page):
        if block.mark.startswith("file: "):
            (folder / block.mark.removeprefix("file: ")).write_text(block.text)


def run(command: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run `spikemesh ...` in this process, as its entry point does, and return the exit code."""
    from simulator.__main__ import main

    words = shlex.split(command, comments=True)
    assert not set(words) & {"|", ">", ">>", "&&", ";", "<"}, (
        f"a page's command is one plain command: {command}"
    )
    monkeypatch.setattr(sys, "argv", words)
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0
