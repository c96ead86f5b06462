"""Strict YAML: every fault of a file at once, each `file:line: key: must be X, not Y`.

YAML's traps are closed here: equal keys are refused (PyYAML keeps the last without a word), only
`true` and `false` are booleans (`no` and `on` are words), `1e-12` is a number, NaN and infinity are
not, anchors and tags are refused.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from simulator.describe.messages import Key, dotted, merged, name_of, worded
from simulator.describe.settings import Setting, Settings, settings
from simulator.errors import DescriptionError, InputError
from simulator.units import shown_value

Model = TypeVar("Model", bound=BaseModel)
_INTEGER = re.compile(r"[+-]?[0-9]+")
_INDEX = re.compile(r"[0-9]{1,9}")
_FLOAT = re.compile(r"[+-]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)([eE][+-]?[0-9]+)?")
#: a description larger than this is refused unread: big arrays belong into npz files
MAXIMUM_BYTES = 1_000_000
#: Python refuses to read longer integers
MAXIMUM_DIGITS = 4000


class _Marking(yaml.composer.Composer):
    """Composes nodes that remember whether they were written with an anchor, as an alias, or with a
    tag.
    """

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[attr-defined]
        alias = isinstance(event, yaml.AliasEvent)
        node = super().compose_node(parent, index)
        if isinstance(node, yaml.ScalarNode):
            node.style = node.style or None  # libyaml's word for a plain one is ""
        if node is not None and (alias or event.anchor is not None):
            node.forbidden = "anchors and aliases are not allowed"  # type: ignore[attr-defined]
        elif node is not None and event.tag is not None:
            node.forbidden = "tags are not allowed"  # type: ignore[attr-defined]
        return node


class _Loader(_Marking, yaml.SafeLoader):
    """Reads YAML in Python: slowly, and with the messages a user sees."""


def _fast_loader() -> type[Any] | None:
    """Return a loader whose events come from libyaml, ten times as fast, where PyYAML has it."""
    if not yaml.__with_libyaml__:
        return None
    from yaml.cyaml import CParser  # type: ignore[attr-defined]

    class Fast(_Marking, CParser, yaml.resolver.Resolver):  # type: ignore[misc]
        def __init__(self, text: str) -> None:
            CParser.__init__(self, text)
            _Marking.__init__(self)
            yaml.resolver.Resolver.__init__(self)

    return Fast


_FAST = _fast_loader()


def _composed(text: str) -> yaml.Node | None:
    """Return the node tree; what libyaml refuses is read again in Python, which says why."""
    if _FAST is not None:
        try:
            return yaml.compose(text, Loader=_FAST)
        except (yaml.YAMLError, ValueError, OverflowError, RecursionError):
            pass
    return yaml.compose(text, Loader=_Loader)


def _compose(text: str) -> yaml.Node | None:
    """Return the node tree of one YAML document; raises _Unreadable with the line and the
    reason.
    """
    try:
        return _composed(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _Unreadable(
            line, f"must be text, not the control character {chr(error.character)!r}"
        ) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "unreadable"
        raise _Unreadable(
            mark.line + 1 if mark is not None else 1, f"must be YAML: {problem}"
        ) from error
    except (
        ValueError,
        OverflowError,
    ) as error:  # "\UFFFFFFFF" is no character, and PyYAML does not say so
        raise _Unreadable(
            1, "must be YAML: an escape in a quoted text names no character"
        ) from error
    except RecursionError as error:
        raise _Unreadable(1, "must be nested less deeply") from error


class _Unreadable(Exception):
    """A text that is no YAML: line and reason."""


class Description(BaseModel):
    """Base of every described thing: strict, frozen, no unknown keys, no NaN, no infinity."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True
    )


class Document:
    """One YAML file as plain values, with the line each key stands on and the faults found so
    far.
    """

    def __init__(self, path: Path, shown: str | None = None) -> None:
        """Read `path`; raises DescriptionError when it is missing, no text, no YAML or no
        mapping.
        """
        self.path = Path(path)
        self.shown = shown or _relative(self.path)
        self.lines: dict[Key, int] = {(): 1}
        self.places: dict[Key, str] = {}
        self.faults: list[tuple[int, str]] = []
        self.tree: dict[str, Any] = {}
        self._broken: set[Key] = (
            set()
        )  # keys whose value could not be taken over: one fault each is enough
        self._prefixes: dict[Key, str] = {}  # written before a key from outside the file
        self._read()

    def _read(self) -> None:
        try:
            raw = self.path.read_bytes()
        except OSError as error:
            raise DescriptionError([f"{self.shown}: cannot be read: {error.strerror}"]) from error
        if len(raw) > MAXIMUM_BYTES:
            raise DescriptionError(
                [
                    f"{self.shown}: must be at most {MAXIMUM_BYTES} bytes, not {len(raw)}: arrays "
                    f"belong into an npz file"
                ]
            )
        try:
            node = _compose(raw.decode("utf-8"))
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            byte = f"the byte 0x{raw[error.start]:02x}"
            raise DescriptionError(
                [f"{self.shown}:{line}: must be UTF-8 text, not {byte}"]
            ) from error
        except _Unreadable as error:
            raise DescriptionError(["{}:{}: {}".format(self.shown, *error.args)]) from error
        if not isinstance(node, yaml.MappingNode):
            kind = {type(None): "an empty file", yaml.SequenceNode: "a list"}.get(
                type(node), "a single value"
            )
            raise DescriptionError(
                [f"{self.shown}:1: must be a mapping of keys to values, not {kind}"]
            )
        self.tree = self._value(node, ())
        if self.tree is None:
            self.refuse()

    def fault(self, key: Key, message: str) -> None:
        """Note that `key` is wrong; the message says what it must be."""
        line = self.line(key)
        where = self._option(key) or f"{self.shown}:{line}"
        self.faults.append(
            (line, f"{where}: {dotted(key)}: {message}" if key else f"{where}: {message}")
        )

    def _option(self, key: Key) -> str | None:
        """Return the change that set `key`, something around it or something in it."""
        for length in range(len(key), 0, -1):
            if key[:length] in self.places:
                return self.places[key[:length]]
        return next(
            (place for inner, place in self.places.items() if key and inner[: len(key)] == key),
            None,
        )

    def line(self, key: Key) -> int:
        """Return the line `key` stands on, or that of the nearest key around it."""
        while key not in self.lines:
            key = key[:-1]
        return self.lines[key]

    def refuse(self) -> None:
        """Raise all faults noted so far, in the order of lines, if there is any."""
        if self.faults:
            raise DescriptionError(
                [text for _, text in sorted(self.faults, key=lambda fault: fault[0])]
            )

    def _value(self, node: yaml.Node, key: Key) -> Any:
        self.lines[key] = node.start_mark.line + 1
        if hasattr(node, "forbidden"):
            self.fault(key, f"must be written out: {node.forbidden}")
            self._broken.add(key)
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, key)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*key, number)) for number, item in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        return node.value if node.style in ("'", '"', "|", ">") else plain(node.value)

    def _mapping(self, node: yaml.MappingNode, key: Key) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        first: dict[str, int] = {}
        for name_node, value_node in node.value:
            line = name_node.start_mark.line + 1
            if not isinstance(name_node, yaml.ScalarNode) or hasattr(name_node, "forbidden"):
                self.fault(key, f"must have plain words as keys (line {line})")
                continue
            name = name_node.value
            if name in first:
                self.lines[(*key, name)] = line
                self.fault(
                    (*key, name),
                    f"must be given once, not again: it stands on line {first[name]} already",
                )
                continue
            first[name] = line
            tree[name] = self._value(value_node, (*key, name))
            self.lines[(*key, name)] = line
        return tree

    def override(self, changes: Settings, prefix: str = "") -> None:
        """Apply changes, with or without the prefix before their keys, to the tree; later faults
        are placed at the change.
        """
        for change in settings(changes):
            path = change.path.removeprefix(prefix)
            key: Key = tuple(
                int(part) if _INDEX.fullmatch(part) else part for part in path.split(".")
            )
            if not path or not all(part != "" for part in key):
                raise InputError(f"setting: must be key.path=value, not {shown_value(change.text)}")
            value = self._read_value(change, path) if change.is_written else change.value
            place: Any = self.tree
            for depth, part in enumerate(key[:-1]):
                if isinstance(place, list) and isinstance(part, int) and part < len(place):
                    place = place[part]
                elif isinstance(place, dict):
                    place = place.setdefault(str(part), {})
                else:
                    raise InputError(
                        f"{change.place}: {dotted(key[: depth + 1])}: must be there and hold keys"
                    )
            last = key[-1]
            if isinstance(place, dict):
                place[str(last)] = value
            elif isinstance(place, list) and isinstance(last, int) and last < len(place):
                place[last] = value
            elif isinstance(place, list):
                raise InputError(
                    f"{change.place}: {dotted(key)}: must be there: a list cannot be made longer"
                )
            else:
                raise InputError(f"{change.place}: {dotted(key[:-1])}: must be there and hold keys")
            for length in range(1, len(key) + 1):
                if key[:length] not in self.lines:
                    self.places[key[:length]] = change.place
            self.places[key] = change.place
            self._prefixes[key] = prefix if change.path.startswith(prefix) else ""

    def _read_value(self, change: Setting, path: str) -> Any:
        try:
            node = _compose(change.value)
        except _Unreadable as error:
            raise InputError(
                f"{change.place}: {name_of(path)}: must be a YAML value, not "
                f"{shown_value(change.value)}"
            ) from error
        known, faults = dict(self.lines), list(self.faults)
        value = self._value(node, (name_of(path),)) if node is not None else None
        wrong = self.faults[len(faults) :]
        self.lines, self.faults = known, faults
        if wrong:
            raise InputError(f"{change.place}: {wrong[0][1].split(': ', 1)[1]}")
        return value

    def validate(self, model: type[Model], context: dict[str, Any] | None = None) -> Model | None:
        """Return the tree as a `model`, or None after noting every fault pydantic finds."""
        try:
            return model.model_validate(self.tree, context=context)
        except ValidationError as error:
            found: dict[Key, list[str]] = {}
            meant: set[Key] = set()
            for entry in error.errors(include_url=False):
                key = self._existing(
                    tuple(part for part in entry["loc"] if not str(part).startswith("function-"))
                )
                text = worded(entry, model, key)
                suggested = text.partition("did you mean '")[2].partition("'")[0]
                if "." in suggested:  # a whole path: as it must be typed where this one was
                    meant.add(tuple(suggested.split(".")))
                    whole = self._prefixes.get(key, "") + suggested
                    text = text.replace(f"'{suggested}'", f"'{whole}'")
                else:
                    meant.add((*key[:-1], suggested))
                found.setdefault(key, []).append(text)
            for key, messages in found.items():
                misspelt = messages[0].startswith("missing key") and key in meant
                if not misspelt and not any(
                    key[:length] in self._broken for length in range(1, len(key) + 1)
                ):
                    self.fault(key, merged(messages))
            return None

    def _existing(self, key: Key) -> Key:
        """Drop the parts of a pydantic location that are names of union members, not keys of the
        file.
        """
        place: Any = self.tree
        kept: list[str | int] = []
        for number, part in enumerate(key):
            last = number == len(key) - 1
            if isinstance(place, dict) and (part in place or last):
                kept.append(part)
                place = place.get(part) if isinstance(part, str) else None
            elif isinstance(place, list) and isinstance(part, int) and part < len(place):
                kept.append(part)
                place = place[part]
        return tuple(kept)


def plain(text: str) -> Any:
    """Return an unquoted YAML scalar: integer, float, true, false, null, or the word itself."""
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) < MAXIMUM_DIGITS else text
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _relative(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def write(path: Path, tree: dict[str, Any]) -> None:
    """Write plain values as a YAML file that is read back as the same values."""
    path.write_text(dumped(tree), encoding="utf-8")


def dumped(tree: dict[str, Any]) -> str:
    """Return plain values as YAML text."""
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, default_flow_style=None)
