"""Bad arrays are said of the key that names them, and damage of an npz file is a fault like any
other.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from shipped import line_of, refusal

from simulator.describe.workload import Workload

FIRST = "connection: {kind: dense, weight: hidden1.weight"
WEIGHT = np.ones((64, 128), np.int8)
LABELS = np.zeros(450, np.int64)
IMAGES = np.zeros((450, 64), np.uint8)

# arrays put in place of the shipped ones (None: left out), the line it is said of, what is said
ONE_BAD_ARRAY = [
    (
        dict(hidden1_weight=None),
        "connection:",
        "layers[0].connection.weight: must name an array of arrays.npz, not 'hidden1.weight'; did "
        "you mean 'hidden2.weight'?",
    ),
    (
        dict(hidden1_weight=WEIGHT.astype(np.float32)),
        "connection:",
        "layers[0].connection.weight: must name an array of integers, not 'hidden1.weight' of "
        "float32",
    ),
    (
        dict(hidden1_weight=np.array([["a"]])),
        "connection:",
        "layers[0].connection.weight: must name an array of integers, not 'hidden1.weight' of <U1",
    ),
    (
        dict(hidden1_weight=np.array([{}], object)),
        "arrays:",
        "arrays: must hold plain arrays of numbers; 'hidden1.weight' cannot be read: it holds "
        "Python objects",
    ),
    (
        dict(hidden1_weight=WEIGHT[1:]),
        "connection:",
        "layers[0].connection.weight: must have shape (64, neurons), not (63, 128)",
    ),
    (
        dict(hidden1_weight=WEIGHT[0]),
        "connection:",
        "layers[0].connection.weight: must have shape (64, neurons), not (128,)",
    ),
    (
        dict(hidden1_weight=WEIGHT[:, :0]),
        "connection:",
        "layers[0].connection.weight: must hold weights, not nothing: its shape is (64, 0)",
    ),
    (
        dict(hidden1_weight=WEIGHT.astype(np.int16) * 128),
        "connection:",
        "layers[0].connection.weight: must hold weights of 8 bits (-128..127), not 128..128",
    ),
    (
        dict(hidden1_weight=WEIGHT.astype(np.uint64) * 2**63),
        "connection:",
        "layers[0].connection.weight: must hold integers below 2**63, not 9223372036854775808",
    ),
    (
        dict(hidden1_threshold=np.zeros(128, np.int32)),
        "neuron:",
        "layers[0].neuron.threshold: must lie within 1..8388607 (potential_bits is 24), not 0",
    ),
    (
        dict(hidden1_bias=np.full(128, -(2**23) - 1)),
        "bias: hidden1.bias",
        "layers[0].neuron.bias: must lie within -8388608..8388607 (potential_bits is 24), not "
        "-8388609",
    ),
    (
        dict(labels=LABELS[1:]),
        "stimulus:",
        "stimulus.labels: must have one entry per inference (450), not shape (449,)",
    ),
    (
        dict(labels=LABELS + 10),
        "stimulus:",
        "stimulus.labels: must lie within 0..9 (output neurons), not 10..10",
    ),
    (
        dict(labels=LABELS - 1),
        "stimulus:",
        "stimulus.labels: must lie within 0..9 (output neurons), not -1..-1",
    ),
    (
        dict(images=IMAGES[:, 1:]),
        "stimulus:",
        "stimulus.values: must have shape (inferences, 64), not (450, 63)",
    ),
    (
        dict(images=IMAGES[:0]),
        "stimulus:",
        "stimulus.values: must have shape (inferences, 64), not (0, 64)",
    ),
    (
        dict(images=IMAGES + 32),
        "stimulus:",
        "stimulus.values: must lie within 0..31 (input.bits is 5), not 32..32",
    ),
]


# values of weights in weight_bits: 1, what is said of them
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([-1, 1], None),
        ([0, 1], None),
        ([-1, 0], None),
        ([1, 1], None),
        (
            [-1, 0, 1],
            "must hold two values in 1 bit, not three (-1, 0 and 1): ternary weights have "
            "weight_bits 2",
        ),
        ([0, 2], "must hold weights of 1 bit (-1..1), not 0..2"),
    ],
)
def test_one_bit_holds_two_values(said_of_workload, values, message):
    weight = np.resize(np.array(values, np.int8), WEIGHT.shape)
    text, said = said_of_workload((FIRST + ", weight_bits: 8}", FIRST + ", weight_bits: 1}"),
                                  hidden1_weight=weight)  # fmt: skip
    expected = f"workload.yaml:{line_of(text, 'connection:')}: layers[0].connection.weight: "
    assert said == ("" if message is None else expected + message)


@pytest.mark.parametrize(
    ("arrays", "line", "message"), ONE_BAD_ARRAY, ids=[row[2][:60] for row in ONE_BAD_ARRAY]
)
def test_one_bad_array_is_said_of_the_key_that_names_it(said_of_workload, arrays, line, message):
    text, said = said_of_workload(**arrays)
    place = line_of(text, line) if not line.startswith("bias") else line_of(text, "neuron:")
    assert f"workload.yaml:{place}: {message}" == said


KERNEL = np.ones((2, 1, 3, 3), np.int8)
CONVOLUTION = "connection: {kind: convolution, weight: k, weight_bits: 8, padding: 1}"

# what is written of a first layer of 3x3 kernels over 8x8 inputs, its kernel, what is said
BAD_CONVOLUTIONS = [
    (CONVOLUTION, KERNEL[:, :, :2, :1],
     "layers[0].connection.padding: must be less than the kernel (2x1), not 1"),
    (CONVOLUTION.replace(", padding: 1", ""), np.ones((2, 1, 9, 9), np.int8),
     "layers[0].connection.weight: must have a kernel that fits 8x8, not 9x9"),
    (CONVOLUTION, np.ones((2, 3, 3, 3), np.int8),
     "layers[0].connection.weight: must have shape (channels, 1, height, width), not (2, 3, 3, 3)"),
    (CONVOLUTION.replace("padding", "stride: 0, padding"), KERNEL,
     "layers[0].connection.stride: must be at least 1, not 0"),
    (CONVOLUTION + "\n    pool: {kind: max, size: 3}", KERNEL,
     "layers[0].pool.size: must divide the 8x8 currents, not 3"),
    (CONVOLUTION + "\n    pool: {kind: mean, size: 2}", KERNEL,
     "layers[0].pool.kind: must be 'max' or 'sum', not 'mean'"),
    (CONVOLUTION + "\n    shape: [2, 4, 4]", KERNEL,
     "layers[0].shape: must be [2, 8, 8] after its connection, not [2, 4, 4]"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "kernel", "message"),
    BAD_CONVOLUTIONS,
    ids=[row[2][:50] for row in BAD_CONVOLUTIONS],
)
def test_convolutions_are_checked(said_of_workload, written, kernel, message):
    text, said = said_of_workload((FIRST + ", weight_bits: 8}", written), k=kernel)
    name = message.split(":")[0].removeprefix("layers[0].").split(".")[0]
    assert f"workload.yaml:{line_of(text, name + ':')}: {message}" == said


def test_pooling_belongs_to_convolutions(said_of_workload):
    edit = (
        FIRST + ", weight_bits: 8}",
        FIRST + ", weight_bits: 8}\n    pool: {kind: max, size: 2}",
    )
    text, said = said_of_workload(edit)
    place = f"workload.yaml:{line_of(text, 'pool:')}: layers[0].pool: "
    assert place + "must follow a convolution, not a dense connection" == said


SPARSE = "connection: {kind: sparse, weight: w, start: s, index: i, weight_bits: 8}"
ROWS = dict(w=np.ones(3, np.int8), s=np.minimum(np.arange(65), 3), i=np.array([0, 5, 9]))

# sparse rows: three weights of sources 0..2 on targets 0, 5 and 9
BAD_ROWS = [
    (dict(i=np.array([0, 5])), "index: must hold one target per weight: shape (3,), not (2,)"),
    (dict(i=np.array([0, 5, 128])), "index: must hold targets within 0..127, not 0..128"),
    (dict(i=np.array([0, 5, -1])), "index: must hold targets within 0..127, not -1..5"),
    (dict(s=np.arange(65)), "start: must rise from 0 to 3 (the weights) in 65 entries"),
    (
        dict(s=np.minimum(np.arange(64), 3)),
        "start: must rise from 0 to 3 (the weights) in 65 entries",
    ),
    (
        dict(s=np.arange(65)[::-1] * 0 + 3),
        "start: must rise from 0 to 3 (the weights) in 65 entries",
    ),
]


@pytest.mark.parametrize(("arrays", "message"), BAD_ROWS)
def test_sparse_rows_are_checked(said_of_workload, arrays, message):
    edit = (FIRST + ", weight_bits: 8}", "shape: [128]\n    " + SPARSE)
    text, said = said_of_workload(edit, **{**ROWS, **arrays})
    assert f"workload.yaml:{line_of(text, 'connection:')}: layers[0].connection.{message}" == said


def test_the_last_targets_of_sparse_rows_may_have_no_synapse(said_of_workload):
    assert (
        ""
        == said_of_workload((FIRST + ", weight_bits: 8}", "shape: [128]\n    " + SPARSE), **ROWS)[1]
    )


# what lies at arrays.npz instead of the arrays, what is said of line `arrays:`
DAMAGE = [
    (b"", "must be an npz file, and 'arrays.npz' is none"),
    (b"\x93NUMPY\x01\x00", "must be an npz file, and 'arrays.npz' is none"),
    (pickle.dumps({"labels": 1}), "must be an npz file, and 'arrays.npz' is none"),
]


@pytest.mark.parametrize(("content", "message"), DAMAGE)
def test_what_is_no_npz_file_is_said_to_be_none(said_of_workload, content, message):
    text, _ = said_of_workload()
    Path("arrays.npz").write_bytes(content)
    said = refusal(lambda: Workload.load("workload.yaml"))
    assert f"workload.yaml:{line_of(text, 'arrays:')}: arrays: {message}" == said


def test_a_damaged_array_is_named_once(said_of_workload):
    text, _ = said_of_workload(labels=LABELS)
    content = bytearray(Path("arrays.npz").read_bytes())
    at = content.index(b"NUMPY", content.index(b"hidden2.weight"))
    content[at + 200] ^= 0xFF
    Path("arrays.npz").write_bytes(content)
    said = refusal(lambda: Workload.load("workload.yaml"))
    place = f"workload.yaml:{line_of(text, 'arrays:')}: arrays: "
    assert said.startswith(
        place
        + "must hold plain arrays of numbers; 'hidden2.weight' cannot be read: it is damaged: "
    )
    assert 1 == len(said.splitlines())


def test_a_truncated_npz_file_is_refused(said_of_workload):
    said_of_workload()
    content = Path("arrays.npz").read_bytes()
    for length in range(0, len(content), len(content) // 50):
        Path("arrays.npz").write_bytes(content[:length])
        assert "arrays: must be" in refusal(lambda: Workload.load("workload.yaml"))
