"""Kernels as numba has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from numba import typeof
from numba.core import types
from numba.core.compiler_lock import global_compiler_lock
from numba.core.options import DefaultOptions
from numba.core.registry import cpu_target

from simulator.jit.kept import Kept
from simulator.jit.making import making
from simulator.jit.waiting import Waiting

#: kernels hand arrays on without counting references, five times as fast; the flag is private, and
#: right to leave out
_OPTIONS: dict[str, Any] = {"error_model": "numpy"} | (
    {"_nrt": False} if hasattr(DefaultOptions, "_nrt") else {}
)
#: nobody calls it from Python, or as a callback
_BARE = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_njit: Any = numba.njit


def whole(function: Callable) -> Any:
    """Return a kernel that Python calls, with arrays too."""
    dispatcher = _njit(**_OPTIONS, nogil=True, no_cfunc_wrapper=True)(function)
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


def type_of(intrinsic: Any) -> Any:
    """Return what numba takes an intrinsic for."""
    return cpu_target.typing_context.resolve_value_type(intrinsic)


def part(function: Callable, is_absorbed: bool, is_simd: bool) -> Any:
    """Return a kernel that only other kernels call."""
    from simulator.jit import compiling

    dispatcher = _njit(**_OPTIONS, **_BARE, forceinline=is_absorbed)(function)
    compile_for, maker = dispatcher.compile, dispatcher.targetctx.codegen
    changes = compiling.SIMD_PART if is_simd else compiling.PART

    def compile_part(arguments: Any) -> Any:
        with making(maker(), changes):
            return compile_for(tuple(compiling.widest(kind) for kind in arguments))

    dispatcher.compile = compile_part
    return dispatcher


def machine_code(function: Callable, fields: list[Any]) -> bytes:
    """Return the name of an entry point, a zero, and the machine code it is in.

    fields: for each argument the NamedTuple whose address it takes; None: it takes an integer.
    """
    from simulator.jit import compiling
    from simulator.jit.handles import Handle

    kinds = tuple(types.int64 if one is None else Handle(typeof(one)) for one in fields)
    dispatcher = _njit(**_OPTIONS, **_BARE)(function)
    with compiling.settings(function), making(dispatcher.targetctx.codegen(), {}):
        dispatcher.compile(kinds)
    (made,) = dispatcher.overloads.values()
    library = made.library
    assert types.unliteral(made.signature.return_type) == types.int64, made.signature
    assert not library.has_dynamic_globals  # addresses of this process
    return made.fndesc.mangled_name.encode() + b"\0" + library._get_compiled_object()
