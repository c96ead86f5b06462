"""The closed-form model against simulation, term by term: three numbers for each term, and why they
differ.

For each layer that receives something, in joules per inference: the formula with the paper's
assumptions (one hop, no reuse, Theorem 2's density), the formula with what the run measured (N, T,
s_r, d, H, R and the way data move, read off the engine's counters), and the ledger.  Per layer, the
formula's energy of one output neuron is taken once per neuron or, where it grows with N, once per
synapse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.account.terms import ACTIONS, UNUSED
from simulator.analytic.constants import Hardware, hardware
from simulator.analytic.model import Energy, Operation, quantised, rate, spiking
from simulator.describe.chip import Chip
from simulator.describe.energy import EnergyTable
from simulator.describe.words import SNN, STREAM, Mode
from simulator.errors import CheckError
from simulator.study.measured import Measured, measure, words_alone
from simulator.study.simulation import Result

#: terms of the formula, and the ledger's actions that are their counterpart
FORMULA_TERMS: dict[str, tuple[str, ...]] = {
    "accumulate": ("accumulate",),
    "multiply": ("multiply_accumulate",),
    "count": ("count_accumulate",),
    "compare": ("threshold_test",),
    "clamp": ("clamp",),
    "reset": ("reset",),
    "membrane": ("membrane_read", "membrane_write"),
    "weight_read": ("weight_read",),
    "transfer": ("payload_bit_hop", "stream_bit_hop", "link_east_west", "link_north_south"),
}
#: what a simulated chip pays and the formula does not know
ABSENT: dict[str, tuple[str, ...]] = {
    "headers": ("header_bit_hop",),
    "partial sums": ("accumulator",),
    "requantisation": ("requantise",),
    "state cleared between inferences": ("state_clear",),
    "buffers of routers": ("buffer_write", "buffer_read", "crossbar", "allocation"),
    "queues and interfaces": ("input_queue", "output_queue", "injection", "ejection", "port_flit"),
    "event handling": ("event", "event_generation", "axon_lookup"),
    "synchronisation": ("barrier", "token"),
    "wake-up": ("gate_wake", "off_wake", "reload", "reload_fetch", "router_wake"),
    "clocks": ("core_clock_active", "core_clock_idle", "router_clock"),
    "leakage": ("core_leakage", "memory_leakage", "router_leakage", "chip_static"),
    "unused cores": UNUSED,
}
RESULTS = "results to the port"
assert sorted(sum((*FORMULA_TERMS.values(), *ABSENT.values()), ())) == sorted(ACTIONS)
#: actions that the sender books; the formula charges a transfer to the neuron it reaches
_SENT = {
    "payload_bit_hop",
    "stream_bit_hop",
    "link_east_west",
    "link_north_south",
}
#: terms that grow with the number of synapses; the others with that of neurons
_BY_SYNAPSE = {"accumulate", "multiply", "count", "weight_read", "transfer"}
#: stands for infinite reuse, whose reads then round to nothing
MOST = 1e300
#: agreement that is asked of an idealised chip, relative
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Term:
    """One term of one layer of one twin, J per inference; `cause` says why the last two differ."""

    layer: str
    name: str
    paper: float
    measured: float
    ledger: float
    cause: str

    @property
    def residual(self) -> float:
        """What the ledger has beyond the formula with measured symbols, J."""
        return self.ledger - self.measured

    @property
    def agrees(self) -> bool:
        """The ledger equals the formula with measured symbols, to 1e-9 relative."""
        return agree(self.measured, self.ledger)


@dataclass(frozen=True, kw_only=True)
class Priced(Hardware):
    """The formula's hardware with a chip's prices; a weight costs the words it takes when it is
    read alone.
    """

    energy: EnergyTable
    word: int
    index: int

    def weight_read(self, weight_bits: int) -> float:
        """Return the energy of one weight read alone, J."""
        return words_alone(weight_bits + self.index, self.word) * self.energy.weight_read.value

    def multiply(self, weight_bits: int, activation_bits: int) -> float:
        """Return E_MAC, J."""
        price = self.energy.multiply_accumulate
        if price.by_bits is None:
            return price.value
        pair = f"{weight_bits}x{activation_bits}"
        if pair not in price.by_bits:
            raise CheckError(
                f"energy.multiply_accumulate.by_bits: must hold {pair!r}; it holds "
                f"{', '.join(price.by_bits)}"
            )
        return price.by_bits[pair].value


def agree(measured: float, ledger: float) -> bool:
    """Return whether two energies are equal to 1e-9 relative; what infinite reuse leaves of a read
    is nothing.
    """
    return abs(ledger - measured) <= max(TOLERANCE * max(abs(measured), abs(ledger)), 1 / MOST)


def priced(chip: Chip, index: int = 0) -> Priced:
    """Return a chip as the formula would read it: a link's price per flit is taken per payload bit,
    as the paper took Loihi's.
    """
    energy = chip.energy
    link = (energy.link_east_west.value + energy.link_north_south.value) / 2
    return Priced(
        accumulate=energy.accumulate.value,
        compare=energy.threshold_test.value,
        subtract=energy.reset.value,
        membrane=energy.membrane_read.value + energy.membrane_write.value,
        sparse=energy.payload_bit_hop.value + link,
        dense=energy.stream_bit_hop.value + link / chip.link.flit,
        energy=energy,
        word=chip.core.synapse.word,
        index=index,
    )


def formula(mode: Mode, layer: Measured, chip: Chip) -> dict[str, float]:
    """Return the formula's terms with measured symbols and the chip's prices, J per inference of
    the whole layer.
    """
    energies = priced(chip, layer.index_bits)
    if mode == SNN:
        spikes = _spiking(layer, layer.spike_rate, layer.hops, layer.reuse, energies)
        own = _spiking(layer, layer.output_rate, 0.0, 1.0, energies)
        parts = {"compare": spikes.part["compare"] * layer.compared(1), "reset": own.part["reset"]}
        parts["membrane"] = spikes.part["membrane"] * layer.updated
        if layer.active is not None:
            parts["accumulate"] = spikes.part["accumulate"] * (not layer.multiplies_counts)
            product = chip.energy.count_accumulate.value * layer.multiplies_counts
            parts["count"] = np.asarray(layer.active * product)
            parts["weight_read"] = spikes.way[layer.way]["weight_read"]
            return _whole(parts | {"transfer": _whole_windows(layer, energies)}, layer)
        if not layer.density:
            return _whole(
                parts | {"accumulate": spikes.part["accumulate"], **spikes.way[layer.way]}, layer
            )
    # T of a twin whose activations have as many bits as what arrives
    width = 2**layer.value_bits - 1
    values = quantised(
        Operation(
            width,
            0.0,
            layer.density,
            1,
            layer.weight_bits,
            layer.hops,
            reuse_qnn=min(layer.reuse, MOST),
        ),
        energies,
    )
    moved = {"multiply": values.part["multiply"], **values.way[layer.way]}
    if mode == SNN:  # values enter (direct coding): multiplied and moved as in the quantised twin
        return _whole(parts | moved, layer)
    return _whole({**moved, "clamp": chip.energy.clamp.value * layer.compared(2)}, layer)


def _whole_windows(layer: Measured, energies: Priced) -> Any:
    """Return what the formula pays to move windows that arrive whole (equations 19 and 20): of
    every active input one event, a count of ceil(log2(T + 1)) bits or a train of T.
    """
    least = 2 ** (layer.value_bits - 1)  # the shortest window whose counts take so many bits
    asked = Operation(
        least, 0.0, layer.active or 0.0, 1, layer.weight_bits, layer.hops, aggregated=True
    )
    return spiking(asked, energies).way[layer.way]["transfer"]


def assumed(mode: Mode, layer: Measured) -> dict[str, float]:
    """Return the formula's terms under the paper's assumptions: typical hardware, H = R = 1, d by
    Theorem 2 (average).

    Of the run it takes T and the rate at which spikes arrive; where values arrive, the rate that
    Theorem 2 gives their density.
    """
    model = hardware("typical", allow_extrapolated=True)
    is_rate = layer.value_bits == 1 and mode == SNN
    spikes = (
        layer.arriving_rate
        if is_rate
        else float(rate(layer.timesteps, layer.arriving_rate, "average"))
    )
    asked = Operation(
        layer.timesteps,
        min(spikes, 1.0),
        "average",
        1,
        layer.weight_bits,
        aggregated=layer.active is not None,
    )
    energy = spiking(asked, model) if mode == SNN else quantised(asked, model)
    return _whole(energy.part, layer)


def _spiking(
    layer: Measured, spike_rate: float, hops: float, reuse: float, energies: Hardware
) -> Energy:
    return spiking(
        Operation(
            layer.timesteps, spike_rate, 0.0, 1, layer.weight_bits, hops, reuse_snn=min(reuse, MOST)
        ),
        energies,
    )


def _whole(parts: Mapping[str, Any], layer: Measured) -> dict[str, float]:
    """Return terms of one neuron of fan-in 1 for the whole layer."""
    times = {name: layer.synapses if name in _BY_SYNAPSE else layer.neurons for name in parts}
    return {name: float(joules) * times[name] for name, joules in parts.items()}


def booked(result: Result) -> list[dict[str, float]]:
    """Return the ledger by layer, J per inference, in the formula's terms, ABSENT ones and `results
    to the port`.

    Transport stands where it ends, as in the formula.  The last entry is what no layer receives: it
    holds the results, and what the whole chip shares.
    """
    by_layer = result.ledger.by_population / result.finished
    row = {name: number for number, name in enumerate(ACTIONS)}
    layers = len(result.mapping.populations) - 1
    found = []
    for number in range(1, layers + 1):
        found.append(
            {
                name: sum(
                    float(by_layer[row[action], number - (action in _SENT)]) for action in actions
                )
                for name, actions in FORMULA_TERMS.items()
            }
        )
    rest = {
        name: float(by_layer[[row[action] for action in actions]].sum())
        for name, actions in ABSENT.items()
    }
    rest[RESULTS] = sum(
        float(by_layer[row[action], layers if action in _SENT else 0])
        for action in FORMULA_TERMS["transfer"]
    )
    return [*found, rest]


def terms(result: Result) -> list[Term]:
    """Return every term of a run three ways, layer by layer, then what the formula does not know.

    Invariant: the ledger's column adds up to the ledger's total per inference.
    """
    layers, ledger = measure(result), booked(result)
    found = []
    for layer, entries in zip(layers, ledger):
        paper, measured = assumed(result.mode, layer), formula(result.mode, layer, result.chip)
        for name in FORMULA_TERMS:
            three = paper.get(name, 0.0), measured.get(name, 0.0), entries[name]
            if any(three):
                found.append(Term(layer.name, name, *three, _cause(result, name, *three[1:])))
    for name, joules in ledger[-1].items():
        if joules:
            found.append(Term("-", name, 0.0, 0.0, joules, "not in the formula"))
    return found


def _cause(result: Result, name: str, measured: float, ledger: float) -> str:
    """Return why the ledger differs from the formula with measured symbols, in a few words; empty
    where it does not.
    """
    if agree(measured, ledger):
        return ""
    if name == "membrane":
        return (
            "accumulators are read and written too; the formula charges the spiking twin's "
            "potentials only"
        )
    if name == "weight_read":
        return "a word holds several weights"
    if name != "transfer":
        return "counted otherwise"
    causes = []
    if STREAM in result.schedule.encoding:
        causes.append("a stream goes to every core of the layer, connected or not")
    network = result.workload.network
    if result.mapping.n_slices < sum(network.populations[n].n_neurons for n in network.computed):
        causes.append("neurons of a core share a packet")
    if result.chip.energy.link_east_west.value + result.chip.energy.link_north_south.value > 0:
        causes.append("a flit carries more or less than one payload bit")
    return "; ".join(causes) or "packets differ in length"


def total(terms_: list[Term]) -> Term:
    """Return the sum of all terms."""
    paper, measured, ledger = (
        sum(getattr(term, way) for term in terms_) for way in ("paper", "measured", "ledger")
    )
    return Term("all", "total", paper, measured, ledger, "")
