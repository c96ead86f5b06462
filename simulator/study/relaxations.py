"""The closed-form model's assumptions given up one at a time: what each costs, and how far it moves
the breakeven.

The start is the idealised machine: one neuron per core, one packet per event and target, no header,
no membrane, no time. Prices of what the model leaves out are those of another chip file, named in
the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import isqrt
from typing import Any

from simulator.behaviour.checks import without_twin
from simulator.describe.chip import Chip
from simulator.describe.words import ACCUMULATING, QNN, SNN, STREAMING, Firing
from simulator.describe.workload import Workload
from simulator.study.ahead import tell_runs
from simulator.study.controlled import TRACE, EventSource, natural_rate
from simulator.study.crossover import RESOLUTION, Crossing, Machine
from simulator.study.simulation import Progress
from simulator.timing import COMPILED, EngineName

#: the rates between which a breakeven is sought
SCAN = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5)
NEURONS_PER_CORE = 32
BASE = "none: the idealised machine"


@dataclass(frozen=True)
class Relaxation:
    """One assumption given up: changes of the chip and of the workload."""

    name: str
    chip: dict[str, Any] = field(default_factory=dict)  # by key, as written in a file
    neurons_per_core: int | None = None
    firing: Firing | None = None


@dataclass(frozen=True)
class Relaxed:
    """Both twins with one assumption given up; J per inference at the workload's own activity,
    cheapest encodings.
    """

    name: str
    snn: float
    qnn: float
    snn_residual: float  # beyond the idealised machine
    qnn_residual: float
    breakeven: Crossing
    moved: float | None  # of the breakeven spike rate; None where there is none on either side

    @property
    def ratio(self) -> float:
        """SNN / QNN."""
        return self.snn / self.qnn


def relaxations(ideal: Chip, real: Chip) -> list[Relaxation]:
    """Return the assumptions in the order in which a packet meets them, then all at once; prices
    are those of `real`.
    """
    price = _written(ideal.energy.payload_bit_hop.value, "pJ")
    fields = {
        "packet.destination": f"{real.packet.destination} bit",
        "packet.axon": f"{real.packet.axon} bit",
    }
    flits = fields | {
        "packet.maximum": f"{real.packet.maximum} flits",
        "link.flit": f"{real.link.flit} bit",
        "energy.payload_bit_hop.value": "0 pJ",
        "energy.stream_bit_hop.value": "0 pJ",
        "energy.link_east_west.value": price,
        "energy.link_north_south.value": price,
    }
    memory = {
        "core.memory.neurons": f"{real.core.memory.neurons} bit",
        "core.memory.synapses": f"{real.core.memory.synapses} bit",
    }
    buffers = _priced(
        real,
        "input_queue",
        "output_queue",
        "injection",
        "ejection",
        "buffer_write",
        "buffer_read",
        "crossbar",
        "allocation",
    )
    words = {"core.synapse.word": f"{real.core.synapse.word} bit"} | _priced(real, "weight_read")
    durations = ("gate_after", "gate_wake", "router_gate_after", "router_wake")
    gating = {f"gating.{name}": _duration(getattr(real.gating, name)) for name in durations}
    single = [
        Relaxation("several neurons per core", memory, NEURONS_PER_CORE),
        Relaxation("multicast", {"router.multicast": True}),
        Relaxation(
            "header bits at the price of payload",
            fields | {"energy.header_bit_hop.value": price},
        ),
        Relaxation("packets of whole flits, priced per flit", flits),
        Relaxation("weight words hold several weights", memory | words, NEURONS_PER_CORE),
        Relaxation("membrane reads and writes", _priced(real, "membrane_read", "membrane_write")),
        Relaxation("partial sums", _priced(real, "accumulator")),
        Relaxation(
            "events: lookup, generation, axon table",
            _priced(real, "event", "event_generation", "axon_lookup"),
        ),
        Relaxation("buffers and queues", buffers),
        Relaxation("barriers", _barrier(ideal, real)),
        Relaxation("clocks and leakage", _leakage(real)),
        Relaxation("wake-up", gating | _priced(real, "gate_wake", "router_wake")),
        Relaxation("streaming instead of accumulating firing", firing=STREAMING),
    ]
    # a header is part of its flits: the price per header bit would count it twice
    whole = {
        key: value
        for one in single
        for key, value in one.chip.items()
        if "header_bit_hop" not in key
    }
    return [*single, Relaxation("all at once", whole, NEURONS_PER_CORE, STREAMING)]


def _barrier(ideal: Chip, real: Chip) -> dict[str, Any]:
    """Return the tree of gates along the mesh that there is, or the published slope between the
    first and the last point, extended to as many tiles.
    """
    if real.barrier.tree is not None:
        tree = f"{round(real.barrier.tree * real.period * 1e9)} ns"
        return {"barrier.points": None, "barrier.tree": tree} | _priced(real, "barrier")
    assert real.barrier.points is not None
    (first, start), (last, end) = real.barrier.points[0], real.barrier.points[-1]
    slope = (end - start) / max(last - first, 1)
    at = [
        f"{round((start + slope * (tiles - first)) * real.period * 1e9)} ns"
        for tiles in (1, ideal.n_tiles)
    ]
    points = [[1, at[0]], [max(ideal.n_tiles, 2), at[1]]]
    return {"barrier.points": points} | _priced(real, "barrier")


def _leakage(real: Chip) -> dict[str, Any]:
    units = {
        "core_leakage": "pW",
        "memory_leakage": "pW/bit",
        "router_leakage": "pW",
        "core_clock_active": "pJ",
        "core_clock_idle": "pJ",
        "router_clock": "pJ",
    }
    return {
        f"power.{name}.value": _written(getattr(real.power, name).value, unit)
        for name, unit in units.items()
    }


def _priced(real: Chip, *names: str) -> dict[str, Any]:
    return {
        f"energy.{name}.value": _written(getattr(real.energy, name).value, "pJ") for name in names
    }


def _written(value: float, unit: str) -> str:
    """Return a price in SI as a file writes it, in the unit's 10^-12."""
    return f"{value * 1e12!r} {unit}"


def _duration(cycles: int) -> str:
    return "never" if cycles < 0 else f"{cycles} cycles"


def mesh_for(workload: Workload, chip: Chip) -> dict[str, Any]:
    """Return the changes that give every neuron a core of its own, none where there are enough
    already.
    """
    network = workload.network
    needed = sum(network.populations[number].n_neurons for number in network.computed)
    if chip.n_cores >= needed:
        return {}
    side = isqrt(needed - 1) + 1
    return {"mesh.width": side, "mesh.height": side}


def relax(
    workload: Workload,
    chip: Chip,
    prices: Chip,
    *,
    timesteps: int | None = None,
    inferences: int = 2,
    density: float | str = TRACE,
    seed: int = 0,
    engine: EngineName = COMPILED,
    resolution: float = RESOLUTION,
    only: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> list[Relaxed]:
    """Return the idealised machine `chip`, then each assumption given up, at the prices of another
    chip; `only`: those whose names are given.

    density: of the twin while the breakeven is sought, as in EventSource.  The twins' energies are
    at the trace's own spike rate, or, where activity is drawn, at the rate Theorem 2 gives the
    density.
    """
    window = workload.timesteps if timesteps is None else timesteps
    can_gather = without_twin(workload.network) is None
    alone = replace(
        workload,
        neurons_per_core=1,
        placement=None,
        firing=ACCUMULATING if can_gather else workload.firing,
    )
    asked = [Relaxation(BASE), *relaxations(chip, prices)]
    if only is not None:
        asked = [one for one in asked if one.name in (BASE, *only)]
    found: list[Relaxed] = []
    spent = 0
    for number, one in enumerate(asked):
        changed = replace(
            alone,
            neurons_per_core=one.neurons_per_core or 1,
            firing=one.firing if one.firing and can_gather else alone.firing,
        )
        activity = EventSource(changed, window, inferences, density, seed)
        machine = Machine(activity, chip.changed(one.chip), engine=engine)
        if progress is not None:
            expected = machine.expected_runs(1, resolution)
            tell_runs(progress, [machine], spent, expected, len(asked) - number - 1)
        here = activity.real_rate if density == TRACE else natural_rate(window, density)
        snn, qnn = (machine.cost(twin, here).value["energy"] for twin in (SNN, QNN))
        crossing = machine.crossing("energy", resolution, SCAN)
        spent += machine.n_runs
        base = found[0] if found else None
        moved = (
            crossing.rate[0] - base.breakeven.rate[0]
            if base and crossing.rate and base.breakeven.rate
            else None
        )
        found.append(
            Relaxed(
                one.name,
                snn,
                qnn,
                snn - (base.snn if base else snn),
                qnn - (base.qnn if base else qnn),
                crossing,
                moved,
            )
        )
    return found
