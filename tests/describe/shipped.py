"""Edits of shipped files, and where and how they are refused."""

from __future__ import annotations

import re
from collections.abc import Callable

from simulator.errors import SpikemeshError

Edits = tuple[tuple[str, str], ...]


def edited(text: str, edits: Edits) -> str:
    """Return `text` with each (old, new) replaced once."""
    for old, new in edits:
        assert old in text, f"the shipped file has no {old!r} any more"
        text = text.replace(old, new, 1)
    return text


def refusal(load: Callable[[], object]) -> str:
    """Return the text of the error, '' when it loads; anything but a SpikemeshError is a
    failure.
    """
    try:
        load()
    except SpikemeshError as error:
        return str(error)
    return ""


def line_of(text: str, start: str) -> int:
    """Return the number of the first line that begins with `start`, blanks aside."""
    numbers = [
        number for number, line in enumerate(text.splitlines(), 1) if line.strip().startswith(start)
    ]
    assert numbers, f"no line begins with {start!r}"
    return numbers[0]


def placed(text: str, message: str) -> str:
    """Return `message` with every {start of a line} as the number of that line in `text`."""
    return re.sub(r"\{(.+?)\}", lambda match: str(line_of(text, match.group(1))), message)
