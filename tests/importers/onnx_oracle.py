"""What an imported network computes by the definitions alone (tests/behaviour/definitions.py), as
the whole numbers of the file's tensors.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from simulator.describe.network import Feed, Stimulus
from simulator.importers.imported import Imported

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "behaviour"))
from definitions import quantised  # noqa: E402


def computed(
    imported: Imported, *inputs: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the whole numbers of every tensor that neurons send, and the reals that are read."""
    feeds = tuple(
        Feed(each.kind, each.integers(values.reshape(len(values), -1)), each.bits)
        for each, values in zip(imported.entering, inputs, strict=True)
    )
    network = imported.network
    sent, total, _ = quantised(network, Stimulus(feeds), imported.timesteps)
    number = {population.name: k for k, population in enumerate(network.populations)}
    codes, reals = {}, {}
    for one in imported.meaning:
        if one.unit is None:
            codes[one.tensor] = one.integers(sent[number[one.population]])
        else:
            reals[one.tensor] = one.reals(total[number[one.population]])
    return codes, reals
