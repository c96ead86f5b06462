"""Recorded inputs that are damaged inside: npz, npy and CSV, of arrays and of events."""

import io
import random
import zipfile
from pathlib import Path

import numpy as np
from damage import Damage, cut, flipped

LINES, STEPS = 32, 12


def _npz(**arrays: np.ndarray) -> tuple[str, bytes]:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return "npz", file.getvalue()


def _npy(array: np.ndarray) -> tuple[str, bytes]:
    file = io.BytesIO()
    np.save(file, array)
    return "npy", file.getvalue()


def _bases() -> tuple[tuple[str, bytes], ...]:
    rng = np.random.default_rng(1)
    grid = rng.integers(0, 2, (3, STEPS, LINES)).astype(np.uint8)
    time, neuron = np.sort(rng.integers(0, 9000, 40)), rng.integers(0, LINES, 40)
    x, y, p = (rng.integers(0, most, 40) for most in (4, 4, 2))
    records = np.zeros(40, [("x", "i2"), ("y", "i2"), ("t", "i8"), ("p", "i1")])
    records["x"], records["y"], records["t"], records["p"] = x, y, time, p
    named = "t,neuron\n" + "".join(f"{a / 1e6:g},{b}\n" for a, b in zip(time, neuron))
    plain = "".join(",".join(map(str, row)) + "\n" for row in grid[0])
    return (
        _npz(input=grid, labels=np.array([1, 0, 2])),
        _npz(t=time, neuron=neuron, inference=np.repeat([0, 1], 20)),
        _npz(t_s=time / 1e6, x=x, y=y, p=p),
        _npy(grid.reshape(3, STEPS, 2, 4, 4)),
        _npy(records),
        ("csv", named.encode()),
        ("csv", plain.encode()),
    )


BASES = _bases()


def _arrays(path: Path) -> dict[str, np.ndarray]:
    held = np.load(path)
    return dict(held) if path.suffix == ".npz" else {"": held}


def _kept(path: Path, arrays: dict[str, np.ndarray]) -> None:
    if path.suffix == ".npz":
        np.savez(path, **arrays)
    else:
        np.save(path, arrays[""])


def _cell(path: Path, some: random.Random, texts: tuple[str, ...]) -> None:
    """Another text in one cell of a CSV."""
    rows = [line.split(",") for line in path.read_text().splitlines()]
    row = some.choice(rows)
    row[some.randrange(len(row))] = some.choice(texts)
    path.write_text("\n".join(map(",".join, rows)) + "\n")


def wrong_type(path: Path, some: random.Random) -> None:
    """Words, objects, complex numbers, records or nothing in the place of numbers."""
    if path.suffix == ".csv":
        return _cell(path, some, ("x", "", "1,2", "\x00", "1e3e", "'", "0x10", "é" * 900))
    arrays = _arrays(path)
    name = some.choice(sorted(arrays))
    held = arrays[name]
    arrays[name] = some.choice((
        np.array(["a"] * held.size), np.array([{}, None], object), np.zeros(held.shape, "c16"),
        np.zeros(held.shape, "M8[s]"), np.zeros(held.shape, [("a", "f4")]), np.zeros(()),
        held[:0], np.zeros((2, 3, 1, 2, 2)), np.zeros(held.shape, "V8"),
    ))  # fmt: skip
    _kept(path, arrays)


def no_number(path: Path, some: random.Random) -> None:
    """NaN or infinity in an array of reals."""
    if path.suffix == ".csv":
        return _cell(path, some, ("nan", "inf", "-inf", "1e999"))
    arrays = _arrays(path)
    names = [name for name, held in arrays.items() if held.dtype.names is None]
    if not names:
        return _kept(path, {"": np.full((3, STEPS, LINES), np.nan)})
    name = some.choice([one for one in names if one != "labels"])
    value = arrays[name].astype(np.float64)
    value.reshape(-1)[some.randrange(value.size)] = some.choice((np.nan, np.inf, -np.inf))
    arrays[name] = value
    _kept(path, arrays)


def outside(path: Path, some: random.Random) -> None:
    """Neurons and pixels that are not there, times before the beginning or after all time."""
    far = (-1, 1 << 20, -(1 << 40), 1 << 62, -(1 << 63), 10**9)
    if path.suffix == ".csv":
        return _cell(path, some, tuple(map(str, far)))
    arrays = _arrays(path)
    name = some.choice(sorted(arrays))
    held = arrays[name]
    field = held if held.dtype.names is None else held[some.choice(held.dtype.names)]
    field = field.reshape(-1)
    info = np.iinfo(field.dtype) if field.dtype.kind in "iu" else None
    value = some.choice(far)
    field[some.randrange(field.size)] = (
        value if info is None else max(info.min, min(info.max, value))
    )
    _kept(path, arrays)


def huge(path: Path, some: random.Random) -> None:
    """A header that claims more than there is."""
    size = 1 << some.randrange(30, 62)
    shape = some.choice(((size,), (size, 1, 1), (1 << 20, 1 << 20), (1,) * 33 + (size,)))
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, header)
    if path.suffix == ".npz":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("input.npy", file.getvalue() + bytes(some.choice((8, 1 << 22))))
    elif path.suffix == ".npy":
        path.write_bytes(file.getvalue() + bytes(64))
    else:
        path.write_text(path.read_text() + "9," * (1 << some.randrange(4, 18)) + "\n")


def other_names(path: Path, some: random.Random) -> None:
    """Names that nobody knows, or none."""
    if path.suffix == ".csv":
        text = path.read_text()
        others = text.replace("neuron", "who"), text.replace("t,", "when,"), "t\n" + text
        path.write_text(some.choice(("", "\n" * 9, *others)))
        return
    arrays = _arrays(path)
    if path.suffix == ".npy":
        np.save(path, {"a": 1}, allow_pickle=True)
        return
    renamed = {some.choice(("x" * 500, "é", "..", name)) + str(k): held
               for k, (name, held) in enumerate(arrays.items())}  # fmt: skip
    _kept(path, some.choice((renamed, {})))


KINDS: tuple[Damage, ...] = (
    cut, flipped, flipped, wrong_type, wrong_type, no_number, outside, outside, huge, other_names,
)  # fmt: skip
#: kinds of damage that cannot be taken for sound
FATAL = ("huge",)
