"""The only file that imports numba: one decorator, and a compilation cache that cannot go stale.

The cache folder's name holds a digest of the package's kernel sources and of the versions of numba, numpy and Python, because
numba's own check looks at one file only: after an edit of a callee in another module it silently returns the old result.
The folder lies in the user's cache, never in the install, so a read-only install works; numba writes to a temporary name and
renames, so parallel first runs do not race.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Function = TypeVar("Function", bound=Callable)


def _digest() -> str:
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for source in sorted(root.rglob("*.py")):
        if source.parent.name in {"report", "study", "account"}:
            continue
        digest.update(str(source.relative_to(root)).encode())
        digest.update(source.read_bytes())
    import importlib.metadata as metadata

    for name in ("numba", "numpy", "llvmlite"):
        digest.update(metadata.version(name).encode())
    digest.update(platform.python_version().encode())
    digest.update(os.environ.get("NUMBA_BOUNDSCHECK", "0").encode())
    return digest.hexdigest()[:20]


def cache_folder() -> Path:
    """Return the folder of this version's compiled kernels (it may not exist yet)."""
    base = os.environ.get("SPIKEMESH_CACHE") or os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "spikemesh" / _digest()


if "numba" not in sys.modules:
    os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_folder()))

import numba  # noqa: E402

numba.config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"] if "NUMBA_CACHE_DIR" in os.environ else str(cache_folder())


def kernel(function: Function) -> Function:
    """Compile `function` for integers and arrays: cached on disk, no reference counting, numpy's error model.

    A kernel allocates nothing, raises nothing and keeps no global state; under NUMBA_DISABLE_JIT=1 it is plain Python.
    """
    return numba.njit(cache=True, error_model="numpy", _nrt=False)(function)  # type: ignore[no-any-return]
