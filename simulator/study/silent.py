"""Dead neurons: those that are silent on given inputs, and a network without them.

A neuron that never fires adds nothing to any other, so the rest computes the same on those inputs;
`without` proves it by computing both.  What that saves is memory, visits and leakage: where only
touched neurons are visited, and it has neither bias nor leak, a silent neuron still gets what its
inputs send it, and only the synaptic work towards it is saved.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from simulator.behaviour.raster import Raster
from simulator.describe.connections import DENSE, ONE_TO_ONE, SPARSE, Connection
from simulator.describe.network import Network, Population, Projection
from simulator.describe.neuron import Neuron
from simulator.describe.words import SNN
from simulator.describe.workload import Workload
from simulator.errors import CheckError, InputError
from simulator.study.pipeline import compute
from simulator.timing import Steps

_ARRAYS = ("threshold", "initial", "bias", "reset_value", "lower_bound", "gain")


@dataclass(frozen=True)
class Silent:
    """The neurons of a population that sent nothing."""

    name: str
    neurons: int
    silent: np.ndarray  # numbers


@dataclass(frozen=True)
class Look:
    """Which neurons are silent over some inferences of a workload."""

    workload: Workload  # without them where they are left out
    inferences: int
    populations: list[Silent]
    is_dropped: bool

    @property
    def silent(self) -> int:
        """Silent neurons of all hidden populations."""
        return sum(len(one.silent) for one in self.populations)


def look(
    workload: Workload, inferences: int, is_dropped: bool = False, progress: Steps | None = None
) -> Look:
    """Return the silent neurons of a workload's first inferences.

    is_dropped: the look holds the workload without them, proven equal on these inferences, see
    `without`; its neurons are then placed anew.
    """
    if is_dropped:
        workload = replace(workload, placement=None)
    raster = compute(workload, SNN, limit=inferences, progress=progress).raster
    found = find(workload.network, raster)
    rest = without(workload, raster) if is_dropped else workload
    return Look(rest, raster.n_inferences, found, is_dropped)


def find(network: Network, raster: Raster) -> list[Silent]:
    """Return the silent neurons of every hidden population of a run."""
    found = []
    for number in network.hidden:
        population, trace = network.populations[number], raster.traces[number]
        fired = np.bincount(trace.neuron, minlength=population.n_neurons) > 0
        found.append(Silent(population.name, population.n_neurons, np.flatnonzero(~fired)))
    return found


def without(workload: Workload, raster: Raster) -> Workload:
    """Return the workload without the neurons that were silent in a run of it.

    Populations that a convolution or a pool touches keep theirs: it has a place for every pixel.
    Raises CheckError unless what is read is the same on the inputs of the run.
    """
    network = workload.network
    if workload.placement is not None:
        raise InputError("silent: must be left out before a network is placed")
    kept: dict[int, np.ndarray] = {}
    for number, population in enumerate(network.populations):
        paths = [network.projections[k] for k in network.incoming[number]]
        paths += [network.projections[k] for k in network.outgoing[number]]
        plain = all(
            path.pool is None
            and path.connection.kind in (DENSE, SPARSE)
            and not path.connection.per_timestep
            for path in paths
        )
        kept[number] = np.arange(population.n_neurons)
        if number in network.hidden and plain:
            fired = np.unique(raster.traces[number].neuron)
            kept[number] = fired if len(fired) else kept[number][:1]
    populations = tuple(_part(one, kept[n]) for n, one in enumerate(network.populations))
    projections = tuple(
        _between(path, kept[path.source], kept[path.target], network)
        for path in network.projections
    )
    rest = replace(workload, network=Network(populations, projections, network.outputs), files=())
    _check(rest, raster)
    return rest


def _check(rest: Workload, raster: Raster) -> None:
    from simulator.behaviour.raster import run

    again = run(
        rest.network, rest.stimulus, raster.mode, rest.timesteps, raster.firing, raster.n_inferences
    )
    if not np.array_equal(again.outputs, raster.outputs):
        raise CheckError("silent: what is read must stay the same without silent neurons")


def _part(population: Population, kept: np.ndarray) -> Population:
    """Return a population with some of its neurons."""
    if population.neuron is None or len(kept) == population.n_neurons:
        return population
    arrays = {
        name: getattr(population.neuron, name)[kept]
        for name in _ARRAYS
        if getattr(population.neuron, name, None) is not None
    }
    neuron: Neuron = replace(population.neuron, **arrays)
    return Population(population.name, (len(kept),), neuron)


def _between(
    path: Projection, sources: np.ndarray, targets: np.ndarray, network: Network
) -> Projection:
    """Return the synapses of a projection between some neurons."""
    joined = path.connection
    if len(sources) == joined.n_in and len(targets) == joined.n_out:
        return path
    bias = None if path.bias is None else path.bias[targets]
    shape_in, shape_out = (len(sources),), (len(targets),)
    if joined.kind == DENSE:
        weight = joined.weight[np.ix_(sources, targets)]
        rest = replace(joined, weight=weight, input_shape=shape_in, output_shape=shape_out)
        return replace(path, connection=rest, bias=bias)
    assert joined.kind != ONE_TO_ONE and joined.start is not None and joined.index is not None
    row = np.repeat(np.arange(joined.n_in), np.diff(joined.start))
    new = np.full(joined.n_out, -1)
    new[targets] = np.arange(len(targets))
    stays = np.isin(row, sources) & (new[joined.index] >= 0)
    count = np.bincount(np.searchsorted(sources, row[stays]), minlength=len(sources))
    connection: Connection = replace(
        joined,
        weight=joined.weight[stays],
        index=new[joined.index[stays]],
        start=np.concatenate([[0], np.cumsum(count)]),
        delay=None if joined.delay is None else joined.delay[stays],
        input_shape=shape_in,
        output_shape=shape_out,
    )
    return replace(path, connection=connection, bias=bias)
