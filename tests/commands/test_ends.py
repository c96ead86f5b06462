"""How a command ends when something is wrong around it: streams, files, disks and Ctrl-C at any
moment.
"""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = ["run", "digits-mlp", "--mode", "snn", "--limit", "1"]


def spikemesh(*arguments: str, shell: str = "", cwd: Path = ROOT, **how) -> tuple[int, str, str]:
    """Return exit code, output and errors; `shell` redirects as a shell does."""
    command = [sys.executable, "-m", "simulator", *arguments]
    if shell:
        command = ["sh", "-c", f'exec "$@" {shell}', "sh", *command]
    how["env"] = {**os.environ, "PYTHONPATH": str(ROOT)} | how.get("env", {})
    found = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=cwd, **how)
    return found.returncode, found.stdout, found.stderr


# redirection, exit code, what is said
STREAMS = [
    (">&-", 2, "output: must be open, not closed (>&-)\n"),
    ("<&-", 0, ""),
    ("2>&-", 0, ""),
    (">&- 2>&-", 2, ""),
    (">/dev/full", 2, "output: cannot be written: No space left on device\n"),
]


@pytest.mark.parametrize(("shell", "code", "said"), STREAMS)
def test_streams_that_are_closed_or_full(shell: str, code: int, said: str) -> None:
    found, _, errors = spikemesh("chips", shell=shell)
    assert (code, said) == (found, errors)


def test_a_closed_stream_is_not_taken_by_a_file_that_is_written(tmp_path: Path) -> None:
    code, out, _ = spikemesh(*RUN, "-o", str(tmp_path / "out"), shell="2>&-")
    assert 0 == code and "Per inference" in out
    assert b"Traceback" not in b"".join(f.read_bytes() for f in (tmp_path / "out").iterdir())


# what is there instead of a file, arguments, what is said of it
FILES = [
    (("x.yaml", None), ["check", "x.yaml"], "x.yaml: must be a file, or one of "),
    (("d", "folder"), ["check", "d"], "d: must hold chip or workload files (*.yaml), not nothing"),
    (("d", "folder"), ["noc", "d", "--mesh", "2x2"], "d: cannot be read: Is a directory"),
    (("s.yaml", "secret"), ["check", "s.yaml"], "s.yaml: cannot be read: Permission denied"),
    (("s.csv", "secret"), ["noc", "s.csv", "--mesh", "2x2"], "s.csv: cannot be read: Permission "),
    ((None, None), ["check", "x" * 300], "must be a file, or one of "),
    ((None, None), ["noc", "x" * 300, "--mesh", "2x2"], ": File name too long\n"),
    ((None, None), ["noc", "a/b/c.csv", "--mesh", "2x2"], "a/b/c.csv: cannot be read: No such "),
    (("loop", "loop"), ["check", "loop"], "loop: must be a file, or one of "),
    (("pipe.yaml", "pipe"), ["check", "pipe.yaml"], "pipe.yaml: must be a file, or one of "),
]


@pytest.mark.parametrize(("place", "arguments", "said"), FILES)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, place: tuple[str | None, str | None], arguments: list[str], said: str
) -> None:
    name, kind = place
    if kind == "secret" and os.geteuid() == 0:
        pytest.skip("root reads everything")
    if kind == "folder":
        (tmp_path / str(name)).mkdir()
    elif kind == "secret":
        (tmp_path / str(name)).touch(mode=0)
    elif kind == "loop":
        (tmp_path / str(name)).symlink_to(str(name))
    elif kind == "pipe":
        os.mkfifo(tmp_path / str(name))
    code, out, errors = spikemesh(*arguments, cwd=tmp_path)
    assert (2, "") == (code, out)
    assert said in errors and 1 == errors.count("\n") and "Traceback" not in errors


def small_disk() -> None:
    """Let no file grow beyond 4 KiB; what would is refused as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


@pytest.mark.parametrize("arguments", [RUN, ["noc"]])
def test_a_disk_that_fills_up_leaves_nothing_under_the_final_name(
    tmp_path: Path, arguments: list[str]
) -> None:
    trace = tmp_path / "t.csv"
    trace.write_text("cycle,src,dst,size\n" + "".join(f"{n},0,3,1\n" for n in range(900)))
    if arguments[0] == "noc":
        arguments = ["noc", str(trace), "--mesh", "2x2", "--grants", "-o", str(tmp_path / "out")]
    else:
        arguments = [*arguments, "-o", str(tmp_path / "out")]
    code, _, errors = spikemesh(*arguments, preexec_fn=small_disk)
    assert 2 == code and "Traceback" not in errors, errors
    assert str(tmp_path / "out") in errors.splitlines()[-1]
    assert ["t.csv"] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize("name", ["x" * 300, "file/out"])
def test_a_place_that_cannot_be_written_is_refused_before_the_work(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").touch()
    arguments = ["validate", "mlp-4-4", "--density", "0.5", "--limit", "1", "-o", name]
    code, out, errors = spikemesh(*arguments, cwd=tmp_path)
    assert (2, "", 1) == (code, out, errors.count("\n"))  # no line of progress: nothing ran
    assert errors.startswith(f"{name}: ")
    assert ["file"] == [path.name for path in tmp_path.iterdir()]


def test_a_ctrl_c_that_is_pending_at_the_end_changes_nothing() -> None:
    code = (
        "import signal\n"
        # a shell's background job is born with interrupts ignored
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from simulator.commands.verbs import _ignore_interrupts\n"
        "set_handler, count = signal.signal, []\n"
        "def pending(*what):\n"
        "    count.append(1)\n"
        "    if len(count) < 3: raise KeyboardInterrupt\n"
        "    return set_handler(*what)\n"
        "signal.signal = pending\n"
        "_ignore_interrupts()\n"
        "signal.raise_signal(signal.SIGINT)\n"
        "print(len(count))\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert ("3\n", "", 0) == (found.stdout, found.stderr, found.returncode)


def test_a_ctrl_c_within_an_eval_ends_with_130(tmp_path: Path) -> None:
    (tmp_path / "stopped.py").write_text(
        "import signal, sys; sys.argv = ['spikemesh', 'chips']\n"
        "from simulator.commands import verbs\n"
        "verbs.cli.invoke = lambda context: eval('signal.raise_signal(signal.SIGINT)')\n"
        "verbs.main()\n"
    )
    found = subprocess.run(
        [sys.executable, "-m", "stopped"],
        capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (130, "", "stopped\n") == (found.returncode, found.stdout, found.stderr)


@pytest.mark.parametrize("text", ["\u202e", "\x1b[31m", "\x07"])
def test_what_steers_a_terminal_is_not_repeated(text: str) -> None:
    code, _, errors = spikemesh("twin", "digits-mlp", text)
    assert 2 == code and ascii(text)[1:-1] in errors
    assert all(letter.isprintable() for letter in errors.removesuffix("\n"))


MAIN = "from simulator.__main__ import main; main()"


def test_ctrl_c_while_importing_is_one_line() -> None:
    begun = 0
    for milliseconds in range(0, 240, 20):
        process = subprocess.Popen(
            [sys.executable, "-c", f"import typing; print(flush=True); {MAIN}", "chips"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()  # the interpreter has begun: what comes before is not ours
        time.sleep(0.03 + milliseconds / 1000)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) in ((130, "stopped\n"), (0, "")), milliseconds
        begun += process.returncode == 130
    assert begun > 3


def test_a_long_value_does_not_fill_the_screen() -> None:
    code, _, said = spikemesh("run", "digits-mlp", "--mode", "snn", "--corner", "9" * 5000)
    wanted = "must be one of nominal, low, or a point such as '0.7 V @ 250 MHz', not "
    assert (2, f"--corner: {wanted}'{'9' * 56}...\n") == (code, said)
    code, _, said = spikemesh("check", "x" * 3000)
    assert 2 == code and max(map(len, said.splitlines())) <= 1500
