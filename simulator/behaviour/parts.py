"""From populations and projections to the arrays kernels read: strands, rows, populations of a
part.

A *strand* is what one projection brings with one delay: a projection whose synapses have delays of
their own becomes one strand for each of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from simulator.behaviour import neurons
from simulator.behaviour.passes import EventBuffer, Given, Part, State
from simulator.behaviour.synapses import POOLS
from simulator.behaviour.trace import Source, Trace
from simulator.describe.connections import DENSE, Connection
from simulator.describe.layout import Layout
from simulator.describe.network import Network, Projection
from simulator.errors import InputError
from simulator.values import remembered

_GEOMETRY = (
    "height_in",
    "width_in",
    "channels",  # of a group of targets
    "channels_in",  # of a group of sources
    "groups",
    "height",
    "width",
    "kernel_height",
    "kernel_width",
    "stride_y",
    "stride_x",
    "padding_y",
    "padding_x",
    "dilation_y",
    "advance",
)
_NUMBERS = (
    "source",  # among the populations of the part, or among the sources outside
    "is_inside",
    "delay",
    "is_held",  # its source enters once and drives every timestep
    "layout",  # of describe.connections
    "weight",  # where its rows begin in the arrays of the part
    "plane",  # weights from one timestep's plane to the next
    "start",
    "target",
    "n_out",
    "pool",
    "pool_size",
    *_GEOMETRY,
)
#: one strand as kernels read it
STRAND = np.dtype((np.record, [(name, np.int64) for name in _NUMBERS]))


#: numbers of a population that make it need synaptic currents, resets that are due, counts of its
#: spikes, readings
NEEDED = ("has_current", "reset_at", "counts", "read")


class Events(NamedTuple):
    """What one population sends in some steps: start[k] .. start[k + 1] - 1 in step k."""

    start: np.ndarray  # (steps + 1,) int64
    neuron: np.ndarray  # int32
    value: np.ndarray  # int32


@dataclass(frozen=True)
class Prepared:
    """A part ready to be run."""

    part: Part
    cells: neurons.Cells
    members: tuple[int, ...]  # populations, in the order they are run
    outside: tuple[int, ...]  # populations that drive it from outside
    n_out: int  # currents of the largest strand
    dtype: np.dtype  # of currents
    bounds: tuple[int, ...]  # for each member, on the magnitude of a current
    room: tuple[int, ...]  # neurons of held, synaptic, due, count, reading; 0 where none needs it
    spans: tuple[slice, ...]  # for each member, where its neurons are


def prepare(
    network: Network, members: tuple[int, ...], sources: dict[int, Source], delays: bool
) -> Prepared:
    """Return a part for the kernels.

    sources: of every population that drives it.  delays: False where they mean nothing.  Raises
    InputError where a sum could need more than 62 bits, and for arrays that do not fit.
    """
    driving = {network.projections[k].source for n in members for k in network.incoming[n]}
    return _prepared(network, members, tuple((n, sources[n]) for n in sorted(driving)), delays)


@remembered
def _prepared(
    network: Network, members: tuple[int, ...], known: tuple[tuple[int, Source], ...], delays: bool
) -> Prepared:
    sources = dict(known)
    outside = sorted({p.source for n in members for p, _ in network.drives(n)} - set(members))
    strands: list[dict[str, int]] = []
    layouts: list[Layout] = []
    populations: list[dict[str, int]] = []
    arrays: dict[str, list[np.ndarray]] = {name: [] for name in neurons.ARRAYS}
    bounds: list[int] = []
    n_out, widest, first = 1, 0, 0
    for number in members:
        here = network.populations[number]
        assert here.neuron is not None
        drives = [projection for projection, _ in network.drives(number)]
        drives.sort(key=lambda projection: not sources[projection.source].is_held)
        bias = np.zeros(here.n_neurons, np.int64)
        for projection in drives:
            bias += 0 if projection.bias is None else projection.bias
        numbers, own = neurons.prepare(here.name, here.neuron, here.n_neurons, bias)
        numbers |= {"first": first, "last": first + here.n_neurons, "strand": len(strands)}
        total, live = 0, 0
        for projection in drives:
            source = sources[projection.source]
            most = largest_current(projection, source.largest)
            total, widest = total + most, max(widest, most)
            n_out = max(n_out, projection.connection.n_out)
            for connection, delay in by_delay(projection, delays):
                layout = connection.of_kind.layout(connection)
                inside = projection.source in members
                among = members if inside else outside
                strands.append(
                    {
                        "source": among.index(projection.source),
                        "is_inside": int(inside),
                        "delay": delay,
                        "is_held": int(source.is_held),
                        "layout": layout.kind,
                        "plane": layout.weight.size // connection.planes * connection.per_timestep,
                        "n_out": connection.n_out,
                        "pool": POOLS[projection.pool.kind if projection.pool else "none"],
                        "pool_size": projection.pool.size if projection.pool else 1,
                        **layout.geometry,
                    }
                )
                layouts.append(layout)
                live += source.is_held
        if total >= 1 << 62:
            raise InputError(
                f"{here.name}: a current can reach {total}, which needs more than 62 bits"
            )
        shares = any(p.pool is None or p.pool.kind != "max" for p in drives)
        numbers |= {"live": numbers["strand"] + live, "end": len(strands), "shares": int(shares)}
        populations.append(numbers)
        for name, array in own.items():
            arrays[name].append(array)
        bounds.append(total)
        first += here.n_neurons
    part = _joined(layouts, strands, not _is_dense(network))
    joined = {
        name: parts[0] if len(parts) == 1 else np.concatenate(parts)
        for name, parts in arrays.items()
    }
    needed = (
        any(numbers["live"] > numbers["strand"] for numbers in populations),
        *(any(numbers[name] for numbers in populations) for name in NEEDED),
    )
    return Prepared(
        part,
        neurons.Cells(_table(populations, neurons.POPULATION), **joined),
        members,
        tuple(outside),
        n_out,
        np.dtype(np.int32 if widest < 1 << 31 else np.int64),
        tuple(bounds),
        tuple(first * is_needed for is_needed in needed),
        tuple(slice(numbers["first"], numbers["last"]) for numbers in populations),
    )


def largest_current(projection: Projection, largest_value: int) -> int:
    """Return a bound on the magnitude of one current that a projection brings in one timestep."""
    connection, pool = projection.connection, projection.pool
    fan_in = connection.of_kind.largest_fan_in(connection)
    bound = fan_in * connection.largest_weight * largest_value
    return bound * pool.area if pool is not None and pool.kind == "sum" else bound


def by_delay(projection: Projection, delays: bool) -> list[tuple[Connection, int]]:
    """Return what a projection brings with each delay; all at once where delays mean nothing."""
    connection = projection.connection
    if not delays:
        return [(connection if connection.delay is None else replace(connection, delay=None), 0)]
    return [(part, projection.delay + own) for own, part in connection.by_delay()]


@remembered
def _is_dense(network: Network) -> bool:
    """Return whether every row of weights in a network is dense."""
    return all(projection.connection.kind == DENSE for projection in network.projections)


def _joined(layouts: list[Layout], strands: list[dict[str, int]], has_targets: bool) -> Part:
    """Return the arrays of all strands one after the other, and the strands with their places.

    has_targets: rows somewhere in the network are not dense; all its parts are for one kernel.
    """
    places, placed = {"weight": 0, "start": 0, "target": 0}, []
    for layout, strand in zip(layouts, strands):
        placed.append(strand | places)
        places = {name: places[name] + getattr(layout, name).size for name in places}
    targets = [layout.target for layout in layouts]
    wide = max((int(target.max(initial=0)) for target in targets), default=0) >= 1 << 15
    return Part(
        _flat([layout.weight for layout in layouts], None),
        _flat([layout.start for layout in layouts], np.dtype(np.int64)),
        _flat(targets, np.dtype(np.int32 if wide else np.int16)) if has_targets else None,
        _table(placed, STRAND),
    )


def _table(rows: list[dict[str, int]], dtype: np.dtype) -> np.ndarray:
    """Return rows of named numbers as records; a name that a row lacks is 0."""
    names = dtype.names or ()
    numbers = [[row.get(name, 0) for name in names] for row in rows]
    return np.array(numbers, np.int64).reshape(-1).view(dtype)


def _flat(arrays: list[np.ndarray], dtype: np.dtype | None) -> np.ndarray:
    """Return arrays one after the other, flat and not to be written to, without a copy of a single
    one.
    """
    found = [array.reshape(-1) for array in arrays if array.size]
    joined = np.concatenate(found) if len(found) > 1 else (found or [np.zeros(0, np.int8)])[0]
    view = np.ascontiguousarray(joined, dtype).view()
    view.setflags(write=False)
    return view


def state(ready: Prepared) -> State:
    """Return working memory for a part; what none of its populations needs is empty."""
    n, (held, synaptic, due, count, reading) = len(ready.cells.initial), ready.room
    return State(
        np.zeros(ready.n_out, ready.dtype),
        np.zeros(held, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros(synaptic, np.int64),
        np.zeros(due, np.int64),
        np.zeros(count, np.int64),
        np.zeros(reading, np.int64),
        np.zeros(n, np.int64),
        np.zeros((len(ready.members), 2), np.int64),
    )


def given(traces: list[Trace]) -> Given:
    """Return what the sources outside a part send; a single trace is not copied."""
    if len(traces) == 1:
        return Given(traces[0].start[None, :], traces[0].neuron, traces[0].value)
    if not traces:
        nothing = np.zeros(0, np.int32)
        return Given(np.zeros((0, 0), np.int64), nothing, nothing)
    first = np.cumsum([0, *(len(trace.neuron) for trace in traces[:-1])])
    return Given(
        np.array([trace.start for trace in traces]) + first[:, None],
        np.concatenate([trace.neuron for trace in traces]),
        np.concatenate([trace.value for trace in traces]),
    )


def apart(sent: EventBuffer, steps: int, wide: int) -> Iterator[Events]:
    """Yield what each of `wide` populations sent in so many steps."""
    start = sent.start[: steps * wide + 1]
    total = int(start[-1])
    neuron, value = sent.neuron[:total], sent.value[:total]
    if wide == 1:
        yield Events(start.copy(), neuron.copy(), value.copy())
        return
    count = np.diff(start)
    owner = np.repeat(np.arange(steps * wide) % wide, count)
    for place in range(wide):
        mine = owner == place
        yield Events(_starts(count[place::wide]), neuron[mine], value[mine])


def joined(pieces: list[Events]) -> Events:
    """Return one stretch of steps after the other; a single one as it is."""
    if len(pieces) == 1:
        return pieces[0]
    return Events(
        _starts(np.concatenate([np.diff(piece.start) for piece in pieces])),
        np.concatenate([piece.neuron for piece in pieces]),
        np.concatenate([piece.value for piece in pieces]),
    )


def _starts(count: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(count)])
