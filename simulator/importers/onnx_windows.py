"""Windows that convolutions and pools move over images: kernel, stride, padding, dilation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.describe.connections import Connection
from simulator.errors import InputError
from simulator.importers.onnx_file import Node
from simulator.importers.onnx_values import Codes, Reals, Shape, Sum, neurons_of

Pair = tuple[int, int]


@dataclass(frozen=True)
class Window:
    """A kernel over an image of so many channels and (height, width)."""

    channels: int
    sides: Pair
    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair

    @property
    def output(self) -> Pair:
        """Height and width of what it gives."""
        high, wide = (
            (side + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1
            for side, pad, dilation, kernel, stride in zip(
                self.sides, self.padding, self.dilation, self.kernel, self.stride
            )
        )
        return high, wide

    def connection(self, weight: np.ndarray, bits: int, groups: int) -> Connection:
        """Return the convolution of weights (out, in / groups, height, width)."""
        neurons_of("a convolution", (len(weight), *self.output))
        return Connection(
            "convolution",
            weight,
            bits,
            (self.channels, *self.sides),
            (len(weight), *self.output),
            self.stride,
            self.padding,
            dilation=self.dilation,
            groups=groups,
        )


def window(node: Node, given: Reals | Codes | Sum, kernel: Shape | None) -> Window:
    """Return the window of a node over what it is given; kernel: where it is known already."""
    shape = given.shape
    held = given.neurons if isinstance(given, (Codes, Sum)) else given.codes.neurons
    if len(shape) != 3 or shape != held:
        raise InputError(
            f"{node.name}: must read an image (channels, height, width), not {list(shape)}"
        )
    stated = node.integers("kernel_shape", kernel or ())
    if kernel is not None and stated and _pair(stated) != _pair(kernel):
        raise InputError(f"{node.name}: kernel_shape: must be {list(kernel)}, not {stated}")
    size = _pair(kernel if kernel is not None else stated)
    if size is None or min(size) < 1:
        raise InputError(f"{node.name}: kernel_shape: must be one or two sides, not {stated}")
    stride = _pair(node.integers("strides", (1, 1)), 1)
    dilation = _pair(node.integers("dilations", (1, 1)), 1)
    if stride is None or dilation is None or min(*stride, *dilation) < 1:
        raise InputError(f"{node.name}: strides and dilations must be 1 or more")
    if node.kind == "GlobalAveragePool":
        stride = dilation = (1, 1)
    padding = _padding(node, shape[1:], size, stride, dilation)  # type: ignore[arg-type]
    found = Window(shape[0], (shape[1], shape[2]), size, stride, padding, dilation)
    reach = [step * (side - 1) + 1 for step, side in zip(dilation, size)]
    if min(found.output) < 1 or any(pad >= side for pad, side in zip(padding, reach) if pad):
        raise InputError(
            f"{node.name}: must fit its {shape[1]}x{shape[2]} pixels, padded by less than it covers"
        )
    if node.integer("ceil_mode", 0):
        over = [
            (side + 2 * pad - step) % move
            for side, pad, step, move in zip(found.sides, padding, reach, stride)
        ]
        if any(over):
            raise InputError(f"{node.name}: ceil_mode: must leave nothing over at the edges")
    return found


def _pair(sides: Shape | list[int], first: int | None = None) -> Pair | None:
    """Return two sides; one side is that of a line, its image 1 high."""
    if len(sides) == 1:
        return (1 if first is None else first, sides[0])
    return (sides[0], sides[1]) if len(sides) == 2 else None


def _padding(node: Node, sides: Pair, kernel: Pair, stride: Pair, dilation: Pair) -> Pair:
    pads = node.integers("pads", (0, 0, 0, 0))
    if len(pads) == 2:  # of a line
        pads = [0, pads[0], 0, pads[1]]
    how = node.text("auto_pad", "NOTSET")
    if how in ("SAME_UPPER", "SAME_LOWER"):
        pads = [0, 0, 0, 0]
        for axis in (0, 1):
            out = -(-sides[axis] // stride[axis])
            reach = dilation[axis] * (kernel[axis] - 1) + 1
            total = max(0, (out - 1) * stride[axis] + reach - sides[axis])
            small, large = total // 2, total - total // 2
            first = small if how == "SAME_UPPER" else large
            pads[axis], pads[axis + 2] = first, total - first
    elif how == "VALID":
        pads = [0, 0, 0, 0]
    elif how != "NOTSET":
        raise InputError(f"{node.name}: auto_pad: must be a known word, not {how[:40]!r}")
    if len(pads) != 4 or min(pads) < 0 or pads[:2] != pads[2:]:
        raise InputError(f"{node.name}: pads: must be the same on both sides, not {pads}")
    return pads[0], pads[1]
