"""Which cores the slices of each population sit on."""

from __future__ import annotations

import numpy as np

from simulator.describe.chip import Chip
from simulator.describe.workload import Workload
from simulator.errors import MappingError

#: on meshes wider than this the snake fills bands of so many rows, column by column
WIDE, BAND = 16, 8


def snake(chip: Chip) -> np.ndarray:
    """Return all cores, tile by tile along rows that turn at their ends, so that consecutive cores
    are neighbours.

    On wide meshes it goes up and down the columns of a band of rows instead: a layer of a few dozen
    cores is then a block, whose packets have many rows of links to go along, not one.
    """
    mesh = chip.mesh
    tile = np.arange(mesh.width * mesh.height, dtype=np.int64).reshape(mesh.height, mesh.width)
    rows, order = BAND if mesh.width > WIDE else 1, []
    for number, first in enumerate(range(0, mesh.height, rows)):
        band = tile[first : first + rows]
        columns = (band[:, ::-1] if number % 2 else band).T.copy()
        columns[1::2] = columns[1::2, ::-1].copy()
        order.append(columns.reshape(-1))
    return (
        np.concatenate(order)[:, None] * mesh.cores_per_tile + np.arange(mesh.cores_per_tile)
    ).reshape(-1)


def place(chip: Chip, counts: dict[int, int]) -> dict[int, np.ndarray]:
    """Return the cores of each computed population: the next ones along the snake."""
    edges = np.concatenate([[0], np.cumsum(list(counts.values()))])
    order = snake(chip)
    return {number: order[a:b] for number, a, b in zip(counts, edges, edges[1:])}


def given(workload: Workload, chip: Chip) -> dict[int, np.ndarray]:
    """Return the cores a workload names: of each computed population's slices, or of each of its
    neurons; raises MappingError for cores the chip does not have.
    """
    assert workload.placement is not None
    found = {}
    for number in workload.network.computed:
        name = workload.network.populations[number].name
        cores = np.asarray(workload.placement[name], np.int64)
        if (cores >= chip.n_cores).any():
            raise MappingError(
                f"{name!r}: must be placed on cores 0..{chip.n_cores - 1} "
                f"of {chip.name}, not on {cores.max()}"
            )
        found[number] = cores
    return found
