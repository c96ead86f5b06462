"""Which core every neuron is on, and what follows: slices, seats, and how full cores are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from simulator.mapping.fan_out import FanOut
from simulator.values import Value


@dataclass(frozen=True, eq=False)
class Slices(Value):
    """What the cores hold of one population: a slice is what one core holds of it.

    Slices are numbered in the order of their first neurons.  A *seat* is a place in the order in
    which somas visit: slice by slice, within a slice in rising neuron numbers [W40].
    """

    cores: np.ndarray  # (n_slices,) int64
    slice_of: np.ndarray  # (n_neurons,) int64
    neuron_at: np.ndarray  # (n_neurons,) int64, the neuron on each seat
    bounds: np.ndarray  # (n_slices + 1,) int64, the first seat of each slice

    @classmethod
    def of(cls, core_of: np.ndarray) -> Slices:
        """Return the slices of neurons on the cores (n_neurons,)."""
        cores, first, place = np.unique(core_of, return_index=True, return_inverse=True)
        order = np.argsort(first)
        rank = np.empty(len(cores), np.int64)
        rank[order] = np.arange(len(cores))
        slice_of = rank[place.reshape(-1)]
        size = np.bincount(slice_of, minlength=len(cores))
        return cls(
            cores[order].astype(np.int64),
            slice_of,
            np.argsort(slice_of, kind="stable"),
            np.concatenate([[0], np.cumsum(size)]).astype(np.int64),
        )

    @classmethod
    def outside(cls, n_neurons: int) -> Slices:
        """Return the one pseudo-slice of an input, which sits on no core."""
        return cls(
            np.zeros(0, np.int64),
            np.zeros(n_neurons, np.int64),
            np.arange(n_neurons),
            np.array([0, n_neurons]),
        )

    @cached_property
    def seat_of(self) -> np.ndarray:
        """The seat of each neuron, (n_neurons,) int64."""
        seat = np.empty(len(self.neuron_at), np.int64)
        seat[self.neuron_at] = np.arange(len(seat))
        return seat

    @cached_property
    def is_in_order(self) -> bool:
        """Whether every neuron's seat is its number."""
        return bool((self.neuron_at[1:] > self.neuron_at[:-1]).all())

    @property
    def count(self) -> int:
        """Slices, the pseudo-slice of an input included."""
        return len(self.bounds) - 1

    def seated(
        self, moment: np.ndarray, neuron: np.ndarray, *beside: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """Return events (moment, neuron), sorted by them, as (moment, seat), sorted by those, and
        what stands beside each.
        """
        if self.is_in_order:
            return moment, neuron, *beside
        seat = self.seat_of[neuron]
        order = np.argsort(moment * len(self.neuron_at) + seat, kind="stable")
        return moment[order], seat[order], *(column[order] for column in beside)


@dataclass(frozen=True, eq=False)
class CoreMapping(Value):
    """Where every neuron is, and how full each core is; see `memories.mapped`.

    Any neuron may be on any core, and a core may hold slices of several populations.  Inputs are on
    no core: their core_of is empty.
    """

    core_of: tuple[np.ndarray, ...]  # per population (n_neurons,) int64
    populations: tuple[Slices, ...]
    targets: tuple[FanOut, ...]  # per projection, on the slices of its target
    synapse_bits: np.ndarray  # (n_cores,) int64, in use
    neuron_bits: np.ndarray
    axon_bits: np.ndarray

    @cached_property
    def cores(self) -> tuple[np.ndarray, ...]:
        """Per population the cores of its slices, (n_slices,); nothing for an input."""
        return tuple(slices.cores for slices in self.populations)

    @cached_property
    def neurons(self) -> np.ndarray:
        """Neurons of each population on each core, (n_cores, n_populations) int64."""
        n_cores = len(self.synapse_bits)
        columns = [np.bincount(cores, minlength=n_cores) for cores in self.core_of]
        return np.stack(columns, axis=1).astype(np.int64)

    @cached_property
    def is_used(self) -> np.ndarray:
        """Which cores hold neurons, (n_cores,) bool."""
        return np.asarray(self.neurons.any(axis=1))

    @property
    def n_used(self) -> int:
        """Cores that hold neurons."""
        return int(self.is_used.sum())

    @property
    def n_slices(self) -> int:
        """Slices of all populations."""
        return sum(len(cores) for cores in self.cores)

    @cached_property
    def share(self) -> np.ndarray:
        """The share of each population in what a core does, (n_cores, n_populations): that of its
        neurons on the core.
        """
        return self.neurons / np.maximum(self.neurons.sum(axis=1, keepdims=True), 1)

    @cached_property
    def core_population(self) -> np.ndarray:
        """The population each core holds most neurons of, (n_cores,) int64; -1: unused."""
        return np.where(self.is_used, self.neurons.argmax(axis=1), -1)


def moved(mapping: CoreMapping, to: np.ndarray) -> CoreMapping:
    """Return the same slices on other cores: those of core c on core to[c], (n_cores,), a
    permutation.
    """
    back = np.argsort(to)
    return replace(
        mapping,
        core_of=tuple(to[cores] for cores in mapping.core_of),
        populations=tuple(
            replace(slices, cores=to[slices.cores]) for slices in mapping.populations
        ),
        synapse_bits=mapping.synapse_bits[back],
        neuron_bits=mapping.neuron_bits[back],
        axon_bits=mapping.axon_bits[back],
    )
