"""One neuron, timestep by timestep, worked out by hand."""

import numpy as np
import pytest

from simulator.behaviour import neurons
from simulator.describe.network import Neuron

# description, currents                                                    spikes, potentials,
# overflows
BY_HAND = [
    ("if threshold 10", [4, 4, 4, 25, 0], [0, 0, 1, 1, 1], [4, 8, 2, 17, 7], 0),
    ("if threshold 10 reset zero", [4, 4, 4, 25, 0], [0, 0, 1, 1, 0], [4, 8, 0, 0, 0], 0),
    ("if threshold 10 compare >", [10, 1, 20], [0, 1, 1], [10, 1, 11], 0),
    ("if threshold 10 initial 5", [5, -3], [1, 0], [0, -3], 0),
    ("if threshold 10 bias 3", [0, 0, 0, 0], [0, 0, 0, 1], [3, 6, 9, 2], 0),
    ("if threshold 10 bits 4", [9, 0], [0, 0], [7, 7], 1),
    ("if threshold 10 bits 4", [-9, -9], [0, 0], [-8, -8], 2),
    ("if threshold 7 bits 4 overflow wrap", [9, 20], [0, 0], [-7, -3], 2),
    ("lif threshold 99 decay 2048", [7, 0, 0, 0], [0, 0, 0, 0], [7, 3, 1, 0], 0),
    (
        "lif threshold 99 decay 2048",
        [-7, 0, 0, 0],
        [0, 0, 0, 0],
        [-7, -3, -1, 0],
        0,
    ),  # toward zero, not down
    ("lif threshold 99 decay 1", [4096, -1], [1, 1], [3997, 3896], 0),  # 3997 * 4095 >> 12 is 3996
    ("lif threshold 9 decay 4096", [8, 8, 9], [0, 0, 1], [8, 8, 0], 0),
    ("readout threshold 1", [5, -20, 3], [0, 0, 0], [5, -15, -12], 0),
]


def described(text):
    words = text.split()
    given = {
        "threshold": 1,
        "initial": 0,
        "bias": 0,
        "bits": 32,
        "decay": 0,
        "reset": "subtract",
        "compare": ">=",
    }
    given |= {"overflow": "saturate"} | {key: value for key, value in zip(words[1::2], words[2::2])}
    one = [np.array([int(given[key])]) for key in ("threshold", "initial", "bias")]
    bits, decay = int(given["bits"]), int(given["decay"])
    return Neuron(words[0], *one, given["reset"], given["compare"], decay, bits, given["overflow"])


@pytest.mark.parametrize("text, currents, spikes, potentials, overflows", BY_HAND)
def test_by_hand(text, currents, spikes, potentials, overflows):
    population = neurons.prepare("layer", described(text))
    potential, fired = population.initial.copy(), np.zeros(1, np.int32)
    seen = [], [], 0
    for current in currents:
        n_fired, left = neurons.step(population, potential, np.array([current]), fired)
        seen = [*seen[0], n_fired], [*seen[1], int(potential[0])], seen[2] + left
    assert (spikes, potentials, overflows) == seen


# description, total, T                       activation
ACTIVATIONS = [
    ("if threshold 10", 9, 3, 0),
    ("if threshold 10", 10, 3, 1),
    ("if threshold 10", 39, 3, 3),
    ("if threshold 10", 400, 3, 3),
    ("if threshold 10", -11, 3, 0),
    ("if threshold 10 compare >", 10, 3, 0),
    ("if threshold 10 compare >", 20, 3, 1),
    ("if threshold 10 compare >", 21, 3, 2),
    ("readout threshold 1", 5, 3, 0),
]


@pytest.mark.parametrize("text, total, timesteps, activation", ACTIVATIONS)
def test_activations_by_hand(text, total, timesteps, activation):
    assert activation == neurons.activation(
        neurons.prepare("layer", described(text)), 0, total, timesteps
    )


def test_every_registered_model_is_worked_out_by_hand():
    assert set(neurons.MODEL_NUMBER) == {text.split()[0] for text, *_ in BY_HAND}
