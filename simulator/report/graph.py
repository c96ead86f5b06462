"""A network as a graph: its populations, what drives each, and when it works."""

from __future__ import annotations

from simulator.describe.network import Network, Projection
from simulator.describe.offsets import Offsets, offsets, window_offsets
from simulator.describe.words import ACCUMULATING
from simulator.describe.workload import Workload
from simulator.mapping.fan_out import planes
from simulator.mapping.memories import schedules
from simulator.mapping.plan import PLANES
from simulator.report.blocks import Block, Column, Paragraph, table, words

COLUMNS = (
    words("population"),
    Column("neurons", form=lambda number: f"{number:,}"),
    words("model"),
    Column("first step"),
    Column("planes", form=lambda number: str(number or "-")),
    words("driven by", wraps=True),
)


def graph_view(workload: Workload) -> list[Block]:
    """Return the graph of a workload: the chip step of an inference in which each population
    begins, the planes of accumulators it needs, and how many steps a timestep takes.
    """
    network, timesteps = workload.network, workload.timesteps
    when = _when(workload)
    rows = [
        (
            population.name,
            population.n_neurons,
            "input" if population.neuron is None else population.neuron.model,
            when.offset[number],
            0
            if population.is_input
            else max(
                planes(network, number, each, PLANES, workload.stimulus.carries)
                for each in schedules(workload)
            ),
            ", ".join(_driver(network, network.projections[k]) for k in network.incoming[number])
            or "-",
        )
        for number, population in enumerate(network.populations)
    ]
    steps = f"{when.interval} chip step{'s' if when.interval > 1 else ''}"
    text = (
        f"{len(network.populations)} populations, {len(network.projections)} projections; a "
        f"timestep takes {steps}, an inference of {timesteps} timesteps {when.steps(timesteps)}"
    )
    return [Paragraph(text, workload.name), table(COLUMNS, rows)]


def _when(workload: Workload) -> Offsets:
    if workload.firing == ACCUMULATING:
        return window_offsets(workload.network, workload.timesteps)
    return offsets(workload.network)


def _driver(network: Network, path: Projection) -> str:
    kind, least, largest = path.connection.kind, path.least_delay, path.largest_delay
    delay = f", delay {least}" if least == largest else f", delays {least} to {largest}"
    pool = "" if path.pool is None else f", {path.pool.kind} of {path.pool.size}x{path.pool.size}"
    name = network.populations[path.source].name
    return f"{name} ({kind}{pool}{delay if largest else ''})"
