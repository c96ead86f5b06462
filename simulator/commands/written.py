"""What is written behind an option: its quantity, and messages that name the option as it is
typed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import click

from simulator.errors import InputError


def quantity(option: str, text: str, dimension: str) -> Fraction:
    """Return the quantity written behind an option, exactly, in SI base units; raises InputError
    that names the option.
    """
    from simulator import units
    from simulator.errors import UnitError

    try:
        return units.exact(text, dimension)
    except UnitError as error:
        raise InputError(f"{option}: {error}") from error


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
