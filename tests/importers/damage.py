"""Files damaged in thousands of ways, each from its seed.

`python damage.py FORMAT FIRST LAST` tries those of some seeds and prints a line for each: its name,
seconds, and what was said of it; then the peak of memory.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

#: changes a file in place; what it changes follows from the seed of `some`
Damage = Callable[[Path, random.Random], None]
#: format -> module with BASES (bytes, or bytes by suffix) and KINDS of damage
FORMATS = {"nir": "damage_nir", "onnx": "damage_onnx", "events": "damage_events"}


def cut(path: Path, some: random.Random) -> None:
    """Keep the beginning alone."""
    data = path.read_bytes()
    path.write_bytes(data[: some.randrange(len(data))])


def flipped(path: Path, some: random.Random) -> None:
    """Flip a few bits, anywhere or near the beginning."""
    data = bytearray(path.read_bytes())
    reach = len(data) if some.random() < 0.5 else min(len(data), 4096)
    for _ in range(some.choice((1, 1, 2, 8, 40))):
        data[some.randrange(reach)] ^= 1 << some.randrange(8)
    path.write_bytes(data)


def damaged(form: str, seed: int, folder: Path) -> Path:
    """Return a damaged file; the same seed gives the same one."""
    some, module = random.Random(seed), import_module(FORMATS[form])
    kind = module.KINDS[seed % len(module.KINDS)]
    suffix, data = form, some.choice(module.BASES)
    if isinstance(data, tuple):
        suffix, data = data
    path = folder / f"{kind.__name__}-{seed}.{suffix}"
    path.write_bytes(data)
    kind(path, some)
    return path


def tried(form: str, path: Path) -> str:
    """Return what is said of a file: "imported", or what is wrong with it."""
    from simulator.errors import SpikemeshError
    from simulator.importers.choices import Choices
    from simulator.importers.events import Recording
    from simulator.importers.formats import import_file

    try:
        if form == "events":
            inputs = [("input", (2, 4, 4))]
            Recording.load(path).fitted(inputs, 1e-3, random.Random(path.name).choice((None, 5)))
        else:
            import_file(path, Choices(dt=1e-4 if form == "nir" else None))
    except SpikemeshError as error:
        return str(error)
    return "imported"


def main(form: str, first: int, last: int) -> None:
    """Try the files of some seeds."""
    import resource
    import tempfile
    import time

    with tempfile.TemporaryDirectory() as place:
        for seed in range(first, last):
            file = damaged(form, seed, Path(place))
            began = time.monotonic()
            said = tried(form, file)
            print(f"{file.name}\t{time.monotonic() - began:.2f}\t{said!r}", flush=True)
            file.unlink()
    print(f"peak\t{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
