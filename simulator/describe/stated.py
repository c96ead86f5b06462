"""Finds where a chip differs from what its constants are stated for, so that reports can say that
energies do not follow.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from simulator import units
from simulator.describe.documents import Description, Document
from simulator.describe.messages import Key, near_miss

if TYPE_CHECKING:
    from simulator.describe.chip import Chip

#: what a key's value went into, by the longest key that covers it; the others went into constants
SUBJECTS = {
    "technology": "all energies and powers",
    "period": "clock energies and leakage powers",
    "link.flit": "link, router and queue energies",
    "router": "router energies and powers",
    "core.input_queue": "queue energies",
    "core.synapse.lanes": "core leakage and clock energies",
    "core.synapse.word": "weight and reload energies",
    "core.synapse.accumulator": "accumulator energies",
    "core.synapse.accumulator_word": "accumulator energies",
    "core.soma": "membrane energies",
    "core.axon_out": "axon-table energies",
    "core.axon_out.queue": "queue energies",
    "core.memory.synapses": "weight energies",
    "core.memory.neurons": "membrane energies",
    "core.memory.axons": "axon-table energies",
    "gating.reload": "reload energies",
}


def outside(
    document: Document,
    stated: dict[str, Any],
    leaves: dict[str, Key],
    chip: Chip,
    period: Any,
) -> tuple[str, ...]:
    """Return one line per key whose value is another than the constants are stated for; faults what
    cannot be compared.
    """
    differing = []
    for name, value in stated.items():
        if name == "technology.voltage" and chip.technology.rule is not None:
            continue  # the constants follow it
        key = leaves.get(name)
        if key is None:
            document.fault(
                ("stated_for", name), "must name a number of this file" + near_miss(name, leaves)
            )
        elif _at(document.tree, key) != value:
            differing.append((name, key, value))
    if not differing:
        return ()
    tree = copy.deepcopy(document.tree)
    for _, key, value in differing:
        _at(tree, key[:-1])[key[-1]] = value
    try:
        meant = type(chip).model_validate(tree, context={"period": period})
    except ValidationError:
        for name, _, value in differing:
            document.fault(
                ("stated_for", name),
                f"must be a value that {name} can have, not {units.shown_value(value)}",
            )
        return ()
    return tuple(
        f"{name} is {_shown(_at(document.tree, key), value)}; {_subject(name)} are stated for "
        f"{_shown(value, value)}"
        for name, key, value in differing
        if _at(chip, key) != _at(meant, key)
    )


def _at(place: Any, key: Key) -> Any:
    for part in key:
        place = getattr(place, str(part)) if isinstance(place, Description) else place[part]
    return place


def _subject(name: str) -> str:
    parts = name.split(".")
    covers = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((SUBJECTS[cover] for cover in covers if cover in SUBJECTS), "constants")


def _shown(value: Any, stated: Any) -> str:
    """Return a value as written; a bare number with the unit that the statement names."""
    if isinstance(value, bool) or not isinstance(value, int) or not isinstance(stated, str):
        return units.shown_value(value) if isinstance(value, bool) else str(value)
    unit = stated.rpartition(" ")[2]
    noun = next((noun for noun, sizes in units.COUNT_SYMBOLS.items() if unit in sizes), None)
    return (
        str(value)
        if noun is None
        else f"{value} {noun.removesuffix('s') if noun == 'bits' else noun}"
    )
