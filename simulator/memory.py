"""How much memory may be taken: big arrays are estimated before they are made, and refused with
what drives their size.

The limit is what `limited` allows, else the environment variable SPIKEMESH_MEMORY, both for the
whole process; else three quarters of what the machine has free, asked anew each time.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simulator.errors import InputError

ENVIRONMENT = "SPIKEMESH_MEMORY"
#: of the free memory that is taken without being asked
SHARE = 0.75
#: what is believed to be free on a system that does not say
UNKNOWN_FREE = 4 << 30
UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_SIZE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) ?([KMGT]iB|B)")
#: sizes set by `limited`, the innermost last
_limits: list[int] = []


class MemoryLimitError(InputError):
    """Something would take more memory than may be taken: how much, and what drives it."""

    def __init__(self, what: str, size: int, room: int) -> None:
        """Name what would take `size` bytes where there is room for `room`."""
        self.limit = f"{-(-(size + size // 8 + resident()) // UNITS['GiB'])}GiB"
        super().__init__(
            f"memory: must be at most {shown(room)}, not {shown(size)} for {what}; this machine "
            f"has {shown(free())} free, {ENVIRONMENT}={self.limit} allows more"
        )


def read_size(text: str) -> int:
    """Return a size such as '8GiB' or '500 MiB' in bytes; raises InputError for anything else, and
    for less than 1 MiB.
    """
    match = _SIZE.fullmatch(text.strip())
    size = round(float(match.group(1)) * UNITS[match.group(2)]) if match else 0
    if not 1 << 20 <= size <= 1 << 60:
        raise InputError(
            f"memory: must be a size such as 8GiB, 1MiB or more, not {ascii(text)[:60]}"
        )
    return size


def shown(size: int) -> str:
    """Return bytes for people: '47.9 GiB'."""
    unit = next((unit for unit in ("B", "KiB", "MiB", "GiB") if size < UNITS[unit] << 10), "TiB")
    return f"{size / UNITS[unit]:.3g} {unit}" if size < UNITS["TiB"] * 999 else "over 999 TiB"


@contextmanager
def limited(most: str | int) -> Iterator[None]:
    """Let this process take at most so much memory, '8GiB' or bytes, while the context lasts."""
    _limits.append(read_size(most) if isinstance(most, str) else most)
    try:
        yield
    finally:
        _limits.pop()


def resident() -> int:
    """Return the bytes this process holds, 0 on a system that does not say."""
    return _statm(1)


def mapped() -> int:
    """Return the bytes of addresses this process has taken, 0 on a system that does not say."""
    return _statm(0)


def _statm(field: int) -> int:
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[field]) * os.sysconf("SC_PAGESIZE")
    except (OSError, ValueError):
        return 0


def free() -> int:
    """Return the bytes the machine, the container and the limits of this process leave free."""
    return max(0, min([_of_machine(), *_of_container(), *_of_process()]))


def _of_machine() -> int:
    try:
        with open("/proc/meminfo") as lines:
            named = dict(line.split(":", 1) for line in lines)
        return int(named["MemAvailable"].split()[0]) << 10
    except (OSError, KeyError, ValueError):
        return UNKNOWN_FREE


def _of_container() -> list[int]:
    places = (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        (
            "/sys/fs/cgroup/memory/memory.limit_in_bytes",
            "/sys/fs/cgroup/memory/memory.usage_in_bytes",
        ),
    )
    found = []
    for most, used in places:
        try:
            found.append(int(Path(most).read_text()) - int(Path(used).read_text()))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return found


def _of_process() -> list[int]:
    try:
        import resource
    except ImportError:  # no Unix
        return []
    most = resource.getrlimit(resource.RLIMIT_AS)[0]
    return [] if most == resource.RLIM_INFINITY else [most - mapped()]


def room() -> int:
    """Return the bytes that may still be taken."""
    written = os.environ.get(ENVIRONMENT, "")
    limit = _limits[-1] if _limits else read_size(written) if written else None
    if limit is None:
        return int(SHARE * free())
    return max(0, limit - resident())


def need(what: str, size: int) -> None:
    """Raise MemoryLimitError unless `size` bytes may be taken for `what`, words that say what
    drives it.
    """
    if size < 1 << 20:  # never what breaks a machine
        return
    left = room()
    if size > left:
        raise MemoryLimitError(what, size, left)
