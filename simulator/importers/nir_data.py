"""NIR data files: what nodes did, as grids of timesteps or as events; they are read in a process of
their own (apart.py).
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from simulator.errors import InputError
from simulator.importers.event_files import Listed
from simulator.importers.nir_file import DEEPEST, _child, _value

_SPIKES = ("spikes", "spike", "events", "output", "input")


def opened(path: Path) -> dict[str, np.ndarray | Listed]:
    """Return of each node its spikes, or what else there is one of; raises InputError, and whatever
    h5py raises.
    """
    found: dict[str, np.ndarray | Listed] = {}
    with h5py.File(path, "r") as file:
        if _text(file.attrs.get("__type__")) != "NIRGraphData":
            raise InputError(f"{path.name}: must be a NIR data file (NIRGraphData)")
        _graph(path.name, file, (), found)
    return found


def _text(held: object) -> str:
    return held.decode(errors="replace") if isinstance(held, bytes) else str(held)


def _graph(where: str, group: h5py.Group, path: tuple[str, ...], found: dict) -> None:
    nodes = _child(where, group, "nodes")
    if not isinstance(nodes, h5py.Group) or len(path) > DEEPEST:
        raise InputError(f"{where}: must have a group 'nodes', nested at most {DEEPEST} deep")
    for name in nodes:
        node = _child(where, nodes, name)
        if _text(node.attrs.get("__type__")) == "NIRGraphData":
            _graph(where, node, (*path, name), found)
            continue
        held = _child(where, node, "observables")
        if not isinstance(held, h5py.Group) or not len(held):
            raise InputError(f"{where}: {name}: must have observables")
        own = next((key for key in _SPIKES if key in held), next(iter(held)))
        found[".".join((*path, name))] = _one(f"{where}: {name}.{own}", _child(where, held, own))


def _one(where: str, group: h5py.Group) -> np.ndarray | Listed:
    kind = _text(group.attrs.get("__type__"))

    def array(key: str) -> np.ndarray:
        held = _child(where, group, key)
        if not isinstance(held, h5py.Dataset):
            raise InputError(f"{where}: must have {key!r}")
        return np.asarray(_value(f"{where}: {key}", held))

    if kind == "TimeGriddedData":
        return array("data")
    if kind not in ("EventData", "ValuedEventData"):
        raise InputError(f"{where}: must be TimeGriddedData or EventData, not {kind[:40]}")
    index, time = array("idx"), array("time")
    value = array("value") if kind == "ValuedEventData" else np.ones(index.shape)
    if index.shape != time.shape or index.shape != value.shape or index.ndim != 2:
        raise InputError(f"{where}: idx, time and value must have one shape (samples, events)")
    there = (index >= 0) & np.isfinite(time)
    sample = np.broadcast_to(np.arange(len(index))[:, None], index.shape)
    neuron = index[there].astype(np.int64)
    own = (neuron, None, None, None, sample[there], value[there].astype(np.float64))
    lasts = float(group.attrs.get("t_max", 0.0))
    when = time[there].astype(np.float64)
    # an event of timestep k is written at its end, (k + 1) · dt
    said = "time is in seconds, of the end of a timestep"
    return Listed(when, 1.0, said, *own, ends=True, lasts=lasts if np.isfinite(lasts) else 0.0)
