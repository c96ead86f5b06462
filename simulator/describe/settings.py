"""Changes of a description from outside its file: dotted keys, and what they become."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.describe.messages import as_typed, shown_value
from simulator.errors import InputError

#: {'key.path': value}, or texts 'key.path=value' whose values are YAML
Settings = Mapping[str, Any] | Iterable[Any]


@dataclass(frozen=True)
class Setting:
    """One change; `value` is YAML text where the change was written as one text."""

    path: str
    value: Any
    text: str  # as messages show it
    is_written: bool

    @property
    def place(self) -> str:
        """Where a fault of this change is, as messages say it."""
        return f"setting {self.text}"


def settings(given: Settings) -> tuple[Setting, ...]:
    """Return changes given as a mapping, or as texts; raises InputError for anything else."""
    if isinstance(given, Mapping):
        return tuple(_valued(key, value) for key, value in given.items())
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise InputError(
            f"settings: must be a mapping such as {{'key.path': value}}, not {shown_value(given)}"
        )
    return tuple(one if isinstance(one, Setting) else _written(one) for one in given)


def _valued(key: object, value: Any) -> Setting:
    if not isinstance(key, str):
        raise InputError(f"setting: must have a key such as 'key.path', not {shown_value(key)}")
    return Setting(key.strip(), value, as_typed(f"{key}={shown_value(value)}"), False)


def _written(text: object) -> Setting:
    if not isinstance(text, str) or "=" not in text:
        raise InputError(f"setting: must be key.path=value, not {shown_value(text)}")
    path, _, written = text.partition("=")
    return Setting(path.strip(), written, as_typed(text), True)
