"""Both readers of YAML, libyaml's events and those of Python, give the same tree and refuse the
same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.describe import documents

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = sorted([*ROOT.glob("chips/*.yaml"), *ROOT.glob("workloads/*/*.yaml")])
SMALL = [
    "a: 1\nb: 'x'\nc: |\n  two\n  lines\nd: [1, {e: no}]\n",
    "a: &x 1\nb: *x\n",
    "a: !!str 1\n",
    "a: 1\na: 2\n",
    "? [1, 2]\n: 3\n",
    "",
    "- 1\n",
    '"a": "\\u00e9"\n',
]


def tree(node: yaml.Node | None) -> Any:
    """Return all that is read of a node."""
    if node is None:
        return None
    marks = (node.start_mark.line, node.start_mark.column, getattr(node, "forbidden", None))
    about = (type(node), node.tag, marks)
    if isinstance(node, yaml.ScalarNode):
        return about, node.value, node.style
    if isinstance(node, yaml.SequenceNode):
        return about, [tree(one) for one in node.value]
    return about, [(tree(key), tree(value)) for key, value in node.value]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_shipped_file_is_the_same_tree(path: Path) -> None:
    _same(path.read_text())


@pytest.mark.parametrize("text", SMALL)
def test_a_small_text_is_the_same_tree(text: str) -> None:
    _same(text)


def _same(text: str) -> None:
    assert documents._FAST is not None, "PyYAML comes with libyaml on the machines of the tests"
    slow = tree(yaml.compose(text, Loader=documents._Loader))
    assert slow == tree(yaml.compose(text, Loader=documents._FAST))


@pytest.mark.parametrize("text", ["a: [1\n", "a: 'x\n", "\ta: 1\n", "a: b: c\n", "a: \x07\n"])
def test_what_is_refused_is_refused_in_the_words_of_python(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(documents._Unreadable) as fast:
        documents._compose(text)
    monkeypatch.setattr(documents, "_FAST", None)
    with pytest.raises(documents._Unreadable) as slow:
        documents._compose(text)
    assert slow.value.args == fast.value.args
