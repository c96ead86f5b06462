"""One neuron, timestep by timestep, worked out by hand."""

import numpy as np
import pytest
from one_neuron import described, traced

from simulator.behaviour import neurons
from simulator.describe.neuron import MODELS, RESET_TIMES
from simulator.jit import kernel

# settings, currents                                     what it sends, potentials, overflows
BY_HAND = [
    ("–", [4, 4, 4, 25, 0], [0, 0, 1, 1, 1], [4, 8, 2, 17, 7], 0),
    ("reset zero", [4, 4, 4, 25, 0], [0, 0, 1, 1, 0], [4, 8, 0, 0, 0], 0),
    ("reset value, reset_value -3", [12, 4, 12], [1, 0, 1], [-3, 1, -3], 0),
    ("compare >", [10, 1, 20], [0, 1, 1], [10, 1, 11], 0),
    ("initial 5", [5, -3], [1, 0], [0, -3], 0),
    ("bias 3", [0, 0, 0, 0], [0, 0, 0, 1], [3, 6, 9, 2], 0),
    ("bits 4", [9, 0], [0, 0], [7, 7], 1),
    ("bits 4", [-9, -9], [0, 0], [-8, -8], 2),
    ("threshold 7, bits 4, overflow wrap", [9, 20], [0, 0], [-7, -3], 2),
    ("lower_bound -5", [-4, -4, 15], [0, 0, 1], [-4, -5, 0], 0),
    # the spike of one timestep is taken off in the next, beside its input
    ("reset_at next", [12, 3, 0], [1, 0, 0], [12, 5, 5], 0),
    ("reset_at next", [25, 3, 0], [1, 1, 0], [25, 18, 8], 0),
    ("reset zero, reset_at next", [12, 3, 8], [1, 0, 1], [12, 3, 11], 0),
    ("reset value, reset_value 2, reset_at next", [12, 3, 8], [1, 0, 1], [12, 5, 13], 0),
    # held at the reset value through the next timestep: its input is lost
    ("reset zero, reset_at held", [12, 30, 8], [1, 0, 0], [12, 0, 8], 0),
    # a value of two bits; twenty more than three thresholds stays
    ("value_bits 2", [25, 50, 0], [2, 3, 2], [5, 25, 5], 0),
    ("value_bits 2, compare >", [30, 1], [2, 1], [10, 1], 0),
    ("value_bits 2, reset zero", [25, 0], [2, 0], [0, 0], 0),
    ("value_bits 2, reset_at next", [25, 4], [2, 0], [25, 9], 0),
    ("model lif, threshold 99, decay 2048", [7, 0, 0, 0], [0] * 4, [7, 3, 1, 0], 0),
    # toward zero, not down
    ("model lif, threshold 99, decay 2048", [-7, 0, 0, 0], [0] * 4, [-7, -3, -1, 0], 0),
    # 3997 * 4095 >> 12 is 3996
    ("model lif, threshold 99, decay 1", [4096, -1], [1, 1], [3997, 3896], 0),
    ("model lif, threshold 9, decay 4096", [8, 8, 9], [0, 0, 1], [8, 8, 0], 0),
    # a late reset comes before the leak; what is subtracted late is not leaked
    ("model lif, decay 2048, reset zero, reset_at next", [12, 4], [1, 0], [12, 4], 0),
    ("model lif, decay 2048, reset_at next", [12, 4], [1, 0], [12, 0], 0),
    # J: 8, 4, 2; V adds it up
    ("model cuba-lif, threshold 14, current_decay 2048", [8, 0, 0], [0, 0, 1], [8, 12, 0], 0),
    ("model cuba-lif, threshold 99, current_bits 4, decay 4096", [9, 3], [0, 0], [7, 7], 2),
    ("model readout", [5, -20, 3], [0, 0, 0], [5, -15, -12], 0),
    ("model readout, decay 2048", [8, 0, 2], [0, 0, 0], [8, 4, 4], 0),
    ("model readout, read sum", [5, -20, 3], [0, 0, 0], [5, -10, -22], 0),
    ("model readout, read maximum", [-5, 20, -3], [0, 0, 0], [-5, 15, 15], 0),
    ("model cuba-readout, current_decay 2048", [8, 0, 0], [0, 0, 0], [8, 12, 14], 0),
]  # fmt: skip


@pytest.mark.parametrize("settings, currents, sent, potentials, overflows", BY_HAND)
def test_by_hand(settings, currents, sent, potentials, overflows):
    assert (sent, potentials, overflows) == traced(described(settings), currents)


# settings, total, T                       activation
ACTIVATIONS = [
    ("–", 9, 3, 0),
    ("–", 10, 3, 1),
    ("–", 39, 3, 3),
    ("–", 400, 3, 3),
    ("–", -11, 3, 0),
    ("compare >", 10, 3, 0),
    ("compare >", 20, 3, 1),
    ("compare >", 21, 3, 2),
    ("model readout", 5, 3, 0),
]


def population(settings: str) -> np.record:
    """One population as kernels read it."""
    numbers, _ = neurons.prepare("layer", described(settings), 1, np.zeros(1, np.int64))
    record = np.zeros(1, neurons.POPULATION)
    for name, value in numbers.items():
        record[name] = value
    return record[0]


@kernel
def window_of(population, threshold, total, timesteps):
    """What one neuron of a population sends in a window that is taken as a whole."""
    most = neurons.most_sent(population, timesteps)
    return neurons.activation(population.strict, threshold, total, most)


@pytest.mark.parametrize("settings, total, timesteps, activation", ACTIVATIONS)
def test_activations_by_hand(settings, total, timesteps, activation):
    assert activation == window_of(population(settings), 10, total, timesteps)


def test_every_registered_model_and_reset_is_worked_out_by_hand():
    described_ones = [described(settings) for settings, *_ in BY_HAND]
    assert set(MODELS) == {neuron.model for neuron in described_ones}
    assert set(RESET_TIMES) == {neuron.reset_at for neuron in described_ones}
