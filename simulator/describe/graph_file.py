"""From the keys of a workload and its arrays to the Network: a chain of layers, or a graph of
populations and projections.
"""

from __future__ import annotations

from math import prod

import numpy as np

from simulator.describe.arrays import Arrays, frozen
from simulator.describe.connection_file import Place, connection, pooled
from simulator.describe.documents import Document
from simulator.describe.messages import Key, near_miss, shown_value
from simulator.describe.network import Network, Population, Projection
from simulator.describe.neuron_file import neuron, per_neuron
from simulator.describe.offsets import undelayed, undelayed_cycle
from simulator.describe.workload_file import (
    LayerDocument,
    PopulationDocument,
    ProjectionDocument,
    WorkloadDocument,
)

#: the name of a chain's input
INPUT = "input"


def build(document: Document, written: WorkloadDocument, arrays: Arrays) -> Network | None:
    """Return the network, or None after noting what is wrong."""
    if not _is_one_form(document, written):
        return None
    return (
        _chain(document, written, arrays) if written.layers else _graph(document, written, arrays)
    )


CHAIN, GRAPH = ("input", "layers"), ("populations", "projections", "outputs")


def _is_one_form(document: Document, written: WorkloadDocument) -> bool:
    """Note what belongs to the other form, or is missing in its own; return whether all is well."""
    if written.layers is None and written.populations is None:
        document.fault((), "must have layers, or populations and projections")
        return False
    is_chain = written.layers is not None
    own, other = (CHAIN, GRAPH) if is_chain else (GRAPH[:2], CHAIN)
    words = ("a graph of populations", "a chain of layers")
    missing = [name for name in own if getattr(written, name) is None]
    foreign = [name for name in other if getattr(written, name) is not None]
    for name in missing:
        document.fault((name,), "missing key: it must be given")
    for name in foreign:
        document.fault((name,), f"belongs to {words[not is_chain]}, not to {words[is_chain]}")
    return not missing and not foreign


def _chain(document: Document, written: WorkloadDocument, arrays: Arrays) -> Network | None:
    """Return a chain; a layer behind a wrong one is not looked at."""
    assert written.input is not None and written.layers is not None
    populations = [Population(INPUT, tuple(written.input.shape))]
    projections: list[Projection] = []
    names: set[str] = set()
    for number, layer in enumerate(written.layers):
        key: Key = ("layers", number)
        if layer.name in names:
            document.fault(
                (*key, "name"),
                f"must be used by one layer only, not again: {shown_value(layer.name)}",
            )
        names.add(layer.name)
        last = number == len(written.layers) - 1
        if not _link(document, key, layer, populations, projections, arrays, last):
            return None
    return Network(tuple(populations), tuple(projections), (len(projections),))


def _link(
    document: Document,
    key: Key,
    layer: LayerDocument,
    populations: list[Population],
    projections: list[Projection],
    arrays: Arrays,
    last: bool,
) -> bool:
    """Add one layer to a chain; return whether it could be built."""
    is_free = layer.connection.kind == "convolution" or layer.shape is None
    place = Place(populations[-1].shape, None if is_free else tuple(layer.shape or ()))
    if layer.connection.kind == "dense":
        place = Place(populations[-1].shape, None)
    found = connection(document, (*key, "connection"), layer.connection, layer.pool, place, arrays)
    if found is None:
        return False
    joined, shape = found
    if layer.shape is not None:
        if prod(layer.shape) != prod(shape) or (
            joined.kind == "convolution" and tuple(layer.shape) != shape
        ):
            document.fault(
                (*key, "shape"), f"must be {list(shape)} after its connection, not {layer.shape}"
            )
            return False
        shape = tuple(layer.shape)
    own = neuron(document, (*key, "neuron"), layer.neuron, shape, arrays)
    if own is None:
        return False
    if not own.fires and not last:
        document.fault(
            (*key, "neuron", "model"),
            f"must fire in every layer but the last, not be a {own.model!r}",
        )
    projections.append(
        Projection(len(projections), len(projections) + 1, joined, pooled(layer.pool))
    )
    populations.append(Population(layer.name, shape, own))
    return True


def _graph(document: Document, written: WorkloadDocument, arrays: Arrays) -> Network | None:
    assert written.populations is not None and written.projections is not None
    number_of: dict[str, int] = {}
    populations: list[Population | None] = []
    for number, population in enumerate(written.populations):
        key: Key = ("populations", number)
        if population.name in number_of:
            document.fault(
                (*key, "name"),
                f"must be used by one population only, not again: {shown_value(population.name)}",
            )
        number_of.setdefault(population.name, number)
        populations.append(_population(document, key, population, arrays))
    if not any(p.input is not None for p in written.populations):
        document.fault(("populations",), "must have at least one input")
    projections = [
        _projection(document, ("projections", k), projection, populations, number_of, arrays)
        for k, projection in enumerate(written.projections)
    ]
    whole = [p for p in populations if p is not None]
    paths = [p for p in projections if p is not None]
    if len(whole) < len(populations) or len(paths) < len(projections):
        return None
    outputs = _outputs(document, written, whole, paths, number_of)
    if outputs is None:
        return None
    network = Network(tuple(whole), tuple(paths), outputs)
    cycle = undelayed_cycle(network)
    if cycle:
        document.fault(("projections",), undelayed(network, cycle))
        return None
    return network


def _population(
    document: Document, key: Key, written: PopulationDocument, arrays: Arrays
) -> Population | None:
    if (written.input is None) == (written.neuron is None):
        given = "neither" if written.input is None else "both"
        document.fault(key, f"must have an input or a neuron, not {given}")
        return None
    shape = tuple(written.shape)
    if written.neuron is None:
        return Population(written.name, shape)
    own = neuron(document, (*key, "neuron"), written.neuron, shape, arrays)
    return None if own is None else Population(written.name, shape, own)


def _projection(
    document: Document,
    key: Key,
    written: ProjectionDocument,
    populations: list[Population | None],
    number_of: dict[str, int],
    arrays: Arrays,
) -> Projection | None:
    for end, name in (("source", written.source), ("target", written.target)):
        if name not in number_of:
            document.fault(
                (*key, end),
                f"must name a population, not {shown_value(name)}{near_miss(name, number_of)}",
            )
    if written.source not in number_of or written.target not in number_of:
        return None
    source = populations[number_of[written.source]]
    target = populations[number_of[written.target]]
    if source is None or target is None:
        return None
    if target.is_input:
        document.fault((*key, "target"), f"must be computed; {target.name!r} is an input")
        return None
    if not source.fires:
        document.fault((*key, "source"), f"must fire; {source.name!r} is a readout")
        return None
    ends = (
        f" to lead from {source.name!r} {list(source.shape)} to {target.name!r} "
        f"{list(target.shape)}"
    )
    place = Place(source.shape, target.shape, ends)
    found = connection(
        document, (*key, "connection"), written.connection, written.pool, place, arrays
    )
    if found is None:
        return None
    joined, shape = found
    if prod(shape) != target.n_neurons or (
        joined.kind == "convolution" and len(target.shape) == 3 and shape != target.shape
    ):
        document.fault(
            (*key, "connection"), f"must give {list(target.shape)}{ends}, not {list(shape)}"
        )
        return None
    bias = _bias(document, (*key, "bias"), written, target, arrays)
    return Projection(
        number_of[source.name],
        number_of[target.name],
        joined,
        pooled(written.pool),
        written.delay,
        bias,
    )


def _bias(
    document: Document, key: Key, written: ProjectionDocument, target: Population, arrays: Arrays
) -> np.ndarray | None:
    if written.bias is None:
        return None
    bias = per_neuron(document, key, written.bias, target.shape, arrays)
    return None if bias is None else frozen(bias)


def _outputs(
    document: Document,
    written: WorkloadDocument,
    populations: list[Population],
    projections: list[Projection],
    number_of: dict[str, int],
) -> tuple[int, ...] | None:
    """Return the populations that are read: those named, or those nothing starts from."""
    if written.outputs is None:
        sources = {projection.source for projection in projections}
        found = tuple(n for n, p in enumerate(populations) if not p.is_input and n not in sources)
        if not found:
            document.fault(
                ("outputs",),
                "missing key: it must be given where every population leads to another",
            )
        return found or None
    numbers: list[int] = []
    for place, name in enumerate(written.outputs):
        key: Key = ("outputs", place)
        if name not in number_of or populations[number_of[name]].is_input:
            computed = [p.name for p in populations if not p.is_input]
            document.fault(
                key,
                f"must name a population with neurons, not {shown_value(name)}"
                f"{near_miss(name, computed)}",
            )
        elif number_of[name] in numbers:
            document.fault(key, f"must be named once, not again: {shown_value(name)}")
        else:
            numbers.append(number_of[name])
    unread = [p.name for n, p in enumerate(populations) if not p.fires and n not in numbers]
    if unread:
        document.fault(
            ("outputs",), f"must name every readout; {shown_value(unread[0])} is missing"
        )
    return tuple(numbers) if len(numbers) == len(written.outputs) and not unread else None
