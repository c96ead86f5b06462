"""Make the workload recurrent-million: `python workloads/make_recurrent.py`.

The network of TrueNorth's published power sweep, as its authors describe it: a million neurons that
fire at one mean rate, each of which reaches 128 synapses of one core drawn at random. Here 128
neurons are the channels of one pixel, and a convolution of 1 x 1 leads from each of them to the 128
at the same pixel of the next population: 16,384 weights serve for 134 million synapses. Every pixel
sits on a core of its own choice, two pixels to a core, so spikes go from anywhere to anywhere.

With weights of 1 and a rate of r per timestep a neuron is given 128 r by its sources and `drive` by
itself, and fires as often as its threshold goes into that: r = drive / (threshold - 128). The first
potentials are drawn, so that as many fire in each timestep as in any other.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import yaml

FOLDER = Path(__file__).parent / "recurrent-million"
CORES, PIXELS, CHANNELS = 4096, 2, 128
#: rings of populations: how many, and the pixels of each; two pixels of the chip are left, on one
#: of which sits the neuron that is read
RINGS = ((63, (16, 8)), (2, (9, 7)))
#: r = drive / 100,000
THRESHOLD, DRIVE, TIMESTEPS = 100_000 + CHANNELS, 2007, 4
ABOUT = (
    "1,048,320 integrate-and-fire neurons on 4,096 cores, each leading to 128 synapses on one core "
    "drawn at random: the network of TrueNorth's published power sweep. All fire at drawn.drive in "
    "100,000 timesteps, 20.07 Hz at a tick of 1 ms. Made by workloads/make_recurrent.py."
)


def constant(shape: list[int], value: int) -> dict:
    """Return the keys of a drawn array that holds one value."""
    return {"shape": shape, "low": value, "high": value, "seed": 0}


def tree() -> tuple[dict, dict[str, np.ndarray]]:
    """Return what workload.yaml and arrays.npz hold."""
    seat = np.random.default_rng(0).permutation(np.repeat(np.arange(CORES, dtype=np.int16), PIXELS))
    drawn = {
        "silence": constant([1, TIMESTEPS, 1], 0),
        "line.probe": constant([1, 1], 1),
        "synapses": constant([CHANNELS, CHANNELS, 1, 1], 1),
        "drive": constant([1], DRIVE),
    }
    populations: list[dict] = [{"name": "line", "shape": [1], "input": {"bits": 1}}]
    projections: list[dict] = []
    arrays: dict[str, np.ndarray] = {}
    for many, (high, wide) in RINGS:
        names = [f"part{len(arrays) + number}" for number in range(many)]
        for name, following in zip(names, [*names[1:], names[0]]):
            arrays[f"{name}.core"] = np.tile(seat[: high * wide], CHANNELS)
            seat = seat[high * wide :]
            phase = {"shape": [CHANNELS * high * wide], "low": 0, "high": THRESHOLD - 1}
            drawn[f"{name}.phase"] = phase | {"seed": len(arrays)}
            neuron = {"model": "if", "threshold": THRESHOLD, "bias": "drive"}
            neuron |= {"initial": f"{name}.phase", "potential_bits": 20}
            shape = [CHANNELS, high, wide]
            populations.append({"name": name, "shape": shape, "neuron": neuron})
            connection = {"kind": "convolution", "weight": "synapses", "weight_bits": 1}
            ends = {"source": name, "target": following, "delay": 1}
            projections.append(ends | {"connection": connection})
    neuron = {"model": "if", "threshold": 1, "potential_bits": 20}
    populations.append({"name": "probe", "shape": [1], "neuron": neuron})
    connection = {"kind": "dense", "weight": "line.probe", "weight_bits": 1}
    ends = {"source": "line", "target": "probe", "delay": 1}
    projections.append(ends | {"connection": connection})
    placement = {key.removesuffix(".core"): key for key in arrays} | {"probe": [int(seat[0])]}
    return {
        "schema_version": 1,
        "name": FOLDER.name,
        "about": ABOUT,
        "arrays": "arrays.npz",
        "drawn": drawn,
        "populations": populations,
        "projections": projections,
        "outputs": ["probe"],
        "stimulus": {"kind": "raster", "values": "silence"},
        "twin": {"timesteps": TIMESTEPS, "firing": "streaming"},
        "mapping": {"placement": placement},
    }, arrays


def main() -> None:
    """Write the workload."""
    written, arrays = tree()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    np.savez_compressed(FOLDER / "arrays.npz", **arrays)
    text = yaml.safe_dump(written, sort_keys=False, width=110, default_flow_style=None)
    (FOLDER / "workload.yaml").write_text(text)


if __name__ == "__main__":
    main()
