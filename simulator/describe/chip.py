"""A chip as its YAML file says it: geometry, network on chip, cores, power, and a table of sourced
constants.

Durations are cycles, sizes bits or flits, energies joules and powers watts once loaded.  Every
number of the file names its source: constants carry their own, the others stand in `sources`, by
key.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr

from simulator import units
from simulator.describe import corners, library, ports
from simulator.describe.blame import blame
from simulator.describe.chip_checks import (
    UNSOURCED,
    check_clock,
    check_corners,
    check_places,
    check_sources,
    check_tokens,
    numbers,
)
from simulator.describe.components.costing import base_voltage, number_instead, priced, settle
from simulator.describe.components.request import OrComponent, Slowest
from simulator.describe.components.rule import VoltageRule
from simulator.describe.corners import NOMINAL, Corner, OperatingPoint
from simulator.describe.documents import Description, Document
from simulator.describe.energy import AreaTable, EnergyTable, PowerTable
from simulator.describe.fields import (
    Bits,
    Buffer,
    Duration,
    Flits,
    FrequencyOrAsynchronous,
    Natural,
    OneOf,
    Positive,
    PositiveDuration,
    Seconds,
    SomeBits,
    Voltage,
    duration_or,
)
from simulator.describe.messages import dotted, shown_value
from simulator.describe.pace import Barrier, Gating, Step
from simulator.describe.ports import Port
from simulator.describe.published import Claim
from simulator.describe.routing import ROUTING
from simulator.describe.settings import Setting, Settings, settings
from simulator.describe.stated import outside
from simulator.errors import InputError, UnitError

#: cycles, or 'bulk' (-1)
Clear = Annotated[int, BeforeValidator(duration_or("bulk", -1))]
Channels = Annotated[list[Natural], Field(min_length=2, max_length=2)]


class Technology(Description):
    """What the constants were taken at.

    An operating point scales dynamic energy by the square of its voltage over this one
    (corners.py); components are priced at the node.
    """

    node: str = Field(min_length=1)
    voltage: Voltage
    rule: VoltageRule | None = None


class Mesh(Description):
    """Tiles in a rectangle; one router and `cores_per_tile` cores each."""

    width: Annotated[int, Field(ge=1, le=1024)]
    height: Annotated[int, Field(ge=1, le=1024)]
    cores_per_tile: Annotated[int, Field(ge=1, le=8)]


class Router(Description):
    """Input-queued wormhole router (docs/machine.md)."""

    pipeline: Literal["lookahead", "canonical"]
    virtual_channels: Annotated[int, Field(ge=1, le=8)]
    buffer: Buffer
    atomic: bool
    routing: Annotated[str, OneOf(ROUTING)]
    multicast: bool
    spike_channels: Channels | None = None  # first and last VC of spike packets; absent: all
    stream_channels: Channels | None = None  # of dense streams


class Direction(Description):
    """Links of one direction."""

    latency: PositiveDuration
    interval: PositiveDuration


class Link(Description):
    """Mesh links: what one flit carries, and how long it takes."""

    flit: SomeBits
    east_west: Direction
    north_south: Direction


class Packet(Description):
    """The fields a packet is built from, packed into flits of the link's width."""

    destination: Bits  # routing field: which core
    axon: Bits  # which row of the destination's synapses; the first one of a stream
    maximum: Flits  # a longer stream or group is cut into several packets
    events_per_packet: Positive  # spikes or graded spikes of one core that share a packet
    spike_payload: Bits = 0  # of a single spike, whose arrival says everything; a bitmap needs none
    spikes: Literal["events", "bitmap", "counts", "train"]  # the last two: of a whole window
    activations: Literal["events", "bitmap", "dense"]


class Synapse(Description):
    """The unit that reads a row of weights and adds it to the accumulators."""

    lookup: Duration  # per event
    lanes: Positive
    accumulate: PositiveDuration  # per synapse and lane
    multiply_accumulate: PositiveDuration
    word: SomeBits  # of the weight memory
    banks: Positive  # words read at once
    index: Bits  # per synapse of a sparse row, beside the weight
    zero_weight_skip: Literal["none", "index", "bitmap", "run_length"] = "none"
    run: SomeBits | None = None  # of the zeros before a weight, with run_length
    packed: bool = False  # ternary weights: five in 8 bits of a row, instead of 2 bits each
    accumulator: SomeBits  # signed, of the currents of one neuron (of one pooled for their maximum)
    accumulator_word: SomeBits  # of the accumulator memory
    group: Positive = 1  # events that wait and visit the same accumulators together
    shared: Duration = 0  # of `accumulate`: what a group takes once, to load and store accumulators
    reuse: Literal["none", "window"] = "none"  # of a row, for the spikes of its source in a window
    counts: Literal["planes", "multiply"] = "planes"  # how the lanes then add them
    zero_skip: bool
    zero: Duration  # per zero activation skipped in a stream


class Soma(Description):
    """The unit that updates the neurons, once per timestep."""

    update: Literal["all", "touched"]
    visit: PositiveDuration  # per neuron
    spike: Duration  # more for a neuron that sends
    #: per neuron whose state is written before an inference; -1: 'bulk', all at once and free
    clear: Clear
    state: SomeBits  # of neuron memory per neuron, beside its accumulators
    word: SomeBits  # of the neuron memory
    queue: Positive  # spikes


class AxonOut(Description):
    """The unit that turns a spike into packets."""

    packet: PositiveDuration  # per packet
    entry: SomeBits  # of axon memory per destination, or per tree with router.multicast
    sharing: Literal["neuron", "population"]  # of entries: by none, or by all to the same places
    queue: Positive  # packets, per traffic class


class Memory(Description):
    """The sizes of a core's memories."""

    synapses: Bits
    neurons: Bits
    axons: Bits


class Core(Description):
    """A core: four units in a row, connected by finite queues."""

    input_queue: Buffer  # flits per VC
    synapse: Synapse
    soma: Soma
    axon_out: AxonOut
    memory: Memory


@dataclass(frozen=True)
class Origin:
    """The file a chip was read from, as it was then, and the changes applied to it."""

    document: Document = field(compare=False, repr=False)
    changes: tuple[Setting, ...] = field(compare=False)


class Chip(Description):
    """One chip: load it with `Chip.load('generic-22nm')`, by name or by path."""

    schema_version: Literal[1]
    name: str = Field(min_length=1)
    about: str = Field(min_length=1)
    technology: Technology
    period: Seconds  # of the one clock of the simulation
    #: of the clock at the nominal voltage; None: no clock, the period is the simulator's grid
    maximum_frequency: Annotated[FrequencyOrAsynchronous, OrComponent(Slowest)]
    mesh: Mesh
    router: Router
    link: Link
    packet: Packet
    ports: Annotated[list[Port], Field(min_length=1)]
    core: Core
    step: Step = Step()
    barrier: Barrier
    gating: Gating
    energy: EnergyTable
    power: PowerTable
    area: AreaTable
    corners: dict[str, Corner] = {}
    #: what the constants hold for, by key, as written there
    stated_for: dict[str, bool | int | float | str | list[Any]] = {}
    sources: dict[str, str]
    notes: list[str] = []
    published: list[Claim] = []
    _nominal_period: float | None = PrivateAttr(None)
    _corner: str = PrivateAttr(NOMINAL)
    _file: Path | None = PrivateAttr(None)
    _outside: tuple[str, ...] = PrivateAttr(())
    _origin: Origin | None = PrivateAttr(None)  # None: copied with other values

    @classmethod
    def load(cls, chip: str | Path, overrides: Settings = (), corner: str = NOMINAL) -> Chip:
        """Return the chip of that name (in chips/) or path, with changes applied, at an operating
        point.

        overrides: {'key.path': value}, or texts 'key.path=value'.  Raises DescriptionError with
        every fault of the file at once, each with file and line: at a corner also for a time that
        is no whole number of that corner's cycles.
        """
        if not isinstance(chip, (str, Path)):
            raise InputError(f"chip: must be a name or a path, not {shown_value(chip)}")
        return cls._made(Document(library.find("chip", chip)), settings(overrides), corner)

    def changed(self, changes: Settings) -> Chip:
        """Return this chip with more changes, checked as when a file is read; see `load`."""
        origin = self._origin
        if origin is None:
            raise InputError(f"chip {self.name}: must come from a file to be changed")
        return self._made(origin.document, (*origin.changes, *settings(changes)), self.corner)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Chip:
        """Return a copy; one with other values has no file any more that it could be changed in."""
        copied = super().model_copy(update=update, deep=deep)
        if update:
            copied._origin = None
        return copied

    @classmethod
    def _made(cls, document: Document, changes: tuple[Setting, ...], corner: str) -> Chip:
        if not isinstance(corner, str):
            raise InputError(f"corner: must be a text, not {shown_value(corner)}")
        read, loaded, point = cls._read(document, changes, corner)
        blame(read, lambda some, at: cls._read(document, some, at)[0], changes, corner)
        read.refuse()
        assert loaded is not None
        loaded._nominal_period, loaded._corner = loaded.period, corner
        loaded._file = document.path
        made = loaded if point is None else corners.at(loaded, point)
        made._origin = Origin(document, changes)
        return made

    @classmethod
    def _read(
        cls, pristine: Document, changes: tuple[Setting, ...], corner: str
    ) -> tuple[Document, Chip | None, OperatingPoint | None]:
        """Return the file as a document with all its faults, and the chip where it is one."""
        document = copy.deepcopy(pristine)
        document.override(changes)
        number_instead(document)
        base = base_voltage(document.tree, pristine.tree)
        settle(document, cls, base)
        point = None if corner == NOMINAL else corners.point(document.tree, corner)
        period = _period(document) if point is None else point.period or None
        loaded = document.validate(cls, {"period": period})
        if loaded is not None:
            check_places(document, loaded)
            check_corners(document, loaded)
            check_tokens(document, loaded)
            leaves = {dotted(key): key for key in numbers(document.tree) if key[0] not in UNSOURCED}
            check_sources(document, loaded, leaves, {change.path for change in changes})
            loaded._outside = outside(document, loaded.stated_for, leaves, loaded, period)
            loaded = priced(document, loaded, base or loaded.technology.voltage)
        if loaded is not None:
            check_clock(document, loaded)
        return document, loaded, point

    @property
    def outside_statement(self) -> tuple[str, ...]:
        """What differs from what the constants are stated for, one line each: the energies do not
        follow it.
        """
        return self._outside

    @property
    def nominal_period(self) -> float:
        """The period the file states, whatever the corner."""
        return self.period if self._nominal_period is None else self._nominal_period

    @property
    def file(self) -> Path:
        """The file this chip was read from."""
        assert self._file is not None
        return self._file

    @property
    def corner(self) -> str:
        """The operating point this chip was loaded at."""
        return self._corner

    @property
    def n_tiles(self) -> int:
        """Tiles of the mesh."""
        return self.mesh.width * self.mesh.height

    @property
    def n_cores(self) -> int:
        """Cores of the chip."""
        return self.n_tiles * self.mesh.cores_per_tile

    @property
    def input_port(self) -> int:
        """Number of the port by which a network's input enters."""
        return ports.number_of(self.ports, "input")

    @property
    def output_port(self) -> int:
        """Number of the port by which its results leave."""
        return ports.number_of(self.ports, "output")


def _period(document: Document) -> Any:
    try:
        period = units.exact(document.tree.get("period"), "time")
    except UnitError:
        return None
    return period if period > 0 else None
