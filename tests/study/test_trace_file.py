"""`spikemesh noc` reads traces in windows of any size, and refuses word for word."""

from pathlib import Path

import numpy as np
import pytest
from traces import random_packets

from simulator.describe import trace_file
from simulator.describe.trace_file import TraceFile
from simulator.errors import InputError

HEADER = "t.csv:1: header: "
FORM = "must be cycle,src,dst,size[,class], not "
# text of the file on a 4x3 mesh, the message
BAD = [
    ("", "t.csv: is empty: must begin with the header cycle,src,dst,size[,class]"),
    ("0,0,1,1\n", f"{HEADER}{FORM}'0,0,1,1'"),
    ("cycle,src,dst\n", f"{HEADER}column size is missing; {FORM}'cycle,src,dst'"),
    ("cycle,dst,src,size\n", f"{HEADER}{FORM}'cycle,dst,src,size'"),
    ("cycle,src,dst,size,colour\n", f"{HEADER}{FORM}'cycle,src,dst,size,colour'"),
    (
        "cycle,src,dst,size\n0,12,0,1\n",
        "t.csv:2: src: must be a node of the 4x3 mesh, 0 to 11, not 12",
    ),
    (
        "cycle,src,dst,size\n0,0,1,1\n0,0,-1,1\n",
        "t.csv:3: dst: must be a node of the 4x3 mesh, 0 to 11, not -1",
    ),
    ("cycle,src,dst,size\n0,0,1,0\n", "t.csv:2: size: must be at least 1, not 0"),
    (
        "cycle,src,dst,size\n0,0,1,3000000000\n",
        "t.csv:2: size: must be at most 1000000, not 3000000000",
    ),
    ("cycle,src,dst,size\n-1,0,1,1\n", "t.csv:2: cycle: must be at least 0, not -1"),
    ("cycle,src,dst,size\n9,0,1,1\n8,0,1,1\n", "t.csv:3: cycle: must not fall: 8 comes after 9"),
    (
        "cycle,src,dst,size\n9999999999999999,0,1,1\n",
        "t.csv:2: cycle: must be at most 1000000000000000, not 9999999999999999",
    ),
    ("cycle,src,dst,size\n1e3,0,1,1\n", "t.csv:2: cycle: must be a whole number, not '1e3'"),
    ("cycle,src,dst,size\n0,0,1,1.0\n", "t.csv:2: size: must be a whole number, not '1.0'"),
    ("cycle,src,dst,size\n0,0,1,\n", "t.csv:2: size: must be a whole number, not ''"),
    (
        "cycle,src,dst,size\n0,0,1\n",
        "t.csv:2: line: must be 4 numbers (cycle,src,dst,size), not '0,0,1'",
    ),
    ("cycle,src,dst,size,class\n0,0,1,1,2\n", "t.csv:2: class: must be at most 1, not 2"),
    (
        "cycle,src,dst,size\n0,0,1,18446744073709551617\n",
        "t.csv:2: size: must be a whole number, not '18446744073709551617'",
    ),
    (
        "cycle,src,dst,size\n\x00\xff\x1b,1\n",
        r"t.csv:2: line: must be 4 numbers (cycle,src,dst,size), not '\x00\xff\x1b,1'",
    ),
    ("\x7fELF\x02\x01\x00\n", rf"{HEADER}{FORM}'\x7fELF\x02\x01\x00'"),
    (
        "cycle,src,dst,size\n0,12,12,0\n",
        "\n".join(
            (
                "t.csv:2: src: must be a node of the 4x3 mesh, 0 to 11, not 12",
                "t.csv:2: dst: must be a node of the 4x3 mesh, 0 to 11, not 12",
                "t.csv:2: size: must be at least 1, not 0",
            )
        ),
    ),
]


@pytest.mark.parametrize("text, message", BAD)
def test_a_bad_trace_is_refused_word_for_word_and_nothing_is_written(noc, tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text, encoding="latin-1")
    with pytest.raises(InputError) as refused:
        noc("t.csv", "--mesh", "4x3", "-o", "out", "--grants")
    assert message == str(refused.value)
    assert ["t.csv"] == [path.name for path in tmp_path.iterdir()]


def test_a_fault_in_the_last_line_shows_before_anything_runs(noc, tmp_path, monkeypatch):
    (tmp_path / "t.csv").write_text("cycle,src,dst,size\n" + "0,0,1,1\n" * 70_000 + "0,0,1,0\n")
    monkeypatch.setattr("simulator.study.noc.run_trace", lambda *_, **__: pytest.fail("it runs"))
    with pytest.raises(InputError, match=r"^t\.csv:70002: size: must be at least 1, not 0$"):
        noc("t.csv", "--mesh", "2x2")


def test_twenty_faults_are_listed_and_the_others_counted(tmp_path):
    (tmp_path / "t.csv").write_text("cycle,src,dst,size\n" + "0,0,99,1\n0,0,1,1\n" * 1025)
    with pytest.raises(InputError) as refused:
        TraceFile(tmp_path / "t.csv", 4, 4).check()
    lines = str(refused.value).splitlines()
    assert (21, "t.csv:40: dst", "t.csv: and 1,005 more") == (
        len(lines),
        Path(lines[19]).name[:13],
        Path(lines[20]).name,
    )


@pytest.mark.parametrize(
    "text",
    [
        "cycle,src,dst,size\n0,0,1,2\n3,2,3,4\n",
        "cycle,src,dst,size\r\n0,0,1,2\r\n3,2,3,4\r\n",  # another system's line ends
        "\ufeffcycle, src, dst, size\n0, 0, 1, 2\n\n "
        "+3,2,3,4",  # a spreadsheet's mark, blanks, no last line end
    ],
)
def test_harmless_spellings_are_read(tmp_path, text):
    (tmp_path / "t.csv").write_bytes(text.encode())
    trace = TraceFile(tmp_path / "t.csv", 2, 2)
    assert [[[0, 0, 1, 2, 0], [3, 2, 3, 4, 0]]] == [window.tolist() for window in trace.windows()]


@pytest.mark.parametrize("block", [23, 64, 1 << 20])
@pytest.mark.parametrize("window", [1, 10, 1 << 16])
def test_a_trace_reads_the_same_in_blocks_and_windows_of_any_size(
    tmp_path, monkeypatch, block, window
):
    packets = random_packets(300, 1000, 16)
    np.savetxt(
        tmp_path / "t.csv", packets, "%d", ",", header="cycle,src,dst,size,class", comments=""
    )
    monkeypatch.setattr(trace_file, "BLOCK", block)
    monkeypatch.setattr(trace_file, "WINDOW", window)
    monkeypatch.setattr(
        trace_file._Reader,
        "_header",
        lambda reader: reader.file.readline().decode().strip().split(","),
    )
    trace = TraceFile(tmp_path / "t.csv", 4, 4)
    trace.check()
    assert (300, packets[-1, 0]) == (trace.n_packets, trace.last_cycle)
    assert packets.tolist() == np.concatenate(list(trace.windows())).tolist()


def test_a_line_without_end_is_no_trace(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"cycle,src,dst,size\n" + b"\x00" * (3 << 20))
    with pytest.raises(
        InputError, match=r"t\.csv:2: line: is longer than 1,048,576 bytes: this is no trace$"
    ):
        TraceFile(tmp_path / "t.csv", 2, 2).check()


# arguments, the message
REFUSED = [
    ([], "noc: needs a TRACE.csv or --traffic, one of them"),
    (["t.csv", "--traffic", "uniform"], "noc: needs a TRACE.csv or --traffic, one of them"),
    (["t.csv", "--rate", "0.1"], "--rate: needs --traffic"),
    (["t.csv", "--plot", "p.png"], "--plot: needs --traffic"),
    (["--traffic", "uniform", "--grants"], "--grants: needs a TRACE.csv"),
    (
        ["t.csv", "--mesh", "8"],
        "--mesh: must be two whole numbers from 1 to 1024 such as 8x8, not '8'",
    ),
    (
        ["t.csv", "--mesh", "0x8"],
        "--mesh: must be two whole numbers from 1 to 1024 such as 8x8, not '0x8'",
    ),
    (["t.csv", "--vcs", "9"], "--vcs: must be a whole number from 1 to 8, not '9'"),
    (["t.csv", "--buffer", "65"], "--buffer: must be a whole number from 1 to 64, not '65'"),
    (
        ["t.csv", "--link-latency", "0"],
        "--link-latency: must be one number or two, whole numbers from 1 to 65536 such as 41,65, "
        "not '0'",
    ),
    (
        ["t.csv", "--flit-interval", "1,x"],
        "--flit-interval: must be one number or two, whole numbers from 1 to 65536 such as 41,65, "
        "not '1,x'",
    ),
    (
        ["t.csv", "--routing", "zz"],
        "--routing: must be one of xy, yx, west-first, negative-first, not 'zz'",
    ),
    (
        ["t.csv", "--vcs", "2", "--class-vcs", "2,1"],
        "--class-vcs: must be two numbers, each at least 1, that add up to the 2 VCs, not (2, 1)",
    ),
    (["t.csv", "--grants"], "--grants: needs -o"),
    (["t.csv", "--overwrite"], "--overwrite: needs -o"),
    (["t.csv", "-o", "t.csv/out"], "t.csv/out: cannot be written: File exists"),
    (
        ["t.csv", "-o", "."],
        ".: must be a new or an empty folder, not one that holds files (overwrite replaces it as "
        "a whole)",
    ),
    (
        ["--traffic", "uniform", "-o", "out", "--plot", "out/p.png"],
        "--plot: must be outside the folder of -o, not out/p.png",
    ),
    (
        ["--traffic", "uniform", "--plot", "no/p.png"],
        "no/p.png: cannot be written: No such file or directory",
    ),
    (["u.csv"], "u.csv: cannot be read: No such file or directory"),
    (["t.csv", "--clock", "1 GHz"], "--clock: needs --energy"),
    (
        ["t.csv", "--energy", "45nm", "--clock", "500"],
        "--clock: must be a frequency with its unit, such as '500 MHz', not '500'",
    ),
    (
        ["t.csv", "--energy", "45nm", "--link-length", "3"],
        "--link-length: must be a length with its unit, such as '1 mm', not '3'",
    ),
    (["t.csv", "--energy", "7nm"], "--energy: must be one of 45nm, 22nm, 11nm, not '7nm'"),
]


@pytest.mark.parametrize("arguments, message", REFUSED)
def test_what_cannot_be_done_is_refused(noc, tmp_path, arguments, message):
    (tmp_path / "t.csv").write_text("cycle,src,dst,size\n0,0,1,1\n")
    with pytest.raises(InputError) as refused:
        noc(*(["--mesh", "4x4"] if "--mesh" not in arguments else []), *arguments)
    assert message == str(refused.value)
