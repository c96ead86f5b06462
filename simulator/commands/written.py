"""Messages of the library that name one of its parameters, said of the option that gave it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from simulator.errors import InputError


@contextmanager
def naming_options() -> Iterator[None]:
    """Put dashes before the name of one of the command's options where a refusal begins with it:
    'vcs: ...' to '--vcs: ...'.
    """
    command = click.get_current_context().command
    try:
        yield
    except InputError as error:
        name, between, _ = str(error).partition(": ")
        known = {option for parameter in command.params for option in parameter.opts}
        if between and f"--{name}" in known:
            raise InputError(f"--{error}") from error
        raise
