"""What an ONNX file may not hold is refused in one line for each fault, by node; damaged files are
refused or read, without a traceback and within memory.
"""

import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import MODELS, Model

from simulator.errors import SpikemeshError
from simulator.importers.formats import import_file

DATA = Path(__file__).parent / "data" / "onnx"


def refusal(proto, folder) -> str:
    path = folder / "model.onnx"
    onnx.save(proto, path)
    with pytest.raises(SpikemeshError) as refused:
        import_file(path)
    return str(refused.value)


def dense(scale=0.1, weight_scale=0.1, **more):
    m = Model()
    x = m.quantised("x", scale, np.uint8(0))
    x = m.node("MatMul", x, m.weights((4, 3), weight_scale))
    x = m.quantised(x, more.get("next", 0.2), np.uint8(0))
    x = m.node("MatMul", x, m.weights((3, 2), 0.1))
    return m, x


@pytest.mark.parametrize("scale", [0.0, -0.1, np.nan, np.inf])
@pytest.mark.parametrize("where", ["scale", "weight_scale", "next"])
def test_scales_that_are_none(scale, where, tmp_path):
    m, x = dense(**{where: scale})
    assert "scale must be above 0 and finite" in refusal(m.proto((4,), x), tmp_path)


# operator -> what is said of it
OTHERS = [
    ("QLinearConv", "is written in the operator format QOperator (QLinearConv)"),
    ("MatMulInteger", "is written in dynamic quantisation (MatMulInteger)"),
    ("DynamicQuantizeLinear", "is written in dynamic quantisation (DynamicQuantizeLinear)"),
]


@pytest.mark.parametrize(("kind", "said"), OTHERS)
def test_other_formats_are_refused_with_the_way_to_export_qdq(kind, said, tmp_path):
    m, x = dense()
    text = refusal(m.proto((4,), m.node(kind, x)), tmp_path)
    assert said in text and "quant_format=QuantFormat.QDQ" in text


def test_every_operator_that_is_not_read_is_named_at_once(tmp_path):
    m, x = dense()
    proto = m.proto((4,), m.node("Sin", m.node("Gather", m.node("Sin", x), x)))
    text = refusal(proto, tmp_path)
    assert "operator Sin is not read: node 'sin" in text and "operator Gather is not read" in text
    assert 2 == len(text.splitlines())


def test_floats_are_refused_with_the_way_to_quantise(tmp_path):
    m = Model()
    x = m.node("MatMul", m.quantised("x", 0.1, np.uint8(0)), m.floats(4, 3))
    text = refusal(m.proto((4,), x), tmp_path)
    assert "its weights must be quantised, not plain floats" in text and "QDQ" in text
    m = Model()
    x = m.node("MatMul", "x", m.weights((4, 3), 0.1))
    assert "not an input that was not quantised" in refusal(m.proto((4,), x), tmp_path)


def test_a_circle_of_nodes_is_refused(tmp_path):
    m, x = dense()
    proto = m.proto((4,), x)
    proto.graph.node[0].input[0] = proto.graph.node[-1].output[0]
    assert "the graph has a circle through it" in refusal(proto, tmp_path)


def test_what_nothing_makes_is_refused(tmp_path):
    m, x = dense()
    proto = m.proto((4,), x)
    proto.graph.node[0].input[0] = "elsewhere"
    assert "needs 'elsewhere', which nothing makes" in refusal(proto, tmp_path)


@pytest.mark.parametrize("where", ["/etc/hostname", "../secret", "", "missing"])
def test_data_outside_the_folder_is_not_read(where, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(64))
    folder = tmp_path / "inside"
    folder.mkdir()
    m, x = dense()
    proto = m.proto((4,), x)
    tensor = next(one for one in proto.graph.initializer if len(one.dims) == 2)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=where)
    text = refusal(proto, folder)
    assert "must lie in a file" in text and 1 == len(text.splitlines())


def test_data_beside_the_model_are_read(tmp_path):
    m, x = dense()
    proto = m.proto((4,), x)
    onnx.save(proto, tmp_path / "whole.onnx")
    tensor = next(one for one in proto.graph.initializer if len(one.dims) == 2)
    (tmp_path / "weights.bin").write_bytes(b"abcd" + tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "weights.bin"), ("offset", "4"), ("length", "12")):
        tensor.external_data.add(key=key, value=value)
    (tmp_path / "apart.onnx").write_bytes(proto.SerializeToString())
    whole, apart = (import_file(tmp_path / f"{name}.onnx") for name in ("whole", "apart"))
    assert whole.network.digest() == apart.network.digest()


def test_huge_shapes_are_refused_before_they_are_made(tmp_path):
    m, x = dense()
    proto = m.proto((4,), x)
    proto.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 1 << 40
    assert "must have at most 16,777,216 lines" in refusal(proto, tmp_path)
    proto = m.proto((4,), x)
    proto.graph.initializer[0].dims.extend([1 << 30, 1 << 30])
    assert "must have at most" in refusal(proto, tmp_path)


def damaged(some: random.Random, data: bytes) -> bytes:
    """A file cut, with bits flipped, bytes put in or left out, or a number exchanged."""
    kind = some.choice(("cut", "flip", "flip", "flip", "insert", "drop", "number", "message"))
    at = some.randrange(len(data))
    if kind == "cut":
        return data[:at]
    if kind == "flip":
        found = bytearray(data)
        for _ in range(some.choice((1, 1, 3, 20))):
            found[some.randrange(len(found))] ^= 1 << some.randrange(8)
        return bytes(found)
    if kind == "insert":
        return data[:at] + some.randbytes(some.choice((1, 4, 100))) + data[at:]
    if kind == "drop":
        return data[:at] + data[at + some.choice((1, 4, 100)) :]
    proto = onnx.ModelProto()
    proto.ParseFromString(data)
    node = some.choice(proto.graph.node)
    change = some.randrange(6) if kind == "message" else 6
    if change == 0 and node.input:
        node.input[some.randrange(len(node.input))] = some.choice(proto.graph.node).output[0]
    elif change == 1 and node.input:
        del node.input[some.randrange(len(node.input))]
    elif change == 2:
        node.op_type = some.choice(proto.graph.node).op_type
    elif change == 3:
        name = some.choice(("axis", "group", "strides", "pads", "kernel_shape", "transB", "perm"))
        value = some.choice((0, -1, 7, 1 << 40, [0, 0], [1 << 30] * 4, [-3, 2], "x", 0.5))
        node.attribute.append(helper.make_attribute(name, value))
    elif change == 4:
        some.choice(proto.graph.initializer).data_type = some.randrange(25)
    else:
        tensor = some.choice(proto.graph.initializer)
        if change == 5:
            del tensor.dims[:]
            tensor.dims.extend(some.choice(([1 << 33], [-1], [0], [2, 3], [1] * 40)))
        elif tensor.data_type == TensorProto.FLOAT and tensor.raw_data:
            values = np.frombuffer(tensor.raw_data, np.float32).copy()
            values[some.randrange(len(values))] = some.choice((0, -1, np.nan, np.inf, 1e38, 1e-45))
            tensor.raw_data = values.tobytes()
    return proto.SerializeToString()


def sources() -> list[bytes]:
    models = [MODELS[name]()[1].SerializeToString() for name in MODELS]
    return [*models, *(path.read_bytes() for path in sorted(DATA.glob("*.onnx")))]


def read_damaged(seeds: range, folder: Path) -> int:
    """Read a damaged file for every seed; return how many were refused; raises what is no
    refusal."""
    whole, refused, path = sources(), 0, folder / "damaged.onnx"
    for seed in seeds:
        some = random.Random(seed)
        path.write_bytes(damaged(some, some.choice(whole)))
        try:
            import_file(path)
        except SpikemeshError as error:
            lines = str(error).splitlines()
            assert lines and all(len(line) < 500 for line in lines), (seed, lines)
            refused += 1
        except BaseException as error:
            raise AssertionError(f"seed {seed}: {type(error).__name__}: {error}") from error
    return refused


LIMITED = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from test_onnx_refused import read_damaged
print(read_damaged(range(int(sys.argv[2])), Path(sys.argv[3])))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize("n", [pytest.param(1000, marks=pytest.mark.slow), 150])
def test_damaged_files_are_refused_in_words_and_within_a_gigabyte(n, tmp_path):
    given = [sys.executable, "-W", "ignore", "-c", LIMITED, str(Path(__file__).parent), str(n)]
    done = subprocess.run(
        [*given, str(tmp_path)], capture_output=True, text=True, env=os.environ, timeout=900
    )
    assert 0 == done.returncode, done.stderr[-2000:]
    refused, kilobytes = (int(line) for line in done.stdout.split())
    assert refused > n // 3
    assert kilobytes < 1_000_000
