"""From the keys of a connection and its arrays to a Connection: shapes follow, widths hold, or a
fault says which do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from simulator import memory
from simulator.describe.arrays import Arrays, extent, frozen
from simulator.describe.connections import (
    CONVOLUTION,
    DENSE,
    KINDS,
    ONE_TO_ONE,
    Connection,
)
from simulator.describe.convolution import extent as positions
from simulator.describe.convolution import pair
from simulator.describe.documents import Document
from simulator.describe.messages import Key
from simulator.describe.narrow import narrow, narrow_index
from simulator.describe.network import Pool
from simulator.describe.workload_file import ConnectionDocument, PoolDocument

#: currents of one projection: their state must fit in this machine's memory
MAXIMUM_NEURONS = 2**24
#: timesteps a synapse may take: no window is longer
MAXIMUM_DELAY = 4096


@dataclass(frozen=True)
class Place:
    """Where a connection leads: from a shape, to a shape, where that is stated already."""

    before: tuple[int, ...]
    after: tuple[int, ...] | None
    ends: str = ""  # of a projection, for messages

    @property
    def neurons(self) -> str:
        """Return the neurons it must lead to, as messages show them."""
        return "neurons" if self.after is None else str(prod(self.after))


def connection(
    document: Document,
    key: Key,
    written: ConnectionDocument,
    pool: PoolDocument | None,
    place: Place,
    arrays: Arrays,
) -> tuple[Connection, tuple[int, ...]] | None:
    """Return a connection and the shape it leads to after pooling, or None after noting what is
    wrong; the pool stands beside the connection.
    """
    built = _connection(document, key, written, place, arrays)
    if built is None:
        return None
    shape = built.output_shape
    if pool is not None:
        beside = (*key[:-1], "pool")
        if built.kind != CONVOLUTION:
            document.fault(beside, f"must follow a convolution, not a {built.kind} connection")
            return None
        if shape[1] % pool.size or shape[2] % pool.size:
            document.fault(
                (*beside, "size"),
                f"must divide the {shape[1]}x{shape[2]} currents, not {pool.size}",
            )
            return None
        shape = (shape[0], shape[1] // pool.size, shape[2] // pool.size)
    return built, shape


def pooled(written: PoolDocument | None) -> Pool | None:
    """Return the pooling that is written."""
    return None if written is None else Pool(written.kind, written.size)


def _connection(
    document: Document, key: Key, written: ConnectionDocument, place: Place, arrays: Arrays
) -> Connection | None:
    _check_belongings(document, key, written)
    weight = arrays.get((*key, "weight"), written.weight)
    if weight is None or not _weights_fit(document, key, written, weight):
        return None
    planes, before, n_in = weight.shape[:1] * written.per_timestep, place.before, prod(place.before)
    shape = weight.shape[len(planes) :]
    start = index = delay = None
    output: tuple[int, ...] | None
    if written.kind == DENSE:
        expected = (*planes, n_in, place.neurons)
        if len(shape) != 2 or shape[0] != n_in or place.neurons not in ("neurons", str(shape[1])):
            document.fault((*key, "weight"), _shape(expected, weight, place))
            return None
        output = (shape[1],)
    elif written.kind == CONVOLUTION:
        output = _convolved(document, key, written, place, shape, weight)
    elif written.kind == ONE_TO_ONE:
        if shape != (n_in,) or place.neurons not in ("neurons", str(n_in)):
            document.fault((*key, "weight"), _shape((*planes, n_in), weight, place))
            return None
        output = before
    else:
        rows = _rows(document, key, written, n_in, shape, arrays)
        if rows is None:
            return None
        start, index, delay = rows
        output = _targets(document, key, place, index)
    if output is None:
        return None
    if prod(output) > MAXIMUM_NEURONS:
        document.fault(key, f"must lead to at most {MAXIMUM_NEURONS} neurons, not {prod(output)}")
        return None
    return Connection(
        written.kind,
        frozen(narrow(weight)),
        written.weight_bits,
        before,
        output,
        size(written.stride),
        size(written.padding),
        start,
        None if index is None else narrow_index(index, prod(output)),
        delay,
        size(written.dilation),
        written.groups,
        written.per_timestep,
    )


def size(written: int | list[int]) -> int | tuple[int, int]:
    """Return a size as it is written, one number or two."""
    return written if isinstance(written, int) else (written[0], written[1])


def _shape(expected: tuple[object, ...], weight: np.ndarray, place: Place) -> str:
    shown = f"({', '.join(str(side) for side in expected)}{',' * (len(expected) == 1)})"
    return f"must have shape {shown}{place.ends}, not {weight.shape}"


def _check_belongings(document: Document, key: Key, written: ConnectionDocument) -> None:
    for kind, other in KINDS.items():
        for name in other.keys:
            if name in written.model_fields_set and name not in KINDS[written.kind].keys:
                document.fault(
                    (*key, name), f"belongs to a {kind} connection, not to a {written.kind} one"
                )


def _weights_fit(
    document: Document, key: Key, written: ConnectionDocument, weight: np.ndarray
) -> bool:
    if not weight.size:
        document.fault(
            (*key, "weight"), f"must hold weights, not nothing: its shape is {weight.shape}"
        )
        return False
    width = written.weight_bits
    least, most = -(2 ** (width - 1)), 2 ** (width - 1) - 1
    shown = f"weights of {width} bit{'s' if width > 1 else ''}"
    if width == 1:
        least, most = -1, 1  # binary weights: signs, or there or not
    if int(weight.min()) < least or int(weight.max()) > most:
        document.fault(
            (*key, "weight"),
            f"must hold {shown} ({least}..{most}), not {extent(weight)}",
        )
        return False
    if width == 1 and all((weight == value).any() for value in (-1, 0, 1)):
        document.fault(
            (*key, "weight"),
            "must hold two values in 1 bit, not three (-1, 0 and 1): ternary weights have "
            "weight_bits 2",
        )
        return False
    return True


def _convolved(
    document: Document,
    key: Key,
    written: ConnectionDocument,
    place: Place,
    shape: tuple[int, ...],
    weight: np.ndarray,
) -> tuple[int, ...] | None:
    before, groups = place.before, written.groups
    if len(before) != 3:
        document.fault(
            (*key, "kind"),
            f"must follow a layer of shape [channels, height, width], not {list(before)}",
        )
        return None
    if before[0] % groups:
        document.fault((*key, "groups"), f"must divide the {before[0]} channels in, not {groups}")
        return None
    if len(shape) != 4 or shape[1] != before[0] // groups:
        planes = weight.shape[:1] * written.per_timestep
        expected = (*planes, "channels", before[0] // groups, "height", "width")
        document.fault((*key, "weight"), _shape(expected, weight, place))
        return None
    if shape[0] % groups:
        document.fault((*key, "groups"), f"must divide the {shape[0]} channels out, not {groups}")
        return None
    (py, px), (sy, sx) = pair(size(written.padding)), pair(size(written.stride))
    dy, dx = pair(size(written.dilation))
    covered = (dy * (shape[2] - 1) + 1, dx * (shape[3] - 1) + 1)
    if py >= covered[0] or px >= covered[1]:
        document.fault(
            (*key, "padding"),
            f"must be less than the kernel ({covered[0]}x{covered[1]}), not "
            f"{py if py == px else [py, px]}",
        )
        return None
    high = positions(before[1], shape[2], sy, py, dy)
    wide = positions(before[2], shape[3], sx, px, dx)
    if high < 1 or wide < 1:
        document.fault(
            (*key, "weight"),
            f"must have a kernel that fits {before[1]}x{before[2]}, not {covered[0]}x{covered[1]}",
        )
        return None
    return shape[0], high, wide


def _rows(
    document: Document,
    key: Key,
    written: ConnectionDocument,
    n_in: int,
    shape: tuple[int, ...],
    arrays: Arrays,
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None] | None:
    found: list[np.ndarray] = []
    for name in ("start", "index"):
        given = getattr(written, name)
        if given is None:
            document.fault((*key, name), "missing key: a sparse connection must name its array")
            return None
        array = arrays.get((*key, name), given)
        if array is None:
            return None
        found.append(array)
    memory.need(f"the rows of {n_in:,} sources", 8 * found[0].size)
    start, index = found[0].astype(np.int64), found[1]
    if len(shape) != 1 or index.shape != shape:
        document.fault(
            (*key, "index"),
            f"must hold one target per weight: shape {shape}, not {index.shape}",
        )
        return None
    if (
        start.shape != (n_in + 1,)
        or start[0] != 0
        or (start[1:] < start[:-1]).any()
        or start[-1] != shape[0]
    ):
        document.fault(
            (*key, "start"),
            f"must rise from 0 to {shape[0]} (the weights) in {n_in + 1} entries",
        )
        return None
    delay = None
    if written.delay is not None:
        delay = arrays.get((*key, "delay"), written.delay)
        if delay is None:
            return None
        if delay.shape != shape or int(delay.min()) < 0 or int(delay.max()) > MAXIMUM_DELAY:
            document.fault(
                (*key, "delay"),
                f"must hold one delay of 0..{MAXIMUM_DELAY} timesteps per weight: shape {shape}, "
                f"not {delay.shape} with {extent(delay) if delay.size else 'nothing'}",
            )
            return None
        delay = frozen(delay.astype(np.int16))
    return frozen(start), index, delay


def _targets(
    document: Document, key: Key, place: Place, index: np.ndarray
) -> tuple[int, ...] | None:
    """Return the shape sparse rows lead to: as stated, since the last neurons may have no
    synapse.
    """
    n_out = prod(place.after) if place.after is not None else int(index.max()) + 1
    if int(index.min()) < 0 or int(index.max()) >= n_out:
        document.fault(
            (*key, "index"), f"must hold targets within 0..{max(n_out - 1, 0)}, not {extent(index)}"
        )
        return None
    return (n_out,)
