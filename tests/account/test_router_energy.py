"""The table of router and link energies: its rows, what lies between them, nothing beyond, and a
run priced by hand.
"""

from dataclasses import fields

import pytest

from simulator.account.router_energy import network_energy, router_energy
from simulator.describe.router_energy import FILE, router_energies
from simulator.errors import DescriptionError, InputError

# technology, VCs, depth, hop in total (pJ) as printed beside the table
HOPS = [
    ("45nm", 1, 4, "3.04"),
    ("45nm", 4, 8, "6.01"),
    ("22nm", 1, 4, "1.21"),
    ("22nm", 1, 8, "1.33"),
    ("22nm", 4, 8, "1.96"),
    ("11nm", 1, 4, "0.56"),
]


@pytest.mark.parametrize("technology, vcs, depth, printed", HOPS)
def test_a_row_is_itself_and_adds_up_as_printed(technology, vcs, depth, printed):
    energy = router_energy(technology, vcs, depth)
    rows = router_energies().technologies[technology]
    row = next(row for row in rows if (row.virtual_channels, row.depth) == (vcs, depth))
    for part in fields(energy):
        assert getattr(row, part.name) == getattr(energy, part.name)
    assert printed == f"{energy.hop * 1e12:.2f}"


# technology, VCs, depth, flit bits, link (m), the part, its value: (exact arithmetic to a rounding
# of the last bit)
BETWEEN = [
    ("22nm", 1, 6, 32, 1e-3, "buffer_write", (0.168 + 0.226) / 2 * 1e-12),  # 6 between 4 and 8
    ("22nm", 4, 5, 32, 1e-3, "buffer_read", (0.174 + 0.482) / 2 * 1e-12),  # 20 between 8 and 32
    ("22nm", 2, 10, 32, 1e-3, "clock", (0.097 + 0.105) / 2 * 1e-12),
    ("45nm", 2, 9, 32, 1e-3, "leakage", (2.53 + 11.45) / 2 * 1e-3),  # 18 between 4 and 32
    (
        "22nm",
        2,
        4,
        32,
        1e-3,
        "allocation",
        (0.034 * 2 + 0.054) / 3 * 1e-12,
    ),  # 2 VCs, a third of the way from 1 to 4
    (
        "22nm",
        2,
        16,
        32,
        1e-3,
        "allocation",
        (0.034 * 2 + 0.054) / 3 * 1e-12,
    ),  # depth changes nothing
    ("11nm", 1, 4, 8, 1e-3, "crossbar", 0.042 / 4 * 1e-12),
    ("11nm", 1, 4, 8, 1e-3, "allocation", 0.010 * 1e-12),  # sees no data
    ("11nm", 1, 4, 16, 0.5e-3, "link", 0.422 / 4 * 1e-12),
    ("11nm", 1, 4, 16, 0.0, "link", 0.0),
]


@pytest.mark.parametrize("technology, vcs, depth, bits, length, part, expected", BETWEEN)
def test_between_the_rows_it_runs_straight(technology, vcs, depth, bits, length, part, expected):
    assert pytest.approx(expected, rel=1e-12, abs=0) == getattr(
        router_energy(technology, vcs, depth, bits, length), part
    )


# arguments, the message
BEYOND = [
    (("28nm", 1, 4), "energy: must be one of 45nm, 22nm, 11nm, not '28nm'"),
    (("22nm", 8, 4), "energy: 22nm: VCs must be 1 to 4, the table's range, not 8"),
    (("22nm", 1, 3), "energy: 22nm: VCs x depth must be 4 to 32, the table's range, not 3"),
    (("22nm", 4, 9), "energy: 22nm: VCs x depth must be 4 to 32, the table's range, not 36"),
    (("11nm", 1, 8), "energy: 11nm: VCs x depth must be 4, the table's range, not 8"),
    (("11nm", 2, 2), "energy: 11nm: VCs must be 1, the table's range, not 2"),
    (("22nm", 1, 4, 33), "energy: flit width must be 1 to 32 bits, the table's width, not 33"),
    (("22nm", 1, 4, 0), "energy: flit width must be 1 to 32 bits, the table's width, not 0"),
    (
        ("22nm", 1, 4, 32, 2e-3),
        "energy: link length must be 0 to 1 mm, the table's length, not 2 mm",
    ),
]


@pytest.mark.parametrize("arguments, message", BEYOND)
def test_beyond_the_table_is_an_error(arguments, message):
    with pytest.raises(InputError) as refused:
        router_energy(*arguments)
    assert message == str(refused.value)


def test_a_run_is_counts_times_table():
    energy = router_energy("22nm", 1, 4)
    spent = network_energy(energy, traversals=3, flit_hops=2, router_cycles=100, period=2e-9)
    assert (
        3 * 0.168e-12,
        3 * 0.114e-12,
        3 * 0.139e-12,
        3 * 0.034e-12,
        2 * 0.755e-12,
    ) == pytest.approx(
        (spent.buffer_write, spent.buffer_read, spent.crossbar, spent.allocation, spent.link),
        rel=1e-12,
    )
    assert (100 * 0.095e-12, 100 * 2e-9 * 0.91e-3) == pytest.approx(
        (spent.clock, spent.leakage), rel=1e-12, abs=0
    )
    parts = [
        spent.buffer_write,
        spent.buffer_read,
        spent.crossbar,
        spent.allocation,
        spent.link,
        spent.clock,
        spent.leakage,
    ]
    assert sum(parts) == pytest.approx(spent.total, rel=1e-12, abs=0)


def test_without_a_clock_leakage_is_not_known():
    spent = network_energy(
        router_energy("22nm", 1, 4), traversals=0, flit_hops=0, router_cycles=10, period=None
    )
    assert (None, spent.clock) == (spent.leakage, spent.total)


def test_the_table_is_checked_like_any_description(tmp_path):
    bad = tmp_path / "prices.yaml"
    bad.write_text(FILE.read_text().replace("depth: 4, buffer_write: 0.630 pJ", "depth: 0"))
    with pytest.raises(DescriptionError) as refused:
        router_energies(bad)
    assert 2 == len(refused.value.faults)
    assert "depth: must be at least 1, not 0" in str(refused.value)
    assert "buffer_write" in str(refused.value)
