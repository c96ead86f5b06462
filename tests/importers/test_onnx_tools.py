"""Files that onnxruntime and Brevitas wrote give the whole numbers that those tools compute
themselves (export_onnx.py made both).
"""

from pathlib import Path

import numpy as np
import pytest
from onnx_oracle import computed

from simulator.importers.choices import Choices
from simulator.importers.formats import import_file

DATA = Path(__file__).parent / "data" / "onnx"
FILES = sorted(DATA.glob("*.onnx"))


def test_two_tools_and_three_formats_are_there():
    names = " ".join(path.stem for path in FILES)
    assert all(word in names for word in ("onnxruntime", "brevitas-qcdq", "brevitas-qonnx"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_whole_numbers_are_those_of_the_tool(path):
    recorded = np.load(path.with_suffix(".npz"))
    imported = import_file(path, Choices())
    codes, reals = computed(imported, recorded["inputs"])
    expected = [recorded[name] for name in recorded.files if name.startswith("codes.")]
    expected = {array.reshape(len(array), -1).astype(int).tobytes() for array in expected}
    for tensor, found in codes.items():
        assert found.astype(int).tobytes() in expected, tensor
    (output,) = reals.values()
    last = imported.meaning[-1]
    if last.step is not None:  # the output is whole, too
        expected_output = recorded[f"codes.{recorded['output_codes']}"]
        assert np.array_equal(expected_output, last.integers(np.rint(output / last.unit)))
        return
    assert np.abs(output - recorded["output"]).max() < 1e-4 * np.abs(recorded["output"]).max()
    assert (output.argmax(1) == recorded["output"].argmax(1)).all()
