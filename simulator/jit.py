"""The only file that imports numba: one decorator, and a compilation cache that cannot go stale.

The cache folder's name holds a digest of the kernels' sources, of every module they take constants
from, and of the versions of numba, numpy and Python, because numba's own check looks at one file
only: after an edit of a callee in another module it silently returns the old result.  The folder
lies in the user's cache, never in the install, so a read-only install works; numba writes to a
temporary name and renames, so parallel first runs do not race.
"""

from __future__ import annotations

import hashlib
import importlib.metadata as metadata
import os
import platform
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, overload

#: days the compiled kernels of another version are kept
KEPT_DAYS = 30

Function = TypeVar("Function", bound=Callable)

_IMPORT = re.compile(
    r"^(?:from|import) (simulator[\w.]*)(?: import ([^\n(]+|\([^)]*\)))?", re.MULTILINE
)


def _kernel_sources(root: Path) -> dict[str, bytes]:
    """Return every module that defines kernels, and those they import, by path relative to the
    package.
    """
    sources = {path: path.read_bytes() for path in sorted(root.rglob("*.py"))}
    wanted = [path for path, text in sources.items() if b"@kernel" in text]
    found: dict[str, bytes] = {}
    while wanted:
        path = wanted.pop()
        name = path.relative_to(root).as_posix()
        if name in found:
            continue
        found[name] = sources[path]
        for module, names in _IMPORT.findall(sources[path].decode()):
            base = root.joinpath(*module.split(".")[1:])
            parts = re.findall(r"\w+", names)
            candidates = [
                base.with_suffix(".py"),
                base / "__init__.py",
                *(base / f"{part}.py" for part in parts),
            ]
            wanted += [candidate for candidate in candidates if candidate in sources]
    return found


def _digest() -> str:
    digest = hashlib.sha256()
    for name, text in sorted(_kernel_sources(Path(__file__).parent).items()):
        digest.update(name.encode() + b"\0" + text)
    for name in ("numba", "numpy", "llvmlite"):
        digest.update(metadata.version(name).encode())
    digest.update(platform.python_version().encode() + platform.machine().encode())
    digest.update(os.environ.get("NUMBA_BOUNDSCHECK", "0").encode())
    digest.update(os.environ.get("NUMBA_OPT", "3").encode())
    return digest.hexdigest()[:20]


def cache_folder() -> Path:
    """Return the folder of this version's compiled kernels (it may not exist yet)."""
    base = (
        os.environ.get("SPIKEMESH_CACHE")
        or os.environ.get("XDG_CACHE_HOME")
        or os.path.expanduser("~/.cache")
    )
    return Path(base) / "spikemesh" / _digest()


def _writable(folder: Path) -> Path:
    """Return `folder`, or one in the system's temporary folder where it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    return (
        Path(tempfile.gettempdir())
        / f"spikemesh-{os.getuid() if hasattr(os, 'getuid') else 0}"
        / folder.name
    )


# a quarter of the compilation saved; the engine and the dense rows run as fast, convolutions 18 %
# slower (docs/performance.md)
os.environ.setdefault("NUMBA_OPT", "1")
if "NUMBA_CACHE_DIR" not in os.environ:
    os.environ["NUMBA_CACHE_DIR"] = str(_writable(cache_folder()))
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]

import numba  # noqa: E402
from numba.core.options import DefaultOptions  # noqa: E402
from numba.extending import intrinsic  # noqa: E402

JIT_DISABLED = bool(getattr(numba.config, "DISABLE_JIT", 0))
_njit: Any = numba.njit
#: kernels hand arrays on without counting references, five times as fast; the flag is private, and
#: right to leave out
_OPTIONS: dict[str, Any] = {"error_model": "numpy"} | (
    {"_nrt": False} if hasattr(DefaultOptions, "_nrt") else {}
)


@overload
def kernel(function: Function) -> Function: ...
@overload
def kernel(*, inline: bool) -> Callable[[Function], Function]: ...
def kernel(function: Any = None, *, inline: bool | None = None) -> Any:
    """Compile `function` for integers and arrays: cached on disk, no reference counting, numpy's
    error model.

    A kernel allocates nothing, raises nothing and keeps no global state; under NUMBA_DISABLE_JIT=1
    it is plain Python. `inline` says that only other kernels call it, so that no entry from Python
    is built; True lets them absorb it, which is for what runs often: handing over a State of forty
    arrays costs a tenth of a microsecond.
    """
    if function is None:
        return lambda wrapped: kernel(wrapped) if JIT_DISABLED else _inner(wrapped, bool(inline))
    return _njit(cache=True, **_OPTIONS)(function)


def _inner(function: Function, is_absorbed: bool) -> Function:
    options = {"forceinline": is_absorbed, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return _njit(**_OPTIONS, **options)(function)  # type: ignore[no-any-return]


if JIT_DISABLED:

    def lowest(mask: int) -> int:
        """Return the number of the lowest set bit of a mask that is not zero."""
        mask = int(mask)
        return (mask & -mask).bit_length() - 1

else:

    @intrinsic
    def lowest(typing_context, mask):  # type: ignore[no-untyped-def]
        """Return the number of the lowest set bit of a mask that is not zero."""

        def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
            from llvmlite import ir

            return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

        return numba.types.int64(numba.types.int64), generate


def _forget_old_versions() -> None:
    """Remove the compiled kernels of versions last compiled more than KEPT_DAYS ago."""
    folder = Path(os.environ["NUMBA_CACHE_DIR"])
    if folder.parent.name != "spikemesh":
        return
    for version in folder.parent.iterdir():
        if version != folder and version.stat().st_mtime < time.time() - KEPT_DAYS * 86400:
            shutil.rmtree(version, ignore_errors=True)


def announce(function: Any) -> None:
    """Say on stderr, once per version, that `function` is about to be compiled and why the wait
    does not come again.
    """
    if JIT_DISABLED or any(
        Path(os.environ["NUMBA_CACHE_DIR"]).rglob(f"*.{function.__name__}-*.nbi")
    ):
        return
    _forget_old_versions()
    print(
        "spikemesh: compiling the engine for this machine (about ten seconds, once per version)",
        file=sys.stderr,
    )
