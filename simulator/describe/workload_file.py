"""The keys of a workload's YAML file (docs/workloads.md)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simulator.describe.connections import KINDS
from simulator.describe.documents import Description
from simulator.describe.drawn import DrawnArray
from simulator.describe.fields import Natural, OneOf, Positive
from simulator.describe.neuron import MODELS
from simulator.describe.stated_activity import ActivityDocument
from simulator.describe.words import Encoding, Firing, StateKind, StimulusKind

Shape = Annotated[list[Positive], Field(min_length=1, max_length=3)]
Name = Annotated[str, Field(min_length=1)]
WeightBits = Annotated[int, Field(ge=1, le=16)]
#: of one number in a workload: potentials have at most 48 bits
Integer = Annotated[int, Field(ge=-(2**47), le=2**47)]
#: one number, or (vertical, horizontal)
Size = Positive | Annotated[list[Positive], Field(min_length=2, max_length=2)]
NaturalSize = Natural | Annotated[list[Natural], Field(min_length=2, max_length=2)]
Decay = Annotated[int, Field(ge=0, le=4096)]
Width = Annotated[int, Field(ge=2, le=48)]
#: no window is longer
Delay = Annotated[int, Field(ge=0, le=4096)]


class InputDocument(Description):
    """What enters: its shape and the width of one value."""

    shape: Shape
    bits: Annotated[int, Field(ge=1, le=31)]
    signed: bool = False


class ConnectionDocument(Description):
    """Weights by the name of their array; which other keys there are depends on the kind."""

    kind: Annotated[str, OneOf(KINDS)]
    weight: Name
    weight_bits: WeightBits
    per_timestep: bool = False
    stride: Size = 1
    padding: NaturalSize = 0
    dilation: Size = 1
    groups: Positive = 1
    start: Name | None = None
    index: Name | None = None
    delay: Name | None = None


class PoolDocument(Description):
    """Pooling of a convolution's currents."""

    kind: Literal["max", "sum"]
    size: Annotated[int, Field(ge=2, le=64)]


class NeuronDocument(Description):
    """Integers, or names of arrays with one entry per neuron or per channel."""

    model: Annotated[str, OneOf(MODELS)]
    threshold: Integer | Name | None = None
    initial: Integer | Name = 0
    bias: Integer | Name = 0
    reset: Literal["subtract", "zero", "value"] = "subtract"
    reset_value: Integer | Name | None = None
    reset_at: Literal["same", "next", "held"] = "same"
    lower_bound: Integer | Name | None = None
    gain: Integer | Name | None = None
    limit: Annotated[int, Field(ge=1, le=4096)] | None = None
    compare: Literal[">=", ">", "even", "odd"] = ">="
    decay: Decay = 0
    current_decay: Decay = 0
    potential_bits: Width = 32
    current_bits: Width = 32
    overflow: Literal["saturate", "wrap"] = "saturate"
    emits: Literal["spike", "graded"] = "spike"
    value_bits: Annotated[int, Field(ge=1, le=16)] | None = None
    read: Literal["last", "sum", "maximum"] = "last"


class LayerDocument(Description):
    """One layer; `shape` is (channels, height, width) after pooling, and may be left out where it
    follows.
    """

    name: Name
    shape: Shape | None = None
    connection: ConnectionDocument
    pool: PoolDocument | None = None
    neuron: NeuronDocument


class FedDocument(Description):
    """Of a population that is an input: the width of one value."""

    bits: Annotated[int, Field(ge=1, le=31)]
    signed: bool = False


class PopulationDocument(Description):
    """A shape, and either neurons or an input."""

    name: Name
    shape: Shape
    input: FedDocument | None = None
    neuron: NeuronDocument | None = None


class ProjectionDocument(Description):
    """Synapses from one population to another, by their names."""

    source: Name
    target: Name
    connection: ConnectionDocument
    pool: PoolDocument | None = None
    delay: Delay = 0
    bias: Integer | Name | None = None


class FeedDocument(Description):
    """What one input is fed."""

    kind: StimulusKind
    values: Name


class StimulusDocument(Description):
    """What is presented: an array of values, or one for each of several inputs; for accuracy,
    labels; whether each inference begins anew or with the state of the one before it.
    """

    kind: StimulusKind | None = None
    values: Name | None = None
    inputs: dict[str, FeedDocument] | None = None
    labels: Name | None = None
    state: StateKind = "reset"


class TwinDocument(Description):
    """How the two twins run unless the command line says otherwise; `activity` is of other numbers
    of timesteps than its network was made for.
    """

    timesteps: Annotated[int, Field(ge=1, le=4096)]
    firing: Firing
    activity: ActivityDocument | None = None


class MappingDocument(Description):
    """Where populations go: `auto`, or the cores of each, or the name of an array with the core of
    each of its neurons; `neurons_per_core` limits a core further than its memories do;
    `encoding` is of what populations send, where it is not the chip's.
    """

    placement: Literal["auto"] | dict[str, list[Natural] | Name]
    neurons_per_core: Positive | None = None
    encoding: Literal["auto"] | dict[str, Encoding | Literal["auto"]] | None = None


class WorkloadDocument(Description):
    """The YAML file of a workload: a graph of `populations` and `projections`, or a chain of
    `layers`.
    """

    schema_version: Literal[1]
    name: Name
    about: Name
    arrays: Name | None = None
    drawn: dict[Name, DrawnArray] = {}
    input: InputDocument | None = None
    layers: Annotated[list[LayerDocument], Field(min_length=1)] | None = None
    populations: Annotated[list[PopulationDocument], Field(min_length=2)] | None = None
    projections: Annotated[list[ProjectionDocument], Field(min_length=1)] | None = None
    outputs: Annotated[list[Name], Field(min_length=1)] | None = None
    stimulus: StimulusDocument
    twin: TwinDocument
    mapping: MappingDocument
