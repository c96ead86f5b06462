"""Values: arrays nobody writes to any more, and digests that are the same in every process.

A digest is the sha256 of a canonical byte form, in hexadecimal.  Fields enter by name in the order
of their declaration, arrays as dtype, shape and little-endian bytes in C order, so neither the
machine's byte order, nor the hash seed, nor the version of Python or numpy enters.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Hashable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cached_property, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

Returned = TypeVar("Returned")
More = ParamSpec("More")
#: answers of one function that are kept with a value
_MOST_KEPT = 8


def frozen(array: np.ndarray) -> np.ndarray:
    """Return the array, not to be written to any more.

    An array that owns its memory is taken over as it is; a writeable view of memory that others can
    write to is copied first.
    """
    if not array.flags.writeable:
        return array
    base = array.base
    while isinstance(base, np.ndarray) and base.base is not None:
        base = base.base
    if isinstance(base, np.ndarray) and base.flags.writeable:
        array = array.copy()
    array.setflags(write=False)
    return array


class Value:
    """Base of frozen dataclasses that hold arrays: the arrays are frozen with them, and two of them
    are compared by their digests, never by ==.
    """

    def __post_init__(self) -> None:
        """Freeze every array, also those in tuples."""
        for each in fields(self):  # type: ignore[arg-type]
            held = getattr(self, each.name)
            if isinstance(held, np.ndarray):
                object.__setattr__(self, each.name, frozen(held))
            elif isinstance(held, tuple) and any(isinstance(one, np.ndarray) for one in held):
                kept = tuple(frozen(one) if isinstance(one, np.ndarray) else one for one in held)
                object.__setattr__(self, each.name, kept)

    def digest(self) -> str:
        """Return the sha256 of everything this value holds, in hexadecimal."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        return digest(*((each.name, getattr(self, each.name)) for each in fields(self)))  # type: ignore[arg-type]

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: the fields, without what is computed from them."""
        return {each.name: getattr(self, each.name) for each in fields(self)}  # type: ignore[arg-type]

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the fields over and freeze the arrays, which pickle makes writeable."""
        for name, held in state.items():
            object.__setattr__(self, name, held)
        Value.__post_init__(self)


def remembered(
    function: Callable[Concatenate[Any, More], Returned],
) -> Callable[Concatenate[Any, More], Returned]:
    """Return the function, whose latest answers about a value are kept as long as the value lives.

    The value comes first; what it is asked further must be hashable.
    """

    @wraps(function)
    def recall(value: Any, *more: More.args, **named: More.kwargs) -> Returned:
        kept = value.__dict__.setdefault(f"_{function.__qualname__}", {})
        key: Hashable = (more, tuple(named.items()))
        if key not in kept:
            if len(kept) == _MOST_KEPT:
                del kept[next(iter(kept))]
            kept[key] = function(value, *more, **named)
        return kept[key]  # type: ignore[no-any-return]

    return recall


def digest(*values: Any) -> str:
    """Return the sha256 of the values' canonical byte form, in hexadecimal.

    Values are None, booleans, whole numbers, floats, texts, enums, arrays, dataclasses, and tuples,
    lists and dictionaries (whose order does not count) of them; TypeError for anything else.
    """
    found = hashlib.sha256()
    for value in values:
        _enter(found, value)
    return found.hexdigest()


def _enter(found: Any, value: Any) -> None:
    """Add one value to a digest: a letter for its kind, its size where it has one, its bytes."""
    if isinstance(value, Value):
        found.update(b"v" + bytes.fromhex(value.digest()))
    elif isinstance(value, Enum):
        _enter(found, value.value)
    elif value is None:
        found.update(b"n")
    elif isinstance(value, (bool, np.bool_)):
        found.update(b"b1" if value else b"b0")
    elif isinstance(value, (int, np.integer)):
        found.update(b"i%d;" % int(value))
    elif isinstance(value, (float, np.floating)):
        found.update(b"f" + struct.pack("<d", float(value)))
    elif isinstance(value, str):
        written = value.encode()
        found.update(b"s%d;" % len(written) + written)
    elif isinstance(value, np.ndarray):
        _enter_array(found, value)
    elif isinstance(value, dict):
        found.update(b"d%d;" % len(value))
        for key in sorted(value):
            _enter(found, key)
            _enter(found, value[key])
    elif isinstance(value, (tuple, list)):
        found.update(b"l%d;" % len(value))
        for entry in value:
            _enter(found, entry)
    elif is_dataclass(value):
        _enter(found, [(each.name, getattr(value, each.name)) for each in fields(value)])
    else:
        raise TypeError(f"a digest needs plain values and arrays, not {type(value).__name__}")


def _enter_array(found: Any, array: np.ndarray) -> None:
    """Add an array: kind and width of its entries, its shape, its bytes."""
    if array.dtype.kind not in "biuf":
        raise TypeError(f"a digest needs arrays of numbers, not of {array.dtype}")
    found.update(b"a%s%d" % (array.dtype.kind.encode(), array.dtype.itemsize))
    _enter(found, array.shape)
    ordered = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    found.update(ordered.reshape(-1).view(np.uint8).data)
