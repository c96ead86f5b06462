"""Strict YAML: every fault of a file at once, each `file:line: key: must be X, not Y`.

YAML's traps are closed here: equal keys are refused (PyYAML keeps the last without a word), only `true` and `false` are
booleans (`no` and `on` are words), `1e-12` is a number, NaN and infinity are not, anchors and tags are refused.
"""

from __future__ import annotations

import difflib
import re
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from simulator.errors import DescriptionError, InputError

Model = TypeVar("Model", bound=BaseModel)
Key = tuple[str | int, ...]

_INTEGER = re.compile(r"^[+-]?\d+$")
_FLOAT = re.compile(r"^[+-]?(\d+\.\d*|\.\d+|\d+)([eE][+-]?\d+)?$")
#: a description larger than this is refused unread: big arrays belong into npz files
MAXIMUM_BYTES = 4_000_000


class Description(BaseModel):
    """Base of every described thing: strict, frozen, no unknown keys, no NaN, no infinity."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)


class Document:
    """One YAML file as plain values, with the line each key stands on and the faults found so far."""

    def __init__(self, path: Path, shown: str | None = None) -> None:
        """Read `path`; raises DescriptionError when it is missing, no text, no YAML or no mapping."""
        self.path = Path(path)
        self.shown = shown or _relative(self.path)
        self.lines: dict[Key, int] = {(): 1}
        self.places: dict[Key, str] = {}
        self.faults: list[tuple[int, str]] = []
        self.tree: dict[str, Any] = {}
        self._read()

    def _read(self) -> None:
        try:
            raw = self.path.read_bytes()
        except OSError as error:
            raise DescriptionError([f"{self.shown}: cannot be read: {error.strerror}"]) from error
        if len(raw) > MAXIMUM_BYTES:
            raise DescriptionError(
                [f"{self.shown}: must be at most {MAXIMUM_BYTES} bytes, not {len(raw)}: arrays belong into an npz file"]
            )
        try:
            text = raw.decode("utf-8")
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except UnicodeDecodeError as error:
            raise DescriptionError([f"{self.shown}: must be UTF-8 text, not bytes ({error.reason})"]) from error
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = mark.line + 1 if mark is not None else 1
            problem = getattr(error, "problem", None) or "unreadable"
            raise DescriptionError([f"{self.shown}:{line}: must be YAML: {problem}"]) from error
        except RecursionError as error:
            raise DescriptionError([f"{self.shown}: must be nested less deeply"]) from error
        if not isinstance(node, yaml.MappingNode):
            raise DescriptionError([f"{self.shown}:1: must be a mapping of keys to values"])
        self._seen: set[int] = set()
        self.tree = self._value(node, ())

    def fault(self, key: Key, message: str) -> None:
        """Note that `key` is wrong; the message says what it must be."""
        place = next((self.places[key[:n]] for n in range(len(key), 0, -1) if key[:n] in self.places), None)
        line = self.line(key)
        where = place if place is not None else f"{self.shown}:{line}"
        name = dotted(key)
        self.faults.append((line, f"{where}: {name}: {message}" if name else f"{where}: {message}"))

    def line(self, key: Key) -> int:
        """Return the line `key` stands on, or that of the nearest key around it."""
        while key not in self.lines:
            key = key[:-1]
        return self.lines[key]

    def refuse(self) -> None:
        """Raise all faults noted so far, in the order of lines, if there is any."""
        if self.faults:
            raise DescriptionError([text for _, text in sorted(self.faults, key=lambda fault: fault[0])])

    def _value(self, node: yaml.Node, key: Key) -> Any:
        self.lines[key] = node.start_mark.line + 1
        if id(node) in self._seen:
            self.fault(key, "must be written out: anchors and aliases are not allowed")
            return None
        self._seen.add(id(node))
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
            if not isinstance(name_node, yaml.ScalarNode):
                self.fault(key, f"must have plain words as keys (line {line})")
                continue
            name = name_node.value
            if name in first:
                self.lines[(*key, name)] = line
                self.fault((*key, name), f"must be given once, not again: it stands on line {first[name]} already")
                continue
            first[name] = line
            tree[name] = self._value(value_node, (*key, name))
            self.lines[(*key, name)] = line
        return tree

    def override(self, assignments: typing.Iterable[str]) -> None:
        """Apply `key.path=value` texts to the tree; later faults of those keys are placed at the option."""
        for text in assignments:
            path, equals, written = text.partition("=")
            key: Key = tuple(int(part) if part.isdigit() else part for part in path.strip().split("."))
            if not equals or not path.strip() or not all(part != "" for part in key):
                raise InputError(f"--set: must be key.path=value, not {text!r}")
            try:
                node = yaml.compose(written, Loader=yaml.SafeLoader) if written.strip() else None
            except yaml.YAMLError as error:
                raise InputError(f"--set {text}: {path}: must be a YAML value, not {written!r}") from error
            value = self._value(node, ("--set", text)) if node is not None else None
            place: Any = self.tree
            for depth, part in enumerate(key[:-1]):
                if isinstance(place, list) and isinstance(part, int) and part < len(place):
                    place = place[part]
                elif isinstance(place, dict):
                    place = place.setdefault(str(part), {})
                else:
                    raise InputError(f"--set {text}: {dotted(key[: depth + 1])}: holds no keys")
            last = key[-1]
            if isinstance(place, dict):
                place[str(last)] = value
            elif isinstance(place, list) and isinstance(last, int) and last < len(place):
                place[last] = value
            else:
                raise InputError(f"--set {text}: {path}: unknown key")
            for length in range(1, len(key) + 1):
                if key[:length] not in self.lines:
                    self.places[key[:length]] = f"--set {text}"
            self.places[key] = f"--set {text}"

    def validate(self, model: type[Model], context: dict[str, Any] | None = None) -> Model | None:
        """Return the tree as a `model`, or None after noting every fault pydantic finds."""
        try:
            return model.model_validate(self.tree, context=context)
        except ValidationError as error:
            for entry in error.errors(include_url=False):
                key = tuple(part for part in entry["loc"] if not str(part).startswith("function-"))
                key = self._existing(key)
                self.fault(key, message(entry, model, key))
            return None

    def _existing(self, key: Key) -> Key:
        """Drop the parts of a pydantic location that are names of union members, not keys of the file."""
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
    if _INTEGER.match(text):
        return int(text) if len(text) < 400 else text
    if _FLOAT.match(text):
        return float(text)
    return text


def dotted(key: Key) -> str:
    """Return ('layers', 0, 'neuron') as 'layers[0].neuron'."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return text


def near_miss(word: object, allowed: typing.Iterable[str]) -> str:
    """Return "; did you mean 'x'?" when one of `allowed` is close to `word`, else nothing."""
    close = difflib.get_close_matches(str(word), list(allowed), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def shown_value(value: object) -> str:
    """Return a given value as a message shows it, cut to a line."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _fields_at(model: type[BaseModel], key: Key) -> list[str]:
    """Return the keys allowed beside the last part of `key`."""
    current: Any = model
    for part in key[:-1]:
        current = _step(current, part)
        if current is None:
            return []
    names: list[str] = []
    for member in _models(current):
        names += list(member.model_fields)
    return names


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType, typing.Annotated):
        return [model for argument in typing.get_args(annotation) for model in _models(argument)]
    return []


def _step(annotation: Any, part: str | int) -> Any:
    for model in _models(annotation):
        if part in model.model_fields:
            return model.model_fields[str(part)].annotation
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType, typing.Annotated):
        for argument in arguments:
            found = _step(argument, part)
            if found is not None:
                return found
        return None
    if origin in (tuple, list) and arguments:
        return arguments[0]
    if origin is dict:
        return arguments[1]
    return None


_KINDS = {
    "int_type": "a whole number", "int_from_float": "a whole number", "float_type": "a number", "finite_number": "a finite number",
    "string_type": "a text", "bool_type": "true or false", "list_type": "a list", "tuple_type": "a list",
    "dict_type": "a mapping", "model_type": "a mapping of keys to values", "model_attributes_type": "a mapping of keys to values",
}  # fmt: skip


def message(entry: Any, model: type[BaseModel], key: Key) -> str:
    """Return pydantic's error `entry` as 'must be X, not Y'."""
    kind, given, context = entry["type"], entry["input"], entry.get("ctx", {})
    if kind == "extra_forbidden":
        return "unknown key" + near_miss(key[-1], _fields_at(model, key))
    if kind == "missing":
        return "missing key: it must be given"
    if kind in ("value_error", "assertion_error"):
        return str(context["error"])
    if kind == "literal_error":
        allowed = [part.strip().strip("'") for part in re.split(r", | or ", context["expected"])]
        listed = ", ".join(f"'{word}'" for word in allowed)
        must = f"must be one of {listed}" if len(allowed) > 1 else f"must be {listed}"
        return f"{must}, not {shown_value(given)}{near_miss(given, allowed)}"
    if kind in ("greater_than_equal", "greater_than", "less_than_equal", "less_than"):
        words = {"greater_than_equal": ("at least", "ge"), "greater_than": ("more than", "gt"),
                 "less_than_equal": ("at most", "le"), "less_than": ("less than", "lt")}  # fmt: skip
        word, name = words[kind]
        return f"must be {word} {context[name]}, not {shown_value(given)}"
    if kind in ("too_short", "too_long"):
        bound = context.get("min_length", context.get("max_length"))
        word = "at least" if kind == "too_short" else "at most"
        return f"must have {word} {bound} entries, not {context['actual_length']}"
    if kind == "string_too_short":
        return f"must not be empty, not {shown_value(given)}"
    if kind in _KINDS:
        return f"must be {_KINDS[kind]}, not {shown_value(given)}"
    return f"{entry['msg'][0].lower()}{entry['msg'][1:]}, not {shown_value(given)}"


def _relative(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
