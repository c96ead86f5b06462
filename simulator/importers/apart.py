"""HDF5 files are read in a process of their own, with a limit of time and of memory.

A damaged file can make the HDF5 library itself go round for ever, ask for gigabytes or crash, and
nothing in Python stops it then.  One process is started when the first file is read and forks for
each: what becomes of the fork harms nobody.  On systems without fork files are read in place.
"""

from __future__ import annotations

import atexit
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from simulator import memory
from simulator.errors import InputError, SpikemeshError

#: seconds of a processor for any file, and for each MiB of one
SECONDS, SECONDS_PER_MIB = 10, 1
#: bytes for any file, and for each byte of one: gzip packs at most 1032 to 1, read in three copies
MEMORY, MEMORY_PER_BYTE = 512 << 20, 3 * 1100
#: bytes that are always allowed
LEAST = 64 << 20
#: the code of the process whose fork a signal ended, less that signal
FORKED = 128
_BEGIN = "import sys; sys.path[:] = sys.argv[1:]; from simulator.importers import apart; "
#: numpy starts no threads there: only a process without them may fork
_ALONE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class _Reader:
    """The process that forks, and the pipes to it."""

    def __init__(self) -> None:
        """Start it, in a session of its own: a Ctrl-C is the parent's to handle."""
        self.owner = os.getpid()
        self.process = subprocess.Popen(
            [sys.executable, "-c", _BEGIN + "apart.serve()", *sys.path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, **_ALONE}, start_new_session=True,
        )  # fmt: skip
        atexit.register(self.end)

    def answer(self, request: dict[str, Any]) -> Any:
        """Return what came of a request; None where the process ended over it."""
        assert self.process.stdin is not None and self.process.stdout is not None
        with suppress(BrokenPipeError):  # it died: seen when its answer is read
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
        with suppress(EOFError, pickle.UnpicklingError):
            return pickle.load(self.process.stdout)
        return None

    def end(self) -> None:
        """End it, and what it forked."""
        atexit.unregister(self.end)
        if self.owner == os.getpid():
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.communicate()


_lock = threading.Lock()
_readers: list[_Reader] = []


def read(path: Path, module: str, function: str) -> Any:
    """Return function(path), a function of a module, called where it can do no harm; raises
    InputError with one line where it does not come back.
    """
    if not hasattr(os, "fork"):
        return getattr(import_module(module), function)(path)
    size = path.stat().st_size
    seconds = SECONDS + SECONDS_PER_MIB * (size >> 20)
    room = memory.room()
    most = max(LEAST, min(room, MEMORY + MEMORY_PER_BYTE * size))
    request = {"module": module, "function": function, "path": os.path.abspath(path),
               "seconds": seconds, "room": room, "most": most}  # fmt: skip
    with _lock:
        if not _readers or _readers[0].owner != os.getpid():
            _readers[:] = [_Reader()]
        reader = _readers[0]
        try:
            answer = reader.answer(request)
            code = reader.process.wait() if answer is None else 0
        except BaseException:  # a Ctrl-C: what is half read is of no use
            _readers.clear()
            reader.end()
            raise
        if answer is None:
            _readers.clear()
            reader.end()
    if answer is None:
        raise InputError(f"{path.name}: cannot be read as HDF5: {_died(code, seconds)}")
    kind, held = answer
    if kind == "refused":
        raise InputError(held)
    if kind == "unreadable":
        most_shown = f"it takes more than {memory.shown(most)}" if held is None else held
        raise InputError(f"{path.name}: cannot be read as HDF5: {most_shown}")
    return held


def _died(code: int, seconds: int) -> str:
    """Return why a process that read a file is gone."""
    if code == FORKED + signal.SIGXCPU:
        return f"the HDF5 library takes more than {seconds} s over it"
    if code > FORKED:
        return f"the HDF5 library fails over it (signal {code - FORKED})"
    return f"the process that reads it ended with code {code}"


def serve() -> None:
    """Answer one request after another, each in a fork; end where a fork did not end well, FORKED
    and its signal as the code.
    """
    answers = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints is no answer
    for line in sys.stdin.buffer:
        request = json.loads(line)
        import_module(request["module"])
        forked = os.fork()
        if not forked:
            _answer(request, answers)
        _, status = os.waitpid(forked, 0)
        if status:
            code = os.waitstatus_to_exitcode(status)
            os._exit(FORKED - code if code < 0 else code)


def _limit(kind: int, most: int, beyond: int = 0) -> None:
    import resource

    allowed = resource.getrlimit(kind)[1]
    hard = most + beyond if allowed == resource.RLIM_INFINITY else min(most + beyond, allowed)
    resource.setrlimit(kind, (min(most, hard), hard))


def _answer(request: dict[str, Any], answers: int) -> None:
    """Call the function within the limits, write what comes of it, and end this process."""
    import resource

    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_CPU, request["seconds"], beyond=5)
    _limit(resource.RLIMIT_AS, request["most"] + memory.mapped())
    answer: tuple[str, Any]
    try:
        call = getattr(sys.modules[request["module"]], request["function"])
        with memory.limited(request["room"] + memory.resident()):
            answer = ("read", call(Path(request["path"])))
    except SpikemeshError as error:
        answer = ("refused", str(error))
    except MemoryError:
        answer = ("unreadable", None)
    except Exception as error:  # damage raises a dozen kinds
        answer = ("unreadable", " ".join(str(error).split())[:120] or type(error).__name__)
    with open(answers, "wb", closefd=False) as out:
        pickle.dump(answer, out, pickle.HIGHEST_PROTOCOL)
    os._exit(0)
