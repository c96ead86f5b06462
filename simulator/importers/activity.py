"""Activity that was recorded elsewhere, checked against the graph of a workload."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simulator.describe.messages import near_miss, shown_value
from simulator.describe.words import CURRENT, SNN, Mode
from simulator.describe.workload import Workload
from simulator.errors import InputError
from simulator.importers.checks import SPIKES
from simulator.importers.event_files import Found, Listed
from simulator.importers.events import Recording


def load_activity(
    path: str | Path, workload: Workload, mode: Mode, timesteps: int, dt: float | None = None
) -> dict[int, np.ndarray]:
    """Return what populations send in every timestep, (inferences, window, n_neurons) each, by
    their numbers; the window is T, or 1 for the activations of the quantised twin.

    The file has an array, or a list of events, for each population it recorded, named as it or
    '<name>.spikes'; inputs may be among them.  dt: seconds of a timestep, where events have times.
    Raises InputError where names, shapes or values are none this graph can have.
    """
    recording = Recording.load(path)
    where, network = recording.path.name, workload.network
    names = [population.name for population in network.populations]
    window = timesteps if mode == SNN else 1
    found: dict[int, np.ndarray] = {}
    for key, held in recording.found.arrays.items():
        name = key if key in names else key.removesuffix(SPIKES)
        if name not in names:
            raise InputError(
                f"{where}: must name populations; {shown_value(key)} is none"
                f"{near_miss(name, names)}"
            )
        number = names.index(name)
        population = network.populations[number]
        if not population.fires:
            raise InputError(f"{where}: {name}: must be left out: a readout sends nothing")
        own = Recording(recording.path, Found({name: held}))
        length = window if isinstance(held, Listed) else None
        array = own.fitted([(name, population.shape)], dt, length).values[name]
        if array.ndim == 2:
            array = array[:, None] if window == 1 else array[None]
        if array.shape[1] != window:
            raise InputError(
                f"{where}: {name}: must have {window} timestep{'s' if window > 1 else ''} an "
                f"inference, not {array.shape[1]}"
            )
        found[number] = _whole(f"{where}: {name}", array)
        _check_values(f"{where}: {name}", workload, number, mode, timesteps, found[number])
    counts = {len(array) for array in found.values()}
    if len(counts) > 1:
        raise InputError(f"{where}: must have as many inferences for every population")
    return found


def _whole(where: str, array: np.ndarray) -> np.ndarray:
    if (array != np.rint(array)).any() or abs(array).max(initial=0) >= 1 << 31:
        raise InputError(f"{where}: must hold whole numbers of at most 31 bits")
    return array.astype(np.int64)


def _check_values(
    where: str, workload: Workload, number: int, mode: Mode, timesteps: int, array: np.ndarray
) -> None:
    """Raise InputError for values that a population cannot send."""
    network = workload.network
    neuron = network.populations[number].neuron
    if neuron is None:
        feed = workload.stimulus.feeds[network.inputs.index(number)]
        if feed.kind == CURRENT:
            raise InputError(
                f"{where}: must be left out: its values enter once, not every timestep"
            )
        return
    most = neuron.largest_value if mode == SNN else timesteps
    if int(array.min(initial=0)) < 0 or int(array.max(initial=0)) > most:
        raise InputError(f"{where}: must lie within 0..{most}, not {array.min()}..{array.max()}")
