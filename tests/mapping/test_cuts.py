"""Cuts: tiles that hold every neuron once, and the closed form of what reaches them against the
count over every synapse.
"""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from test_fan_out import layers

from simulator.describe.chip import Chip
from simulator.describe.network import chain
from simulator.describe.workload import Workload
from simulator.mapping import cuts, fan_out
from simulator.mapping.cuts import Cut, candidates, shape_of
from simulator.mapping.memories import Size


def test_tiles_are_as_equal_as_can_be_and_channel_major():
    cut = Cut((3, 4, 5), (2, 2, 2))
    image = cut.slice_of.reshape(3, 4, 5)
    assert [0, 0, 0, 1, 1] == image[0, 0].tolist()
    assert [0, 0, 2, 2] == image[0, :, 0].tolist()
    assert [0, 0, 4] == image[:, 0, 0].tolist()
    assert np.bincount(cut.slice_of).tolist() == cut.sizes.tolist()
    assert "2x2x2 tiles of 2x2x3" == str(cut)
    assert "4 of 32" == str(Cut((128, 1, 1), (4, 1, 1)))


def test_candidates_are_cuts_of_the_shape_with_each_size_of_tile_once():
    network = Workload.load("digits-cnn").network
    found = list(candidates(network, 1, 1, 8))
    assert (8, 8, 8) == shape_of(network, 1) and (10, 1, 1) == shape_of(network, 3)
    assert len({cut.tiles for cut in found}) == len(found)
    assert all(1 <= cut.n_tiles <= 8 for cut in found)
    assert {(1, 1, 1), (8, 1, 1), (1, 2, 4), (2, 2, 2)} <= {cut.tiles for cut in found}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(layers(), st.data())
def test_the_closed_form_is_the_count_over_every_synapse(layer, data):
    network = chain(layer.connection.input_shape, [layer])
    chip = Chip.load("generic-22nm")
    cut = data.draw(st.sampled_from(list(candidates(network, 1, 1, 12))))
    path, size = network.projections[0], Size(chip, network, 1, 1, 2)
    counted = fan_out.targets(path, cut.slice_of, cut.n_tiles)
    closed = cuts.reached(path, cut)
    sources = np.arange(path.connection.n_in)
    assert counted.of(sources).tolist() == closed.of(sources).tolist()
    expected = size.synapse_bits(cut.slice_of, cut.n_tiles)
    assert expected.tolist() == cuts.synapse_bits(size, cut).tolist()
    assert expected.max() == cuts.fullest(size, cut)
