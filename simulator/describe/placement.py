"""Which cores populations are on, as files and Python say it, and what can be wrong with it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator.describe.arrays import Arrays
from simulator.describe.documents import Document
from simulator.describe.messages import Key, near_miss, shown_value
from simulator.describe.network import Network

#: by population: the cores of slices of consecutive neurons as equal as can be, or the core of each
#: neuron, (n_neurons,) int64
Placement = dict[str, list[int] | np.ndarray]


def read(
    document: Document,
    key: Key,
    written: dict[str, list[int] | str],
    arrays: Arrays | None,
    network: Network | None,
) -> Placement:
    """Return a placement as it stands in a file below `key`, with all its faults reported."""
    found: Placement = {}
    for name, cores in written.items():
        if isinstance(cores, str):
            array = None
            if arrays is None:
                document.fault((*key, name), "must be a list of cores where no `arrays` are named")
            else:
                array = arrays.get((*key, name), cores)
            found[name] = np.zeros(0, np.int64) if array is None else array
            if array is None:
                network = None  # that is fault enough
        else:
            found[name] = cores
    if network is not None:
        for below, message in misplaced(network, found):
            document.fault((*key, *below), message)
    return found


def misplaced(network: Network, placement: Placement) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every fault of a placement: the key below it, and what is wrong."""
    sizes = {
        network.populations[number].name: network.populations[number].n_neurons
        for number in network.computed
    }
    kind = "layer" if network.is_chain else "population"
    for name, cores in placement.items():
        if name not in sizes:
            yield (name,), f"must name a {kind}{near_miss(name, list(sizes))}"
        elif isinstance(cores, np.ndarray):
            message = _wrong(cores, sizes[name])
            if message:
                yield (name,), message
        elif not cores:
            yield (name,), "must name at least one core"
        else:
            again = sorted({core for core in cores if cores.count(core) > 1})
            if again:
                yield (name,), f"must not use core {again[0]} again: it holds {shown_value(name)}"
    for name in sizes:
        if name not in placement:
            yield (), f"must place every {kind}; {shown_value(name)} is missing"


def _wrong(cores: np.ndarray, neurons: int) -> str | None:
    """Return what is wrong with the cores of neurons, or None."""
    if cores.dtype.kind not in "iu" or cores.ndim != 1:
        return f"must be whole numbers in a row, not {cores.dtype} of shape {cores.shape}"
    if len(cores) != neurons:
        return f"must have a core for each of {neurons} neurons, not {len(cores)}"
    if len(cores) and not 0 <= int(cores.min()) <= int(cores.max()) < 1 << 31:
        return f"must be cores from 0 on, not {int(cores.min())} to {int(cores.max())}"
    return None


def in_one_form(placement: Placement) -> Placement:
    """Return a placement with every array as frozen int64 and every list of plain numbers."""
    found: Placement = {}
    for name, cores in placement.items():
        if isinstance(cores, np.ndarray) and cores.dtype.kind in "iu" and cores.ndim == 1:
            array = cores.astype(np.int64)
            array.setflags(write=False)
            found[name] = array
        else:
            found[name] = cores
    return found
