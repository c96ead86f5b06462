"""How a published number is predicted: cases that run a small workload on a chip.

A case is a function of a chip and of the claim's parameters; it simulates and returns one number in
SI units.  Differences of two runs that differ in one thing isolate what that thing takes.  `CASES`
is the registry a file's `case` names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np

from simulator.account.terms import COMPONENT
from simulator.describe.chip import Chip
from simulator.describe.connections import DENSE, SPARSE, Connection
from simulator.describe.network import Layer, Neuron, chain, fed
from simulator.describe.placement import Placement
from simulator.describe.workload import Workload
from simulator.errors import InputError
from simulator.study.idle_chip import idle_watts
from simulator.study.simulation import Result, run
from simulator.timing.record import BUSY, COUNTER, UNITS

#: never reached within a case
SILENT = 2**40
#: share of a core's weight memory that a query's run fills: it is a run of a quarter of the time,
#: and what a core pays per spike, not per pattern, weighs 0.04 % more than with full cores (loihi1)
FILLED = 0.25
#: spikes that wait for a core in turn: the first of them is served before there are others
WAITING = 512
CASES: dict[str, Callable[..., float]] = {}


def case(function: Callable[..., float]) -> Callable[..., float]:
    """Register a case under its name."""
    CASES[function.__name__] = function
    return function


def _neuron(n: int, fires: bool = False) -> Neuron:
    """Return n neurons that never fire, or that fire in every timestep."""
    ones = np.ones(n, np.int64)
    return Neuron("if", ones if fires else SILENT * ones, 0 * ones, ones * fires)


def _layer(
    name: str, n_in: int, n: int, targets: list[int] | None = None, fires: bool = False
) -> Layer:
    """Return n neurons of which every source reaches the first `targets[source]` (None: all,
    densely), one bit a weight.
    """
    if targets is None:
        connection = Connection(DENSE, np.zeros((n_in, n), np.int32), 1, (n_in,), (n,))
    else:
        start = np.cumsum([0, *targets]).astype(np.int64)
        index = np.concatenate([np.arange(count) for count in targets]).astype(np.int64)
        weight = np.zeros(len(index), np.int32)
        connection = Connection(SPARSE, weight, 1, (n_in,), (n,), start=start, index=index)
    return Layer(name, (n,), connection, _neuron(n, fires))


def _run(
    chip: Chip,
    layers: list[Layer],
    spikes: np.ndarray,
    placement: Placement | None,
    events: bool = False,
) -> Result:
    """Return the run of layers under input spikes, (timesteps, n_inputs) of 0 and 1."""
    network = chain((spikes.shape[1],), layers)
    stimulus = fed("raster", spikes[None].astype(np.int32), 1)
    workload = Workload("claim", network, stimulus, len(spikes), placement=placement)
    return run(workload, chip, "snn", events=events)


def _dynamic(result: Result) -> float:
    """Return the joules of what happened, without leakage and clocks."""
    static = ("leakage", "clock", "unused cores")
    return sum(
        joules for name, joules in result.ledger.by_action.items() if COMPONENT[name] not in static
    )


def _count(result: Result, layer: int, counter: str) -> int:
    return int(result.record.counters[result.mapping.cores[layer + 1], COUNTER[counter]].sum())


def _unit_busy(result: Result, layer: int, unit: str) -> int:
    return int(
        result.record.unit_cycles[result.mapping.cores[layer + 1], UNITS.index(unit), BUSY].sum()
    )


# cases: power


@case
def idle_power(chip: Chip) -> float:
    """Return the power of a chip on which nothing happens for a second, W."""
    return idle_watts(chip, Fraction(1))


@case
def run_power(chip: Chip, workload: str, settings: list[str] | None = None) -> float:
    """Return the power of the chip in an ordinary run of the spiking twin of a shipped workload, W.

    settings: changes of the workload, such as twin.timesteps=8.
    """
    result = run(Workload.load(workload, settings or []), chip, "snn")
    return result.ledger.total / result.seconds


@case
def saturated_power(chip: Chip, neurons: int, weight_bits: int, timesteps: int = 8) -> float:
    """Return the power of one core whose synapse unit never rests: all of `neurons` inputs spike,
    each reaching all, W.
    """
    layer = _layer("all", neurons, neurons)
    connection = replace(layer.connection, weight_bits=weight_bits)
    result = _run(
        chip, [replace(layer, connection=connection)], np.ones((timesteps, neurons)), {"all": [0]}
    )
    return result.ledger.total / result.seconds


# cases: one action


def _spiked(chip: Chip, neurons: int, targets: int, timesteps: int = 4) -> Result:
    return _run(chip, [_layer("all", 1, neurons, [targets])], np.ones((timesteps, 1)), {"all": [0]})


@case
def synapse_time(chip: Chip, neurons: int = 64) -> float:
    """Return the time of one more synaptic operation in a spike's row, s."""
    more, less = _spiked(chip, neurons, neurons), _spiked(chip, neurons, neurons // 2)
    operations = more.count("accumulates") - less.count("accumulates")
    return (
        (_unit_busy(more, 0, "synapse") - _unit_busy(less, 0, "synapse")) / operations * chip.period
    )


@case
def synapse_energy(chip: Chip, neurons: int = 64) -> float:
    """Return the energy of one more synaptic operation in a spike's row, J."""
    more, less = _spiked(chip, neurons, neurons), _spiked(chip, neurons, neurons // 2)
    return (_dynamic(more) - _dynamic(less)) / (
        more.count("accumulates") - less.count("accumulates")
    )


@case
def operation_energy(
    chip: Chip, weight_bits: int, accumulator: str, group: int = 1, neurons: int = 64
) -> float:
    """Return the energy of a synaptic operation by itself, its weight and its accumulator, J: of a
    core that many spikes wait for, served by groups of at most `group`.
    """
    changed = chip.changed({"core.synapse.group": group, "core.synapse.accumulator": accumulator})
    layer = _layer("all", WAITING, neurons)
    connection = replace(layer.connection, weight_bits=weight_bits)
    layer = replace(layer, connection=connection)
    result = _run(changed, [layer], np.ones((1, WAITING)), {"all": [0]})
    joules = result.ledger.by_action
    operations = result.count("accumulates")
    return sum(joules[name] for name in ("accumulate", "accumulator", "weight_read")) / operations


def _updated(chip: Chip, neurons: int, fires: bool) -> Result:
    """Return a run in which a layer is updated, and fires or not, with no synapse behind it: the
    longest part of a step.
    """
    layers = [_layer("updated", 1, neurons, [0], fires), _layer("last", neurons, 1, [0] * neurons)]
    return _run(chip, layers, np.zeros((4, 1)), {"updated": [0], "last": [1]})


@case
def update_time(chip: Chip, fires: bool, neurons: int = 32) -> float:
    """Return what one more neuron adds to a timestep, s."""
    more, less = (_updated(chip, n, fires).record for n in (2 * neurons, neurons))
    # step 1 is the first in which the layer works
    steps = [int(record.step_quiet[1] - record.step_start[1]) for record in (more, less)]
    return (steps[0] - steps[1]) / neurons * chip.period


@case
def update_energy(chip: Chip, fires: bool, neurons: int = 32) -> float:
    """Return the energy of one more neuron in a timestep, J."""
    more, less = (_updated(chip, n, fires) for n in (2 * neurons, neurons))
    return (_dynamic(more) - _dynamic(less)) / (
        _count(more, 0, "neuron_updates") - _count(less, 0, "neuron_updates")
    )


def _sent(chip: Chip, core: int, targets: int = 1) -> Result:
    """Return a run in which a neuron on core 0 fires every timestep at `targets` neurons of another
    core.
    """
    layers = [_layer("from", 1, 1, [0], fires=True), _layer("to", 1, 2, [targets])]
    return _run(chip, layers, np.zeros((4, 1)), {"from": [0], "to": [core]}, events=True)


def _packets(result: Result) -> np.ndarray:
    """Return the packets between the two layers of a run, as logged."""
    log = result.record.packets
    return log[
        (log["source"] == result.mapping.cores[1][0])
        & (log["destination"] == result.mapping.cores[2][0])
    ]


def _hops(chip: Chip, direction: str) -> tuple[Result, Result]:
    """Return the runs over two hops and over one."""
    if direction not in ("east-west", "north-south"):
        raise InputError(f"direction: must be east-west or north-south, not {direction!r}")
    step = chip.mesh.cores_per_tile * (1 if direction == "east-west" else chip.mesh.width)
    return _sent(chip, 2 * step), _sent(chip, step)


@case
def hop_time(chip: Chip, direction: str) -> float:
    """Return what one more hop adds to a spike's way through an empty mesh, s."""
    far, near = (_packets(result) for result in _hops(chip, direction))
    cycles = [int((log["tail_arrive_cycle"] - log["inject_cycle"]).max()) for log in (far, near)]
    return (cycles[0] - cycles[1]) * chip.period


@case
def hop_energy(chip: Chip, direction: str) -> float:
    """Return the energy of one more hop of a spike, J."""
    far, near = _hops(chip, direction)
    return (_dynamic(far) - _dynamic(near)) / len(_packets(far))


@case
def spike_time(chip: Chip) -> float:
    """Return the time from a neuron's firing until the synapse unit of another core of its tile
    takes the spike, s.
    """
    result = _sent(chip, 1)
    packets = _packets(result)
    visit = _unit_busy(result, 0, "soma") // len(packets)
    # a packet whose tail arrived in cycle t is taken in t + 1
    cycles = packets["tail_arrive_cycle"][:1] + 1 - (result.record.step_start[1] + visit)
    return int(cycles[0]) * chip.period


@case
def spike_energy(chip: Chip) -> float:
    """Return the energy of delivering a spike to another core of its tile, without its
    synapses, J.
    """
    none, one, two = (_dynamic(_sent(chip, 1, targets)) for targets in (0, 1, 2))
    return (one - none - (two - one)) / len(_packets(_sent(chip, 1)))


@case
def barrier_time(chip: Chip, tiles: int) -> float:
    """Return the time from a quiet chip with so many tiles in use to its next timestep, s."""
    cores = [tile * chip.mesh.cores_per_tile for tile in range(tiles)]
    record = _run(chip, [_layer("all", 1, tiles, [0])], np.zeros((2, 1)), {"all": cores}).record
    return int(record.step_start[1] - record.step_quiet[0]) * chip.period


@case
def query_energy(
    chip: Chip, patterns: int, dimensions: int, spikes: int, timesteps: int, cores: int = 4
) -> float:
    """Return the energy of a nearest-neighbour query, every input spike reaching every pattern's
    neuron, J.

    patterns: neurons of the whole query.  The run has as many as fill `FILLED` of the weight
    memory of `cores` cores; counts are scaled up from there.
    """
    each = int(FILLED * min(patterns, chip.core.memory.synapses // (dimensions * 8)))
    place = np.random.default_rng(0).choice(timesteps * dimensions, spikes, replace=False)
    raster = np.zeros(timesteps * dimensions)
    raster[place] = 1
    layer = _layer("patterns", dimensions, each * cores)
    layer = replace(layer, connection=replace(layer.connection, weight_bits=8))
    result = _run(
        chip, [layer], raster.reshape(timesteps, dimensions), {"patterns": list(range(cores))}
    )
    return _dynamic(result) * patterns / (each * cores)
