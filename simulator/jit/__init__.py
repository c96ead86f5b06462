"""The only folder that imports numba: one decorator, what is kept of compiled kernels, and what is
said while they compile.

Importing it changes nothing for other users of numba in the process: no environment variable and no
setting of numba's is written.  Kernels carry their own cache (kernel_cache.py), and how they are
compiled is set under numba's compiler lock and put back before anybody else can compile.
NUMBA_OPT, where it is set, is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar, overload

import numba
from numba.core.compiler_lock import global_compiler_lock
from numba.core.options import DefaultOptions

from simulator.jit import handles
from simulator.jit.kept import Kept
from simulator.jit.making import making
from simulator.jit.waiting import Waiting

Function = TypeVar("Function", bound=Callable)

JIT_DISABLED = bool(getattr(numba.config, "DISABLE_JIT", 0))
#: kernels hand arrays on without counting references, five times as fast; the flag is private, and
#: right to leave out
_OPTIONS: dict[str, Any] = {"error_model": "numpy"} | (
    {"_nrt": False} if hasattr(DefaultOptions, "_nrt") else {}
)
_njit: Any = numba.njit


@overload
def kernel(function: Function) -> Function: ...
@overload
def kernel(*, inline: bool, simd: bool = False) -> Callable[[Function], Function]: ...
def kernel(function: Any = None, *, inline: bool | None = None, simd: bool = False) -> Any:
    """Compile `function` for integers and arrays: cached on disk, no reference counting, numpy's
    error model; other threads run meanwhile.

    A kernel allocates nothing, raises nothing and keeps no global state; under NUMBA_DISABLE_JIT=1
    it is plain Python. `inline` says that only other kernels call it, so that it is compiled as a
    part of them; True lets them absorb it, which is for what runs often.  simd: it is a loop over
    arrays and is optimised by itself, before those that call it.
    """
    if function is None:
        return lambda wrapped: (
            kernel(wrapped) if JIT_DISABLED else Part(wrapped, bool(inline), simd)
        )
    dispatcher = _njit(**_OPTIONS, nogil=True, no_cfunc_wrapper=True)(function)
    if not JIT_DISABLED:
        dispatcher._cache = kept = Kept(function, "_nrt" not in _OPTIONS)
        compile_for, context = dispatcher.compile, dispatcher.targetctx

        def compile_whole(signature: Any) -> Any:
            if kept.find(signature, context):
                with global_compiler_lock, Waiting(), making(context.codegen(), {}):
                    return compile_for(signature)
            from simulator.jit import compiling

            with compiling.settings(function), making(context.codegen(), {}):
                return compile_for(signature)

        dispatcher.compile = compile_whole
    return dispatcher


class Part:
    """A kernel that only other kernels call.  It is made when one that calls it is compiled: a
    command whose kernels are kept needs none of them.
    """

    def __init__(self, function: Callable, is_absorbed: bool, is_simd: bool) -> None:
        """`function`, as `kernel` is told of it."""
        self.py_func, self.is_simd = function, is_simd
        self.options = {
            "forceinline": is_absorbed,
            "no_cpython_wrapper": True,
            "no_cfunc_wrapper": True,
        }

    @property
    def _numba_type_(self) -> Any:
        """What numba takes it for where a kernel names it."""
        return self._dispatcher._numba_type_

    @cached_property
    def _dispatcher(self) -> Any:
        from simulator.jit import compiling

        dispatcher = _njit(**_OPTIONS, **self.options)(self.py_func)
        compile_for, maker = dispatcher.compile, dispatcher.targetctx.codegen
        changes = compiling.SIMD_PART if self.is_simd else compiling.PART

        def compile_part(arguments: Any) -> Any:
            with making(maker(), changes):
                return compile_for(tuple(compiling.widest(kind) for kind in arguments))

        dispatcher.compile = compile_part
        return dispatcher


def _lowest(mask: int) -> int:
    """Return the number of the lowest set bit of a mask that is not zero."""
    mask = int(mask)
    return (mask & -mask).bit_length() - 1


def _handle(fields: Any) -> Any:
    """Return `fields`."""
    return fields


_compiled: Any = handles
lowest: Callable[[int], int] = _lowest if JIT_DISABLED else _compiled.lowest
handle: Callable[[Any], Any] = _handle if JIT_DISABLED else _compiled.handle
