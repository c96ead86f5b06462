"""Linear steps between neurons, in reals: what each does to an array, and its shape behind it.

An array is (n, *shape).  Shapes of images are (channels, height, width); one-dimensional ones have
height 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

import numpy as np

from simulator.describe.convolution import extent

DENSE, SCALE, CONV, POOL, RESHAPE, DELAY = "dense", "scale", "conv", "pool", "reshape", "delay"
Shape = tuple[int, ...]
Pair = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Op:
    """One linear step.

    dense: weight (out, in).  scale: weight of the input's shape.  conv: weight (channels out,
    channels in / groups, height, width), cross-correlation.  pool: sums of kernel fields, `mean`:
    divided by their area.  delay: steps, of the input's shape.  bias: of the output's shape.
    before, behind: zeros around an image, (vertical, horizontal).
    """

    kind: str
    name: str
    input_shape: Shape
    output_shape: Shape
    weight: np.ndarray = field(default_factory=lambda: np.ones(1))
    bias: np.ndarray | None = None
    stride: Pair = (1, 1)
    before: Pair = (0, 0)
    behind: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1
    mean: bool = False
    steps: np.ndarray | None = None

    @property
    def kernel(self) -> Pair:
        """Return (height, width) of a conv's or pool's kernel."""
        return self.weight.shape[-2], self.weight.shape[-1]

    def forward(self, x: np.ndarray, bias: bool = False) -> np.ndarray:
        """Return the step's output for x (n, *input_shape); with its bias where asked.  Delays are
        not its business.
        """
        x = x.reshape(len(x), *self.input_shape)
        if self.kind == DENSE:
            y = self._dense(x)
        elif self.kind == SCALE:
            y = x * self.weight.astype(x.dtype)
        elif self.kind in (CONV, POOL):
            y = self._slide(x)
        else:
            y = x
        y = y.reshape(len(x), *self.output_shape)
        if bias and self.bias is not None:
            y = y + self.bias.astype(x.dtype)
        return y

    def _dense(self, x: np.ndarray) -> np.ndarray:
        weight = self.weight.astype(x.dtype)
        if prod(self.input_shape) == weight.shape[1]:
            x = x.reshape(len(x), -1)
        return x @ weight.T

    def _slide(self, x: np.ndarray) -> np.ndarray:
        """Add up the kernel tap by tap."""
        (top, left), (bottom, right) = self.before, self.behind
        x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
        channels, high, wide = self.output_shape
        (sy, sx), (dy, dx), groups = self.stride, self.dilation, self.groups
        weight = self.weight.astype(x.dtype)
        y = np.zeros((len(x), groups, channels // groups, high, wide), x.dtype)
        parts = x.reshape(len(x), groups, -1, *x.shape[2:])
        for ky, kx in np.ndindex(*self.kernel):
            rows = slice(ky * dy, ky * dy + (high - 1) * sy + 1, sy)
            columns = slice(kx * dx, kx * dx + (wide - 1) * sx + 1, sx)
            seen = parts[:, :, :, rows, columns]
            if self.kind == POOL:
                y += seen.reshape(y.shape)
            else:
                tap = weight[:, :, ky, kx].reshape(groups, channels // groups, -1)
                y += np.einsum("goc,ngcyx->ngoyx", tap, seen, optimize=True)
        return y / self.weight.size if self.kind == POOL and self.mean else y


def slid(op_input: Shape, kernel: Pair, stride: Pair, before: Pair, behind: Pair, dilation: Pair):
    """Return (height, width) behind a sliding kernel; less than 1 where it does not fit."""
    return tuple(
        extent(side + first + last, size, step, 0, gap)
        for side, size, step, first, last, gap in zip(
            op_input[1:], kernel, stride, before, behind, dilation
        )
    )


def through(ops: tuple[Op, ...], x: np.ndarray) -> np.ndarray:
    """Return x behind several steps, without their biases, (n, outputs)."""
    for op in ops:
        x = op.forward(x)
    return x.reshape(len(x), -1)
