"""Weight bits, spike bits and T at an equal bit budget: the published yardsticks beside simulated
energy.

The budget of a synapse is BB = T·b_w·b_s (Shen et al., "Are Conventional SNNs Really Efficient?",
CVPR 2024).  For each way to spend it the workload's weights are rounded to b_w bits, its neurons
send values of b_s bits, and the spiking twin is simulated over T timesteps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from simulator.analytic.budget import (
    bit_budget,
    neuromorphic_arithmetic_effort,
    synaptic_arithmetic_effort,
)
from simulator.describe.chip import Chip
from simulator.describe.network import Network, Neuron, Population, Projection
from simulator.describe.words import CURRENT, SNN, STREAMING
from simulator.describe.workload import Workload
from simulator.errors import InputError
from simulator.mapping.fan_out import targets
from simulator.study.arguments import MAXIMUM_TIMESTEPS
from simulator.study.pipeline import Shared
from simulator.study.simulation import Progress, run
from simulator.study.timesteps import Point, measured
from simulator.timing import COMPILED, EngineName

#: candidates for the step between weights, as shares of the largest weight's
STEPS = np.linspace(0.3, 1.0, 36)


@dataclass(frozen=True)
class Spent:
    """One way to spend the budget, simulated."""

    weight_bits: int
    spike_bits: int
    point: Point
    macs: int  # multiply-accumulates of one pass without any sparsity

    @property
    def timesteps(self) -> int:
        """T of this way."""
        return self.point.timesteps

    @property
    def effort(self) -> float:
        """S-ACE = Σ n_MAC·BB, bit operations per inference: the same for every way."""
        return synaptic_arithmetic_effort(
            self.macs, self.timesteps, self.weight_bits, self.spike_bits
        )

    @property
    def sparse_effort(self) -> float:
        """NS-ACE = Σ fr·n_MAC·BB with the simulated firing rate, bit operations per inference."""
        rate = self.point.operations / (self.macs * self.timesteps) if self.macs else 0.0
        return neuromorphic_arithmetic_effort(
            self.macs, rate, self.timesteps, self.weight_bits, self.spike_bits
        )


def ways(
    workload: Workload, budget: int, weight_bits: Sequence[int], spike_bits: Sequence[int]
) -> tuple[list[tuple[int, int, int]], list[str]]:
    """Return every (b_w, b_s, T) whose product is the budget, and what was left out and why."""
    longest = min(
        (feed.values.shape[1] for feed in workload.stimulus.feeds if feed.kind != CURRENT),
        default=MAXIMUM_TIMESTEPS,
    )
    found, left = [], []
    for bits, values in product(sorted(set(weight_bits)), sorted(set(spike_bits))):
        timesteps, over = divmod(budget, bits * values)
        if over or not timesteps:
            left.append(f"{bits} x {values} bits: no whole T")
        elif timesteps > longest:
            left.append(f"{bits} x {values} bits: T = {timesteps} of at most {longest}")
        else:
            found.append((bits, values, timesteps))
    if not found:
        raise InputError(
            f"budget: must be a multiple of weight bits times spike bits with a T of at most "
            f"{longest}, not {budget}"
        )
    return found, left


def sweep(
    workload: Workload,
    chip: Chip,
    spends: Sequence[tuple[int, int, int]],
    *,
    limit: int | None = None,
    engine: EngineName = COMPILED,
    progress: Progress | None = None,
) -> list[Spent]:
    """Return each way to spend a budget, (b_w, b_s, T), simulated on the chip."""
    macs = sum(
        int(targets(one, np.zeros(one.connection.n_out, np.int64), 1).synapses.sum())
        for one in workload.network.projections
    )
    shared, found = Shared(most=8), []
    coarse = [(way, spent(workload, *way)) for way in spends]
    for done, ((bits, values, timesteps), mine) in enumerate(coarse):
        if progress is not None:
            progress("ways", done, len(coarse))
        assert bit_budget(timesteps, bits, values) == bits * values * timesteps
        result = run(mine, chip, SNN, limit=limit, engine=engine, progress=progress, shared=shared)
        found.append(Spent(bits, values, measured(result), macs))
    return found


def spent(workload: Workload, weight_bits: int, spike_bits: int, timesteps: int) -> Workload:
    """Return a workload with weights of so many bits and neurons that send values of so many bits.

    Weights are rounded to the step that leaves the least squared error, one step for all that leads
    to a population, whose thresholds, potentials and biases follow; weights that are no wider than
    asked stay as they are.  A value of b_s bits counts parts of 1 / (2^b_s - 1) of a spike.
    """
    network = workload.network
    for projection in network.projections:
        if projection.connection.per_timestep:
            raise InputError(
                f"{network.ends(projection)}: a study of budgets needs one set of weights, not one "
                f"per timestep"
            )
    most = (1 << spike_bits) - 1
    populations, projections = list(network.populations), list(network.projections)
    for number in network.computed:
        population = populations[number]
        _refuse(population)
        neuron = population.neuron
        assert neuron is not None
        step = _step([projections[k] for k in network.incoming[number]], weight_bits)
        for k in network.incoming[number]:
            projections[k] = _rounded(projections[k], weight_bits, step)
        # what comes from neurons is counted in parts of a spike, what comes from inputs is not
        counted = {not network.populations[p.source].is_input for p, _ in network.drives(number)}
        if len(counted) > 1 and most > 1:
            raise InputError(
                f"{population.name}: a study of budgets needs sources that are all inputs or all "
                f"neurons, not both"
            )
        driven = counted == {True}
        changed = _scaled(
            neuron, step, threshold=1 if driven else most, drive=most if driven else 1
        )
        if spike_bits > 1 and neuron.fires:
            changed = replace(changed, graded_bits=spike_bits)
        populations[number] = replace(population, neuron=changed)
        for k in network.incoming[number]:
            bias = projections[k].bias
            if bias is not None:
                part = _nearest(bias * (most if driven else 1) / step)
                projections[k] = replace(projections[k], bias=part)
    return replace(
        workload,
        name=f"{workload.name}, {weight_bits}-bit weights, {spike_bits}-bit spikes",
        network=Network(tuple(populations), tuple(projections), network.outputs),
        timesteps=timesteps,
        firing=STREAMING,
    )


def _refuse(population: Population) -> None:
    neuron = population.neuron
    assert neuron is not None
    if neuron.graded_bits or (neuron.fires and neuron.reset != "subtract"):
        raise InputError(
            f"{population.name}: a study of budgets needs neurons that send spikes, reset by "
            f"subtraction"
        )


def _largest(bits: int) -> int:
    return (1 << (bits - 1)) - 1 if bits > 1 else 1


def _step(drives: Sequence[Projection], bits: int) -> float:
    """Return what one unit of a rounded weight is of the given weights."""
    if all(one.connection.weight_bits <= bits for one in drives):
        return 1.0
    weight = np.concatenate([one.connection.weight.ravel() for one in drives]).astype(float)
    most = float(abs(weight).max(initial=0.0))
    if not most:
        return 1.0
    if bits == 1:
        return float(abs(weight).mean())
    limit = _largest(bits)
    steps = STEPS * most / limit
    errors = [
        float(((np.clip(np.rint(weight / step), -limit, limit) * step - weight) ** 2).sum())
        for step in steps
    ]
    return float(steps[int(np.argmin(errors))])


def _rounded(projection: Projection, bits: int, step: float) -> Projection:
    """Return a projection with weights of so many bits."""
    connection = projection.connection
    if step == 1.0 and connection.weight_bits <= bits:
        return projection
    weight = connection.weight.astype(float)
    if bits == 1:
        few = np.where(weight < 0, -1, 1)
    else:
        few = np.clip(np.rint(weight / step), -_largest(bits), _largest(bits))
    mine = replace(connection, weight=few.astype(np.int32), weight_bits=bits)
    return replace(projection, connection=mine)


def _nearest(values: np.ndarray) -> np.ndarray:
    return np.rint(values).astype(np.int64)


def _scaled(neuron: Neuron, step: float, threshold: int, drive: int) -> Neuron:
    """Return a neuron for currents in units of `step`, its threshold one of `threshold` parts, its
    biases `drive` times as large.
    """
    bound = neuron.lower_bound
    return replace(
        neuron,
        threshold=np.maximum(_nearest(neuron.threshold / (step * threshold)), 1),
        initial=_nearest(neuron.initial / (step * threshold)),
        bias=_nearest(neuron.bias * drive / step),
        lower_bound=None if bound is None else _nearest(bound * drive / step),
    )
