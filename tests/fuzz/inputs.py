"""Hostile inputs: one command line, and the files it reads, for every (kind, seed).

Most begin as something sound that is changed in a few places: bytes, lines, values, keys; some are
drawn from nothing.  The same kind and seed is the same input on every machine.
"""

from __future__ import annotations

import io
import random
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import imported
import numpy as np
import studies
from imported import NETWORK

from simulator.describe import library

CHIPS = ("generic-22nm", "yan-2024", "odin", "loihi1")
WORKLOADS = ("digits-mlp", "digits-cnn")
#: what stands for any value of any key or option
VALUES = [
    "nan", "inf", "-inf", ".nan", "-1", "0", "1", "2", "3", "7", "8", "64", "65", "1024", "1025",
    "1e300", "1e-300", "1e999", "-0.0", "0.5", "1.0", "2147483647", "2147483648", "9" * 30,
    "9" * 5000, "true", "false", "null", "~", "''", "[]", "{}", "[0]", "[0, 0]", "[1, 2, 3]",
    "{a: 1}", "0 pJ", "-1 pJ", "1e30 pJ", "0.001 fJ", "1 W", "1 ns", "0 ns", "3 ns", "0.7 ns",
    "10000000 cycles", "1 cycle", "0 cycles", "65536 cycles", "300 cycles", "never",
    "281474976710657 cycles", "1 bit", "0 bit", "64 KiB", "1e9 bit", "1 MiB", "64 bit",
    "0.7 V @ 250 MHz", "500 MHz",
    "snn", "xy", "yx", "west-first", "negative-first", "canonical", "lookahead", "events", "bitmap",
    "dense", "touched", "all", "accumulate", "streaming", "auto", "lif", "if", "readout", "raster",
    "graded", "current", "sparse", "convolution", "subtract", "zero", "wrap", "saturate", "off",
    "&a 1", "*a", "!!python/object/apply:os.system [x]", "[" * 600, "\x00", "\x1b[31m", "[/x]",
    "[bold]", "\u202e", "é", "'" * 3, "hidden1.weight", "images", "labels", "arrays.npz", "../x",
    "1, 2, 4", "1/3", "1/0", "0x10", "1_000", "٣", "10Hz", "660mWh", "8x8", "0x0", "4x4", "best",
]  # fmt: skip
BYTES = [b"\x00", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\r", b"\t", b":", b"- ", b"#", b"&",
         b"*", b"!", b"%", b"@", b"`", b"{", b"}", b"[", b"]", b"'", b'"', b"\n\n",
         b"? ", b"\\UFFFFFFFF", b"---\n",
         b"...\n", b"<<: *a\n", b"|\n", b">\n", b"\xed\xa0\x80", b"\x1b]0;x\x07"]  # fmt: skip


@dataclass
class Input:
    """A command line, and files of the folder it runs in."""

    arguments: list[str]
    files: dict[str, bytes] = field(default_factory=dict)


Maker = Callable[[random.Random], Input]
KINDS: dict[str, Maker] = {}


def _kind(make: Maker) -> Maker:
    KINDS[make.__name__] = make
    return make


def hostile(kind: str, seed: int) -> Input:
    """Return the input of a kind and a seed."""
    return KINDS[kind](random.Random(f"{kind} {seed}"))


@cache
def shipped(kind: library.Kind, name: str) -> tuple[bytes, bytes]:
    """Return a shipped description, and the arrays beside it."""
    path = library.find(kind, name)
    arrays = path.parent / "arrays.npz"
    return path.read_bytes(), arrays.read_bytes() if arrays.is_file() else b""


def mutated(some: random.Random, data: bytes) -> bytes:
    """Return the bytes changed in one to three places."""
    for _ in range(some.choice((1, 1, 1, 2, 3))):
        data = some.choice(CHANGES)(some, data)
    return data


def _flip(some: random.Random, data: bytes) -> bytes:
    at = some.randrange(len(data) + 1)
    return data[:at] + bytes([some.randrange(256)]) + data[at + 1 :]


def _insert(some: random.Random, data: bytes) -> bytes:
    at = some.randrange(len(data) + 1)
    return data[:at] + some.choice(BYTES) * some.choice((1, 1, 1, 3, 200)) + data[at:]


def _cut(some: random.Random, data: bytes) -> bytes:
    at = some.randrange(len(data) + 1)
    return data[:at] + data[at + some.choice((1, 4, 30, 200, len(data))) :]


def _repeat(some: random.Random, data: bytes) -> bytes:
    at = some.randrange(len(data) + 1)
    part = data[at : at + some.choice((1, 10, 100, 1000))]
    return data[:at] + part * some.choice((1, 2, 10, 300)) + data[at:]


def _line(some: random.Random, data: bytes) -> bytes:
    """Drop, double, indent or move a line."""
    lines = data.split(b"\n")
    at = some.randrange(len(lines))
    line = lines[at]
    new = some.choice(([], [line, line], [b"  " + line], [line.lstrip()], [b"#" + line]))
    lines[at : at + 1] = new
    if some.random() < 0.3:
        lines.insert(some.randrange(len(lines) + 1), line)
    return b"\n".join(lines)


_VALUE = re.compile(rb"(?<=: )[^\s,{}\[\]][^,{}\[\]\n]*|(?<=\[)[^\[\]{}\n]+(?=\])")
_KEY = re.compile(rb"[A-Za-z_][A-Za-z_0-9]*(?=:)")

_QUANTITY = re.compile(r"([+-]?(?:[0-9]+\.?|\.[0-9])[0-9]*(?:e[+-]?[0-9]+)?)( ?[A-Za-z/]+)?")
#: words that may stand for each other
WORDS = [
    ("true", "false"), ("lookahead", "canonical"), ("xy", "yx", "west-first", "negative-first"),
    ("events", "bitmap", "dense"), ("all", "touched"), ("streaming", "accumulate"), ("if", "lif"),
    ("readout", "if"), ("subtract", "zero"), ("saturate", "wrap"), ("max", "sum"), ('">="', '">"'),
    ("current", "raster", "graded"), ("marginal", "all_in"),
    ("measured", "published", "derived", "assumed"),
]  # fmt: skip


def similar(some: random.Random, text: str) -> str:
    """Return a value that could stand in the place of another one."""
    for words in WORDS:
        if text in words:
            return some.choice(words)
    match = _QUANTITY.fullmatch(text) if len(text) < 100 else None
    if match is None:
        return some.choice(VALUES)
    number, unit = match.group(1), match.group(2) or ""
    if "." in number or "e" in number:
        return f"{float(number) * some.choice((0, 0.5, 2, 1000)):g}{unit}"
    nearby = (int(number) + 1, max(int(number) - 1, 0), int(number) * 2, 0, 1, 2, 5, 16, 63, 4096)
    return f"{some.choice(nearby)}{unit}"


def _value(some: random.Random, data: bytes) -> bytes:
    """Write another value behind a key."""
    found = list(_VALUE.finditer(data))
    if not found:
        return data
    place = some.choice(found)
    old = place.group().decode("utf-8", "replace")
    new = similar(some, old) if some.random() < 0.6 else some.choice(VALUES)
    if some.random() < 0.1:  # another value of the same file
        new = some.choice(found).group().decode("utf-8", "replace")
    return data[: place.start()] + new.encode() + data[place.end() :]


def _key(some: random.Random, data: bytes) -> bytes:
    """Misspell a key, or write another one of the file in its place."""
    found = list(_KEY.finditer(data))
    if not found:
        return data
    place = some.choice(found)
    new = some.choice((some.choice(found).group(), place.group()[:-1], place.group() + b"s", b"x"))
    return data[: place.start()] + new + data[place.end() :]


CHANGES = (_flip, _insert, _cut, _repeat, _line, _value, _value, _value, _value, _key)


def simulate(some: random.Random, workload: str, chip: str) -> list[str]:
    """Return a command that simulates one inference."""
    if some.random() < 0.3:
        return ["check", *(name for name in (workload, chip) if name.endswith(".yaml"))]
    verb = some.choice((["run", "--mode", "snn"], ["run", "--mode", "qnn"], ["twin"]))
    return [*verb, workload, "--chip", chip, "--limit", "1"]


@_kind
def chip(some: random.Random) -> Input:
    """A chip file."""
    text = mutated(some, shipped("chip", some.choice(CHIPS))[0])
    return Input(simulate(some, "digits-mlp", "chip.yaml"), {"chip.yaml": text})


@_kind
def workload(some: random.Random) -> Input:
    """A workload file."""
    text, arrays = shipped("workload", some.choice(WORKLOADS))
    files = {"workload.yaml": mutated(some, text), "arrays.npz": arrays}
    return Input(simulate(some, "workload.yaml", "generic-22nm"), files)


def _array(some: random.Random, array: np.ndarray) -> np.ndarray:
    """Return another array in its place."""
    kind = some.choice(("object", "float", "shape", "extreme", "empty", "scalar", "value", "type"))
    if kind == "object":
        return np.array([{}, None], object)
    if kind == "float":
        return array.astype(np.float64) + some.choice((0.5, np.nan, np.inf, 0.0))
    if kind == "shape":
        flat = array.reshape(-1)[: some.randrange(1, array.size + 1)]
        return some.choice((flat, flat.reshape(1, -1), flat.reshape(-1, 1, 1), array.T))
    if kind == "empty":
        return array[:0]
    if kind == "scalar":
        return np.array(some.choice((0, 1, -1, 2**40)))
    if kind == "type":
        types = ("i1", "u1", ">i4", "u8", "i8", "?", "c16", "U3", "M8[s]", "f2")
        return array.astype(some.choice(types))
    changed = array.astype(np.int64)
    extreme = (-1, 2**31, 2**62, -(2**63)) if kind == "extreme" else (0, 1, 127, -128, 31)
    changed.reshape(-1)[some.randrange(changed.size)] = some.choice(extreme)
    return changed


@_kind
def arrays(some: random.Random) -> Input:
    """The npz file of a workload: damaged bytes, or other arrays in it."""
    text, data = shipped("workload", some.choice(WORKLOADS))
    if some.random() < 0.5:
        for _ in range(some.choice((1, 1, 2, 5))):
            data = some.choice((_flip, _insert, _cut, _repeat))(some, data)
    else:
        with np.load(io.BytesIO(data)) as archive:
            content = dict(archive)
        name = some.choice(sorted(content))
        if some.random() < 0.1:
            del content[name]
        else:
            content[name] = _array(some, content[name])
        file = io.BytesIO()
        some.choice((np.savez, np.savez_compressed))(file, **content)
        if some.random() < 0.1:
            with zipfile.ZipFile(file, "a") as archive:
                archive.writestr(f"{name}x.npy", b"\x93NUMPY\x01\x00" + bytes(20))
        data = file.getvalue()
    files = {"workload.yaml": text, "arrays.npz": data}
    return Input(simulate(some, "workload.yaml", "generic-22nm"), files)


@_kind
def setting(some: random.Random) -> Input:
    """Overrides with `--set`, of chip and workload, at corners too."""
    texts = []
    for _ in range(some.choice((1, 1, 1, 2, 4))):
        kind = some.choice(("chip", "chip", "workload"))
        path, old = some.choice(paths(kind))
        if some.random() < 0.05:
            path = path[:-1] or "x"
        value = similar(some, old) if some.random() < 0.75 else some.choice(VALUES)
        texts += ["--set", f"{'workload.' if kind == 'workload' else ''}{path}={value}"]
    corner = ["--corner", some.choice(("nominal", "0.7 V @ 250 MHz", "x", *VALUES))]
    verb = some.choice((["run", "--mode", some.choice(("snn", "qnn"))], ["twin"]))
    chosen = [*verb, some.choice(WORKLOADS), "--chip", some.choice(CHIPS), "--limit", "1"]
    return Input([*chosen, *texts, *(corner if some.random() < 0.2 else [])])


@cache
def paths(kind: library.Kind) -> list[tuple[str, str]]:
    """Return every key path of the shipped files of a kind that holds one value, and the value."""
    from simulator.describe.documents import Document

    def walk(tree: object, before: str) -> list[tuple[str, str]]:
        if isinstance(tree, dict):
            return [leaf for key, value in tree.items() for leaf in walk(value, f"{before}.{key}")]
        if isinstance(tree, list) and not before.startswith((".notes", ".published")):
            return [leaf for n, value in enumerate(tree) for leaf in walk(value, f"{before}.{n}")]
        text = str(tree).lower() if isinstance(tree, bool) else str(tree)
        return [] if before.endswith((".source", ".about")) else [(before[1:], text)]

    names = CHIPS if kind == "chip" else WORKLOADS
    found = {leaf for name in names for leaf in walk(Document(library.find(kind, name)).tree, "")}
    return sorted(leaf for leaf in found if not leaf[0].startswith(("sources", "published")))


@_kind
def trace(some: random.Random) -> Input:
    """A trace of packets, on meshes of all kinds."""
    width, height = some.choice(((2, 2), (4, 4), (1, 5), (8, 8)))
    nodes, cycle, rows = width * height, 0, ["cycle,src,dst,size,class"]
    for _ in range(some.choice((0, 1, 5, 60))):
        cycle += some.choice((0, 0, 1, 3, 50, 10**9))
        row = [cycle, some.randrange(nodes), some.randrange(nodes), some.choice((1, 1, 2, 9, 300))]
        rows.append(",".join(map(str, [*row, some.randrange(2)])))
    text = "\n".join(rows).encode()
    if some.random() < 0.8:
        text = mutated(some, text)
    if some.random() < 0.3:
        numbers = list(re.finditer(rb"[0-9]+", text))
        if numbers:
            place = some.choice(numbers)
            text = text[: place.start()] + some.choice(VALUES).encode() + text[place.end() :]
    options = []
    for name, values in MESH_OPTIONS.items():
        if some.random() < 0.2:
            options += [name, some.choice(values)]
    outputs = [["-o", "out"], ["--grants"], ["--overwrite"], ["-o", "t.csv"]]
    chosen = [text for output in outputs if some.random() < 0.3 for text in output]
    command = ["noc", "t.csv", "--mesh", f"{width}x{height}", *options, *chosen]
    return Input(command, {"t.csv": text})


MESH_OPTIONS = {
    "--vcs": ["1", "2", "4", "8", "9"],
    "--buffer": ["1", "2", "64", "0"],
    "--routing": ["xy", "yx", "west-first", "negative-first", "x"],
    "--pipeline": ["canonical", "lookahead"],
    "--link-latency": ["1", "41,65", "65536", "0"],
    "--flit-interval": ["1", "3,1", "nan"],
    "--class-vcs": ["1,1", "1,3", "0,1"],
    "--energy": ["45nm", "22nm", "11nm", "7nm"],
    "--clock": ["500 MHz", "1e29 Hz", "0 Hz"],
}


@_kind
def option(some: random.Random) -> Input:
    """Options of every verb, with values of all kinds."""
    from simulator.commands.verbs import VERBS, cli

    verb = some.choice([name for name in VERBS if name != "bench"])
    command = cli.get_command(cli.make_context("spikemesh", [verb], resilient_parsing=True), verb)
    assert command is not None
    arguments = [verb, *BASE.get(verb, [])]
    for _ in range(some.choice((1, 1, 2, 3)) if parameters(verb) else 0):
        parameter = some.choice(parameters(verb))
        arguments.append(max(parameter.opts, key=len))
        if not getattr(parameter, "is_flag", False):
            choices = list(getattr(parameter.type, "choices", []))
            arguments.append(some.choice(choices or VALUES))
    return Input([text for text in arguments if "\0" not in text], FILES)


TRACE = b"cycle,src,dst,size\n0,0,1,1\n2,3,1,4\n"
#: a command of each verb that takes a moment; what is appended overrides it
BASE = {
    "run": ["digits-mlp", "--mode", "snn", "--limit", "1"],
    "twin": ["digits-mlp", "--limit", "1"],
    "agree": ["digits-mlp", "--limit", "1", "--timesteps", "1"],
    "noc": ["--mesh", "2x2", "--traffic", "uniform", "--rate", "0.1", "--cycles", "400"],
    "validate": ["mlp-4-4", "--density", "0.5", "--limit", "1", "--terms-only"],
    "crossover": ["mlp-4-4", "--resolution", "0.1", "--limit", "1"],
    "always-on": ["digits-mlp", "--frame-rate", "10Hz", "--duty", "0.01", "--frames", "100"],
    "schema": ["chip"],
    "check": ["generic-22nm"],
    "import": [str(NETWORK), "-o", "out", "--overwrite"],
    "timesteps": ["digits-mlp", "--timesteps", "1,2", "--limit", "1"],
    "coding": ["digits-mlp", "--timesteps", "2", "--limit", "1"],
    "budget": ["digits-mlp", "--budget", "8", "--limit", "1"],
    "explain": ["digits-mlp", "--timesteps", "1", "--limit", "1"],
    "sweep": ["s.yaml", "-o", "out", "--jobs", "1"],
    "compare": ["a", "b"],
}
#: what is there for every command line of options
FILES = {
    "t.csv": TRACE,
    "s.yaml": b"schema_version: 1\nname: s\nquestion: which?\nworkloads: [digits-mlp]\nlimit: 1\n"
    b"timesteps: 1\naxes: {core.synapse.lanes: [1, 8]}\n"
    b"objectives: {energy_j.per_inference: minimise}\n",
}


@cache
def parameters(verb: str) -> list:
    """Return the options of a verb that do not ask for hours of honest work."""
    import importlib

    from simulator.commands.verbs import VERBS, function_name

    module = importlib.import_module(f"simulator.commands.{VERBS[verb][0]}")
    command = getattr(module, function_name(verb))
    long = {"--check", "--markdown", "--published", "--landscape", "--plot", "--memory"}
    long |= {"--cycles", "--seeds", "--engine", "--limit"}
    found = [one for one in command.params if one.param_type_name == "option"]
    return [one for one in found if not long & set(one.opts)]


@_kind
def nothing(some: random.Random) -> Input:
    """Files of bytes that never were anything."""
    data = some.choice((
        bytes(some.randrange(256) for _ in range(some.randrange(300))),
        "".join(some.choice(VALUES) + some.choice((": ", "\n", ", ")) for _ in range(40)).encode(),
        b"".join(some.choice(BYTES) for _ in range(40)),
    ))  # fmt: skip
    command = some.choice((
        ["check", "x.yaml"], ["noc", "x.yaml", "--mesh", "2x2"], ["run", "x.yaml", "--mode", "snn"],
        ["twin", "digits-mlp", "--chip", "x.yaml"],
    ))  # fmt: skip
    return Input(command, {"x.yaml": data})


def _of_others(make: Callable[..., imported.Command]) -> Maker:
    return lambda some: Input(*make(some, mutated))


KINDS |= {name: _of_others(make) for name, make in (imported.KINDS | studies.KINDS).items()}
