"""What a run came to for each joule and each mm² of the chip."""

from __future__ import annotations

from simulator.account.area import chip_area
from simulator.account.energy import Ledger
from simulator.account.terms import TERMS
from simulator.describe.chip import Chip

#: square metres to mm²
MM2 = 1e6


def by_area(
    chip: Chip, *, joules: float, seconds: float, latency: float | None, inferences: int, ops: int
) -> dict[str, object]:
    """Return the keys of a summary that say what a run came to by area and power; None for what a
    chip without stated areas, or a run without time or energy, does not say.

    joules, seconds, inferences, ops: of the whole run.  latency: of one inference, in seconds.
    """
    parts = {part: square * MM2 for part, square in chip_area(chip).items()}
    area = sum(parts.values())
    each = joules / inferences if inferences else None
    per_area = 1 / (seconds * area) if seconds and area else None
    return {
        "area_mm2": {"total": area, "by_part": parts} if area else None,
        "energy_delay_area_product_js_mm2": each * latency * area
        if each is not None and latency is not None and area
        else None,
        "operations_per_second_per_mm2": None if per_area is None else ops * per_area,
        "inferences_per_second_per_w": inferences / joules if joules else None,
        "inferences_per_second_per_mm2": None if per_area is None else inferences * per_area,
    }


def assumed(chip: Chip, ledger: Ledger) -> float:
    """Return the share of a run's energy that rests on constants whose evidence is 'assumed'."""
    names = {
        name
        for table in (chip.energy, chip.power)
        for name in type(table).model_fields
        if getattr(table, name).evidence == "assumed"
    }
    spent = ledger.quantity * ledger.rate
    joules = sum(spent[number] for number, (_, used) in enumerate(TERMS) if used[0] in names)
    return float(joules) / ledger.total if ledger.total else 0.0
