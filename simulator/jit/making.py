"""Which kind of code numba's maker of code makes: whole kernels, or parts of others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: attributes of the maker that are its own while it makes parts
NAMES = ("_library_class", "_check_llvm_bugs", "set_env")


@contextmanager
def making(maker: Any, changes: dict[str, Any]) -> Iterator[None]:
    """Let numba's maker of code have these attributes, those of a part, or none of them: a kernel
    that is whole, be it compiled or loaded, even while a part that calls it is compiled.
    """
    before = {name: maker.__dict__.pop(name) for name in NAMES if name in maker.__dict__}
    maker.__dict__.update(changes)
    try:
        yield
    finally:
        for name in NAMES:
            maker.__dict__.pop(name, None)
        maker.__dict__.update(before)
