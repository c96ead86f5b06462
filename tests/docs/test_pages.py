"""What the pages show works: every command runs, every Python example runs, every link leads
somewhere.
"""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from pages import PAGES, ROOT, Block, blocks, furnish, headings, links, run

#: this page is one story, executed from top to bottom by test_extending_page.py
STORY = ROOT / "docs" / "extending.md"
OTHER_PAGES = [ROOT / "chips" / "README.md", ROOT / "workloads" / "README.md"]
BLOCKS = [block for page in PAGES if page != STORY for block in blocks(page)]


def cases(language: str) -> list:
    """Return pytest parameters (block, command or text) of a language; a command shown twice is run
    once.
    """
    found: dict[str, Block] = {}
    for block in BLOCKS:
        if block.language == language and block.mark != "shown only":
            for text in block.commands() if language == "bash" else [block.text]:
                found.setdefault(text, block)
    return [
        pytest.param(
            block,
            text,
            id=text if language == "bash" else block.place,
            marks=[pytest.mark.slow] * block.is_slow,
        )
        for text, block in found.items()
    ]


@pytest.mark.parametrize(("block", "command"), cases("bash"))
def test_a_command_of_a_page_ends_well(block, command, tmp_path, monkeypatch, capfd):
    furnish(tmp_path, block.page)
    monkeypatch.chdir(tmp_path)
    assert 0 == run(command, monkeypatch), f"{block.place}: {capfd.readouterr().err}"


@pytest.mark.parametrize(("block", "text"), cases("python"))
def test_a_python_example_of_a_page_runs(block, text, tmp_path, monkeypatch):
    furnish(tmp_path, block.page)
    monkeypatch.chdir(tmp_path)
    exec(compile("\n" * block.line + text, str(block.page), "exec"), {"__name__": "__main__"})


SHOWN = [
    pytest.param(block, command, id=f"{block.place}-{command}")
    for block in BLOCKS
    if block.language == "text" or block.mark == "shown only"
    for command in block.commands()
]


@pytest.mark.parametrize(("block", "command"), SHOWN)
def test_a_command_that_is_only_shown_names_a_verb_and_options_that_exist(
    block, command, monkeypatch
):
    from simulator.commands.verbs import cli

    _, verb, *words = shlex.split(command, comments=True)
    monkeypatch.setattr("sys.argv", ["spikemesh", verb])
    found = cli.get_command(cli.make_context("spikemesh", [verb]), verb)
    assert found is not None, f"{block.place}: no verb {verb}"
    known = {
        option
        for parameter in found.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    } | {"--help"}
    used = {word.partition("=")[0] for word in words if word.startswith("-")}
    assert not used - known, f"{block.place}: no such option of {verb}"


@pytest.mark.parametrize("page", PAGES + OTHER_PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path):
    dead = []
    for target in links(page):
        name, _, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        if not there.exists() or (anchor and anchor not in headings(there)):
            dead.append(target)
    assert not dead


def test_the_index_names_every_page():
    index = ROOT / "docs" / "README.md"
    assert not {page.name for page in index.parent.glob("*.md")} - {index.name} - set(links(index))
