"""A way's linear steps as one connection, still in reals: the kind that stores least where several
steps can be written as one, else sparse or dense rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from simulator import memory
from simulator.describe.network import Pool
from simulator.importers.floating import Way
from simulator.importers.linear import CONV, DENSE, POOL, RESHAPE, SCALE, Op, Pair, slid, through

#: entries of unit vectors pushed through a way at once
_STRETCH = 1 << 21
#: share of weights that are not 0 from which rows are dense
_FULL = 0.4
#: sources times targets whose weights are written out
MOST_WRITTEN = 1 << 26


@dataclass(frozen=True, eq=False)
class Joined:
    """A connection in reals, with the fields of describe.connections.Connection; weights of dense
    rows are (sources, targets).
    """

    kind: str
    weight: np.ndarray
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1
    pool: Pool | None = None
    start: np.ndarray | None = None
    index: np.ndarray | None = None
    delay: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the targets, behind pooling."""
        channels, *sides = self.output_shape
        if self.pool is None:
            return self.output_shape
        return (channels, *(side // self.pool.size for side in sides))


def join(way: Way, n_source: int, n_target: int) -> Joined:
    """Return a way as one connection from n_source to n_target neurons."""
    if way.source_steps is not None or way.target_steps is not None:
        return _delayed(way, n_source, n_target)
    ops = _merged([op for op in way.ops if op.kind != RESHAPE])
    if not ops:
        return Joined("one-to-one", np.ones(n_source), (n_source,), (n_source,))
    if len(ops) == 1:
        op = ops[0]
        if op.kind == SCALE:
            return Joined("one-to-one", op.weight.reshape(-1), (n_source,), (n_source,))
        if op.kind == DENSE and prod(op.input_shape) == op.weight.shape[1]:
            return Joined("dense", op.weight.T, (n_source,), (n_target,))
        if op.kind == CONV and _is_even(op):
            return _convolution(op, None)
    if len(ops) == 2 and ops[0].kind == CONV and _is_even(ops[0]):
        pool = _tiles(ops[1])
        if pool is not None:
            area = pool.area if ops[1].mean else 1
            return _convolution(replace(ops[0], weight=ops[0].weight / area), pool)
    return _written(way, n_source, n_target)


def _convolution(op: Op, pool: Pool | None) -> Joined:
    return Joined(
        "convolution",
        op.weight,
        op.input_shape,
        op.output_shape,
        op.stride,
        op.before,
        op.dilation,
        op.groups,
        pool,
    )


def _is_even(op: Op) -> bool:
    """Return whether the zeros around an image are alike on both sides, and fewer than the kernel
    covers.
    """
    covers = [gap * (size - 1) + 1 for gap, size in zip(op.dilation, op.kernel)]
    return op.before == op.behind and all(pad < size for pad, size in zip(op.before, covers))


def _tiles(op: Op) -> Pool | None:
    """Return the pooling of a convolution's currents that a pool is; None where it is none."""
    size = op.kernel[0]
    sides = op.input_shape[1:]
    if (
        op.kind != POOL
        or op.kernel != op.stride
        or op.kernel != (size, size)
        or any(op.before + op.behind)
        or any(side % size for side in sides)
        or not 2 <= size <= 64
    ):
        return None
    return Pool("sum", size)


def _merged(ops: list[Op]) -> list[Op]:
    """Return as few steps as do the same, where two neighbours can be written as one."""
    done: list[Op] = []
    for op in ops:
        done.append(op)
        while len(done) > 1:
            one = _pair(done[-2], done[-1])
            if one is None:
                break
            done[-2:] = [one]
    if len(done) == 1 and done[0].kind == POOL:
        return [_depthwise(done[0])]
    return done


def _pair(first: Op, then: Op) -> Op | None:
    ends: dict[str, Any] = {
        "input_shape": first.input_shape,
        "output_shape": then.output_shape,
        "bias": None,
    }
    is_flat = then.kind == DENSE and prod(then.input_shape) == then.weight.shape[1]
    if first.kind == SCALE and then.kind == SCALE:
        return replace(then, weight=first.weight.reshape(then.weight.shape) * then.weight, **ends)
    if first.kind == SCALE and is_flat:
        return replace(then, weight=then.weight * first.weight.reshape(1, -1), **ends)
    if first.kind == DENSE and then.kind == SCALE and first.weight.shape[0] == then.weight.size:
        if prod(first.input_shape) == first.weight.shape[1]:
            return replace(first, weight=first.weight * then.weight.reshape(-1, 1), **ends)
    if first.kind == CONV and then.kind == SCALE:
        factor = _by_channel(then.weight.reshape(first.output_shape))
        if factor is not None:
            weight = first.weight * factor.reshape(-1, 1, 1, 1)
            return replace(first, weight=weight, bias=None)
    if first.kind == SCALE and then.kind == CONV:
        factor = _by_channel(first.weight.reshape(then.input_shape))
        if factor is not None:
            per_group = factor.reshape(then.groups, -1).repeat(len(then.weight) // then.groups, 0)
            return replace(then, weight=then.weight * per_group[:, :, None, None], bias=None)
    if first.kind == POOL and then.kind == CONV:
        return _pooled_before(first, then)
    if first.kind == DENSE and is_flat and prod(first.input_shape) == first.weight.shape[1]:
        return replace(then, weight=then.weight @ first.weight, **ends)
    return None


def _by_channel(values: np.ndarray) -> np.ndarray | None:
    """Return one value per channel of an image; None where pixels of a channel differ."""
    flat = values.reshape(len(values), -1)
    return flat[:, 0] if (flat == flat[:, :1]).all() else None


def _depthwise(pool: Op) -> Op:
    """Return a pool as a convolution of each channel with itself."""
    channels = pool.input_shape[0]
    each = np.full((channels, 1, *pool.kernel), 1 / pool.weight.size if pool.mean else 1.0)
    return replace(pool, kind=CONV, weight=each, groups=channels, mean=False)


def _pooled_before(pool: Op, conv: Op) -> Op | None:
    """Return pooling and then a convolution as one convolution with a kernel as large as both;
    None where the zeros around what was pooled would not be zeros any more.
    """
    if (
        pool.before != pool.behind
        or conv.before != conv.behind
        or conv.input_shape != pool.output_shape
    ):
        return None
    for side, kernel, stride, pad, out, taps, step, gap, zeros in zip(
        pool.input_shape[1:],
        pool.kernel,
        pool.stride,
        pool.before,
        pool.output_shape[1:],
        conv.kernel,
        conv.stride,
        conv.dilation,
        conv.before,
    ):
        last = ((out + 2 * zeros - gap * (taps - 1) - 1) // step) * step + gap * (taps - 1) - zeros
        if zeros and kernel - 1 - pad >= stride:
            return None
        if last >= out and out * stride - pad < side:
            return None
    size = tuple(
        (t - 1) * g * s + k
        for t, g, s, k in zip(conv.kernel, conv.dilation, pool.stride, pool.kernel)
    )
    weight = np.zeros((*conv.weight.shape[:2], *size))
    factor = 1 / pool.weight.size if pool.mean else 1.0
    for ky, kx in np.ndindex(*conv.kernel):
        y, x = (k * g * s for k, g, s in zip((ky, kx), conv.dilation, pool.stride))
        tap = conv.weight[:, :, ky, kx, None, None] * factor
        weight[:, :, y : y + pool.kernel[0], x : x + pool.kernel[1]] += tap
    padding: Any = tuple(p + z * s for p, z, s in zip(pool.before, conv.before, pool.stride))
    steps: Any = tuple(s * t for s, t in zip(pool.stride, conv.stride))
    made = replace(
        conv,
        input_shape=pool.input_shape,
        weight=weight,
        bias=None,
        stride=steps,
        before=padding,
        behind=padding,
        dilation=(1, 1),
    )
    out = slid(made.input_shape, made.kernel, steps, padding, padding, (1, 1))
    return made if out == conv.output_shape[1:] else None


def _rows(way: Way, n_source: int, n_target: int) -> np.ndarray:
    """Return the weights from every source to every target, by pushing unit vectors through."""
    if n_source * n_target > MOST_WRITTEN:
        raise ValueError(
            f"must be one linear step, or at most {MOST_WRITTEN:,} weights when written out, not "
            f"{n_source:,} x {n_target:,}"
        )
    memory.need(f"{n_source:,} x {n_target:,} weights written out", 24 * n_source * n_target)
    rows = np.empty((n_source, n_target))
    many = max(1, _STRETCH // max(1, n_source, n_target))
    for first in range(0, n_source, many):
        part = np.zeros((min(many, n_source - first), n_source))
        part[np.arange(len(part)), np.arange(first, first + len(part))] = 1
        rows[first : first + len(part)] = through(way.ops, part)
    return rows


def as_rows(way: Way, n_source: int, n_target: int) -> Joined:
    """Return a way as rows, whatever its steps are."""
    return _written(way, n_source, n_target)


def _written(way: Way, n_source: int, n_target: int) -> Joined:
    rows = _rows(way, n_source, n_target)
    if np.count_nonzero(rows) > _FULL * rows.size:
        return Joined("dense", rows, (n_source,), (n_target,))
    return _sparse(rows, None)


def _sparse(rows: np.ndarray, delay: np.ndarray | None) -> Joined:
    source, target = np.nonzero(rows)
    start = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=len(rows)))])
    own = None if delay is None else delay[source, target]
    ends = ((rows.shape[0],), (rows.shape[1],))
    return Joined("sparse", rows[source, target], *ends, start=start, index=target, delay=own)


def _delayed(way: Way, n_source: int, n_target: int) -> Joined:
    """Return rows whose synapses have delays of their own."""
    delay = np.zeros((n_source, n_target), np.int64)
    if way.source_steps is not None:
        delay += way.source_steps[:, None]
    if way.target_steps is not None:
        delay += way.target_steps[None, :]
    rows = _rows(way, n_source, n_target) if way.ops else np.eye(n_source)
    return _sparse(rows, delay)
