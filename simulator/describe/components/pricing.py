"""The constants of a chip that are components, priced: each follows from the chip's own keys
through the tables.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simulator.describe.components.parts import Memory, Wire
from simulator.describe.components.request import Component, Kind
from simulator.describe.components.scaling import lane_area, nearest
from simulator.describe.components.sizes import Sizes, node_of_chip, sized_for_area
from simulator.describe.components.tables import Reading, described, figure
from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.describe.chip import Chip
    from simulator.describe.energy import Constant

#: registers of ODIN's core, whose clock the clock is scaled from: one lane, words of 32 bits, an
#: entry of one (chips/odin.yaml)
REFERENCE_REGISTERS = 1 * (8 + 16) + 32 + 32 + 32 + 1 + 32
#: SI units of the tables' columns, by their ending
UNIT = {
    "_pJ": 1e-12, "_pJ_per_flit": 1e-12, "_pJ_per_cycle": 1e-12, "_uW": 1e-6, "_mW": 1e-3,
    "_mm2": 1e-6,
}  # fmt: skip


@dataclass
class Priced:
    """What one component costs: the tables' reading in SI units, its band, and where it is from."""

    value: float
    band: tuple[float, float]
    source: str
    evidence: str = "derived"


@dataclass
class Pricer:
    """Prices components of one chip at one supply voltage, and notes what lies beyond a table."""

    chip: Chip
    voltage: float
    beyond: list[tuple[str, float, float]] = field(default_factory=list)

    @property
    def node(self) -> float:
        """The chip's technology node in nm."""
        return node_of_chip(self.chip)

    @property
    def sizes(self) -> Sizes:
        """The chip's parts at its own node."""
        return Sizes(self.chip, self.node)

    def note(self, what: str, asked: float, priced: float) -> None:
        """Keep what was priced at the end of its table instead."""
        if (what, asked, priced) not in self.beyond:
            self.beyond.append((what, asked, priced))

    def sum(self, name: str, parts: list[tuple[Any, str]], text: str, per: float = 1.0) -> Priced:
        """Return the sum of columns of parts of one table, at the chip's voltage."""
        total, low, high, factors = 0.0, 0.0, 0.0, set()
        columns = described().tables[name].columns
        for part, column in parts:
            read = part.whole if isinstance(part, Memory) and _is_whole(column) else part.read
            reading: Reading = read(column, self.note)
            factor, said = self._scale(part.voltage, column)
            factors.add(said)
            value = reading.value * _unit(column) * factor / per
            band = columns[column].band
            total += value
            low += value * band[0] / (1 + reading.error)
            high += value * band[1] * (1 + reading.error)
        scaled = "".join(sorted(filter(None, factors)))
        return Priced(total, (low, high), text + scaled)

    def _scale(self, at: float, column: str) -> tuple[float, str]:
        """Return the factor from a table's voltage to the chip's, and how the source says it."""
        if at == self.voltage or column.endswith("mm2"):
            return 1.0, ""
        if column.startswith("leak"):
            rule = self.chip.technology.rule
            if rule is None:
                raise InputError(
                    f"must have a rule for leakage at {self.voltage:g} V, for the table holds at "
                    f"{at:g} V"
                )
            return (
                rule.leak(self.voltage, at),
                f", {at:g} V, times ({self.voltage:g}/{at:g})^{rule.leakage:g}",
            )
        return (self.voltage / at) ** 2, f", {at:g} V, times ({self.voltage:g}/{at:g})^2"


def _is_whole(column: str) -> bool:
    return column.startswith("leak") or column.endswith("mm2")


def _unit(column: str) -> float:
    return next(size for ending, size in UNIT.items() if column.endswith(ending))


def _cell(request: Component) -> str:
    if request.cell is None:
        raise InputError("must have a cell: lstp, lop or hp")
    return request.cell


def _size(bits: float) -> str:
    size = bits / 8
    return f"{size / 1024:.4g} KiB" if size >= 1024 else f"{size:.4g} B"


def _memory(which: str, *columns: str, word: str | None = None) -> Callable[..., Priced]:
    """Return what prices an access of a memory: the sum of columns."""

    def price(pricer: Pricer, request: Component) -> Priced:
        sizes, cell = pricer.sizes, _cell(request)
        memory = getattr(sizes, which)(cell)
        if word is not None:
            memory = sizes.weights(cell, pricer.chip.gating.reload)
        what = " + ".join(column.partition("_")[0] for column in columns)
        text = (
            f"CACTI 7, {pricer.node:g} nm {cell.upper()}, {_size(memory.bits / memory.banks)} of "
            f"{which}, {memory.word}-bit word: {what}"
        )
        return pricer.sum("sram", [(memory, column) for column in columns], text)

    return price


def _memory_leakage(pricer: Pricer, request: Component) -> Priced:
    cell, memory = _cell(request), pricer.chip.core.memory
    bits = memory.synapses + memory.neurons + memory.axons
    parts = [(part, "leak_uW") for part in pricer.sizes.memories(cell)]
    text = f"CACTI 7, {pricer.node:g} nm {cell.upper()}, 320 K, the core's three memories: leakage"
    return pricer.sum("sram", parts, text, per=max(bits, 1))


def _router(column: str, what: str) -> Callable[..., Priced]:
    def price(pricer: Pricer, request: Component) -> Priced:
        router = pricer.sizes.router()
        text = (
            f"DSENT, {pricer.node:g} nm, {router.ports} ports of {router.width} bits, "
            f"{router.channels} VC{'s' * (router.channels != 1)} x {router.depth} "
            f"flit{'s' * (router.depth != 1)}: {what}"
        )
        return pricer.sum("router", [(router, column)], text)

    return price


def _queue(which: str, like: str = "") -> Callable[..., Priced]:
    def price(pricer: Pricer, request: Component) -> Priced:
        queue = getattr(pricer.sizes, which)()
        text = (
            f"{like}DSENT, {pricer.node:g} nm, a queue of {queue.entries} flits of {queue.width} "
            f"bits: write + read"
        )
        return pricer.sum("fifo", [(queue, "write_pJ"), (queue, "read_pJ")], text)

    return price


def _link(like: str = "") -> Callable[..., Priced]:
    def price(pricer: Pricer, request: Component) -> Priced:
        wire = Wire(pricer.node, pricer.chip.link.flit, link_length(pricer.chip))
        text = (
            f"{like}DSENT, {pricer.node:g} nm, {wire.width} bits over {wire.length * 1e3:.3g} mm, "
            f"a tile's edge"
        )
        return pricer.sum("link", [(wire, "energy_pJ_per_flit")], text)

    return price


def _clock(pricer: Pricer, request: Component) -> Priced:
    """Return ODIN's clock at this node and voltage, and the registers a core has beyond ODIN's."""
    own, bit = figure("clock"), figure("register")
    beyond = max(pricer.sizes.registers() - REFERENCE_REGISTERS, 0)
    scale = (pricer.voltage / own.voltage) ** 2 * pricer.node / own.node
    more = beyond * (pricer.voltage / bit.voltage) ** 2 * pricer.node / bit.node
    value, low, high = (
        (getattr(own, end) * scale + getattr(bit, end) * more) * 1e-12
        for end in ("value", "low", "high")
    )
    text = (
        f"{own.source}, times ({pricer.voltage:g}/{own.voltage:g})^2 and "
        f"{pricer.node:g}/{own.node:g}; and {beyond} bits of registers beyond ODIN's, {bit.source}"
    )
    return Priced(value, (low, high), text, "assumed")


def _logic_leakage(pricer: Pricer, request: Component) -> Priced:
    density, area = figure("leakage"), pricer.chip.area
    lanes = area.lane.value * pricer.chip.core.synapse.lanes
    square = lanes + area.queue.value + area.logic.value
    value, low, high = (
        getattr(density, end) * square * 1e-6 / 1e-6 for end in ("value", "low", "high")
    )
    text = f"{density.source}, times {square * 1e6:.3g} mm2 of logic"
    return Priced(value, (low, high), text, "assumed")


def _area_memory(pricer: Pricer, request: Component) -> Priced:
    cell = _cell(request)
    sizes, factor = sized_for_area(pricer.chip, "sram", pricer.node)
    parts = [(part, "area_mm2") for part in sizes.memories(cell)]
    text = f"CACTI 7, {sizes.node:g} nm {cell.upper()}, the core's three memories"
    return _shrunk(pricer, pricer.sum("sram", parts, text), sizes.node, factor)


def _area_lane(pricer: Pricer, request: Component) -> Priced:
    value = lane_area(pricer.node, pricer.chip.core.synapse.accumulator)
    text = (
        f"a multiplier of 8 bits and an adder at 45 nm (Horowitz 2014) and registers at 40 nm "
        f"(Aladdin, Shao 2014), times their share at {pricer.node:g} nm (Stillmaker 2017)"
    )
    return Priced(value, (value / 2, value * 2.5), text)


def _area_queue(pricer: Pricer, request: Component) -> Priced:
    sizes, factor = sized_for_area(pricer.chip, "fifo", pricer.node)
    queues = (sizes.input_queue(), sizes.spike_queue(), sizes.output_queue())
    text = f"DSENT, {sizes.node:g} nm, a core's three queues"
    priced = pricer.sum("fifo", [(queue, "area_mm2") for queue in queues], text)
    return _shrunk(pricer, priced, sizes.node, factor)


def _area_router(pricer: Pricer, request: Component) -> Priced:
    sizes, factor = sized_for_area(pricer.chip, "router", pricer.node)
    router = sizes.router()
    text = (
        f"DSENT, {sizes.node:g} nm, {router.ports} ports of {router.width} bits, "
        f"{router.channels} x {router.depth} flits"
    )
    priced = pricer.sum("router", [(router, "area_mm2")], text)
    return _shrunk(pricer, priced, sizes.node, factor)


def _area_link(pricer: Pricer, request: Component) -> Priced:
    node, factor = nearest("link", pricer.node)
    wire = Wire(node, pricer.chip.link.flit, link_length(pricer.chip))
    text = f"DSENT, {node:g} nm, repeaters of {wire.width} bits over a tile's edge"
    priced = pricer.sum("link", [(wire, "area_active_mm2")], text)
    return _shrunk(pricer, priced, node, factor)


def _shrunk(pricer: Pricer, priced: Priced, node: float, factor: float) -> Priced:
    """Return an area carried from the table's node to the chip's."""
    if node == pricer.node:
        return priced
    low, high = priced.band
    text = f"{priced.source}, times {factor:.3g} to {pricer.node:g} nm (Stillmaker 2017)"
    return Priced(priced.value * factor, (low * factor, high * factor), text)


def tile_area(chip: Chip) -> float:
    """Return the m² of a tile: its cores and its router."""
    area = chip.area
    core = area.memory.value + area.lane.value * chip.core.synapse.lanes
    core += area.queue.value + area.logic.value
    return float(core * chip.mesh.cores_per_tile + area.router.value)


def link_length(chip: Chip) -> float:
    """Return the length of a mesh link in metres: the edge of a square tile."""
    return math.sqrt(tile_area(chip))


#: in this order, for a link is as long as the areas before it say
PRICED: dict[str, dict[str, tuple[Kind, Callable[[Pricer, Component], Priced]]]] = {
    "area": {
        "memory": ("sram", _area_memory),
        "lane": ("arithmetic", _area_lane),
        "queue": ("queue", _area_queue),
        "router": ("router", _area_router),
        "link": ("link", _area_link),
    },
    "energy": {
        "accumulator": ("sram", _memory("accumulators", "read_pJ", "write_pJ")),
        "weight_read": ("sram", _memory("weights", "read_pJ")),
        "membrane_read": ("sram", _memory("neurons", "read_pJ")),
        "membrane_write": ("sram", _memory("neurons", "write_pJ")),
        "state_clear": ("sram", _memory("neurons", "write_pJ")),
        "axon_lookup": ("sram", _memory("axons", "read_pJ")),
        "input_queue": ("queue", _queue("input_queue")),
        "output_queue": ("queue", _queue("output_queue", "as input_queue: ")),
        "injection": ("link", _link()),
        "ejection": ("link", _link("as injection: ")),
        "buffer_write": ("router", _router("buffer_write_pJ", "buffer write")),
        "buffer_read": ("router", _router("buffer_read_pJ", "buffer read")),
        "crossbar": ("router", _router("crossbar_pJ", "crossbar")),
        "allocation": ("router", _router("switch_allocation_pJ", "switch allocation")),
        "link_east_west": ("link", _link()),
        "link_north_south": ("link", _link("as link_east_west: ")),
        "reload": ("sram", _memory("weights", "write_pJ", word="reload")),
    },
    "power": {
        "core_leakage": ("logic", _logic_leakage),
        "memory_leakage": ("sram", _memory_leakage),
        "core_clock_active": ("clock", _clock),
        "core_clock_idle": ("clock", _clock),
        "router_leakage": ("router", _router("leakage_mW", "leakage of low-threshold cells")),
        "router_clock": ("router", _router("clock_pJ_per_cycle", "clock")),
    },
}


def constant(kind: type[Constant], priced: Priced, request: Component) -> Constant:
    """Return a priced component as a constant; a factor is an assumption, so that its band reaches
    to the price without it.
    """
    times, (low, high) = request.times, priced.band
    value, evidence, source = priced.value * times, priced.evidence, priced.source
    band = [min(low * times, value), max(high * times, value)]
    if times != 1.0:
        band = [min(band[0], priced.value), max(band[1], priced.value)]
        evidence = "assumed"
        source += f", times {times:g}: {request.because or 'not said why'}"
    return kind.model_construct(
        value=value, source=source, evidence=evidence, scope="marginal", band=band
    )
