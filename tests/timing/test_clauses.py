"""Every clause of docs/machine.md is cited where each engine does it and where a test holds it, and
every citation names a clause that exists.
"""

import io
import re
import tokenize
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLAUSE = re.compile(r"^\s*(?:- )?\[([A-Z]\d+)\] ", re.MULTILINE)
CITATION = re.compile(r"\[([A-Z]\d{1,2})\]")
#: clauses that bind the compiler of the work instead of the engines
OF_THE_COMPILER = "W"
#: who has to cite the engines' clauses, and who the compiler's
ENGINES = ("simulator/timing/reference", "simulator/timing/engine", "tests/timing")
COMPILER = ("simulator/mapping", "tests")


def cited(source: str) -> set[str]:
    """Return the clauses that comments and docstrings of a module cite; code is no citation."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    words = [t.string for t in tokens if t.type in (tokenize.COMMENT, tokenize.STRING)]
    return {clause for word in words for clause in CITATION.findall(word)}


def citations(sources: Iterable[str]) -> set[str]:
    """Return the clauses that any of the modules cites."""
    return {clause for source in sources for clause in cited(source)}


def faults(specification: str, sources: dict[str, list[str]]) -> list[str]:
    """Return what is wrong between the specification and the modules of each folder."""
    clauses = CLAUSE.findall(specification)
    found = [f"{clause} is there twice" for clause in set(clauses) if clauses.count(clause) > 1]
    known = set(clauses)
    by_folder = {folder: citations(modules) for folder, modules in sources.items()}
    inside = set(CITATION.findall(specification))
    for folder, names in {"docs/machine.md": inside, **by_folder}.items():
        found += [f"{folder} cites {name}, which is no clause" for name in names - known]
    for clause in clauses:
        folders = COMPILER if clause[0] == OF_THE_COMPILER else ENGINES
        found += [
            f"{clause} is cited nowhere in {name}"
            for name in folders
            if clause not in by_folder[name]
        ]
    return sorted(found)


def the_sources() -> dict[str, list[str]]:
    """Return the modules of every folder that cites clauses; this one does not count."""
    return {
        folder: [
            path.read_text()
            for path in sorted((ROOT / folder).rglob("*.py"))
            if path != Path(__file__)
        ]
        for folder in dict.fromkeys((*ENGINES, *COMPILER))
    }


def the_specification() -> str:
    """Return docs/machine.md."""
    return (ROOT / "docs/machine.md").read_text()


def test_every_clause_is_cited_and_every_citation_is_a_clause() -> None:
    assert len(CLAUSE.findall(the_specification())) > 60
    assert [] == faults(the_specification(), the_sources())


@pytest.mark.parametrize("folder", ENGINES)
def test_a_clause_that_loses_its_citations_in_one_folder_is_found(folder: str) -> None:
    specification, sources = the_specification(), the_sources()
    for clause in CLAUSE.findall(specification):
        if clause[0] != OF_THE_COMPILER:
            without = [source.replace(f"[{clause}]", "") for source in sources[folder]]
            assert faults(specification, sources | {folder: without}) == [
                f"{clause} is cited nowhere in {folder}"
            ]
            break


SPECIFICATION = "- [T1] one\n- [W1] two\n\n[T2] three\n"
CITING = {folder: ["# [T1] and [T2]", '"""As [W1] says."""'] for folder in (*ENGINES, *COMPILER)}
# the specification, what folders hold instead, what is found
CASES = [
    (SPECIFICATION, {}, []),
    (SPECIFICATION, {ENGINES[0]: ["# [T1]"]}, [f"T2 is cited nowhere in {ENGINES[0]}"]),
    (SPECIFICATION, {ENGINES[0]: ["# [T1]\nx[T2] = 1"]}, [f"T2 is cited nowhere in {ENGINES[0]}"]),
    (SPECIFICATION, {COMPILER[0]: ["# [T1]"]}, [f"W1 is cited nowhere in {COMPILER[0]}"]),
    (
        SPECIFICATION.replace("[T2]", "T2"),
        {},
        sorted(f"{name} cites T2, which is no clause" for name in CITING),
    ),
    (SPECIFICATION + "- [T1] again\n", {}, ["T1 is there twice"]),
    (SPECIFICATION + "as in [T9]\n", {}, ["docs/machine.md cites T9, which is no clause"]),
]


@pytest.mark.parametrize("specification, instead, expected", CASES)
def test_what_is_found(specification, instead, expected) -> None:
    assert expected == faults(specification, CITING | instead)
