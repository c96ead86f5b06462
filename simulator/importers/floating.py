"""A network in reals, timestep by timestep: what an exported network does where it came from.

It is what the integer network is measured against.  Plain numpy; the steps of a neuron are those of
docs/neurons.md, in reals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from simulator import memory
from simulator.importers.linear import Op, through


@dataclass(frozen=True, eq=False)
class Cell:
    """Neurons of one population per timestep; arrays are (n_neurons,).

    In this order: V <- decay · V; J <- current_decay · J + current_gain · I takes the place of the
    current I; V <- V + gain · I + drift; V is held to `lower`; V is compared and reset.  threshold
    None: never fires.  reset_to None: reset by subtraction.  reset_at: 'same' timestep, 'next', or
    'held' through the next.  many: floor(V / threshold) spikes at once instead of one.
    """

    decay: np.ndarray
    gain: np.ndarray
    drift: np.ndarray
    initial: np.ndarray
    threshold: np.ndarray | None = None
    reset_to: np.ndarray | None = None
    reset_at: str = "same"
    strict: bool = True
    many: bool = False
    lower: np.ndarray | None = None
    current_decay: np.ndarray | None = None
    current_gain: np.ndarray | None = None

    @property
    def input_gain(self) -> np.ndarray:
        """What an input adds to V, by way of the synaptic current where there is one."""
        return self.gain if self.current_gain is None else self.gain * self.current_gain


@dataclass(frozen=True, eq=False)
class Place:
    """One population: an input where it has no cell.  bias: (n_neurons,) current of every
    timestep.
    """

    name: str
    shape: tuple[int, ...]
    cell: Cell | None = None
    bias: np.ndarray | None = None

    @property
    def n(self) -> int:
        """Neurons."""
        return prod(self.shape)


@dataclass(frozen=True, eq=False)
class Way:
    """Linear steps from one population to another, and timesteps of delay.

    source_steps, target_steps: (n,) delays of each source or target of their own.
    """

    source: int
    target: int
    ops: tuple[Op, ...]
    delay: int = 0
    source_steps: np.ndarray | None = None
    target_steps: np.ndarray | None = None


@dataclass(eq=False)
class Ran:
    """What a network in reals did: of each population what it sent (n, T, n_neurons), of those
    asked for the potentials; the largest magnitudes of potential and current.
    """

    sent: dict[int, np.ndarray]
    potential: dict[int, np.ndarray] = field(default_factory=dict)
    last: dict[int, np.ndarray] = field(default_factory=dict)
    peak: dict[int, np.ndarray] = field(default_factory=dict)
    current_peak: dict[int, np.ndarray] = field(default_factory=dict)


class _Running:
    """The state of one population over n inferences."""

    def __init__(self, cell: Cell, n: int, dtype: type) -> None:
        self.cell = cell
        self.v: Any = np.tile(cell.initial.astype(dtype), (n, 1))
        self.j = np.zeros_like(self.v)
        self.before = np.zeros_like(self.v)
        self.peak, self.current_peak = np.abs(self.v), np.abs(self.v) * 0

    def step(self, current: np.ndarray) -> np.ndarray:
        """Do one timestep; return what is sent."""
        cell, dtype = self.cell, self.v.dtype.type
        v = self.v
        if cell.reset_at == "next" and cell.reset_to is not None:
            v = np.where(self.before > 0, cell.reset_to.astype(dtype), v)
        v = cell.decay.astype(dtype) * v
        if cell.reset_at == "next" and cell.reset_to is None and cell.threshold is not None:
            v = v - self.before * cell.threshold.astype(dtype)
        if cell.current_decay is not None and cell.current_gain is not None:
            self.j = cell.current_decay.astype(dtype) * self.j
            self.j = self.j + cell.current_gain.astype(dtype) * current
            current = self.j
            self.current_peak = np.maximum(self.current_peak, np.abs(self.j))
        v = v + cell.gain.astype(dtype) * current + cell.drift.astype(dtype)
        self.peak = np.maximum(self.peak, np.abs(v))
        if cell.lower is not None:
            v = np.maximum(v, cell.lower.astype(dtype))
        if cell.reset_at == "held" and cell.reset_to is not None:
            v = np.where(self.before > 0, cell.reset_to.astype(dtype), v)
        sent = np.zeros_like(v)
        if cell.threshold is not None:
            threshold = cell.threshold.astype(dtype)
            fires = v > threshold if cell.strict else v >= threshold
            many = np.maximum(np.floor(v / threshold), 1) if cell.many else 1
            sent = fires * many
            if cell.reset_at == "same":
                reset = v - sent * threshold
                if cell.reset_to is not None:
                    reset = np.where(fires, cell.reset_to.astype(dtype), v)
                v = reset
        self.v, self.before = v.astype(dtype), sent.astype(dtype)
        return self.before


@dataclass(frozen=True, eq=False)
class Floating:
    """Populations and the ways between them; outputs: numbers of those that are read; dt: seconds
    of a timestep.
    """

    places: tuple[Place, ...]
    ways: tuple[Way, ...]
    outputs: tuple[int, ...]
    dt: float | None = None

    @cached_property
    def inputs(self) -> tuple[int, ...]:
        """Numbers of the populations that are fed."""
        return tuple(k for k, place in enumerate(self.places) if place.cell is None)

    def number(self, name: str) -> int | None:
        """Return the number of a population, None where none has the name."""
        names = [place.name for place in self.places]
        return names.index(name) if name in names else None

    def order(self) -> list[int]:
        """Return the populations so that each comes after those it needs in the same timestep."""
        order: list[int] = list(self.inputs)
        left = [k for k in range(len(self.places)) if k not in order]
        while left:
            ready = [
                k
                for k in left
                if not any(w.target == k and w.delay == 0 and w.source in left for w in self.ways)
            ]
            order += ready
            left = [k for k in left if k not in ready]
            if not ready:
                raise AssertionError("a circle without delay")
        return order[len(self.inputs) :]

    def run(
        self,
        entering: dict[int, np.ndarray],
        given: dict[int, np.ndarray] | None = None,
        keep: tuple[int, ...] = (),
        dtype: type = np.float64,
        progress: Callable[[int, int], None] | None = None,
    ) -> Ran:
        """Return what happens when the inputs are fed `entering`, (n, T, lines) each.

        given: what some populations send, (n, T, n_neurons), which are then not computed.  keep:
        populations whose potentials of all timesteps are kept.
        """
        given = {} if given is None else given
        n, timesteps = next(iter((entering | given).values())).shape[:2]
        computed = [k for k in self.order() if k not in given]
        size = sum(self.places[k].n for k in computed) + sum(self.places[k].n for k in keep)
        memory.need(
            f"{n:,} inferences of {timesteps:,} timesteps in reals", 8 * n * timesteps * size
        )
        sent: dict[int, np.ndarray] = {
            k: np.asarray(x, dtype) for k, x in (entering | given).items()
        }
        shape = (n, timesteps)
        for k in computed:
            sent[k] = np.zeros((*shape, self.places[k].n), dtype)
        ran = Ran(sent, {k: np.zeros((*shape, self.places[k].n), dtype) for k in keep})
        cells = {}
        for k in computed:
            cell = self.places[k].cell
            assert cell is not None
            cells[k] = _Running(cell, n, dtype)
        late: dict[int, np.ndarray] = {
            number: np.zeros((*shape, self.places[way.target].n), dtype)
            for number, way in enumerate(self.ways)
            if way.target_steps is not None
        }
        for t in range(timesteps):
            for k in computed:
                current: np.ndarray = np.zeros((n, self.places[k].n), dtype)
                for number, way in enumerate(self.ways):
                    if way.target == k:
                        current += _arriving(way, sent[way.source], t, late.get(number))
                bias = self.places[k].bias
                current = current if bias is None else current + bias.astype(dtype)
                sent[k][:, t] = cells[k].step(current)
                if k in ran.potential:
                    ran.potential[k][:, t] = cells[k].v
            if progress is not None:
                progress(t + 1, timesteps)
        for k, state in cells.items():
            ran.last[k], ran.peak[k] = state.v, state.peak.max(axis=0, initial=0)
            ran.current_peak[k] = state.current_peak.max(axis=0, initial=0)
        return ran

    def outcome(self, ran: Ran) -> np.ndarray:
        """Return what is read, (n, n_outputs): counts of what fires, the last potentials of what
        does not.
        """
        columns = []
        for k in self.outputs:
            cell = self.places[k].cell
            fires = cell is None or cell.threshold is not None
            columns.append(ran.sent[k].sum(axis=1) if fires or k not in ran.last else ran.last[k])
        return np.concatenate(columns, axis=1)


def _arriving(way: Way, sent: np.ndarray, t: int, late: np.ndarray | None) -> np.ndarray:
    """Return what arrives over one way in timestep t, (n, targets)."""
    fired = t - way.delay
    if way.source_steps is not None:
        when = fired - way.source_steps
        x = sent[:, np.maximum(when, 0), np.arange(sent.shape[2])] * (when >= 0)
    elif fired >= 0:
        x = sent[:, fired]
    else:
        x = np.zeros_like(sent[:, 0])
    y = through(way.ops, x) if x.any() else np.zeros((len(x), way_outputs(way, sent)), x.dtype)
    if late is None:
        return y
    late[:, t] = y
    assert way.target_steps is not None
    when = t - way.target_steps
    return late[:, np.maximum(when, 0), np.arange(late.shape[2])] * (when >= 0)


def way_outputs(way: Way, sent: np.ndarray) -> int:
    """Return how many targets a way has."""
    return prod(way.ops[-1].output_shape) if way.ops else sent.shape[2]
