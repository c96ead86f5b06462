"""How the rows of a connection lie for the kernels of behaviour/synapses.py."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Layout(NamedTuple):
    """Rows of weights as kernels read them; `geometry` is that of a convolution, else zeros.

    DENSE_ROWS: a row of n_out weights per source.  SPARSE_ROWS: start, target.  RUNS: a
    convolution's kernel by channel, row and column phase; start is where each phase starts, target
    how far to the left each column leads.
    """

    kind: int
    weight: np.ndarray  # plane after plane
    start: np.ndarray
    target: np.ndarray
    geometry: dict[str, int]


DENSE_ROWS, SPARSE_ROWS, RUNS = range(3)
