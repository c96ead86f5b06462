"""How far the spiking twin is from the quantised one: spike counts against activations, neuron by
neuron.

The twins belong together as in Yan et al., arXiv:2409.08290, Theorem 1: T timesteps stand for
ceil(log2(T + 1)) bits.  With firing 'accumulate' they are equal for every sign and order of the
currents, and so is a population driven by a constant current. Two things break the equality, and
`compare` measures both: firing 'streaming' with signed weights (a neuron that fired early cannot
take a spike back), and max pooling behind the first one (the maximum of sums is not the sum of
maxima).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulator.behaviour.raster import Raster
from simulator.describe.words import QNN, SNN
from simulator.errors import CheckError, InputError


@dataclass(frozen=True)
class PopulationDifference:
    """One firing population of both twins, counted over all inferences."""

    population: int  # its number in the network
    compared: int  # neurons times inferences
    differing: int  # of them, those whose spike count is not the activation
    more: int  # of them, those with more spikes than the activation
    spikes: int
    activations: int  # sum of activations

    @property
    def share_differing(self) -> float:
        """Share of neurons whose spike count is not their activation."""
        return self.differing / self.compared if self.compared else 0.0

    @property
    def more_spikes(self) -> float:
        """Spikes beyond the sum of activations, as a share of it; infinite where only the spiking
        twin is active.
        """
        if not self.activations:
            return float("inf") if self.spikes else 0.0
        return self.spikes / self.activations - 1


@dataclass(frozen=True)
class Difference:
    """Both twins of one network on the same inferences."""

    populations: tuple[PopulationDifference, ...]  # those that fire, inputs left out
    n_inferences: int
    agreeing: int  # inferences with the same prediction
    first: str | None  # the first neuron that differs, in words; None when the twins are equal

    @property
    def agreement(self) -> float:
        """Share of inferences with the same prediction."""
        return self.agreeing / self.n_inferences if self.n_inferences else 1.0

    @property
    def is_equal(self) -> bool:
        """Every spike count is the activation, and every output is the same."""
        return self.first is None


def compare(snn: Raster, qnn: Raster, begin: int = 0) -> Difference:
    """Return how the spike counts of one raster differ from the activations of the other,
    population by population.

    begin: the number of the first inference, where these are some of many.  Raises InputError
    unless the first is a spiking, the second a quantised raster of the same network and inferences.
    """
    if snn.mode != SNN or qnn.mode != QNN:
        raise InputError(
            f"twins: must be compared as '{SNN}' with '{QNN}', not {snn.mode!r} with {qnn.mode!r}"
        )
    sizes = [[trace.n_neurons for trace in raster.traces] for raster in (snn, qnn)]
    if sizes[0] != sizes[1] or snn.n_inferences != qnn.n_inferences:
        raise InputError("twins: must be rasters of the same network and the same inferences")
    first: str | None = None
    populations = []
    for number, (spikes, activations) in enumerate(zip(snn.traces, qnn.traces)):
        if number in snn.inputs or not spikes.fires:
            continue
        differing = more = 0
        for inference in range(snn.n_inferences):
            count = spikes.totals(inference, snn.timesteps)
            activation = activations.totals(inference, 1)
            wrong = np.flatnonzero(count != activation)
            differing += len(wrong)
            more += int((count > activation).sum())
            if first is None and len(wrong):
                j = wrong[0]
                place = f"population {number}, inference {begin + inference}, neuron {j}"
                first = f"{place}: {count[j]} spikes, activation {activation[j]}"
        populations.append(
            PopulationDifference(
                number,
                spikes.n_neurons * snn.n_inferences,
                differing,
                more,
                int(spikes.value.sum(dtype=np.int64)),
                int(activations.value.sum(dtype=np.int64)),
            )
        )
    if first is None and not np.array_equal(snn.outputs, qnn.outputs):
        inference, j = np.argwhere(snn.outputs != qnn.outputs)[0]
        pair = (
            f"{snn.outputs[inference, j]} of the spiking twin, {qnn.outputs[inference, j]} of the "
            f"quantised one"
        )
        first = f"output {j}, inference {begin + inference}: {pair}"
    agreeing = int((snn.predictions == qnn.predictions).sum())
    return Difference(tuple(populations), snn.n_inferences, agreeing, first)


def total(parts: Sequence[Difference]) -> Difference:
    """Return the difference over stretches of inferences that were compared one by one."""
    populations = []
    for same in zip(*(part.populations for part in parts)):
        counts = {
            name: sum(getattr(one, name) for one in same)
            for name in ("compared", "differing", "more", "spikes", "activations")
        }
        populations.append(PopulationDifference(same[0].population, **counts))
    return Difference(
        tuple(populations),
        sum(part.n_inferences for part in parts),
        sum(part.agreeing for part in parts),
        next((part.first for part in parts if part.first is not None), None),
    )


def require_equal(snn: Raster, qnn: Raster) -> None:
    """Raise CheckError naming the first neuron that differs, unless the twins are equal in every
    count and output.
    """
    difference = compare(snn, qnn)
    if not difference.is_equal:
        raise CheckError(f"twins: {difference.first}")
