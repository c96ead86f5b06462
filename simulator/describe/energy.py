"""The energy and power tables of a chip: joules per counted action, watts per state. Every entry
must be given; `0 pJ` is a valid value.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field, ValidationInfo, field_validator

from simulator.describe.components.request import OrComponent
from simulator.describe.documents import Description
from simulator.describe.fields import Area, Energy, Power, PowerPerBit

Number = TypeVar("Number")
Evidence = Literal["measured", "published", "derived", "assumed"]
#: from the best to the weakest
EVIDENCE: tuple[Evidence, ...] = ("measured", "published", "derived", "assumed")
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class Constant(Description, Generic[Number]):
    """A number of physics with its provenance; `band` is the stated range [low, high]."""

    value: Number
    source: str = Field(min_length=1)
    evidence: Evidence
    scope: Literal["marginal", "all_in"]
    band: Annotated[list[Number], Field(min_length=2, max_length=2)] | None = None

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Return what is pickled: a kind of constant has no name of its own to be found by."""
        kind = next((name for name, one in _KINDS.items() if one is type(self)), None)
        if kind is None:
            return super().__reduce_ex__(protocol)
        return _empty, (kind,), self.__getstate__()

    @field_validator("band")
    @classmethod
    def _around(cls, band: list[Any] | None, info: ValidationInfo) -> list[Any] | None:
        value = info.data.get("value")
        if band is not None and value is not None and not band[0] <= value <= band[1]:
            raise ValueError("must be [low, high] around the value")
        return band


#: the kinds of constants, by name
_KINDS: dict[str, type[Constant]] = {
    "energy": Constant[Energy],
    "power": Constant[Power],
    "power per bit": Constant[PowerPerBit],
    "share": Constant[Share],
    "area": Constant[Area],
}


def _empty(kind: str) -> Constant:
    """Return a constant of that kind for pickle to fill."""
    return _KINDS[kind].__new__(_KINDS[kind])


class MultiplyAccumulate(Constant[Energy]):
    """One multiply-accumulate; `by_bits` prices it by '<weight bits>x<activation bits>', and then
    holds every pair in use.
    """

    by_bits: (
        dict[Annotated[str, Field(pattern=r"^[1-9][0-9]*x[1-9][0-9]*$")], Constant[Energy]] | None
    ) = None

    @field_validator("by_bits")
    @classmethod
    def _beside_a_price(
        cls, by_bits: dict[str, Any] | None, info: ValidationInfo
    ) -> dict[str, Any] | None:
        if by_bits is not None and info.data.get("value") == 0:
            raise ValueError(
                "must stand beside a value above 0 pJ: the band of that value moves all of them"
            )
        return by_bits


#: constants that may be components
EnergyCost = Annotated[Constant[Energy], OrComponent()]
PowerCost = Annotated[Constant[Power], OrComponent()]
PowerPerBitCost = Annotated[Constant[PowerPerBit], OrComponent()]
AreaCost = Annotated[Constant[Area], OrComponent()]


class EnergyTable(Description):
    """Joules per action; the counts they multiply are in docs/results.md."""

    accumulate: Constant[Energy]  # one synapse served by adding its weight
    multiply_accumulate: MultiplyAccumulate  # one synapse served by multiplying and adding
    #: one synapse served by adding a count of spikes times its weight
    count_accumulate: Constant[Energy]
    #: one word of core.synapse.accumulator_word bits, read and written back for a row of synapses
    accumulator: EnergyCost
    weight_read: EnergyCost  # one word of core.synapse.word bits
    event: Constant[Energy]  # one event looked up by the synapse unit
    #: one comparison of the spiking twin, with the leak: of a potential, or of two pooled currents
    threshold_test: Constant[Energy]
    #: one comparison of the quantised twin: two that clip an activation, or of two pooled currents
    clamp: Constant[Energy]
    #: one quantised activation: a current divided by its threshold, or multiplied and shifted
    requantise: Constant[Energy]
    membrane_read: EnergyCost  # one word of core.soma.word bits
    membrane_write: EnergyCost
    state_clear: EnergyCost  # one word of core.soma.word bits, before an inference begins
    reset: Constant[
        Energy
    ]  # one spike of the spiking twin: the threshold is subtracted, or the potential cleared
    event_generation: Constant[Energy]  # one spike or activation handed to axon-out
    axon_lookup: EnergyCost  # one packet built from the axon table
    input_queue: EnergyCost  # one flit pushed and popped
    output_queue: EnergyCost  # one flit pushed and popped
    injection: EnergyCost  # one flit over the link core -> router
    ejection: EnergyCost  # one flit over the link router -> core
    buffer_write: EnergyCost  # one flit in one router
    buffer_read: EnergyCost
    crossbar: EnergyCost
    allocation: EnergyCost
    link_east_west: EnergyCost  # one flit over one mesh link
    link_north_south: EnergyCost
    payload_bit_hop: Constant[
        Energy
    ]  # one bit of an event packet's payload over one mesh link, beside what its flit costs
    header_bit_hop: Constant[
        Energy
    ]  # one bit of any packet's destination and axon fields over one mesh link
    stream_bit_hop: Constant[
        Energy
    ]  # one bit of a bitmap's or a dense stream's payload over one mesh link
    port_flit: Constant[Energy]  # one flit through a port to the outside
    barrier: Constant[Energy]  # one barrier, per tile in use
    token: Constant[Energy]  # one token made and taken, beside its flit
    gate_wake: Constant[Energy]  # one wake of a clock-gated core
    off_wake: Constant[Energy]  # one wake of a power-gated core
    reload: EnergyCost  # one cycle of writing lost weights and axons, gating.reload bits
    reload_fetch: Constant[Energy]  # one cycle of fetching them from where they are kept
    router_wake: Constant[Energy]


class PowerTable(Description):
    """Leakage and clock.  Leakage is paid by time, clocks by clocked cycle."""

    core_leakage: PowerCost  # logic of one core, not off
    memory_leakage: PowerPerBitCost  # memories of a core, not off
    off_share: Constant[Share]  # of logic, and of memories that lose what they hold, when off
    retention_share: Constant[Share]  # of memories that keep what they hold, when off
    core_clock_active: EnergyCost  # per cycle of a core with work
    core_clock_idle: EnergyCost  # per clocked cycle without work, and while waking
    router_leakage: PowerCost  # of one router
    router_gated_share: Constant[Share]  # of it that is still paid when gated
    router_clock: EnergyCost  # per clocked cycle of one router
    chip_static: Constant[Power]  # of the whole chip beyond cores and routers


class AreaTable(Description):
    """Silicon, by part."""

    memory: AreaCost  # the memories of one core
    lane: AreaCost  # one lane of a synapse unit
    queue: AreaCost  # the queues of one core
    logic: Constant[Area]  # of one core, beside its memories, lanes and queues
    router: AreaCost  # one router
    link: AreaCost  # one mesh link: its repeaters, for wires lie above
    chip: Constant[Area]  # beyond cores, routers and links
