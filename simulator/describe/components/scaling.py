"""Areas carried between technology nodes, and the areas of arithmetic, from chips/components/."""

from __future__ import annotations

import csv
import math
from functools import cache

from simulator.describe import library
from simulator.describe.components.tables import table
from simulator.errors import InputError


@cache
def _relative() -> dict[float, float]:
    """Return the area of logic at each node over that at 45 nm (scaling.csv)."""
    with open(library.folder("chip") / "components" / "scaling.csv", encoding="utf-8") as file:
        return {float(row["node_nm"]): float(row["area_factor"]) for row in csv.DictReader(file)}


@cache
def _square_micrometres() -> dict[tuple[str, str], tuple[float, float]]:
    """Return (node, µm²) of operations by name and bits (arithmetic.csv); the first row counts."""
    found: dict[tuple[str, str], tuple[float, float]] = {}
    with open(library.folder("chip") / "components" / "arithmetic.csv", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["area_um2"]:
                place = (float(row["node_nm"]), float(row["area_um2"]))
                found.setdefault((row["operation"], row["bits"]), place)
    return found


def relative_area(node: float) -> float:
    """Return the area of logic at a node over that at 45 nm, straight in log-log between nodes."""
    known = sorted(_relative())
    if not known[0] <= node <= known[-1]:
        raise InputError(f"must be {known[0]:g} to {known[-1]:g} nm, not {node:g} nm")
    low = max(at for at in known if at <= node)
    high = min(at for at in known if at >= node)
    first, last = _relative()[low], _relative()[high]
    share = math.log(node / low) / math.log(high / low) if high > low else 0.0
    return float(first * (last / first) ** share)


def nearest(name: str, node: float) -> tuple[float, float]:
    """Return the table's node next to one, and the factor on areas from there."""
    found = min((float(label) for label in table(name).nodes()), key=lambda at: _apart(at, node))
    return found, relative_area(node) / relative_area(found)


def _apart(one: float, other: float) -> float:
    return abs(math.log(one / other))


def lane_area(node: float, accumulator: int) -> float:
    """Return the m² of a lane: a multiplier of 8 bits, an adder as wide as the accumulator, and the
    registers of both operands and the sum.
    """
    adders = {bits: _square_micrometres()["int_add", str(bits)][1] for bits in (8, 16, 32)}
    width = min(max(accumulator, 8), 32)
    low = max(bits for bits in adders if bits <= width)
    high = min(bits for bits in adders if bits >= width)
    share = math.log(width / low) / math.log(high / low) if high > low else 0.0
    adder = adders[low] * (adders[high] / adders[low]) ** share
    total = 0.0
    for name, bits, times, given in (
        ("int_mul", "8", 1.0, None),
        ("int_add", "8", 1.0, adder),
        ("register_bit", "1", accumulator + 16.0, None),
    ):
        at, area = _square_micrometres()[name, bits]
        total += (
            times * (area if given is None else given) * (relative_area(node) / relative_area(at))
        )
    return total * 1e-12
