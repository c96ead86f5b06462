"""The tables of docs/noc.md are complete."""

from pages import ROOT

from simulator.describe.router_energy import router_energies
from simulator.study.synthetic import PATTERNS

PAGE = ROOT / "docs" / "noc.md"


def test_the_tables_are_complete():
    text = PAGE.read_text()
    for pattern in PATTERNS:
        assert f"| `{pattern}` |" in text
    for technology, rows in router_energies().technologies.items():
        for row in rows:
            start = f"| {technology} | {row.virtual_channels} × {row.depth} |"
            assert f"{start} {row.buffer_write * 1e12:.3f} pJ |" in text
