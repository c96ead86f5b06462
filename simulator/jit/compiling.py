"""How kernels are compiled: numba's settings, and what is left out of its work.

All of it is private to numba and right to leave, and is set under numba's compiler lock and put
back before anybody else can compile.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numba
from numba.core import codegen, event, types
from numba.core.compiler_lock import global_compiler_lock

from simulator.jit.progress import Progress
from simulator.jit.shortcuts import CHANGES
from simulator.jit.waiting import Waiting

#: LLVM's level, which NUMBA_OPT changes; most of a compilation is Python's, whatever the level
OPTIMISATION = "3"

_settings: Any = numba.config


def widest(kind: Any) -> Any:
    """Return the type a part takes for an argument of a type: int64 for every integer that fits,
    so that a part called with numbers, fields of records and constants is compiled once.
    """
    kind = types.unliteral(kind)
    is_narrow = isinstance(kind, types.Integer) and kind != types.uint64
    return types.int64 if is_narrow else kind


@contextmanager
def settings(function: Callable) -> Iterator[None]:
    """Hold numba's compiler for a kernel, with our settings, and say how far it is."""
    changes = list(CHANGES)
    if "NUMBA_OPT" not in os.environ:
        changes.append((_settings, "OPT", type(_settings.OPT)(OPTIMISATION)))
    with global_compiler_lock, Waiting() as waiting:
        before = [(holder, name, getattr(holder, name)) for holder, name, _ in changes]
        for holder, name, value in changes:
            setattr(holder, name, value)
        progress = Progress(function, waiting)
        try:
            with event.install_listener("numba:compile", progress):
                yield
            progress.finish()
        finally:
            for holder, name, value in before:
                setattr(holder, name, value)


class _SimdPart(codegen.JITCodeLibrary):  # type: ignore[misc]
    """The code of a kernel that only other kernels call, optimised before they take it in: loops
    over arrays become SIMD code while nothing is known of where the arrays come from.
    """

    def _finalize_final_module(self) -> None:
        """Make no instructions, and need no place in memory: nobody runs a part.  If it were there,
        those that take it in would call it instead of what they made of it.
        """
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """Return that there is none."""
        return 0


class _Part(_SimdPart):
    """The same, taken in as it was written, and optimised with those that call it, once."""

    def _optimize_final_module(self) -> None:
        """Do nothing."""


#: of numba's maker of code, while it makes parts: they need no environment, which is for kernels
#: that raise
PART: dict[str, Any] = {
    "_library_class": _Part,
    "_check_llvm_bugs": lambda: None,
    "set_env": lambda name, environment: None,
}
SIMD_PART = PART | {"_library_class": _SimdPart}
