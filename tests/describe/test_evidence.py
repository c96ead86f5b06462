"""How strictly the shipped chips grade their constants: the same number with the same reasoning has
the same evidence, and nothing is graded better than what it was taken from.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

import pytest

from simulator.describe.chip import Chip
from simulator.describe.energy import EVIDENCE, Constant
from simulator.describe.library import names

CHIPS = names("chip")
#: words of a source that state a rule by which a number of another node or voltage was scaled
RULE = re.compile(r"\b(times|doubled|over|less|between)\b")


def constants(chip: Chip) -> Iterator[tuple[str, Constant]]:
    for table in (chip.energy, chip.power):
        for name in type(table).model_fields:
            yield name, getattr(table, name)


def reasoning(constant: Constant) -> str:
    """Return where the value comes from, without what is said of its band."""
    return re.split(r"; |, band ", " ".join(constant.source.split()))[0]


EVERY = [(name, *entry) for name in CHIPS for entry in constants(Chip.load(name))]


def test_the_same_number_for_the_same_reason_has_the_same_evidence():
    found = defaultdict(set)
    for chip, name, constant in EVERY:
        found[constant.value, reasoning(constant)].add((constant.evidence, f"{chip}: {name}"))
    unequal = {
        key: sorted(graded)
        for key, graded in found.items()
        if len({evidence for evidence, _ in graded}) > 1
    }
    assert {} == unequal


@pytest.mark.parametrize("chip", CHIPS)
def test_what_is_taken_as_another_entry_is_known_no_better(chip):
    table = dict(constants(Chip.load(chip)))
    for name, constant in table.items():
        other = re.match(r"as (\w+)", constant.source)
        if other and other[1] in table:
            better = EVIDENCE.index(constant.evidence) < EVIDENCE.index(table[other[1]].evidence)
            assert not better, f"{name} is {constant.evidence}, {constant.source}"


def test_where_a_sum_is_booked_is_derived():
    """`contained in` says where a published sum stands in this table, which no publication says."""
    contained = [row for row in EVERY if "contained in" in row[2].source]
    assert contained
    assert {"derived"} == {constant.evidence for _, _, constant in contained}


def test_what_a_tool_was_run_for_is_derived_at_best():
    tools = [row for row in EVERY if re.match(r"(CACTI|DSENT)\b", row[2].source)]
    assert tools
    for chip, name, constant in tools:
        assert constant.evidence in ("derived", "assumed"), f"{chip}: {name}: {constant.evidence}"


@pytest.mark.parametrize("chip", CHIPS)
def test_a_number_of_another_node_or_voltage_is_scaled_by_a_stated_rule_or_assumed(chip):
    loaded = Chip.load(chip)
    node = re.match(r"[\d.]+", loaded.technology.node)[0]
    for name, constant in constants(loaded):
        text = reasoning(constant)
        nodes = re.findall(r"(\d+) nm\b", text)
        volts = re.findall(r"(\d\.\d+) V\b", text)
        foreign = [at for at in nodes if at != node]
        foreign += [at for at in volts if float(at) != loaded.technology.voltage]
        if foreign and constant.evidence != "assumed":
            assert constant.evidence == "derived", f"{name}: {text}"
            assert RULE.search(text), f"{name} is not scaled: {text}"


@pytest.mark.parametrize("chip", CHIPS)
def test_another_circuit_s_number_is_assumed(chip):
    for name, constant in constants(Chip.load(chip)):
        if constant.source.startswith("another "):
            assert "assumed" == constant.evidence, name
