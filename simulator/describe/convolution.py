"""A convolution's geometry: which pixels its kernel joins, and the order of its columns."""

from __future__ import annotations

from math import gcd
from typing import Protocol

import numpy as np


class Geometry(Protocol):
    """What of a connection its geometry follows from; sizes are (vertical, horizontal)."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Return (channels, height, width)."""

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Return (channels, height, width) before pooling."""

    @property
    def plane_shape(self) -> tuple[int, ...]:
        """Return (channels out, channels in / groups, height, width)."""

    @property
    def stride(self) -> int | tuple[int, int]:
        """Pixels from one position of the kernel to the next."""

    @property
    def padding(self) -> int | tuple[int, int]:
        """Zeros around the input, on each side."""

    @property
    def dilation(self) -> int | tuple[int, int]:
        """Pixels from one weight of the kernel to the next."""

    @property
    def groups(self) -> int:
        """Parts the channels are split into."""


def pair(size: int | tuple[int, int]) -> tuple[int, int]:
    """Return a size as (vertical, horizontal); one number stands for both."""
    return (size, size) if isinstance(size, (int, np.integer)) else (int(size[0]), int(size[1]))


def extent(side: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """Return a kernel's positions along one side of its input; less than 1: it does not fit."""
    return (side + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def pixels(of: Geometry) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return all (source pixel, target pixel) pairs of the kernel's positions, and the position.

    Pixels are y·W + x without the channel; the pairs are the same for every pair of channels.
    """
    (high, wide), (out_high, out_wide) = of.input_shape[1:], of.output_shape[1:]
    kernel_high, kernel_wide = of.plane_shape[2:]
    oy, ox, ky, kx = np.meshgrid(
        *(np.arange(size) for size in (out_high, out_wide, kernel_high, kernel_wide)),
        indexing="ij",
    )
    (sy, sx), (py, px), (dy, dx) = pair(of.stride), pair(of.padding), pair(of.dilation)
    y, x = oy * sy + ky * dy - py, ox * sx + kx * dx - px
    inside = (y >= 0) & (y < high) & (x >= 0) & (x < wide)
    position = ky * kernel_wide + kx
    return (y * wide + x)[inside], (oy * out_wide + ox)[inside], position[inside]


def phases(of: Geometry) -> tuple[np.ndarray, np.ndarray]:
    """Return the kernel's columns ordered by phase, and where each phase starts among them.

    A source column x meets the columns k with k · dilation = x + padding, modulo the stride; they
    lie side by side, in falling k, that is rising target.
    """
    stride, dilation = pair(of.stride)[1], pair(of.dilation)[1]
    columns = range(of.plane_shape[3])
    order = [
        [k for k in columns if k * dilation % stride == phase][::-1] for phase in range(stride)
    ]
    start = np.cumsum([0, *(len(phase) for phase in order)])
    return np.array([k for phase in order for k in phase], np.int64), start.astype(np.int64)


def geometry(of: Geometry) -> dict[str, int]:
    """Return the sizes kernels need; `advance`: targets from one column of a phase to the next."""
    (sy, sx), (py, px), (dy, dx) = pair(of.stride), pair(of.padding), pair(of.dilation)
    return {
        "height_in": of.input_shape[1],
        "width_in": of.input_shape[2],
        "channels": of.output_shape[0] // of.groups,
        "groups": of.groups,
        "height": of.output_shape[1],
        "width": of.output_shape[2],
        "kernel_height": of.plane_shape[2],
        "kernel_width": of.plane_shape[3],
        "stride_y": sy,
        "stride_x": sx,
        "padding_y": py,
        "padding_x": px,
        "dilation_y": dy,
        "advance": dx // gcd(dx, sx),
    }
