"""Where compiled kernels are kept: a private folder for each version, and files that know when they
are damaged.

Reading a kept kernel runs what is in the file, so nobody else may be able to write there: folders
are made for their owner only, and one that belongs to somebody else, that others can write to or
that is a link is not used.  The folder's name holds a digest of the kernels' sources, of every
module they take constants from, and of the versions of numba, numpy and Python, so a stale kernel
is never found.  Files appear under their final name as a whole, so parallel first runs do not race.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import stat
import sys
import tempfile
import time
from pathlib import Path

#: days the compiled kernels of another version are kept
KEPT_DAYS = 30
#: bytes of the checksum a file begins with
CHECKSUM = 32

_NAMED = re.compile(rb"simulator([\w.]*)(?: import ([^\n(]+|\([^)]*\)))?")
_WORD = re.compile(rb"\w+")
#: where numba, numpy and llvmlite say which version they are
_VERSIONS = {"numba": "_version.py", "numpy": "version.py", "llvmlite": "_version.py"}


def kernel_sources(root: Path) -> dict[str, bytes]:
    """Return every module that defines kernels, and those they import, by path relative to the
    package.

    Each command asks for them, so that files and what they import are found by their names alone.
    """
    sources: dict[str, bytes] = {}
    _read(str(root), "", sources)
    made = (b"@kernel", b"@entry_point")
    wanted = [name for name, text in sources.items() if any(one in text for one in made)]
    found: dict[str, bytes] = {}
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        found[name] = text = sources[name]
        for match in _NAMED.finditer(text):
            line = text.rfind(b"\n", 0, match.start()) + 1
            if text[line : match.start()].strip() not in (b"from", b"import"):
                continue
            base = match[1].decode().replace(".", "/")[1:]
            below = [part.decode() for part in _WORD.findall(match[2] or b"")]
            inside = f"{base}/" if base else ""
            names = [f"{base}.py", *(f"{inside}{part}.py" for part in ("__init__", *below))]
            wanted += [candidate for candidate in names if candidate in sources]
    return found


def _read(root: str, inside: str, sources: dict[str, bytes]) -> None:
    with os.scandir(os.path.join(root, inside)) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                with open(entry.path, "rb", buffering=0) as file:
                    sources[inside + entry.name] = file.read()
            elif entry.is_dir() and entry.name != "__pycache__":
                _read(root, f"{inside}{entry.name}/", sources)


def digest() -> str:
    """Return the name of everything that decides what kernels compile to."""
    whole = hashlib.sha256()
    for name, text in sorted(kernel_sources(Path(__file__).parent).items()):
        whole.update(name.encode() + b"\0" + text)
    for name, file in _VERSIONS.items():
        package = importlib.util.find_spec(name)
        assert package is not None and package.origin is not None
        whole.update(Path(package.origin).with_name(file).read_bytes())
    whole.update(platform.python_version().encode() + platform.machine().encode())
    whole.update(os.environ.get("NUMBA_BOUNDSCHECK", "0").encode())
    whole.update(os.environ.get("NUMBA_OPT", "").encode())
    return whole.hexdigest()[:20]


def preferred() -> Path:
    """Return the folder of this version's kernels in the user's cache; it may not exist yet."""
    base = (
        os.environ.get("SPIKEMESH_CACHE")
        or os.environ.get("NUMBA_CACHE_DIR")
        or os.environ.get("XDG_CACHE_HOME")
        or os.path.expanduser("~/.cache")
    )
    return Path(base) / "spikemesh" / digest()


def is_private(folder: Path) -> bool:
    """Return whether this is a folder of this user, no link, that nobody else can write to."""
    status = folder.lstat()
    if not hasattr(os, "geteuid"):
        return stat.S_ISDIR(status.st_mode)
    is_own = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
    return is_own and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _is_usable(folder: Path) -> bool:
    """Make a folder and what is missing above it, for its owner only; return whether kernels can be
    kept there.
    """
    try:
        for part in reversed((folder, *folder.parents)):
            if not part.exists():
                part.mkdir(mode=0o700, exist_ok=True)
        for part in (folder.parent, folder):
            if not is_private(part):
                say(f"{part}: not used: it is another user's, a link, or others can write to it")
                return False
        return os.access(folder, os.W_OK)
    except OSError:
        return False


@functools.cache
def folder() -> Path | None:
    """Return the folder kernels are kept in, made when first asked for.

    It lies in the user's cache; where that cannot be, in the system's temporary folder under the
    user's number; where that cannot be trusted either, it is a fresh one that goes with the
    process; None where nothing can be written.
    """
    wanted = preferred()
    user = os.geteuid() if hasattr(os, "geteuid") else 0
    try:
        shared = Path(tempfile.gettempdir()) / f"spikemesh-{user}" / wanted.name
        for candidate in (wanted, shared):
            if _is_usable(candidate):
                return candidate
        fresh = Path(tempfile.mkdtemp(prefix="spikemesh-"))
    except OSError:
        return None
    atexit.register(shutil.rmtree, fresh, ignore_errors=True)
    return fresh


@functools.cache
def say(text: str) -> None:
    """Print a line on stderr, once however often it is said."""
    print(f"spikemesh: {text}", file=sys.stderr)


def holds(kernel: str) -> bool:
    """Return whether a kernel, by module and name, is kept for some types."""
    place = folder()
    return place is not None and any(place.glob(f"{kernel}-*.kernel"))


def load(name: str) -> bytes | None:
    """Return what was kept under a name; None when there is nothing, or nothing whole."""
    place = folder()
    if place is None:
        return None
    path = place / name
    try:
        with path.open("rb") as file:
            is_own = not hasattr(os, "geteuid") or os.fstat(file.fileno()).st_uid == os.geteuid()
            content = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        say(f"{path}: {error.strerror}; compiled again")
        return None
    if not is_own or hashlib.sha256(content[CHECKSUM:]).digest() != content[:CHECKSUM]:
        say(f"{path}: damaged; compiled again")
        return None
    return content[CHECKSUM:]


def save(name: str, content: bytes) -> None:
    """Keep content under a name, whole or not at all; where it cannot be kept, say so and go on."""
    place = folder()
    if place is None:
        return
    _forget_old_versions(place)
    try:
        number, temporary = tempfile.mkstemp(dir=place, prefix="part-")
        try:
            with os.fdopen(number, "wb") as file:
                file.write(hashlib.sha256(content).digest() + content)
            os.replace(temporary, place / name)
        except OSError:
            os.unlink(temporary)
            raise
    except OSError as error:
        say(f"{place}: {error.strerror}; compiled kernels are not kept")


@functools.cache
def _forget_old_versions(place: Path) -> None:
    """Remove the compiled kernels of versions last compiled more than KEPT_DAYS ago."""
    if not place.parent.name.startswith("spikemesh"):
        return
    for version in place.parent.iterdir():
        try:
            if version != place and version.stat().st_mtime < time.time() - KEPT_DAYS * 86400:
                shutil.rmtree(version, ignore_errors=True)
        except OSError:  # another process was faster
            continue
