"""How much memory the work of a run takes: estimated from its raster before it is compiled."""

from __future__ import annotations

from simulator import memory
from simulator.behaviour.raster import Raster
from simulator.describe.chip import Chip
from simulator.describe.connections import DENSE
from simulator.describe.network import Projection
from simulator.describe.words import AUTO, EVENTS, STREAM
from simulator.describe.workload import Workload
from simulator.mapping.core_mapping import CoreMapping
from simulator.mapping.encodings import ONE_BY_ONE
from simulator.mapping.sending import Formats

#: bytes of one message, of one work item, and of one pair of an event and a core its packet may go
#: to, each over all the arrays it goes through until it is part of an Activity
MESSAGE_BYTES, WORK_BYTES, PAIR_BYTES = 160, 310, 150
#: of a neuron and moment where only touched neurons are visited: a flag and a running count
VISIT_BYTES = 10


def need(
    workload: Workload, chip: Chip, mapping: CoreMapping, raster: Raster, formats: Formats
) -> None:
    """Raise MemoryLimitError when the Activity of a run would not fit: by population, what its
    messages, packets and visits take.
    """
    network = workload.network
    moments = raster.timesteps * len(raster.outputs)
    total, largest, what = 0, 0, ""
    for number, population in enumerate(network.populations):
        events = len(raster.traces[number].neuron)
        if not population.fires:
            events = len(raster.outputs) * population.n_neurons
        size, neurons = MESSAGE_BYTES * events, population.n_neurons
        if number in network.outputs:
            size += PAIR_BYTES * min(neurons, events)
        for k in network.outgoing[number]:
            encoding = formats.by_projection[k]
            tried = (EVENTS, STREAM) if encoding == AUTO else (encoding,)
            pairs = max(
                _rows(chip, one, network.projections[k], events, neurons, moments) for one in tried
            )
            size += PAIR_BYTES * mapping.targets[k].count.shape[1] * pairs
        if not population.is_input:
            size += WORK_BYTES * moments * len(mapping.cores[number])
            size += VISIT_BYTES * moments * neurons * (chip.core.soma.update != "all")
        total += size
        if size >= largest:
            largest, what = (
                size,
                f"{events:,} events of {population.name!r} in {moments:,} timesteps",
            )
    memory.need(f"the work of {len(raster.outputs):,} inferences, most of it {what}", total)


def _rows(
    chip: Chip, encoding: str, projection: Projection, events: int, neurons: int, moments: int
) -> int:
    """Return how many events, or neurons, are looked up for each core they may reach."""
    if encoding in ONE_BY_ONE:
        if chip.packet.events_per_packet > 1:
            return events
        return 1 if projection.connection.kind == DENSE else min(neurons, events)
    is_whole = encoding == STREAM and not chip.core.synapse.zero_skip
    return moments * neurons if is_whole else events
