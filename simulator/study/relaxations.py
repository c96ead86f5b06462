"""The closed-form model's assumptions given up one at a time: what each costs, and how far it moves
the breakeven.

The start is the idealised machine: one neuron per core, one packet per event and target, no header,
no membrane, no time. Prices of what the model leaves out are those of another chip file, named in
the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isqrt

from simulator.behaviour.raster import ACCUMULATE, QNN, SNN, STREAMING
from simulator.describe.chip import Chip
from simulator.describe.workload import Workload
from simulator.study.controlled import TRACE, EventSource, natural_rate
from simulator.study.crossover import RESOLUTION, Crossing, Machine
from simulator.study.simulation import Progress

#: the rates between which a breakeven is sought
SCAN = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5)
NEURONS_PER_CORE = 32
BASE = "none: the idealised machine"


@dataclass(frozen=True)
class Relaxation:
    """One assumption given up: changes of the chip and of the workload."""

    name: str
    chip: tuple[str, ...] = ()
    neurons_per_core: int | None = None
    firing: str | None = None


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
    price = ideal.energy.payload_bit_hop.value * 1e12
    fields = (
        f"packet.destination={real.packet.destination} bit",
        f"packet.axon={real.packet.axon} bit",
    )
    flits = (
        *fields, f"packet.maximum={real.packet.maximum} flits", f"link.flit={real.link.flit} bit",
        "energy.payload_bit_hop.value=0 pJ", "energy.stream_bit_hop.value=0 pJ",
        f"energy.link_east_west.value={price!r} pJ", f"energy.link_north_south.value={price!r} pJ",
    )  # fmt: skip
    memory = (
        f"core.memory.neurons={real.core.memory.neurons} bit",
        f"core.memory.synapses={real.core.memory.synapses} bit",
    )
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
    words = (f"core.synapse.word={real.core.synapse.word} bit", *_priced(real, "weight_read"))
    # the published slope between the first and the last point, extended to as many tiles as there
    # are
    (first, start), (last, end) = real.barrier.points[0], real.barrier.points[-1]
    slope = (end - start) / max(last - first, 1)
    nanoseconds = [
        round((start + slope * (tiles - first)) * real.period * 1e9) for tiles in (1, ideal.n_tiles)
    ]
    points = f"[[1, {nanoseconds[0]} ns], [{max(ideal.n_tiles, 2)}, {nanoseconds[1]} ns]]"
    barrier = (f"barrier.points={points}", *_priced(real, "barrier"))
    leakage = tuple(
        f"power.{name}.value={getattr(real.power, name).value * 1e12!r} {unit}"
        for name, unit in (
            ("core_leakage", "pW"),
            ("memory_leakage", "pW/bit"),
            ("router_leakage", "pW"),
            ("core_clock_active", "pJ"),
            ("core_clock_idle", "pJ"),
            ("router_clock", "pJ"),
        )
    )
    durations = ("gate_after", "gate_wake", "router_gate_after", "router_wake")
    gating = tuple(f"gating.{name}={_duration(getattr(real.gating, name))}" for name in durations)
    single = [
        Relaxation("several neurons per core", memory, NEURONS_PER_CORE),
        Relaxation("multicast", ("router.multicast=true",)),
        Relaxation(
            "header bits at the price of payload",
            (*fields, f"energy.header_bit_hop.value={price!r} pJ"),
        ),
        Relaxation("packets of whole flits, priced per flit", flits),
        Relaxation("weight words hold several weights", (*memory, *words), NEURONS_PER_CORE),
        Relaxation("membrane reads and writes", _priced(real, "membrane_read", "membrane_write")),
        Relaxation("partial sums", _priced(real, "accumulator")),
        Relaxation(
            "events: lookup, generation, axon table",
            _priced(real, "event", "event_generation", "axon_lookup"),
        ),
        Relaxation("buffers and queues", buffers),
        Relaxation("barriers", barrier),
        Relaxation("clocks and leakage", leakage),
        Relaxation("wake-up", (*gating, *_priced(real, "gate_wake", "router_wake"))),
        Relaxation("streaming instead of accumulating firing", firing=STREAMING),
    ]
    # a header is part of its flits: the price per header bit would count it twice
    whole = tuple(text for one in single for text in one.chip if "header_bit_hop" not in text)
    return [*single, Relaxation("all at once", whole, NEURONS_PER_CORE, STREAMING)]


def _priced(real: Chip, *names: str) -> tuple[str, ...]:
    return tuple(
        f"energy.{name}.value={getattr(real.energy, name).value * 1e12!r} pJ" for name in names
    )


def _duration(cycles: int) -> str:
    return "never" if cycles < 0 else f"{cycles} cycles"


def mesh_for(workload: Workload, chip: Chip) -> tuple[str, ...]:
    """Return the changes that give every neuron a core of its own, none where there are enough
    already.
    """
    needed = sum(layer.n_neurons for layer in workload.network.layers)
    if chip.n_cores >= needed:
        return ()
    side = isqrt(needed - 1) + 1
    return f"mesh.width={side}", f"mesh.height={side}"


def relax(
    workload: Workload,
    chip: str,
    setting: tuple[str, ...] = (),
    *,
    prices: str = "generic-22nm",
    timesteps: int | None = None,
    inferences: int = 2,
    density: float | str = TRACE,
    seed: int = 0,
    engine: str = "compiled",
    resolution: float = RESOLUTION,
    only: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> list[Relaxed]:
    """Return the idealised machine, then each assumption given up; `only`: those whose names are
    given.

    density: of the twin while the breakeven is sought, as in EventSource.  The twins' energies are
    at the trace's own spike rate, or, where activity is drawn, at the rate Theorem 2 gives the
    density.
    """
    real = Chip.load(prices)
    window = workload.timesteps if timesteps is None else timesteps
    can_gather = all(
        layer.neuron.model != "lif" and layer.neuron.reset == "subtract"
        for layer in workload.network.layers
    )
    alone = replace(
        workload,
        neurons_per_core=1,
        placement=None,
        firing=ACCUMULATE if can_gather else workload.firing,
    )
    asked = [Relaxation(BASE), *relaxations(Chip.load(chip, setting), real)]
    if only is not None:
        asked = [one for one in asked if one.name in (BASE, *only)]
    found: list[Relaxed] = []
    for number, one in enumerate(asked):
        if progress is not None:
            progress("assumptions", number, len(asked))
        changed = replace(
            alone,
            neurons_per_core=one.neurons_per_core or 1,
            firing=one.firing if one.firing and can_gather else alone.firing,
        )
        activity = EventSource(changed, window, inferences, density, seed)
        machine = Machine(activity, Chip.load(chip, (*setting, *one.chip)), engine=engine)
        here = activity.real_rate if density == TRACE else natural_rate(window, density)
        snn, qnn = (machine.cost(twin, here).value["energy"] for twin in (SNN, QNN))
        crossing = machine.crossing("energy", resolution, SCAN)
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
