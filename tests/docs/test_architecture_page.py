"""docs/architecture.md is true: what it names exists, every folder of the package is in it, and the
order is the enforced one.
"""

from __future__ import annotations

import re

import pytest
from pages import ROOT, Block, blocks, prose

PAGE = ROOT / "docs" / "architecture.md"
BLOCKS = list(blocks(PAGE))


def tree(block: Block) -> list[str]:
    """Return the paths of the tree, two blanks of indentation a level."""
    above: list[str] = []
    paths = []
    for line in block.text.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        above = [*above[:depth], line.split()[0]]
        paths.append("".join(above))
    return paths


TREE = tree(next(block for block in BLOCKS if block.mark == "tree"))
#: backquoted paths: a folder ends with a slash, a file has a folder before it
PATHS = sorted(set(re.findall(r"`((?:[\w.-]+/)+(?:[\w.-]+\.\w+)?)`", prose(PAGE))))


@pytest.mark.parametrize("path", TREE)
def test_what_the_tree_names_exists(path):
    assert (ROOT / path).is_dir() if path.endswith("/") else (ROOT / path).is_file()


@pytest.mark.parametrize("path", PATHS)
def test_a_path_in_the_text_exists(path):
    assert (ROOT / path).exists() or (ROOT / "simulator" / path).exists()


def test_nothing_stands_in_the_tree_twice():
    assert len(TREE) == len(set(TREE))


def test_every_folder_of_the_package_is_named():
    folders = {
        f"{path.parent.relative_to(ROOT).as_posix()}/"
        for path in (ROOT / "simulator").rglob("*.py")
    }
    assert folders == {
        path for path in TREE if path.startswith("simulator/") and path.endswith("/")
    }


def test_every_folder_with_python_or_pages_is_named():
    shown = {path.split("/")[0] for path in TREE if "/" in path}
    holding = {path.parent.name for pattern in ("*/*.py", "*/*.md") for path in ROOT.glob(pattern)}
    assert {name for name in holding if name[0] != "."} == shown


def test_the_picture_is_the_order_that_is_enforced(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tests")
    from test_architecture import FLOW, GROUND

    assert FLOW == re.findall(r"(\w+)/", BLOCKS[0].text)
    assert all(f"`{module}`" in prose(PAGE) for module in GROUND)
