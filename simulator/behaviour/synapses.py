"""What one source adds to the currents of its targets, for dense, sparse and convolution rows, and
pooling of currents.

Rows are kept in the narrowest integers that hold the weights.  Currents are int32 where the largest
possible sum fits and int64 otherwise (`prepare` proves it from the weights and the largest value a
source can carry), so no sum overflows.

A convolution adds into currents that are channel-last (y, x, channel): for each kernel row, the
targets of one source are then one contiguous run.  With stride s a source column x meets the kernel
columns kx = (x + padding) mod s, + s, + 2s, ..., so the weights are stored by that phase, each
phase in falling kx, that is rising target.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.describe.network import (
    CONVOLUTION,
    DENSE,
    SPARSE,
    Connection,
    Layer,
    narrow,
    narrow_index,
)
from simulator.errors import InputError
from simulator.jit import kernel

KINDS = {DENSE: 0, SPARSE: 1, CONVOLUTION: 2}
_DENSE, _SPARSE, _CONVOLUTION = range(3)
POOLS = {"none": 0, "max": 1, "sum": 2}
_NONE, LARGEST, _SUM = range(3)
#: pixels transposed at a time
_BLOCK = 64


_GEOMETRY = (
    "height_in",
    "width_in",
    "channels",
    "height",
    "width",
    "kernel_height",
    "kernel_width",
    "stride",
    "padding",
)


class Rows(NamedTuple):
    """One connection as kernels read it; unused arrays are empty, unused numbers 0."""

    kind: int
    weight: np.ndarray  # int8, int16, int32 or int64, flat; row after row
    start: (
        np.ndarray
    )  # int64: sparse: of each source's row; convolution: of each column phase, in kernel columns
    target: np.ndarray  # int16 or int32: sparse
    n_out: int  # before pooling
    height_in: int
    width_in: int
    channels: int  # of the targets
    height: int
    width: int
    kernel_height: int
    kernel_width: int
    stride: int
    padding: int
    pool: int
    pool_size: int


def prepare(layer: Layer, largest_value: int) -> tuple[Rows, np.dtype, int]:
    """Return a layer's rows for the kernels, the integer type of its currents, and the bound on a
    pooled current.

    largest_value: the largest magnitude a source carries in one timestep.  Raises InputError where
    a sum could need more than 62 bits, and for pooling of anything but a convolution.
    """
    connection, pool = layer.connection, layer.pool
    if connection.kind not in KINDS:
        raise InputError(
            f"{layer.name}: connection: must be one of {', '.join(KINDS)}, not {connection.kind!r}"
        )
    if pool is not None and (connection.kind != CONVOLUTION or pool.kind not in ("max", "sum")):
        raise InputError(f"{layer.name}: pool: must be the max or sum of a convolution's currents")
    bound = _fan_in(connection) * _largest(connection.weight) * largest_value
    if pool is not None and pool.kind == "sum":
        bound *= pool.size**2
    if bound >= 1 << 62:
        raise InputError(
            f"{layer.name}: a current can reach {bound}, which needs more than 62 bits"
        )
    geometry = dict.fromkeys(_GEOMETRY, 0)
    start, target, weight = np.zeros(1, np.int64), np.zeros(0, np.int32), connection.weight
    if connection.kind == SPARSE:
        if connection.start is None or connection.index is None:
            raise InputError(f"{layer.name}: a sparse connection needs 'start' and 'index'")
        start = np.ascontiguousarray(connection.start, np.int64)
        target = narrow_index(connection.index.view(), connection.n_out)
    elif connection.kind == CONVOLUTION:
        weight, start = _by_phase(weight, connection.stride)
        channels, height, width = connection.output_shape
        sizes = (*connection.input_shape[1:], channels, height, width, *connection.weight.shape[2:])
        geometry = dict(zip(_GEOMETRY, (*sizes, connection.stride, connection.padding)))
    rows = Rows(
        kind=KINDS[connection.kind],
        weight=_read_only(narrow(weight)),
        start=_read_only(start),
        target=_read_only(target),
        n_out=connection.n_out,
        pool=POOLS[pool.kind] if pool else _NONE,
        pool_size=pool.size if pool else 1,
        **geometry,
    )
    return rows, np.dtype(np.int32 if bound < 1 << 31 else np.int64), bound


def _fan_in(connection: Connection) -> int:
    """Return a bound on the synapses that end at one target."""
    if connection.kind == CONVOLUTION:
        return int(np.prod(connection.weight.shape[1:]))
    if connection.kind == SPARSE and connection.index is not None and len(connection.index):
        return int(connection.fan_in.max())
    return connection.n_in


def _largest(array: np.ndarray) -> int:
    """Return the largest magnitude in an integer array, 0 when it is empty."""
    return max(-int(array.min()), int(array.max()), 0) if array.size else 0


def _read_only(array: np.ndarray) -> np.ndarray:
    """Return a flat view nobody writes to, so that loaded and derived arrays share one
    compilation.
    """
    view = array.reshape(-1).view()
    view.setflags(write=False)
    return view


def _by_phase(weight: np.ndarray, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a kernel (out, in, height, width) as (in, height, columns by phase, out) and where
    each phase starts.
    """
    columns = weight.shape[3]
    phases = [list(range(phase, columns, stride))[::-1] for phase in range(stride)]
    order = [column for phase in phases for column in phase]
    start = np.cumsum([0, *(len(phase) for phase in phases)])
    return weight.transpose(1, 2, 3, 0)[:, :, order, :], start.astype(np.int64)


@kernel
def add_row(current, weight):
    """Add weights to currents, element by element (a function of its own, on slices, so that it
    becomes SIMD code).
    """
    for j in range(len(current)):
        current[j] += weight[j]


@kernel
def add_row_times(current, weight, value):
    """Add value times the weights to currents, element by element."""
    for j in range(len(current)):
        current[j] += value * weight[j]


@kernel
def add_run(current, weight, value):
    """Add one contiguous run of targets: by adding for a spike, by multiplying for any other
    value.
    """
    if value == 1:
        add_row(current, weight)
    else:
        add_row_times(current, weight, value)


@kernel
def add_sparse(rows, current, source, value):
    """Add one source's sparse row."""
    for k in range(rows.start[source], rows.start[source + 1]):
        current[rows.target[k]] += value * rows.weight[k]


@kernel
def add_convolution(rows, current, source, value):
    """Add one source pixel's share to the channel-last currents of a convolution."""
    plane = rows.height_in * rows.width_in
    channel = source // plane
    y = source % plane // rows.width_in + rows.padding
    x = source % rows.width_in + rows.padding
    phase = x % rows.stride
    first, last = rows.start[phase], rows.start[phase + 1]
    column = (
        x // rows.stride - (last - first) + 1
    )  # the first target of the run, perhaps left of the edge
    skip = max(0, -column)
    n = min(column + last - first, rows.width) - column - skip
    if n <= 0:
        return
    for ky in range(y % rows.stride, rows.kernel_height, rows.stride):
        row = (y - ky) // rows.stride
        if 0 <= row < rows.height:
            target = (row * rows.width + column + skip) * rows.channels
            at = (channel * rows.kernel_height + ky) * rows.kernel_width + first + skip
            size = n * rows.channels
            at *= rows.channels
            add_run(current[target : target + size], rows.weight[at : at + size], value)


@kernel
def gather(rows, current, neuron, value, first, last):
    """Set the currents to the sum over the sources neuron[first : last] of value times row.

    current: (n_out,) int32 or int64, channel-last for convolutions.
    """
    for j in range(len(current)):
        current[j] = 0
    for k in range(first, last):
        source, carried = np.int64(neuron[k]), np.int64(value[k])
        if rows.kind == _DENSE:
            at = source * rows.n_out
            add_run(current, rows.weight[at : at + rows.n_out], carried)
        elif rows.kind == _SPARSE:
            add_sparse(rows, current, source, carried)
        else:
            add_convolution(rows, current, source, carried)


@kernel
def channel_major(rows, current, drive):
    """Write channel-last currents into drive channel by channel, in blocks of pixels that stay in
    the fastest cache.
    """
    pixels = rows.height * rows.width
    for block in range(0, pixels, _BLOCK):
        for channel in range(rows.channels):
            for pixel in range(block, min(block + _BLOCK, pixels)):
                drive[channel * pixels + pixel] = current[pixel * rows.channels + channel]


@kernel
def pool_field(rows, current, first):
    """Return the largest or the sum of one channel's currents in the field whose first current is
    `first`.
    """
    best = np.int64(current[first])
    for cell in range(1, rows.pool_size * rows.pool_size):
        pixel = cell // rows.pool_size * rows.width + cell % rows.pool_size
        other = np.int64(current[first + pixel * rows.channels])
        if rows.pool == _SUM:
            best += other
        elif other > best:
            best = other
    return best


@kernel
def pool(rows, current, drive):
    """Write the currents of each neuron, pooled and channel-major, into drive (n_neurons,) int64.

    What is left over at the right and lower edge, narrower than a field, is not pooled.
    """
    if rows.kind != _CONVOLUTION:
        for j in range(len(drive)):
            drive[j] = current[j]
    elif rows.pool == _NONE:
        channel_major(rows, current, drive)
    else:
        size = rows.pool_size
        height, width = rows.height // size, rows.width // size
        for y in range(height):
            for x in range(width):
                for channel in range(rows.channels):
                    first = (y * size * rows.width + x * size) * rows.channels + channel
                    drive[(channel * height + y) * width + x] = pool_field(rows, current, first)
