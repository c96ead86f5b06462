"""Places by annealing: what is measured of them without a kernel is what the kernel finds."""

import numpy as np
import pytest

from simulator.mapping.annealing import carry, loads

# tiles, width
MESHES = [(1, 1), (6, 6), (6, 1), (12, 4), (64, 8)]


@pytest.mark.parametrize(("tiles", "width"), MESHES)
def test_the_loads_of_all_links_are_those_of_one_way_after_the_other(tiles, width):
    rng = np.random.default_rng(tiles)
    start, end = rng.integers(0, tiles, (2, 200))
    flits = rng.integers(1, 1000, 200)
    expected, free = np.zeros(4 * tiles, np.int64), np.zeros(2, np.int64)
    for one, two, many in zip(start, end, flits, strict=True):
        carry(expected, free, 0, width, one, two, many)
    assert expected.tolist() == loads(start, end, flits, tiles, width).tolist()
