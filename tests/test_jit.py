"""Compiled kernels: nothing changes for others in the process, and what is kept on disk is private,
whole and never stale.
"""

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import simulator
from simulator import kernel_cache

ROOT = Path(simulator.__file__).parent
#: one kernel of one line: compiles in a moment
TINY = """
from simulator import jit
@jit.kernel
def triple(n: int) -> int:
    return 3 * n
def plain(n):
    return n
"""
USE = "import tiny; print(tiny.triple(14))"


@pytest.fixture
def place(tmp_path):
    """A folder that holds the module `tiny`."""
    (tmp_path / "tiny.py").write_text(TINY)
    return tmp_path


def run(place: Path, code: str = USE, **environment: str) -> subprocess.CompletedProcess:
    """Run code in a fresh Python whose cache is `place`/cache."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    kept |= {"SPIKEMESH_CACHE": str(place / "cache"), "PYTHONPATH": f"{place}:{ROOT.parent}"}
    kept |= {"TMPDIR": str(place)} | environment
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, env=kept, capture_output=True, text=True, cwd=place)


def kept(place: Path) -> list[Path]:
    """The files of all versions in the cache of `place`."""
    return sorted((place / "cache").rglob("*.kernel"))


def test_the_digest_covers_kernels_and_the_modules_their_constants_come_from() -> None:
    found = kernel_cache.kernel_sources(ROOT)
    kernels = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        if "\n@kernel" in path.read_text() or "\n@entry_point" in path.read_text()
    }
    constants = {"mapping/plan.py", "timing/record.py", "timing/engine/layout.py"}
    makers = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("jit/*.py")}
    assert kernels | constants | makers | {"kernel_cache.py"} <= set(found)
    assert not [name for name in found if name.startswith(("timing/reference", "commands"))]


@pytest.mark.parametrize("edited", ["timing/engine/wheel.py", "mapping/plan.py"])
def test_an_edit_of_a_callee_or_of_a_constant_renames_the_folder(edited, monkeypatch) -> None:
    before, read = kernel_cache.preferred(), kernel_cache.kernel_sources
    monkeypatch.setattr(
        kernel_cache,
        "kernel_sources",
        lambda root: (found := read(root)) | {edited: found[edited] + b"\n"},
    )
    assert kernel_cache.preferred() != before


def test_importing_changes_nothing_for_others_in_the_process(place) -> None:
    code = """
import os
before = dict(os.environ)
import numba
def settings():
    return {name: repr(value) for name, value in vars(numba.config).items() if name.isupper()}
was = settings()
import tiny, simulator.timing.engine.chip
print(tiny.triple(14), os.environ == before, settings() == was)
foreign = numba.njit(cache=True)(tiny.plain)
print(type(foreign._cache).__module__, type(tiny.triple.dispatcher._cache).__module__)
from simulator.jit.shortcuts import CHANGES
print([name for holder, name, ours in CHANGES if getattr(holder, name) is ours])
"""
    result = run(place, code)
    expected = ["42 True True", "numba.core.caching simulator.jit.kept", "[]"]
    assert expected == result.stdout.splitlines(), result.stderr


def test_importing_alone_makes_no_folder(place) -> None:
    assert "" == run(place, "import simulator.timing.engine.chip").stderr
    assert not (place / "cache").exists()


def test_a_kernel_is_compiled_once_and_its_folders_are_private(place) -> None:
    assert ("42\n", "") == (run(place).stdout, run(place).stderr)
    (file,) = kept(place)
    first = file.stat().st_mtime_ns
    assert "42\n" == run(place).stdout and first == file.stat().st_mtime_ns
    for folder in (place / "cache", *[path for path in file.parents if "cache/" in str(path)]):
        assert 0o700 == folder.stat().st_mode & 0o777, folder
    assert 0o600 == file.stat().st_mode & 0o777


def test_a_kept_kernel_is_loaded_without_what_only_compiling_needs(place) -> None:
    code = f"import sys; {USE}; print('numba.np.linalg' in sys.modules)"
    assert ["42\nTrue\n", "42\nFalse\n"] == [run(place, code).stdout for _ in range(2)]


#: one part, called with a constant, a number of 32 bits and one of 64
WIDTHS = """
import numpy as np
from simulator import jit
@jit.kernel(inline=True)
def double(n: int) -> int:
    return n + n
@jit.kernel
def triple(n: int) -> int:
    return double(7) + double(np.int32(7)) + double(n) - n
"""


def test_a_part_is_compiled_once_for_integers_of_all_widths(place) -> None:
    (place / "tiny.py").write_text(WIDTHS)
    code = f"{USE}; print(len(tiny.double.dispatcher.overloads))"
    assert "42\n1\n" == run(place, code).stdout


#: a kernel that is given arrays but one, and a part for that one, which would not compile
ARRAYS = """
from typing import NamedTuple
import numpy as np
from simulator import jit
class Some(NamedTuple):
    one: np.ndarray
    none: np.ndarray | None
    table: np.ndarray
@jit.kernel(inline=False)
def part(none, n):
    if none is None:
        return 0
    return none.nothing_of_this_name[n]
@jit.entry_point
def triple(some, n):
    some.table[1, 1] += n
    return some.one[1] * len(some.one) + some.table[2, 0] + part(some.none, n)
def some():
    one, table = np.arange(5, dtype=np.int8), np.arange(12).reshape(3, 4)[:, ::2]
    one.setflags(write=False)
    return Some(one, None, table)
"""


@pytest.mark.parametrize("disabled", ["0", "1"])
def test_an_entry_point_reads_and_writes_arrays_and_is_kept_as_machine_code(place, disabled):
    (place / "tiny.py").write_text(ARRAYS)
    code = """
import sys, tiny
some = tiny.some()
print([int(tiny.triple(tiny.jit.handle(some), n)) for n in (14, 15)], some.table.tolist())
print("numba" in sys.modules)
"""
    found = [run(place, code, NUMBA_DISABLE_JIT=disabled).stdout.splitlines() for _ in range(2)]
    assert ["[13, 13] [[0, 2], [4, 35], [8, 10]]"] * 2 == [lines[0] for lines in found]
    assert [disabled == "0", False] == [lines[1] == "True" for lines in found]


#: a part calls a kernel that is called by itself too
SHARED = """
from simulator import jit
@jit.kernel
def triple(n: int) -> int:
    return 3 * n
@jit.kernel(inline=True)
def part(n: int) -> int:
    return triple(n)
@jit.kernel
def outer(n: int) -> int:
    return part(n)
"""


def test_a_kernel_loaded_while_a_part_that_calls_it_is_compiled_is_whole(place) -> None:
    (place / "tiny.py").write_text(SHARED)
    assert "42\n" == run(place).stdout
    both = run(place, "import tiny; print(tiny.outer(14), tiny.triple(14))")
    assert ("42 42\n", "", 0) == (both.stdout, both.stderr, both.returncode)


DAMAGES = [
    lambda content: b"",
    lambda content: content[:20],
    lambda content: content[: len(content) // 2],
    lambda content: content[:-1],
    lambda content: content + b"\0",
    lambda content: content[:-100] + bytes([content[-100] ^ 1]) + content[-99:],
    lambda content: bytes([content[0] ^ 1]) + content[1:],
    lambda content: b"cos\nsystem\n(S'touch executed'\ntR.",
]


@pytest.mark.parametrize("number", range(len(DAMAGES)))
def test_a_damaged_file_is_compiled_again_with_one_line(place, number) -> None:
    run(place)
    (file,) = kept(place)
    file.write_bytes(DAMAGES[number](file.read_bytes()))
    result = run(place)
    assert ("42\n", f"spikemesh: {file}: damaged; compiled again\n") == (
        result.stdout,
        result.stderr,
    )
    assert ("42\n", "") == (run(place).stdout, run(place).stderr)  # and is whole again
    assert not (place / "executed").exists()


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
@pytest.mark.parametrize("which", [0, 1])
def test_a_folder_others_can_write_to_is_not_used(place, mode, which) -> None:
    run(place)
    (file,) = kept(place)
    poison = b"cos\nsystem\n(S'touch executed'\ntR."
    file.write_bytes(kernel_cache.hashlib.sha256(poison).digest() + poison)
    folder = file.parents[which]
    folder.chmod(mode)
    result = run(place)
    assert "42\n" == result.stdout
    why = "not used: it is another user's, a link, or others can write to it"
    assert [f"spikemesh: {folder}: {why}"] == result.stderr.splitlines()
    assert not (place / "executed").exists()
    (other,) = place.glob("spikemesh-*/*/*.kernel")
    assert other.name == file.name


def test_a_link_in_place_of_the_folder_is_not_followed(place) -> None:
    run(place)
    (file,) = kept(place)
    folder = file.parent
    folder.rename(place / "elsewhere")
    folder.symlink_to(place / "elsewhere")
    result = run(place)
    assert "42\n" == result.stdout and f"{folder}: not used" in result.stderr


def test_a_folder_of_another_user_is_not_used(place, monkeypatch, capsys) -> None:
    monkeypatch.setattr(kernel_cache.os, "geteuid", lambda: place.stat().st_uid + 1)
    monkeypatch.setattr(kernel_cache.tempfile, "gettempdir", lambda: str(place))
    monkeypatch.setattr(kernel_cache.tempfile, "tempdir", str(place))
    monkeypatch.setenv("SPIKEMESH_CACHE", str(place / "cache"))
    fresh = kernel_cache.folder.__wrapped__()
    assert fresh.parent == place and fresh.name not in ("cache", "spikemesh")
    assert not (fresh / "spikemesh").exists() and fresh.stat().st_mode & 0o777 == 0o700
    assert 2 == capsys.readouterr().err.count("not used: it is another user's")


def test_in_a_home_that_cannot_be_written_the_temporary_folder_serves(place) -> None:
    nowhere = str(Path(os.devnull) / "nowhere")
    result = run(place, SPIKEMESH_CACHE=nowhere)
    assert ("42\n", "") == (result.stdout, result.stderr)
    (file,) = place.glob("spikemesh-*/*/*.kernel")
    first = file.stat().st_mtime_ns
    assert "42\n" == run(place, SPIKEMESH_CACHE=nowhere).stdout
    assert first == file.stat().st_mtime_ns


def test_where_nothing_at_all_can_be_written_kernels_still_run(place, monkeypatch) -> None:
    monkeypatch.setenv("SPIKEMESH_CACHE", str(Path(os.devnull) / "nowhere"))
    monkeypatch.setattr(kernel_cache.tempfile, "tempdir", str(Path(os.devnull) / "nowhere"))
    monkeypatch.setattr(kernel_cache, "folder", kernel_cache.folder.__wrapped__)
    assert kernel_cache.folder() is None
    kernel_cache.save("name", b"content")
    assert kernel_cache.load("name") is None


def test_a_full_disk_is_said_in_one_line_and_leaves_no_part(place) -> None:
    """A limit on the size of files stands for the full disk: the write fails as it does there."""
    limit = (200, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    code = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, {limit}); {USE}"
    result = run(place, code, PYTHONDONTWRITEBYTECODE="1")
    assert "42\n" == result.stdout
    assert 1 == len(result.stderr.splitlines())
    assert "compiled kernels are not kept" in result.stderr
    assert [] == [path for path in (place / "cache").rglob("*") if path.is_file()]


def test_four_cold_starts_at_once_do_not_disturb_each_other(place) -> None:
    environment = os.environ | {
        "SPIKEMESH_CACHE": str(place / "cache"),
        "PYTHONPATH": f"{place}:{ROOT.parent}",
    }
    command = [sys.executable, "-c", USE]
    started = [
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    assert [("42\n", "")] * 4 == [process.communicate() for process in started]
    assert 1 == len(kept(place))
    assert [] == list((place / "cache").rglob("part-*"))


LINK = """
@jit.kernel(inline=True)
def k{n}(x: int) -> int:
    return {value}
"""
#: a kernel that calls six others
CHAIN = TINY.replace("3 * n", "36 + k5(n) - 13").replace(
    "@jit.kernel",
    "".join(LINK.format(n=n, value=f"k{n - 1}(x) + 1" if n else "x") for n in range(6))
    + "@jit.kernel",
    1,
)


#: a Ctrl-C falls into the moment in which LLVM asks for the code that was kept
PRESSED = """
import signal
from numba.core import codegen
signal.signal(signal.SIGINT, signal.default_int_handler)
kind = next(one for one in vars(codegen).values()
            if isinstance(one, type) and "_object_getbuffer_hook" in vars(one))
ask = vars(kind)["_object_getbuffer_hook"].__func__
to_press = [signal.SIGINT]
def asked(own, module):
    if to_press:
        signal.raise_signal(to_press.pop())
    return ask(own, module)
kind._object_getbuffer_hook = classmethod(asked)
import tiny
try:
    tiny.triple(14)
except KeyboardInterrupt:
    print("stopped")
print(tiny.triple(14), signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


def test_a_ctrl_c_while_a_kernel_is_loaded_waits_until_it_is_whole(place) -> None:
    assert "42\n" == run(place).stdout
    pressed = run(place, PRESSED)
    assert ("stopped\n42 True\n", "", 0) == (pressed.stdout, pressed.stderr, pressed.returncode)


def test_a_long_compilation_says_how_far_it_is(place) -> None:
    (place / "tiny.py").write_text(CHAIN)
    code = f"from simulator.jit import progress; progress.PATIENCE = progress.PAUSE = -1.0; {USE}"
    result = run(place, code)
    lines = [re.sub(r", \d+ s$", ", N s", line) for line in result.stderr.splitlines()]
    assert "42\n" == result.stdout
    assert [
        "spikemesh: compiling for this machine, once per version; usually 10 to 40 s",
        "spikemesh: compiled: 7 kernels, N s",
    ] == [line for line in lines if "of about" not in line]
    assert "spikemesh: compiling: 0 of about 7 kernels, N s" in lines


@pytest.mark.slow
def test_four_cold_starts_of_the_whole_engine_leave_the_same_record(place) -> None:
    code = "import test_agreement; print(test_agreement.digests())"
    environment = os.environ | {
        "SPIKEMESH_CACHE": str(place / "cache"),
        "PYTHONPATH": f"{ROOT.parent}/tests/timing:{ROOT.parent}",
    }
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    results = [process.communicate() for process in started]
    assert 1 == len({digests for digests, _ in results}) and results[0][0].strip()
    for _, said in results:
        assert "kernels, " in said and "Traceback" not in said


def test_whether_a_kernel_is_kept_is_known_without_loading_it(place) -> None:
    asked = (
        "from simulator import kernel_cache as k; print(k.holds('tiny.triple'), k.holds('tiny'))"
    )
    assert "False False\n" == run(place, asked).stdout
    run(place)
    assert "True False\n" == run(place, asked).stdout


def test_the_name_by_which_chunks_ask_for_the_engine_is_its_kernels() -> None:
    from simulator.study.chunks import ENGINE_KERNEL
    from simulator.timing.engine.chip import advance

    assert ENGINE_KERNEL == f"{advance.__module__}.{advance.__qualname__}"
