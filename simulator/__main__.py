"""The command line `spikemesh`: each verb is a module of `simulator/commands`, imported when it is
used.
"""

from __future__ import annotations

import codecs
import difflib
import importlib
import io
import os
import signal
import sys
import threading
from types import FrameType
from typing import Any

import rich_click as click

#: verb -> (module, one line for --help); the order is the one people need them in
VERBS = {
    "twin": ("run", "Simulate both twins and say which wins, by how much, and why."),
    "run": ("run", "Simulate one twin of a workload on a chip."),
    "agree": ("agree", "Run both engines and show that they agree to the bit."),
    "noc": ("noc", "Study the network on chip alone: traces, curves, every grant."),
    "analytic": ("analytic", "The published closed-form energy model, and its published numbers."),
    "validate": ("validate", "The closed-form model against simulation, term by term."),
    "crossover": ("crossover", "The spike rate at which the twins cost the same, by simulation."),
    "always-on": ("always_on", "Average power of a chip that waits for rare signals, and why."),
    "bench": ("bench", "Speed, memory and start-up against targets and other simulators."),
    "chips": ("library", "List the chips."),
    "workloads": ("library", "List the workloads."),
    "check": ("library", "Check chip and workload files."),
    "schema": ("library", "Print the JSON Schema of a chip or workload file."),
}


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
        if context.resilient_parsing or "--help" in sys.argv[1:2] or len(sys.argv) == 1:
            return click.RichCommand(name=name, help=line)
        return getattr(
            importlib.import_module(f"simulator.commands.{module}"), name.replace("-", "_")
        )  # type: ignore[no-any-return]

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the verb's command; an unknown verb is refused with the nearest one."""
        if args[0] not in VERBS and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], VERBS, n=1)
            hint = f"; did you mean '{close[0]}'?" if close else ""
            raise click.UsageError(f"no command {args[0]!r}{hint}", context)
        return super().resolve_command(context, args)


@click.group(cls=Verbs)
@click.version_option(package_name="spikemesh")
def cli() -> None:
    """Cycle-level simulator of a spatial dataflow neuromorphic chip.

    A compiled workload and a chip go in; cycles, stalls, joules and a verdict between the spiking
    and the quantised twin come out. Start with `spikemesh twin digits-mlp`.
    """


def _note_interrupts() -> list[int]:
    """Return a list that grows with each Ctrl-C; KeyboardInterrupt is raised as ever.

    One that falls into a destructor would be swallowed there: it is raised again a moment later.
    """
    pressed: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        signal.default_int_handler(number, frame)

    def swallowed(what: Any) -> None:
        if isinstance(what.exc_value, KeyboardInterrupt):
            again = threading.Timer(0.05, signal.raise_signal, [signal.SIGINT])
            again.daemon = True
            again.start()
        else:
            sys.__unraisablehook__(what)

    signal.signal(signal.SIGINT, note)
    sys.unraisablehook = swallowed
    return pressed


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


def _advice(error: Exception) -> str:
    """Return what the command line adds to a refusal: the option for what the library calls
    otherwise.
    """
    limit = getattr(error, "limit", None)
    return "" if limit is None else f", as does --memory {limit}"


def main() -> None:
    """Run the command line: exit 0 done, 1 a check failed, 2 bad input, 130 stopped by the user."""
    from simulator.errors import SpikemeshError

    pressed = _note_interrupts()
    _speak_plainly()
    try:
        cli.main(standalone_mode=False)
        sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except SpikemeshError as error:
        click.echo(f"{error}{_advice(error)}", err=True)
        sys.exit(error.exit_code)
    except MemoryError as error:
        why = " ".join(str(error).split()) or "an array could not be made"
        click.echo(f"memory: this machine has not enough: {why}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        click.echo(f"output: cannot be written: {error.strerror}", err=True)
        sys.exit(2)
    except Exception:
        if not pressed:
            raise
        click.echo(
            "stopped", err=True
        )  # Ctrl-C can leave a half-made kernel behind, and what fails then is not the user's
        sys.exit(130)


if __name__ == "__main__":
    main()
