"""A bad workload is told what is wrong in its YAML file, line by line."""

from __future__ import annotations

import pytest
from shipped import line_of, placed

# what stands in the shipped file, what is written instead, the line it is said of, what is said
ONE_MISTAKE = [
    ("bits: 5", "bits: 0", "input:", "input.bits: must be at least 1, not 0"),
    (
        "bits: 5",
        "bits: 4",
        "stimulus:",
        "stimulus.values: must lie within 0..15 (input.bits is 4), not 0..16",
    ),
    ("shape: [1, 8, 8]", "shape: []", "input:", "input.shape: must have at least 1 entry, not 0"),
    (
        "shape: [1, 8, 8]",
        "shape: [1, 1, 8, 8]",
        "input:",
        "input.shape: must have at most 3 entries, not 4",
    ),
    (
        "arrays: arrays.npz",
        "arrays: array.npz",
        "arrays:",
        "arrays: must be an npz file beside this one; there is no 'array.npz'",
    ),
    (
        "arrays: arrays.npz",
        "arrays: ../arrays.npz",
        "arrays:",
        "arrays: must be the name of a file in the same folder, not '../arrays.npz'",
    ),
    (
        "arrays: arrays.npz",
        "arrays: workload.yaml",
        "arrays:",
        "arrays: must be an npz file, and 'workload.yaml' is none",
    ),
    (
        "kind: dense",
        "kind: desne",
        "connection:",
        "layers[0].connection.kind: must be 'dense', 'sparse', 'convolution' or 'one-to-one', not "
        "'desne'; did you mean 'dense'?",
    ),
    (
        "kind: dense",
        "kind: dense, stride: 2",
        "connection:",
        "layers[0].connection.stride: belongs to a convolution connection, not to a dense one",
    ),
    (
        "kind: dense",
        "kind: convolution",
        "connection:",
        "layers[0].connection.weight: must have shape (channels, 1, height, width), not (64, 128)",
    ),
    (
        "kind: dense",
        "kind: sparse",
        "connection:",
        "layers[0].connection.start: missing key: a sparse connection must name its array",
    ),
    (
        "weight: hidden1.weight",
        "weight: hiden1.weight",
        "connection:",
        "layers[0].connection.weight: must name an array of arrays.npz, not 'hiden1.weight'; did "
        "you mean 'hidden1.weight'?",
    ),
    (
        "weight_bits: 8",
        "weight_bits: 17",
        "connection:",
        "layers[0].connection.weight_bits: must be at most 16, not 17",
    ),
    (
        "name: hidden2",
        "name: hidden1",
        "name: hidden1, again",
        "layers[1].name: must be used by one layer only, not again: 'hidden1'",
    ),
    (
        "model: if",
        "model: iff",
        "neuron:",
        "layers[0].neuron.model: must be 'if', 'lif', 'cuba-lif', 'readout' or 'cuba-readout', not "
        "'iff'; did you mean 'if'?",
    ),
    (
        "model: if, ",
        "model: if, decay: 3, ",
        "neuron:",
        "layers[0].neuron.decay: belongs to a 'lif', 'cuba-lif', 'readout' or 'cuba-readout' "
        "neuron, not to 'if'",
    ),
    (
        "threshold: hidden1.threshold, ",
        "",
        "neuron:",
        "layers[0].neuron.threshold: missing key: it must be given",
    ),
    (
        "threshold: hidden1.threshold",
        "threshold: 0",
        "neuron:",
        "layers[0].neuron.threshold: must lie within 1..8388607 (potential_bits is 24), not 0",
    ),
    (
        "threshold: hidden1.threshold",
        "threshold: 1.5",
        "neuron:",
        "layers[0].neuron.threshold: must be a whole number or a text, not 1.5",
    ),
    (
        "threshold: hidden1.threshold",
        "threshold: images",
        "neuron:",
        "layers[0].neuron.threshold: must have 1 entry or 128 (neurons), not 28800",
    ),
    (
        "model: readout",
        "model: readout, threshold: 3",
        "neuron: {model: readout",
        "layers[2].neuron.threshold: must be left out: a readout never fires",
    ),
    (
        "reset: subtract",
        "reset: no",
        "neuron:",
        "layers[0].neuron.reset: must be 'subtract', 'zero' or 'value', not 'no'",
    ),
    (
        "kind: current",
        "kind: raster",
        "stimulus:",
        "stimulus.values: must have shape (inferences, timesteps, 64), not (450, 64)",
    ),
    (
        "labels: labels",
        "labels: images",
        "stimulus:",
        "stimulus.labels: must have one entry per inference (450), not shape (450, 64)",
    ),
    ("timesteps: 4", "timesteps: 0", "twin:", "twin.timesteps: must be at least 1, not 0"),
    (
        "firing: streaming",
        "firing: stream",
        "twin:",
        "twin.firing: must be 'streaming' or 'accumulate', not 'stream'; did you mean 'streaming'?",
    ),
    (
        "placement: auto",
        "placement: atuo",
        "mapping:",
        "mapping.placement: must be 'auto' or a mapping of keys to values, not 'atuo'; did you "
        "mean 'auto'?",
    ),
    (
        "placement: auto",
        "placement: {hidden1: [0], hidden2: [0, 2, 0], output: [1]}",
        "mapping:",
        "mapping.placement.hidden2: must not use core 0 again: it holds 'hidden2'",
    ),
    (
        "placement: auto",
        "placement: {hidden1: [0], hidden2: [1], output: []}",
        "mapping:",
        "mapping.placement.output: must name at least one core",
    ),
    (
        "placement: auto",
        "placement: {hidden1: [0], hidden2: [1]}",
        "mapping:",
        "mapping.placement: must place every layer; 'output' is missing",
    ),
    (
        "mapping: {",
        "mapping: {neuron_per_core: 9, ",
        "mapping:",
        "mapping.neuron_per_core: unknown key; did you mean 'neurons_per_core'?",
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"), ONE_MISTAKE, ids=[row[3][:40] for row in ONE_MISTAKE]
)
def test_one_mistake_is_one_line_with_its_place(said_of_workload, old, new, line, message):
    text, said = said_of_workload((old, new))
    place = (
        line_of(text, line)
        if "again" not in line
        else text[: text.rindex("name: hidden1")].count("\n") + 1
    )
    assert f"workload.yaml:{place}: {placed(text, message)}" == said


def test_all_mistakes_are_said_at_once_in_the_order_of_lines(said_of_workload):
    text, said = said_of_workload(
        ("model: readout", "model: readout, threshold: 3"),
        ("bits: 5", "bits: 4"),
        ("labels: labels", "labels: lables"),
    )
    assert [
        f"workload.yaml:{line_of(text, 'neuron: {model: readout')}: layers[2].neuron.threshold: "
        "must be left out: a readout never fires",
        f"workload.yaml:{line_of(text, 'stimulus:')}: stimulus.values: must lie within 0..15 "
        f"(input.bits is 4), not 0..16",
    ] == said.splitlines()
