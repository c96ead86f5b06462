"""Which cores the slices of each layer sit on."""

from __future__ import annotations

import numpy as np

from simulator.describe.chip import Chip
from simulator.describe.workload import Workload
from simulator.errors import MappingError


def snake(chip: Chip) -> np.ndarray:
    """Return all cores, tile by tile along rows that turn at their ends, so that consecutive cores
    are neighbours.
    """
    mesh = chip.mesh
    tile = np.arange(mesh.width * mesh.height, dtype=np.int64).reshape(mesh.height, mesh.width)
    tile[1::2] = tile[1::2, ::-1].copy()
    return (tile.reshape(-1, 1) * mesh.cores_per_tile + np.arange(mesh.cores_per_tile)).reshape(-1)


def place(workload: Workload, chip: Chip, counts: list[int]) -> list[np.ndarray]:
    """Return the cores of each layer: those the workload names, or the next ones along the snake
    (`auto`).
    """
    if workload.placement is not None:
        given = [
            np.array(workload.placement[layer.name], np.int64) for layer in workload.network.layers
        ]
        for layer, cores in zip(workload.network.layers, given):
            if (cores >= chip.n_cores).any():
                raise MappingError(
                    f"layer {layer.name!r}: must be placed on cores 0..{chip.n_cores - 1} of "
                    f"{chip.name}, not on {cores.max()}"
                )
        return given
    order = snake(chip)
    edges = np.concatenate([[0], np.cumsum(counts)])
    return [order[a:b] for a, b in zip(edges, edges[1:])]
