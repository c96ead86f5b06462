"""Every key of a chip and of a workload stands in its page, and every key of the page exists."""

from __future__ import annotations

import re
import typing
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel, BeforeValidator

from simulator.describe.chip import Chip
from simulator.describe.components.request import Component
from simulator.describe.energy import Constant, MultiplyAccumulate
from simulator.describe.library import names
from simulator.describe.workload_file import WorkloadDocument

DOCS = Path(__file__).parents[2] / "docs"


def keys(model: type[BaseModel], before: str = "") -> list[str]:
    """Return the dotted keys of a model: list entries as `name[]`, named parts as `name.<name>`, an
    optional part by itself too.

    A constant is one key, and so is what is read from a single text.
    """
    found: list[str] = []
    for name, field in model.model_fields.items():
        parts, optional, many = inner(field.annotation)
        is_read = any(isinstance(rule, BeforeValidator) for rule in field.metadata)
        if not parts or is_read or issubclass(parts[0], Constant):
            found.append(before + name)
            continue
        found += [before + name] * optional
        found += keys(parts[0], f"{before}{name}{many}.")
    return found


def inner(annotation: object) -> tuple[list[type[BaseModel]], bool, str]:
    """Return the models within an annotation, whether None is allowed beside them, and '[]' or
    '.<name>' for many of them.
    """
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation], False, ""
    arguments = typing.get_args(annotation)
    parts = [inner(argument) for argument in arguments]
    many = {list: "[]", dict: ".<name>"}.get(typing.get_origin(annotation), "") or "".join(
        part[2] for part in parts
    )
    return [model for part in parts for model in part[0]], type(None) in arguments, many


def documented(page: str, section: str) -> set[str]:
    """Return the first words of the tables below heading `section`, up to the next heading of its
    depth.
    """
    text = (DOCS / page).read_text()
    body = text[text.index(f"\n{section}\n") + len(section) + 2 :]
    body = re.split(rf"\n{section.split()[0]} ", body)[0]
    return set(re.findall(r"^\| `([^`]+)` \|", body, re.MULTILINE))


def folded(key: str) -> str:
    """Return a key of a layer as the key of a population or a projection that says the same."""
    key = re.sub(r"^layers\[\]\.(connection|pool)\.", r"projections[].\1.", key)
    return re.sub(r"^layers\[\]\.neuron\.", "populations[].neuron.", key)


PAGES = [("chip-keys.md", "## Keys", Chip), ("workloads.md", "## Keys", WorkloadDocument)]


@pytest.mark.parametrize(("page", "section", "model"), PAGES)
def test_the_page_holds_every_key_and_no_other(page, section, model):
    assert {folded(key) for key in keys(model)} == documented(page, section)


def test_the_page_holds_every_key_of_a_constant():
    entries = {*MultiplyAccumulate.model_fields, *Component.model_fields}
    assert entries == documented("chip-keys.md", "## Constants")


def test_the_examples_of_the_page_are_what_the_chip_file_says():
    """Each example in the tables of chip-keys.md is a value of generic-22nm, so that a copied line
    works.
    """
    chip = yaml.safe_load((DOCS.parent / "chips" / "generic-22nm.yaml").read_text())
    for key, example in re.findall(
        r"^\| `([a-z_.\[\]]+)` \| [^|]* \| `([^`]+)` \|",
        (DOCS / "chip-keys.md").read_text(),
        re.MULTILINE,
    ):
        place = chip
        for part in key.replace("[]", ".0").split("."):
            place = place[int(part)] if part.isdigit() else place[part]
        assert yaml.safe_load(example) == place, key


def test_the_workload_page_s_example_is_a_valid_file():
    text = (DOCS / "workloads.md").read_text()
    example = re.search(r"```yaml\n(.*?)```", text, re.DOTALL).group(1)
    assert "example" == WorkloadDocument.model_validate(yaml.safe_load(example)).name


def test_the_chip_page_lists_every_shipped_chip():
    assert names("chip") == sorted(documented("chips.md", "## Shipped chips"))
