"""What flows between cores, how far it has to go, and places that shorten its way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simulator.describe.chip import Chip
from simulator.describe.workload import Workload
from simulator.mapping.core_mapping import CoreMapping
from simulator.mapping.loads import Rates

#: packets are counted per so many timesteps, in whole numbers
WINDOW = 1000
#: annealings from other draws, as long as the hottest link got hotter
TRIES = 3


@dataclass(frozen=True, eq=False)
class Flows:
    """Packets from core to core; core n_cores is the port of input, n_cores + 1 that of output."""

    source: np.ndarray  # (n_pairs,) int64, each pair of source and target once
    target: np.ndarray
    packets: np.ndarray  # (n_pairs,) int64, per WINDOW timesteps

    @property
    def total(self) -> int:
        """All packets, per WINDOW timesteps."""
        return int(self.packets.sum())


def flows(chip: Chip, mapping: CoreMapping, workload: Workload, rates: Rates) -> Flows:
    """Return what flows between the cores of a mapping; nothing grows with the square of the
    cores.
    """
    network, n = workload.network, chip.n_cores
    pairs, amounts = [], []
    for k, path in enumerate(network.projections):
        here, there = mapping.populations[path.source], mapping.populations[path.target]
        target = mapping.targets[k]
        kinds = len(target.count)
        weight = np.bincount(
            here.slice_of * kinds + target.kind,
            rates.events[path.source],
            minlength=here.count * kinds,
        ).reshape(here.count, kinds)
        flow = weight @ (target.count > 0)
        cores = here.cores if len(here.cores) else np.array([n])
        row, column = np.nonzero(flow)
        pairs.append(cores[row] * (n + 2) + there.cores[column])
        amounts.append(flow[row, column])
    for number in network.outputs:
        slices = mapping.populations[number]
        if len(slices.cores):
            pairs.append(slices.cores * (n + 2) + n + 1)
            amounts.append(
                np.bincount(slices.slice_of, rates.events[number], minlength=slices.count)
            )
    pair, place = np.unique(np.concatenate(pairs), return_inverse=True)
    packets = np.bincount(place.reshape(-1), np.concatenate(amounts), minlength=len(pair))
    return Flows(pair // (n + 2), pair % (n + 2), np.rint(WINDOW * packets).astype(np.int64))


def measured(chip: Chip, found: Flows, to: np.ndarray) -> tuple[float, int]:
    """Return the mean hops of a packet and what the hottest link carries per WINDOW timesteps, with
    the slices of core c on core to[c].
    """
    load = _placed(chip, found, to, (1, 1), 0, 0)[2]
    return float(load.sum()) / max(found.total, 1), int(load.max(initial=0))


def hop_energy(chip: Chip, found: Flows, to: np.ndarray) -> float:
    """Return the joules that links and routers take for the packets of a timestep, at one flit
    each.
    """
    load = _placed(chip, found, to, (1, 1), 0, 0)[2].reshape(-1, 4)
    east, north = _hop(chip)
    return float(load[:, :2].sum() * east + load[:, 2:].sum() * north) / WINDOW


def annealed(
    chip: Chip,
    found: Flows,
    moves: int,
    seed: int,
    tell: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Return the core each core's slices move to, (n_cores,), a permutation.

    moves: tries per core with traffic; all again, from other draws, where they leave the hottest
    link hotter than it was.  tell(done, moves) is called now and then.
    """
    east, north = _hop(chip)
    scale = max(east, north)
    price = [max(1, round(8 * each / scale)) if scale else 8 for each in (east, north)]
    stay = np.arange(chip.n_cores)
    hottest = measured(chip, found, stay)[1]
    tries = []
    for number in range(TRIES):
        drawn = seed + number * 1_000_003
        used, at, load = _placed(chip, found, stay, (price[0], price[1]), moves, drawn, tell)
        tries.append((int(load.max(initial=0)), number, at))
        if tries[-1][0] <= hottest:
            break
    at = min(tries, key=lambda one: one[:2])[2]
    to = np.full(chip.n_cores, -1, np.int64)
    to[used] = at
    to[to < 0] = np.setdiff1d(stay, at)
    return to


def _hop(chip: Chip) -> tuple[float, float]:
    """Return the joules of a flit over a link and through its router, east-west and north-south."""
    table = chip.energy
    router = sum(
        getattr(table, name).value
        for name in ("buffer_write", "buffer_read", "crossbar", "allocation")
    )
    return table.link_east_west.value + router, table.link_north_south.value + router


def _placed(
    chip: Chip,
    found: Flows,
    to: np.ndarray,
    price: tuple[int, int],
    moves: int,
    seed: int,
    tell: Callable[[int, int], None] | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the cores with traffic, where annealing from core to[c] takes them, and the load of
    all links.
    """
    from simulator.mapping.annealing import places

    ports = [chip.ports[chip.input_port], chip.ports[chip.output_port]]
    fixed = np.array([port.tile[0] + chip.mesh.width * port.tile[1] for port in ports], np.int64)
    n = chip.n_cores
    ends = np.unique(np.concatenate([found.source, found.target]))
    used = ends[ends < n]
    item = np.concatenate([used, [n, n + 1]])
    source, target = (np.searchsorted(item, each) for each in (found.source, found.target))
    at, load = places(
        source, target, found.packets, to[used], fixed, n, chip.mesh.cores_per_tile,
        chip.mesh.width, price, moves * len(used), seed, tell,
    )  # fmt: skip
    return used, at, load
