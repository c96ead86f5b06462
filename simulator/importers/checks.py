"""What another tool recorded of a network, against what the network in reals does here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simulator.describe.messages import near_miss, shown_value
from simulator.errors import InputError
from simulator.importers.event_files import Listed
from simulator.importers.events import Recorded, Recording
from simulator.importers.floating import Floating

SPIKES, POTENTIAL = ".spikes", ".potential"


@dataclass(frozen=True, eq=False)
class Expected:
    """What was recorded of each population: spikes and potentials (n, T, n_neurons), by number."""

    path: Path
    spikes: dict[int, np.ndarray]
    potentials: dict[int, np.ndarray]
    stimulus: Recorded | None  # where the inputs are recorded too


@dataclass(frozen=True)
class Compared:
    """One population against its recording; instants: the first spikes, (inference, timestep,
    neuron), as they were recorded and as they are here.
    """

    population: str
    recorded: int | None
    here: int | None
    differing: int | None  # places (inference, timestep, neuron) with another number of spikes
    furthest: float | None  # largest difference of potentials
    instants: tuple[int, ...] = ()  # timesteps of the spikes of a single neuron

    @property
    def holds(self) -> bool:
        """Whether the spikes are the recorded ones."""
        return not self.differing


def expected(path: Path, floating: Floating) -> Expected:
    """Return what a file recorded: arrays '<population>.spikes' and '<population>.potential', and
    the inputs by name; a bare table of three columns is one neuron's input, potential and spikes.
    """
    recording = Recording.load(path)
    found = recording.found
    if found.is_table:
        return _one_neuron(path, recording, floating)
    spikes: dict[int, np.ndarray] = {}
    potentials: dict[int, np.ndarray] = {}
    inputs = []
    names = [place.name for place in floating.places]
    for key, array in found.arrays.items():
        name, into = key, spikes
        for ending, where in ((SPIKES, spikes), (POTENTIAL, potentials)):
            if key.endswith(ending) and key.removesuffix(ending) in names:
                name, into = key.removesuffix(ending), where
        number = floating.number(name)
        if number is None:
            raise InputError(
                f"{path.name}: must name populations; {shown_value(key)} is none"
                f"{near_miss(key, [n + SPIKES for n in names])}"
            )
        if number in floating.inputs:
            inputs.append((name, floating.places[number].shape))
            continue
        shape = floating.places[number].shape
        held = Recording(path, type(found)({name: array}))
        into[number] = held.fitted([(name, shape)], floating.dt).values[name]
        if into[number].ndim == 2:
            into[number] = into[number][None]
    stimulus = None
    if len(inputs) == len(floating.inputs):
        stimulus = Recording(path, type(found)(dict(found.arrays), found.labels)).fitted(
            inputs, floating.dt
        )
    return Expected(path, spikes, potentials, stimulus)


def _one_neuron(path: Path, recording: Recording, floating: Floating) -> Expected:
    table = recording.found.arrays["values"]
    assert not isinstance(table, Listed)
    computed = [k for k, place in enumerate(floating.places) if place.cell is not None]
    is_one = len(computed) == 1 and floating.places[computed[0]].n == 1
    if table.shape[1] != 3 or not is_one or len(floating.inputs) != 1:
        raise InputError(
            f"{path.name}: must name its columns; three without names are the input, the potential "
            f"and the spikes of a network of one neuron"
        )
    columns = [column.reshape(1, -1, 1) for column in table.T]
    stimulus = Recorded({floating.places[floating.inputs[0]].name: columns[0]})
    return Expected(path, {computed[0]: columns[2]}, {computed[0]: columns[1]}, stimulus)


def compare(floating: Floating, given: Expected, entering: dict[int, np.ndarray]) -> list[Compared]:
    """Return every recorded population beside what it does here on the same inputs, in reals."""
    keep = tuple(given.potentials)
    n, length = next(iter(entering.values())).shape[:2]
    ran = floating.run(entering, keep=keep)
    found = []
    for number in sorted(given.spikes.keys() | given.potentials.keys()):
        place = floating.places[number]
        held, furthest = given.spikes.get(number), None
        for array in (held, given.potentials.get(number)):
            if array is not None and array.shape[:2] != (n, length):
                raise InputError(
                    f"{given.path.name}: {place.name}: must have {n} inferences of {length} "
                    f"timesteps, not {array.shape[0]} of {array.shape[1]}"
                )
        if number in given.potentials:
            furthest = float(abs(given.potentials[number] - ran.potential[number]).max(initial=0))
        if held is None:
            found.append(Compared(place.name, None, None, None, furthest))
            continue
        here = ran.sent[number]
        alone = tuple(np.flatnonzero(here[0, :, 0]).tolist()) if place.n == 1 and n == 1 else ()
        differing = int((np.rint(held) != here).sum())
        counts = int(np.rint(held).sum()), int(here.sum())
        found.append(Compared(place.name, *counts, differing, furthest, alone))
    return found
