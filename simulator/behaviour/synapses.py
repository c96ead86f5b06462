"""What sources add to the currents of their targets: rows of dense, sparse and convolutional
weights.

The currents of a convolution are kept channel-last (group, y, x, channel of the group): for each
kernel row, the targets of one source are then one contiguous run, as long as the dilation divides
the stride; otherwise each of its columns is a run of its own.
"""

from __future__ import annotations

import numpy as np

from simulator.describe.layout import DENSE_ROWS, RUNS, SPARSE_ROWS
from simulator.jit import kernel

POOLS = {"none": 0, "max": 1, "sum": 2}
_NONE, LARGEST, _SUM = range(3)
#: pixels transposed at a time
_BLOCK = 64


@kernel(inline=False, simd=True)
def add_row(current, weight):
    """Add weights to currents, element by element (a function of its own, on slices, so that it
    becomes SIMD code).
    """
    for j in range(len(current)):
        current[j] += weight[j]


@kernel(inline=False, simd=True)
def add_row_times(current, weight, value):
    """Add value times the weights to currents, element by element."""
    for j in range(len(current)):
        current[j] += value * weight[j]


@kernel(inline=False)
def add_run(current, weight, value):
    """Add one contiguous run of targets: by adding for a spike, by multiplying for any other
    value.
    """
    if value == 1:
        add_row(current, weight)
    else:
        add_row_times(current, weight, value)


@kernel(inline=False, simd=True)
def add_sparse(start, target, weight, current, source, value):
    """Add one source's sparse row."""
    for k in range(start[source], start[source + 1]):
        current[target[k]] += value * weight[k]


@kernel(inline=False)
def add_convolution(strand, start, shift, weight, current, source, value):
    """Add one source pixel's share to the currents of a convolution.

    start: (stride + 1,) where each column phase begins.  shift: how far to the left each column
    leads.
    """
    plane = strand.height_in * strand.width_in
    channel = source // plane
    y = source % plane // strand.width_in + strand.padding_y
    x = source % strand.width_in + strand.padding_x
    phase = x % strand.stride_x
    first, last = start[phase], start[phase + 1]
    channels = strand.channels
    group = channel // strand.channels_in * strand.height
    for ky in range(strand.kernel_height):
        below = y - ky * strand.dilation_y
        row = below // strand.stride_y
        if below % strand.stride_y or row < 0 or row >= strand.height:
            continue
        pixel = (group + row) * strand.width
        at = (channel * strand.kernel_height + ky) * strand.kernel_width
        if strand.advance == 1 and last > first:
            column = (x - shift[first]) // strand.stride_x  # perhaps left of the edge
            skip = max(0, -column)
            n = min(column + last - first, strand.width) - column - skip
            if n > 0:
                to, of = (pixel + column + skip) * channels, (at + first + skip) * channels
                size = n * channels
                add_run(current[to : to + size], weight[of : of + size], value)
        else:
            for k in range(first, last):
                column = (x - shift[k]) // strand.stride_x
                if 0 <= column < strand.width:
                    to, of = (pixel + column) * channels, (at + k) * channels
                    add_run(current[to : to + channels], weight[of : of + channels], value)


@kernel(inline=False)
def gather(part, strand, timestep, current, neuron, value, first, last):
    """Set the currents to the sum over the sources neuron[first : last] of value times row.

    current: (n_out,) int32 or int64, channel-last for convolutions.  timestep: in which the sources
    fired, which chooses the plane of weights where there is one per timestep.
    """
    for j in range(len(current)):
        current[j] = 0
    base = strand.weight + timestep * strand.plane
    if strand.layout == DENSE_ROWS:
        for k in range(first, last):
            at = base + np.int64(neuron[k]) * strand.n_out
            add_run(current, part.weight[at : at + strand.n_out], np.int64(value[k]))
    elif strand.layout == SPARSE_ROWS:
        gather_sparse(part, part.target, strand, base, current, neuron, value, first, last)
    elif strand.layout == RUNS:
        gather_runs(part, part.target, strand, base, current, neuron, value, first, last)


@kernel(inline=False)
def gather_sparse(part, target, strand, base, current, neuron, value, first, last):
    """Do what `gather` does with sparse rows, whose weights begin at `base`.

    target: None where all rows are dense, and then the rest of this is not compiled.
    """
    if target is None:
        return
    start, to, weight = part.start[strand.start :], target[strand.target :], part.weight[base:]
    for k in range(first, last):
        add_sparse(start, to, weight, current, np.int64(neuron[k]), np.int64(value[k]))


@kernel(inline=False)
def gather_runs(part, target, strand, base, current, neuron, value, first, last):
    """Do what `gather` does with a convolution, as `gather_sparse` does."""
    if target is None:
        return
    start, shift, weight = part.start[strand.start :], target[strand.target :], part.weight[base:]
    for k in range(first, last):
        source, carried = np.int64(neuron[k]), np.int64(value[k])
        add_convolution(strand, start, shift, weight, current, source, carried)


@kernel(inline=False, simd=True)
def put(drive, current, adds):
    """Write currents into drive, or add them to it."""
    if adds:
        for j in range(len(drive)):
            drive[j] += current[j]
    else:
        for j in range(len(drive)):
            drive[j] = current[j]


@kernel(inline=False, simd=True)
def channel_major(strand, current, drive, adds):
    """Write channel-last currents into drive channel by channel, in blocks of pixels that stay in
    the fastest cache, or add them to it.
    """
    pixels, channels = strand.height * strand.width, strand.channels
    for group in range(strand.groups):
        of, to = current[group * channels * pixels :], drive[group * channels * pixels :]
        for block in range(0, pixels, _BLOCK):
            end = min(block + _BLOCK, pixels)
            for channel in range(channels):
                if adds:
                    for pixel in range(block, end):
                        to[channel * pixels + pixel] += of[pixel * channels + channel]
                else:
                    for pixel in range(block, end):
                        to[channel * pixels + pixel] = of[pixel * channels + channel]


@kernel(inline=False, simd=True)
def pool_field(strand, current, first):
    """Return the largest or the sum of one channel's currents in the field whose first current is
    `first`.
    """
    best = np.int64(current[first])
    for cell in range(1, strand.pool_size * strand.pool_size):
        pixel = cell // strand.pool_size * strand.width + cell % strand.pool_size
        other = np.int64(current[first + pixel * strand.channels])
        if strand.pool == _SUM:
            best += other
        elif other > best:
            best = other
    return best


@kernel(inline=False)
def pool(part, strand, current, drive, adds):
    """Write the currents of each neuron, pooled and channel-major, into drive (n_neurons,) int64,
    or add them to it.
    """
    if strand.layout == RUNS:
        pool_planes(part.target, strand, current, drive, adds)
    else:
        put(drive, current, adds)


@kernel(inline=False)
def pool_planes(target, strand, current, drive, adds):
    """Do what `pool` does with a convolution; target: as `gather_sparse` has it.

    What is left over at the right and lower edge, narrower than a field, is not pooled.
    """
    if target is None:
        return
    if strand.pool == _NONE:
        channel_major(strand, current, drive, adds)
        return
    size, channels = strand.pool_size, strand.channels
    height, width = strand.height // size, strand.width // size
    for group in range(strand.groups):
        corner = group * strand.height * strand.width
        for y in range(height):
            for x in range(width):
                pixel = corner + y * size * strand.width + x * size
                for channel in range(channels):
                    to = ((group * channels + channel) * height + y) * width + x
                    amount = pool_field(strand, current, pixel * channels + channel)
                    drive[to] = drive[to] + amount if adds else amount
