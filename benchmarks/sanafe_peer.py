"""The same work on SANA-FE (pip install sanafe), where it is installed: each function loads it in a
process of its own (turns.py).

Its networks get the populations, weights, thresholds and cores of ours, so it sends the same
packets between cores. It computes in floating point and does not model flits, credits or power
states.
"""

from __future__ import annotations

import time
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks import networks
from benchmarks.turns import Loaded

NAME = "SANA-FE"
#: units of one core; times and energies do not change how long a simulation takes
CORE = """
          axon_in: [{name: in, attributes: {energy_message_in: 0.0, latency_message_in: 1.6e-8}}]
          synapse:
            - name: synapse
              attributes: {model: current_based, energy_process_spike: 3.55e-11, latency_process_spike: 3.8e-9}
          dendrite: [{name: dendrite, attributes: {model: accumulator, energy_update: 0.0, latency_update: 0.0}}]
          soma:
            - name: soma
              attributes: {model: leaky_integrate_fire, energy_access_neuron: 5.1e-11, latency_access_neuron: 6.0e-9,
                energy_update_neuron: 2.1e-11, latency_update_neuron: 3.7e-9,
                energy_spike_out: 6.9e-11, latency_spike_out: 3.0e-8}
          axon_out: [{name: out, attributes: {energy_message_out: 1.11e-10, latency_message_out: 5.1e-9}}]
"""
UNITS = {
    "soma_hw_name": "soma",
    "default_synapse_hw_name": "synapse",
    "default_dendrite_hw_name": "dendrite",
}


def is_installed() -> bool:
    """Return whether the peer can be run."""
    return find_spec("sanafe") is not None


def _architecture(width: int, height: int, cores_per_tile: int, neurons_per_core: int) -> Any:
    import sanafe

    hops = ", ".join(
        f"{what}_{way}_hop: {value}"
        for way, value in (
            ("north", "6.5e-9"),
            ("south", "6.5e-9"),
            ("east", "4.1e-9"),
            ("west", "4.1e-9"),
        )
        for what in ("latency", "energy")
    )
    text = f"""
architecture:
  name: mesh
  attributes: {{topology: mesh, width: {width}, height: {height}, link_buffer_size: 16, sync_model: fixed, latency_sync: 1.0e-6}}
  tile:
    - name: tile[0..{width * height - 1}]
      attributes: {{{hops}}}
      core:
        - name: core[0..{cores_per_tile - 1}]
          attributes: {{buffer_position: soma, buffer_inside_unit: false, max_neurons_supported: {neurons_per_core}}}
{CORE}"""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "mesh.yaml"
        path.write_text(text)
        return sanafe.load_arch(path)


def _loaded(
    architecture: Any, network: Any, model: str, timesteps: int, began: float, unit: str
) -> Loaded:
    """Load the network and return what runs it; a run's work is counted in `unit`."""
    import sanafe

    chip = sanafe.SpikingChip(architecture)
    chip.load(network)
    load = time.process_time() - began

    def run() -> tuple[float, dict[str, Any]]:
        result = chip.sim(timesteps, timing_model=model, processing_threads=1)
        counted = {"packets": int(result["packets_sent"]), "fired": int(result["neurons_fired"])}
        return (timesteps if unit == "timesteps" else counted[unit]), counted

    return Loaded({"load_seconds": load}, run, chip.reset)


def _group(network: Any, name: str, cores: list[Any], size: int, attributes: dict[str, Any]) -> Any:
    """Return a population spread over cores in stretches as equal as can be, the larger ones
    first.
    """
    group = network.create_neuron_group(
        name,
        size,
        model_attributes={"leak_decay": 1.0, "reset_mode": "hard", **attributes},
        **UNITS,
    )
    share, more = divmod(size, len(cores))
    core = np.repeat(np.arange(len(cores)), share + (np.arange(len(cores)) < more))
    for number in range(size):
        group[number].map_to_core(cores[core[number]])
    return group


def _set_phases(group: Any, period: int, initial: np.ndarray) -> None:
    """Let neurons driven by a bias of 1 fire as if they had begun at `initial` below a threshold of
    `period`.

    There is no initial potential here, so each neuron gets the threshold it first meets, and a
    reset one period below it.
    """
    for number, start in enumerate(initial.tolist()):
        first = period - start
        attributes = {"bias": 1.0, "threshold": first - 0.5, "reset": float(first - period)}
        group[number].set_attributes(model_attributes=attributes)


def lif(period: int, timesteps: int, seed: int, model: str = "detailed") -> Loaded:
    """Load 512-256 neurons; the work is timesteps."""
    import sanafe

    with TemporaryDirectory() as folder:
        arrays = networks.lif(Path(folder), period, 1, seed).arrays
    architecture = _architecture(8, 4, 4, 1024)
    cores, split = list(architecture.cores()), networks.LIF_CORES[0]
    began = time.process_time()
    network = sanafe.Network()
    first = _group(network, "first", cores[:split], networks.LIF_SIZES[0], {})
    threshold = int(arrays["weight"].sum(dtype=np.int64) / networks.LIF_SIZES[1])
    attributes = {"threshold": threshold - 0.5, "reset_mode": "soft"}
    second = _group(
        network, "second", cores[split : sum(networks.LIF_CORES)], networks.LIF_SIZES[1], attributes
    )
    _set_phases(first, period, arrays["initial"])
    first.connect_neurons_dense(second, {"weight": arrays["weight"].ravel().tolist()})
    return _loaded(architecture, network, model, timesteps, began, "timesteps")


def random_targets(cores: int, timesteps: int, seed: int, model: str = "detailed") -> Loaded:
    """Load neurons with random targets; weights are 0, so that the spikes stay, and the work is
    packets.
    """
    import sanafe

    from benchmarks import recurrent

    work = recurrent.draw(cores, seed)
    architecture = _architecture(work.width, work.height, recurrent.CORES_PER_TILE, 1024)
    began = time.process_time()
    network = sanafe.Network()
    group = _group(network, "all", list(architecture.cores())[:cores], recurrent.NEURONS, {})
    _set_phases(group, recurrent.PERIOD, recurrent.PERIOD - 1 - work.phase)
    source = np.repeat(np.arange(recurrent.NEURONS), work.target.shape[1])
    pairs = list(zip(source.tolist(), work.target.ravel().tolist()))
    group.connect_neurons_sparse(group, {"weight": [0.0] * len(pairs)}, pairs)
    return _loaded(architecture, network, model, timesteps, began, "packets")


def gesture(timesteps: int, seed: int, model: str = "detailed") -> Loaded:
    """Load the gesture-sized network; the work is timesteps."""
    import sanafe

    with TemporaryDirectory() as folder:
        arrays = networks.gesture(Path(folder), 1, seed).arrays
    architecture = _architecture(8, 4, 4, 1024)
    cores, edges = list(architecture.cores()), np.cumsum([0, *networks.GESTURE_CORES])
    began = time.process_time()
    network = sanafe.Network()
    shapes = [shape for shape, _ in networks.GESTURE] + [(networks.GESTURE_CLASSES, 1, 1)]
    groups = []
    for number, shape in enumerate(shapes):
        mine = {"threshold": networks.GESTURE_THRESHOLDS[number] - 0.5}
        groups.append(
            network.create_neuron_group(
                f"layer{number}",
                int(np.prod(shape)),
                model_attributes={"leak_decay": 1.0, "reset_mode": "hard", **mine},
                **UNITS,
            )
        )
        where = cores[edges[number] : edges[number + 1]]
        share, more = divmod(int(np.prod(shape)), len(where))
        core = np.repeat(np.arange(len(where)), share + (np.arange(len(where)) < more))
        # this peer numbers neurons with the channel last
        last = np.arange(np.prod(shape)).reshape(shape).transpose(1, 2, 0).ravel()
        for position, neuron in enumerate(last.tolist()):
            groups[-1][position].map_to_core(where[core[neuron]])
    _set_phases(groups[0], networks.GESTURE_PERIOD, arrays["first.initial"])
    for number, ((before, _), (shape, stride)) in enumerate(
        zip(networks.GESTURE, networks.GESTURE[1:]), start=1
    ):
        weight = arrays[f"conv{number}.weight"].transpose(2, 3, 1, 0).ravel().tolist()
        k, channels, height, width = networks.KERNEL, *before
        groups[number - 1].connect_neurons_conv2d(
            groups[number],
            {"weight": weight},
            width,
            height,
            channels,
            k,
            k,
            shape[0],
            stride,
            stride,
        )
    channels, height, width = networks.GESTURE[-1][0]
    dense = arrays["dense.weight"].reshape(channels, height, width, -1).transpose(1, 2, 0, 3)
    groups[-2].connect_neurons_dense(groups[-1], {"weight": dense.ravel().tolist()})
    return _loaded(architecture, network, model, timesteps, began, "timesteps")
