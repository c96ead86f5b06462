"""How much memory the work of a run takes: estimated from its raster before it is compiled."""

from __future__ import annotations

from simulator import memory
from simulator.behaviour.raster import Raster
from simulator.describe.chip import Chip
from simulator.describe.network import DENSE
from simulator.describe.workload import Workload
from simulator.mapping.partition import CoreMapping

#: bytes of one message, of one work item, and of one pair of an event and a core its packet may go
#: to, each over all the arrays it goes through until it is part of an Activity
MESSAGE_BYTES, WORK_BYTES, PAIR_BYTES = 160, 310, 150
#: of a neuron and moment where only touched neurons are visited: a flag and a running count
VISIT_BYTES = 10


def need(workload: Workload, chip: Chip, mapping: CoreMapping, raster: Raster) -> None:
    """Raise MemoryLimitError when the Activity of a run would not fit: by layer, what its messages,
    packets and visits take.
    """
    layers = workload.network.layers
    moments = raster.timesteps * len(raster.outputs)
    total, largest, what = 0, 0, ""
    for number in range(len(layers) + 1):
        is_last = number == len(layers)
        sends = raster.layers[number].fires
        events = len(raster.layers[number].neuron) if sends else raster.outputs.size
        neurons = layers[number - 1].n_neurons if number else workload.network.n_inputs
        cores = 1 if is_last else mapping.targets[number].shape[1]
        pairs = cores * _rows(workload, chip, raster, number, events, neurons, moments)
        size = MESSAGE_BYTES * events + PAIR_BYTES * pairs
        if number:
            size += WORK_BYTES * moments * len(mapping.cores[number - 1])
            size += VISIT_BYTES * moments * neurons * (chip.core.soma.update != "all")
        total += size
        if size >= largest:
            name = layers[number - 1].name if number else "input"
            largest, what = size, f"{events:,} events of layer {name!r} in {moments:,} timesteps"
    memory.need(f"the work of {len(raster.outputs):,} inferences, most of it {what}", total)


def _rows(
    workload: Workload,
    chip: Chip,
    raster: Raster,
    number: int,
    events: int,
    neurons: int,
    moments: int,
) -> int:
    """Return how many events, or neurons, are looked up for each core they may reach."""
    layers = workload.network.layers
    encoding = chip.packet.activations if raster.mode == "qnn" else chip.packet.spikes
    if number in (0, len(layers)) or encoding == "events":
        if chip.packet.events_per_packet > 1 and number < len(layers):
            return events
        is_dense = number < len(layers) and layers[number].connection.kind == DENSE
        return 1 if is_dense else min(neurons, events)
    is_whole = encoding == "dense" and not chip.core.synapse.zero_skip
    return moments * neurons if is_whole else events
