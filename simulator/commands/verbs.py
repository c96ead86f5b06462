"""The verbs of `spikemesh`, what becomes of an error, and with which exit code it ends."""

from __future__ import annotations

import codecs
import difflib
import errno
import importlib
import io
import keyword
import os
import re
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType
from typing import Any

import rich_click as click
from click.exceptions import Exit

from simulator.errors import InputError, SpikemeshError

#: exit code of what the user stopped
STOPPED = 130
#: verb -> (module, one line for --help); the order is the one people need them in
VERBS = {
    "twin": ("run", "Simulate both twins and say which wins, by how much, and why."),
    "run": ("run", "Simulate one twin of a workload on a chip."),
    "map": ("map", "Find where a network sits on a chip; write the mapping, and why."),
    "import": ("importing", "Bring a trained network of another tool: NIR files become workloads."),
    "sweep": ("sweep", "Run a study: many points, their front, and which axis moves what."),
    "explain": ("explain", "What holds a run back, proven: each resource relaxed and measured."),
    "compare": ("compare", "Two folders of results: what was asked, what came out otherwise."),
    "agree": ("agree", "Run both engines and show that they agree to the bit."),
    "noc": ("noc", "Study the network on chip alone: traces, curves, every grant."),
    "analytic": ("analytic", "The published closed-form energy model, and its published numbers."),
    "validate": ("validate", "The closed-form model against simulation, term by term."),
    "crossover": ("crossover", "The spike rate at which the twins cost the same, by simulation."),
    "timesteps": ("timesteps", "What the window T costs and gives: both twins at several T."),
    "coding": ("coding", "The same inputs as rates, as first spikes and as bursts."),
    "budget": ("budget", "Weight bits, spike bits and T at an equal bit budget, simulated."),
    "always-on": ("always_on", "Average power of a chip that waits for rare signals, and why."),
    "bench": ("bench", "Speed, memory and start-up against targets and other simulators."),
    "chips": ("library", "List the chips."),
    "workloads": ("library", "List the workloads."),
    "check": ("library", "Check chip and workload files."),
    "schema": ("library", "Print the JSON Schema of a chip or workload file."),
}


def function_name(verb: str) -> str:
    """Return the name of a verb's function in its module."""
    return f"{verb}_" if keyword.iskeyword(verb) else verb.replace("-", "_")


class Verbs(click.RichGroup):
    """A group that imports a verb's module only when that verb is used, so that --help stays
    fast.
    """

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the verbs in the order people need them."""
        return list(VERBS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return the verb's command, or a stand-in with its line of help while only listing."""
        if name not in VERBS:
            return None
        module, line = VERBS[name]
        if context.resilient_parsing or {"--help", "-h"} & set(sys.argv[1:2]) or len(sys.argv) == 1:
            return click.RichCommand(name=name, help=line)
        found = importlib.import_module(f"simulator.commands.{module}")
        return getattr(found, function_name(name))  # type: ignore[no-any-return]

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the verb's command; an unknown verb is refused with the nearest one."""
        if args[0] not in VERBS and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], VERBS, n=1)
            hint = f"; did you mean '{close[0]}'?" if close else ""
            raise click.UsageError(f"no command {args[0]!r}{hint}", context)
        return super().resolve_command(context, args)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="spikemesh")
def cli() -> None:
    """Cycle-level simulator of a spatial dataflow neuromorphic chip.

    A compiled workload and a chip go in; cycles, stalls, joules and a verdict between the spiking
    and the quantised twin come out. Start with `spikemesh twin digits-mlp`.
    """


def _note_interrupts(pressed: list[int]) -> None:
    """Let the list grow with each Ctrl-C; KeyboardInterrupt is raised as ever.

    One that falls into a destructor would be swallowed there: it is raised again a moment later.
    """

    def note(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        signal.default_int_handler(number, frame)

    def again() -> None:
        timer = threading.Timer(0.05, signal.raise_signal, [signal.SIGINT])
        timer.daemon = True
        timer.start()

    def swallowed(what: Any) -> None:
        if isinstance(what.exc_value, KeyboardInterrupt):
            again()
        else:
            sys.__unraisablehook__(what)

    def printed(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        if isinstance(error, KeyboardInterrupt):  # a callback of the compiler would only print it
            again()
        else:
            sys.__excepthook__(kind, error, trace)

    signal.signal(signal.SIGINT, note)
    sys.unraisablehook = swallowed
    sys.excepthook = printed


def _speak_plainly() -> None:
    """Let streams that cannot show a character show a plain one in its place instead of failing."""
    plain = {
        "µ": "u",
        "×": "x",
        "·": "*",
        "–": "-",
        "−": "-",
        "≥": ">=",
        "≤": "<=",
        "→": "->",
        "±": "+-",
    }

    def stand_in(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeEncodeError)
        return "".join(
            plain.get(letter, "?") for letter in error.object[error.start : error.end]
        ), error.end

    codecs.register_error("plain", stand_in)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="plain")


class _Output(io.FileIO):
    """Standard output, whose failures say that it is the output that failed."""

    def write(self, data: Any) -> int:  # type: ignore[override]
        """Write as a file does; an error names the output."""
        try:
            return super().write(data)  # type: ignore[return-value]
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OSError(error.errno, error.strerror, "output") from error


def _open_streams() -> None:
    """Fill the places of streams the shell has closed, so that no file takes them, and let the
    output name itself when it fails; raises InputError when there is none.
    """
    is_closed = sys.stdout is None
    while (place := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(place)
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)
    if is_closed:
        sys.stdout = open(1, "w", closefd=False)
        raise InputError("output: must be open, not closed (>&-)")
    if isinstance(sys.stdout, io.TextIOWrapper):
        old = sys.stdout
        new = io.BufferedWriter(_Output(old.fileno(), "wb", closefd=False))
        sys.stdout = io.TextIOWrapper(
            new, old.encoding, old.errors, line_buffering=old.line_buffering
        )


def _worded(error: click.ClickException) -> str:
    """Return what is wrong with a command line as one line, with the option or the command it is
    wrong with.
    """
    text = " ".join(error.format_message().split())
    if isinstance(error, click.BadParameter) and error.param is not None:
        name = max(error.param.opts, key=len)
        if isinstance(error, click.MissingParameter):
            name = name if name.startswith("-") else name.upper()
            return f"{name}: must be given"
        return f"{name}: {' '.join(error.message.split()).rstrip('.')}"
    context = getattr(error, "ctx", None)
    return f"{'spikemesh' if context is None else context.command_path}: {text}"


#: letters of a line of a refusal
LONGEST = 1500

#: what the library calls the place of a fault, where an option gave it
_PLACE = re.compile(r"(^|, )(setting|corner)(?=: must be | \S+(?:=| @ |: ))", re.MULTILINE)
_PARAMETER = {
    "allow_extrapolated=True": "--allow-extrapolated",
    "(overwrite replaces": "(--overwrite replaces",
}
_OPTION = {"setting": "--set", "corner": "--corner"}


def _in_options(text: str) -> str:
    """Return a refusal of the library with its places named by the options that gave them."""
    for parameter, option in _PARAMETER.items():
        text = text.replace(parameter, option)
    return _PLACE.sub(lambda found: found[1] + _OPTION[found[2]], text)


def _advice(error: Exception) -> str:
    """Return what the command line adds to a refusal: the option for what the library calls
    otherwise.
    """
    limit = getattr(error, "limit", None)
    return "" if limit is None else f", as does --memory {limit}"


def _fail(text: str, code: int) -> int:
    """Say on stderr, if anybody can hear, why it ends; return the exit code.  What was typed and
    steers a terminal is shown as its escape.
    """
    shown = "".join(
        letter if letter.isprintable() or letter == "\n" else ascii(letter)[1:-1] for letter in text
    )
    try:
        print("\n".join(map(_cut, shown.split("\n"))), file=sys.stderr, flush=True)
    except OSError:
        pass
    return code


def _cut(line: str) -> str:
    """Return a line of a refusal that nobody has to scroll through: a long name or value in it
    loses its middle.
    """
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 300]} ... {line[-295:]}"


def _forget_output() -> None:
    """Let nothing more be written to the output, not even what is still in its buffer."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _run(pressed: list[int]) -> int:
    """Run the command line and return its exit code; every error is one message."""
    try:
        _open_streams()
        _speak_plainly()
        # as `main` of click does, which would put an empty line before what is said of a Ctrl-C
        with cli.make_context("spikemesh", sys.argv[1:] or ["--help"]) as context:
            cli.invoke(context)
        sys.stdout.flush()
        return 0
    except Exit as end:
        sys.stdout.flush()
        return end.exit_code
    except SystemExit as end:
        sys.stdout.flush()
        return end.code if isinstance(end.code, int) else 0
    except (click.Abort, KeyboardInterrupt):
        return _fail("stopped", STOPPED)
    except click.ClickException as error:
        return _fail(_worded(error), 2)
    except SpikemeshError as error:
        return _fail(f"{_in_options(str(error))}{_advice(error)}", error.exit_code)
    except MemoryError as error:
        why = " ".join(str(error).split()) or "an array could not be made"
        return _fail(f"memory: this machine has not enough: {why}", 2)
    except BrokenPipeError:
        _forget_output()
        return 0
    except OSError as error:
        if error.filename == "output":
            _forget_output()
        reason = error.strerror or str(error) or type(error).__name__
        names = [str(name) for name in (error.filename, error.filename2) if name is not None]
        return _fail(f"{' to '.join(names) or 'a file'}: {_failed(error)}: {reason}", 2)
    except Exception:
        if not pressed:
            raise
        # Ctrl-C can leave a half-made kernel behind, and what fails then is not the user's
        return _fail("stopped", STOPPED)


def _failed(error: OSError) -> str:
    """Return what could not be done, as far as the kind of error tells."""
    full = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
    return "cannot be written" if error.errno in full else "cannot be used"


def main() -> None:
    """Run the command line: exit 0 done, 1 a check failed, 2 bad input, 130 stopped by the user."""
    pressed: list[int] = []
    try:
        _note_interrupts(pressed)
        code = _run(pressed)
    except KeyboardInterrupt:
        code = _fail("stopped", STOPPED)
    _ignore_interrupts()
    if code == STOPPED:
        # Python kills itself by the signal, whatever the exit code, where it interrupted an eval()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(STOPPED)
    sys.exit(code)


def _ignore_interrupts() -> None:
    """Let no Ctrl-C count any more: it is over.  One that is still pending, or that was swallowed
    and is raised again, comes out of `signal` itself.
    """
    while signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        except KeyboardInterrupt:
            continue
