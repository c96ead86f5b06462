"""A run's layers in the symbols of the closed-form model, read off the engine's counters."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np

from simulator.describe.connections import SPARSE
from simulator.describe.network import Projection
from simulator.describe.words import SNN
from simulator.errors import CheckError
from simulator.mapping import fan_out, windows
from simulator.mapping.encodings import ONE_BY_ONE
from simulator.mapping.windows import COUNTS, TRAIN
from simulator.study.simulation import Result
from simulator.timing.record import COUNTER


@dataclass(frozen=True)
class Measured:
    """One layer of one run in the formula's symbols, all from counters of the engine but
    `value_bits`.
    """

    name: str
    neurons: int
    synapses: int
    inferences: int
    timesteps: int  # T
    spike_rate: float  # s_r: accumulates per synapse and timestep
    output_rate: float  # spikes per neuron and timestep
    density: float  # d: multiply-accumulates per synapse
    visits: float  # per neuron and timestep of the window
    currents: int  # visited per neuron: more than one where the largest of them counts
    fires: bool  # False: a readout, which compares and clips nothing
    #: H: mesh links per flit that reaches the layer (the copies of a multicast packet share theirs)
    hops: float
    reuse: float  # R: weights needed per weight read; infinite where none was read
    way: str  # 'sparse' or 'dense'
    weight_bits: int
    index_bits: int  # beside each weight of a sparse row
    value_bits: int  # of what arrives; 1 for spikes
    arriving_rate: (
        float  # events per place of the layer before and timestep: s_r, or d where values arrive
    )
    #: share of the synapses whose source sends its window in one event; None: every spike is sent
    active: float | None = None
    multiplies_counts: bool = False  # counts are multiplied, not added spike by spike

    @property
    def fan_in(self) -> float:
        """N: synapses per neuron."""
        return self.synapses / self.neurons

    @property
    def updated(self) -> float:
        """Times a neuron's state is read and written, per timestep: once per visit, or once per
        window that is answered at once.
        """
        passes = self.timesteps if self.active is not None and self.fires else 1
        return self.visits / (self.currents - 1 + passes)

    def compared(self, times: int) -> float:
        """Comparisons per neuron and timestep where an activation takes `times`: of the currents
        whose largest counts each after the first takes one more.
        """
        return self.visits / self.currents * (self.currents - 1 + times * self.fires)


def words_alone(bits: int, word: int) -> int:
    """Return the words one weight takes when nothing shares them."""
    return -(-bits // word)


def measure(result: Result) -> list[Measured]:
    """Return each layer of a run in the formula's symbols; raises CheckError when no inference was
    finished, and for a graph that is no chain: the formula knows one way in and one way out.
    """
    if not result.workload.network.is_chain:
        raise CheckError(f"validate: {result.workload.name} must be a chain of layers")
    if not result.finished:
        raise CheckError("validate: no inference was finished")
    counters, n_cores = result.record.counters, result.plan.n_cores
    places = [np.arange(n_cores, result.plan.n_endpoints), *result.mapping.cores[1:]]
    counts = [
        {name: int(counters[cores, number].sum()) for name, number in COUNTER.items()}
        for cores in places
    ]
    n, window = result.finished, result.raster.timesteps
    found = []
    network = result.workload.network
    for projection in network.projections:
        number, layer = projection.target, network.populations[projection.target]
        sender, mine, before = counts[number - 1], counts[number], result.raster.traces[number - 1]
        connection = projection.connection
        together = np.zeros(layer.n_neurons, np.int64)
        synapses = int(fan_out.targets(projection, together, 1).synapses.sum())
        index = result.chip.core.synapse.index if connection.kind == SPARSE else 0
        weight_bits, value_bits = result.schedule.operand_bits[number - 1]
        dense = result.schedule.encoding[number - 1] not in ONE_BY_ONE
        active, added = None, mine["accumulates"]
        if result.schedule.encoding[number - 1] in (COUNTS, TRAIN):
            reached, spikes = _whole_windows(result, projection)
            active = reached / (synapses * n)
            # a product of a count stands for as many additions as spikes
            added = spikes if mine["count_accumulates"] else added
        operations = added + mine["macs"]
        values = mine["macs"] > 0 or result.mode != SNN
        needed = synapses * n * (1 if values else window) if dense else operations
        words = mine["weight_read_words"]
        hops = sender["flit_hops_east_west"] + sender["flit_hops_north_south"]
        moments = n * (1 if values else window)
        # a message that stands for a window is one, its spikes are reset one by one
        spikes_sent = mine["resets"] if result.mode == SNN else mine["spikes"]
        found.append(
            Measured(
                name=layer.name,
                neurons=layer.n_neurons,
                synapses=synapses,
                inferences=n,
                timesteps=result.timesteps,
                spike_rate=added / (synapses * n * window),
                output_rate=0.0
                if not layer.fires
                else spikes_sent / (layer.n_neurons * n * window),
                density=mine["macs"] / (synapses * n),
                visits=mine["neuron_updates"] / (layer.n_neurons * n * window),
                currents=fan_out.currents(network, number),
                fires=layer.fires,
                hops=hops / mine["flits_received"] if mine["flits_received"] else 0.0,
                reuse=needed
                * words_alone(weight_bits + index, result.chip.core.synapse.word)
                / words
                if words
                else inf,
                way="dense" if dense else "sparse",
                weight_bits=weight_bits,
                index_bits=index,
                value_bits=max(value_bits, 1) if values or active is not None else 1,
                arriving_rate=int(before.start[n * window]) / (before.n_neurons * moments),
                active=active,
                multiplies_counts=mine["count_accumulates"] > 0,
            )
        )
    return found


def _whole_windows(result: Result, projection: Projection) -> tuple[int, int]:
    """Return the synapses that sources with at least one spike in an inference reach, and those
    that all of their spikes reach, over the inferences that were finished.
    """
    n_neurons = result.workload.network.populations[projection.target].n_neurons
    together = np.zeros(n_neurons, np.int64)
    targets = fan_out.targets(projection, together, 1).synapses
    trace = windows.gathered(result.raster.first(result.finished)).traces[projection.source]
    reached = targets[trace.neuron]
    return int(reached.sum()), int((reached * trace.value).sum())
