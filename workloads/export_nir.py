"""Write digits-mlp and digits-cnn as NIR files: `python workloads/export_nir.py` (needs h5py).

What NIR can say is in the file, in whole numbers: weights, biases and thresholds. What it cannot
say is chosen when it is imported: neurons start at half their threshold, fire at it, and reset by
subtraction (docs/importing.md).
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from simulator.describe.network import Network, Projection
from simulator.describe.workload import Workload

FOLDER = Path(__file__).parent
WORDS = h5py.string_dtype()


def linear(path: Projection) -> dict[str, object]:
    """Return a projection as a node without its bias."""
    joined = path.connection
    if joined.kind == "dense":
        return {"type": "Affine", "weight": joined.weight.T.astype(np.int8)}
    return {
        "type": "Conv2d",
        "weight": joined.weight,
        "stride": np.array(joined.stride),
        "padding": np.array(joined.padding),
        "dilation": np.array(joined.dilation),
        "groups": np.array(joined.groups),
        "input_shape": np.array(joined.input_shape[1:]),
    }


def nodes(network: Network) -> tuple[dict[str, dict[str, object]], list[tuple[str, str]]]:
    """Return the nodes of a chain, and its edges."""
    first, *others = network.populations
    found: dict[str, dict[str, object]] = {
        "input": {"type": "Input", "shape": np.array(first.shape)}
    }
    edges, last = [], "input"
    for path, population in zip(network.projections, others):
        name, neuron = population.name, population.neuron
        assert neuron is not None
        node = linear(path)
        bias = neuron.bias
        if node["type"] == "Conv2d":
            bias = bias.reshape(population.shape[0], -1)[:, 0]
        elif len(network.populations[path.source].shape) > 1:
            end = np.array(-1)
            found[f"{name}-flat"] = {"type": "Flatten", "start_dim": np.array(0), "end_dim": end}
            edges.append((last, f"{name}-flat"))
            last = f"{name}-flat"
        found[f"{name}-weight"] = node | {"bias": bias.astype(np.int32)}
        edges.append((last, f"{name}-weight"))
        last = f"{name}-weight"
        if not neuron.fires:
            found[name] = {"type": "Output", "shape": np.array(population.shape)}
        else:
            threshold = neuron.threshold.reshape(population.shape)
            r = np.ones(population.shape, np.int8)
            found[name] = {"type": "IF", "r": r, "v_threshold": threshold.astype(np.int32)}
        edges.append((last, name))
        last = name
    return found, edges


def write(path: Path, network: Network) -> None:
    """Write a chain as a NIR file."""
    found, edges = nodes(network)
    with h5py.File(path, "w") as file:
        file.create_dataset("version", data="1.0.8", dtype=WORDS)
        file.create_dataset("node/type", data="NIRGraph", dtype=WORDS)
        file.create_dataset("node/edges", data=np.array(edges, object), dtype=WORDS)
        for name, node in found.items():
            for key, value in node.items():
                packed = "gzip" if np.size(value) > 64 and not isinstance(value, str) else None
                dtype = WORDS if isinstance(value, str) else None
                place = f"node/nodes/{name}/{key}"
                file.create_dataset(place, data=value, dtype=dtype, compression=packed)


if __name__ == "__main__":
    for name in ("digits-mlp", "digits-cnn"):
        write(FOLDER / name / f"{name}.nir", Workload.load(name).network)
        print(f"wrote {name}.nir")
