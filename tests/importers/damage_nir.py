"""NIR files that are damaged inside."""

import random
from pathlib import Path

import h5py
import numpy as np
from damage import Damage, cut, flipped

DATA = Path(__file__).parent / "data"
BASES = tuple(
    (DATA / f"{name}.nir").read_bytes()
    for name in (
        "snntorch-loop", "sinabs-conv", "norse-lif", "spikingjelly-conv", "snntorch-synaptic",
    )
)  # fmt: skip
WORDS = h5py.string_dtype()
AT_LEAST_ONE = (
    "tau", "tau_mem", "tau_syn", "r", "w_in", "stride", "groups", "kernel_size", "dilation",
)  # fmt: skip


def nodes(file: h5py.File) -> list[h5py.Group]:
    """All nodes, those of nested graphs too."""
    found: list[h5py.Group] = []
    file["node"].visititems(
        lambda name, held: (
            found.append(held) if isinstance(held, h5py.Group) and "type" in held else None
        )
    )
    return found


def arrays(file: h5py.File, *named: str) -> list[h5py.Dataset]:
    """Arrays of nodes, those of some names."""
    return [
        held
        for node in nodes(file)
        for name, held in node.items()
        if isinstance(held, h5py.Dataset) and name not in ("type", "edges")
        and (not named or name in named)
    ]  # fmt: skip


def replaced(held: h5py.Dataset, value: object, **how: object) -> None:
    """Put another array in the place of one."""
    parent, name = held.parent, held.name.rsplit("/", 1)[1]
    del parent[name]
    if value is None:
        parent.create_dataset(name, **how)
    else:
        parent.create_dataset(name, data=value, **how)


def wrong_type(path: Path, some: random.Random) -> None:
    with h5py.File(path, "r+") as file:
        held = some.choice(arrays(file))
        kind = some.randrange(7)
        if kind == 0:
            replaced(held, "words", dtype=WORDS)
        elif kind == 1:
            replaced(held, np.array([b"a", b"b"]))
        elif kind == 2:
            replaced(held, np.zeros(3, [("a", "f4"), ("b", "i8")]))
        elif kind == 3:
            replaced(held, np.array([held.parent.ref], h5py.ref_dtype))
        elif kind == 4:
            replaced(held, np.zeros((2, 3, 1, 2, 2)))
        elif kind == 5:
            replaced(held, h5py.Empty("f4"))
        else:
            name = held.name
            del file[name]
            file.create_group(name)


def no_number(path: Path, some: random.Random) -> None:
    """NaN, infinity or zero where a scale, a threshold or a weight stands."""
    with h5py.File(path, "r+") as file:
        held = some.choice([one for one in arrays(file) if one.dtype.kind == "f"])
        value = np.array(held[()], np.float64)
        flat = value.reshape(-1)
        flat[some.randrange(flat.size)] = some.choice((np.nan, np.inf, -np.inf))
        replaced(held, value)


def zero(path: Path, some: random.Random) -> None:
    """A time constant, a resistance or a stride of 0 or less."""
    with h5py.File(path, "r+") as file:
        held = some.choice(arrays(file, *AT_LEAST_ONE))
        replaced(held, np.array(held[()]) * some.choice((0, -1)))


def dangling(path: Path, some: random.Random) -> None:
    with h5py.File(path, "r+") as file:
        table = some.choice(
            [node["edges"] for node in [file["node"], *nodes(file)] if "edges" in node]
        )
        edges = [list(pair) for pair in table.asstr()[()]]
        kind = some.randrange(3)
        if kind == 0:
            some.choice(edges)[some.randrange(2)] = some.choice(
                ("nowhere", "", "input/x", "é" * 900)
            )
        elif kind == 1:
            edges = []
        else:
            node = some.choice([n for n in file["node/nodes"]])
            del file[f"node/nodes/{node}"]
        replaced(table, np.array(edges, object).reshape(-1, 2), dtype=WORDS)


def huge(path: Path, some: random.Random) -> None:
    with h5py.File(path, "r+") as file:
        kind = some.randrange(4)
        if kind == 0:
            held = some.choice(arrays(file, "weight", "bias", "tau", "r", "v_threshold"))
            shape = (1 << some.randrange(10, 24),) * max(1, held.ndim)
            replaced(held, None, shape=shape, dtype="f4", chunks=(1,) * len(shape))
        elif kind == 1:
            size = 1 << some.randrange(20, 60)
            replaced(some.choice(arrays(file, "shape")), np.array([size]))
        elif kind == 2:
            held = some.choice(arrays(file, "padding", "kernel_size", "shape"))
            replaced(held, np.array([1 << some.randrange(10, 24)] * max(1, held.size)))
        else:
            held = some.choice(arrays(file, "weight"))
            replaced(held, None, shape=(1 << 40,), dtype="f8", maxshape=(None,), chunks=(1 << 26,))


def circles(path: Path, some: random.Random) -> None:
    """Groups within themselves, links to elsewhere, linear nodes that drive themselves."""
    with h5py.File(path, "r+") as file:
        inner = file["node/nodes"]
        kind = some.randrange(5)
        if kind == 0:
            inner["again"] = file["node"]
        elif kind == 1:
            inner["again"] = h5py.SoftLink("/node/nodes/again")
        elif kind == 2:
            inner["again"] = h5py.ExternalLink("/etc/passwd", "/")
        elif kind == 3:
            some.choice(nodes(file))["weight2"] = h5py.SoftLink("/node")
        else:
            edges = [list(pair) for pair in file["node/edges"].asstr()[()]]
            linear = [name for name, node in inner.items() if "weight" in node]
            name = some.choice(linear)
            edges.append([name, name])
            replaced(file["node/edges"], np.array(edges, object), dtype=WORDS)


def unknown(path: Path, some: random.Random) -> None:
    with h5py.File(path, "r+") as file:
        for node in some.sample(nodes(file), 2):
            replaced(
                node["type"],
                some.choice(("Sigmoid", "", "x" * 5000, "NIRGraph2", "LSTM")),
                dtype=WORDS,
            )


KINDS: tuple[Damage, ...] = (
    cut, flipped, flipped, wrong_type, no_number, zero, dangling, huge, circles, unknown,
)  # fmt: skip
#: kinds of damage that cannot be taken for sound
FATAL = ("cut", "no_number", "zero", "dangling", "circles", "unknown")
