"""The keys of a workload's YAML file (docs/workloads.md)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simulator.describe.documents import Description
from simulator.describe.fields import Natural, OneOf, Positive
from simulator.describe.network import MODELS
from simulator.describe.words import Firing, StimulusKind

Shape = Annotated[list[Positive], Field(min_length=1, max_length=3)]
Name = Annotated[str, Field(min_length=1)]
WeightBits = Annotated[int, Field(ge=1, le=16)]


#: of one number in a workload: potentials have at most 48 bits
Integer = Annotated[int, Field(ge=-(2**47), le=2**47)]


class InputDocument(Description):
    """What enters: its shape and the width of one value."""

    shape: Shape
    bits: Annotated[int, Field(ge=1, le=31)]


class ConnectionDocument(Description):
    """Weights by the name of their array; `start` and `index` for sparse rows, `stride` and
    `padding` for convolutions.
    """

    kind: Literal["dense", "sparse", "convolution"]
    weight: Name
    weight_bits: WeightBits
    stride: Positive = 1
    padding: Natural = 0
    start: Name | None = None
    index: Name | None = None


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
    reset: Literal["subtract", "zero"] = "subtract"
    compare: Literal[">=", ">"] = ">="
    decay: Annotated[int, Field(ge=0, le=4096)] = 0
    potential_bits: Annotated[int, Field(ge=2, le=48)] = 32
    overflow: Literal["saturate", "wrap"] = "saturate"


class LayerDocument(Description):
    """One layer; `shape` is (channels, height, width) after pooling, and may be left out where it
    follows.
    """

    name: Name
    shape: Shape | None = None
    connection: ConnectionDocument
    pool: PoolDocument | None = None
    neuron: NeuronDocument


class StimulusDocument(Description):
    """What is presented: arrays of values and, for accuracy, labels."""

    kind: StimulusKind
    values: Name
    labels: Name | None = None


class TwinDocument(Description):
    """How the two twins run unless the command line says otherwise."""

    timesteps: Annotated[int, Field(ge=1, le=4096)]
    firing: Firing


class MappingDocument(Description):
    """Where layers go: `auto`, or cores per layer; `neurons_per_core` limits a core further than
    its memories do.
    """

    placement: Literal["auto"] | dict[str, list[Natural]]
    neurons_per_core: Positive | None = None


class WorkloadDocument(Description):
    """The YAML file of a workload."""

    schema_version: Literal[1]
    name: Name
    about: Name
    arrays: Name
    input: InputDocument
    layers: Annotated[list[LayerDocument], Field(min_length=1)]
    stimulus: StimulusDocument
    twin: TwinDocument
    mapping: MappingDocument
