"""The words of a fault: where it is in the tree, what was given, what is allowed and which key was
probably meant.
"""

from __future__ import annotations

import difflib
import re
import types
import typing
from typing import Any

from pydantic import BaseModel

from simulator.units import shown_value

Key = tuple[str | int, ...]
_WORD = re.compile(r"[\w.\- ]{1,60}")


def dotted(key: Key) -> str:
    """Return ('layers', 0, 'neuron') as 'layers[0].neuron'."""
    text = ""
    for part in key:
        text += (
            f"[{part}]"
            if isinstance(part, int)
            else (f".{name_of(part)}" if text else name_of(part))
        )
    return text


def name_of(word: str) -> str:
    """Return a key as it stands, or quoted and cut when it is no word."""
    return word if _WORD.fullmatch(word) else shown_value(word)


def as_typed(text: str) -> str:
    """Return what was typed as it stands, or quoted and cut where it is long or not printable."""
    return text if text.isprintable() and len(text) <= 120 else shown_value(text)


def near_miss(word: object, allowed: typing.Iterable[str]) -> str:
    """Return "; did you mean 'x'?" when one of `allowed` is close to `word`, else nothing."""
    close = difflib.get_close_matches(str(word), list(allowed), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def alternatives(words: typing.Iterable[str]) -> str:
    """Return "'a', 'b' or 'c'"."""
    *first, last = (f"'{word}'" for word in words)
    return f"{', '.join(first)} or {last}" if first else last


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


def meant(key: Key, model: type[BaseModel]) -> str:
    """Return "; did you mean 'x'?" for an unknown key: a neighbour that is spelt alike, a key of
    that name elsewhere, or what it abbreviates, by its whole path; else nothing.
    """
    word, beside = str(key[-1]), _fields_at(model, key)
    if not _WORD.fullmatch(word):
        return ""
    everywhere = {path[-1]: ".".join(path) for path in reversed(_paths(model))}
    around = [part for part in key[:-1] if isinstance(part, str)]

    def alike(words: typing.Iterable[str], least: float) -> str | None:
        return next(iter(difflib.get_close_matches(word, words, 1, least)), None)

    short = next((name for name in beside if _abbreviates(word, name)), None)
    found = alike(beside, 0.75) or everywhere.get(alike(everywhere, 0.85) or "")
    found = found or (".".join([*around, short]) if short else alike(beside, 0.6))
    found = found or everywhere.get(alike(everywhere, 0.75) or "")
    return f"; did you mean '{found}'?" if found else ""


def _abbreviates(word: str, name: str) -> bool:
    """Whether `vcs` can stand for `virtual_channels`: letters of it in order, initials first."""
    initials = "".join(part[0] for part in name.split("_"))
    letters = iter(name)
    is_short = "_" in name and 1 < len(word) < len(name)
    return is_short and word.startswith(initials) and all(letter in letters for letter in word)


def _paths(model: type[BaseModel], before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the path of every key that does not lie in a list, the outer ones first."""
    here = [(*before, name) for name in model.model_fields]
    for name, field in model.model_fields.items():
        for inner in _models(field.annotation):
            here += _paths(inner, (*before, name))
    return here


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


_MAPPING = "a mapping of keys to values"
_KINDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "a text",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
}


def worded(entry: Any, model: type[BaseModel], key: Key) -> str:
    """Return pydantic's error `entry` as 'must be X, not Y'."""
    kind, given, context = entry["type"], entry["input"], entry.get("ctx", {})
    if kind == "extra_forbidden":
        return "unknown key" + meant(key, model)
    if kind == "missing":
        if isinstance(entry["loc"][-1], int):
            return f"must have {entry['loc'][-1] + 1} entries, not {len(given)}"
        return "missing key: it must be given"
    if kind in ("value_error", "assertion_error"):
        text = str(context["error"])
        return text if ", not " in text else f"{text}, not {shown_value(given)}"
    if kind == "literal_error":
        allowed = [part.strip().strip("'") for part in re.split(r", | or ", context["expected"])]
        return f"must be {context['expected']}, not {shown_value(given)}{near_miss(given, allowed)}"
    if kind in ("greater_than_equal", "greater_than", "less_than_equal", "less_than"):
        words = {
            "greater_than_equal": ("at least", "ge"),
            "greater_than": ("more than", "gt"),
            "less_than_equal": ("at most", "le"),
            "less_than": ("less than", "lt"),
        }
        word, name = words[kind]
        return f"must be {word} {context[name]}, not {shown_value(given)}"
    if kind in ("too_short", "too_long"):
        bound = context.get("min_length", context.get("max_length"))
        word = "at least" if kind == "too_short" else "at most"
        return (
            f"must have {word} {bound} {'entry' if bound == 1 else 'entries'}, not "
            f"{context['actual_length']}"
        )
    if kind == "string_too_short":
        return "must not be empty"
    if kind in _KINDS:
        return f"must be {_KINDS[kind]}, not {shown_value(given)}"
    return f"must be valid ({entry['msg']}), not {shown_value(given)}"


def merged(messages: list[str]) -> str:
    """Return what several alternatives say of one value as one message: 'must be X or Y, not Z'."""
    bound = next(
        (text for text in messages if text.startswith(("must be at least ", "must be at most "))),
        None,
    )
    if bound is not None:  # of the right kind, so the other kinds do not matter
        return bound
    parts = [text.removeprefix("must be ").partition(", not ") for text in messages]
    if len(parts) == 1 or not all(text.startswith("must be ") for text in messages):
        return messages[0]
    return f"must be {' or '.join(dict.fromkeys(must for must, _, _ in parts))}, not {parts[0][2]}"
