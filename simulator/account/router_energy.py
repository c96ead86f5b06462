"""Energy of a mesh router and its links, by technology, from one table of a published power model,
and between its rows.

Per 32-bit flit and 1 mm of link, default activity.  Source: DSENT (Sun et al., NOCS 2012);
evidence: published model; scope: marginal.

Between the rows, and nowhere beyond them:
- buffer write, buffer read, clock and leakage run straight between the rows next to VCs x depth
  (flits an input can hold);
- allocation runs straight between the rows' VCs: depth does not change it;
- all but allocation, which sees no data, are in proportion to the flit's width, from 0 to the
  table's 32 bits;
- the link is in proportion to its length too, from 0 to the table's 1 mm.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from simulator.errors import InputError

PICO, MILLI = 1e-12, 1e-3
FLIT_BITS, LINK_METRES = 32, 1e-3

#: VCs, depth | buffer write, read, crossbar, allocation (pJ) | clock (pJ per cycle) | leakage (mW)
#: | link (pJ)
TABLE: dict[str, list[tuple]] = {
    "45nm": [
        (1, 4, 0.630, 0.442, 0.547, 0.133, 0.310, 2.53, 1.292),
        (4, 8, 2.022, 1.930, 0.547, 0.215, 0.344, 11.45, 1.292),
    ],
    "22nm": [
        (1, 4, 0.168, 0.114, 0.139, 0.034, 0.095, 0.91, 0.755),
        (1, 8, 0.226, 0.174, 0.139, 0.034, 0.097, 1.38, 0.755),
        (4, 8, 0.529, 0.482, 0.139, 0.054, 0.105, 4.17, 0.755),
    ],
    "11nm": [
        (1, 4, 0.052, 0.034, 0.042, 0.010, 0.029, 0.14, 0.422),
    ],
}


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
    flit_bits: int = FLIT_BITS,
    link_metres: float = LINK_METRES,
) -> RouterEnergy:
    """Return the energies of a router with `depth` flits in each VC of each input; raises
    InputError outside the table.
    """
    if technology not in TABLE:
        raise InputError(f"energy: must be one of {', '.join(TABLE)}, not {technology!r}")
    rows = np.array(TABLE[technology])
    vcs, capacity = rows[:, 0], rows[:, 0] * rows[:, 1]
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
    if not 1 <= flit_bits <= FLIT_BITS:
        raise InputError(
            f"energy: flit width must be 1 to {FLIT_BITS} bits, the table's width, not {flit_bits}"
        )
    if not 0 <= link_metres <= LINK_METRES:
        most = f"{LINK_METRES * 1e3:g} mm, the table's length"
        raise InputError(f"energy: link length must be 0 to {most}, not {link_metres * 1e3:g} mm")
    write, read, clock, leakage = (
        np.interp(virtual_channels * depth, capacity, rows[:, k]) for k in (2, 3, 6, 7)
    )
    n_vcs, first = np.unique(vcs, return_index=True)
    allocation = np.interp(virtual_channels, n_vcs, rows[first, 5])
    width, length = flit_bits / FLIT_BITS, link_metres / LINK_METRES
    return RouterEnergy(
        buffer_write=float(write) * width * PICO,
        buffer_read=float(read) * width * PICO,
        crossbar=float(rows[0, 4]) * width * PICO,
        allocation=float(allocation) * PICO,
        clock=float(clock) * width * PICO,
        leakage=float(leakage) * width * MILLI,
        link=float(rows[0, 8]) * width * length * PICO,
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
