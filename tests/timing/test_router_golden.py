"""Every packet and every grant of the recorded router runs (golden/README.md), equal to the
cycle.  They hold what the tables do not: several VCs of one input that want the same output [A3].
"""

from pathlib import Path

import pytest
from engines import ENGINES, simulate_with
from run_golden import cases, compare

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("configuration, scenario", cases(GOLDEN))
def test_a_recorded_run_is_met_packet_by_packet(engine, configuration, scenario):
    assert compare(GOLDEN, configuration, scenario, simulate_with(engine)) is None


def test_the_vectors_are_all_there():
    assert len(cases(GOLDEN)) == 5 * 11
    assert len(list(GOLDEN.glob("grants/*/*.csv"))) == 5 * 3
