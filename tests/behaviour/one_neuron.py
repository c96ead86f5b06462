"""One neuron under given currents, as the tables of the tests and of docs/neurons.md write it."""

from __future__ import annotations

import numpy as np

from simulator.behaviour.raster import run
from simulator.describe.connections import Connection
from simulator.describe.network import Layer, Neuron, chain, fed

#: setting -> its value where a row does not name it; the numbers of one neuron are arrays of one
DEFAULTS: dict[str, object] = {
    "model": "if", "threshold": 10, "initial": 0, "bias": 0, "reset": "subtract", "compare": ">=",
    "decay": 0, "bits": 32, "overflow": "saturate", "reset_at": "same", "reset_value": None,
    "lower_bound": None, "current_decay": 0, "current_bits": 32, "value_bits": 0, "read": "last",
    "gain": None, "limit": None,
}  # fmt: skip
ARRAYS = ("threshold", "initial", "bias", "reset_value", "lower_bound", "gain")
RENAMED = {"bits": "potential_bits", "value_bits": "graded_bits"}


def described(settings: str) -> Neuron:
    """'model lif, threshold 99' as a neuron; '–' is the default one."""
    written = dict(word.split() for word in settings.split(", ") if word != "–")
    assert written.keys() <= DEFAULTS.keys()
    given: dict[str, object] = {}
    for name, value in (DEFAULTS | written).items():
        is_number = isinstance(value, str) and value.lstrip("-").isdigit()
        number = int(value) if is_number else value  # type: ignore[arg-type]
        if name in ARRAYS and number is not None:
            number = np.array([number])
        given[RENAMED.get(name, name)] = number
    return Neuron(**given)  # type: ignore[arg-type]


def traced(neuron: Neuron, currents: list[int]) -> tuple[list[int], list[int], int]:
    """What one neuron sends and its potential (or what is read of it) after each timestep, and how
    often anything left its range.
    """
    one = Connection("one-to-one", np.ones(1, np.int8), 2, (1,), (1,))
    network = chain((1,), [Layer("page", (1,), one, neuron)])
    values = np.array(currents).reshape(1, -1, 1)
    sent, seen = [0] * len(currents), []
    for timesteps in range(1, len(currents) + 1):
        raster = run(network, fed("graded", values, 31), "snn", timesteps, potentials=True)
        seen.append(int(raster.potentials[1][0, 0]))
    trace = raster.traces[1]
    steps = np.repeat(np.arange(len(currents)), np.diff(trace.start))
    for step, value in zip(steps, trace.value):
        sent[step] = int(value)
    return sent, seen, raster.overflows
