"""Energy of a mesh router and its links, by technology, from one table of a published power model
(describe/router_energy.yaml), and between its rows.

Between the rows, and nowhere beyond them:
- buffer write, buffer read, clock and leakage run straight between the rows next to VCs x depth
  (flits an input can hold);
- allocation runs straight between the rows' VCs: depth does not change it;
- all but allocation, which sees no data, are in proportion to the flit's width, up to the
  table's;
- the link is in proportion to its length too, from 0 to the table's.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from simulator.describe.router_energy import router_energies
from simulator.errors import InputError


@dataclass(frozen=True)
class RouterEnergy:
    """Joules per flit and router, per flit and mesh link, and what a router takes whether it moves
    flits or not.
    """

    buffer_write: float
    buffer_read: float
    crossbar: float
    allocation: float
    clock: float  # J per router and cycle
    leakage: float  # W per router
    link: float  # J per flit and mesh link

    @property
    def hop(self) -> float:
        """Joules of a flit through one router and over one link."""
        return self.buffer_write + self.buffer_read + self.crossbar + self.allocation + self.link


def router_energy(
    technology: str,
    virtual_channels: int,
    depth: int,
    flit_bits: int | None = None,
    link_metres: float | None = None,
) -> RouterEnergy:
    """Return the energies of a router with `depth` flits in each VC of each input, for the table's
    flit and link where none are given; raises InputError outside the table.
    """
    table = router_energies()
    if technology not in table.technologies:
        known = ", ".join(table.technologies)
        raise InputError(f"energy: must be one of {known}, not {technology!r}")
    rows = table.technologies[technology]
    vcs = np.array([row.virtual_channels for row in rows])
    capacity = np.array([row.virtual_channels * row.depth for row in rows])
    for name, value, allowed in (
        ("VCs", virtual_channels, vcs), ("VCs x depth", virtual_channels * depth, capacity),
    ):  # fmt: skip
        if not allowed.min() <= value <= allowed.max():
            span = (
                f"{allowed.min():g}"
                if allowed.min() == allowed.max()
                else f"{allowed.min():g} to {allowed.max():g}"
            )
            raise InputError(
                f"energy: {technology}: {name} must be {span}, the table's range, not {value}"
            )
    bits = table.flit if flit_bits is None else flit_bits
    metres = table.link_length if link_metres is None else link_metres
    if not 1 <= bits <= table.flit:
        raise InputError(
            f"energy: flit width must be 1 to {table.flit} bits, the table's width, not {bits}"
        )
    if not 0 <= metres <= table.link_length:
        most = f"{table.link_length * 1e3:g} mm, the table's length"
        raise InputError(f"energy: link length must be 0 to {most}, not {metres * 1e3:g} mm")
    width, length = bits / table.flit, metres / table.link_length
    n_vcs, first = np.unique(vcs, return_index=True)

    def between(part: str) -> float:
        values = [getattr(row, part) for row in rows]
        return float(np.interp(virtual_channels * depth, capacity, values))

    allocation = np.interp(virtual_channels, n_vcs, [rows[row].allocation for row in first])
    return RouterEnergy(
        buffer_write=between("buffer_write") * width,
        buffer_read=between("buffer_read") * width,
        crossbar=rows[0].crossbar * width,
        allocation=float(allocation),
        clock=between("clock") * width,
        leakage=between("leakage") * width,
        link=rows[0].link * width * length,
    )


@dataclass(frozen=True)
class NetworkEnergy:
    """Joules of a run of the network, part by part."""

    buffer_write: float
    buffer_read: float
    crossbar: float
    allocation: float
    link: float
    clock: float
    leakage: float | None  # None: nobody said how long a cycle is

    @property
    def total(self) -> float:
        """Sum of the parts that are known."""
        return sum(getattr(self, part.name) or 0.0 for part in fields(self))


def network_energy(
    energy: RouterEnergy,
    *,
    traversals: int,
    flit_hops: int,
    router_cycles: int,
    period: float | None,
) -> NetworkEnergy:
    """Return counts x table: a flit is written, read, allocated and switched once a router, and
    crosses mesh links.

    traversals: flits x routers visited.  router_cycles: routers x cycles.  period: seconds a cycle,
    for leakage.
    """
    return NetworkEnergy(
        buffer_write=traversals * energy.buffer_write,
        buffer_read=traversals * energy.buffer_read,
        crossbar=traversals * energy.crossbar,
        allocation=traversals * energy.allocation,
        link=flit_hops * energy.link,
        clock=router_cycles * energy.clock,
        leakage=None if period is None else router_cycles * period * energy.leakage,
    )
