"""docs/components.md compares the tables with silicon: every number of that comparison is computed
here, from the shipped chips and the tables.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pages import ROOT

from simulator import Chip
from simulator.account.area import core_area
from simulator.describe.components.parts import Memory
from simulator.describe.components.tables import figure

PAGE = (ROOT / "docs" / "components.md").read_text()
ASSUMED = {"scope": "marginal", "evidence": "assumed", "source": "for the comparison"}
#: a core's parts from the tables, whatever the chip's file says
PARTS = {
    "area.memory": {"component": "sram", "cell": "lstp"},
    "area.lane": {"component": "arithmetic"},
    "area.queue": {"component": "queue"},
    "area.router": {"component": "router"},
}
#: ODIN's logic: its core less its memories, mm² at 28 nm; and at other nodes
LOGIC = {"28": 0.0354, "22": 0.0237, "14": 0.0163}


def nothing(what: str, asked: float, priced: float) -> None:
    """Notes are of no interest here: the page says which parts lie beyond a table."""


def square(name: str, node: str) -> tuple[float, float, float]:
    """Return mm² of a chip's core memories, of its core and share of a router, and as published."""
    logic = {"value": f"{LOGIC[node]} mm2", **ASSUMED}
    chip = Chip.load(name, {**PARTS, "area.logic": logic})
    parts = core_area(chip)
    core = sum(parts.values()) + chip.area.router.value / chip.mesh.cores_per_tile
    published = sum(core_area(Chip.load(name)).values())
    return parts["memory"] * 1e6, core * 1e6, published * 1e6


def memory(node: int, bits: int, word: int, column: str, volts: float, power: float) -> float:
    """Return a column of a low-leakage memory, carried to a voltage by a power of it."""
    part = Memory(node, "lstp", bits, word)
    return part.read(column, nothing).value * (volts / part.voltage) ** power


KIB = 8192
ODIN = dict(volts=0.55, power=2.0)
READ_TRUENORTH = memory(28, 410 * 256, 256, "read_pJ", 0.775, 2.0) / 256 * 1e3
ODIN_OPERATION = (
    memory(28, 32 * KIB, 32, "read_pJ", **ODIN) / 8
    + memory(28, 4 * KIB, 128, "read_pJ", **ODIN)
    + memory(28, 4 * KIB, 128, "write_pJ", **ODIN)
)
DENSITY = figure("leakage").value
LEAK_TRUENORTH = memory(28, 410 * 256, 256, "leak_uW", 0.8, 3.2) + DENSITY * LOGIC["28"]
LEAK_LOIHI = memory(22, 256 * KIB, 64, "leak_uW", 0.75, 3.2) + DENSITY * LOGIC["14"]
#: what, published, as the tables say it
ROWS = [
    ("ODIN, 28 nm: core", 0.0864, square("odin", "28")[1], "mm²"),
    ("TrueNorth, 28 nm: core", 0.0936, square("truenorth", "28")[1], "mm²"),
    ("SENECA, 22 nm: core", 0.47, square("seneca-like", "22")[1], "mm²"),
    ("Loihi, 14 nm: die over 128 cores", 0.469, square("loihi1", "14")[1], "mm²"),
    ("ODIN, 0.55 V: synaptic operation", 8.43, ODIN_OPERATION, "pJ"),
    ("TrueNorth, 0.775 V: SRAM to controller", 47, READ_TRUENORTH, "fJ/bit"),
    ("SENECA: read of 16 bits", 2.9, memory(22, 256 * KIB, 16, "read_pJ", 0.8, 2.0), "pJ"),
    ("TrueNorth, 0.8 V: static, a core", 15.7, LEAK_TRUENORTH, "µW"),
    ("Loihi: static, a core, at most", 816, LEAK_LOIHI, "µW"),
]  # fmt: skip


def line(what: str, published: float, found: float, unit: str) -> str:
    miss = f"{found / published - 1:+.0%}".replace("-", "−").replace("%", " %")
    return f"| {what} | {published:g} {unit} | {found:.3g} {unit} | {miss} |"


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_the_page_states_what_the_tables_say_of_silicon(row: tuple) -> None:
    assert line(*row) in PAGE


def test_the_page_states_what_memories_are_of_a_core() -> None:
    shares = [
        square(name, node)[0] / square(name, node)[2]
        for name, node in (("odin", "28"), ("truenorth", "28"), ("seneca-like", "22"))
    ]
    said = ", ".join(f"{share:.0%}" for share in shares).replace("%", " %")
    assert said in " ".join(PAGE.split())


def test_the_generic_chips_are_now_as_the_page_says() -> None:
    """The right sides of the table of what moved are today's constants."""
    from simulator.account.terms import constants
    from simulator.units import show

    units = {"core_leakage": "W", "memory_leakage": "W/bit", "router_leakage": "W"}
    chips = [Chip.load(name) for name in ("generic-22nm", "generic-45nm", "dense-dataflow")]
    rows = re.findall(r"^\| `(\w+)` \| [^|]*→ ([^|]*) \| [^|]*→ ([^|]*) \| [^|]*→ ([^|]*) \|$",
                      PAGE, re.MULTILINE)  # fmt: skip
    assert len(rows) >= 19
    for name, *said in rows:
        found = [show(constants(chip)[name].value, units.get(name, "J")) for chip in chips]
        assert found == said, name
    assert Path(ROOT / "chips" / "components" / "README.md").is_file()


if __name__ == "__main__":
    print(*(line(*row) for row in ROWS), sep="\n")
